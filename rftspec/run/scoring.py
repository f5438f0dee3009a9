"""Where a run's expressions and graders are opened: graders, votes, and gates.

The plan was checked when it was compiled; what is compiled here again compiles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import (
    EvalError,
    Expression,
    compile_expression,
    extra_function,
)
from rftspec.expr.types import STRING, Type
from rftspec.graders.building import expression_values
from rftspec.graders.output import sample_type
from rftspec.graders.score import Item, Sample
from rftspec.plan.model import Plan
from rftspec.run.grade import Grading
from rftspec.run.history import History
from rftspec.run.opening import open_graders
from rftspec.run.rows import Rows
from rftspec.run.summary import GateResult

_MODELS = ("base", "tuned")


@contextmanager
def open_grading(plan: Plan, rows: Rows) -> Iterator[Grading]:
    """The plan's graders, open while the run goes."""
    item_type = rows.item_type
    graders = open_graders(plan, item_type)
    names = {"item": item_type, "sample": sample_type(plan.response.format)}
    with graders:
        yield Grading(graders, plan.response.format, Ballot(names))


@dataclass(slots=True)
class Ballot:
    """Evaluates votes; compiles each expression once."""

    names: Mapping[str, Type]
    _compiled: dict[str, Expression] = field(default_factory=dict)

    def __call__(self, expression: str, sample: Sample, item: Item) -> str | None:
        """The value of a vote's expression as canonical JSON; None where it is missing or fails."""
        if expression not in self._compiled:
            self._compiled[expression] = compile_expression(expression, self.names, result="any")
        try:
            value = self._compiled[expression].evaluate(expression_values(sample, item))
        except EvalError:
            return None
        return None if value is None else json.dumps(value, sort_keys=True)


def check_gates(plan: Plan, history: History, split: str) -> list[GateResult]:
    """Every `require:` gate on the headline's means; one that cannot be evaluated fails."""
    models = [*_MODELS, *(r.name for r in plan.evaluate.references)]
    asked: dict[str, float] = {}

    def metric(name: str, model: str) -> float:
        """The mean of a metric, or of `reward`, over the headline rows."""
        found = history.evaluation(model, split)
        value = None if found is None else found.metrics.get(name)
        if value is None:
            raise LookupError(f"`{model}` has no value of `{name}`")
        asked[f"{name} of {model}"] = value
        return value

    functions = {"metric": extra_function("metric(name: string, model: string) -> number", metric)}
    names = {name: STRING for name in models if name.isidentifier()}
    results = []
    for text in plan.require:
        asked.clear()
        try:
            gate = compile_expression(text, names, result="bool", functions=functions)
            passed = bool(gate.evaluate({name: name for name in names}))
            detail = ", ".join(f"{name} = {value:.4g}" for name, value in asked.items())
        except (EvalError, LookupError, DiagnosticError) as error:
            passed, detail = False, f"could not be evaluated: {error}"
        results.append(GateResult(text.strip(), passed, detail))
    return results
