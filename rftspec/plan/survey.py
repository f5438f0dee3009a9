"""The rows that a plan is judged by: read once, all of them up to a bound, else evenly spaced ones.

What is kept is bounded: at most `MOST_ROWS` rows of a split, and beyond those one row of every form
that occurs, so that the types of all rows are known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftspec.data.form import form_of
from rftspec.data.rows import messages_of, scan_rows
from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.plan.model import Plan, SplitPlan

MOST_ROWS = 20_000
_NAMES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class SurveyedRow:
    """One row that was kept."""

    index: int
    """Its place in the file, from 0."""
    line: int
    """Its line in the file, from 1."""
    item: Mapping[str, Any]
    messages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One split."""

    name: str
    path: str
    total: int
    """Rows that the split has."""
    rows: tuple[SurveyedRow, ...]
    """Rows that were kept, in file order."""

    @property
    def whole(self) -> bool:
        """Every row was kept."""
        return len(self.rows) == self.total


@dataclass(frozen=True, slots=True)
class Survey:
    """All splits of a plan."""

    splits: Mapping[str, Surveyed]
    forms: tuple[Mapping[str, Any], ...]
    """Rows that together have every form that occurs: what the type of `item` follows from."""

    @property
    def train(self) -> Surveyed:
        """The training rows."""
        return self.splits["train"]


@dataclass(slots=True)
class _Wanted:
    """What one split wants of a file."""

    split: SplitPlan
    keep: frozenset[int] | None
    """Indices of rows to keep; None for all."""
    rows: list[SurveyedRow] = field(default_factory=list)


def survey(plan: Plan, most: int = MOST_ROWS) -> Survey:
    """Read the plan's data files, each once.

    Raises DiagnosticError where a file cannot be read or is not what it was when it was planned.
    """
    splits = {name: getattr(plan.data, name) for name in _NAMES}
    wanted = {name: _wanted(split, most) for name, split in splits.items() if split is not None}
    shapes: set[Any] = set()
    forms: list[Mapping[str, Any]] = []
    for path in dict.fromkeys(want.split.path for want in wanted.values()):
        here = [want for want in wanted.values() if want.split.path == path]
        _walk(plan, path, here, shapes, forms)
    found = {
        name: Surveyed(name, want.split.path, want.split.rows, tuple(want.rows))
        for name, want in wanted.items()
    }
    return Survey(found, tuple(forms))


def _wanted(split: SplitPlan, most: int) -> _Wanted:
    if split.rows <= most:
        return _Wanted(split, None if split.indices is None else frozenset(split.indices))
    places = [n * split.rows // most for n in range(most)]
    indices = split.indices
    return _Wanted(split, frozenset(places if indices is None else (indices[n] for n in places)))


def _walk(
    plan: Plan, path: str, wanted: list[_Wanted], shapes: set[Any], forms: list[Mapping[str, Any]]
) -> None:
    digest = hashlib.sha256()
    try:
        for line in scan_rows(Path(path), digest=digest):
            if line.item is None:
                raise DiagnosticError([line.error] if line.error else [])
            shape = form_of(line.item)
            if shape not in shapes:
                shapes.add(shape)
                forms.append(line.item)
            for want in wanted:
                if want.keep is None or line.index in want.keep:
                    messages = messages_of(line.item, plan.data.prompt)
                    want.rows.append(SurveyedRow(line.index, line.number, line.item, messages))
    except OSError as error:
        message = f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}"
        raise DiagnosticError([Diagnostic("E201", message)]) from error
    if digest.hexdigest() != wanted[0].split.sha256:
        hint = "put the file back, or plan anew"
        message = f"`{path}` has changed since the run was planned"
        raise DiagnosticError([Diagnostic("R407", message, hint=hint)])
