"""Rows by the value of one of their fields: `item.onset`, or quarters of a number."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rftspec.report.evidence import Answers, Evidence, is_number

MOST_VALUES = 12
"""More values than this are put together: numbers in quarters, other rare values in one."""
OTHER = "(other values)"
NONE = "(no value)"


def slices(
    evidence: Evidence, split: str, answers: Answers, field: str
) -> Iterator[tuple[str, Answers]]:
    """(value, answers) for each value of a field, the most frequent first; numbers in order."""
    found = {row: value_of(evidence.item(split, row), field) for row in answers}
    names = _quarters(found) or _named(found)
    by_name: dict[str, list[int]] = {}
    for row, name in names.items():
        by_name.setdefault(name, []).append(row)
    order = sorted(by_name, key=lambda name: (name in (OTHER, NONE), *_order(by_name[name], found)))
    for name in order:
        yield name, {row: answers[row] for row in by_name[name]}


def fields(evidence: Evidence, split: str) -> list[str]:
    """The names of the rows' fields that one can slice by."""
    names: Counter[str] = Counter()
    for item in evidence.rows.get(split, {}).values():
        names.update(name for name in item if name != "messages")
    return sorted(names)


def value_of(item: Mapping[str, Any], field: str) -> Any:
    """The value of `item.a.b` (or `a.b`) in a row; None where it is absent."""
    value: Any = item
    for name in field.removeprefix("item.").split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _order(rows: list[int], found: Mapping[int, Any]) -> tuple[float, float]:
    """Numbers by size, anything else by how many rows have it."""
    first = found[rows[0]]
    if is_number(first) and not isinstance(first, bool):
        return (0.0, float(min(found[row] for row in rows)))
    return (1.0, -float(len(rows)))


def _named(found: Mapping[int, Any]) -> dict[int, str]:
    told = {row: _text(value) for row, value in found.items()}
    counts = Counter(told.values())
    if len(counts) <= MOST_VALUES:
        return told
    kept = {name for name, _ in counts.most_common(MOST_VALUES - 1)}
    return {row: name if name in kept else OTHER for row, name in told.items()}


def _quarters(found: Mapping[int, Any]) -> dict[int, str]:
    """Names of quarters where the values are many numbers; empty where they are not."""
    numbers = [v for v in found.values() if is_number(v) and not isinstance(v, bool)]
    known = [value for value in found.values() if value is not None]
    if len(numbers) < len(known) or len(set(numbers)) <= MOST_VALUES:
        return {}
    edges = [float(edge) for edge in np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])]
    names = {}
    for row, value in found.items():
        if value is None:
            names[row] = NONE
            continue
        place = min(sum(value > edge for edge in edges[1:]), 3)
        names[row] = f"{edges[place]:g} to {edges[place + 1]:g}"
    return names


def _text(value: Any) -> str:
    if value is None:
        return NONE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
