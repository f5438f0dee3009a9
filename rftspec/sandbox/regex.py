"""The facade of `re`: Python's interface to patterns that run on RE2, in linear time.

Only these classes are seen by scripts, never those of `re2`; the matching itself is in `programs`.
"""

from __future__ import annotations

import re as _python
from collections.abc import Callable, Iterator
from typing import Any

from rftspec.sandbox import limits, patterns
from rftspec.sandbox.patterns import PatternError
from rftspec.sandbox.programs import ANCHOR, Span, Text, program
from rftspec.sandbox.replacement import Groups, parse_replacement

_FLAGS = (
    patterns.IGNORECASE | patterns.MULTILINE | patterns.DOTALL | patterns.VERBOSE | patterns.ASCII
)


class Match:
    """What matched, as Python's `re.Match`."""

    __slots__ = ("_names", "_spans", "endpos", "pos", "re", "string")

    def __init__(
        self, pattern: Pattern, string: str, within: Span, spans: list[Span], names: dict[str, int]
    ) -> None:
        self.re = pattern
        self.string = string
        self.pos, self.endpos = within
        self._spans = spans
        self._names = names

    def __getitem__(self, group: Any) -> Any:
        start, end = self._span(group)
        return None if start < 0 else self.string[start:end]

    def __repr__(self) -> str:
        return f"<re.Match object; span={self._spans[0]}, match={self[0][:50]!r}>"

    def _span(self, group: Any) -> Span:
        index = self._names.get(group, -1) if type(group) is str else group
        if type(index) not in (int, bool) or not 0 <= index < len(self._spans):
            raise IndexError("no such group")
        return self._spans[index]

    def group(self, *groups: Any) -> Any:
        """The text of one group, or a tuple of several."""
        if len(groups) <= 1:
            return self[groups[0] if groups else 0]
        return tuple(self[group] for group in groups)

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        """The texts of all groups."""
        found = (self[group] for group in range(1, len(self._spans)))
        return tuple(default if text is None else text for text in found)

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        """The texts of the named groups."""
        found = {name: self[group] for name, group in self._names.items()}
        return {name: default if text is None else text for name, text in found.items()}

    def start(self, group: Any = 0) -> int:
        """Where a group begins, -1 when it took no part."""
        return self._span(group)[0]

    def end(self, group: Any = 0) -> int:
        """Where a group ends."""
        return self._span(group)[1]

    def span(self, group: Any = 0) -> Span:
        """Where a group begins and ends."""
        return self._span(group)

    def expand(self, template: str) -> str:
        """The template of `sub`, filled from this match."""
        return _filled(parse_replacement(template, self.re._groups()), self)

    @property
    def lastindex(self) -> int | None:
        """The group that closed last, None when none took part."""
        ends = [(end, -index) for index, (_, end) in enumerate(self._spans[1:], 1) if end >= 0]
        return -max(ends)[1] if ends else None

    @property
    def lastgroup(self) -> str | None:
        """The name of `lastindex`."""
        last = self.lastindex
        return next((name for name, index in self._names.items() if index == last), None)


class Pattern:
    """A compiled pattern, as Python's `re.Pattern`."""

    __slots__ = ("_program", "flags", "pattern")

    def __init__(self, pattern: str, flags: int) -> None:
        if type(pattern) is not str:
            raise TypeError(f"a pattern is text, not {type(pattern).__name__}")
        if type(flags) is not int or flags & ~_FLAGS:
            raise ValueError("the flags offered are I, M, S, X and A")
        self.pattern = pattern
        self.flags = flags
        self._program = program(pattern, flags)

    def __eq__(self, other: object) -> bool:
        return type(other) is Pattern and (self.pattern, self.flags) == (
            other.pattern,
            other.flags,
        )

    def __hash__(self) -> int:
        return hash((self.pattern, self.flags))

    def __repr__(self) -> str:
        return f"re.compile({self.pattern[:200]!r})"

    @property
    def groups(self) -> int:
        """How many groups it captures."""
        return self._program.groups

    @property
    def groupindex(self) -> dict[str, int]:
        """The numbers of the named groups."""
        return dict(self._program.index)

    def search(self, string: str, pos: int = 0, endpos: int | None = None) -> Match | None:
        """The first match anywhere."""
        return next(self._matches(ANCHOR.UNANCHORED, string, pos, endpos), None)

    def match(self, string: str, pos: int = 0, endpos: int | None = None) -> Match | None:
        """The match at the start."""
        return next(self._matches(ANCHOR.ANCHOR_START, string, pos, endpos), None)

    def fullmatch(self, string: str, pos: int = 0, endpos: int | None = None) -> Match | None:
        """The match of the whole string."""
        return next(self._matches(ANCHOR.ANCHOR_BOTH, string, pos, endpos), None)

    def finditer(self, string: str, pos: int = 0, endpos: int | None = None) -> Iterator[Match]:
        """Every match, from left to right."""
        return iter(self._all(string, pos, endpos))

    def findall(self, string: str, pos: int = 0, endpos: int | None = None) -> list[Any]:
        """Every match's text, or its groups."""
        groups = self._program.groups
        if groups == 0:
            return [found[0] for found in self._all(string, pos, endpos)]
        if groups == 1:
            return [found[1] or "" for found in self._all(string, pos, endpos)]
        return [found.groups("") for found in self._all(string, pos, endpos)]

    def split(self, string: str, maxsplit: int = 0) -> list[Any]:
        """The text between the matches, and their groups."""
        out: list[Any] = []
        end = 0
        for found in self._some(string, maxsplit):
            out.append(string[end : found.start()])
            out.extend(found.groups())
            end = found.end()
        return [*out, string[end:]]

    def sub(self, repl: str | Callable[[Match], str], string: str, count: int = 0) -> str:
        """The text with every match replaced."""
        return self.subn(repl, string, count)[0]

    def subn(
        self, repl: str | Callable[[Match], str], string: str, count: int = 0
    ) -> tuple[str, int]:
        """The text with every match replaced, and how many there were."""
        template = None if callable(repl) else parse_replacement(repl, self._groups())
        out: list[str] = []
        end = done = 0
        for found in self._some(string, count):
            out.append(string[end : found.start()])
            out.append(repl(found) if callable(repl) else _filled(template or [], found))
            end = found.end()
            done += 1
        out.append(string[end:])
        return limits.join("", out), done

    def _groups(self) -> Groups:
        return Groups(self._program.groups, self._program.index)

    def _all(self, string: str, pos: int = 0, endpos: int | None = None) -> Iterator[Match]:
        return self._matches(ANCHOR.UNANCHORED, string, pos, endpos)

    def _some(self, string: str, most: int) -> Iterator[Match]:
        if most < 0:
            return
        for number, found in enumerate(self._all(string), 1):
            yield found
            if number == most:
                return

    def _matches(self, anchor: Any, string: str, pos: int, endpos: int | None) -> Iterator[Match]:
        if type(string) is not str:
            raise TypeError(f"expected text, not {type(string).__name__}")
        size = len(string)
        last = size if endpos is None else max(0, min(endpos, size))
        first = max(0, min(pos, size))
        if first > last:
            return
        run = self._program
        full = anchor is ANCHOR.ANCHOR_BOTH
        match = (run.whole() if full else run.engine).Match
        hidden = run.ends_early and not full
        text = Text(string if last == size else string[:last])
        at, end = text.byte(first), len(text.data)
        while at <= end:
            found = match(anchor, text.data, at, end)
            if found[0][0] < 0:
                return
            if hidden:
                found[0] = (found[0][0], found.pop()[0])
            start, stop = found[0]
            yield Match(self, string, (first, last), text.spans(found), run.index)
            at = text.after(stop) if stop == start else stop


