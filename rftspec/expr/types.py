"""The types of the scoring language: how they combine, and how they are read from data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Type:
    """A type; the scalar ones are NUMBER, BOOL, STRING and JSON."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType(Type):
    """A list whose elements have one type; made by ListOf."""

    element: Type


@dataclass(frozen=True, slots=True)
class OptionalType(Type):
    """A value that may be missing; made by OptionalOf."""

    inner: Type


@dataclass(frozen=True, slots=True)
class RecordType(Type):
    """Known fields, each with its type; made by RecordOf."""

    fields: Mapping[str, Type]

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.fields)))


NUMBER = Type("number")
BOOL = Type("bool")
STRING = Type("string")
JSON = Type("json")
"""Any JSON value that is not null, known only while running."""

NEVER = Type("nothing")
"""The element of `[]`; takes the type of the other side."""


def ListOf(element: Type) -> ListType:  # noqa: N802 - reads as the type that it makes
    """The type of lists of `element`."""
    return ListType(f"list[{element.name}]", element)


def OptionalOf(inner: Type) -> Type:  # noqa: N802
    """The type of values of `inner` that may be missing; optional of optional is optional."""
    if isinstance(inner, OptionalType):
        return inner
    return OptionalType(f"{inner.name}?", inner)


def RecordOf(fields: Mapping[str, Type]) -> RecordType:  # noqa: N802
    """The type of objects with these fields; one that may be absent is optional."""
    return RecordType("record", MappingProxyType(dict(fields)))


def is_optional(type_: Type) -> bool:
    """True when a value of this type may be missing."""
    return isinstance(type_, OptionalType)


def strip_optional(type_: Type) -> Type:
    """The type of the value when it is there."""
    return type_.inner if isinstance(type_, OptionalType) else type_


def join(a: Type, b: Type) -> Type | None:
    """The one type that holds both, or None where there is none; json is not a way out."""
    if a == b or b == NEVER:
        return a
    if a == NEVER:
        return b
    if is_optional(a) or is_optional(b):
        inner = join(strip_optional(a), strip_optional(b))
        return None if inner is None else OptionalOf(inner)
    if isinstance(a, ListType) and isinstance(b, ListType):
        element = join(a.element, b.element)
        return None if element is None else ListOf(element)
    if isinstance(a, RecordType) and isinstance(b, RecordType):
        return _join_records(a, b)
    return None


def _join_records(a: RecordType, b: RecordType) -> Type | None:
    fields: dict[str, Type] = {}
    for name in dict.fromkeys([*a.fields, *b.fields]):
        if name in a.fields and name in b.fields:
            both = join(a.fields[name], b.fields[name])
            if both is None:
                return None
            fields[name] = both
        else:
            fields[name] = OptionalOf(a.fields.get(name) or b.fields[name])
    return RecordOf(fields)


def describe(type_: Type) -> str:
    """The type in words, for messages: `a list of strings`, `a number that may be missing`."""
    if isinstance(type_, OptionalType):
        return f"{describe(type_.inner)} that may be missing"
    if isinstance(type_, ListType):
        return "an empty list" if type_.element == NEVER else f"a list of {_plural(type_.element)}"
    return {"number": "a number", "bool": "a bool", "string": "a string", "json": "json"}.get(
        type_.name, f"a {type_.name}"
    )


def _plural(type_: Type) -> str:
    if isinstance(type_, ListType):
        return f"lists of {_plural(type_.element)}"
    return "json values" if type_ == JSON else f"{strip_optional(type_).name}s"


_SCALARS: Mapping[type, Type] = {str: STRING, bool: BOOL, int: NUMBER, float: NUMBER}
_SCHEMA_SCALARS: Mapping[str, Type] = {
    "string": STRING,
    "boolean": BOOL,
    "number": NUMBER,
    "integer": NUMBER,
}
_MAX_SCHEMA_DEPTH = 32


