"""Answers to be graded that no run has made: given as text, as a full sample, or in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rftspec.data.rows import read_rows
from rftspec.graders.output import FinishReason, ResponseFormat, read_output
from rftspec.graders.score import Item, Sample
from rftspec.record.errors import RecordError, unreadable
from rftspec.run.rows import Row

_FORMS = (
    'write lines such as {"row": 3, "output_text": "…"}, with `id` in place of `row` where rows '
    "have ids, `item` (a whole row) in place of both, and `sample` in place of `output_text`"
)


@dataclass(frozen=True, slots=True)
class Given:
    """One answer with its row."""

    label: str
    """Which row, for a person: `row 3`, `id case-1`, `line 7`."""
    item: Item
    sample: Sample


def read_given(path: Path, rows: Sequence[Row], form: ResponseFormat | None) -> list[Given]:
    """Every answer of a JSONL file. Raises RecordError R408 and R409, with the line."""
    by_id = {row.item["id"]: row for row in rows if isinstance(row.item.get("id"), str | int)}
    by_row = {row.index: row for row in rows}
    found: list[Given] = []
    try:
        for number, line in read_rows(path):
            found.append(_given(path, number + 1, line, by_id, by_row, form))
    except OSError as error:
        raise unreadable(error, path) from error
    return found


def _given(
    path: Path,
    number: int,
    line: Mapping[str, Any],
    by_id: Mapping[Any, Row],
    by_row: Mapping[int, Row],
    form: ResponseFormat | None,
) -> Given:
    sample = sample_of(line.get("sample", line), form)
    if sample is None:
        raise _problem(path, number, "has no answer")
    if isinstance(line.get("item"), Mapping):
        return Given(f"line {number}", line["item"], sample)
    for key, rows in (("id", by_id), ("row", by_row)):
        if key in line:
            row = rows.get(line[key])
            if row is None:
                raise _problem(path, number, f"names {key} {line[key]!r}, and there is no such row")
            return Given(f"{key} {line[key]}", row.item, sample)
    raise _problem(path, number, "does not say which row it answers")


def sample_of(value: Any, form: ResponseFormat | None) -> Sample | None:
    """The Sample of an answer: `output_text` (and `output_tools`), or `choices` as chat
    completions give them; None where it is neither.
    """
    if not isinstance(value, Mapping):
        return None
    text, tools = value.get("output_text", value.get("output")), value.get("output_tools")
    finish = value.get("finish_reason")
    choices = value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        message = choices[0].get("message") or {}
        text = message.get("content") if text is None else text
        tools = message.get("tool_calls") if tools is None else tools
        finish = choices[0].get("finish_reason") if finish is None else finish
    if text is None and isinstance(tools, list):
        text = ""
    if not isinstance(text, str) or not isinstance(tools, list | None):
        return None
    reason: FinishReason = "length" if finish == "length" else "stop"
    return read_output(text, form, finish_reason=reason, output_tools=tools or ())


def _problem(path: Path, number: int, what: str) -> RecordError:
    return RecordError("R408", f"line {number} of `{path}` {what}", path=path, hint=_FORMS)
