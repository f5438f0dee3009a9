"""From completions to graded samples: graded while others are still being sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rftspec.engine.types import Completion
from rftspec.graders.output import FinishReason, read_output, wants_json
from rftspec.graders.score import MISSING, Graded, Item, Sample
from rftspec.record.events import JSON, Origin, sample_line
from rftspec.run.rows import Row


class Awaited(Protocol):
    """A batch that is being graded."""

    def result(self) -> list[Graded]:
        """Wait; everything that grading says of each sample, in order."""
        ...


class Graders(Protocol):
    """What the loop needs of `graders.grading.GraderSet`."""

    def submit(self, samples: Sequence[Sample], items: Sequence[Item]) -> Awaited:
        """Begin to grade a batch; returns at once."""
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
class Begun:
    """Answers whose grading has begun."""

    answers: Sequence[Answer]
    samples: Sequence[Sample]
    awaited: Awaited | None
    """None where there is no answer."""
    wants_json: bool

    def result(self) -> list[GradedSample]:
        """Wait; the graded samples in the order of the answers."""
        graded = [] if self.awaited is None else self.awaited.result()
        return [
            GradedSample(
                a.row, a.index, s, a.tokens, g, self.wants_json and s.output_json is MISSING
            )
            for a, s, g in zip(self.answers, self.samples, graded, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class GradingStream:
    """Grading that goes on while the model samples; results come in the order of the rows."""

    grading: Grading
    rows: Sequence[Row]
    _begun: dict[int, Begun] = field(default_factory=dict)

    def put(self, place: int, group: Sequence[Completion]) -> None:
        """Begin to grade all completions of the row at `place`."""
        row = self.rows[place]
        self._begun[place] = self.grading.begin(
            [
                Answer(row, index, done.text, done.finish_reason, len(done.tokens))
                for index, done in enumerate(group)
            ]
        )

    def result(self, groups: Sequence[Sequence[Completion]]) -> list[GradedSample]:
        """Wait for all, flat, row by row; what was not `put` is graded now."""
        for place, group in enumerate(groups):
            if place not in self._begun:
                self.put(place, group)
        return [s for place in range(len(groups)) for s in self._begun[place].result()]


@dataclass(frozen=True, slots=True)
class Grading:
    """Reads and grades batches of answers, in the form that the spec's response asks for."""

    graders: Graders
    response_format: Mapping[str, Any] | None
    ballots: Ballots | None = None

    def stream(self, rows: Sequence[Row]) -> GradingStream:
        """Grades the completions of these rows, each row's as soon as they are there."""
        return GradingStream(self, rows)

    def answers(self, answers: Sequence[Answer]) -> list[GradedSample]:
        """Grade answers, in order."""
        return self.begin(answers).result()

    def begin(self, answers: Sequence[Answer]) -> Begun:
        """Read answers and begin to grade them."""
        samples = [self._sample(a.text, a.finish_reason) for a in answers]
        awaited = self.graders.submit(samples, [a.row.item for a in answers]) if answers else None
        return Begun(answers, samples, awaited, wants_json(self.response_format))

    def ballot(
        self, expression: str, text: str, finish_reason: FinishReason, row: Row
    ) -> str | None:
        """What an answer votes for, as text; None when it cannot be read."""
        if self.ballots is None:
            return None
        return self.ballots(expression, self._sample(text, finish_reason), row.item)

    def _sample(self, text: str, finish_reason: FinishReason) -> Sample:
        return read_output(text, self.response_format, finish_reason=finish_reason)
