"""Schemas with keywords that are not compiled: by `jsonschema`, within bounds.

Patterns are RE2's, references stay inside the schema, elements are compared in linear time, and a
verdict that takes too many steps is that the value is not valid.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from rftspec.expr.errors import DomainError
from rftspec.expr.patterns import Pattern, PatternError, compile_pattern

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MAX_STEPS = 50_000
"""Keywords that are looked at for one value; a few seconds."""

Check = Callable[[Any], bool]
_REFERENCES = ("$ref", "$dynamicRef")
_budget = threading.local()
_patterns = cache(compile_pattern)


class _TooMuch(Exception):
    """A value would take more than MAX_STEPS."""


def check_by_package(schema: Any, key: Callable[[Any], str], root: Any = None) -> Check:
    """Whether values are valid against a schema, or against a part of the schema `root`.

    `key` gives equal texts for elements that JSON Schema calls equal. Raises ValueError with a
    sentence when the schema is malformed, or has a pattern or reference that is not taken.
    """
    # imported late: it takes longer to import than everything else that validate does
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    whole = schema if root is None else root
    try:
        Draft202012Validator.check_schema(whole)
    except SchemaError as error:
        raise ValueError(error.message) from None
    validator = _validator(whole, key)
    _refuse_parts(whole, validator)
    part = validator if root is None else validator.evolve(schema=schema)

    def check(value: Any) -> bool:
        _budget.left = MAX_STEPS
        try:
            return bool(part.is_valid(value))
        except (_TooMuch, DomainError, RecursionError):
            return False

    return check


def _validator(schema: Any, key: Callable[[Any], str]) -> Validator:
    from jsonschema import Draft202012Validator, validators
    from referencing import Registry

    own: Mapping[str, Callable[..., Any]] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "uniqueItems": _unique,
    }
    known = {**Draft202012Validator.VALIDATORS, **{n: _keyed(f, key) for n, f in own.items()}}
    bounded = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {name: _counted(keyword) for name, keyword in known.items()}
    )
    # an own registry: the default one fetches what it does not know from the network
    made: Validator = bounded(schema, registry=Registry())
    return made


def _counted(keyword: Callable[..., Any]) -> Callable[..., Any]:
    def bounded(validator: Any, argument: Any, value: Any, schema: Any) -> Any:
        _budget.left -= 1
        if _budget.left < 0:
            raise _TooMuch
        return keyword(validator, argument, value, schema)

    return bounded


def _keyed(keyword: Callable[..., Any], key: Callable[[Any], str]) -> Callable[..., Any]:
    return lambda *arguments: keyword(key, *arguments)


def _pattern(_key: Any, _validator: Any, text: str, value: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(value, str) and _patterns(text).search(value) is None:
        yield _invalid()


def _pattern_properties(
    _key: Any, validator: Any, parts: Mapping[str, Any], value: Any, _schema: Any
) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    for text, inner in parts.items():
        pattern: Pattern = _patterns(text)
        for name, element in value.items():
            if pattern.search(name) is not None:
                yield from validator.descend(element, inner, path=name, schema_path=text)


def _unique(key: Any, _validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[Any]:
    if wanted and isinstance(value, list) and len({key(v) for v in value}) < len(value):
        yield _invalid()


def _invalid() -> Any:
    from jsonschema import ValidationError

    return ValidationError("not valid")


def _refuse_parts(schema: Any, validator: Any) -> None:
    """Refuse patterns that are not RE2's and references that lead out or nowhere."""
    for name, argument in _keywords(schema):
        texts: list[Any] = []
        if name == "pattern":
            texts = [argument]
        elif name == "patternProperties" and isinstance(argument, Mapping):
            texts = list(argument)
        elif name in _REFERENCES and isinstance(argument, str):
            _refuse_reference(argument, validator)
        for text in texts:
            if isinstance(text, str):
                _refuse_pattern(text)


def _refuse_pattern(text: str) -> None:
    try:
        _patterns(text)
    except PatternError as error:
        raise ValueError(f"the pattern `{text}` is {error.message} (patterns are RE2's)") from None


def _refuse_reference(reference: str, validator: Any) -> None:
    from referencing.exceptions import Unresolvable

    if not reference.startswith("#"):
        told = f"`{reference}` leads out of the schema: only references such as `#/$defs/x` do not"
        raise ValueError(told)
    try:
        validator._resolver.lookup(reference)
    except Unresolvable:
        raise ValueError(f"`{reference}` leads nowhere in the schema") from None


_DATA = frozenset({"const", "enum", "default", "examples"})
_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every keyword of a schema and of the schemas in it; not names and not data."""
    if isinstance(schema, list):
        for inner in schema:
            yield from _keywords(inner)
    if not isinstance(schema, Mapping):
        return
    for name, argument in schema.items():
        yield name, argument
        if name in _DATA:
            continue
        named = name in _NAMED or name == "patternProperties"
        inside = list(argument.values()) if named and isinstance(argument, Mapping) else argument
        yield from _keywords(inside)
