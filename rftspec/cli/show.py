"""`rftspec show`: samples of a run in the terminal, base and tuned one above the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE, WRONG
from rftspec.cli.spec import JSON

if TYPE_CHECKING:
    from rftspec.report.answers import Shown, ShownRow, View, Wish

LIMIT = 5
FEW_ROLLOUTS = 3
"""Of a group, unless it is shown whole."""
COUNT = click.IntRange(1)


@click.command(short_help="Samples of a run in the terminal: prompt, answers, scores.")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--step",
    type=click.IntRange(0),
    help="A training step's rollouts, or what was measured after it.",
)
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), help="[of the headline]"
)
@click.option("--worst", type=COUNT, metavar="N", help="The N rows that earn least.")
@click.option("--best", type=COUNT, metavar="N", help="The N rows that earn most.")
@click.option("--flipped", is_flag=True, help="Rows that only base or only tuned gets right.")
@click.option("--row", metavar="ID", help="One row, by its id or its number.")
@click.option(
    "--where", metavar="EXPRESSION", help="Such as 'reward < 0.5', in the scoring language."
)
@click.option("--limit", "-n", type=COUNT, help=f"At most so many rows [{LIMIT}; with JSON all].")
@click.option("--full", is_flag=True, help="Prompts and answers whole, and all answers.")
@click.option("--jsonl", is_flag=True, help="One JSON object a line for each answer.")
@JSON
def show(
    run: Path, step: int | None, split: str | None, where: str | None, limit: int | None,
    full: bool, jsonl: bool, as_json: bool, **chosen: Any,
) -> int:  # fmt: skip
    """Show rows of a run: the prompt, each answer, its reward, every grader's score and why.

    Base and tuned model on the split of the headline, or the completions of one training step. The
    run may be unfinished. In --where stand reward, tokens, passed, failed, truncated, each grader
    and metric, item.… and sample.…; it speaks of the tuned model's answers.

    \b
    rftspec show runs/rare-disease-7f3a91 --flipped
    rftspec show runs/rare-disease-7f3a91 --step 40 --worst 3
    rftspec show runs/rare-disease-7f3a91 --where 'passed and tokens > 60' --full
    """
    from rftspec.record.folder import Record
    from rftspec.report.answer_filter import compile_filter
    from rftspec.report.answers import NothingToShow, Wish, open_view, pick
    from rftspec.report.listing import refuse_odd_files

    if chosen["worst"] and chosen["best"]:
        raise click.UsageError("give --worst or --best, not both")
    record = Record.open(run)
    refuse_odd_files(record)
    try:
        view = open_view(record, step=step, split=split)
        if chosen["flipped"] and len(view.models) < 2:
            raise NothingToShow("--flipped compares base and tuned; here is one model only")
        wish = Wish(**chosen)
        if where is not None:
            wish = replace(wish, keep=compile_filter(where, view))
        rows = pick(view, wish)
    except NothingToShow as nothing:
        return _nothing(str(nothing), as_json=as_json or jsonl)
    if jsonl or as_json:
        _give_json(view, rows[:limit], run, lines=jsonl)
        return FINE
    most = limit or max(chosen["worst"] or chosen["best"] or LIMIT, 1)
    _give_text(view, rows[:most], run, full=full, wish=wish)
    _closing(view, len(rows), most)
    return FINE


def _give_text(view: View, rows: Sequence[ShownRow], run: Path, *, full: bool, wish: Wish) -> None:
    from rftspec.cli.show_text import Look, head, row_lines

    whole = full or wish.row is not None
    few = FEW_ROLLOUTS if len(view.models) == 1 else 1
    look = Look(full=full, answers=None if whole else few, first=_first(wish))
    console.give(head(view, run))
    for one in rows:
        for line in row_lines(view, one, look):
            console.give(line)


def _first(wish: Wish) -> Callable[[Shown, ShownRow], float]:
    """By what a row's answers are sorted: what was asked for stands first."""
    keep = wish.keep
    if wish.worst is not None:
        return lambda shown, row: shown.answer.reward
    if wish.best is not None:
        return lambda shown, row: -shown.answer.reward
    if keep is not None:
        return lambda shown, row: 0.0 if keep(shown.answer, row.item) else 1.0
    return lambda shown, row: 0.0


def _nothing(message: str, *, as_json: bool) -> int:
    from rftspec.cli.visible import visible

    if as_json:
        console.say_failure(WRONG, f"error: {message}")
    else:
        console.complain(f"error: {visible(message)}")
    return WRONG


def _closing(view: View, found: int, most: int) -> None:
    """How many there are, and how to see more of them."""
    rows = "row" if found == 1 else "rows"
    if not found:
        console.remark(f"none of the {len(view.rows)} rows fits")
    elif found > most:
        console.remark(f"{most} of {found} {rows}; all: --limit {found}")
    if view.evidence.damaged:
        lines = "line" if view.evidence.damaged == 1 else "lines"
        console.remark(f"{view.evidence.damaged} {lines} of the record could not be read")


def _give_json(view: View, rows: Sequence[ShownRow], run: Path, *, lines: bool) -> None:
    samples = [sample for row in rows for sample in _samples(row)]
    if lines:
        for sample in samples:
            console.give(json.dumps(sample, ensure_ascii=True, allow_nan=False))
        return
    console.say_json(
        {
            "format": "rftspec.show/1",
            "run": str(run),
            "split": view.split,
            "step": view.step,
            "pass_metric": view.metric,
            "models": list(view.models),
            "rows": len(rows),
            "damaged_lines": view.evidence.damaged,
            "samples": samples,
        }
    )


def _samples(row: ShownRow) -> Iterator[dict[str, Any]]:
    """Each answer with its row: nothing has to be looked up elsewhere."""
    for one in row.answers:
        answer = one.answer
        yield {
            "split": row.split,
            "row": row.row,
            "id": row.id,
            "verdict": row.verdict or None,
            "model": one.model,
            "step": one.step,
            "index": answer.index,
            "messages": row.item.get("messages"),
            "item": {name: value for name, value in row.item.items() if name != "messages"},
            "output_text": answer.text,
            "finish_reason": answer.finish,
            "completion_tokens": answer.tokens,
            "reward": answer.reward,
            "passed": one.passed,
            "error": None if answer.error is None else dict(answer.error),
            "scores": {name: dict(score) for name, score in answer.scores.items()},
            "metrics": dict(answer.metrics),
        }
