"""What a compiled expression tells of itself, and how it meets its environment."""

import subprocess
import sys

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import EvalError, compile_expression, extra_function
from rftspec.expr.signature import Rule
from rftspec.expr.types import BOOL, JSON, NUMBER, STRING, ListOf, OptionalOf, RecordOf

ITEM = RecordOf({"gene": STRING, "deep": RecordOf({"x": NUMBER}), "j": JSON})
NAMES = {"item": ITEM, "rank": NUMBER, "unused": NUMBER}


def test_expression_tells_the_names_and_fields_that_it_reads():
    text = 'let g = item.gene in if g == "" then rank else item.deep.x + (item.j.a[0].b ?? 0)'
    expression = compile_expression(text, NAMES)
    assert expression.names == {"item", "rank"}
    assert expression.fields == {
        ("item", "gene"),
        ("item", "deep", "x"),
        ("item", "j", "a"),
        ("rank",),
    }
    assert expression.type == NUMBER
    assert compile_expression("1", NAMES).names == frozenset()
    assert compile_expression("item.deep", NAMES, result="any").fields == {("item", "deep")}


def test_values_come_from_any_mapping_and_numbers_from_ints():
    expression = compile_expression("rank / 2", NAMES)
    assert expression.evaluate({"rank": 3, "other": object()}) == 1.5
    with pytest.raises(EvalError, match="`rank` is missing") as raised:
        expression.evaluate({})
    assert raised.value.kind == "invalid_variable_error"
    with pytest.raises(EvalError, match="`rank` is missing"):
        expression.evaluate_by_walking({})
    for value in (float("nan"), float("inf"), 10**400, True, "3", [3]):
        with pytest.raises(EvalError, match="no number"):
            expression.evaluate({"rank": value})


def test_an_error_has_a_kind_of_the_hosted_product_and_a_place():
    expression = compile_expression("1 / (rank - 2)", NAMES)
    with pytest.raises(EvalError) as raised:
        expression.evaluate({"rank": 2})
    error = raised.value
    assert (error.kind, error.reason) == ("formula_parse_error", "domain")
    assert expression.text[error.start : error.end] == "/"


def test_an_object_that_is_no_json_value_is_missing():
    class Missing:
        pass

    names = {"sample": RecordOf({"output_json": OptionalOf(JSON), "typed": OptionalOf(ITEM)})}
    env = {"sample": {"output_json": Missing(), "typed": Missing()}}
    for text in ("sample.output_json.x ?? 7", "if has(sample.typed) then 1 else 7"):
        assert compile_expression(text, names).evaluate(env) == 7


def test_an_evaluation_leaves_no_trace_in_the_next_one():
    expression = compile_expression("let x = item.deep.x in if rank > 0 then x else 0", NAMES)
    item = {"gene": "g", "deep": {"x": 5}, "j": None}
    assert [expression.evaluate({"item": item, "rank": r}) for r in (1, 0, 1)] == [5, 0, 5]


def test_extra_functions_are_checked_like_the_languages_own():
    calls = []

    def metric(name, model):
        calls.append((name, model))
        return {"tuned": 0.5, "base": 0.25}[model]

    known = Rule(lambda name: name in ("top@1", "reward"), "a metric of this spec")
    functions = {
        "metric": extra_function(
            "metric(name: string, model: string) -> number", metric, rules={"name": known}
        )
    }
    names = {"tuned": STRING, "base": STRING}
    gate = compile_expression(
        'metric("top@1", tuned) - metric("top@1", "base") >= 0.05',
        names,
        result="bool",
        functions=functions,
    )
    assert calls == []
    assert gate.evaluate({"tuned": "tuned"}) is True
    assert gate.evaluate_by_walking({"tuned": "tuned"}) is True
    assert calls[:2] == [("top@1", "tuned"), ("top@1", "base")]
    with pytest.raises(DiagnosticError, match="a metric of this spec"):
        compile_expression('metric("top", tuned) > 0', names, result="bool", functions=functions)


def test_a_function_that_returns_no_finite_number_is_an_error():
    functions = {"bad": extra_function("bad(x: number) -> number", lambda x: x * float("inf"))}
    expression = compile_expression("bad(rank)", NAMES, functions=functions)
    for evaluate in (expression.evaluate, expression.evaluate_by_walking):
        with pytest.raises(EvalError, match="too large"):
            evaluate({"rank": 1})


def test_warnings_do_not_refuse_and_have_places():
    expression = compile_expression("if 1 < 2 then rank ?? 1 else 0", NAMES)
    found = [(w.code, w.severity, w.span.column) for w in expression.warnings]
    assert found == [("E342", "warning", 4), ("E341", "warning", 20)]


def test_lists_come_back_as_lists():
    names = {"xs": ListOf(STRING), "p": BOOL}
    expression = compile_expression('if p then top_k(xs, 1) else ["z"]', names, result="any")
    assert expression.evaluate({"xs": ["a", "b"], "p": True}) == ["a"]
    assert expression.evaluate({"xs": ["a", "b"], "p": False}) == ["z"]


def test_importing_the_language_is_light():
    code = (
        "import sys, rftspec.expr;"
        "heavy = {'lark', 'jsonschema', 'torch', 'numpy', 'yaml'} & sys.modules.keys();"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
