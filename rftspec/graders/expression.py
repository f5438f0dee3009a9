"""`expression`: a number computed from row and answer in the scoring language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rftspec.expr import EvalError, Expression, bounds
from rftspec.graders.building import (
    RANGE_SCHEMA,
    Builder,
    Interval,
    Settings,
    expression_values,
)
from rftspec.graders.score import Item, Sample, SampleGrader, Score
from rftspec.sandbox.protocol import clean

DOC = """\
Computes a number in the scoring language from `item` (the row) and `sample` (the answer). The
expression is checked against the types of the data and of the response schema before anything
runs. Its range comes from interval analysis; where that finds none, `range` declares it, and a
value outside is an `other_error`.
"""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "expression": {
            "type": "string",
            "description": "An expression over `item` and `sample` that gives a number.",
        },
        "range": {
            **RANGE_SCHEMA,
            "description": "Lowest and highest value; default: by interval analysis.",
        },
    },
    "required": ["expression"],
}


@dataclass(frozen=True, slots=True)
class ExpressionGrader(SampleGrader):
    """A compiled expression, ready to grade."""

    expression: Expression
    range: Interval

    def _score(self, sample: Sample, item: Item) -> Score:
        try:
            value = self.expression.evaluate(expression_values(sample, item))
        except EvalError as error:
            return Score(None, error.kind, clean(error.message))
        return number_in_range(value, self.range)


def build(settings: Settings, builder: Builder) -> ExpressionGrader:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    expression = builder.expression(settings["expression"], "expression")
    interval = builder.interval(settings.get("range"), bounds(expression, {}))
    return ExpressionGrader(expression, interval)


def number_in_range(value: Any, interval: Interval) -> Score:
    """A number as a score, an error when it lies outside the declared range."""
    number = float(value)
    low, high = interval
    if low <= number <= high:
        return Score(number)
    told = f"{number:g} is outside the range [{low:g}, {high:g}] of this grader"
    return Score(None, "other_error", told)
