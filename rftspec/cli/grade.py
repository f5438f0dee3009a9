"""`rftspec grade`: what the graders say of one answer, before any model is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rftspec.cli import console
from rftspec.cli.exits import WRONG
from rftspec.cli.spec import JSON, SANDBOX, SET, SPEC, Sandbox
from rftspec.cli.visible import clip, visible

if TYPE_CHECKING:
    from rftspec.graders.score import Graded, Sample
    from rftspec.plan.model import Plan

SPLITS = ("train", "validation", "test")


@click.command(short_help="Grade one answer to one row; no model is needed.")
@SPEC
@SET
@click.option("--row", default=0, show_default=True, type=click.IntRange(0), help="From 0.")
@click.option(
    "--split", type=click.Choice(SPLITS), default="train", show_default=True, help="Which file."
)
@click.option("--output", required=True, help="The answer to grade; `-` reads it from stdin.")
@SANDBOX
@JSON
def grade(
    spec: Path,
    overrides: tuple[str, ...],
    row: int,
    split: str,
    output: str,
    sandbox: Sandbox,
    as_json: bool,
) -> int:
    """Grade one answer to one row: each grader's score, the metrics, the reward."""
    from rftspec.cli.planning import plan_of

    plan = plan_of(spec, overrides=overrides, sandbox=sandbox)
    item = _row(plan, split, row)
    text = sys.stdin.read() if output == "-" else output
    sample, graded = _grade(plan, text, item)
    if as_json:
        console.say_json({"format": "rftspec.grade/1", **_as_json(graded)})
    else:
        for line in _lines(item, sample, graded):
            console.say(line)
    return WRONG if graded.error is not None else 0


def _row(plan: Plan, split: str, number: int) -> Mapping[str, Any]:
    """The row that was asked for; a usage error where there is none."""
    from rftspec.data.rows import read_rows

    found = getattr(plan.data, split)
    if found is None:
        raise click.UsageError(f"the spec has no `data.{split}`")
    if number >= found.rows:
        raise click.UsageError(f"`data.{split}` has rows 0 to {found.rows - 1}, not {number}")
    index = found.indices[number] if found.indices is not None else number
    return next(item for at, item in read_rows(Path(found.path)) if at == index)


def _grade(plan: Plan, text: str, item: Mapping[str, Any]) -> tuple[Sample, Graded]:
    """Read the answer and grade it, with the types that all rows of the spec give."""
    from rftspec.graders.grading import read_output
    from rftspec.run.rows import read_splits
    from rftspec.run.scoring import open_grading

    sample = read_output(text, plan.response.format)
    with open_grading(plan, read_splits(plan.data, plan.seed)) as grading:
        return sample, grading.graders.grade([sample], [item])[0]


def _lines(item: Mapping[str, Any], sample: Sample, graded: Graded) -> Iterator[str]:
    from rftspec.cli.view import number
    from rftspec.graders.score import MISSING

    facts = {key: value for key, value in item.items() if key != "messages"}
    yield f"item      {clip(visible(str(facts)), 100)}"
    parsed = "no JSON that fits response.format" if sample.output_json is MISSING else "JSON"
    yield f"answer    {clip(visible(sample.output_text), 100)}  ({parsed})"
    for name, score in graded.scores.items():
        told = number(score.value) if score.error is None else f"{score.error}: {score.detail}"
        yield f"grader    {visible(name):<18} {visible(told)}"
    for name, value in graded.metrics.items():
        yield f"metric    {visible(name):<18} {number(value)}"
    why = f"  the floor, because `{graded.error_grader}` failed" if graded.error else ""
    yield f"reward    {number(graded.reward, 4)}{why}"


def _as_json(graded: Graded) -> dict[str, Any]:
    return {
        "reward": graded.reward,
        "error": graded.error,
        "scores": {name: score.to_json() for name, score in graded.scores.items()},
        "metrics": dict(graded.metrics),
    }
