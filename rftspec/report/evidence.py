"""What a record says, gathered once: answers by model, split and step, rows, steps, warnings.

Everything that the report shows is read here. A record may be unfinished or damaged, so nothing is
taken for granted: a field that is absent or of a wrong type is left out.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rftspec.plan.model import Plan
from rftspec.record.folder import Record

Item = Mapping[str, Any]
PARSE_ERROR = "sample_parse_error"


class Source(NamedTuple):
    """Where answers come from: a model, on a split, at a step of the run."""

    model: str
    split: str
    step: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One completion with all that grading said of it."""

    row: int
    index: int
    text: str
    finish: str
    tokens: int
    reward: float
    error: Mapping[str, Any] | None
    scores: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, float | None]
    valid: bool
    """Whether it has the form that `response.format` asks for; true where none is asked for."""

    def metric(self, name: str) -> float | None:
        """The value of a metric of the spec, or of `reward`; None where it failed."""
        return self.reward if name == "reward" else self.metrics.get(name)


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of failure with its count and the first answer that had it."""

    kind: str
    grader: str
    model: str
    split: str
    count: int
    detail: str
    text: str


Answers = Mapping[int, Sequence[Answer]]
"""Answers by row, in the order of their index."""


@dataclass(slots=True)
class Evidence:
    """A record, read."""

    plan: Plan
    folder_name: str
    answers: dict[Source, dict[int, list[Answer]]] = field(default_factory=dict)
    rows: dict[str, dict[int, Item]] = field(default_factory=dict)
    ids: dict[str, dict[int, str]] = field(default_factory=dict)
    steps: dict[int, dict[str, float]] = field(default_factory=dict)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    started: dict[str, Any] = field(default_factory=dict)
    finished: dict[str, Any] | None = None
    best: dict[str, Any] | None = None
    timings: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    rollouts: int = 0
    damaged: int = 0

    @property
    def gates(self) -> list[dict[str, Any]]:
        """The `require:` gates and what they came to; empty before the run's end."""
        found = (self.finished or {}).get("gates")
        names = {"expression", "passed", "detail"}
        listed = found if isinstance(found, list) else []
        return [gate for gate in listed if isinstance(gate, dict) and names <= gate.keys()]

    def item(self, split: str, row: int) -> Item:
        """The row's fields; empty where the record lost them."""
        return self.rows.get(split, {}).get(row, {})

    def row_id(self, split: str, row: int) -> str:
        """The row's own id, else its number."""
        return self.ids.get(split, {}).get(row) or f"{split} {row}"

    def cluster(self, split: str, row: int) -> str:
        """What the row's intervals cluster by: its first `disjoint` field, else the row itself."""
        if not self.plan.data.disjoint:
            return f"row {row}"
        value: Any = self.item(split, row)
        for name in self.plan.data.disjoint[0].removeprefix("item.").split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return f"row {row}" if value is None else str(value)


def read_evidence(record: Record) -> Evidence:
    """Read all of a record that a report needs; the record counts its damaged lines itself."""
    evidence = Evidence(plan=record.plan, folder_name=_folder_name(record.folder))
    for event in record.events():
        _take_event(evidence, event)
    for line in record.rows():
        _take_row(evidence, line)
    _take_samples(evidence, record.samples())
    evidence.timings = [dict(line) for line in record.timings()]
    evidence.damaged += record.damaged
    return evidence


def _folder_name(folder: Path) -> str:
    """The run folder as a person would name it: below `runs/` where it is there."""
    found = folder.resolve()
    return f"runs/{found.name}" if found.parent.name == "runs" else found.name


def _take_event(evidence: Evidence, event: Mapping[str, Any]) -> None:
    """File one event under what it tells."""
    kind = event.get("event")
    if kind == "step":
        metrics = event.get("metrics")
        found = metrics if isinstance(metrics, Mapping) else {}
        numbers = {str(k): float(v) for k, v in found.items() if is_number(v)}
        evidence.steps[_int(event.get("step"))] = numbers
    elif kind == "run_started":
        evidence.started = dict(event)
    elif kind == "finished":
        evidence.finished = dict(event)
    elif kind == "best":
        evidence.best = dict(event)
    elif kind in _LISTS:
        getattr(evidence, _LISTS[kind]).append(dict(event))


