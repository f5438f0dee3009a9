"""Regular expressions: RE2's, which take time in proportion to the text whatever the pattern."""

from __future__ import annotations

from typing import Any

from rftspec.expr import ranges
from rftspec.expr.errors import DomainError
from rftspec.expr.library.shelf import COUNT, Shelf, check_length
from rftspec.expr.patterns import MAX_WORK, Pattern
from rftspec.expr.signature import Cost

SHELF = Shelf("Regular expressions")

SCAN = Cost("characters read, over all matches, by the size of the pattern", MAX_WORK)


@SHELF.define(
    "regex_match(text: string, pattern: pattern) -> bool",
    example=r'regex_match("The answer is 42.", r"\d+")',
    cost=SCAN,
)
def regex_match(text: str, pattern: Pattern) -> bool:
    """True when the pattern matches somewhere in the text; `^` and `$` hold it to the ends."""
    return pattern.search(text) is not None


@SHELF.define(
    "regex_find(text: string, pattern: pattern, group: number = 0) -> string?",
    example=r'(regex_find("Answer: B", r"Answer: ([A-E])", 1) ?? "") == "B"',
    rules={"group": COUNT},
    cost=SCAN,
)
def regex_find(text: str, pattern: Pattern, group: float) -> str | None:
    """The first match, or that group of it; missing without a match, or where the group has none.

    Groups are counted from 1 by their opening brackets; 0 is the whole match.
    """
    place = _group(pattern, group)
    match = pattern.search(text)
    return None if match is None else _part(text, match, place)


@SHELF.define(
    "regex_find_all(text: string, pattern: pattern, group: number = 0) -> list[string]",
    example=r'regex_find_all("1, 22, 3", r"\d+") == ["1", "22", "3"]',
    rules={"group": COUNT},
    cost=SCAN,
)
def regex_find_all(text: str, pattern: Pattern, group: float) -> list[str]:
    """The matches from left to right, or that group of each; matches without it are left out."""
    place = _group(pattern, group)
    parts = (_part(text, match, place) for match in pattern.matches(text))
    return [part for part in parts if part is not None]


@SHELF.define(
    "regex_count(text: string, pattern: pattern) -> number",
    example=r'regex_count("1, 22, 3", r"\d+") == 3',
    bounds=ranges.NOT_NEGATIVE,
    finite=True,
    cost=SCAN,
)
def regex_count(text: str, pattern: Pattern) -> float:
    """How many matches the text has; they do not overlap."""
    return float(sum(1 for _ in pattern.matches(text)))


@SHELF.define(
    "regex_replace(text: string, pattern: pattern, new: string) -> string",
    example=r'regex_replace("a  b", r"\s+", " ") == "a b"',
    cost=SCAN,
)
def regex_replace(text: str, pattern: Pattern, new: str) -> str:
    """The text with every match replaced by `new`, which stands as it is written."""
    parts: list[str] = []
    at = length = 0
    for match in pattern.matches(text):
        kept = text[at : match.start()]
        length += len(kept) + len(new)
        check_length(length)
        parts += (kept, new)
        at = match.end()
    check_length(length + len(text) - at)
    return "".join([*parts, text[at:]])


def _group(pattern: Pattern, group: float) -> int:
    if group > pattern.groups:
        raise DomainError(f"the pattern has no group {group:g}; it has {pattern.groups}")
    return int(group)


def _part(text: str, match: Any, place: int) -> str | None:
    # a slice of the text itself: the match was made on one without lone surrogates
    start, end = match.span(place)
    return text[start:end] if start >= 0 else None
