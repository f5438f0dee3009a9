"""json_schema: valid or not, credit by required paths that no trick raises, and bounded."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rftspec.graders.grading import GraderSet
from rftspec.graders.schema_match import compile_schema
from rftspec.graders.schema_package import MAX_STEPS
from rftspec.graders.score import Sample
from rftspec.spec.load import load_spec
from tests.graders.grading import ANYTHING, built, problems, score
from tests.spec.samples import copy_sample, edit
from tests.spec.samples import problems as spec_problems

ADDRESS = {
    "type": "object",
    "properties": {
        "street": {"type": "string"},
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
    },
    "required": ["street", "zip"],
    "additionalProperties": False,
}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}},
        "address": ADDRESS,
    },
    "required": ["name", "age", "address"],
    "additionalProperties": False,
}
GOOD = {"name": "Ada", "age": 36, "address": {"street": "Main", "zip": "12345"}}


def grader(schema: Any = PERSON, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "schema": schema, **more}


def value(answer: Any, schema: Any = PERSON, **more: Any) -> float | None:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return score(grader(schema, **more), text).value


def changed(**more: Any) -> dict[str, Any]:
    return {k: v for k, v in {**GOOD, **more}.items() if v is not None}


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (GOOD, 1.0),
        ("  " + json.dumps(GOOD) + "\n", 1.0),
        ({**GOOD, "tags": ["x"]}, 1.0),
        (changed(age="36"), 0.0),
        (changed(name=None), 0.0),
        ("```json\n" + json.dumps(GOOD) + "\n```", 0.0),
        ("Here you are: " + json.dumps(GOOD), 0.0),
        ("", 0.0),
        ("NaN", 0.0),
        ("[" * 100_000, 0.0),
    ],
)
def test_valid_json_scores_one_and_nothing_else_does(answer: Any, wanted: float) -> None:
    assert value(answer) == wanted


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (GOOD, 1.0),
        (changed(age="36"), 3 / 4),
        (changed(age=None), 3 / 4),
        (changed(address={"street": "Main", "zip": "no"}), 3 / 4),
        (changed(address={"street": "Main"}), 3 / 4),
        # leaving an object out, or giving something else, costs all that is required in it
        (changed(address=None), 2 / 4),
        (changed(address="Main, 12345"), 2 / 4),
        ({}, 0.0),
        ([], 0.0),
        (7, 0.0),
        # what the schema forbids is one more wrong path, here and below
        (changed(hobby="x"), 4 / 5),
        (changed(address={"street": "M", "zip": "12345", "city": 1, "land": 2}), 4 / 6),
        # an optional property counts only when it is wrong
        (changed(age="36", tags=["x"]), 3 / 4),
        (changed(tags=[1]), 4 / 5),
        ("no JSON", 0.0),
    ],
)
def test_credit_by_paths_is_the_share_that_is_right(answer: Any, wanted: float) -> None:
    assert value(answer, credit="paths") == pytest.approx(wanted)


def test_whole_that_is_wrong_with_every_path_right_is_not_full_marks() -> None:
    schema = {"required": ["a"], "properties": {"a": {}}, "minProperties": 2}
    assert value({"a": 1}, schema, credit="paths") == 1 / 2
    assert value({"a": 1, "b": 2}, schema, credit="paths") == 1.0
    inside = {"required": ["x"], "properties": {"x": schema}}
    assert value({"x": {"a": 1}}, inside, credit="paths") == 1 / 2
    both = {"required": ["a", "b"], "properties": {}, "additionalProperties": {"type": "integer"}}
    assert value({"a": 1, "b": "x"}, both, credit="paths") == 0.5


def test_list_is_one_path_so_that_padding_it_pays_nothing() -> None:
    schema = {
        "required": ["xs", "y"],
        "properties": {"xs": {"type": "array", "items": {"type": "integer"}}, "y": {"const": 1}},
    }
    assert value({"xs": ["bad", *range(99)], "y": 1}, schema, credit="paths") == 0.5


def test_references_inside_the_schema_are_followed() -> None:
    schema = {
        "$defs": {"address": ADDRESS},
        "required": ["home", "work"],
        "properties": {"home": {"$ref": "#/$defs/address"}, "work": {"$ref": "#/$defs/address"}},
    }
    home = {"street": "Main", "zip": "12345"}
    assert value({"home": home, "work": home}, schema) == 1.0
    assert value({"home": home, "work": {"street": "x"}}, schema, credit="paths") == 3 / 4


def test_schema_that_refers_to_itself_has_an_end() -> None:
    schema = {
        "$defs": {"n": {"required": ["n"], "properties": {"n": {"$ref": "#/$defs/n"}}}},
        "$ref": "#/$defs/n",
    }
    assert value({"n": {"n": {}}}, schema, credit="paths") == 0.0
    assert value({"n": {"n": 3}}, schema) == 1.0, "a number has no properties to require"


def test_detail_names_the_paths_that_are_wrong() -> None:
    answer = json.dumps(changed(age="36", address={"street": 1}, hobby="x"))
    told = "age is not valid, address.street is not valid, address.zip is missing"
    assert score(grader(), answer).detail == told
    assert score(grader(), "{").detail == "not JSON"


def test_input_may_be_json_or_a_text_with_json_in_it() -> None:
    call = {"function": {"name": "f", "arguments": json.dumps(GOOD)}}
    settings = grader(input="{{ sample.output_tools[0].function.arguments }}")
    assert score(settings, Sample("", output_tools=[call])).value == 1.0
    assert score(settings, Sample("")).error == "invalid_variable_error"
    settings = grader(input="{{ sample.output_tools[0].function }}", schema={"required": ["name"]})
    assert score(settings, Sample("", output_tools=[call])).value == 1.0


def test_schema_may_be_that_of_the_response_format() -> None:
    format_ = {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}}
    graders = {"g": {"type": "json_schema", "credit": "paths"}}
    with GraderSet.from_json(graders, "g", {}, ANYTHING, format_) as made:
        assert made.grade([Sample(json.dumps(changed(age=None)))], [{}])[0].reward == 3 / 4


def test_schema_of_a_file_is_read_with_the_spec(tmp_path: Path) -> None:
    edits = ("type: python\n    file: ranking/concise.py\n    range: [0, 1]\n",)
    spec = copy_sample(tmp_path)
    edit(spec, *edits, "type: json_schema\n    file: schema.json\n")
    (tmp_path / "schema.json").write_text(json.dumps(PERSON))
    assert load_spec(spec).graders["concise"]["schema"] == PERSON
    for bad, told in (("{", "is not JSON"), ('{"type": "strin"}', "not a JSON Schema")):
        (tmp_path / "schema.json").write_text(bad)
        assert [told in d.message for d in spec_problems(spec)] == [True]
    edit(spec, "file: schema.json\n", "file: schema.json\n    schema: { type: object }\n")
    assert [d.code for d in spec_problems(spec)] == ["E111"]


@pytest.mark.parametrize("schema", ["{ pattern: '(?=a)' }", "{ not: { $ref: 'http://x/y' } }"])
def test_response_format_takes_the_same_schemas(schema: str, tmp_path: Path) -> None:
    """What grading could not read is refused before the run, not when the first answer comes."""
    spec = copy_sample(tmp_path)
    edit(spec, "properties:\n", f"properties:\n          spoiled: {schema}\n")
    assert [d.code for d in spec_problems(spec)] == ["E114"]


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "strin"}, "strin"),
        ({"pattern": "(?=a)b"}, "patterns are RE2's"),
        ({"properties": {"a": {"items": {"pattern": r"(a)\1"}}}}, "patterns are RE2's"),
        ({"patternProperties": {"(?<!a)b": {}}}, "patterns are RE2's"),
        ({"$ref": "https://example.org/schema.json"}, "leads out of the schema"),
        ({"allOf": [{"$ref": "file:///etc/passwd"}]}, "leads out of the schema"),
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
    ],
)
def test_schema_that_cannot_be_used_is_refused(schema: Any, told: str) -> None:
    [found] = problems(grader(schema))
    assert found.code == "E424"
    assert told in found.message


def test_names_and_data_are_no_keywords() -> None:
    """A property that is called `pattern`, an enum that holds `$ref`."""
    schema = {
        "properties": {"pattern": {"enum": [{"$ref": "http://x"}]}, "$ref": {"not": {}}},
        "patternProperties": {"^p": True},
    }
    assert value({"pattern": {"$ref": "http://x"}}, schema) == 1.0


def test_schema_and_credit_that_cannot_work_are_said() -> None:
    assert [d.code for d in problems({"type": "json_schema"})] == ["E424"]
    assert [d.code for d in problems({"type": "json_schema", "file": "x.json"})] == ["E424"]
    [found] = problems(grader({"type": "array"}, credit="paths"))
    assert (found.code, found.path) == ("E422", "graders.g.credit")


BACKTRACKING = {"type": "string", "pattern": "^(a+)+$"}
TWICE = {"type": "array", "items": {"$ref": "#/$defs/n"}}
EXPONENTIAL = {
    "$defs": {"n": {"anyOf": [TWICE, {**TWICE, "minItems": 1}]}},
    "$ref": "#/$defs/n",
}


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        (BACKTRACKING, "a" * 200_000 + "b"),
        (EXPONENTIAL, json.loads("[" * 60 + "1" + "]" * 60)),
        ({"uniqueItems": True, "not": False}, [*({"a": i} for i in range(50_000)), "x", "x"]),
    ],
    ids=["pattern", "references", "unique"],
)
def test_hostile_answer_takes_seconds_at_most_and_earns_nothing(schema: Any, answer: Any) -> None:
    made = built(grader(schema))
    started = time.perf_counter()
    [found] = made.grade([Sample(json.dumps(answer))], [{}])
    assert found.value == 0.0
    assert time.perf_counter() - started < 30, "a few alone, more on a machine that is busy"


def test_answer_that_takes_too_many_steps_is_not_valid() -> None:
    schema = {"items": {"not": {"type": "string"}}}
    assert value([1] * 100, schema) == 1.0
    assert value([1] * MAX_STEPS, schema) == 0.0


def test_answer_of_megabytes_has_no_score() -> None:
    found = score(grader(), '"' + "a" * 1_000_000 + '"')
    assert (found.value, found.error) == (None, "other_error")


def test_no_schema_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> Any:
        raise AssertionError("a request")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    schema = {"$dynamicRef": "https://json-schema.org/draft/2020-12/schema"}
    with pytest.raises(ValueError, match="leads out"):
        compile_schema(schema)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4)
    ),
    max_leaves=12,
)
SCHEMAS = st.recursive(
    st.sampled_from([{"type": "integer"}, {"type": "string"}, {"enum": [1, "a"]}, True, {}]),
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.just("object"),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
            "required": st.lists(st.sampled_from("abc"), unique=True, min_size=1, max_size=3),
        },
        optional={"additionalProperties": st.booleans(), "minProperties": st.integers(0, 3)},
    ),
    max_leaves=8,
).filter(lambda schema: isinstance(schema, dict) and "required" in schema)


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS, answer=VALUES)
def test_full_marks_by_paths_are_full_marks_by_the_package(schema: Any, answer: Any) -> None:
    found = value(answer, schema, credit="paths")
    assert found is not None
    assert 0.0 <= found <= 1.0
    assert (found == 1.0) == Draft202012Validator(schema).is_valid(answer)


@settings(max_examples=100, deadline=None)
@given(
    schema=SCHEMAS,
    answer=VALUES,
    name=st.sampled_from("abcde"),
    more=st.integers(0, 1) | st.text(max_size=1),
)
def test_leaving_out_what_is_required_never_pays(
    schema: Any, answer: Any, name: str, more: Any
) -> None:
    """Of two answers, the one without a required property earns no more than one with any."""
    if not isinstance(answer, dict) or name not in schema["required"]:
        return
    without = {k: v for k, v in answer.items() if k != name}
    kept = value({**without, name: more}, schema, credit="paths")
    left = value(without, schema, credit="paths")
    assert left is not None
    assert kept is not None
    assert left <= kept + 1e-12
