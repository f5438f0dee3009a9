"""Gates: `require` expressions over `metric(name, model)`, with names that exist."""

from __future__ import annotations

from collections.abc import Mapping

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import compile_expression, extra_function
from rftspec.expr.errors import EvalError
from rftspec.expr.signature import Rule
from rftspec.expr.types import STRING
from rftspec.spec.draft import Draft
from rftspec.spec.fragments import MAX_GATES
from rftspec.spec.model import RESERVED_MODELS
from rftspec.spec.origins import origin_of
from rftspec.spec.shape import dotted

SIGNATURE = "metric(name: string, model: string) -> number"


def check_gates(draft: Draft, metrics: Mapping[str, str]) -> None:
    """Every gate is a bool, and names metrics and models that the run will have."""
    gates = draft.node("require")
    if gates is None or gates.kind != "sequence":
        return
    section = draft.node("evaluate", "metrics")
    if section is not None and (section.damaged or section.kind == "bad"):
        return  # what is wrong with the metrics is told; their names are not known
    known = ["reward", *metrics]
    models = [*RESERVED_MODELS, *(draft.get("evaluate", "references") or {})]
    rules = {
        "name": Rule(lambda name: name in known, f"one of: {', '.join(known)}"),
        "model": Rule(lambda model: model in models, f"one of: {', '.join(models)}"),
    }
    # `metric("top@1", tuned)` is as good as `metric("top@1", "tuned")`.
    names = {model: STRING for model in models if model.isidentifier()}
    functions = {"metric": extra_function(SIGNATURE, _unknown, rules=rules, doc="A run's mean.")}
    for index, node in enumerate(gates.value[:MAX_GATES]):
        if node.kind != "scalar" or not isinstance(node.value, str) or not node.value.strip():
            continue
        path = dotted(("require", str(index)))
        try:
            compile_expression(
                node.value,
                names,
                result="bool",
                origin=origin_of(node),
                path=path,
                functions=functions,
            )
        except DiagnosticError as error:
            draft.collector.extend(error.diagnostics)


def _unknown(name: str, model: str) -> float:
    """The value is known after the run, never while checking."""
    raise EvalError("formula_parse_error", "missing", "not measured yet", 0, 0)
