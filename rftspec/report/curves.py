"""What training looked like: reward over the steps, step metrics, gaps between splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rftspec.record.metrics import SECTIONS, Metric, UndeclaredMetric, declared
from rftspec.report.evidence import Evidence
from rftspec.report.numbers import REWARD, headline_metric, interval, plain, row_means
from rftspec.report.subjects import SPLITS, Column, best_step, curve_sources, split_columns
from rftspec.stats.intervals import Interval

HEALTHY: Mapping[str, str] = {
    "up": "healthy: rises",
    "down": "healthy: falls",
    "steady": "healthy: steady",
    "zero": "healthy: zero",
    "context": "depends on the task",
}


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The mean of a metric on a split at one step, with its interval."""

    step: int
    model: str
    interval: Interval
    samples: int
    """Answers per row."""

    @property
    def estimate(self) -> float:
        """The mean."""
        return self.interval.estimate


@dataclass(frozen=True, slots=True)
class Series:
    """One declared metric over the steps."""

    name: str
    section: str
    unit: str
    meaning: str
    healthy: str
    steps: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def flat(self) -> bool:
        """True when every value is the same: a sentence says it better than a chart."""
        return len(set(self.values)) <= 1


@dataclass(frozen=True, slots=True)
class SplitReward:
    """The mean reward of base and tuned on one split, and what it was measured on."""

    split: str
    base: float | None
    tuned: float | None
    told: str


@dataclass(frozen=True, slots=True)
class Curves:
    """Everything that is drawn over the steps."""

    reward: tuple[CurvePoint, ...]
    headline: tuple[CurvePoint, ...]
    """The headline metric over the steps; empty where it is the reward."""
    train_reward: Series | None
    series: tuple[Series, ...]
    splits: tuple[SplitReward, ...]
    best: int | None

    @property
    def gap(self) -> float | None:
        """The tuned model's reward on training rows less that on validation (else test) rows."""
        return self._gap("tuned")

    @property
    def base_gap(self) -> float | None:
        """The same of the base model: what of the gap was there before training."""
        return self._gap("base")

    def _gap(self, model: Literal["base", "tuned"]) -> float | None:
        means = {found.split: getattr(found, model) for found in self.splits}
        train, held_out = means.get("train"), means.get("validation", means.get("test"))
        return None if train is None or held_out is None else float(train - held_out)

    def to_json(self) -> dict[str, Any]:
        """The curves as plain JSON values."""
        return {**plain(self), "gap": self.gap, "base_gap": self.base_gap}


def trace(evidence: Evidence) -> Curves:
    """Read the curves of a run."""
    headline = headline_metric(evidence)
    series = _step_series(evidence)
    train = next((s for s in series if s.name == "train_reward_mean"), None)
    return Curves(
        reward=_curve(evidence, REWARD),
        headline=_curve(evidence, headline) if headline != REWARD else (),
        train_reward=train,
        series=series,
        splits=_split_rewards(evidence),
        best=best_step(evidence),
    )


def _curve(evidence: Evidence, metric: str) -> tuple[CurvePoint, ...]:
    """A metric on the validation rows at every evaluation."""
    points = []
    for source in curve_sources(evidence, "validation"):
        answers = evidence.answers[source]
        means = row_means(answers, lambda a: a.metric(metric))
        if not means:
            continue
        points.append(
            CurvePoint(
                step=source.step,
                model=source.model,
                interval=interval(evidence, "validation", means, _bounds(evidence, metric)),
                samples=max(len(a) for a in answers.values()),
            )
        )
    return tuple(points)


def _bounds(evidence: Evidence, metric: str) -> tuple[float, float] | None:
    """The range that the mean of a metric cannot leave, where it is known."""
    if metric == REWARD:
        return evidence.plan.reward_range
    every = (a for rows in evidence.answers.values() for found in rows.values() for a in found)
    values = {a.metric(metric) for a in every}
    return (0.0, 1.0) if values <= {0.0, 1.0, None} else None


def _step_series(evidence: Evidence) -> tuple[Series, ...]:
    """Every declared metric that the steps hold, in the order of its declaration."""
    names = dict.fromkeys(name for step in sorted(evidence.steps) for name in evidence.steps[step])
    found = []
    for name in names:
        try:
            metric = declared(name)
        except UndeclaredMetric:
            continue
        steps = tuple(step for step in sorted(evidence.steps) if name in evidence.steps[step])
        values = tuple(evidence.steps[step][name] for step in steps)
        found.append(_series(name, metric, steps, values))
    order = {metric.name: i for i, metric in enumerate(_declared_metrics())}
    return tuple(sorted(found, key=lambda s: order.get(declared(s.name).name, len(order))))


def _series(name: str, metric: Metric, steps: tuple[int, ...], values: tuple[float, ...]) -> Series:
    section = next((title for title, part in SECTIONS.items() if metric in part), "")
    healthy = HEALTHY[metric.healthy]
    return Series(name, section, metric.unit, metric.meaning, healthy, steps, values)


def _declared_metrics() -> list[Metric]:
    return [metric for part in SECTIONS.values() for metric in part]


def _split_rewards(evidence: Evidence) -> tuple[SplitReward, ...]:
    """Mean reward on training, validation and test rows, as each was measured."""
    found = []
    for split in reversed(SPLITS):
        columns = {column.role: column for column in split_columns(evidence, split)}
        base, tuned = columns.get("base"), columns.get("tuned")
        if tuned is None and base is None:
            continue
        told = [
            f"{len(c.answers)} rows × {c.samples_per_row} of {c.label}" for c in (base, tuned) if c
        ]
        found.append(SplitReward(split, _mean_reward(base), _mean_reward(tuned), ", ".join(told)))
    return tuple(found)


def _mean_reward(column: Column | None) -> float | None:
    if column is None:
        return None
    means = row_means(column.answers, lambda answer: answer.reward)
    return sum(means.values()) / len(means)
