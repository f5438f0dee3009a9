"""What all kinds have in common: hosted fields, names, nesting, and the schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rftspec.graders.kinds import HOSTED, KINDS
from rftspec.spec.schema import spec_schema
from tests.graders.grading import built, problems, score, warnings
from tests.spec.samples import copy_sample, edit
from tests.spec.samples import problems as spec_problems

CONCISE = "  concise:\n    type: python\n    file: ranking/concise.py\n    range: [0, 1]\n"
EXACT = {
    "type": "string_check",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
    "operation": "eq",
}


def said(folder: Path, grader: str) -> list[tuple[str, str, str | None]]:
    """Code, message and hint of all that is said when this stands for the sample's grader."""
    spec = copy_sample(folder)
    edit(spec, CONCISE, grader)
    return [(d.code, d.message, d.hint) for d in spec_problems(spec)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_the_fields_that_hosted_graders_have(kind: str) -> None:
    assert HOSTED.keys() <= KINDS[kind].schema["properties"].keys()


def test_name_and_threshold_change_no_score() -> None:
    named = {**EXACT, "name": "my grader", "pass_threshold": 0.9}
    for answer in ("x", "y"):
        assert score(named, answer, {"a": "x"}) == score(EXACT, answer, {"a": "x"})


def test_a_threshold_that_nobody_counts_is_told() -> None:
    assert warnings({**EXACT, "pass_threshold": 0.9}) == []
    inner = {"type": "multi", "graders": {"a": {**EXACT, "pass_threshold": 1}}}
    [found] = warnings({**inner, "calculate_output": "a"})
    assert (found.code, found.severity) == ("W423", "warning")
    assert found.path == "graders.g.graders.a.pass_threshold"


LABEL = "  concise:\n    name: {}\n    type: python\n"


@pytest.mark.parametrize("label", ["concise", "My first grader", "string-check", "2nd"])
def test_name_may_be_the_key_or_a_label(label: str, tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(spec, "  concise:\n    type: python\n", LABEL.format(label))
    assert spec_problems(spec) == ()


def test_name_that_an_expression_could_take_for_another_grader_is_refused(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(spec, "  concise:\n    type: python\n", LABEL.format("rank"))
    assert [d.code for d in spec_problems(spec)] == ["E412"]


def test_grader_may_be_called_like_a_function() -> None:
    """But not like one of the hosted formulas' eight: `max` would be read as the function."""
    members = dict.fromkeys(("f1", "count", "exact_match"), EXACT)
    settings = {
        "type": "multi",
        "graders": members,
        "calculate_output": "max(f1, 0) + count - exact_match * f1([1], [1])",
    }
    assert score(settings, "x", {"a": "x"}).value == 1.0
    settings["graders"] = {"max": EXACT}
    assert "E406" in {d.code for d in problems(settings)}


def test_grader_may_be_called_like_a_function_in_a_spec(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(spec, "  concise:\n", "  f1:\n")
    edit(spec, "0.1 * concise", "0.1 * f1")
    assert spec_problems(spec) == ()


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = EXACT
    for _ in range(depth):
        inner = {"type": "multi", "graders": {"m": inner}, "calculate_output": "m / 2"}
    return inner


def test_multi_nests_as_deep_as_one_likes() -> None:
    assert score(nested(5), "x", {"a": "x"}).value == 1 / 32
    assert built(nested(3)).range == (0.0, 1 / 8)


def test_multi_may_nest_in_a_spec(tmp_path: Path) -> None:
    grader = (
        "  concise:\n    type: multi\n    graders:\n      inner:\n        type: multi\n"
        "        graders:\n"
        "          a: { type: string_check, input: x, reference: x, operation: eq }\n"
        "        calculate_output: a / 2\n    calculate_output: 1 - inner\n"
    )
    assert said(tmp_path / "fine", grader) == []
    [(code, message, _)] = said(tmp_path / "bad", grader.replace("operation: eq", "operation: is"))
    assert (code, "graders.inner.graders.a.operation" in message) == ("E103", True)


def test_nested_grader_is_checked_by_an_editor_too() -> None:
    schema = spec_schema()
    validator = jsonschema.Draft202012Validator(schema)
    part = validator.evolve(schema=schema["properties"]["graders"])
    assert part.is_valid({"g": nested(3)})
    spoiled = nested(3)
    spoiled["graders"]["m"]["graders"]["m"]["calculate_outptu"] = "m"
    assert not part.is_valid({"g": spoiled})


@pytest.mark.parametrize("kind", KINDS)
def test_schema_for_editors_knows_every_kind(kind: str) -> None:
    grader = spec_schema()["properties"]["graders"]["additionalProperties"]
    assert kind in grader["properties"]["type"]["enum"]
    shown = grader["x-variants"][kind]["properties"]
    assert KINDS[kind].schema["properties"].keys() <= shown.keys()
    assert grader["x-variants"][kind]["additionalProperties"] is False


OPERATION = (
    "  concise:\n    type: string_check\n    input: x\n    reference: x\n    operation: {}\n"
)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("neq", "did you mean `ne`?"),
        ("'!='", "did you mean `ne`?"),
        ("equals", "did you mean `eq`?"),
        ("contains", "did you mean `like`?"),
        ("starts_with", "write `type: expression`"),
        ("lik", "did you mean `like`?"),
    ],
)
def test_operation_by_another_name_is_met_with_ours(wrong: str, hint: str, tmp_path: Path) -> None:
    [(code, _, said_)] = said(tmp_path, OPERATION.format(wrong))
    assert code == "E103"
    assert hint in str(said_)


@pytest.mark.parametrize(
    "members",
    [
        "[{ type: string_check, input: x, reference: x, operation: eq }]",
        "{ type: string_check, input: x, reference: x, operation: eq }",
    ],
)
def test_members_without_names_are_met_with_one_message(members: str, tmp_path: Path) -> None:
    grader = f"  concise:\n    type: multi\n    graders: {members}\n    calculate_output: a\n"
    [(code, _, hint)] = said(tmp_path, grader)
    assert code == "E104"
    assert "give each grader a name" in str(hint)


def test_member_may_be_called_type() -> None:
    """A mapping whose `type` is a grader is no grader itself."""
    settings = {"type": "multi", "graders": {"type": EXACT}, "calculate_output": "type"}
    assert score(settings, "x", {"a": "x"}).value == 1.0


def test_template_that_reads_json_where_none_is_asked_for_is_warned_of(tmp_path: Path) -> None:
    spec = copy_sample(tmp_path)
    edit(
        spec,
        CONCISE,
        OPERATION.format("eq").replace(": x\n", ": '{{ sample.output_json.y }}'\n", 1),
    )
    edit(spec, "  format:\n    type: json_schema\n", "  x-format:\n    type: json_schema\n")
    assert "graders.concise.input" in {d.path for d in spec_problems(spec) if d.code == "E410"}


def test_unknown_kind_in_a_plan_names_those_that_there_are() -> None:
    [found] = problems({"type": "strng_check"})
    assert found.code == "E405"
    assert "string_check" in found.message
