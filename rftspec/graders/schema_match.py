"""JSON Schemas compiled to closures: whether a value is valid, in a microsecond or two.

The keywords that response schemas are made of are compiled; a schema with any other keyword goes
to the `jsonschema` package whole (`schema_package`), fifty times slower and with the same verdicts
(a test holds the two together).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sized
from typing import Any

from rftspec.graders.schema_package import check_by_package

Check = Callable[[Any], bool]

_ANNOTATIONS = frozenset(
    {
        "$schema", "$id", "$comment", "title", "description", "default", "examples",
        "deprecated", "readOnly", "writeOnly", "format", "propertyOrdering",
    }
)  # fmt: skip
_NUMBER = (int, float)


class _Unknown(Exception):
    """A keyword that is not compiled here, or not as it should be."""


def compile_schema(schema: Any, root: Any = None) -> Check:
    """Whether values are valid against a schema (draft 2020-12), or against a part of `root`.

    Raises ValueError with a sentence when the schema itself is malformed.
    """
    try:
        return _compile(schema)
    except (_Unknown, TypeError, KeyError, AttributeError):
        # also malformed ones: the package says what is wrong with them
        return check_by_package(schema, json_key, root)


def _compile(schema: Any) -> Check:
    if schema is True:
        return lambda value: True
    if schema is False:
        return lambda value: False
    if not isinstance(schema, Mapping):
        raise _Unknown("a schema is an object, true or false")
    checks: list[Check] = []
    for keyword, argument in schema.items():
        if keyword in _ANNOTATIONS or keyword in _WITH_PROPERTIES:
            continue
        make = _KEYWORDS.get(keyword)
        if make is None:
            raise _Unknown(keyword)
        checks.append(make(argument))
    if not _WITH_PROPERTIES.isdisjoint(schema):
        checks.append(_object(schema))
    return _all(checks)


def _all(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


_WITH_PROPERTIES = frozenset({"properties", "required", "additionalProperties"})


def _object(schema: Mapping[str, Any]) -> Check:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        raise _Unknown("malformed")
    known = {name: _compile(inner) for name, inner in properties.items()}
    others = _compile(schema.get("additionalProperties", True))
    closed = schema.get("additionalProperties", True) is not True

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for name in required:
            if name not in value:
                return False
        for name, inner in value.items():
            found = known.get(name)
            if found is not None:
                if not found(inner):
                    return False
            elif closed and not others(inner):
                return False
        return True

    return check


def _type(names: Any) -> Check:
    checks = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    if len(checks) == 1:
        return checks[0]
    return lambda value: any(check(value) for check in checks)


def _is_integer(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


_TYPES: Mapping[str, Check] = {
    "string": lambda value: type(value) is str,
    "number": lambda value: type(value) in _NUMBER,
    "integer": _is_integer,
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
}


def _items(schema: Any) -> Check:
    inner = _compile(schema)
    return lambda value: type(value) is not list or all(inner(element) for element in value)


def _any_of(schemas: Any) -> Check:
    checks = [_compile(schema) for schema in schemas]
    return lambda value: any(check(value) for check in checks)


def _all_of(schemas: Any) -> Check:
    return _all([_compile(schema) for schema in schemas])


def _enum(values: Any) -> Check:
    allowed = {json_key(value) for value in values}
    return lambda value: json_key(value) in allowed


def json_key(value: Any) -> str:
    """A text that is equal for values that JSON Schema calls equal: 1 and 1.0, not 1 and true."""
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is list:
        return [_whole(inner) for inner in value]
    if type(value) is dict:
        return {name: _whole(inner) for name, inner in value.items()}
    return value


def _unique(wanted: Any) -> Check:
    def check(value: Any) -> bool:
        return type(value) is not list or len({json_key(v) for v in value}) == len(value)

    return check if wanted else lambda value: True


def _length(kind: type[Sized], good: Callable[[int, Any], bool]) -> Callable[[Any], Check]:
    def make(limit: Any) -> Check:
        _need_number(limit)
        return lambda value: not isinstance(value, kind) or good(len(value), limit)

    return make


def _need_number(limit: Any) -> None:
    if type(limit) not in _NUMBER:
        raise _Unknown("a limit that is no number")


def _number(good: Callable[[Any, Any], bool]) -> Callable[[Any], Check]:
    def make(limit: Any) -> Check:
        _need_number(limit)
        return lambda value: type(value) not in _NUMBER or good(value, limit)

    return make


_KEYWORDS: Mapping[str, Callable[[Any], Check]] = {
    "type": _type,
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "enum": _enum,
    "const": lambda value: _enum([value]),
    "uniqueItems": _unique,
    "minItems": _length(list, lambda n, limit: n >= limit),
    "maxItems": _length(list, lambda n, limit: n <= limit),
    "minLength": _length(str, lambda n, limit: n >= limit),
    "maxLength": _length(str, lambda n, limit: n <= limit),
    "minProperties": _length(dict, lambda n, limit: n >= limit),
    "maxProperties": _length(dict, lambda n, limit: n <= limit),
    "minimum": _number(lambda x, limit: x >= limit),
    "maximum": _number(lambda x, limit: x <= limit),
    "exclusiveMinimum": _number(lambda x, limit: x > limit),
    "exclusiveMaximum": _number(lambda x, limit: x < limit),
}
