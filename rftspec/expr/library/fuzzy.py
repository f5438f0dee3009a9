"""Texts that are nearly the same, by rapidfuzz; scores between 0 (nothing alike) and 1 (equal)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType

from rftspec.expr import ranges
from rftspec.expr.errors import DomainError
from rftspec.expr.library.shelf import UNIT, Shelf
from rftspec.expr.library.text import normalize
from rftspec.expr.ranges import Range
from rftspec.expr.signature import Cost

SHELF = Shelf("Nearly the same")

MAX_CELLS = 1_000_000_000
"""The largest table, in cells, of two texts' characters; rapidfuzz fills 64 cells in a step."""

TABLE = Cost("length of the one text by length of the other", MAX_CELLS)


@cache
def _fuzz() -> ModuleType:
    from rapidfuzz import fuzz

    return fuzz


@cache
def _levenshtein() -> ModuleType:
    from rapidfuzz.distance import Levenshtein

    return Levenshtein


def _check_table(length: int, other: int) -> None:
    if length * other > MAX_CELLS:
        message = f"texts of {length:,} and {other:,} characters are too long to be compared"
        raise DomainError(message)


@SHELF.define(
    "edit_distance(a: string, b: string) -> number",
    example='edit_distance("kitten", "sitting") == 3',
    bounds=ranges.NOT_NEGATIVE,
    finite=True,
    cost=TABLE,
)
def edit_distance(a: str, b: str) -> float:
    """How many characters must be put in, left out or changed to make one text the other."""
    _check_table(len(a), len(b))
    return float(_levenshtein().distance(a, b))


@SHELF.define(
    "edit_ratio(a: string, b: string) -> number",
    example='edit_ratio("abcd", "abxd") == 0.75',
    bounds=ranges.UNIT,
    finite=True,
    cost=TABLE,
)
def edit_ratio(a: str, b: str) -> float:
    """1 - edit_distance / length of the longer text; 1 when both are empty."""
    _check_table(len(a), len(b))
    return float(_levenshtein().normalized_similarity(a, b))


@SHELF.define(
    "fuzzy_ratio(a: string, b: string) -> number",
    example='fuzzy_ratio("abcd", "abxd") == 0.75',
    bounds=ranges.UNIT,
    finite=True,
    cost=TABLE,
)
def fuzzy_ratio(a: str, b: str) -> float:
    """2 · common / (length + length), by the longest common subsequence (rapidfuzz's `ratio`)."""
    _check_table(len(a), len(b))
    return _unit(_fuzz().ratio(a, b))


@SHELF.define(
    "token_sort_ratio(a: string, b: string) -> number",
    example='token_sort_ratio("Ada Lovelace", "Lovelace Ada") == 1',
    bounds=ranges.UNIT,
    finite=True,
    cost=TABLE,
)
def token_sort_ratio(a: str, b: str) -> float:
    """`fuzzy_ratio` of the texts with the words of each sorted, so that order does not count."""
    _check_table(len(a), len(b))
    return _unit(_fuzz().token_sort_ratio(a, b))


@SHELF.define(
    "fuzzy_rank_of(x: string, xs: list[string], at_least: number = 0.9) -> number?",
    example='(fuzzy_rank_of("marfan syndrome", ["Gout", "Marfan  Syndrom"]) ?? 0) == 2',
    rules={"at_least": UNIT},
    bounds=lambda x, xs, at_least: Range(1.0, max(xs.longest, 1.0)),
    finite=True,
    cost=Cost("length of the text by length of all elements", MAX_CELLS),
)
def fuzzy_rank_of(x: str, xs: Sequence[str], at_least: float) -> float | None:
    """The rank of the first element whose `fuzzy_ratio` with `x` is high enough; else missing.

    Both are compared as `normalize` leaves them.
    """
    _check_table(len(x), sum(map(len, xs)))
    ratio, wanted = _fuzz().ratio, normalize(x)
    for place, text in enumerate(xs, start=1):
        if _unit(ratio(wanted, normalize(text))) >= at_least:
            return float(place)
    return None


def _unit(percent: float) -> float:
    return min(max(float(percent) / 100.0, 0.0), 1.0)
