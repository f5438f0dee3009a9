"""The numbers of the report: metrics with intervals, paired differences, flips, lengths."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from statistics import median
from typing import Any

from rftspec.report.evidence import Answer, Answers, Evidence
from rftspec.report.reading import list_lengths
from rftspec.report.subjects import Column, Subjects
from rftspec.stats.intervals import Interval, cluster_bootstrap, paired_difference

Measure = Callable[[Answer], float | None]
REWARD = "reward"
VALID = "valid answers"


@dataclass(frozen=True, slots=True)
class Cell:
    """A metric of one model: the mean over rows of the mean over their answers, with interval."""

    model: str
    interval: Interval
    missing: int
    """Answers on which the metric failed: they are in no mean."""

    @property
    def estimate(self) -> float:
        """The mean."""
        return self.interval.estimate


@dataclass(frozen=True, slots=True)
class Gain:
    """Tuned less base on the same rows, with its paired interval and the rows that moved."""

    interval: Interval
    better: int
    same: int
    worse: int

    @property
    def estimate(self) -> float:
        """The mean difference."""
        return self.interval.estimate

    @property
    def verdict(self) -> str:
        """`better` or `worse` where the interval leaves zero out, else the interval's words."""
        words = self.interval.words
        return {"higher": "better", "lower": "worse"}.get(words, words)


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric across the models."""

    name: str
    share: bool
    """True when its values are 0 or 1, and its mean therefore a share of answers."""
    cells: tuple[Cell, ...]
    gain: Gain | None

    def cell(self, model: str) -> Cell | None:
        """The cell of one model."""
        return next((cell for cell in self.cells if cell.model == model), None)


@dataclass(frozen=True, slots=True)
class Flips:
    """Rows by whether base and tuned pass them, a row passing when half its answers do."""

    to_right: tuple[int, ...] = ()
    to_wrong: tuple[int, ...] = ()
    still_right: tuple[int, ...] = ()
    still_wrong: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of a model's answers: what a gain should not be made of."""

    model: str
    answers: int
    tokens_median: float
    truncated: float
    failed: float
    """Share of answers whose reward was put at its floor by a failure."""
    valid: float
    list_lengths: dict[str, float]
    """Median length of every list in the answers, by its key."""


@dataclass(frozen=True, slots=True)
class Split:
    """A gain taken apart: more answers of valid form, and better ones among the valid."""

    metric: str
    valid_base: float
    valid_tuned: float
    among_base: float
    among_tuned: float
    from_form: float
    from_content: float


@dataclass(frozen=True, slots=True)
class GraderLine:
    """One grader's mean score by model, and how often it failed."""

    name: str
    kind: str
    means: dict[str, float | None]
    errors: dict[str, int]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything counted on the headline's split."""

    split: str | None
    headline: str
    """Name of the metric that the verdict speaks of."""
    lines: tuple[MetricLine, ...] = ()
    flips: Flips = field(default_factory=Flips)
    shapes: tuple[Shape, ...] = ()
    gain_split: Split | None = None
    graders: tuple[GraderLine, ...] = ()

    def line(self, name: str) -> MetricLine | None:
        """The line of one metric."""
        return next((line for line in self.lines if line.name == name), None)

    def shape(self, model: str) -> Shape | None:
        """The form of one model's answers."""
        return next((shape for shape in self.shapes if shape.model == model), None)

    def to_json(self) -> dict[str, Any]:
        """The numbers as plain JSON values."""
        return {**plain(self), "lines": [_line_json(line) for line in self.lines]}


