"""The function table: the one place that checker, evaluators and documentation read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rftspec.expr.library import fuzzy, lists, numbers, numerals, ranks, regexes, sets, text
from rftspec.expr.signature import Function, Overload

_SHELVES = (
    numbers.SHELF,
    text.SHELF,
    numerals.SHELF,
    regexes.SHELF,
    fuzzy.SHELF,
    lists.SHELF,
    ranks.SHELF,
    sets.SHELF,
)


def _table() -> Mapping[str, Function]:
    groups: dict[str, str] = {}
    overloads: dict[str, list[Overload]] = {}
    for shelf in _SHELVES:
        for overload in shelf.overloads:
            groups.setdefault(overload.name, shelf.group)
            overloads.setdefault(overload.name, []).append(overload)
    return MappingProxyType(
        {name: Function(name, groups[name], tuple(found)) for name, found in overloads.items()}
    )


FUNCTIONS: Mapping[str, Function] = _table()
"""Every function of the language by name, in the order of the reference page."""


def function_names() -> frozenset[str]:
    """The names of all functions: no grader and no `let` can have them."""
    return frozenset(FUNCTIONS)
