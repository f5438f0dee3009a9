"""The numbers of one evaluation: metrics and graders with intervals, pass@k, slices, failures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rftspec.record.evaluations import GREEDY, EvalHead, EvalRecord
from rftspec.record.layout import EvalLayout
from rftspec.report.evidence import Answers, Evidence, Failure, Source, read_evidence
from rftspec.report.measures import CUT_OFF, Asked, measures, said_once
from rftspec.report.numbers import REWARD, interval, passes
from rftspec.report.slices import slices
from rftspec.stats.intervals import Interval
from rftspec.stats.paired import pass_at_k

FORMAT = "rftspec.eval/1"


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of the model: its mean over rows, with its interval."""

    name: str
    kind: str
    """`metric`, `grader` or `form`."""
    share: bool
    """True when its values are 0 or 1, and its mean therefore a share of answers."""
    interval: Interval
    failed: int
    """Answers on which it failed: they are in no mean."""
    greedy: Interval | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows that have one value of a field."""

    field: str
    value: str
    rows: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Everything counted of one evaluation."""

    head: EvalHead
    state: str
    rows: int
    """Rows with at least one answer."""
    wanted: int
    """Rows of the split."""
    samples: int
    clusters: int
    lines: tuple[Line, ...] = ()
    pass_at_k: Mapping[int, Interval] = field(default_factory=dict)
    slices: tuple[Slice, ...] = ()
    failures: tuple[Failure, ...] = ()
    dropped: int = 0
    """Samples that no judge could be reached for: they are in no mean."""
    damaged: int = 0
    """Lines of the folder that could not be read."""

    @property
    def headline(self) -> str:
        """The metric that says whether an answer passed; the reward where none does."""
        name = self.head.plan.evaluate.pass_metric
        return name if name in self.head.plan.evaluate.metrics else REWARD

    def to_json(self) -> dict[str, Any]:
        """The numbers as plain JSON values."""
        subject = self.head.subject
        return {
            "format": FORMAT,
            "name": self.head.plan.name,
            "model": {"kind": subject.kind, "label": subject.label, "place": subject.place,
                      "identity": subject.identity},
            "split": self.head.split,
            "state": self.state,
            "rows": self.rows,
            "rows_wanted": self.wanted,
            "samples": self.samples,
            "clusters": self.clusters,
            "headline": self.headline,
            "measures": [_line_json(line) for line in self.lines],
            "pass_at_k": {str(k): found.to_json() for k, found in self.pass_at_k.items()},
            "slices": [
                {"field": one.field, "value": one.value, "rows": one.rows,
                 "measures": [_line_json(line) for line in one.lines]}
                for one in self.slices
            ],
            "failures": [
                {"kind": f.kind, "grader": f.grader, "count": f.count, "detail": f.detail}
                for f in self.failures
            ],
            "dropped": self.dropped,
            "damaged_lines": self.damaged,
        }  # fmt: skip


def read_evaluation(record: EvalRecord, by: Sequence[str] = ()) -> Evaluated:
    """Count an evaluation, whole or not; `by` names fields of the rows to slice by."""
    head, evidence = record.head, read_evidence(record)
    label, split = head.subject.label, head.split
    answers: Answers = evidence.answers.get(Source(label, split, 0), {})
    greedy: Answers = evidence.answers.get(Source(label + GREEDY, split, 0), {})
    counted = Evaluated(
        head=head,
        state=record.state,
        rows=len(answers),
        wanted=_wanted(record),
        samples=sum(map(len, answers.values())),
        clusters=len({evidence.cluster(split, row) for row in answers}),
        failures=tuple(evidence.failures),
        dropped=_dropped(record, evidence),
        damaged=evidence.damaged,
    )
    if not answers:
        return counted
    return replace(
        counted,
        lines=_lines(evidence, split, answers, greedy),
        pass_at_k=_pass_at_k(evidence, split, answers),
        slices=tuple(
            Slice(name, value, len(part), _lines(evidence, split, part, {}))
            for name in by
            for value, part in slices(evidence, split, answers, name)
        ),
    )


def _wanted(record: EvalRecord) -> int:
    """Rows that a whole evaluation has: as it said at its end, else those it wrote down."""
    try:
        told = json.loads(EvalLayout(record.folder).finished.read_text(encoding="utf-8"))
        return int(told["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return sum(1 for _ in record.rows(record.head.split))


def _dropped(record: EvalRecord, evidence: Evidence) -> int:
    """Samples that were dropped and not graded since."""
    graded = {
        (source.model, answer.row, answer.index)
        for source, found in evidence.answers.items()
        for answers in found.values()
        for answer in answers
    }
    dropped = {
        (str(line.get("model")), line.get("row"), line.get("index"))
        for line in record.samples()
        if line.get("dropped")
    }
    return len(dropped - graded)


def _lines(evidence: Evidence, split: str, answers: Answers, greedy: Answers) -> tuple[Line, ...]:
    """The reward, the metrics, the graders, and the form of the answers."""
    wanted = said_once(measures(evidence.plan), [answers])
    made = (_line(evidence, split, answers, greedy, asked) for asked in wanted)
    tokens = any(a.tokens for found in answers.values() for a in found)
    # outputs made elsewhere do not tell whether they were cut off
    return tuple(line for line in made if line is not None and (tokens or line.name != CUT_OFF))


def _line(
    evidence: Evidence, split: str, answers: Answers, greedy: Answers, asked: Asked
) -> Line | None:
    means = asked.means(answers)
    if not means:
        return None
    share = asked.is_share([answers])
    bounds = asked.bounds(evidence.plan, share=share)
    beside = asked.means(greedy)
    return Line(
        name=asked.name,
        kind=asked.kind,
        share=share,
        interval=interval(evidence, split, means, bounds),
        failed=sum(asked.of(a) is None for found in answers.values() for a in found),
        greedy=interval(evidence, split, beside, bounds) if beside else None,
    )


def _pass_at_k(evidence: Evidence, split: str, answers: Answers) -> dict[int, Interval]:
    """For 2, 4, 8 … and all samples: the chance that one of them passes."""
    most = max(len(found) for found in answers.values())
    counts = {row: sum(passes(evidence, a) for a in found) for row, found in answers.items()}
    wanted = sorted({*(2**n for n in range(1, most.bit_length())), most} - {1})
    shown = {}
    for k in wanted:
        means = {
            row: pass_at_k(counts[row], len(found), k)
            for row, found in answers.items()
            if len(found) >= k
        }
        if means:
            shown[k] = interval(evidence, split, means, (0.0, 1.0))
    return shown


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "kind": line.kind,
        "share": line.share,
        **line.interval.to_json(),
        "failed": line.failed,
        "greedy": None if line.greedy is None else line.greedy.to_json(),
    }
