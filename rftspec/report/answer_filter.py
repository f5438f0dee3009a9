"""`rftspec show --where`: which answers to look at, said in the scoring language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftspec.expr import EvalError, TextOrigin, compile_expression, merge_value_types
from rftspec.expr.parse import RESERVED_WORDS
from rftspec.expr.types import BOOL, NUMBER, OptionalOf, Type
from rftspec.graders.building import expression_values
from rftspec.graders.output import FinishReason, read_output, sample_type
from rftspec.report.answers import Keep, View
from rftspec.report.evidence import Answer
from rftspec.report.numbers import passes

NAMES = "reward, tokens, passed, failed, truncated, each grader, each metric, item.…, sample.…"
"""What an expression may speak of, for the help."""


def compile_filter(text: str, view: View) -> Keep:
    """A test of answers from an expression that gives a bool; raises DiagnosticError.

    Names: `reward`, `tokens`, `passed` (the pass metric), `failed` (grading did), `truncated`, each
    grader and metric by its name, `item` and `sample` as graders see them. A score or a metric that
    is missing on some answer is optional. Where an expression has no value, the answer is left out.
    """
    plan = view.evidence.plan
    judged = [answer for row in view.rows for answer in row.judged]
    scored = [_scores(view, answer) for answer in judged]
    names: dict[str, Type] = {
        "item": merge_value_types(row.item for row in view.rows),
        "sample": sample_type(plan.response.format),
        **dict.fromkeys(("reward", "tokens"), NUMBER),
        **dict.fromkeys(("passed", "failed", "truncated"), BOOL),
    }
    for name in (*plan.graders, *plan.evaluate.metrics):
        if name.isidentifier() and name not in names and name not in RESERVED_WORDS:
            missing = any(found.get(name) is None for found in scored)
            names[name] = OptionalOf(NUMBER) if missing else NUMBER
    test = compile_expression(text, names, result="bool", origin=TextOrigin(text, "--where"))

    def keep(answer: Answer, item: Mapping[str, Any]) -> bool:
        finish: FinishReason = "length" if answer.finish == "length" else "stop"
        sample = read_output(answer.text, plan.response.format, finish_reason=finish)
        values = {**expression_values(sample, item), **_scores(view, answer)}
        try:
            return test.evaluate(values) is True
        except EvalError:
            return False

    return keep


def _scores(view: View, answer: Answer) -> dict[str, float | bool | None]:
    """The names that are numbers and bools; those of the record itself win over a metric's."""
    graders = {name: _number(score.get("value")) for name, score in answer.scores.items()}
    return {
        **answer.metrics,
        **graders,
        "reward": answer.reward,
        "tokens": float(answer.tokens),
        "passed": passes(view.evidence, answer),
        "failed": answer.error is not None,
        "truncated": answer.finish == "length",
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