class _Seen:
    """What was seen in one place of the data: scalar types, list elements, fields."""

    __slots__ = ("elements", "fields", "lists", "nulls", "objects", "scalars", "total")

    def __init__(self) -> None:
        self.total = 0
        self.nulls = 0
        self.lists = 0
        self.objects = 0
        self.scalars: set[type] = set()
        self.elements: _Seen | None = None
        self.fields: dict[str, _Seen] = {}

    def add(self, value: Any) -> None:
        """Take note of one value."""
        self.total += 1
        kind = type(value)
        if kind in _SCALARS:
            self.scalars.add(kind)
        elif kind is dict:
            self.objects += 1
            fields = self.fields
            for name, inner in value.items():
                if name not in fields:
                    fields[name] = _Seen()
                fields[name].add(inner)
        elif kind is list or kind is tuple:
            self.lists += 1
            if self.elements is None:
                self.elements = _Seen()
            for inner in value:
                self.elements.add(inner)
        else:
            self.nulls += 1

    def type(self) -> Type:
        """The type that holds every value seen; json where they have nothing in common."""
        inner = self._present()
        return OptionalOf(inner) if self.nulls else inner

    def _present(self) -> Type:
        scalars = {_SCALARS[kind] for kind in self.scalars}
        shapes = len(scalars) + bool(self.lists) + bool(self.objects)
        if shapes != 1:
            return JSON
        if scalars:
            return scalars.pop()
        if self.objects:
            return RecordOf({name: self._field(seen) for name, seen in self.fields.items()})
        element = NEVER
        if self.elements is not None and self.elements.total:
            element = self.elements.type()
        return ListOf(JSON if is_optional(element) else element)

    def _field(self, seen: _Seen) -> Type:
        return seen.type() if seen.total == self.objects else OptionalOf(seen.type())


def merge_value_types(values: Iterable[Any]) -> Type:
    """The type that holds every one of these JSON values.

    A null makes the type optional, a field that some objects lack is optional, values of
    different kinds in one place are json. No values at all are json.
    """
    seen = _Seen()
    for value in values:
        seen.add(value)
    return seen.type()


def type_of_json_schema(schema: Any) -> Type:
    """The type of the values that a JSON Schema admits; json wherever it does not say."""
    return _schema_type(schema, 0)


def _schema_type(schema: Any, depth: int) -> Type:
    if not isinstance(schema, Mapping) or depth > _MAX_SCHEMA_DEPTH:
        return JSON
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return _union(({**schema, "type": kind} for kind in kinds), depth)
    for word in ("anyOf", "oneOf"):
        if kinds is None and isinstance(schema.get(word), list):
            return _union(schema[word], depth)
    if isinstance(kinds, str) and kinds in _SCHEMA_SCALARS:
        return _SCHEMA_SCALARS[kinds]
    if kinds == "array":
        element = _schema_type(schema.get("items"), depth + 1)
        return ListOf(JSON if is_optional(element) else element)
    if kinds == "object" and isinstance(schema.get("properties"), Mapping):
        return _object_type(schema, depth)
    if kinds is None and ("enum" in schema or "const" in schema):
        return merge_value_types(schema.get("enum", [schema.get("const")]))
    return JSON


def _object_type(schema: Mapping[str, Any], depth: int) -> Type:
    required = schema.get("required")
    needed = set(required) if isinstance(required, list) else set()
    fields: dict[str, Type] = {}
    for name, inner in schema["properties"].items():
        type_ = _schema_type(inner, depth + 1)
        fields[str(name)] = type_ if name in needed else OptionalOf(type_)
    return RecordOf(fields)


def _union(schemas: Iterable[Any], depth: int) -> Type:
    optional = False
    found: Type = NEVER
    for schema in schemas:
        if isinstance(schema, Mapping) and schema.get("type") == "null":
            optional = True
            continue
        type_ = _schema_type(schema, depth + 1)
        optional = optional or is_optional(type_)
        found = join(found, strip_optional(type_)) or JSON
    found = JSON if found == NEVER else found
    return OptionalOf(found) if optional else found
