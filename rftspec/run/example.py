"""The first training row as the model and the graders see it; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.expr import merge_value_types
from rftspec.expr.trace import Trace
from rftspec.graders.building import expression_values
from rftspec.graders.expression import ExpressionGrader
from rftspec.graders.grading import GraderSet
from rftspec.graders.output import read_output
from rftspec.graders.score import Graded, Sample
from rftspec.plan.chat import TemplateRefused, Token
from rftspec.plan.gold import Gold, given_gold
from rftspec.plan.lengths import CHARACTERS_PER_TOKEN, Ruler
from rftspec.plan.model import Plan
from rftspec.plan.probe import asks, best_gold, spread
from rftspec.plan.survey import SurveyedRow, survey
from rftspec.run.opening import open_graders
from rftspec.run.preflight import train_items

SEARCHED = 20
"""Rows on which a gold answer is looked for, where the spec gives none."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row."""

    row: SurveyedRow
    item: Mapping[str, Any]
    text: str | None
    """The prompt after the chat template; None where the tokenizer is not at hand."""
    tokens: tuple[Token, ...]
    why: str
    """How the tokens were got, or why there are none."""
    estimate: int
    """Tokens by characters, where they are not counted."""
    gold: str | None
    """The gold answer."""
    gold_from: str
    graded: Graded | None
    """What the gold answer earns; None where there is none, or grading would ask a model."""
    traces: Mapping[str, Trace]
    """Of each expression: graders and the reward."""
    asking: str | None
    """The grader that would ask a model or a server."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        graded = self.graded
        return {
            "row": self.row.index,
            "line": self.row.line,
            "messages": self.row.messages,
            "prompt": self.text,
            "tokens": [
                {"id": t.id, "text": t.text, "special": t.special} for t in self.tokens
            ],
            "count": len(self.tokens) or self.estimate,
            "by": self.why,
            "gold": self.gold,
            "gold_from": self.gold_from,
            "grading": None if graded is None else {
                "reward": graded.reward,
                "scores": {name: score.to_json() for name, score in graded.scores.items()},
                "metrics": dict(graded.metrics),
                "error": graded.error,
            },
            "trace": {name: trace.to_json() for name, trace in self.traces.items()},
        }  # fmt: skip


def first_example(plan: Plan) -> Example:
    """The first training row, as it will be asked and graded.

    Raises DiagnosticError where the data are not what they were, or the template refuses the row.
    """
    found = survey(plan)
    row, items = found.train.rows[0], train_items(plan, found)
    item = items[0]
    text, tokens, ruler = _tokens(plan, row)
    asking = asks(plan.graders)
    gold = given_gold(plan.data.gold) if plan.data.gold is not None else None
    graded, traces = None, {}
    if asking is None:
        with open_graders(plan, merge_value_types(found.forms)) as graders:
            if gold is None:
                tried = [items[place] for place in spread(len(items), SEARCHED)]
                gold = best_gold(graders, tried, plan.response.format)
            answer = gold.text(item) if gold is not None else None
            if answer is not None:
                sample = read_output(answer, plan.response.format)
                graded = graders.grade([sample], [item])[0]
                traces = dict(_traces(graders, sample, item, graded))
    return Example(
        row=row,
        item=item,
        text=text,
        tokens=tokens,
        why=ruler.told,
        estimate=round(sum(len(str(m["content"])) for m in row.messages) / CHARACTERS_PER_TOKEN),
        gold=gold.text(item) if gold is not None else None,
        gold_from=_told(gold),
        graded=graded,
        traces=traces,
        asking=asking,
    )


def _tokens(plan: Plan, row: SurveyedRow) -> tuple[str | None, tuple[Token, ...], Ruler]:
    ruler = Ruler(plan)
    if ruler.tokenizer is None:
        return None, (), ruler
    try:
        text = ruler.tokenizer.render(row.messages)
    except TemplateRefused as error:
        message = f"the model's chat template refuses row {row.index} of train: {error}"
        hint = "some templates refuse a system message, or two messages in a row of one role"
        raise DiagnosticError([Diagnostic("M214", message, hint=hint)]) from error
    return text, tuple(ruler.tokenizer.encode(text)), ruler


def _told(gold: Gold | None) -> str:
    if gold is None:
        return "none is known: say in `data.gold` what a perfect answer is"
    return gold.told


def _traces(
    graders: GraderSet, sample: Sample, item: Mapping[str, Any], graded: Graded
) -> list[tuple[str, Trace]]:
    """The value of every part of the graders' and the reward's expressions."""
    values = expression_values(sample, item)
    found = [
        (name, grader.expression.trace(values))
        for name, grader in graders.graders.items()
        if isinstance(grader, ExpressionGrader)
    ]
    scores = {name: score.value for name, score in graded.scores.items()}
    return [*found, ("reward", graders.reward.trace({**values, **scores}))]
