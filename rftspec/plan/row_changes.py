"""How many rows of a split are new and how many are gone: as sets of rows, whatever their order."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rftspec.data.rows import file_hash, read_rows
from rftspec.diagnostics import DiagnosticError
from rftspec.plan.model import SplitPlan

MOST_ROWS = 500_000
"""Of one split: beyond that, comparing would keep a person waiting."""
Rows = Iterable[Mapping[str, Any]]


def row_changes(
    old: SplitPlan, new: SplitPlan, recorded: Rows | None = None
) -> tuple[int, int] | None:
    """Rows that only the new split has, and rows that only the old one had.

    The old rows are read from their file where that is still the same, else taken from `recorded`
    where that has them all; None where neither is to be had.
    """
    if max(old.rows, new.rows) > MOST_ROWS:
        return None
    before = _rows_of(old)
    if before is None and recorded is not None:
        before = Counter(_mark(row) for row in recorded)
        before = before if before.total() == old.rows else None
    after = _rows_of(new)
    if before is None or after is None:
        return None
    return (after - before).total(), (before - after).total()


def _rows_of(split: SplitPlan) -> Counter[bytes] | None:
    """The rows of a split's file; None where it is not the file that was planned with."""
    path = Path(split.path)
    try:
        if file_hash(path) != split.sha256:
            return None
        indices = None if split.indices is None else frozenset(split.indices)
        return Counter(_mark(row) for _, row in read_rows(path, indices))
    except (OSError, DiagnosticError):
        return None


def _mark(row: Mapping[str, Any]) -> bytes:
    text = json.dumps(row, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
