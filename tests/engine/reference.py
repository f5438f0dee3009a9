"""Every algorithm's loss as its paper writes it, on padded tensors; imports nothing of the engine.

B completions of at most T tokens: `logp`, `old`, `ref` and `mask` are [B, T], `rewards` is [B], and
`group` [B] says which prompt a completion answers. `ref` is the base, used where beta > 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Batch:
    """What a loss is a function of."""

    logp: torch.Tensor
    old: torch.Tensor
    ref: torch.Tensor
    mask: torch.Tensor
    rewards: torch.Tensor
    group: torch.Tensor
    max_tokens: int
    beta: float = 0.0

    @property
    def ratio(self) -> torch.Tensor:
        return torch.exp(self.logp - self.old)

    @property
    def lengths(self) -> torch.Tensor:
        return self.mask.sum(1)

    def k3(self) -> torch.Tensor:
        return torch.exp(self.ref - self.logp) - (self.ref - self.logp) - 1


def by_group(batch: Batch, make: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    out = torch.zeros_like(batch.rewards)
    for g in batch.group.unique():
        out[batch.group == g] = make(batch.rewards[batch.group == g])
    return out


def group_normalised(r: torch.Tensor) -> torch.Tensor:
    return (r - r.mean()) / (r.std(unbiased=True) + 1e-4)


def ppo(ratio: torch.Tensor, a: torch.Tensor, low: float, high: float) -> torch.Tensor:
    return torch.min(ratio * a, torch.clip(ratio, 1 - low, 1 + high) * a)


Advantage = Callable[[Batch], torch.Tensor]
Loss = Callable[[Batch, torch.Tensor], torch.Tensor]


def grpo(b: Batch, a: torch.Tensor, low: float = 0.2, high: float = 0.2) -> torch.Tensor:
    """2402.03300, equation 3, with the mean over all tokens of 2503.14476."""
    objective = ppo(b.ratio, a, low, high) - b.beta * b.k3()
    return -(objective * b.mask).sum() / b.mask.sum()


def dapo(b: Batch, a: torch.Tensor) -> torch.Tensor:
    """2503.14476, equation 8: clip-higher, token-level mean."""
    return grpo(b, a, 0.2, 0.28)


def dr_grpo(b: Batch, a: torch.Tensor) -> torch.Tensor:
    """2503.20783: no division by the length or by the deviation; a constant normaliser."""
    objective = ppo(b.ratio, a, 0.2, 0.2) - b.beta * b.k3()
    return -(objective * b.mask).sum() / (len(b.rewards) * b.max_tokens)


def gspo(b: Batch, a: torch.Tensor) -> torch.Tensor:
    """2507.18071, equations 5 and 7: the length-normalised ratio of whole completions."""
    s = torch.exp(((b.logp - b.old) * b.mask).sum(1) / b.lengths)
    objective = ppo(s, a[:, 0], 3e-4, 4e-4) - b.beta * (b.k3() * b.mask).sum(1) / b.lengths
    return -objective.mean()


def cispo(b: Batch, a: torch.Tensor) -> torch.Tensor:
    """2506.13585, equation 4: the clipped ratio is a weight without gradient."""
    weight = torch.clip(b.ratio, max=5.0).detach()
    return -((weight * a * b.logp - b.beta * b.k3()) * b.mask).sum() / b.mask.sum()


def rloo(b: Batch, a: torch.Tensor) -> torch.Tensor:
    """2402.14740, equation 7; an off-policy completion weighs by its importance ratio."""
    weight = torch.exp(((b.logp - b.old) * b.mask).sum(1)).detach()
    return -(weight * a[:, 0] * (b.logp * b.mask).sum(1)).mean()


def reinforce_pp(b: Batch, a: torch.Tensor) -> torch.Tensor:
    """2501.03262: PPO's clip at tokens, averaged over each completion, then over completions."""
    return -((ppo(b.ratio, a, 0.2, 0.2) * b.mask).sum(1) / b.lengths).mean()


def in_group(make: Callable[[torch.Tensor], torch.Tensor]) -> Advantage:
    return lambda b: by_group(b, make)[:, None].expand_as(b.logp)


def leave_one_out(b: Batch) -> torch.Tensor:
    """The reward less beta · log(π_old / π_ref) of the whole completion, less the others' mean."""
    paid = b.rewards - b.beta * ((b.old - b.ref) * b.mask).sum(1)
    out = torch.zeros_like(paid)
    for i, g in enumerate(b.group):
        others = [paid[j] for j in range(len(paid)) if b.group[j] == g and j != i]
        out[i] = paid[i] - torch.stack(others).mean()
    return out[:, None].expand_as(b.logp)


def globally_normalised(b: Batch) -> torch.Tensor:
    """A_t = r − beta · Σ_{i ≥ t} log(π_old / π_ref), normalised over all tokens of the batch."""
    kl = (b.old - b.ref) * b.mask
    a = b.rewards[:, None] - b.beta * kl.flip(1).cumsum(1).flip(1)
    seen = a[b.mask.bool()]
    return (a - seen.mean()) / (seen.std(unbiased=False) + 1e-8)


REFERENCES: Mapping[str, tuple[Advantage, Loss]] = {
    "grpo": (in_group(group_normalised), grpo),
    "dapo": (in_group(group_normalised), dapo),
    "dr_grpo": (in_group(lambda r: r - r.mean()), dr_grpo),
    "gspo": (in_group(group_normalised), gspo),
    "cispo": (in_group(group_normalised), cispo),
    "rloo": (leave_one_out, rloo),
    "reinforce++": (globally_normalised, reinforce_pp),
}
