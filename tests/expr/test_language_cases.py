"""The language does what the table of cases says, in both evaluators."""

import math

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import EvalError, Expression, compile_expression

from .table import read_table, with_changes

NAMES, VALUES, CASES = read_table()


def _id(entry):
    group, case = entry
    return f"{group}: {case['e']}"


def _column(diagnostic):
    span = diagnostic.span
    return span.column if span.line == 1 else f"{span.line}:{span.column}"


def _same(found, wanted):
    if type(wanted) is bool or type(found) is bool:
        return found is wanted
    return found == wanted


def _check_refusal(case, error):
    first = next(d for d in error.diagnostics if d.severity == "error")
    assert (first.code, _column(first)) == (case["code"], case["at"]), first
    assert first.snippet is not None
    said = f"{first.message} | {first.hint}"
    assert str(case.get("says", "")) in said, said


def _check_run(case, expression: Expression, evaluate, env):
    if "fails" not in case:
        value = evaluate(env)
        if "near" in case:
            assert value == pytest.approx(case["near"], rel=1e-12)
        else:
            assert _same(value, case["v"]), value
            assert not isinstance(value, float) or math.copysign(1, value) > 0 or value != 0
        return
    with pytest.raises(EvalError) as raised:
        evaluate(env)
    error = raised.value
    assert (error.reason, error.start + 1) == (case["fails"], case["at"]), error.message
    assert str(case.get("says", "")) in error.message


@pytest.mark.parametrize("entry", CASES, ids=_id)
def test_expression_does_what_the_table_says(entry):
    _, case = entry
    env = with_changes(VALUES, case.get("with", {}))
    if "code" in case:
        with pytest.raises(DiagnosticError) as raised:
            compile_expression(case["e"], NAMES, result=case.get("gives", "any"))
        _check_refusal(case, raised.value)
        return
    expression = compile_expression(case["e"], NAMES, result=case.get("gives", "any"))
    assert [w.code for w in expression.warnings] == [w for w in [case.get("warns")] if w]
    _check_run(case, expression, expression.evaluate, env)
    _check_run(case, expression, expression.evaluate_by_walking, env)


def test_the_table_is_as_long_as_promised():
    assert len(CASES) >= 600
    texts = [(case["e"], str(case.get("with")), case.get("gives")) for _, case in CASES]
    assert len(set(texts)) == len(texts), "a case stands twice"
