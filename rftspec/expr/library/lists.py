"""Lists, ranks and sets: what is in an answer, and how high it stands."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rftspec.expr import ranges
from rftspec.expr.errors import DomainError
from rftspec.expr.library.shelf import COUNT, NOT_NEGATIVE, PLACE, POSITIVE, RANK, Shelf
from rftspec.expr.ranges import Range

SHELF = Shelf("Lists")
RANKS = Shelf("Ranks")
SETS = Shelf("Sets")

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@SHELF.define(
    "len(xs: list[T]) -> number",
    example="len([1, 2]) == 2",
    bounds=lambda xs: Range(xs.shortest, xs.longest),
    finite=True,
)
def length(xs: Sequence[Any]) -> float:
    """The number of elements of a list."""
    return float(len(xs))


@SHELF.define(
    "first(xs: list[T]) -> T?",
    example="(first([4, 5]) ?? 0) == 4",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def first(xs: Sequence[Any]) -> Any:
    """The first element; missing when the list is empty."""
    return xs[0] if xs else None


@SHELF.define(
    "last(xs: list[T]) -> T?",
    example="(last([4, 5]) ?? 0) == 5",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def last(xs: Sequence[Any]) -> Any:
    """The last element; missing when the list is empty."""
    return xs[-1] if xs else None


@SHELF.define(
    "nth(xs: list[T], n: number) -> T?",
    example="(nth([4, 5], 2) ?? 0) == 5",
    rules={"n": PLACE},
    bounds=lambda xs, n: Range(xs.low, xs.high),
)
def nth(xs: Sequence[Any], n: float) -> Any:
    """The n-th element, counted from 1 as ranks are; missing beyond the end."""
    return xs[int(n) - 1] if n <= len(xs) else None


@SHELF.define(
    "top_k(xs: list[T], k: number) -> list[T]",
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


@SHELF.define("contains(xs: list[S], x: S) -> bool", example='contains(["a", "b"], "b")')
def contains(xs: Sequence[Any], x: Any) -> bool:
    """True when `x` is an element of the list."""
    return x in xs


@SHELF.define(
    "count(xs: list[S], x: S) -> number",
    example="count([1, 2, 1], 1) == 2",
    bounds=lambda xs, x: Range(0.0, xs.longest),
    finite=True,
)
def count(xs: Sequence[Any], x: Any) -> float:
    """How often `x` stands in the list."""
    return float(xs.count(x))


@SHELF.define(
    "unique(xs: list[S]) -> list[S]",
    example="unique([2, 1, 2]) == [2, 1]",
    bounds=lambda xs: Range(xs.low, xs.high, min(xs.shortest, 1), xs.longest),
)
def unique(xs: Sequence[Any]) -> list[Any]:
    """The elements without repetitions, in the order of their first places."""
    return list(dict.fromkeys(xs))


@SHELF.define(
    "dup_count(xs: list[S]) -> number",
    example="dup_count([2, 1, 2, 2]) == 2",
    bounds=lambda xs: Range(0.0, max(xs.longest - 1, 0.0)),
    finite=True,
)
def dup_count(xs: Sequence[Any]) -> float:
    """How many elements repeat an earlier one."""
    return float(len(xs) - len(set(xs)))


@SHELF.define("sum(xs: list[number]) -> number", example="sum([1, 2]) == 3", bounds=ranges.total)
def total(xs: Sequence[float]) -> float:
    """The sum of a list; 0 when it is empty."""
    return math.fsum(xs)


@SHELF.define(
    "mean(xs: list[number]) -> number?",
    example="(mean([1, 2]) ?? 0) == 1.5",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def mean(xs: Sequence[float]) -> float | None:
    """The mean of a list; missing when it is empty."""
    if not xs:
        return None
    # rounding must not carry a mean outside its values: the reward's floor is computed from them
    return min(max(math.fsum(xs) / len(xs), min(xs)), max(xs))


@RANKS.define(
    "rank_of(x: S, xs: list[S]) -> number?",
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


@RANKS.define(
    "rank_decay(rank: number, first: number = 1, second: number = 0.7, "
    "cutoff: number? = missing) -> number",
    example="close(rank_decay(3), 0.49)",
    rules={"rank": RANK, "first": POSITIVE, "second": NOT_NEGATIVE, "cutoff": RANK},
    bounds=_decay_bounds,
    finite=True,
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


@RANKS.define(
    "linear_decay(rank: number, cutoff: number) -> number",
    example="linear_decay(2, 4) == 0.75",
    rules={"rank": RANK, "cutoff": RANK},
    bounds=ranges.UNIT,
    finite=True,
)
def linear_decay(rank: float, cutoff: float) -> float:
    """1 for the first, less by 1/cutoff for each rank after it, 0 beyond the cutoff."""
    return max(0.0, 1.0 - (rank - 1.0) / cutoff)


@RANKS.define(
    "reciprocal_rank(rank: number) -> number",
    example="reciprocal_rank(4) == 0.25",
    rules={"rank": RANK},
    bounds=lambda rank: Range(max(1.0 / max(rank.high, 1.0), 0.0), 1.0 / max(rank.low, 1.0)),
    finite=True,
)
def reciprocal_rank(rank: float) -> float:
    """1 / rank."""
    return 1.0 / rank


@RANKS.define(
    "hit_at(rank: number, k: number) -> bool",
    example="hit_at(rank_of(5, [4, 5]), 2) ?? false",
    rules={"rank": RANK, "k": COUNT},
)
def hit_at(rank: float, k: float) -> bool:
    """True when the rank is among the first `k`."""
    return rank <= k


@RANKS.define(
    "ndcg_at(rank: number, k: number) -> number",
    example="ndcg_at(1, 5) == 1",
    rules={"rank": RANK, "k": PLACE},
    bounds=ranges.UNIT,
    finite=True,
)
def ndcg_at_rank(rank: float, k: float) -> float:
    """1 / log2(rank + 1) for the one relevant element, 0 beyond the first `k`."""
    return 1.0 / math.log2(rank + 1.0) if rank <= k else 0.0


@RANKS.define(
    "ndcg_at(ranked: list[S], relevant: list[S], k: number) -> number",
    example='ndcg_at(["a", "x"], ["a"], 2) == 1',
    rules={"k": PLACE},
    bounds=ranges.UNIT,
    finite=True,
)
def ndcg_at(ranked: Sequence[Any], relevant: Sequence[Any], k: float) -> float:
    """Normalised discounted cumulative gain of the first `k`; a relevant element counts once."""
    wanted = set(relevant)
    best = min(len(wanted), int(min(k, len(wanted))))
    if not best:
        return 0.0
    gains = []
    for place, x in enumerate(ranked[: int(min(k, len(ranked)))], start=2):
        if x in wanted:
            wanted.discard(x)
            gains.append(1.0 / math.log2(place))
    ideal = math.fsum(1.0 / math.log2(place) for place in range(2, best + 2))
    return min(math.fsum(gains) / ideal, 1.0)


@SETS.define(
    "jaccard(a: list[S], b: list[S]) -> number",
    example="jaccard([1, 2], [2, 3, 4]) == 0.25",
    bounds=ranges.UNIT,
    finite=True,
)
def jaccard(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The share of common elements among all; 1 when both lists are empty."""
    all_ = set(a) | set(b)
    return len(set(a) & set(b)) / len(all_) if all_ else 1.0


