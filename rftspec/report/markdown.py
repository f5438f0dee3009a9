"""SUMMARY.md: the verdict, the table and what to distrust, short enough for a pull request."""

from __future__ import annotations

import re

from rftspec.report.evidence import Evidence
from rftspec.report.numbers import MetricLine, Numbers
from rftspec.report.reproduce import adapter_text, command
from rftspec.report.subjects import Subjects
from rftspec.report.visible import visible
from rftspec.report.words import (
    Caution,
    Verdict,
    change_text,
    interval_text,
    level_text,
    range_text,
)

_MARKS = re.compile(r"([\\`*_\[\]<>|#~])")
CAUTIONS = 8


def render_markdown(
    evidence: Evidence,
    subjects: Subjects,
    numbers: Numbers,
    verdict: Verdict,
    cautions: list[Caution],
    missing: list[str],
) -> str:
    """The summary as Markdown; names and messages cannot become markup."""
    lines = [f"## {safe(evidence.plan.name)}: {safe(verdict.title[0].lower() + verdict.title[1:])}"]
    if verdict.change:
        lines += ["", f"**{safe(verdict.change)}**"]
    lines += ["", safe(f"{verdict.evidence} {_moved(numbers)}")]
    if numbers.lines:
        lines += ["", *_table(subjects, numbers)]
    notes = [f"- {safe(c.label)}: {safe(c.note)}" for c in subjects.columns if c.note]
    lines += ["", *notes] if notes else []
    if missing:
        lines += ["", "**Missing:**", "", *(f"- {safe(text)}" for text in missing)]
    lines += ["", "**What to distrust:**", ""]
    nothing = "Nothing stood out." if verdict.tone != "unfinished" else "No gain is measured yet."
    lines += [f"- {safe(c.text)}" for c in cautions[:CAUTIONS]] or [f"- {nothing}"]
    if len(cautions) > CAUTIONS:
        lines.append(f"- … and {len(cautions) - CAUTIONS} more in report.html")
    lines += [
        "",
        f"Adapter `{_code(adapter_text(evidence))}` · plan `{evidence.plan.hash}` · again: "
        f"`{_code(command(evidence))}`",
    ]
    return "\n".join(lines).replace("\u202f", "\u00a0") + "\n"


def safe(text: str) -> str:
    """Foreign text as one line of plain Markdown."""
    return _MARKS.sub(r"\\\1", visible(" ".join(text.split())))


def _moved(numbers: Numbers) -> str:
    """Rows that the headline metric moved, each way."""
    line = numbers.line(numbers.headline)
    if line is None or line.gain is None:
        return ""
    return f"Rows: {line.gain.better} better, {line.gain.same} same, {line.gain.worse} worse."


def _code(text: str) -> str:
    return visible(text.replace("`", "'"))


def _table(subjects: Subjects, numbers: Numbers) -> list[str]:
    """Metrics × models with intervals, and the paired gain."""
    labels = [safe(column.label) for column in subjects.columns]
    compared = any(line.gain for line in numbers.lines)
    head = ["", *labels, *(["tuned − base"] if compared else [])]
    rows = [_row(line, subjects, compared) for line in numbers.lines]
    rule = ["---", *["---:" for _ in head[1:]]]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def _row(line: MetricLine, subjects: Subjects, compared: bool) -> list[str]:
    cells = ["mean reward" if line.name == "reward" else safe(line.name)]
    for column in subjects.columns:
        cell = line.cell(column.key)
        shown = "—"
        if cell is not None:
            value = level_text(cell.estimate, line.share)
            shown = f"{value} ({range_text(cell.interval, line.share)})"
        cells.append(shown)
    if compared:
        gain = line.gain
        change = "" if gain is None else change_text(gain.estimate, line.share)
        told = "—"
        if gain is not None:
            told = f"**{change}** ({interval_text(gain.interval, line.share)})"
        cells.append(told.replace("95\u202f% interval ", ""))
    return cells