def _filled(template: list[str | int], found: Match) -> str:
    return limits.join("", [part if type(part) is str else found[part] or "" for part in template])


def compile_pattern(pattern: str | Pattern, flags: int = 0) -> Pattern:
    """`re.compile`."""
    if type(pattern) is Pattern:
        if flags:
            raise ValueError("cannot process flags argument with a compiled pattern")
        return pattern
    return Pattern(pattern, flags)  # type: ignore[arg-type]


def search(pattern: str, string: str, flags: int = 0) -> Match | None:
    """`re.search`."""
    return compile_pattern(pattern, flags).search(string)


def match(pattern: str, string: str, flags: int = 0) -> Match | None:
    """`re.match`."""
    return compile_pattern(pattern, flags).match(string)


def fullmatch(pattern: str, string: str, flags: int = 0) -> Match | None:
    """`re.fullmatch`."""
    return compile_pattern(pattern, flags).fullmatch(string)


def findall(pattern: str, string: str, flags: int = 0) -> list[Any]:
    """`re.findall`."""
    return compile_pattern(pattern, flags).findall(string)


def finditer(pattern: str, string: str, flags: int = 0) -> Iterator[Match]:
    """`re.finditer`."""
    return compile_pattern(pattern, flags).finditer(string)


def split(pattern: str, string: str, maxsplit: int = 0, flags: int = 0) -> list[Any]:
    """`re.split`."""
    return compile_pattern(pattern, flags).split(string, maxsplit)


def sub(pattern: str, repl: Any, string: str, count: int = 0, flags: int = 0) -> str:
    """`re.sub`."""
    return compile_pattern(pattern, flags).sub(repl, string, count)


def subn(pattern: str, repl: Any, string: str, count: int = 0, flags: int = 0) -> tuple[str, int]:
    """`re.subn`."""
    return compile_pattern(pattern, flags).subn(repl, string, count)


def escape(pattern: str) -> str:
    """`re.escape`."""
    if type(pattern) is not str:
        raise TypeError("expected text")
    return _python.escape(pattern)


def purge() -> None:
    """`re.purge`: nothing to do, the programs kept are bounded and hold no state."""


FACADES: dict[str, dict[str, Any]] = {
    "re": {
        "compile": compile_pattern,
        **{f.__name__: f for f in (search, match, fullmatch, findall, finditer, split)},
        **{f.__name__: f for f in (sub, subn, escape, purge)},
        **dict.fromkeys(("error", "PatternError"), PatternError),
        "Match": Match,
        "Pattern": Pattern,
        **dict.fromkeys(("I", "IGNORECASE"), patterns.IGNORECASE),
        **dict.fromkeys(("M", "MULTILINE"), patterns.MULTILINE),
        **dict.fromkeys(("S", "DOTALL"), patterns.DOTALL),
        **dict.fromkeys(("X", "VERBOSE"), patterns.VERBOSE),
        **dict.fromkeys(("A", "ASCII"), patterns.ASCII),
        "NOFLAG": 0,
    }
}
"""What `import re` gives."""

ATTRIBUTES: dict[type, dict[str, Any]] = {
    Match: limits.table(
        "end endpos expand group groupdict groups lastgroup lastindex pos re span start string"
    ),
    Pattern: limits.table(
        "findall finditer flags fullmatch groupindex groups match pattern search split sub subn"
    ),
    PatternError: limits.table("args msg pattern pos"),
}
CLASS_ATTRIBUTES: dict[type, dict[str, Any]] = {}
EXCEPTIONS: tuple[type[BaseException], ...] = (PatternError,)
