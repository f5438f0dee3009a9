"""Formulas of the hosted product's multi grader (`calculate_output`) are valid as they are."""

import math

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import compile_expression
from rftspec.expr.format import format_expression
from rftspec.expr.types import NUMBER

SCORES = {
    "text_similarity_score": 0.5,
    "string_check_score": 1.0,
    "name": 0.8,
    "email": 0.4,
    "score_model": 7.0,
    "format": 0.0,
    "label_accuracy": 0.25,
    "semantic_score": 0.9,
    "length": 120.0,
}
NAMES = dict.fromkeys(SCORES, NUMBER)
FORMULAS = [
    # the shapes that the API reference, the guides and the cookbook show
    ("0.5 * text_similarity_score + 0.5 * string_check_score", 0.75),
    ("0.5 * text_similarity_score +  0.5 * string_check_score", 0.75),
    ("(name + email) / 2", 0.6),
    ("(name+email)/2", 0.6),
    ("name", 0.8),
    ("1", 1),
    ("0.25 * name + 0.25 * email + 0.5 * score_model / 10", 0.65),
    ("0.9 * label_accuracy + 0.1 * format", 0.225),
    ("name * email", 0.32),
    ("1 - email", 0.6),
    ("-email + 1", 0.6),
    ("- email", -0.4),
    ("name - email - format", 0.4),
    ("(score_model - 1) / 9", 2 / 3),
    ("score_model / 10 * name", 0.56),
    ("name ^ 2", 0.64),
    ("2 ^ 3 ^ 2", 512),
    ("-name ^ 2", -0.64),
    ("(name + email) ^ 0.5", math.sqrt(1.2)),
    # each of the eight functions
    ("min(name, email)", 0.4),
    ("min(name, email, format)", 0),
    ("max(name, email)", 0.8),
    ("max(0, min(1, score_model / 10))", 0.7),
    ("abs(email - name)", 0.4),
    ("floor(name)", 0),
    ("ceil(email)", 1),
    ("floor(score_model / 2) * 2", 6),
    ("exp(format)", 1),
    ("exp(-length / 1000)", math.exp(-0.12)),
    ("sqrt(name * email)", math.sqrt(0.32)),
    ("log(string_check_score)", 0),
    ("log(1 + score_model)", math.log(8)),
    ("1 / (1 + exp(-(score_model - 5)))", 1 / (1 + math.exp(-2))),
    ("0.7*semantic_score+0.3*max(format,label_accuracy)", 0.705),
    ("  0.5*name\n+ 0.5*email  ", 0.6),
    ("1e-1 * name", 0.08),
]


@pytest.mark.parametrize(("formula", "wanted"), FORMULAS, ids=[f for f, _ in FORMULAS])
def test_formula_has_the_value_of_the_hosted_product(formula, wanted):
    expression = compile_expression(formula, NAMES)
    assert expression.warnings == ()
    assert expression.evaluate(SCORES) == pytest.approx(wanted, rel=1e-12, abs=1e-15)
    assert expression.evaluate_by_walking(SCORES) == expression.evaluate(SCORES)
    again = compile_expression(format_expression(formula), NAMES)
    assert again.evaluate(SCORES) == expression.evaluate(SCORES)


def test_the_broken_example_of_the_api_reference_is_refused_at_its_parenthesis():
    text = "0.5 * text_similarity_score +  0.5 * string_check_score)"
    with pytest.raises(DiagnosticError) as raised:
        compile_expression(text, NAMES)
    (found,) = raised.value.diagnostics
    assert (found.code, found.span.column) == ("E301", text.index(")") + 1)
    assert "closes nothing" in found.message
    assert found.hint == "take it away, or add its opening bracket"


def test_names_that_are_no_graders_are_each_refused():
    text = "0.5 * text_similarity_score +  0.5 * string_check_score"
    with pytest.raises(DiagnosticError) as raised:
        compile_expression(text, {"text_similarity": NUMBER, "string_check": NUMBER})
    found = [(d.code, d.span.column, d.hint) for d in raised.value.diagnostics]
    assert found == [
        ("E311", 7, "did you mean `text_similarity`?"),
        ("E311", 38, "did you mean `string_check`?"),
    ]
