"""The JSON Schema of a spec, for editors and for the structure check; made from the fields."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from rftspec.graders.kinds import FORMULA_FUNCTIONS, KINDS
from rftspec.graders.score import ErrorKind
from rftspec.spec.fields import object_schema
from rftspec.spec.model import Spec

_WORDS = ("let", "in", "if", "then", "else", "and", "or", "not", "true", "false")
MAX_GRADERS = 256
SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"


@cache
def spec_schema() -> dict[str, Any]:
    """The whole schema (draft 2020-12); a fresh reading of it must not be changed."""
    schema: dict[str, Any] = {"$schema": SCHEMA_ID, "title": "rftspec spec, version 1"}
    schema.update(object_schema(Spec))
    graders = schema["properties"]["graders"]
    graders.update(
        {
            "minProperties": 1,
            "maxProperties": MAX_GRADERS,
            "propertyNames": _grader_names(),
            "additionalProperties": grader_schema(),
        }
    )
    references = schema["properties"]["evaluate"]["properties"]["references"]
    references["propertyNames"] = {
        "maxLength": 64,
        "not": {"enum": ["base", "tuned"]},
        "x-reserved": {"base": "the base model's name", "tuned": "the tuned model's name"},
    }
    metrics = schema["properties"]["evaluate"]["properties"]["metrics"]
    metrics["propertyNames"] = _metric_names()
    return schema


def _metric_names() -> dict[str, Any]:
    """A metric stands in the record beside numbers that every evaluation has."""
    reserved = {"reward": "shown anyway"}
    for name in ("completion_tokens_mean", "truncated_share", "error_share"):
        reserved[name] = "a number that every evaluation has"
    for kind in get_args(ErrorKind):
        for name in (f"{kind}_count", f"{kind}_mean"):
            reserved[name] = "a number that every evaluation has"
    return {
        "maxLength": 64,
        "not": {"anyOf": [{"enum": list(reserved)}, {"pattern": "^graders/"}]},
        "x-reserved": reserved,
        "x-reserved-start": "graders/",
    }


GRADER: Mapping[str, Any] = {"$ref": "#/properties/graders/additionalProperties"}
"""A grader inside a grader: as one at the top."""


@cache
def grader_schema() -> dict[str, Any]:
    """The schema of one grader: `type` picks the kind, and each kind owns its part."""
    variants = {name: _closed(kind.schema, name) for name, kind in KINDS.items()}
    members = {
        **variants["multi"]["properties"]["graders"],
        "minProperties": 1,
        "maxProperties": MAX_GRADERS,
        "propertyNames": _grader_names(),
        "additionalProperties": GRADER,
    }
    variants["multi"]["properties"]["graders"] = members
    return {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": list(KINDS), "x-noun": "a grader type"}},
        "required": ["type"],
        "x-variants": variants,
        "x-noun": "grader",
        "allOf": [
            {"if": {"properties": {"type": {"const": name}}}, "then": variant}
            for name, variant in variants.items()
        ],
    }


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, or the one that it refers to."""
    return grader_schema() if schema == GRADER else schema


def _closed(fragment: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A kind's fragment as an object schema that knows `type`, `x-…` and nothing else."""
    schema = {"type": "object", **fragment}
    schema["properties"] = {"type": {"const": name}, **fragment.get("properties", {})}
    schema.setdefault("patternProperties", {"^x-": {}})
    schema.setdefault("additionalProperties", False)
    return schema


def _grader_names() -> dict[str, Any]:
    reserved = _reserved_names()
    return {
        "pattern": "^[A-Za-z][A-Za-z0-9_]*$",
        "maxLength": 64,
        "not": {"enum": sorted(reserved)},
        "x-reserved": reserved,
    }


def _reserved_names() -> dict[str, str]:
    """Names that mean something else in an expression."""
    reserved = dict.fromkeys(FORMULA_FUNCTIONS, "a function of the scoring language")
    reserved.update(dict.fromkeys(_WORDS, "a word of the scoring language"))
    reserved.update({"item": "the row", "sample": "the answer", "reward": "the reward itself"})
    return reserved
