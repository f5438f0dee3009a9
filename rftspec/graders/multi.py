"""`multi`: named graders and a formula over their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Collector, DiagnosticError
from rftspec.expr import EvalError, Expression, bounds
from rftspec.expr.types import NUMBER
from rftspec.graders.building import Builder, Interval, Settings, expression_values
from rftspec.graders.expression import number_in_range
from rftspec.graders.score import Grader, Item, Sample, Score
from rftspec.sandbox.protocol import clean

DOC = """\
Combines named graders with a formula in the scoring language. The names are the formula's
variables, beside `item` and `sample`; the hosted product's formulas are valid as they are. When a
grader that the formula uses has failed, so has the multi grader, with that grader's error.
"""

_NAMED = (
    "give each grader a name, the variable of `calculate_output`: "
    "`graders: { exact: { type: … }, near: { type: … } }`"
)

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "graders": {
            "type": "object",
            "minProperties": 1,
            "x-meant": {
                "array": _NAMED,
                "one": _NAMED,
            },
            "additionalProperties": {
                "type": "object",
                "properties": {"type": {"type": "string"}},
                "required": ["type"],
            },
            "description": "Graders by name; the names are the variables of the formula.",
        },
        "calculate_output": {
            "type": "string",
            "description": "A formula over the graders' names that gives a number.",
        },
    },
    "required": ["graders", "calculate_output"],
}


@dataclass(frozen=True, slots=True)
class MultiGrader:
    """Graders and their formula, ready to grade."""

    graders: Mapping[str, Grader]
    formula: Expression
    range: Interval

    def grade(self, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
        """The formula's value for each sample."""
        columns = {name: g.grade(samples, items) for name, g in self.graders.items()}
        return [
            self._score({name: column[i] for name, column in columns.items()}, sample, item)
            for i, (sample, item) in enumerate(zip(samples, items, strict=True))
        ]

    def close(self) -> None:
        """Close the graders inside."""
        for grader in self.graders.values():
            grader.close()

    def _score(self, scores: Mapping[str, Score], sample: Sample, item: Item) -> Score:
        values = expression_values(sample, item)
        for name, score in scores.items():
            if name not in self.formula.names:
                continue
            if score.value is None:
                detail = clean(f"{name}: {score.detail or score.error}")
                return Score(None, score.error, detail)
            values[name] = score.value
        try:
            value = self.formula.evaluate(values)
        except EvalError as error:
            return Score(None, error.kind, clean(error.message))
        return number_in_range(value, self.range)


def build(settings: Settings, builder: Builder) -> MultiGrader:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    # imported here because the registry of kinds names this module
    from rftspec.graders.kinds import build_graders

    found = Collector()
    graders: Mapping[str, Grader] = {}
    try:
        graders = build_graders(settings["graders"], builder.at("graders"))
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    names = dict.fromkeys(settings["graders"], NUMBER)
    try:
        formula = builder.expression(settings["calculate_output"], "calculate_output", names)
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    found.raise_errors()
    interval = bounds(formula, {name: grader.range for name, grader in graders.items()})
    return MultiGrader(graders, formula, interval)
