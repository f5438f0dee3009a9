"""The rollouts of a step: draw rows, sample and grade them, and refill groups without signal.

Which rows are drawn, and how many more, is a function of the plan and of rewards: never of time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rftspec.engine.types import Completion, Group, Prompt
from rftspec.plan.model import Plan
from rftspec.run.grade import GradedSample
from rftspec.run.job import Job
from rftspec.run.rows import Row, refill_rows, step_rows

_SAME = 1e-9
"""Rewards closer than this are the same: rounding is no signal."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One prompt's completions, graded."""

    prompt: Prompt
    completions: Sequence[Completion]
    graded: Sequence[GradedSample]

    @property
    def kept(self) -> list[tuple[Completion, float]]:
        """Completions with their rewards, less those that no judge could be reached for."""
        pairs = zip(self.completions, self.graded, strict=True)
        return [(c, s.graded.reward) for c, s in pairs if not s.graded.dropped]

    @property
    def has_signal(self) -> bool:
        """False where all rewards are the same."""
        rewards = [reward for _, reward in self.kept]
        return len(rewards) > 1 and float(np.ptp(rewards)) > _SAME


@dataclass(slots=True)
class Rollouts:
    """All groups of a step, in the order in which they were drawn."""

    plan: Plan
    drawn: list[Drawn] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When it began, when the last completion was sampled, when the last one was graded."""

    @property
    def first(self) -> list[GradedSample]:
        """The samples of the rows that the step drew before any refill: those are like the data."""
        return [s for d in self.drawn[: self.plan.train.prompts_per_step] for s in d.graded]

    @property
    def refilled(self) -> list[GradedSample]:
        """The samples of the rows that were drawn in place of others."""
        return [s for d in self.drawn[self.plan.train.prompts_per_step :] for s in d.graded]

    def groups(self) -> list[Group]:
        """What is learned from: all groups; with a refill those with signal, as many as a step has.

        Where none has any, all that the step drew, so that the step still measures something.
        """
        chosen, size = self.drawn, self.plan.train.prompts_per_step
        if self.plan.train.refill > 0:
            chosen = [d for d in self.drawn if d.has_signal][:size] or self.drawn[:size]
        return [self._group(d) for d in chosen if d.kept]

    def _group(self, drawn: Drawn) -> Group:
        completions, rewards = zip(*drawn.kept, strict=True)
        return Group(drawn.prompt, completions, rewards, self._weight(drawn.graded))

    def _weight(self, samples: Sequence[GradedSample]) -> float:
        """The weight of a group, by the share of its completions that pass."""
        train = self.plan.train
        if train.down_weight == 1.0:
            return 1.0
        rate = sum(map(self._passes, samples)) / len(samples)
        easy, hard = train.down_weight_easy, train.down_weight_hard
        extreme = (easy is not None and rate >= easy) or (hard is not None and rate <= hard)
        return train.down_weight if extreme else 1.0

    def _passes(self, sample: GradedSample) -> bool:
        if self.plan.evaluate.pass_metric == "reward":
            return sample.graded.reward >= 1.0
        return bool(sample.graded.metrics.get(self.plan.evaluate.pass_metric))


def roll_out(job: Job, step: int) -> Rollouts:
    """Sample and grade the groups of a step, and more in place of those without signal."""
    plan, rows = job.plan, job.rows.train
    size = plan.train.prompts_per_step
    rollouts = Rollouts(plan, times=[time.perf_counter()])
    picked = step_rows(step, len(rows), size, seed=plan.seed)
    times_before = [picked[:n].count(position) for n, position in enumerate(picked)]
    # a row that stands in a step twice (few rows, many prompts) draws different samples each time
    streams = ["train" if n == 0 else f"train/{n}" for n in times_before]
    _sample(job, step, rollouts, picked, streams)
    budget = int(plan.train.refill * size)
    spare = refill_rows(step, len(rows), set(picked), seed=plan.seed)[:budget] if budget else []
    while spare:
        wanted = size - sum(d.has_signal for d in rollouts.drawn)
        more, spare = spare[:wanted], spare[wanted:]
        if wanted <= 0:
            break
        _sample(job, step, rollouts, more, ["refill"] * len(more))
    return rollouts


def _sample(
    job: Job, step: int, rollouts: Rollouts, picked: Sequence[int], streams: Sequence[str]
) -> None:
    """Sample and grade the rows at these positions, and add them to the rollouts."""
    train, response = job.plan.train, job.plan.response
    rows = [job.rows.train[position] for position in picked]
    prompts = [job.prompt(r, s, step) for r, s in zip(rows, streams, strict=True)]
    stream = job.grading.stream(rows)
    size = train.samples_per_prompt
    with job.meter.sampling(len(rows) * size) as told:
        groups = job.engine.sample(
            prompts,
            samples=size,
            temperature=response.temperature,
            max_tokens=response.max_tokens,
            policy="tuned",
            on_finished=told,
            on_group=stream.put,
        )
    sampled = time.perf_counter()
    graded = stream.result(groups)
    rollouts.times[1:] = [sampled, time.perf_counter()]
    rollouts.rows += rows
    for n, (prompt, group) in enumerate(zip(prompts, groups, strict=True)):
        rollouts.drawn.append(Drawn(prompt, group, graded[n * size : (n + 1) * size]))