def plain(value: Any) -> Any:
    """Dataclasses, intervals and tuples as plain JSON values; what is not finite becomes null."""
    if isinstance(value, Interval):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(found) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [plain(found) for found in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _line_json(line: MetricLine) -> dict[str, Any]:
    told: dict[str, Any] = plain(line)
    if line.gain is not None:
        told["gain"]["verdict"] = line.gain.verdict
    return told


def headline_metric(evidence: Evidence) -> str:
    """The metric that says whether an answer passed; the reward where none does."""
    name = evidence.plan.evaluate.pass_metric
    return name if name in evidence.plan.evaluate.metrics else REWARD


def passes(evidence: Evidence, answer: Answer) -> bool:
    """Whether an answer passed: its pass metric is 1, else its reward at least 1."""
    value = answer.metric(headline_metric(evidence))
    return value is not None and value >= 1.0


def row_passes(evidence: Evidence, answers: Sequence[Answer]) -> bool:
    """A row passes when at least half of its answers do."""
    return bool(answers) and 2 * sum(passes(evidence, a) for a in answers) >= len(answers)


def count(evidence: Evidence, subjects: Subjects) -> Numbers:
    """Count everything on the headline's split."""
    headline = headline_metric(evidence)
    if subjects.split is None:
        return Numbers(None, headline)
    names = [*evidence.plan.evaluate.metrics, REWARD]
    lines = [_line(evidence, subjects, name, _measure(name)) for name in names]
    if evidence.plan.response.format is not None and not _measures_validity(evidence, subjects):
        lines.append(_line(evidence, subjects, VALID, lambda a: float(a.valid)))
    return Numbers(
        split=subjects.split,
        headline=headline,
        lines=tuple(line for line in lines if line.cells),
        flips=_flips(evidence, subjects),
        shapes=tuple(_shape(column) for column in subjects.columns),
        gain_split=_gain_split(evidence, subjects, headline),
        graders=_graders(evidence, subjects),
    )


def row_means(answers: Answers, measure: Measure) -> dict[int, float]:
    """The mean of a measure over each row's answers; rows where it always failed are left out."""
    means: dict[int, float] = {}
    for row, found in answers.items():
        values = [value for a in found if (value := measure(a)) is not None]
        if values:
            means[row] = sum(values) / len(values)
    return means


def interval(
    evidence: Evidence,
    split: str,
    means: dict[int, float],
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """The mean over rows with its interval, clustered as the plan says."""
    clusters = [evidence.cluster(split, row) for row in means]
    seed = evidence.plan.seed
    return cluster_bootstrap(list(means.values()), clusters, seed=seed, bounds=bounds)


def _measure(name: str) -> Measure:
    return lambda answer: answer.metric(name)


def _line(evidence: Evidence, subjects: Subjects, name: str, measure: Measure) -> MetricLine:
    """One metric for every column, with the paired gain of tuned over base."""
    split = str(subjects.split)
    means = {column.key: row_means(column.answers, measure) for column in subjects.columns}
    every = {
        column.key: [measure(a) for found in column.answers.values() for a in found]
        for column in subjects.columns
    }
    values = {value for found in every.values() for value in found if value is not None}
    share = name != REWARD and values <= {0.0, 1.0}
    bounds = (0.0, 1.0) if share else None
    if name == REWARD:
        bounds = evidence.plan.reward_range
    cells = tuple(
        Cell(key, interval(evidence, split, found, bounds), every[key].count(None))
        for key, found in means.items()
        if found
    )
    base, tuned = subjects.role("base"), subjects.role("tuned")
    gain = None
    if base is not None and tuned is not None:
        gain = _gain(evidence, split, means[base.key], means[tuned.key])
    return MetricLine(name, share, cells, gain)


def _measures_validity(evidence: Evidence, subjects: Subjects) -> bool:
    """Whether a metric of the spec says of every answer what `valid answers` would say."""
    answers = [a for c in subjects.columns for found in c.answers.values() for a in found]
    return any(
        name.startswith("valid") and all(a.metric(name) == float(a.valid) for a in answers)
        for name in evidence.plan.evaluate.metrics
    )


def _gain(
    evidence: Evidence, split: str, base: dict[int, float], tuned: dict[int, float]
) -> Gain | None:
    """The paired difference over the rows that both have."""
    rows = sorted(base.keys() & tuned.keys())
    if not rows:
        return None
    found = paired_difference(
        [tuned[row] for row in rows],
        [base[row] for row in rows],
        [evidence.cluster(split, row) for row in rows],
        seed=evidence.plan.seed,
    )
    moves = [tuned[row] - base[row] for row in rows]
    return Gain(
        interval=found,
        better=sum(move > 1e-9 for move in moves),
        same=sum(abs(move) <= 1e-9 for move in moves),
        worse=sum(move < -1e-9 for move in moves),
    )


def _flips(evidence: Evidence, subjects: Subjects) -> Flips:
    base, tuned = subjects.role("base"), subjects.role("tuned")
    if base is None or tuned is None:
        return Flips()
    found: dict[tuple[bool, bool], list[int]] = {}
    for row in sorted(base.answers.keys() & tuned.answers.keys()):
        before = row_passes(evidence, base.answers[row])
        after = row_passes(evidence, tuned.answers[row])
        found.setdefault((before, after), []).append(row)
    return Flips(
        to_right=tuple(found.get((False, True), ())),
        to_wrong=tuple(found.get((True, False), ())),
        still_right=tuple(found.get((True, True), ())),
        still_wrong=tuple(found.get((False, False), ())),
    )


def _shape(column: Column) -> Shape:
    """Lengths, truncation, failures and validity of a column's answers."""
    answers = [a for found in column.answers.values() for a in found]
    lengths: dict[str, list[int]] = {}
    for answer in answers:
        for key, length in list_lengths(answer.text).items():
            lengths.setdefault(key, []).append(length)
    return Shape(
        model=column.key,
        answers=len(answers),
        tokens_median=float(median(a.tokens for a in answers)),
        truncated=_mean([a.finish == "length" for a in answers]),
        failed=_mean([a.error is not None for a in answers]),
        valid=_mean([a.valid for a in answers]),
        list_lengths={key: float(median(found)) for key, found in sorted(lengths.items())},
    )


def _gain_split(evidence: Evidence, subjects: Subjects, metric: str) -> Split | None:
    """Take the gain apart: valid share × metric among valid, each change at the other's mean.

    The metric of an answer that is not valid is taken as it stands in no part: the two parts sum to
    the gain exactly where such answers earn nothing.
    """
    base, tuned = subjects.role("base"), subjects.role("tuned")
    if base is None or tuned is None or evidence.plan.response.format is None:
        return None
    (valid_0, among_0), (valid_1, among_1) = (
        _valid_and_among(column, metric) for column in (base, tuned)
    )
    return Split(
        metric=metric,
        valid_base=valid_0,
        valid_tuned=valid_1,
        among_base=among_0,
        among_tuned=among_1,
        from_form=(valid_1 - valid_0) * (among_0 + among_1) / 2,
        from_content=(among_1 - among_0) * (valid_0 + valid_1) / 2,
    )


def _valid_and_among(column: Column, metric: str) -> tuple[float, float]:
    """The share of valid answers, and the metric's mean among them."""
    answers = [a for found in column.answers.values() for a in found]
    valid = [a for a in answers if a.valid]
    among = [value for a in valid if (value := a.metric(metric)) is not None]
    return len(valid) / max(len(answers), 1), _mean(among)


def _graders(evidence: Evidence, subjects: Subjects) -> tuple[GraderLine, ...]:
    """Each grader's mean over answers, by model."""
    lines = []
    for name, settings in evidence.plan.graders.items():
        means: dict[str, float | None] = {}
        errors: dict[str, int] = {}
        for column in subjects.columns:
            scores = [a.scores.get(name, {}) for found in column.answers.values() for a in found]
            values = [float(s["value"]) for s in scores if s.get("value") is not None]
            means[column.key] = _mean(values) if values else None
            errors[column.key] = sum(bool(s.get("error")) for s in scores)
        lines.append(GraderLine(name, str(settings.get("type", "")), means, errors))
    return tuple(lines)


def _mean(values: Sequence[float]) -> float:
    return float(sum(values)) / len(values) if values else 0.0
