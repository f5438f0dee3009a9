"""The terms of the loss, token by token: probability ratio, clip, divergence, correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from rftspec.spec.algorithms import Algorithm

CORRECTION_CAP = 2.0
"""Truncated importance weights end here (the default of verl and ms-swift); a completion beyond it
or below its inverse is masked."""

MISMATCH_BOUND = {torch.float32: 1e-4, torch.bfloat16: 0.25, torch.float16: 0.05}
"""Difference of a token's log-probability, in nats, between sampler and learner beyond which the
correction acts, by the dtype that is computed in. NF4 changes none of them: both sides compute
with the same dequantised values."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of a micro-batch's completion tokens; all [C]."""

    logprobs: torch.Tensor
    """Of the policy that is trained; differentiated."""
    old: torch.Tensor
    """Of the policy that sampled, as recorded."""
    advantages: torch.Tensor
    completion: torch.Tensor
    """Which completion of the micro-batch a token belongs to, counted from 0."""


@dataclass(frozen=True, slots=True)
class Clipped:
    """How a ratio met its bounds."""

    low: torch.Tensor
    """[C] bool: below the lower bound, and that stopped or bounded the term."""
    high: torch.Tensor
    ratio: torch.Tensor
    """[C]"""


def on_policy(terms: Terms) -> torch.Tensor:
    """A·log π: where the policy that samples is the one that is trained, every ratio is 1.

    Its gradient is that of every row's `surrogate`, for the ratio's own gradient is ∇log π there.
    """
    return terms.advantages * terms.logprobs


def surrogate(row: Algorithm, terms: Terms) -> tuple[torch.Tensor, Clipped]:
    """The row's objective of each token [C], to be weighted and summed; and what was clipped."""
    ratio = _ratio(row, terms)
    low = None if row.low is None else 1.0 - row.low
    high = None if row.high is None else 1.0 + row.high
    bounded = ratio if low is None and high is None else ratio.clamp(low, high)
    nothing = torch.zeros_like(ratio, dtype=torch.bool)
    below = nothing if low is None else ratio < low
    above = nothing if high is None else ratio > high
    if row.clip == "weight":
        value = bounded.detach() * terms.advantages * terms.logprobs
        return value, Clipped(below, above, ratio.detach())
    value = torch.minimum(ratio * terms.advantages, bounded * terms.advantages)
    return value, Clipped(
        below & (terms.advantages < 0), above & (terms.advantages > 0), ratio.detach()
    )


def _ratio(row: Algorithm, terms: Terms) -> torch.Tensor:
    """π_θ / π_old of each token, or of the completion that it belongs to; [C]."""
    log_ratio = terms.logprobs - terms.old
    if row.ratio == "token":
        return log_ratio.exp()
    total = per_completion(log_ratio, terms.completion)
    if row.ratio == "geometric":
        total = total / per_completion(torch.ones_like(log_ratio), terms.completion)
    return total.exp()[terms.completion]


def per_completion(values: torch.Tensor, completion: torch.Tensor) -> torch.Tensor:
    """Sums over the tokens of each completion; [B]."""
    count = int(completion[-1]) + 1  # tokens stand completion by completion
    return values.new_zeros(count).index_add(0, completion, values)


def divergence(
    estimator: Literal["k1", "k2", "k3"], logprobs: torch.Tensor, reference: torch.Tensor
) -> torch.Tensor:
    """The estimate of KL(policy ‖ base) at each token; http://joschu.net/blog/kl-approx.html."""
    difference = reference - logprobs
    if estimator == "k1":
        return -difference
    if estimator == "k2":
        return difference.square() / 2
    return difference.exp() - difference - 1.0


def correction(
    how: Literal["truncate", "mask", "none"], terms: Terms, bound: float
) -> torch.Tensor | None:
    """Importance weights [C] of tokens on which sampler and learner differ beyond the bound.

    None where nothing is to be corrected. `truncate` weights a token by min(π_learner / π_sampler,
    2) (truncated importance sampling, https://fengyao.notion.site/off-policy-rl); `mask` leaves out
    completions whose ratio is beyond 2 or 1/2. A token within the bound keeps weight 1, whatever
    it is packed with.
    """
    difference = (terms.logprobs - terms.old).detach()
    beyond = difference.abs() > bound
    if how == "none" or not bool(beyond.any()):
        return None
    if how == "truncate":
        weights = difference.exp().clamp(max=CORRECTION_CAP)
        return torch.where(beyond, weights, torch.ones_like(weights))
    total = per_completion(difference, terms.completion).exp()
    kept = (total <= CORRECTION_CAP) & (total >= 1.0 / CORRECTION_CAP)
    return kept.to(difference.dtype)[terms.completion]
