"""Patterns as RE2 runs them, and texts as RE2 reads them: bytes of UTF-8, counted in characters."""

from __future__ import annotations

from typing import Any

from re2 import _re2  # type: ignore[import-untyped,unused-ignore]

from rftspec.sandbox import patterns
from rftspec.sandbox.patterns import PatternError, without_surrogates

MAX_PROGRAMS = 32
"""Compiled patterns that a worker keeps; they hold nothing of the texts they were matched with."""
MAX_MEMORY = 4 << 20
"""What one compiled pattern may take, its automaton included."""

ANCHOR = _re2.RE2.Anchor
Span = tuple[int, int]


class Program:
    """One pattern as RE2 runs it, and the same without its last `$`, for full matches."""

    __slots__ = ("_pattern", "_plain", "ends_early", "engine", "groups", "index", "names")

    def __init__(self, pattern: str, flags: int) -> None:
        translated = patterns.translate(pattern, flags)
        self._pattern = pattern
        self._plain = translated.text
        self.ends_early = translated.before_newline
        # an empty group in front of an optional last newline marks where the match ends
        text = f"{translated.text}()\\n?\\z" if self.ends_early else translated.text
        self.engine = self._compiled(text)
        self.groups: int = self.engine.NumberOfCapturingGroups() - int(self.ends_early)
        self.index = {n.decode(): i for n, i in self.engine.NamedCapturingGroups()}

    def _compiled(self, text: str) -> Any:
        options = _re2.RE2.Options()
        options.log_errors = False
        options.max_mem = MAX_MEMORY
        engine = _re2.RE2(text.encode(), options)
        if not engine.ok():
            raise PatternError(engine.error().decode("utf-8", "replace"), self._pattern)
        return engine

    def whole(self) -> Any:
        """The engine for full matches."""
        return self._compiled(self._plain) if self.ends_early else self.engine


class Text:
    """A text as RE2 reads it, and its places counted in characters again."""

    __slots__ = ("_bytes", "_chars", "data", "is_ascii")

    def __init__(self, text: str) -> None:
        self.is_ascii = text.isascii()
        self.data = text.encode() if self.is_ascii else without_surrogates(text).encode()
        self._bytes = self._chars = 0

    def spans(self, found: list[Span]) -> list[Span]:
        """Spans in characters; the matches must come in the order of the text."""
        if self.is_ascii:
            return found
        start = found[0][0]
        self._chars += _re2.BytesToCharLen(self.data, self._bytes, start)
        self._bytes = start
        known = {-1: -1, start: self._chars}
        for end in sorted({place for span in found for place in span} - {-1}):
            known[end] = self._chars + _re2.BytesToCharLen(self.data, start, end)
        return [(known[a], known[b]) for a, b in found]

    def byte(self, place: int) -> int:
        """The byte that a character begins at."""
        return place if self.is_ascii else int(_re2.CharLenToBytes(self.data, 0, place))

    def after(self, byte: int) -> int:
        """The byte of the next character; beyond the end when there is none."""
        size = 1 if self.is_ascii else int(_re2.CharLenToBytes(self.data, byte, 1))
        return byte + max(size, 1)


_programs: dict[tuple[str, int], Program] = {}


def program(pattern: str, flags: int) -> Program:
    """The program of a pattern, kept from call to call. Raises PatternError."""
    key = (pattern, flags)
    found = _programs.get(key)
    if found is None:
        made = Program(pattern, flags)
        if len(_programs) >= MAX_PROGRAMS:
            _programs.pop(next(iter(_programs)))
        found = _programs[key] = made
    return found