_LISTS = {"evaluation": "evaluations", "checkpoint": "checkpoints", "warning": "warnings"}


def _take_row(evidence: Evidence, line: Mapping[str, Any]) -> None:
    split, row, item = line.get("split"), line.get("row"), line.get("item")
    if not isinstance(split, str) or not isinstance(row, int) or not isinstance(item, Mapping):
        evidence.damaged += 1
        return
    evidence.rows.setdefault(split, {})[row] = {"messages": line.get("messages"), **item}
    if line.get("id") is not None:
        evidence.ids.setdefault(split, {})[row] = str(line["id"])


def _take_samples(evidence: Evidence, lines: Iterable[Mapping[str, Any]]) -> None:
    """Keep evaluation answers whole and rollouts as counts; a later line replaces its twin."""
    found: dict[Source, dict[tuple[int, int], Answer]] = defaultdict(dict)
    counts: Counter[tuple[str, str, str, str]] = Counter()
    firsts: dict[tuple[str, str, str, str], tuple[str, str]] = {}
    for line in lines:
        answer = read_answer(line)
        if answer is None:
            evidence.damaged += 1
            continue
        source = Source(str(line.get("model")), str(line.get("split")), _int(line.get("step")))
        for grader, error, detail in failures_of(answer):
            key = (error, grader, source.model, source.split)
            counts[key] += 1
            firsts.setdefault(key, (detail, answer.text))
        if line.get("kind") == "rollout":
            evidence.rollouts += 1
        elif line.get("dropped") is not True:  # one that no judge could be reached for says nothing
            found[source][answer.row, answer.index] = answer
    for source, answers in found.items():
        by_row: dict[int, list[Answer]] = defaultdict(list)
        for (row, _index), answer in sorted(answers.items()):
            by_row[row].append(answer)
        evidence.answers[source] = dict(by_row)
    evidence.failures = [
        Failure(*key, count=count, detail=firsts[key][0], text=firsts[key][1])
        for key, count in counts.most_common()
    ]


def failures_of(answer: Answer) -> list[tuple[str, str, str]]:
    """The answer's failures as (grader, kind, detail): each grader's, else the reward's own."""
    found = [
        (name, str(score["error"]), str(score.get("detail") or ""))
        for name, score in answer.scores.items()
        if score.get("error")
    ]
    if not found and answer.error:
        error = answer.error
        found = [(str(error.get("grader") or "reward"), str(error.get("kind")), _detail(error))]
    if not answer.valid and PARSE_ERROR not in {kind for _, kind, _ in found}:
        found.append(("response.format", PARSE_ERROR, "not the JSON that was asked for"))
    return found


def _detail(error: Mapping[str, Any]) -> str:
    return str(error.get("detail") or "")


def read_answer(line: Mapping[str, Any]) -> Answer | None:
    """A sample line as an Answer; None where it lacks a row, a text or a reward."""
    row, text, reward = line.get("row"), line.get("output_text"), line.get("reward")
    if not isinstance(row, int) or not isinstance(text, str) or not is_number(reward):
        return None
    error, scores, metrics = line.get("error"), line.get("scores"), line.get("metrics")
    if isinstance(error, str):
        error = {"kind": error}
    return Answer(
        row=row,
        index=_int(line.get("index")),
        text=text,
        finish=str(line.get("finish_reason") or "stop"),
        tokens=_int(line.get("completion_tokens")),
        reward=float(reward),  # type: ignore[arg-type]
        error=error if isinstance(error, Mapping) else None,
        scores=_mappings(scores),
        metrics=_metrics(metrics),
        valid=line.get("parse_error") is not True,
    )


def _mappings(value: object) -> dict[str, Mapping[str, Any]]:
    found = value if isinstance(value, Mapping) else {}
    return {str(k): v for k, v in found.items() if isinstance(v, Mapping)}


def _metrics(value: object) -> dict[str, float | None]:
    found = value if isinstance(value, Mapping) else {}
    return {str(k): float(v) if is_number(v) else None for k, v in found.items()}


def is_number(value: object) -> bool:
    """True for a finite int, float or bool."""
    return isinstance(value, int | float) and math.isfinite(value)


def _int(value: object) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0
