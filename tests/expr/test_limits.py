"""Costs are bounded before anything runs."""

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import EvalError, compile_expression
from rftspec.expr.library.shelf import MAX_TEXT
from rftspec.expr.types import BOOL, JSON, NUMBER, STRING

NAMES = {"x": NUMBER, "t": STRING, "p": BOOL, "j": JSON}


def _codes(text):
    with pytest.raises(DiagnosticError) as raised:
        compile_expression(text, NAMES, result="any")
    return [d.code for d in raised.value.diagnostics]


@pytest.mark.parametrize(
    "text",
    [
        '"' + "a" * 9000 + '"',
        "a" * 1_000_000,
        "(" * 10_000 + "1" + ")" * 10_000,
        "é" * 4097,
    ],
    ids=["literal", "name", "parentheses", "bytes, not characters"],
)
def test_long_texts_are_refused_unread(text):
    assert _codes(text) == ["E304"]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 65 + "1" + ")" * 65,
        "-" * 100 + "x",
        "not " * 100 + "p",
        "if p then " * 100 + "1" + " else 0" * 100,
        "".join(f"let y{i} = 1 in " for i in range(100)) + "x",
        "[" * 100 + "]" * 100,
        "x" + " ^ x" * 100,
        "abs(" * 100 + "x" + ")" * 100,
        "j" + ".a" * 100,
        "j" + "[0]" * 100,
    ],
    ids=lambda text: text[:12],
)
def test_deep_nesting_is_refused(text):
    assert _codes(text) == ["E305"]


def test_nesting_up_to_the_limit_runs():
    for text in ("(" * 64 + "x" + ")" * 64, "-" * 62 + "x", "abs(" * 62 + "x" + ")" * 62):
        assert compile_expression(text, NAMES).evaluate({"x": 2}) == 2


def test_nested_chains_at_the_limit_run_in_both_evaluators():
    text = "x"
    for _ in range(31):
        text = f"(1 + 1 + 1 + 1 + {text})"
    expression = compile_expression(text, NAMES)
    assert expression.evaluate({"x": 1}) == expression.evaluate_by_walking({"x": 1}) == 125


def test_long_sums_are_not_deep():
    text = " + ".join(["x"] * 1000)
    expression = compile_expression(text, NAMES)
    assert expression.evaluate({"x": 2}) == 2000
    assert expression.evaluate_by_walking({"x": 2}) == 2000
    assert compile_expression(" and ".join(["p"] * 1000), NAMES, result="bool").evaluate(
        {"p": True}
    )


def test_texts_cannot_be_made_to_explode():
    expression = compile_expression('len(replace(t, "a", t))', NAMES)
    with pytest.raises(EvalError, match="characters long"):
        expression.evaluate({"t": "a" * (MAX_TEXT // 100)})
    doubled = "t"
    for place in range(30):
        doubled = f"concat({doubled}, t)" if place else "concat(t, t)"
    with pytest.raises(EvalError, match="characters long"):
        compile_expression(f"len({doubled})", NAMES).evaluate({"t": "a" * 1_000_000})


def test_deep_json_is_missing_or_compared_without_a_crash():
    deep = "[" * 100_000
    assert compile_expression("json(t)", NAMES, result="any").evaluate({"t": deep}) is None


def test_long_lists_are_ranked_in_linear_time():
    names = {"xs": compile_expression('["a"]', {}, result="any").type}
    expression = compile_expression(
        'len(unique(xs)) + dup_count(xs) + f1(xs, xs) + (rank_of("z", xs) ?? 0)', names
    )
    xs = [str(i % 50_000) for i in range(100_000)]
    assert expression.evaluate({"xs": xs}) == 100_001
