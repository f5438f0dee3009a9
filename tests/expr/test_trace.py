"""A trace tells the value of every part, by the reference semantics, and what did not run."""

import pytest
from hypothesis import assume, given

from rftspec.expr import EvalError, compile_expression
from rftspec.expr.trace import Trace, render_trace
from rftspec.expr.types import NUMBER, STRING, ListOf, OptionalOf, RecordOf

from .generate import environments, expressions
from .test_agreement import _compiled, relaxed

ANSWER = OptionalOf(RecordOf({"genes": ListOf(STRING)}))
HERE = {
    "item": RecordOf({"gene": STRING}),
    "sample": RecordOf({"output_json": ANSWER, "output_text": STRING}),
    "concise": NUMBER,
}
ENV = {
    "item": {"gene": "FBN1"},
    "sample": {"output_json": {"genes": ["TTN", "FBN1"]}, "output_text": "hello"},
    "concise": 0.5,
}


def _traced(text: str, env: dict = ENV) -> dict[str, Trace]:
    found = compile_expression(text, HERE).trace(env)
    return {part.text: part for part in found.walk()}


def test_every_part_has_its_value_and_its_place():
    text = "0.9 * (rank_decay(rank_of(item.gene, sample.output_json.genes)) ?? 0) + 0.1 * concise"
    parts = _traced(text)
    assert parts[text].value == pytest.approx(0.68)
    assert parts["rank_of(item.gene, sample.output_json.genes)"].value == 2
    assert parts["item.gene"].value == "FBN1"
    assert parts["concise"].value == 0.5
    for part in parts.values():
        assert text[part.start : part.end] == part.text
        # the default was not needed
        assert part.state == ("skipped" if part.text == "0" else "value")


def test_what_was_not_needed_is_told_as_not_evaluated():
    parts = _traced("if concise > 0.9 and concise > 2 then 1 / concise else (concise ^ 2)")
    assert parts["concise > 0.9"].value is False
    assert parts["concise > 2"].state == "skipped"
    assert parts["1 / concise"].state == "skipped"
    assert parts["(concise ^ 2)"].value == 0.25
    parts = _traced("rank_of('FBN1', sample.output_json.genes) ?? len(item.gene)")
    assert parts["len(item.gene)"].state == "skipped"


def test_missing_values_and_errors_are_told_where_they_arise():
    env = {**ENV, "sample": {"output_json": None, "output_text": ""}}
    parts = _traced("(len(sample.output_json.genes) ?? 0) + 1", env)
    assert parts["sample.output_json"].state == "missing"
    assert parts["len(sample.output_json.genes)"].state == "missing"
    assert parts["(len(sample.output_json.genes) ?? 0)"].value == 0
    parts = _traced("concise + sqrt(concise - 1) + len(item.gene)")
    assert parts["sqrt(concise - 1)"].error == "`x` must be 0 or more; it is -0.5"
    assert parts["concise - 1"].value == -0.5
    assert parts["len(item.gene)"].state == "skipped"
    parts = _traced("concise + 1", {})
    assert parts["concise + 1"].error == "`concise` is missing"


def test_parts_of_what_was_not_evaluated_are_not_shown():
    trace = compile_expression("if concise > 1 then sqrt(concise - 1) else 0", HERE).trace(ENV)
    shown = [line.strip().split("  ")[0] for line in render_trace(trace)[1:]]
    assert shown == ["concise > 1", "concise", "sqrt(concise - 1)"]


def test_defaults_of_parameters_are_no_parts_of_the_text():
    trace = compile_expression("rank_decay(concise + 1)", HERE).trace(ENV)
    assert [part.text for part in trace.parts] == ["concise + 1"]


@relaxed
@given(expressions(), environments())
def test_a_trace_ends_as_the_evaluation_does(text, env):
    expression = _compiled(text)
    assume(expression is not None)
    trace = expression.trace(env)
    try:
        wanted = ("value", expression.evaluate(env), None)
    except EvalError as error:
        wanted = ("error", None, error.message)
    assert (trace.state, trace.value, trace.error) == wanted
    assert render_trace(trace)
    assert trace.to_json()["state"] == trace.state


def test_text_shows_each_part_once_with_its_outcome():
    text = """
    # how high?
    let rank = rank_of(item.gene, sample.output_json.genes) in   # from 1
      (rank_decay(rank) ?? 0) * (if concise > 2 then 1 else sqrt(concise - 1))"""
    lines = render_trace(compile_expression(text, HERE).trace(ENV), width=80)
    assert lines == [
        "let rank = rank_of(item.gene, sample.output_jso…  ! `x` must be 0 or more; it is -0.5",
        "  rank_of(item.gene, sample.output_json.genes)    = 2",
        '    item.gene                                     = "FBN1"',
        '    sample.output_json.genes                      = ["TTN", "FBN1"]',
        "  (rank_decay(rank) ?? 0) * (if concise > 2 the…  ! `x` must be 0 or more; it is -0.5",
        "    (rank_decay(rank) ?? 0)                       = 0.7",
        "      rank_decay(rank)                            = 0.7",
        "        rank                                      = 2",
        "    (if concise > 2 then 1 else sqrt(concise - …  ! `x` must be 0 or more; it is -0.5",
        "      concise > 2                                 = false",
        "        concise                                   = 0.5",
        "      sqrt(concise - 1)                           ! `x` must be 0 or more; it is -0.5",
        "        concise - 1                               = -0.5",
        "          concise                                 = 0.5",
    ]
