"""What a grader sees and says: Sample, Score, and the error kinds of the hosted product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

ErrorKind = Literal[
    "sample_parse_error",
    "invalid_variable_error",
    "other_error",
    "formula_parse_error",
    "python_grader_runtime_error",
    "python_grader_server_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
]
"""Why a score is missing, in the hosted product's own names (its graders/run response)."""

INFRASTRUCTURE: frozenset[ErrorKind] = frozenset(
    {"model_grader_server_error", "unresponsive_reward_error"}
)
"""A judge or an endpoint that is down: never user code, never what the model wrote."""

Item = Mapping[str, Any]
"""One row of the data: `messages` and every other field, as JSON values."""


class _Missing:
    """The one value MISSING: `sample.output_json` of a text that is not JSON."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion as graders see it (`sample` in templates, expressions and Python)."""

    output_text: str
    output_json: Any = MISSING
    """The text parsed as JSON (and valid against `response.format`'s schema), else MISSING."""
    output_tools: Sequence[Any] = ()
    finish_reason: Literal["stop", "length"] = "stop"

    def to_json(self) -> dict[str, Any]:
        """The `sample` dict that a Python grader or a template gets; MISSING becomes None."""
        output_json = None if self.output_json is MISSING else self.output_json
        message = {"role": "assistant", "content": self.output_text}
        if self.output_tools:
            message["tool_calls"] = list(self.output_tools)  # type: ignore[assignment]
        return {
            "output_text": self.output_text,
            "output_json": output_json,
            "output_tools": list(self.output_tools),
            "choices": [{"message": message, "finish_reason": self.finish_reason}],
        }


@dataclass(frozen=True, slots=True)
class Score:
    """One grader's verdict: a finite value, or an error kind and no value."""

    value: float | None
    error: ErrorKind | None = None
    detail: str | None = None
    """Why, for a person: at most 200 characters, control characters escaped."""
    seconds: float | None = field(default=None, compare=False)
    """How long this score took to make, where the grader knows; no part of the record's events."""

    def to_json(self) -> dict[str, Any]:
        """The score as it stands in the record."""
        out: dict[str, Any] = {"value": self.value}
        if self.error is not None:
            out["error"] = self.error
        if self.detail is not None:
            out["detail"] = self.detail
        return out


@dataclass(frozen=True, slots=True)
class Graded:
    """All that grading said of one sample."""

    reward: float
    """Finite; the floor of the reward's range when a grader that it uses failed."""
    error: ErrorKind | None = None
    """The kind of the failure that put the reward at its floor."""
    error_grader: str | None = None
    """The grader that failed; None when the reward's own expression did."""
    error_detail: str | None = None
    """Why, for a person, as in `Score.detail`."""
    dropped: bool = False
    """Left out of training and of means: only a judge or an endpoint that is down does this."""
    scores: Mapping[str, Score] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    """Metrics by name, a bool as 1.0 or 0.0, None where the metric failed; never in the reward."""


class Grader(Protocol):
    """What every kind of grader implements; grading never raises into the caller."""

    range: tuple[float, float]

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
        """Scores in the order of the samples; `items[i]` is the row of `samples[i]`."""
        ...

    def close(self) -> None:
        """Give back what it holds (worker processes)."""
        ...


class SampleGrader(ABC):
    """A grader that looks at one sample at a time and holds nothing."""

    __slots__ = ()

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
        """Scores in the order of the samples; `items[i]` is the row of `samples[i]`."""
        return [self._score(s, i) for s, i in zip(samples, items, strict=True)]

    def close(self) -> None:  # noqa: B027 - there is nothing to give back
        """Nothing is held."""

    @abstractmethod
    def _score(self, sample: Sample, item: Item) -> Score:
        """The score of one sample; never raises."""
