"""One row of a data file, or what is wrong with it; what every reader of a format gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Diagnostic

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Of one row as text; a longer one is a mistake, and reading it would fill the memory."""
MAX_DEPTH = 64


class RowError(ValueError):
    """A line that is no row: `code`, a sentence, the column if known, and a hint."""

    def __init__(self, code: str, message: str, column: int = 1, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.column = column
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its index among the rows, its line number, and its values or error."""

    index: int
    number: int
    """The line that the row begins on, from 1; its place in JSON arrays, Parquet and hub data."""
    item: dict[str, Any] | None
    error: Diagnostic | None = None


Found = tuple[int, dict[str, Any] | RowError, bytes]
"""What a reader gives for a row: its line, its values or what is wrong, its text if it has one."""
Reader = Iterator[Found]
