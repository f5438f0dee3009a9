"""Where an expression's text stands in a file, so that carets point into the user's own lines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from rftspec.diagnostics import Span


class Origin(Protocol):
    """Maps offsets of an expression's text to places in the file that it was written in."""

    def locate(self, start: int, end: int) -> Span:
        """The span of `text[start:end]`; both offsets lie in 0..len(text), start <= end."""
        ...

    def snippet(self, line: int) -> str | None:
        """The file's line of that number (from 1) without its newline, None where unknown."""
        ...


class TextOrigin:
    """The origin of a text that is a file of its own, or stands in none (`<expression>`)."""

    def __init__(self, text: str, file: str = "<expression>") -> None:
        self._file = file
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)][:-1]

    def locate(self, start: int, end: int) -> Span:
        """The span of `text[start:end]`, counted in lines of the text itself."""
        line, column = self._place(start)
        end_line, end_column = self._place(end)
        return Span(self._file, line, column, end_line, end_column)

    def snippet(self, line: int) -> str | None:
        """The text's line of that number."""
        return self._lines[line - 1] if 0 < line <= len(self._lines) else None

    def _place(self, offset: int) -> tuple[int, int]:
        row = bisect_right(self._starts, offset) - 1
        return row + 1, offset - self._starts[row] + 1


class PlacedOrigin:
    """The origin of a text inside a file, by the place of each of its characters.

    `places[i]` is the (line, column) of `text[i]` in the file, both from 1; one more entry may
    tell the place after the last character. This serves every kind of YAML scalar: plain ones,
    quoted ones with escapes, and blocks with their indentation taken off.
    """

    def __init__(self, file: str, lines: Sequence[str], places: Sequence[tuple[int, int]]) -> None:
        self._file = file
        self._lines = lines
        self._places = places

    def locate(self, start: int, end: int) -> Span:
        """The span of `text[start:end]` in the file; an end stays on its last character's line."""
        line, column = self._place(start)
        end_line, end_column = line, column
        if end > start:
            last_line, last_column = self._place(end - 1)
            end_line, end_column = last_line, last_column + 1
        return Span(self._file, line, column, end_line, end_column)

    def snippet(self, line: int) -> str | None:
        """The file's line of that number."""
        return self._lines[line - 1] if 0 < line <= len(self._lines) else None

    def _place(self, offset: int) -> tuple[int, int]:
        if offset < len(self._places):
            return self._places[offset]
        if not self._places:
            return 1, 1
        line, column = self._places[-1]
        return line, column + offset - len(self._places) + 1
