"""Validation rows out of the training rows, by seed, with groups kept together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def carve(groups: Sequence[str], wanted: int, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Row numbers that stay and row numbers that are taken, both ascending.

    `groups[i]` names the group of row i; a group goes to one side whole. Groups are taken in the
    order of a keyed hash until `wanted` rows are reached, passing over groups that would lead
    beyond it, so that at most `wanted` rows are taken and the choice depends on nothing but the
    seed and the names. At least one group stays; none is taken where all are larger than `wanted`.
    """
    rows: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        rows.setdefault(group, []).append(number)
    order = sorted(rows, key=lambda group: _key(seed, group))
    taken: set[int] = set()
    most = min(wanted, len(groups) - 1)
    for group in order:
        if len(taken) + len(rows[group]) <= most:
            taken.update(rows[group])
    stay = tuple(number for number in range(len(groups)) if number not in taken)
    return stay, tuple(sorted(taken))


def _key(seed: int, group: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{group}".encode(), digest_size=16).digest()
