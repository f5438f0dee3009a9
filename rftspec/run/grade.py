"""From completions to graded samples, and from graded samples to the means of a step."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rftspec.engine.types import Completion
from rftspec.graders.output import FinishReason, read_output, wants_json
from rftspec.graders.score import MISSING, Graded, Item, Sample
from rftspec.plan.model import Plan
from rftspec.record.events import JSON, Origin, sample_line
from rftspec.run.rows import Row

PARSE_ERROR = "sample_parse_error"


class Graders(Protocol):
    """What the loop needs of `graders.grading.GraderSet`."""

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Graded]:
        """Everything that grading says of each sample, in order."""
        ...

    def close(self) -> None:
        """Give back what the graders hold."""
        ...


class Ballots(Protocol):
    """Evaluates a vote's expression on a sample."""

    def __call__(self, expression: str, sample: Sample, item: Item) -> str | None:
        """The value as canonical text; None when it is missing or fails."""
        ...


@dataclass(frozen=True, slots=True)
class GradedSample:
    """One completion of one row with its grading."""

    row: Row
    index: int
    sample: Sample
    tokens: int
    graded: Graded
    parse_error: bool

    def line(self, origin: Origin, group: int | None = None) -> JSON:
        """The sample as it stands in the record."""
        return sample_line(
            origin,
            row=self.row.index,
            index=self.index,
            sample=self.sample,
            tokens=self.tokens,
            graded=self.graded,
            parse_error=self.parse_error,
            group=group,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One output for one row, wherever it comes from."""

    row: Row
    index: int
    text: str
    finish_reason: FinishReason = "stop"
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Grading:
    """Reads and grades batches of answers, in the form that the spec's response asks for."""

    graders: Graders
    response_format: Mapping[str, Any] | None
    ballots: Ballots | None = None

    def completions(
        self, rows: Sequence[Row], groups: Sequence[Sequence[Completion]]
    ) -> list[GradedSample]:
        """Grade the completions of each row; flat, row by row."""
        return self.answers(
            [
                Answer(row, index, done.text, done.finish_reason, len(done.tokens))
                for row, group in zip(rows, groups, strict=True)
                for index, done in enumerate(group)
            ]
        )

    def answers(self, answers: Sequence[Answer]) -> list[GradedSample]:
        """Grade answers, in order."""
        if not answers:
            return []
        samples = [self._sample(a.text, a.finish_reason) for a in answers]
        graded = self.graders.grade(samples, [a.row.item for a in answers])
        wanted = wants_json(self.response_format)
        return [
            GradedSample(a.row, a.index, s, a.tokens, g, wanted and s.output_json is MISSING)
            for a, s, g in zip(answers, samples, graded, strict=True)
        ]

    def ballot(
        self, expression: str, text: str, finish_reason: FinishReason, row: Row
    ) -> str | None:
        """What an answer votes for, as text; None when it cannot be read."""
        if self.ballots is None:
            return None
        return self.ballots(expression, self._sample(text, finish_reason), row.item)

    def _sample(self, text: str, finish_reason: FinishReason) -> Sample:
        return read_output(text, self.response_format, finish_reason=finish_reason)


def step_metrics(samples: Sequence[GradedSample], plan: Plan) -> dict[str, float]:
    """The declared metrics of a step's rollouts; a mean over nothing is left out."""
    means = _means(samples)
    found = {"train_reward_mean": means["reward"], **_group_metrics(samples, plan)}
    for name, value in means.items():
        if name.startswith("graders/"):
            found[f"{name}/train_reward_mean"] = value
        elif name.startswith("metrics/"):
            found[f"{name}/train_mean"] = value
    lengths = [s.tokens for s in samples]
    found["completion_tokens_mean"] = float(np.mean(lengths))
    found["completion_tokens_p95"] = float(np.percentile(lengths, 95))
    found["truncated_share"] = _share(s.sample.finish_reason == "length" for s in samples)
    found["train_error_share"] = error_share(samples)
    for kind, count in error_counts(samples).items():
        found[f"train_{kind}_count"] = float(count)
        found[f"train_{kind}_mean"] = count / len(samples)
    return {name: value for name, value in found.items() if value is not None}


def evaluation_metrics(samples: Sequence[GradedSample]) -> dict[str, float | None]:
    """The means of an evaluation, as they stand in its event."""
    found: dict[str, float | None] = {}
    for name, value in _means(samples).items():
        found[name.removeprefix("metrics/")] = value
    if any(s.tokens for s in samples):  # outputs made elsewhere have no tokens
        found["completion_tokens_mean"] = float(np.mean([s.tokens for s in samples]))
        found["truncated_share"] = _share(s.sample.finish_reason == "length" for s in samples)
    found["error_share"] = error_share(samples)
    for kind, count in error_counts(samples).items():
        found[f"{kind}_count"] = float(count)
    return found


def error_share(samples: Sequence[GradedSample]) -> float:
    """Share of samples whose reward is the floor because a grader failed."""
    return _share(s.graded.error is not None for s in samples) if samples else 0.0


def error_counts(samples: Sequence[GradedSample]) -> Counter[str]:
    """How many samples had each kind of failure, in a grader, the reward or the format."""
    counts: Counter[str] = Counter()
    for sample in samples:
        kinds = {s.error for s in sample.graded.scores.values() if s.error is not None}
        if sample.graded.error is not None:
            kinds.add(sample.graded.error)
        counts.update(kinds)
        if sample.parse_error and PARSE_ERROR not in kinds:
            counts[PARSE_ERROR] += 1
    return Counter(dict(sorted(counts.items())))


def _means(samples: Sequence[GradedSample]) -> dict[str, float | None]:
    """Reward, grader scores and metrics: the mean of each over the samples that have it."""
    columns: dict[str, list[float]] = {"reward": []}
    for sample in samples:
        graded = sample.graded
        columns["reward"].append(graded.reward)
        for name, score in graded.scores.items():
            _put(columns, f"graders/{name}", score.value)
        for name, value in graded.metrics.items():
            _put(columns, f"metrics/{name}", value)
    return {name: math.fsum(v) / len(v) if v else None for name, v in columns.items()}


def _put(columns: dict[str, list[float]], name: str, value: float | None) -> None:
    column = columns.setdefault(name, [])
    if value is not None:
        column.append(float(value))


def _group_metrics(samples: Sequence[GradedSample], plan: Plan) -> dict[str, float]:
    """Spread inside groups, and the shares of groups that teach nothing."""
    size = plan.train.samples_per_prompt
    rewards = np.array([s.graded.reward for s in samples]).reshape(-1, size)
    low, high = plan.reward_range
    flat = rewards.max(axis=1) - rewards.min(axis=1) < 1e-9
    return {
        "train_reward_std": float(rewards.std(axis=1).mean()),
        "groups_no_signal_share": float(flat.mean()),
        "groups_all_right_share": float((flat & (rewards[:, 0] >= high - 1e-9)).mean()),
        "groups_all_wrong_share": float((flat & (rewards[:, 0] <= low + 1e-9)).mean()),
    }


def _share(flags: Iterable[bool]) -> float:
    found = [bool(flag) for flag in flags]
    return sum(found) / len(found)
