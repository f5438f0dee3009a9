"""Who is compared, on which rows: the columns of the report and the split of its headline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rftspec.report.evidence import Answers, Evidence, Source

Role = Literal["base", "tuned", "reference"]
SPLITS = ("test", "validation", "train")
"""In the order of how much a gain on them says."""
BASE = "base"
TUNED = "tuned"
_STEP = re.compile(r"step-(\d+)")


@dataclass(frozen=True, slots=True)
class Column:
    """One model of the comparison."""

    key: str
    """Its name in the record."""
    label: str
    role: Role
    source: Source
    note: str
    answers: Answers

    @property
    def samples_per_row(self) -> int:
        """The most answers that any row has."""
        return max((len(found) for found in self.answers.values()), default=0)


@dataclass(frozen=True, slots=True)
class Subjects:
    """The models compared on the headline's split."""

    split: str | None
    """The split that the headline is measured on; None where nothing was evaluated."""
    columns: tuple[Column, ...]
    final: bool
    """True when the tuned column is the model that the run ended with."""

    def role(self, role: Role) -> Column | None:
        """The first column of a role."""
        return next((column for column in self.columns if column.role == role), None)


def choose_subjects(evidence: Evidence) -> Subjects:
    """The headline's split and its models: the first that has base and tuned, else anything."""
    for split in SPLITS:
        columns = split_columns(evidence, split)
        if {BASE, TUNED} <= {column.role for column in columns}:
            final = any(column.key == TUNED for column in columns)
            return Subjects(split, columns, final)
    for split in SPLITS:
        columns = split_columns(evidence, split)
        if columns:
            return Subjects(split, columns, final=False)
    return Subjects(None, (), final=False)


def split_columns(evidence: Evidence, split: str) -> tuple[Column, ...]:
    """The columns of one split: base, tuned, then the references in the spec's order."""
    sources = [source for source in evidence.answers if source.split == split]
    chosen: list[tuple[Source, Role]] = []
    base = [source for source in sources if source.model == BASE]
    if base:
        chosen.append((max(base, key=lambda s: _size(evidence, s)), "base"))
    tuned = _tuned_source(evidence, sources)
    if tuned is not None:
        chosen.append((tuned, "tuned"))
    references = {reference.name: reference for reference in evidence.plan.evaluate.references}
    chosen += [(s, "reference") for name in references for s in sources if s.model == name]
    return tuple(
        Column(
            key=source.model,
            label=_label(evidence, source, role),
            role=role,
            source=source,
            note=(references[source.model].note or "") if source.model in references else "",
            answers=evidence.answers[source],
        )
        for source, role in chosen
    )


def curve_sources(evidence: Evidence, split: str) -> list[Source]:
    """The base and every checkpoint evaluated on a split, one source a step, in order of steps."""
    by_step: dict[int, Source] = {}
    for source in evidence.answers:
        if source.split != split or not _of_the_run(source):
            continue
        known = by_step.get(source.step)
        if known is None or _size(evidence, source) > _size(evidence, known):
            by_step[source.step] = source
    return [by_step[step] for step in sorted(by_step)]


def best_step(evidence: Evidence) -> int | None:
    """The step of the best checkpoint, as the run chose it."""
    step = (evidence.best or {}).get("step")
    return step if isinstance(step, int) else None


def _tuned_source(evidence: Evidence, sources: list[Source]) -> Source | None:
    """The final tuned model; before the end, the best checkpoint so far, else the last one."""
    final = [source for source in sources if source.model == TUNED]
    if final:
        best = [source for source in final if source.step == best_step(evidence)]
        return max(best or final, key=lambda s: (s.step, _size(evidence, s)))
    steps = [source for source in sources if _STEP.fullmatch(source.model)]
    best = [source for source in steps if source.step == best_step(evidence)]
    return max(best or steps, key=lambda s: s.step, default=None)


def _of_the_run(source: Source) -> bool:
    return source.model in (BASE, TUNED) or bool(_STEP.fullmatch(source.model))


def _size(evidence: Evidence, source: Source) -> int:
    return sum(len(found) for found in evidence.answers[source].values())


def _label(evidence: Evidence, source: Source, role: Role) -> str:
    if role != "tuned":
        return source.model
    final = source.model == TUNED or evidence.finished is not None
    return f"tuned (step {source.step})" if final else f"step {source.step} (not final)"
