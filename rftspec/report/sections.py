"""What each section of the page shows: numbers as written, in the order that they are read."""

from __future__ import annotations

import shlex
from typing import Any

from rftspec.report.charts import model_paints
from rftspec.report.curves import Curves
from rftspec.report.evidence import Answer, Evidence
from rftspec.report.numbers import MetricLine, Numbers, passes
from rftspec.report.reading import parse_answer
from rftspec.report.reproduce import adapter_text, command
from rftspec.report.subjects import Column, Subjects
from rftspec.report.words import (
    NARROW,
    Caution,
    Verdict,
    change_text,
    cluster_noun,
    interval_text,
    level_text,
    plural,
    range_text,
)

LISTED = 5
"""Entries of a list that the two printed cases show."""
PROMPT_SHOWN = 900


def verdict_section(
    evidence: Evidence, subjects: Subjects, numbers: Numbers, verdict: Verdict
) -> dict[str, Any]:
    """The verdict: its words, the table of metrics, where the gain comes from, two cases."""
    line = numbers.line(numbers.headline)
    gain = line.gain if line else None
    return {
        "verdict": verdict,
        "kicker": _kicker(evidence),
        "big": _big(line, subjects),
        "moved": gain,
        "metrics_title": "Every metric, every model",
        "metrics_caption": f"Dots are means over {numbers.split} rows, lines their 95 % intervals.",
        "columns": columns(subjects),
        "table": [_table_row(found, subjects, numbers.headline) for found in numbers.lines],
        "notes": [
            {"name": c["label"], "paint": c["paint"], "text": c["note"]}
            for c in columns(subjects)
            if c["note"]
        ],
        "statistics": _statistics(evidence, numbers, line),
        "split_of_gain": _split_rows(numbers, line),
        "cases": _cases(evidence, subjects, numbers),
        "cases_note": (
            "The first row of each kind in the order of the data, with the first base answer and "
            "the first tuned answer that show it."
        ),
    }


def columns(subjects: Subjects) -> list[dict[str, Any]]:
    """The models as table heads."""
    paints = model_paints(subjects)
    compared = {"base", "tuned"} <= {column.role for column in subjects.columns}
    return [
        {
            "key": column.key,
            "label": column.label,
            "paint": paints[column.key],
            "note": column.note,
            "gain_after": compared and column.role == "tuned",
        }
        for column in subjects.columns
    ]


def distrust_section(cautions: list[Caution], checked: list[str], measured: bool) -> dict[str, Any]:
    """What to distrust, and what was looked for and not found, where a gain was measured."""
    return {"cautions": cautions, "checked": checked, "measured": measured}


def take_section(evidence: Evidence, curves: Curves) -> dict[str, Any]:
    """Checkpoint, adapter and the command to run it again."""
    entries: list[dict[str, Any]] = []
    if curves.best is not None:
        value = (evidence.best or {}).get("valid_reward_mean")
        told = f", validation reward {level_text(value, False)}" if value is not None else ""
        entries.append({"name": "best checkpoint", "text": f"step {curves.best}{told}"})
    entries.append({"name": "adapter", "text": adapter_text(evidence), "code": True})
    if evidence.finished is None:
        resume = f"rftspec resume {shlex.quote(evidence.folder_name)}"
        entries.append({"name": "go on with it", "text": resume, "code": True})
    entries.append({"name": "run it again", "text": command(evidence), "code": True})
    for gate in evidence.gates:
        told = "held" if gate["passed"] else "failed"
        text = f"{str(gate['expression']).strip()}   ({gate['detail']})"
        entries.append({"name": f"gate {told}", "text": text, "code": True})
    entries.append({"name": "every answer", "text": "samples.jsonl", "code": True})
    return {"take": [{"code": False, **entry} for entry in entries]}


def _kicker(evidence: Evidence) -> str:
    plan = evidence.plan
    told = f"{plan.model.base} · {plan.train.algorithm}, {plural(plan.train.steps, 'step')}"
    control = f" · control: {plan.data.control}" if plan.data.control else ""
    return f"{told} of {plan.train.prompts_per_step} × {plan.train.samples_per_prompt}{control}"


def _big(line: MetricLine | None, subjects: Subjects) -> dict[str, str] | None:
    """The headline's two numbers, large."""
    base, tuned = subjects.role("base"), subjects.role("tuned")
    if line is None or line.gain is None or base is None or tuned is None:
        return None
    before, after = line.cell(base.key), line.cell(tuned.key)
    if before is None or after is None:
        return None
    name = "mean reward" if line.name == "reward" else line.name
    return {
        "name": name,
        "base": level_text(before.estimate, line.share),
        "tuned": level_text(after.estimate, line.share),
    }


