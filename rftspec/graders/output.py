"""From the text that a model gave to the Sample that graders see."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from rftspec.expr.types import (
    JSON,
    STRING,
    ListOf,
    OptionalOf,
    RecordOf,
    Type,
    type_of_json_schema,
)
from rftspec.graders.schema_match import Check, compile_schema
from rftspec.graders.score import MISSING, Sample

FinishReason = Literal["stop", "length"]
ResponseFormat = Mapping[str, Any]


def schema_of(response_format: ResponseFormat | None) -> Any:
    """The JSON Schema of a `json_schema` format, nested (OpenAI) or flat (Azure); else None."""
    if response_format is None or response_format.get("type") != "json_schema":
        return None
    nested = response_format.get("json_schema")
    holder = nested if isinstance(nested, Mapping) else response_format
    return holder.get("schema", {})


def wants_json(response_format: ResponseFormat | None) -> bool:
    """Whether answers are to be JSON, so that one that is not is a `sample_parse_error`."""
    return (response_format or {}).get("type", "text") in ("json_schema", "json_object")


def sample_type(response_format: ResponseFormat | None) -> Type:
    """The type of `sample` in expressions; `output_json` has the response schema's."""
    schema = schema_of(response_format)
    output = JSON if schema is None else type_of_json_schema(schema)
    return RecordOf(
        {
            "output_text": STRING,
            "output_json": OptionalOf(output),
            "output_tools": ListOf(JSON),
            "finish_reason": STRING,
        }
    )


def read_output(
    text: str,
    response_format: ResponseFormat | None,
    *,
    finish_reason: FinishReason = "stop",
    output_tools: Sequence[Any] = (),
) -> Sample:
    """The Sample of a text; `output_json` where the format asks for JSON and the text follows it.

    JSON is strict: no NaN or Infinity, nothing around it but white space; of a repeated key the
    last value counts, as in the hosted product's own parser.
    """
    if not wants_json(response_format):
        return Sample(text, output_tools=output_tools, finish_reason=finish_reason)
    value = parse_json(text)
    schema = schema_of(response_format)
    if value is not MISSING and schema is not None and not _follows(schema, value):
        value = MISSING
    return Sample(text, value, output_tools, finish_reason)


def _follows(schema: Any, value: Any) -> bool:
    try:
        return _compiled(json.dumps(schema, sort_keys=True))(value)
    except RecursionError:
        return False


@lru_cache(maxsize=16)
def _compiled(schema: str) -> Check:
    return compile_schema(json.loads(schema))


def parse_json(text: str) -> Any:
    """The value of a text that is strict JSON, else MISSING."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return MISSING


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError("the number is too large")
    return value
