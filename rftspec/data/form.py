"""The form of a row: its fields and the types of their values, all through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Form = Any
"""Nested tuples of names and types: equal, and of the same hash, for rows of the same form."""


def form_of(item: Mapping[str, Any]) -> Form:
    """The form of an object: its names in order, and the form of each value; of each *kind* of
    value, where the values are a list's.
    """
    return tuple(item), *[_of(value) for value in item.values()]


def _of(value: Any) -> Form:
    kind = type(value)
    if kind is dict:
        return form_of(value)
    return frozenset(map(_of, value)) if kind is list else kind
