"""The data of the sample browser: evaluated rows with every model's answers, within a budget.

It is embedded as JSON that no parser can take for markup. Where everything does not fit, scores of
all answers stay and texts go, those of rows that did not change first; the page says how many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from rftspec.report.charts import model_paints
from rftspec.report.evidence import Answer, Evidence, failures_of
from rftspec.report.numbers import headline_metric, passes, row_passes
from rftspec.report.subjects import Column, Subjects, split_columns

BUDGET = 3_500_000
"""Bytes of JSON that the browser's data may take."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The browser's data, and what was left out of it."""

    json: Markup
    answers: int
    texts_left_out: int
    splits: tuple[str, ...]


def embed(evidence: Evidence, subjects: Subjects, budget: int = BUDGET) -> Embedded:
    """The browser's data: the headline's split first, then the other one as last evaluated."""
    views = [_view(evidence, subjects.split, subjects.columns)] if subjects.split else []
    if subjects.split == "test":
        columns = split_columns(evidence, "validation")
        if columns:
            views.append(_view(evidence, "validation", columns))
    answers = sum(len(found) for view in views for row in view["rows"] for found in row["answers"])
    left_out = _fit(views, budget)
    data = {
        "format": "rftspec.samples/1",
        "pass": headline_metric(evidence),
        "metrics": list(evidence.plan.evaluate.metrics),
        "graders": list(evidence.plan.graders),
        "reward_range": list(evidence.plan.reward_range),
        "views": views,
    }
    splits = tuple(view["split"] for view in views)
    return Embedded(Markup(as_script(data)), answers, left_out, splits)


def as_script(value: Any) -> str:
    """JSON that may stand in a script element: no `<`, no line separators, no lone surrogates."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def _view(evidence: Evidence, split: str | None, columns: Sequence[Column]) -> dict[str, Any]:
    """One split: its models, and its rows with their answers by model."""
    paints = model_paints(Subjects(split, tuple(columns), final=True))
    rows = sorted({row for column in columns for row in column.answers})
    name = str(split)
    return {
        "split": name,
        "models": [
            {
                "key": column.key,
                "label": column.label,
                "role": column.role,
                "note": column.note,
                "paint": paints[column.key],
            }
            for column in columns
        ],
        "rows": [
            {
                "row": row,
                "id": evidence.row_id(name, row),
                "item": dict(evidence.item(name, row)),
                "passes": [row_passes(evidence, c.answers.get(row, ())) for c in columns],
                "answers": [
                    [_answer(evidence, a) for a in column.answers.get(row, ())]
                    for column in columns
                ],
            }
            for row in rows
        ],
    }


def _answer(evidence: Evidence, answer: Answer) -> dict[str, Any]:
    """One answer, its names short because there are thousands."""
    out: dict[str, Any] = {
        "i": answer.index,
        "text": answer.text,
        "tokens": answer.tokens,
        "reward": round(answer.reward, 6),
        "pass": passes(evidence, answer),
        "scores": [_number(answer.scores.get(n, {}).get("value")) for n in evidence.plan.graders],
        "metrics": [_number(answer.metrics.get(n)) for n in evidence.plan.evaluate.metrics],
    }
    if answer.finish != "stop":
        out["finish"] = answer.finish
    failures = failures_of(answer)
    if failures:
        out["errors"] = [
            {"grader": grader, "kind": kind, "detail": detail} for grader, kind, detail in failures
        ]
    return out


def _fit(views: Sequence[Mapping[str, Any]], budget: int) -> int:
    """Drop texts until the data fits; gives how many were dropped."""
    rows = [(view, row) for view in views for row in view["rows"]]
    total = sum(len(as_script(row).encode()) for _, row in rows)
    dropped = 0
    for _, row in sorted(rows, key=_dispensable):
        if total <= budget:
            break
        for answer in (a for found in row["answers"] for a in found):
            total -= len(as_script(answer["text"]).encode())
            answer["text"] = None
            dropped += 1
    return dropped


def _dispensable(pair: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[bool, bool, int]:
    """Sorts rows that say least first: not of the headline's split, unchanged, late in the data."""
    view, row = pair
    changed = len(set(row["passes"][:2])) > 1
    return view["split"] == "test", changed, -int(row["row"])


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 6)
