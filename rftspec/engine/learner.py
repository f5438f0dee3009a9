"""One training step on a batch of groups: advantages, micro-batches, loss, clipping, AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rftspec.engine import objective
from rftspec.engine.algorithms import (
    GroupRewards,
    advantages,
    divisor,
    row_of,
    token_weight,
)
from rftspec.engine.objective import MISMATCH_BOUND, Clipped, Terms
from rftspec.engine.optimizer import learning_rate, make_optimizer
from rftspec.engine.packing import TokenFacts, Work, micro_batches
from rftspec.engine.problems import problem
from rftspec.engine.shaping import counted, shaped
from rftspec.engine.types import Completion, Group
from rftspec.plan.model import TrainPlan
from rftspec.spec.algorithms import ALGORITHMS


@dataclass(frozen=True, slots=True)
class Scored:
    """What the policy says of a micro-batch's completion tokens, all [C]."""

    logprobs: torch.Tensor
    """Differentiable when asked for."""
    entropies: torch.Tensor
    facts: TokenFacts
    """What was known before, in the same order."""


class Scorer(Protocol):
    """The part of a learner that knows the model: log-probabilities of a micro-batch."""

    def score(self, batch: Sequence[Work], *, tuned: bool, entropy: bool = False) -> Scored:
        """Log-probabilities of every completion token; with autograd where it is on.

        The entropies are differentiated only with `entropy`.
        """
        ...


class Learner:
    """Holds the optimiser of an adapter and takes steps."""

    def __init__(
        self,
        scorer: Scorer,
        parameters: Sequence[nn.Parameter],
        plan: TrainPlan,
        *,
        max_tokens: int,
        token_budget: int,
        compute: torch.dtype = torch.float32,
    ) -> None:
        if plan.algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise problem(
                "M215",
                f"there is no algorithm `{plan.algorithm}`",
                hint=f"the engine has: {known}",
                path="train.algorithm",
            )
        self.row = row_of(plan)
        self.plan = plan
        self.scorer = scorer
        self.parameters = list(parameters)
        self.max_tokens = max_tokens
        self.token_budget = token_budget
        self.mismatch_bound = MISMATCH_BOUND[compute]
        self.steps_taken = 0
        self.optimizer = make_optimizer(plan, self.parameters)
        self._estimator = plan.kl_estimator or ("k3" if self.row.kl == "loss" else "k1")

    def learning_rate(self, step: int) -> float:
        """The rate of a step by the plan's warm-up and schedule; steps count from 1."""
        return learning_rate(self.plan, step)

    def step(self, groups: Sequence[Group], step: int) -> dict[str, float]:
        """Update the adapter `updates_per_batch` times, each on its share of the groups."""
        totals = _Totals(self.mismatch_bound)
        work = self.work(groups, totals)
        rate = self.learning_rate(step)
        trained: list[Work] = []
        norms, batches = [0.0], 0
        for part in _parts(work, self.plan.updates_per_batch):
            chosen = self._with_gradient(part)
            norm, count = self._update(part, chosen, rate, totals)
            norms.append(norm)
            batches += count
            trained += chosen
        if not batches and work:  # nothing to learn from: still measure the mismatch
            with torch.no_grad():
                totals.add(self.scorer.score(work[:1], tuned=True), 0.0, 0.0, None)
        self.steps_taken = step
        return {
            **totals.metrics(with_kl=self.plan.kl > 0, updates=self.plan.updates_per_batch),
            "grad_norm": _largest(norms),
            "learning_rate": rate,
            "groups_trained": float(len(trained)),
            "groups_no_signal_share": 1.0 - sum(w.has_signal for w in work) / max(1, len(work)),
            "micro_batches": float(batches),
            "tokens_trained": float(sum(len(c.tokens) for w in trained for c in w.completions)),
            "advantage_abs_mean": _mean_size(trained),
        }

    def work(self, groups: Sequence[Group], totals: _Totals | None = None) -> list[Work]:
        """Groups with the advantages of their tokens; completions left out of the loss are gone."""
        costs = self._costs(groups, totals) if self.plan.kl > 0 and self.row.kl == "reward" else {}
        made = [
            GroupRewards(
                shaped(self.plan, g.rewards, g.completions, self.max_tokens),
                [len(c.tokens) for c in g.completions],
                [costs[id(c)] for c in g.completions] if costs else None,
            )
            for g in groups
        ]
        weight = partial(token_weight, self.row)
        found = []
        for group, values in zip(groups, advantages(self.row, made), strict=True):
            kept = [
                (c, a * group.weight)
                for c, a in zip(group.completions, values, strict=True)
                if counted(self.plan, c)
            ]
            if kept:
                completions, sized = zip(*kept, strict=True)
                found.append(Work(group.prompt, completions, sized, weight))
        return found

    def _costs(
        self, groups: Sequence[Group], totals: _Totals | None
    ) -> dict[int, NDArray[np.float64]]:
        """The weighted divergence of each token from the base, by the completion's identity.

        Under the policy that sampled, so that the recorded log-probabilities are its side.
        """
        plain = [
            Work(
                g.prompt,
                tuple(g.completions),
                tuple(np.zeros(len(c.tokens)) for c in g.completions),
            )
            for g in groups
        ]
        found: dict[int, NDArray[np.float64]] = {}
        for batch in micro_batches(plain, self.token_budget):
            with torch.no_grad():
                scored = self.scorer.score(batch, tuned=False)
            kl = objective.divergence(self._estimator, scored.facts.sampled, scored.logprobs)
            if totals is not None:
                totals.kl += float(kl.sum())
            done: list[Completion] = [c for w in batch for c in w.completions]
            ends = np.cumsum([len(c.tokens) for c in done])[:-1]
            parts = np.split(self.plan.kl * kl.double().cpu().numpy(), ends)
            found.update({id(c): part for c, part in zip(done, parts, strict=True)})
        return found

    def _with_gradient(self, work: Sequence[Work]) -> list[Work]:
        """The groups that move the loss: all, where each token has a term of its own."""
        own_terms = self.plan.entropy_bonus > 0 or (self.plan.kl > 0 and self.row.kl == "loss")
        return list(work) if own_terms else [w for w in work if w.has_signal]

    def _update(
        self, part: Sequence[Work], trained: Sequence[Work], rate: float, totals: _Totals
    ) -> tuple[float, int]:
        """Accumulate the gradient over micro-batches and update once: (norm, micro-batches)."""
        scale = 1.0 / divisor(
            self.row,
            tokens=sum(len(c.tokens) for w in part for c in w.completions),
            completions=sum(len(w.completions) for w in part),
            max_tokens=self.max_tokens,
        )
        self.optimizer.clear()
        batches = micro_batches(trained, self.token_budget)
        for batch in batches:
            self._accumulate(batch, scale, totals)
        if not batches:
            return 0.0, 0
        totals.updates += 1
        return self.optimizer.step(rate, max_norm=self.plan.max_grad_norm), len(batches)

    def _accumulate(self, batch: Sequence[Work], scale: float, totals: _Totals) -> None:
        bonus = self.plan.entropy_bonus
        scored = self.scorer.score(batch, tuned=True, entropy=bonus > 0)
        facts = scored.facts
        terms = Terms(scored.logprobs, facts.sampled, facts.advantages, facts.completion)
        value, clipped = self._value(terms)
        loss = -(value * facts.weights).sum() * scale
        kl = 0.0
        if self.plan.kl > 0 and self.row.kl == "loss":
            with torch.no_grad():
                reference = self.scorer.score(batch, tuned=False).logprobs
            found = objective.divergence(self._estimator, scored.logprobs, reference)
            loss = loss + self.plan.kl * scale * (found * facts.weights).sum()
            kl = float(found.detach().sum())
        if bonus > 0:
            loss = loss - bonus * scale * (scored.entropies * facts.weights).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        totals.add(scored, float(loss.detach()), kl, clipped)

    def _value(self, terms: Terms) -> tuple[torch.Tensor, Clipped | None]:
        """The objective of each token: with one update per batch the ratio is 1 and needs no clip.

        With more, the ratio to the sampler's own log-probabilities corrects a mismatch too.
        """
        if self.plan.updates_per_batch > 1:
            return objective.surrogate(self.row, terms)
        value = objective.on_policy(terms)
        weights = objective.correction(self.plan.correction, terms, self.mismatch_bound)
        return (value if weights is None else value * weights), None


