"""Closures, the tree walk and the interval analysis agree on random expressions.

The same 250 each time; RFTSPEC_EXAMPLES=10000 tries that many new ones.
"""

import math
import os

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import EvalError, bounds, compile_expression
from rftspec.expr.parse import parse

from .generate import NAMES, environments, expressions

RANGES = {"a": (-4.0, 4.0), "b": (0.0, 1.0)}
relaxed = settings(
    max_examples=int(os.environ.get("RFTSPEC_EXAMPLES", "250")),
    derandomize="RFTSPEC_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def _compiled(text):
    try:
        return compile_expression(text, NAMES, result="any")
    except DiagnosticError as error:
        # random constants divide by zero; nothing else may be wrong with these texts
        codes = {d.code for d in error.diagnostics if d.severity == "error"}
    assert codes == {"E331"}
    return None


def _outcome(evaluate, env):
    try:
        return ("value", evaluate(env))
    except EvalError as error:
        return ("error", error.kind, error.reason, error.message, error.start, error.end)


@relaxed
@given(expressions(), environments())
def test_closures_do_what_the_tree_walk_does(text, env):
    expression = _compiled(text)
    assume(expression is not None)
    walked = _outcome(expression.evaluate_by_walking, env)
    assert _outcome(expression.evaluate, env) == walked


@relaxed
@given(expressions(), st.lists(environments(), min_size=1, max_size=4))
def test_values_are_finite_and_lie_within_the_bounds(text, envs):
    expression = _compiled(text)
    assume(expression is not None)
    low, high = bounds(expression, RANGES)
    for env in envs:
        outcome = _outcome(expression.evaluate, env)
        if outcome[0] == "value":
            assert math.isfinite(outcome[1])
            assert low <= outcome[1] <= high
        else:
            assert 0 <= outcome[4] <= outcome[5] <= len(text)


@relaxed
@given(
    st.text(max_size=60)
    | st.text(st.sampled_from("ab1.()[]+-*/^?<=,'\" \nlet in if\\"), max_size=40)
)
def test_any_text_is_an_expression_or_a_diagnostic_with_a_place(text):
    try:
        compile_expression(text, NAMES, result="any")
    except DiagnosticError as error:
        for found in error.diagnostics:
            assert found.code.startswith("E3")
            assert found.span is not None
            assert found.span.line <= text.count("\n") + 1


@relaxed
@given(
    expressions(), st.integers(0, 400), st.sampled_from(["", "(", ")", ",", " or ", "x", "1", "."])
)
def test_damaged_expressions_give_one_syntax_error_inside_the_text(text, place, patch):
    assume(place < len(text))
    damaged = text[:place] + patch + text[place + 1 :]
    try:
        parse(damaged)
    except Exception as failure:
        problem = failure.problem
        assert 0 <= problem.start <= problem.end <= len(damaged)
