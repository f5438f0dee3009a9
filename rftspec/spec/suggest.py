"""Did you mean: the nearest known name to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant, or None."""
    candidates = list(known)
    folded = _fold(name)
    for candidate in candidates:
        if _fold(candidate) == folded:
            return candidate
    best = min(((distance(folded, _fold(c)), c) for c in candidates), default=(99, ""))
    if best[0] <= (1 if len(folded) <= 4 else 2) and best[0] < len(folded):
        return best[1]
    inside = [c for c in candidates if len(c) > 3 and _fold(c) in folded.split("_")]
    return inside[0] if len(inside) == 1 else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names what was most likely meant."""
    meant = nearest(name, known)
    return None if meant is None else f"did you mean `{meant}`?"


def distance(left: str, right: str, limit: int = 3) -> int:
    """Damerau-Levenshtein distance (neighbours swapped count one), cut off at the limit."""
    if abs(len(left) - len(right)) >= limit or len(left) > 100:
        return limit
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        above, before_that = row, before
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before_that[j - 2] + 1)
            row.append(cost)
        before = above
    return min(row[-1], limit)


def _fold(name: str) -> str:
    return name.strip().lower().replace("-", "_")