@SETS.define(
    "precision(found: list[S], wanted: list[S]) -> number",
    example="precision([1, 2], [2, 3]) == 0.5",
    bounds=ranges.UNIT,
    finite=True,
)
def precision(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The share of the found that is wanted; nothing found counts 1 if nothing is wanted."""
    return _share(set(found), set(wanted), len(set(found)))


@SETS.define(
    "recall(found: list[S], wanted: list[S]) -> number",
    example="recall([1, 2], [2]) == 1",
    bounds=ranges.UNIT,
    finite=True,
)
def recall(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The share of the wanted that is found; nothing wanted counts 1 if nothing is found."""
    return _share(set(found), set(wanted), len(set(wanted)))


@SETS.define(
    "f1(found: list[S], wanted: list[S]) -> number",
    example="f1([1, 2], [2]) == 2 / 3",
    bounds=ranges.UNIT,
    finite=True,
)
def f1(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The harmonic mean of precision and recall; repetitions do not count."""
    a, b = set(found), set(wanted)
    return 2.0 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


@SETS.define(
    "token_f1(a: string, b: string) -> number",
    example='token_f1("The cat sat.", "a cat") == 2 / 3',
    bounds=ranges.UNIT,
    finite=True,
)
def token_f1(a: str, b: str) -> float:
    """F1 over the words of two texts as SQuAD counts it: case, punctuation, articles left out."""
    x, y = _squad_words(a), _squad_words(b)
    if not x or not y:
        return float(x == y)
    return 2.0 * (x & y).total() / (x.total() + y.total())


def _share(found: set[Any], wanted: set[Any], of: int) -> float:
    if not of:
        return float(found == wanted)
    return len(found & wanted) / of


def _squad_words(text: str) -> Counter[str]:
    plain = text.lower().translate(_PUNCTUATION)
    return Counter(_ARTICLE.sub(" ", plain).split())
