"""Laying out text: pieces with places where a line may end, put on as few lines as they need.

The way of Wadler's "A prettier printer": a group stands on one line where it fits, else all of its
own places become line ends. A comment ends its line, whatever comes after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class Word:
    """A text without line ends, with the comments that belong to it."""

    text: str
    before: list[str] = field(default_factory=list)
    """Comments on lines of their own, above the word."""
    after: str | None = None
    """The comment behind the word, which ends its line."""


@dataclass(frozen=True, slots=True)
class Break:
    """A line end, or `flat` where its group stands on one line; a `hard` one is always an end."""

    flat: str
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Indent:
    """Pieces whose lines begin two blanks further in."""

    parts: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Group:
    """Pieces that stand on one line if they fit."""

    parts: Sequence[Piece]


Piece = Word | Break | Indent | Group
LINE, SOFT, HARD = Break(" "), Break(""), Break(" ", hard=True)
_STEP = 2
_Mode = Literal["flat", "broken"]
_Entry = tuple[int, _Mode, Piece]


def lay_out(parts: Sequence[Piece], width: int) -> str:
    """The text of the pieces, in lines of at most `width` characters where that can be done."""
    paper = _Paper()
    stack: list[_Entry] = [(0, "broken", part) for part in reversed(parts)]
    while stack:
        indent, mode, piece = stack.pop()
        if isinstance(piece, Word):
            paper.word(piece, indent)
        elif isinstance(piece, Break):
            if mode == "flat":
                paper.put(piece.flat)
            else:
                paper.end_line(indent)
        elif isinstance(piece, Indent):
            stack.extend((indent + _STEP, mode, part) for part in reversed(piece.parts))
        else:
            flat: list[_Entry] = [(indent, "flat", part) for part in reversed(piece.parts)]
            fits = mode == "flat" or _fits(flat, stack, width - paper.column())
            inner: _Mode = "flat" if fits else "broken"
            stack.extend((indent, inner, part) for part in reversed(piece.parts))
    return paper.text()


def _fits(entries: list[_Entry], rest: Sequence[_Entry], room: int) -> bool:
    """True when the entries, and what follows on their line, need no more than `room`."""
    stack, after = list(entries), len(rest)
    own = first = True
    while room >= 0:
        if not stack:
            own = False
            if not after:
                return True
            after -= 1
            stack.append(rest[after])
        indent, mode, piece = stack.pop()
        if isinstance(piece, Word):
            room -= len(piece.text)
            if piece.after and not (own and stack):
                return room >= 0  # the comment ends the line, and nothing else has to stand on it
            if own and (piece.after or (piece.before and not first)):
                return False
            first = False
        elif isinstance(piece, Break):
            if own and piece.hard:
                return False
            if not own and mode == "broken":
                return True
            room -= len(piece.flat)
        else:
            # what follows is taken at its shortest: a group behind may still break
            stack.extend((indent, mode, part) for part in reversed(piece.parts))
    return False


class _Paper:
    """The lines written so far."""

    def __init__(self) -> None:
        self._lines: list[str] = [""]
        self._closed = False
        """A comment stands at the end of the line."""

    def column(self) -> int:
        """How many characters the line has."""
        return len(self._lines[-1])

    def put(self, text: str) -> None:
        """Write on, on the same line."""
        if not self._closed:
            self._lines[-1] += text

    def end_line(self, indent: int) -> None:
        """Begin a new line."""
        self._closed = False
        self._lines.append(" " * indent)

    def word(self, word: Word, indent: int) -> None:
        """Write a word with its comments."""
        for comment in word.before:
            if self._closed or self._lines[-1].strip():
                self.end_line(indent)
            self._lines[-1] += comment
            self._closed = True
        if self._closed:
            self.end_line(indent)
        self._lines[-1] += word.text
        if word.after is not None:
            self._lines[-1] += ("  " if word.text else "") + word.after
            self._closed = True

    def text(self) -> str:
        """All lines, without blanks at their ends."""
        return "\n".join(line.rstrip() for line in self._lines).strip("\n")
