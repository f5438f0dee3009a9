"""Whether JSON values have the form of a plan, with the name of everything that has not."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union

Wrong = tuple[tuple[str, ...], str]
"""The keys that lead to a value, and what is wrong with it."""
_NAMES: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
}


def wrong_in(hint: Any, value: Any, name: tuple[str, ...] = ()) -> Iterator[Wrong]:
    """Everything in a JSON value that an annotation does not admit."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield from _wrong_object(hint, value, name)
    elif origin in (Union, types.UnionType):
        if value is not None:
            yield from wrong_in(arguments[0], value, name)
    elif origin is tuple:
        yield from _wrong_list(arguments, value, name)
    elif origin is Literal:
        if value not in arguments:
            choices = ", ".join(map(str, arguments))
            yield name, f"`{'.'.join(name)}` is {json.dumps(value)[:40]}; one of: {choices}"
    elif origin is not None:
        yield from _wrong_mapping(arguments, value, name)
    elif hint is not Any and not _is(hint, value):
        yield name, _said(name, _NAMES[hint], value)


def kind_of(value: Any) -> str:
    """What a JSON value is, for messages."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else json.dumps(value)[:40]


def _is(hint: type, value: Any) -> bool:
    """Whether a value is of a plain type: true is no number, and 1 is one."""
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _wrong_mapping(
    arguments: tuple[Any, ...], value: Any, name: tuple[str, ...]
) -> Iterator[Wrong]:
    if not isinstance(value, dict):
        yield name, _said(name, "an object", value)
        return
    for key, inner in value.items():
        yield from wrong_in(arguments[1], inner, (*name, key))


def _wrong_object(hint: type, value: Any, name: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(value, dict):
        yield name, _said(name, "an object", value)
        return
    hints = typing.get_type_hints(hint)
    fields = {field.name: field for field in dataclasses.fields(hint)}
    for key in value.keys() - fields.keys() - ({"format"} if not name else set()):
        where = (*name, key)
        yield where, f"`{'.'.join(where)}` is not known here: a newer rftspec has made it"
    for key, field in fields.items():
        where = (*name, key)
        missing = dataclasses.MISSING
        if key in value:
            yield from wrong_in(hints[key], value[key], where)
        elif field.default is missing and field.default_factory is missing:
            yield name, f"`{'.'.join(where)}` is missing"


def _wrong_list(arguments: tuple[Any, ...], value: Any, name: tuple[str, ...]) -> Iterator[Wrong]:
    if not isinstance(value, list):
        yield name, _said(name, "a list", value)
        return
    if arguments[-1] is not Ellipsis and len(value) != len(arguments):
        yield name, f"`{'.'.join(name)}` has {len(value)} entries, not {len(arguments)}"
        return
    for inner in value:
        yield from wrong_in(arguments[0], inner, name)


def _said(name: tuple[str, ...], wanted: str, value: Any) -> str:
    return f"`{'.'.join(name)}` must be {wanted}; this is {kind_of(value)}"
