"""The kinds of graders, one by one: what each scores, and how it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rftspec.expr.types import NUMBER, STRING, ListOf, RecordOf
from rftspec.graders.grading import GraderSet
from rftspec.graders.kinds import KINDS
from rftspec.graders.score import Sample, Score

ITEM = RecordOf({"answer": STRING, "n": NUMBER, "list": ListOf(STRING)})
ROW = {"answer": "Blue", "n": 2, "list": ["x"]}


def score(settings: Mapping[str, Any], sample: Sample | str, row: Any = ROW) -> Score:
    sample = Sample(sample) if isinstance(sample, str) else sample
    with GraderSet.from_json({"g": settings}, "clamp(g, -1, 1)", {}, ITEM, None) as made:
        return made.grade([sample], [row])[0].scores["g"]


def string_check(operation: str, reference: str = "{{ item.answer }}") -> dict[str, Any]:
    return {
        "type": "string_check",
        "input": "{{ sample.output_text }}",
        "reference": reference,
        "operation": operation,
    }


@pytest.mark.parametrize(
    ("operation", "text", "value"),
    [
        ("eq", "Blue", 1.0),
        ("eq", "blue", 0.0),
        ("eq", " Blue", 0.0),
        ("ne", "Blue", 0.0),
        ("ne", "blue", 1.0),
        ("like", "a Blue one", 1.0),
        ("like", "a blue one", 0.0),
        ("ilike", "a bLUE one", 1.0),
        ("ilike", "Blu", 0.0),
    ],
)
def test_string_check_compares_as_the_hosted_product_does(
    operation: str, text: str, value: float
) -> None:
    assert score(string_check(operation), text).value == value


def test_string_check_says_what_it_compared() -> None:
    told = score(string_check("eq"), "Green\n")
    assert told == Score(0.0, detail=r'"Green\n" is not "Blue"')


@pytest.mark.parametrize("operation", ["eq", "ne", "like", "ilike"])
def test_string_check_of_a_missing_variable_has_no_score(operation: str) -> None:
    settings = string_check(operation, "{{ item.list[3] }}")
    found = score(settings, "Blue")
    assert (found.value, found.error) == (None, "invalid_variable_error")
    assert found.detail == "item.list[3] is missing"


def test_string_check_of_a_missing_output_json_has_no_score() -> None:
    found = score(string_check("ne", "{{ sample.output_json.x }}"), "Blue")
    assert found.error == "invalid_variable_error"


def test_string_check_reads_tool_calls() -> None:
    call = {"type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    settings = {
        "type": "string_check",
        "input": "{{ sample.output_tools[0].function.name }}",
        "reference": "look_up",
        "operation": "eq",
    }
    assert score(settings, Sample("", output_tools=[call])).value == 1.0
    assert score(settings, Sample("")).error == "invalid_variable_error"


def test_expression_outside_its_range_is_an_error() -> None:
    settings = {"type": "expression", "expression": "item.n", "range": [0, 1]}
    found = score(settings, "x")
    assert (found.value, found.error) == (None, "other_error")
    assert found.detail == "2 is outside the range [0, 1] of this grader"


def test_expression_without_a_value_is_a_formula_error() -> None:
    settings = {"type": "expression", "expression": "1 / (item.n - 2)"}
    assert score(settings, "x").error == "formula_parse_error"


def test_row_that_is_not_as_declared_is_a_variable_error() -> None:
    settings = {"type": "expression", "expression": "item.n"}
    assert score(settings, "x", {"answer": "Blue", "list": []}).error == "invalid_variable_error"


def multi(formula: str, **graders: Any) -> dict[str, Any]:
    return {"type": "multi", "graders": graders, "calculate_output": formula}


def test_multi_computes_its_formula_over_named_graders() -> None:
    settings = multi(
        "0.25 * exact + 0.75 * min(near, 1)", exact=string_check("eq"), near=string_check("ilike")
    )
    assert score(settings, "Blue").value == 1.0
    assert score(settings, "very blue").value == 0.75
    assert score(settings, "green").value == 0.0


def test_multi_may_nest() -> None:
    settings = multi("1 - inner", inner=multi("exact / 2", exact=string_check("eq")))
    assert score(settings, "Blue").value == 0.5


def test_multi_fails_with_a_grader_that_its_formula_uses() -> None:
    broken = string_check("ne", "{{ item.list[3] }}")
    found = score(multi("1 - broken", broken=broken), "Blue")
    assert (found.value, found.error) == (None, "invalid_variable_error")
    assert found.detail == "broken: item.list[3] is missing"


def test_multi_survives_a_grader_that_its_formula_leaves_out() -> None:
    broken = string_check("ne", "{{ item.list[3] }}")
    assert score(multi("exact", broken=broken, exact=string_check("eq")), "Blue").value == 1.0


def test_python_grader_sees_sample_and_item_as_the_hosted_product_gives_them() -> None:
    source = (
        "import json\n"
        "def grade(sample, item):\n"
        "    message = sample['choices'][0]['message']\n"
        "    same = message['content'] == sample['output_text'] == item['answer']\n"
        "    return same and sample['output_json'] is None and sample['output_tools'] == []\n"
    )
    assert score({"type": "python", "source": source}, "Blue").value == 1.0


def test_python_grader_may_declare_a_wider_range() -> None:
    source = "def grade(sample, item):\n    return -0.5\n"
    assert score({"type": "python", "source": source, "range": [-1, 1]}, "x").value == -0.5
    assert score({"type": "python", "source": source}, "x").error == "other_error"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_kind_has_a_sound_schema_and_says_what_it_does(kind: Any) -> None:
    Draft202012Validator.check_schema({"type": "object", **kind.schema})
    assert kind.doc.strip()
    for name, setting in kind.schema["properties"].items():
        assert setting.get("description"), f"{kind.name}.{name} says nothing"
