"""A field of the spec, declared once: dataclass field, JSON Schema, default with reason, docs.

A section of the spec is a frozen dataclass whose fields are made by `setting`. The annotation gives
the schema's type; keywords of `setting` add the rest. `object_schema` reads the schema off a class,
`build` makes an instance from checked JSON values, and the documentation walks the same schema.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

REQUIRED: Any = object()
"""The default of a field that has none."""

Schema = dict[str, Any]
_SCALARS = {int: "integer", float: "number", str: "string", bool: "boolean"}


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What `setting` was told about a field."""

    doc: str
    reason: str
    example: Any
    schema: Mapping[str, Any]
    replace: Mapping[str, Any] | None


def setting(
    doc: str,
    *,
    default: Any = REQUIRED,
    reason: str = "",
    example: Any = None,
    replace: Mapping[str, Any] | None = None,
    **schema: Any,
) -> Any:
    """Declare a field: its one-sentence doc, default with reason, and schema keywords.

    `schema` adds to what the annotation gives; `replace` stands in its place. Keywords that are no
    Python names are given in `replace`.
    """
    metadata = {"setting": Setting(doc, reason, example, schema, replace)}
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    if isinstance(default, type):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def object_schema(cls: type) -> Schema:
    """The JSON Schema of a section: its fields, what is required, and nothing else but `x-…`."""
    hints = typing.get_type_hints(cls)
    properties: Schema = {}
    required: list[str] = []
    for name, field, told in settings_of(cls):
        properties[name] = _field_schema(hints[name], field, told)
        if is_required(field):
            required.append(name)
    schema: Schema = {"type": "object"}
    if cls.__doc__:
        schema["description"] = cls.__doc__.splitlines()[0]
    schema["properties"] = properties
    schema["patternProperties"] = {"^x-": {}}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def settings_of(cls: Any) -> list[tuple[str, dataclasses.Field[Any], Setting]]:
    """The declared fields of a section, in order."""
    return [
        (field.name, field, field.metadata["setting"])
        for field in dataclasses.fields(cls)
        if "setting" in field.metadata
    ]


def is_required(field: dataclasses.Field[Any]) -> bool:
    """True for a field without a default."""
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def default_of(field: dataclasses.Field[Any]) -> Any:
    """A field's default as a JSON value; a section's default is its own defaults."""
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return None
    if dataclasses.is_dataclass(value):
        return None
    return list(value) if isinstance(value, tuple) else value


def build(cls: type, values: Mapping[str, Any]) -> Any:
    """An instance of a section from JSON values that its schema has accepted."""
    hints = typing.get_type_hints(cls)
    given = {
        name: _value(hints[name], values[name]) for name, _, _ in settings_of(cls) if name in values
    }
    return cls(**given)


def _field_schema(hint: Any, field: dataclasses.Field[Any], told: Setting) -> Schema:
    schema = dict(told.replace) if told.replace is not None else _schema_of_hint(hint)
    schema.update({_keyword(name): value for name, value in told.schema.items()})
    schema["description"] = told.doc
    default = default_of(field)
    if default is not None:
        schema["default"] = default
    if told.reason:
        schema["x-reason"] = told.reason
    if told.example is not None:
        schema["examples"] = [told.example]
    return schema


def _keyword(name: str) -> str:
    """`exclusive_minimum` → `exclusiveMinimum`; `x_path` → `x-path`."""
    if name.startswith("x_"):
        return name.replace("_", "-")
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _schema_of_hint(hint: Any) -> Schema:
    if hint is Any:
        return {}
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return object_schema(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _schema_of_hint(arguments[0])}
    if origin in (Union, types.UnionType):
        return _union_schema([part for part in arguments if part is not types.NoneType])
    value = _schema_of_hint(arguments[1]) if len(arguments) > 1 else {}
    return {"type": "object", "additionalProperties": value}


def _union_schema(parts: list[Any]) -> Schema:
    """Parts of different JSON types in one schema: keywords of one type leave the others alone."""
    if len(parts) == 1:
        return _schema_of_hint(parts[0])
    merged: Schema = {}
    kinds: list[str] = []
    for part in parts:
        schema = _schema_of_hint(part)
        kinds.append(schema.pop("type"))
        merged.update(schema)
    return {"type": kinds, **merged}


def _value(hint: Any, value: Any) -> Any:
    """A JSON value in the form that a field's annotation asks for."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _union_value(arguments, value)
    if origin is tuple:
        return tuple(_value(arguments[0], item) for item in value)
    if hint is float:
        return float(value)
    if isinstance(value, dict) and len(arguments) == 2:
        return {name: _value(arguments[1], item) for name, item in value.items()}
    return value


def _union_value(arguments: tuple[Any, ...], value: Any) -> Any:
    """The first part of a union that takes the value's JSON type."""
    if value is None:
        return None
    for part in arguments:
        is_section = dataclasses.is_dataclass(part)
        is_list = typing.get_origin(part) is tuple
        if isinstance(value, dict) and is_section:
            return _value(part, value)
        if isinstance(value, list) and is_list:
            return _value(part, value)
        if isinstance(value, int | float) and not isinstance(value, bool) and part is float:
            return float(value)
    return value
