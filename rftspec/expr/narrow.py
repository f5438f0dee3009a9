"""Values of the environment, held to their static types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rftspec.expr.types import (
    BOOL,
    NEVER,
    NUMBER,
    STRING,
    ListType,
    RecordType,
    Type,
    is_optional,
    strip_optional,
)

Reader = Callable[[Any], Any]
"""Gives the value as one of its type, or None where it is missing or of another type."""

LARGEST = 1.7976931348623157e308


class OffTrack(Exception):
    """A closure met what it was not made for; the reference semantics says what it is."""


_JSON = (str, float, int, bool, list, dict, tuple)


def reader(type_: Type) -> Reader:
    """How a value that the environment promises to be of this type is read: its outside only."""
    inner = strip_optional(type_)
    if isinstance(inner, ListType):
        return _read_list
    if isinstance(inner, RecordType):
        return _read_record
    return _SCALARS.get(inner, _read_json)


def narrower(type_: Type) -> Reader:
    """How a json value becomes one of this type: elements of lists are looked at as well."""
    inner = strip_optional(type_)
    if isinstance(inner, ListType) and inner.element != NEVER:
        element = narrower(inner.element)

        def read(value: Any) -> Any:
            if type(value) is not list and type(value) is not tuple:
                return None
            found = [element(x) for x in value]
            return None if None in found else found

        return read
    return reader(type_)


def read_number(value: Any) -> float | None:
    """A finite number as a float; a bool is none."""
    kind = type(value)
    if kind is float:
        return value if -LARGEST <= value <= LARGEST else None
    if kind is int:
        return float(value) if -LARGEST <= value <= LARGEST else None
    return None


def _read_string(value: Any) -> Any:
    return value if type(value) is str else None


def _read_bool(value: Any) -> Any:
    return value if type(value) is bool else None


def _read_list(value: Any) -> Any:
    return value if type(value) is list or type(value) is tuple else None


def _read_record(value: Any) -> Any:
    return value if isinstance(value, dict) else None


def _read_json(value: Any) -> Any:
    return value if isinstance(value, _JSON) else None


_SCALARS = {NUMBER: read_number, STRING: _read_string, BOOL: _read_bool}


_PLAIN: Mapping[Any, type] = {STRING: str, BOOL: bool, ListType: list, RecordType: dict}


def plain_kind(type_: Type) -> type | None:
    """The Python type of values that need no look inside, as read from JSON; None for others."""
    inner = strip_optional(type_)
    return _PLAIN.get(type(inner)) or _PLAIN.get(inner)


def as_declared(value: Any, type_: Type) -> Any:
    """A value as one of its type, None where it is missing. Raises OffTrack where it may not be."""
    found = reader(type_)(value)
    if found is None and not is_optional(type_):
        raise OffTrack
    return found