def _parts(work: Sequence[Work], count: int) -> list[Sequence[Work]]:
    """The groups dealt out to `count` updates, in their order, as evenly as can be."""
    bounds = [round(i * len(work) / count) for i in range(count + 1)]
    return [work[start:stop] for start, stop in pairwise(bounds)]


def _largest(norms: Sequence[float]) -> float:
    """The largest norm; one that is not finite wins."""
    return next((n for n in norms if not np.isfinite(n)), max(norms))


def _mean_size(work: Sequence[Work]) -> float:
    """Mean size of the advantages, by completions in a group and then by groups."""
    if not work:
        return 0.0
    sizes = [np.mean([np.abs(a).mean() for a in w.advantages]) for w in work]
    return float(np.mean(sizes))


class _Totals:
    """Sums over the micro-batches of a step."""

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self.loss = self.kl = self.entropy = self.mismatch = self.mismatch_max = 0.0
        self.low = self.high = self.ratio_max = 0.0
        self.tokens = self.compared = self.beyond = self.updates = 0

    def add(self, scored: Scored, loss: float, kl: float, clipped: Clipped | None) -> None:
        """Count one micro-batch in."""
        self.loss += loss
        self.kl += kl
        self.entropy += float(scored.entropies.detach().sum())
        self.tokens += scored.facts.sampled.numel()
        if clipped is not None:
            self.low += float(clipped.low.sum())
            self.high += float(clipped.high.sum())
            self.ratio_max = max(self.ratio_max, float(clipped.ratio.max()))
        if not self.updates:  # after an update the difference is the update's own
            difference = (scored.logprobs.detach() - scored.facts.sampled).abs()
            self.mismatch += float(difference.sum())
            self.mismatch_max = max(self.mismatch_max, float(difference.max()))
            self.beyond += int((difference > self.bound).sum())
            self.compared += difference.numel()

    def metrics(self, *, with_kl: bool, updates: int) -> dict[str, float]:
        """The step's metrics that are means or maxima over tokens."""
        n, compared = max(1, self.tokens), max(1, self.compared)
        out = {
            "loss": self.loss / max(1, self.updates),
            "entropy": self.entropy / n,
            "logprob_mismatch_max": self.mismatch_max,
            "logprob_mismatch_mean": self.mismatch / compared,
            "mismatch_beyond_bound_share": self.beyond / compared,
        }
        if with_kl:
            out["kl"] = self.kl / n
        if updates > 1:
            out["clip_low_share"] = self.low / n
            out["clip_high_share"] = self.high / n
            out["clip_share"] = (self.low + self.high) / n
            out["ratio_max"] = self.ratio_max
            out["updates"] = float(self.updates)
        return out
