"""How well one list agrees with another: on what is in it, and on the order.

Elements are told apart by numbers, equal ones by their place among their like, so that a list is a
sequence of distinct numbers and what repeats counts as often as it stands.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

Elements = Sequence[int]
ListMetric = Callable[[Elements, Elements], float]


def numbered(found: Sequence[Hashable], wanted: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Both lists as distinct numbers; the n-th of equal elements agrees with the other's n-th."""
    numbers: dict[tuple[Hashable, int], int] = {}

    def number(elements: Sequence[Hashable]) -> list[int]:
        seen: Counter[Hashable] = Counter()
        out = []
        for element in elements:
            seen[element] += 1
            out.append(numbers.setdefault((element, seen[element]), len(numbers)))
        return out

    return number(found), number(wanted)


def precision(found: Elements, wanted: Elements) -> float:
    """The share of the found that is wanted."""
    return _share(len(set(found) & set(wanted)), len(found), len(wanted))


def recall(found: Elements, wanted: Elements) -> float:
    """The share of the wanted that is found."""
    return _share(len(set(found) & set(wanted)), len(wanted), len(found))


def f1(found: Elements, wanted: Elements) -> float:
    """The harmonic mean of precision and recall."""
    return _share(2 * len(set(found) & set(wanted)), len(found) + len(wanted))


def jaccard(found: Elements, wanted: Elements) -> float:
    """The share of what both have among all that one of them has."""
    return _share(len(set(found) & set(wanted)), len(set(found) | set(wanted)))


def exact(found: Elements, wanted: Elements) -> float:
    """1 for the same elements in the same order."""
    return float(list(found) == list(wanted))


def lcs(found: Elements, wanted: Elements) -> float:
    """Twice the longest common subsequence among the lengths of both."""
    from rapidfuzz.distance import LCSseq

    return _share(2 * LCSseq.similarity(list(found), list(wanted)), len(found) + len(wanted))


def kendall(found: Elements, wanted: Elements) -> float:
    """The share of pairs of the wanted that are found in the same order.

    For a permutation of the wanted this is (τ + 1) / 2 of Kendall's τ; a pair of which one is not
    found counts as out of order. A single wanted element counts when it is found.
    """
    if len(wanted) < 2:
        return float(set(wanted) <= set(found)) if wanted or not found else 0.0
    place = {element: i for i, element in enumerate(wanted)}
    before: list[int] = []
    in_order = 0
    for element in found:
        if element in place:
            in_order += bisect_left(before, place[element])
            insort(before, place[element])
    return in_order / math.comb(len(wanted), 2)


def ndcg(found: Elements, wanted: Elements) -> float:
    """Normalised discounted cumulative gain: what is wanted counts by how early it is found."""
    if not wanted:
        return float(not found)
    known = set(wanted)
    gain = math.fsum(1 / math.log2(i) for i, e in enumerate(found, start=2) if e in known)
    best = math.fsum(1 / math.log2(i) for i in range(2, len(wanted) + 2))
    return min(gain / best, 1.0)


METRICS: Mapping[str, ListMetric] = {
    "f1": f1,
    "precision": precision,
    "recall": recall,
    "jaccard": jaccard,
    "exact": exact,
    "lcs": lcs,
    "kendall": kendall,
    "ndcg": ndcg,
}


def _share(part: float, whole: int, other: int = 0) -> float:
    """A share of nothing is 1 where there is nothing on the other side either, else 0."""
    return part / whole if whole else float(other == 0)


def matching(near: Sequence[Sequence[int]], width: int) -> list[int | None]:
    """The largest matching: for each left element the right one that it gets, if any.

    `near[i]` lists the right elements that the i-th left one may have, the best first. At most
    left × edges steps, without recursion.
    """
    owner: list[int | None] = [None] * width
    for start in range(len(near)):
        _augment(start, near, owner)
    out: list[int | None] = [None] * len(near)
    for right, left in enumerate(owner):
        if left is not None:
            out[left] = right
    return out


def _augment(start: int, near: Sequence[Sequence[int]], owner: list[int | None]) -> None:
    """Give `start` a right element, moving others to another one of theirs where that helps."""
    came_from: dict[int, tuple[int, int | None]] = {}
    level: list[tuple[int, int | None]] = [(start, None)]
    while level:
        following: list[tuple[int, int | None]] = []
        for left, via in level:
            for right in near[left]:
                if right in came_from:
                    continue
                came_from[right] = (left, via)
                holder = owner[right]
                if holder is None:
                    _shift(right, came_from, owner)
                    return
                following.append((holder, right))
        level = following


def _shift(
    right: int, came_from: Mapping[int, tuple[int, int | None]], owner: list[int | None]
) -> None:
    step: int | None = right
    while step is not None:
        left, previous = came_from[step]
        owner[step] = left
        step = previous
