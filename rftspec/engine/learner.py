"""One optimiser step on a batch of groups: micro-batches, loss, clipping, AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import nn

from rftspec.engine.algorithms import ALGORITHMS, advantages, divisor
from rftspec.engine.optimizer import AdamW
from rftspec.engine.packing import Work, micro_batches
from rftspec.engine.problems import problem
from rftspec.engine.types import Group
from rftspec.plan.model import TrainPlan


@dataclass(frozen=True, slots=True)
class Scored:
    """What the policy says of a micro-batch's completion tokens, all [C]."""

    logprobs: torch.Tensor
    """Differentiable when asked for."""
    entropies: torch.Tensor
    sampled: torch.Tensor
    """The log-probabilities that were recorded while sampling, in the same order."""
    advantages: torch.Tensor


class Scorer(Protocol):
    """The part of a learner that knows the model: log-probabilities of a micro-batch."""

    def score(self, batch: Sequence[Work], *, tuned: bool) -> Scored:
        """Log-probabilities of every completion token; with autograd where it is on."""
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
    ) -> None:
        if plan.algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise problem(
                "M215",
                f"there is no algorithm `{plan.algorithm}`",
                hint=f"the engine has: {known}",
                path="train.algorithm",
            )
        self.algorithm = ALGORITHMS[plan.algorithm]
        self.plan = plan
        self.scorer = scorer
        self.parameters = list(parameters)
        self.max_tokens = max_tokens
        self.token_budget = token_budget
        self.steps_taken = 0
        self.optimizer = AdamW(self.parameters)

    def learning_rate(self, step: int) -> float:
        """Linear warm-up over `warmup_steps`, then constant; steps count from 1."""
        return self.plan.learning_rate * min(1.0, step / max(1, self.plan.warmup_steps))

    def step(self, groups: Sequence[Group], step: int) -> dict[str, float]:
        """Accumulate the gradient over micro-batches and update the adapter once."""
        work = [self._work(group) for group in groups]
        with_signal = [w for w in work if np.any(w.advantages != 0.0)]
        # a group without signal adds nothing to the gradient unless there is a KL term
        trained = work if self.plan.kl > 0 else with_signal
        scale = 1.0 / divisor(
            self.algorithm,
            tokens=sum(len(c.tokens) for w in work for c in w.completions),
            completions=sum(len(w.completions) for w in work),
            max_tokens=self.max_tokens,
        )
        totals = _Totals()
        self.optimizer.clear()
        batches = micro_batches(trained, self.token_budget)
        for batch in batches:
            self._accumulate(batch, scale, totals)
        if not batches and work:  # nothing to learn from: still measure the mismatch
            with torch.no_grad():
                totals.add(self.scorer.score(work[:1], tuned=True), 0.0, 0.0)
        rate = self.learning_rate(step)
        norm = 0.0
        if batches:
            norm = self.optimizer.step(rate, max_norm=self.plan.max_grad_norm)
        self.steps_taken = step
        absolute = [float(np.abs(w.advantages).mean()) for w in trained]
        return {
            **totals.metrics(with_kl=self.plan.kl > 0),
            "grad_norm": norm,
            "learning_rate": rate,
            "groups_trained": float(len(trained)),
            "groups_no_signal_share": 1.0 - len(with_signal) / max(1, len(work)),
            "micro_batches": float(len(batches)),
            "tokens_trained": float(sum(len(c.tokens) for w in trained for c in w.completions)),
            "advantage_abs_mean": float(np.mean(absolute)) if absolute else 0.0,
        }

    def _work(self, group: Group) -> Work:
        return Work(
            group.prompt, tuple(group.completions), advantages(self.algorithm, group.rewards)
        )

    def _accumulate(self, batch: Sequence[Work], scale: float, totals: _Totals) -> None:
        scored = self.scorer.score(batch, tuned=True)
        loss = -(scored.advantages * scored.logprobs).sum() * scale
        kl = 0.0
        if self.plan.kl > 0:
            with torch.no_grad():
                reference = self.scorer.score(batch, tuned=False).logprobs
            # k3 estimate of KL(policy ‖ base), http://joschu.net/blog/kl-approx.html
            difference = reference - scored.logprobs
            k3 = (difference.exp() - difference - 1.0).sum()
            loss = loss + self.plan.kl * scale * k3
            kl = float(k3.detach())
        loss.backward()  # type: ignore[no-untyped-call]
        totals.add(scored, float(loss.detach()), kl)


class _Totals:
    """Sums over the micro-batches of a step."""

    def __init__(self) -> None:
        self.loss = self.kl = self.entropy = self.mismatch = self.mismatch_max = 0.0
        self.tokens = 0

    def add(self, scored: Scored, loss: float, kl: float) -> None:
        """Count one micro-batch in."""
        difference = (scored.logprobs.detach() - scored.sampled).abs()
        self.loss += loss
        self.kl += kl
        self.entropy += float(scored.entropies.sum())
        self.mismatch += float(difference.sum())
        self.mismatch_max = max(self.mismatch_max, float(difference.max()))
        self.tokens += scored.sampled.numel()

    def metrics(self, *, with_kl: bool) -> dict[str, float]:
        """The step's metrics that are means or maxima over tokens."""
        n = max(1, self.tokens)
        out = {
            "loss": self.loss,
            "entropy": self.entropy / n,
            "logprob_mismatch_max": self.mismatch_max,
            "logprob_mismatch_mean": self.mismatch / n,
        }
        if with_kl:
            out["kl"] = self.kl / n
        return out
