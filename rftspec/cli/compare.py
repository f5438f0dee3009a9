"""`rftspec compare`: runs and evaluations against the first of them, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE, GATE
from rftspec.cli.spec import JSON

if TYPE_CHECKING:
    from rftspec.plan.difference import Change
    from rftspec.report.compare import Comparison
    from rftspec.report.entrants import Entrant
    from rftspec.report.regression import Found, Limit


MEASURED = (
    "model.base", "model.revision", "model.quantization", "response", "graders", "reward",
    "evaluate.metrics", "data.prompt", "data.disjoint", "seed", "on_error",
)  # fmt: skip
"""Settings that an evaluation depends on, beside its rows."""


@click.command(short_help="Runs and evaluations against the first, row by row.")
@click.argument("sides", metavar="A B…", nargs=-1, required=True)
@click.option(
    "--split", type=click.Choice(["test", "validation", "train"]), help="Which rows [test first]."
)
@click.option(
    "--rows", default=10, show_default=True, type=click.IntRange(0), help="Rows listed each way."
)
@click.option(
    "--fail-on-regression",
    "limits",
    multiple=True,
    metavar="MEASURE[:MARGIN]",
    help="Exit 4 if it is shown to have fallen by more than the margin; may be repeated.",
)
@JSON
def compare(
    sides: tuple[str, ...], split: str | None, rows: int, limits: tuple[str, ...], as_json: bool
) -> int:
    """Compare run folders and evaluation folders with the first of them, on the rows they share.

    A run stands for its tuned model; `RUN:base`, `RUN:step-20` or `RUN:REFERENCE` names another.
    One run alone is its base against its tuned model.

    \b
    rftspec compare runs/a runs/b
    rftspec compare runs/a:base evals/other-model
    rftspec compare runs/a runs/b --fail-on-regression top@1:0.01
    """
    from rftspec.report.compare import compare as compare_sides
    from rftspec.report.regression import check

    wanted = [_limit(text) for text in limits]
    found = [_open(text) for text in _sides(sides)]
    comparison = compare_sides(found[0], found[1:], split)
    _check_names(comparison, wanted)
    failures = [one for limit in wanted for one in check(limit, comparison)]
    changes = [_plan_changes(found[0], other, comparison.split) for other in found[1:]]
    _say(comparison, changes, failures, rows=rows, as_json=as_json)
    return GATE if any(one.failed for one in failures) else FINE


def _say(
    comparison: Comparison,
    changes: list[list[Change]],
    failures: list[Found],
    *,
    rows: int,
    as_json: bool,
) -> None:
    if as_json:
        told = comparison.to_json()
        for one, lines in zip(told["against"], changes, strict=True):
            one["plan_changes"] = [change.to_json() for change in lines]
        told["regressions"] = [one.to_json() for one in failures]
        console.say_json(told)
        return
    from rftspec.cli.compare_text import comparison_lines, gate_lines

    texts = [[change.text() for change in lines] for lines in changes]
    for line in (*comparison_lines(comparison, texts, rows=rows), *gate_lines(failures)):
        console.say(line)


def _sides(sides: tuple[str, ...]) -> tuple[str, ...]:
    """One run alone is its base against its tuned model."""
    if len(sides) > 1:
        return sides
    from rftspec.record.evaluations import is_evaluation

    folder, model = _split_model(sides[0])
    if model is not None or is_evaluation(folder):
        raise click.UsageError("name two folders: what is this one compared with?")
    return (f"{folder}:base", sides[0])


def _open(text: str) -> Entrant:
    """One side; a usage error where its folder has no such model."""
    from rftspec.report.entrants import NoSuchModel, read_entrant

    folder, model = _split_model(text)
    try:
        return read_entrant(folder, model)
    except NoSuchModel as error:
        raise click.UsageError(f"`{folder}`: {error}") from error


def _split_model(text: str) -> tuple[Path, str | None]:
    """`FOLDER:MODEL`; a folder whose own name has a colon is taken as it is."""
    whole = Path(text)
    folder, colon, model = text.rpartition(":")
    if whole.exists() or not colon or not folder or "/" in model:
        return whole, None
    return Path(folder), model or None


def _limit(text: str) -> Limit:
    from rftspec.report.regression import Limit

    try:
        return Limit.parse(text)
    except ValueError as error:
        raise click.UsageError(f"`--fail-on-regression {text}`: {error}") from error


def _check_names(comparison: Comparison, limits: list[Limit]) -> None:
    """A measure that no side has is a mistake, and not a gate that fails."""
    import difflib

    from rftspec.report.measures import measures

    known = [asked.name for asked in measures(comparison.first.plan)]
    for limit in limits:
        if limit.name not in known:
            near = difflib.get_close_matches(limit.name, known, n=1, cutoff=0.5)
            meant = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(
                f"there is no measure `{limit.name}`.{meant} There are: {', '.join(known)}"
            )


def _plan_changes(first: Entrant, other: Entrant, split: str | None) -> list[Change]:
    """What differs in the plans; where one is an evaluation, only what an evaluation depends on."""
    from rftspec.plan.difference import plan_changes
    from rftspec.record.evaluations import is_evaluation

    found = plan_changes(first.plan, other.plan)
    if not (is_evaluation(first.folder) or is_evaluation(other.folder)):
        return found
    measured = (*MEASURED, f"data.{split}")
    return [change for change in found if change.name.startswith(measured)]
