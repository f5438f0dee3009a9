"""Regular expressions: RE2's, compiled while an expression is checked, and bounded in cost.

RE2 reads a text once for every match, whatever the pattern, and knows neither backreferences nor
look-around. Patterns are literals, so that a bad one is found before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rftspec.expr.errors import DomainError

if TYPE_CHECKING:
    import re2

MAX_MEMORY = 1 << 20
"""What RE2 may use for one pattern, in bytes."""

MAX_WORK = 1_000_000_000
"""The most steps of one call: characters left to read, summed over its matches, by `weight`."""

_SMALL = 16
"""Programs up to this size run at one step for each character, larger ones at two for each line."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_HINTS = (
    (r"\(\?<?[=!]", "RE2 has no look-around; match more, and take a group: `regex_find(t, p, 1)`"),
    (r"\\[1-9]", "RE2 has no backreferences"),
    (r"\{\d+,?\d*\}", "at most 1000 repeats, those inside one another multiplied"),
    (r"\\Z", r"the end of the text is `\z`, or `$`"),
    (r"[*+?}]\+", "RE2 never goes back, so there is nothing to possess: leave the second `+` out"),
    (r"\(\?P$", "RE2 has no backreferences; a named group is `(?P<name>…)`"),
    (r"\(\?[>(]", "RE2 has no atomic groups and no conditions"),
)


class PatternError(Exception):
    """The text is no regular expression; `part` of it is to blame, where RE2 says which."""

    def __init__(self, message: str, part: str, hint: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.part = part
        self.hint = hint


class Pattern:
    """A compiled regular expression; equal to another one of the same text."""

    __slots__ = ("_refused", "_regex", "groups", "text", "weight")

    def __init__(self, text: str, regex: re2._Regexp) -> None:
        self.text = text
        self._regex = regex
        self._refused: str | None = None
        """The last text that took too long: asked again, it is refused at once."""
        self.groups: int = regex.groups
        """How many groups it has, not counting the whole match."""
        size: int = regex.programsize
        self.weight = 1 if size <= _SMALL else 2 * size
        """Steps for each character that is read."""

    def search(self, text: str) -> Any:
        """The first match in a text, None without one."""
        return next(self.matches(text), None)

    def matches(self, text: str) -> Iterator[Any]:
        """The matches one after another. Raises DomainError where they would take too long."""
        if not text.isascii():
            # what no encoding holds is matched as U+FFFD, in its place
            text = _SURROGATE.sub("\ufffd", text)
        length = len(text)
        work = length * self.weight
        self._check_work(MAX_WORK + 1 if text == self._refused else work, text)
        for match in self._regex.finditer(text):
            yield match
            work += (length - match.end()) * self.weight
            self._check_work(work, text)

    def _check_work(self, work: int, text: str) -> None:
        if work > MAX_WORK:
            self._refused = text
            raise DomainError(f"the text of {len(text):,} characters is too long for this pattern")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


def compile_pattern(text: str) -> Pattern:
    """The pattern that a literal is. Raises PatternError."""
    import re2

    surrogate = _SURROGATE.search(text)
    if surrogate is not None:
        raise PatternError("a pattern holds no lone surrogates", surrogate.group(), None)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return Pattern(text, re2.compile(text, options))
    except re2.error as error:
        told = error.args[0]
        message = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    what, _, part = message.partition(": ")
    if "too large" in what:
        what, part = "it is too large once its repeats are written out", ""
    shown = f"{what}: `{part}`" if part else what
    raise PatternError(f"not a regular expression: {shown}", part, _hint(part))


def _hint(part: str) -> str | None:
    return next((hint for sign, hint in _HINTS if part and re.match(sign, part)), None)
