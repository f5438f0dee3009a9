"""From text to Sample: strict JSON, and the response schema's verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rftspec.expr.types import JSON, STRING, ListOf, OptionalOf, RecordType
from rftspec.graders.output import read_output, sample_type, wants_json
from rftspec.graders.schema_match import compile_schema
from rftspec.graders.score import MISSING

SCHEMA = {
    "type": "object",
    "properties": {
        "genes": {"type": "array", "items": {"type": "string"}},
        "reasoning": {"type": "string"},
    },
    "required": ["genes"],
    "additionalProperties": False,
}
NESTED = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
FLAT = {"type": "json_schema", "name": "x", "schema": SCHEMA}


@pytest.mark.parametrize("response_format", [NESTED, FLAT])
def test_both_spellings_of_a_schema_are_read(response_format: dict[str, Any]) -> None:
    assert read_output('{"genes": ["A"]}', response_format).output_json == {"genes": ["A"]}
    assert read_output('{"genes": "A"}', response_format).output_json is MISSING
    assert wants_json(response_format)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nope",
        '{"genes": ["A"]} and more',
        '```json\n{"genes": ["A"]}\n```',
        '{"genes": ["A"], "more": 1}',
        '{"genes": [1]}',
        "{}",
        "[]",
        "null",
        "{'genes': []}",
        '{"genes": ["A"],}',
        "[" * 100_000,
        '{"genes": [' + "9" * 5000 + "]}",
    ],
)
def test_text_that_does_not_follow_the_format_has_no_output_json(text: str) -> None:
    sample = read_output(text, NESTED, finish_reason="length")
    assert sample.output_json is MISSING
    assert (sample.output_text, sample.finish_reason) == (text, "length")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", '{"a": NaN}'])
def test_numbers_that_json_does_not_have_are_no_json(text: str) -> None:
    assert read_output(text, {"type": "json_object"}).output_json is MISSING


def test_white_space_around_json_is_fine_and_the_last_of_two_keys_counts() -> None:
    text = ' {"genes": [], "genes": ["A"]}\n'
    assert read_output(text, NESTED).output_json == {"genes": ["A"]}


@pytest.mark.parametrize("response_format", [None, {"type": "text"}])
def test_without_a_json_format_nothing_is_parsed(response_format: Any) -> None:
    assert read_output('{"a": 1}', response_format).output_json is MISSING
    assert not wants_json(response_format)


def test_type_of_the_sample_follows_the_schema() -> None:
    type_ = sample_type(NESTED)
    assert isinstance(type_, RecordType)
    assert type_.fields["output_text"] == STRING
    output = type_.fields["output_json"]
    assert output.name.endswith("?")
    assert output.inner.fields["genes"] == ListOf(STRING)  # type: ignore[attr-defined]
    plain = sample_type(None)
    assert isinstance(plain, RecordType)
    assert plain.fields["output_json"] == OptionalOf(JSON)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([1.0, 0.5, -2.0, "", "a", "ab"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
LIMITS = st.integers(0, 3)
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                ["string", "number", "integer", "boolean", "null", "array", "object"]
            )
            | st.lists(st.sampled_from(["string", "integer", "null"]), min_size=1, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minLength": LIMITS,
            "maxItems": LIMITS,
            "minItems": LIMITS,
            "minimum": LIMITS,
            "exclusiveMaximum": LIMITS,
            "maxProperties": LIMITS,
            "uniqueItems": st.booleans(),
            "title": st.just("a title"),
        },
    )
    | st.booleans(),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "items": inner,
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
            "additionalProperties": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMAS, value=VALUES)
def test_compiled_schemas_agree_with_the_package(schema: Any, value: Any) -> None:
    assert compile_schema(schema)(value) == Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema", [{"type": "strin"}, {"minLength": "x"}, {"properties": []}, {"required": "a"}, 3]
)
def test_malformed_schema_is_a_value_error(schema: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compile_schema(schema)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=50))
def test_reading_never_raises_and_never_invents(text: str) -> None:
    found = read_output(text, {"type": "json_object"}).output_json
    assert found is MISSING or found == json.loads(text)
