"""Lists: what an answer holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rftspec.expr import ranges
from rftspec.expr.library.shelf import COUNT, PLACE, Shelf
from rftspec.expr.ranges import Range
from rftspec.expr.signature import CONSTANT, LINEAR, SORTING

SHELF = Shelf("Lists")

MANY = 256
"""Lists from this length on are guarded against numbers that are made to collide."""


def keys(xs: Sequence[Any]) -> Sequence[Any]:
    """The elements, safe to be put in a set or dict.

    Whole numbers of JSON have no bound, and thousands of them can be chosen with one hash; as
    floats, which is all that a number is here, they cannot.
    """
    if len(xs) < MANY or int not in set(map(type, xs)):
        return xs
    return [float(x) if type(x) is int else x for x in xs]


@SHELF.define(
    "len(xs: list[T]) -> number",
    cost=CONSTANT,
    example="len([1, 2]) == 2",
    bounds=lambda xs: Range(xs.shortest, xs.longest),
    finite=True,
)
def length(xs: Sequence[Any]) -> float:
    """The number of elements of a list."""
    return float(len(xs))


@SHELF.define(
    "first(xs: list[T]) -> T?",
    cost=CONSTANT,
    example="(first([4, 5]) ?? 0) == 4",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def first(xs: Sequence[Any]) -> Any:
    """The first element; missing when the list is empty."""
    return xs[0] if xs else None


@SHELF.define(
    "last(xs: list[T]) -> T?",
    cost=CONSTANT,
    example="(last([4, 5]) ?? 0) == 5",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def last(xs: Sequence[Any]) -> Any:
    """The last element; missing when the list is empty."""
    return xs[-1] if xs else None


@SHELF.define(
    "nth(xs: list[T], n: number) -> T?",
    cost=CONSTANT,
    example="(nth([4, 5], 2) ?? 0) == 5",
    rules={"n": PLACE},
    bounds=lambda xs, n: Range(xs.low, xs.high),
)
def nth(xs: Sequence[Any], n: float) -> Any:
    """The n-th element, counted from 1 as ranks are; missing beyond the end."""
    return xs[int(n) - 1] if n <= len(xs) else None


@SHELF.define(
    "top_k(xs: list[T], k: number) -> list[T]",
    cost=LINEAR,
    example="top_k([4, 5, 6], 2) == [4, 5]",
    rules={"k": COUNT},
    bounds=lambda xs, k: Range(
        xs.low, xs.high, min(xs.shortest, max(k.low, 0.0)), min(xs.longest, max(k.high, 0.0))
    ),
)
def top_k(xs: Sequence[Any], k: float) -> Sequence[Any]:
    """The first `k` elements, or all where there are fewer."""
    return xs[: int(min(k, len(xs)))]


@SHELF.define(
    "index_of(x: S, xs: list[S]) -> number?",
    cost=LINEAR,
    example="(index_of(5, [4, 5]) ?? -1) == 1",
    bounds=lambda x, xs: Range(0.0, max(xs.longest - 1, 0.0)),
    finite=True,
)
def index_of(x: Any, xs: Sequence[Any]) -> float | None:
    """The place of `x` in the list, from 0 as in `xs[0]`; missing when it is not there."""
    try:
        return float(xs.index(x))
    except ValueError:
        return None


@SHELF.define(
    "contains(xs: list[S], x: S) -> bool", cost=LINEAR, example='contains(["a", "b"], "b")'
)
def contains(xs: Sequence[Any], x: Any) -> bool:
    """True when `x` is an element of the list."""
    return x in xs


@SHELF.define(
    "count(xs: list[S], x: S) -> number",
    cost=LINEAR,
    example="count([1, 2, 1], 1) == 2",
    bounds=lambda xs, x: Range(0.0, xs.longest),
    finite=True,
)
def count(xs: Sequence[Any], x: Any) -> float:
    """How often `x` stands in the list."""
    return float(xs.count(x))


@SHELF.define(
    "unique(xs: list[S]) -> list[S]",
    cost=LINEAR,
    example="unique([2, 1, 2]) == [2, 1]",
    bounds=lambda xs: Range(xs.low, xs.high, min(xs.shortest, 1), xs.longest),
)
def unique(xs: Sequence[Any]) -> list[Any]:
    """The elements without repetitions, in the order of their first places."""
    return list(dict.fromkeys(keys(xs)))


@SHELF.define(
    "dup_count(xs: list[S]) -> number",
    cost=LINEAR,
    example="dup_count([2, 1, 2, 2]) == 2",
    bounds=lambda xs: Range(0.0, max(xs.longest - 1, 0.0)),
    finite=True,
)
def dup_count(xs: Sequence[Any]) -> float:
    """How many elements repeat an earlier one."""
    return float(len(xs) - len(set(xs if len(xs) < MANY else keys(xs))))


@SHELF.define(
    "sum(xs: list[number]) -> number", cost=LINEAR, example="sum([1, 2]) == 3", bounds=ranges.total
)
def total(xs: Sequence[float]) -> float:
    """The sum of a list; 0 when it is empty."""
    return math.fsum(xs)


@SHELF.define(
    "mean(xs: list[number]) -> number?",
    cost=LINEAR,
    example="(mean([1, 2]) ?? 0) == 1.5",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def mean(xs: Sequence[float]) -> float | None:
    """The mean of a list; missing when it is empty."""
    if not xs:
        return None
    # rounding must not carry a mean outside its values: the reward's floor is computed from them
    return min(max(math.fsum(xs) / len(xs), min(xs)), max(xs))


@SHELF.define(
    "median(xs: list[number]) -> number?",
    cost=SORTING,
    example="(median([3, 1, 2]) ?? 0) == 2",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def median(xs: Sequence[float]) -> float | None:
    """The middle number of the sorted list, or halfway between the two; missing when empty."""
    if not xs:
        return None
    ordered = sorted(xs)
    low, high = ordered[(len(xs) - 1) // 2], ordered[len(xs) // 2]
    return low if low == high else low / 2 + high / 2


@SHELF.define(
    "sort(xs: list[number]) -> list[number]",
    cost=SORTING,
    example="sort([3, 1, 2]) == [1, 2, 3]",
    bounds=lambda xs: xs,
)
def sort_numbers(xs: Sequence[float]) -> list[float]:
    """The numbers of a list, the least first."""
    return sorted(xs)


@SHELF.define(
    "sort(texts: list[string]) -> list[string]",
    cost=SORTING,
    example='sort(["b", "a"]) == ["a", "b"]',
)
def sort_texts(texts: Sequence[str]) -> list[str]:
    """The texts of a list in the order of their characters' code points."""
    return sorted(texts)


@SHELF.define(
    "reverse(xs: list[T]) -> list[T]",
    cost=LINEAR,
    example="reverse([1, 2]) == [2, 1]",
    bounds=lambda xs: xs,
)
def reverse(xs: Sequence[Any]) -> Sequence[Any]:
    """The list from its last element to its first."""
    return xs[::-1]


@SHELF.define("any(conditions: list[bool]) -> bool", cost=LINEAR, example="any([false, true])")
def any_(conditions: Sequence[bool]) -> bool:
    """True when a condition of the list is true; false when it is empty."""
    return any(condition is True for condition in conditions)


@SHELF.define("all(conditions: list[bool]) -> bool", cost=LINEAR, example="not all([false, true])")
def all_(conditions: Sequence[bool]) -> bool:
    """True when every condition of the list is true, and when it is empty."""
    return all(condition is True for condition in conditions)