def _table_row(line: MetricLine, subjects: Subjects, headline: str) -> dict[str, Any]:
    """One metric as a row of the table."""
    cells = []
    for column in columns(subjects):
        cell = line.cell(column["key"])
        cells.append(
            {
                "value": level_text(cell.estimate, line.share) if cell else "",
                "range": range_text(cell.interval, line.share) if cell else "",
                "gain_after": column["gain_after"],
            }
        )
    gain = line.gain
    unit = " points" if line.share else ""
    return {
        "name": "mean reward" if line.name == "reward" else line.name,
        "headline": line.name == headline,
        "cells": cells,
        "verdict": gain.verdict if gain else "",
        "gain": f"{change_text(gain.estimate, line.share)}{unit}" if gain else "",
        "gain_range": _short_interval(line) if gain else "",
        "moved": f"{gain.better} · {gain.same} · {gain.worse}" if gain else "",
    }


def _short_interval(line: MetricLine) -> str:
    assert line.gain is not None  # asked for only where there is one
    return interval_text(line.gain.interval, line.share).removeprefix(f"95{NARROW}% interval ")


def _statistics(evidence: Evidence, numbers: Numbers, line: MetricLine | None) -> str:
    """How the intervals were made, for those who ask."""
    if line is None or not line.cells:
        return ""
    found = (line.gain or line.cells[0]).interval
    by = f"clustered by {cluster_noun(evidence)}" if evidence.plan.data.disjoint else "row by row"
    told = (
        f"Mean over {plural(found.n, f'{numbers.split} row')} of the mean over a row's answers; "
        f"95{NARROW}% intervals {by} ({found.method})"
    )
    if line.gain is not None:
        told += ", differences paired by row"
    return f"{told}. They are not corrected for looking at several metrics."


def _split_rows(numbers: Numbers, line: MetricLine | None) -> list[dict[str, str]]:
    parts = numbers.gain_split
    if parts is None or line is None or line.gain is None:
        return []
    return [
        {
            "name": "answers of valid form",
            "base": level_text(parts.valid_base, True),
            "tuned": level_text(parts.valid_tuned, True),
            "part": change_text(parts.from_form, line.share),
        },
        {
            "name": f"{parts.metric} among valid answers",
            "base": level_text(parts.among_base, line.share),
            "tuned": level_text(parts.among_tuned, line.share),
            "part": change_text(parts.from_content, line.share),
        },
    ]


def _cases(evidence: Evidence, subjects: Subjects, numbers: Numbers) -> list[dict[str, Any]]:
    """The first row that flipped each way, as it stands in the record."""
    found = (
        ("right", "A case it now gets right", numbers.flips.to_right),
        ("wrong", "A case it now gets wrong", numbers.flips.to_wrong),
    )
    return [_case(evidence, subjects, kind, title, rows[0]) for kind, title, rows in found if rows]


def _case(
    evidence: Evidence, subjects: Subjects, kind: str, title: str, row: int
) -> dict[str, Any]:
    split = str(subjects.split)
    item = evidence.item(split, row)
    answers = []
    for role, wanted in (("base", kind == "wrong"), ("tuned", kind == "right")):
        column = subjects.role(role)  # type: ignore[arg-type]
        if column is not None:
            answers.append(_shown_answer(evidence, subjects, column, row, wanted))
    return {
        "kind": kind,
        "title": title,
        "id": evidence.row_id(split, row),
        "prompt": _prompt(item),
        "answers": answers,
    }


def _shown_answer(
    evidence: Evidence, subjects: Subjects, column: Column, row: int, wanted: bool
) -> dict[str, Any]:
    """A model's first answer on a row that passes, or fails, as wanted."""
    found = column.answers[row]
    answer = next((a for a in found if passes(evidence, a) == wanted), found[0])
    item = evidence.item(str(subjects.split), row)
    return {
        "label": column.label,
        "paint": model_paints(subjects)[column.key],
        "passed": passes(evidence, answer),
        "parts": _parts(answer, item),
        "text": answer.text,
    }


def _parts(answer: Answer, item: Any) -> list[dict[str, Any]]:
    """A JSON answer's texts and lists; nothing where it is no object of such."""
    value = parse_answer(answer.text)
    if not isinstance(value, dict):
        return []
    parts: list[dict[str, Any]] = []
    for key, found in value.items():
        if isinstance(found, list):
            entries = [{"text": str(e), "hit": _hit(e, item)} for e in found[:LISTED]]
            parts.append({"key": key, "entries": entries, "more": max(len(found) - LISTED, 0)})
        else:
            parts.append({"key": key, "text": str(found)})
    return parts


def _hit(entry: Any, item: Any) -> str:
    """The row's field that an entry equals: the answer that was looked for."""
    text = str(entry).strip().casefold()
    for key, value in item.items():
        known = isinstance(value, str) and key not in ("messages", "id")
        if known and text and value.strip().casefold() == text:
            return f"item.{key}"
    return ""


def _prompt(item: Any) -> str:
    """The last message from the user, cut where it is long."""
    messages = item.get("messages")
    texts = [m.get("content") for m in messages or [] if isinstance(m, dict)]
    text = next((t for t in reversed(texts) if isinstance(t, str)), "")
    return text if len(text) <= PROMPT_SHOWN else f"{text[:PROMPT_SHOWN]} …"
