"""Outputs made elsewhere, as a reference: a JSONL file matched to the rows of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rftspec.data.rows import read_rows
from rftspec.plan.model import Plan, ReferencePlan
from rftspec.record.errors import RecordError, unreadable
from rftspec.run.grade import Answer
from rftspec.run.rows import Row


def check_outputs(plan: Plan, rows: Sequence[Row]) -> None:
    """Read every file of outputs once before the run begins; raises DiagnosticError."""
    for reference in plan.evaluate.references:
        if reference.kind == "outputs":
            read_outputs(reference, rows)


def read_outputs(plan: ReferencePlan, rows: Sequence[Row]) -> list[Answer]:
    """Answers for the rows, matched by `id` or by `row`; several for one row are its samples.

    Outputs of other rows are passed over. Raises DiagnosticError R408 for a line that has no
    `output_text`, or neither `id` nor `row`, and R409 for a file that cannot be read.
    """
    path = Path(plan.path or "")
    by_id = {row.item["id"]: row for row in rows if isinstance(row.item.get("id"), str | int)}
    by_row = {row.index: row for row in rows}
    counts: Counter[int] = Counter()
    answers: list[Answer] = []
    try:
        for line, output in read_rows(path):
            text, name = output.get("output_text"), output.get("id", output.get("row"))
            if not isinstance(text, str) or not isinstance(name, str | int):
                raise _malformed(path, line)
            row = by_id.get(name) if "id" in output else by_row.get(int(name))
            if row is not None:
                answers.append(Answer(row, counts[row.index], text))
                counts[row.index] += 1
    except OSError as error:
        raise unreadable(error, path) from error
    return answers


def _malformed(path: Path, line: int) -> RecordError:
    return RecordError(
        "R408",
        f"line {line + 1} of `{path}` is no output: it needs `output_text` (a string), and `id` "
        "or `row`",
        path=path,
        hint='write lines such as {"id": "case-1", "output_text": "…"}',
    )
