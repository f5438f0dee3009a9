"""References' outputs: every line has an answer to a row that the headline is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rftspec.data.rows import Line, scan_rows
from rftspec.spec.draft import Draft
from rftspec.spec.row_facts import Repeats, SplitFacts

HINT = 'lines such as {"id": "case-1", "output_text": "…"}, or with "row", which counts from 0'


def check_outputs(draft: Draft, splits: Mapping[str, SplitFacts]) -> None:
    """Check each file of outputs against the rows of test, else validation, else train."""
    headline = next((splits[n] for n in ("test", "validation", "train") if n in splits), None)
    if headline is None:
        return
    for path, file in draft.files.items():
        if path[:2] == ("evaluate", "references"):
            _check_file(draft, path, file, headline)


def _check_file(draft: Draft, path: tuple[str, ...], file: Path, headline: SplitFacts) -> None:
    node = draft.node(*path)
    if node is None:
        return
    shown = str(Path(draft.document.source.file).parent / str(node.value))
    facts = SplitFacts(path[2], file, shown)
    repeats = Repeats(draft.collector)
    answered: set[int] = set()
    try:
        for line in scan_rows(file, shown):
            if line.error is not None:
                repeats.add(facts, line.error)
            else:
                _check_line(facts, line, headline, repeats, answered)
    except OSError as error:
        message = f"`{node.value}` cannot be read: {error.strerror}"
        draft.collector.add(node.problem("E201", message, path=".".join(path)))
        return
    repeats.close()
    if not draft.collector.has_errors and len(answered) < headline.rows:
        _say_unanswered(draft, path, len(answered), headline)


def _check_line(
    facts: SplitFacts, line: Line, headline: SplitFacts, repeats: Repeats, answered: set[int]
) -> None:
    output = line.item or {}
    if not isinstance(output.get("output_text"), str):
        problem = facts.problem("E219", line.number, "no `output_text` with text in it", HINT)
        repeats.add(facts, problem)
    elif "id" in output:
        row = headline.ids.get(output["id"]) if isinstance(output["id"], str | int) else None
        if row is not None:
            answered.add(row)
    elif isinstance(output.get("row"), int):
        if 0 <= output["row"] < headline.rows:
            answered.add(output["row"])
    else:
        message = "neither `id` nor `row` says which row this answers"
        repeats.add(facts, facts.problem("E219", line.number, message, HINT))


def _say_unanswered(
    draft: Draft, path: tuple[str, ...], answered: int, headline: SplitFacts
) -> None:
    node = draft.node(*path)
    if node is None:
        return
    of = f"of the {headline.rows} rows of {headline.shown}"
    if answered == 0:
        message = f"`{node.value}` answers none {of}"
        draft.collector.add(node.problem("E219", message, hint=HINT, path=".".join(path)))
        return
    message = f"`{node.value}` answers {answered} {of}"
    hint = "the others are left out of this reference's column"
    draft.collector.add(
        node.problem("W220", message, hint=hint, path=".".join(path), severity="warning")
    )
