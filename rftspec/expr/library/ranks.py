"""Ranks: how high the right answer stands in a list, and what that is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from rftspec.expr import ranges
from rftspec.expr.errors import DomainError
from rftspec.expr.library.lists import keys
from rftspec.expr.library.shelf import COUNT, NOT_NEGATIVE, PLACE, POSITIVE, RANK, Shelf
from rftspec.expr.ranges import Range
from rftspec.expr.signature import CONSTANT, LINEAR

SHELF = Shelf("Ranks")


@SHELF.define(
    "rank_of(x: S, xs: list[S]) -> number?",
    cost=LINEAR,
    example='(rank_of("b", ["a", "b"]) ?? 0) == 2',
    bounds=lambda x, xs: Range(1.0, max(xs.longest, 1.0)),
    finite=True,
)
def rank_of(x: Any, xs: Sequence[Any]) -> float | None:
    """The rank of `x` in the list, 1 for the first; missing when it is not there."""
    try:
        return xs.index(x) + 1.0
    except ValueError:
        return None


def _decay_bounds(rank: Range, first: Range, second: Range, cutoff: Range) -> Range:
    return Range(0.0, max(first.high, 0.0))


def _decay_of_rank(
    first: float, second: float, cutoff: float | None
) -> Callable[[float], float] | None:
    """`rank_decay` for settings that are known, which they are nearly always."""
    if second > first:
        return None
    ratio, power = second / first, math.pow
    if cutoff is not None:
        return lambda rank: 0.0 if rank > cutoff else min(first * power(ratio, rank - 1), first)

    def decay(rank: float) -> float:
        worth = first * power(ratio, rank - 1)
        return worth if worth < first else first

    return decay


@SHELF.define(
    "rank_decay(rank: number, first: number = 1, second: number = 0.7, "
    "cutoff: number? = missing) -> number",
    cost=CONSTANT,
    example="close(rank_decay(3), 0.49)",
    rules={"rank": RANK, "first": POSITIVE, "second": NOT_NEGATIVE, "cutoff": RANK},
    bounds=_decay_bounds,
    finite=True,
    special=_decay_of_rank,
)
def rank_decay(rank: float, first: float, second: float, cutoff: float | None) -> float:
    """`first · (second / first) ^ (rank - 1)`: falls by one ratio per rank; 0 beyond the cutoff.

    Missing when the rank is: `rank_decay(rank_of(x, xs)) ?? 0`.
    """
    if second > first:
        raise DomainError(f"rank_decay's second {second:g} is more than its first {first:g}")
    if cutoff is not None and rank > cutoff:
        return 0.0
    if rank == 1:
        return first
    return min(first * math.pow(second / first, rank - 1), first)


@SHELF.define(
    "decay(rank: number, half_life: number) -> number",
    cost=CONSTANT,
    example="decay(3, 2) == 0.5",
    rules={"rank": RANK, "half_life": POSITIVE},
    bounds=ranges.UNIT,
    finite=True,
)
def decay(rank: float, half_life: float) -> float:
    """1 for the first, and half as much every `half_life` ranks: 2 ^ -((rank - 1) / half_life)."""
    return math.pow(0.5, min((rank - 1.0) / half_life, 2000.0))


@SHELF.define(
    "linear_decay(rank: number, cutoff: number) -> number",
    cost=CONSTANT,
    example="linear_decay(2, 4) == 0.75",
    rules={"rank": RANK, "cutoff": RANK},
    bounds=ranges.UNIT,
    finite=True,
)
def linear_decay(rank: float, cutoff: float) -> float:
    """1 for the first, less by 1/cutoff for each rank after it, 0 beyond the cutoff."""
    return max(0.0, 1.0 - (rank - 1.0) / cutoff)


@SHELF.define(
    "reciprocal_rank(rank: number) -> number",
    cost=CONSTANT,
    example="reciprocal_rank(4) == 0.25",
    rules={"rank": RANK},
    bounds=lambda rank: Range(max(1.0 / max(rank.high, 1.0), 0.0), 1.0 / max(rank.low, 1.0)),
    finite=True,
)
def reciprocal_rank(rank: float) -> float:
    """1 / rank."""
    return 1.0 / rank


@SHELF.define(
    "hit_at(rank: number, k: number) -> bool",
    cost=CONSTANT,
    example="hit_at(rank_of(5, [4, 5]), 2) ?? false",
    rules={"rank": RANK, "k": COUNT},
)
def hit_at(rank: float, k: float) -> bool:
    """True when the rank is among the first `k`."""
    return rank <= k


@SHELF.define(
    "ndcg_at(rank: number, k: number) -> number",
    cost=CONSTANT,
    example="ndcg_at(1, 5) == 1",
    rules={"rank": RANK, "k": PLACE},
    bounds=ranges.UNIT,
    finite=True,
)
def ndcg_at_rank(rank: float, k: float) -> float:
    """1 / log2(rank + 1) for the one relevant element, 0 beyond the first `k`."""
    return 1.0 / math.log2(rank + 1.0) if rank <= k else 0.0


@SHELF.define(
    "ndcg_at(ranked: list[S], relevant: list[S], k: number) -> number",
    cost=LINEAR,
    example='ndcg_at(["a", "x"], ["a"], 2) == 1',
    rules={"k": PLACE},
    bounds=ranges.UNIT,
    finite=True,
)
def ndcg_at(ranked: Sequence[Any], relevant: Sequence[Any], k: float) -> float:
    """Normalised discounted cumulative gain of the first `k`; a relevant element counts once."""
    wanted = set(keys(relevant))
    best = min(len(wanted), int(min(k, len(wanted))))
    if not best:
        return 0.0
    gains = []
    for place, x in enumerate(keys(ranked)[: int(min(k, len(ranked)))], start=2):
        if x in wanted:
            wanted.discard(x)
            gains.append(1.0 / math.log2(place))
    ideal = math.fsum(1.0 / math.log2(place) for place in range(2, best + 2))
    return min(math.fsum(gains) / ideal, 1.0)
