"""`rftspec grade`: what the graders say of answers, before or after any model is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rftspec.cli import console
from rftspec.cli.exits import WRONG
from rftspec.cli.spec import JSON, SANDBOX, SET, Sandbox

if TYPE_CHECKING:
    from rftspec.graders.grading import GraderSet
    from rftspec.graders.score import Graded, Sample
    from rftspec.plan.model import Plan
    from rftspec.run.rows import Row

SPLITS = ("train", "validation", "test")
FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    target: Path
    outputs: Path | None
    overrides: tuple[str, ...]
    item: int
    split: str
    output: str | None
    sample: Path | None
    trace: bool
    probe: bool
    rows: int
    other: Path | None
    out: Path | None
    sandbox: Sandbox
    as_json: bool


@click.command(short_help="Grade answers, or a run again; probe the graders. No model.")
@click.argument("target", metavar="SPEC|RUN", type=click.Path(path_type=Path))
@click.argument("outputs", metavar="[OUTPUTS.jsonl]", required=False, type=FILE)
@SET
@click.option(
    "--item", "--row", default=0, show_default=True, type=click.IntRange(0), help="From 0."
)
@click.option(
    "--split", type=click.Choice(SPLITS), default="train", show_default=True, help="Which file."
)
@click.option("--output", help="The answer to grade; `-` reads it from stdin.")
@click.option("--sample", type=FILE, help="The answer as a JSON file: output_text, output_tools, …")
@click.option("--trace", is_flag=True, help="Show the value of every part of every expression.")
@click.option("--probe", is_flag=True, help="What would a lazy model earn?")
@click.option("--rows", default=20, show_default=True, type=click.IntRange(1), help="Of a probe.")
@click.option(
    "--with", "other", type=FILE, metavar="SPEC", help="Grade a run again with this spec's graders."
)
@click.option("--out", type=FILE, help="Write one JSON line per graded answer.")
@SANDBOX
@JSON
def grade(**options: Any) -> int:
    """Grade answers without a model: each grader's score, the metrics, the reward.

    \b
    rftspec grade SPEC --item 3 --output TEXT    one answer to one row
    rftspec grade SPEC outputs.jsonl             answers made elsewhere
    rftspec grade SPEC --probe                   what would a lazy model earn?
    rftspec grade RUN --with other.yaml          a finished run, graded anew
    """
    asked = Asked(**options)
    if asked.target.is_dir():
        return _run_again(asked)
    if asked.other is not None:
        raise click.UsageError(
            "`--with` grades a run again: give the run's folder in place of a spec"
        )
    if asked.probe:
        return _probe(asked)
    if asked.outputs is not None:
        return _file(asked)
    return _one(asked)


def _one(asked: Asked) -> int:
    """One answer to one row."""
    from rftspec.cli.grade_text import answer_lines
    from rftspec.run.hosted import run_response

    with _opened(asked) as (plan, rows, graders):
        row = _row(plan, asked, rows)
        sample = _sample(asked, plan)
        graded = graders.grade([sample], [row.item])[0]
        if asked.as_json:
            content = run_response(plan, graded, _usage(plan, graders))
            if asked.trace:
                content["trace"] = {
                    n: t.to_json() for n, t in _traces(graders, sample, row, graded)
                }
            console.say_json({"format": "rftspec.grade/2", **content})
        else:
            for line in answer_lines(plan, row.item, sample, graded):
                console.say(line)
            if asked.trace:
                _say_traces(graders, sample, row, graded)
    return WRONG if graded.error is not None else 0


def _file(asked: Asked) -> int:
    """Every answer of a JSONL file."""
    from rftspec.cli.grade_text import given_lines
    from rftspec.run.answers import read_given
    from rftspec.run.hosted import run_response

    assert asked.outputs is not None
    with _opened(asked) as (plan, rows, graders):
        given = read_given(asked.outputs, rows, plan.response.format)
        if not given:
            raise click.UsageError(f"`{asked.outputs}` has no answers")
        graded = graders.grade([g.sample for g in given], [g.item for g in given])
        told = [
            {"answer": g.label, **run_response(plan, found, {})}
            for g, found in zip(given, graded, strict=True)
        ]
        _write(asked.out, told)
        if asked.as_json:
            usage = _usage(plan, graders)
            content = {"answers": told, "model_grader_token_usage_per_model": usage}
            console.say_json({"format": "rftspec.grades/1", **content})
        else:
            for line in given_lines(given, graded):
                console.say(line)
    return WRONG if any(g.error is not None for g in graded) else 0


def _probe(asked: Asked) -> int:
    """Lazy answers beside the gold one, and what that means."""
    from rftspec.cli.grade_text import probe_lines
    from rftspec.plan.probe_findings import findings
    from rftspec.run.probing import probe_rows

    with _opened(asked) as (plan, rows, graders):
        found = probe_rows(plan, rows, graders, most=asked.rows)
    told = findings(found)
    if asked.as_json:
        content = {**found.to_json(), "findings": [one.to_json() for one in told]}
        console.say_json({"format": "rftspec.probe/1", **content})
    else:
        for line in probe_lines(found):
            console.say(line)
        console.remark_diagnostics(told)
        if not told:
            console.say("nothing to find fault with")
    return WRONG if any(one.severity == "error" for one in told) else 0


def _run_again(asked: Asked) -> int:
    """A run's samples through other graders, or through its own once more."""
    from rftspec.cli.grade_text import regrade_lines
    from rftspec.cli.planning import plan_of
    from rftspec.cli.text import shown_path
    from rftspec.record.folder import Record
    from rftspec.run.regrade import Regraded, regrade

    record = Record.open(asked.target)
    if asked.outputs or asked.output or asked.sample or asked.probe or asked.trace:
        raise click.UsageError(
            "a run's own samples are graded again: give `--with SPEC`, or nothing"
        )
    plan = record.plan
    if asked.other is not None:
        plan = plan_of(asked.other, overrides=asked.overrides, sandbox=asked.sandbox)
    found, lines = Regraded(), []
    for pair in regrade(record, plan):
        found.take(pair)
        if asked.out is not None or asked.as_json:
            lines.append(pair.to_json())
    if not found.samples:
        raise click.UsageError(f"`{asked.target}` has no samples yet")
    _write(asked.out, lines)
    if asked.as_json:
        correlation = found.rank_correlation
        content = {"changed": found.changed, "rank_correlation": correlation, "samples": lines}
        console.say_json({"format": "rftspec.regrade/1", **content})
    else:
        name = "its own graders" if asked.other is None else shown_path(asked.other)
        for line in regrade_lines(found, name):
            console.say(line)
    return 0


@contextmanager
def _opened(asked: Asked) -> Iterator[tuple[Plan, Sequence[Row], GraderSet]]:
    """The spec's plan, the rows of the split, and its graders, typed by all rows of the spec."""
    from rftspec.cli.planning import plan_of
    from rftspec.run.opening import open_graders
    from rftspec.run.rows import read_splits

    plan = plan_of(asked.target, overrides=asked.overrides, sandbox=asked.sandbox)
    rows = read_splits(plan.data, plan.seed)
    if getattr(plan.data, asked.split) is None:
        raise click.UsageError(f"the spec has no `data.{asked.split}`")
    with open_graders(plan, rows.item_type) as graders:
        yield plan, rows.of(asked.split), graders


def _row(plan: Plan, asked: Asked, rows: Sequence[Row]) -> Row:
    """The row that was asked for; a usage error where there is none."""
    if asked.item >= len(rows):
        message = f"`data.{asked.split}` has rows 0 to {len(rows) - 1}, not {asked.item}"
        raise click.UsageError(message)
    return rows[asked.item]


def _sample(asked: Asked, plan: Plan) -> Sample:
    """The answer that was given, as text or as a file."""
    from rftspec.graders.output import read_output
    from rftspec.run.answers import sample_of

    if (asked.output is None) == (asked.sample is None):
        hint = "one of `--output TEXT`, `--sample FILE`, `--probe` or a file of outputs"
        raise click.UsageError(f"what is to be graded? give {hint}")
    if asked.output is not None:
        text = sys.stdin.read() if asked.output == "-" else asked.output
        return read_output(text, plan.response.format)
    assert asked.sample is not None
    try:
        content = json.loads(asked.sample.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise click.UsageError(f"`{asked.sample}` is no JSON: {error}") from error
    sample = sample_of(content, plan.response.format)
    if sample is None:
        raise click.UsageError(f"`{asked.sample}` has neither `output_text` nor `choices`")
    return sample


def _traces(
    graders: GraderSet, sample: Sample, row: Row, graded: Graded
) -> Iterator[tuple[str, Any]]:
    """The trace of every expression: of graders, of the reward, of metrics."""
    from rftspec.graders.building import expression_values
    from rftspec.graders.expression import ExpressionGrader

    values = expression_values(sample, row.item)
    for name, grader in graders.graders.items():
        if isinstance(grader, ExpressionGrader):
            yield f"graders.{name}", grader.expression.trace(values)
    values.update((n, s.value) for n, s in graded.scores.items() if s.value is not None)
    if graded.error is None or graded.error_grader is None:
        yield "reward", graders.reward.trace(values)
    for name, expression in graders.metrics.items():
        if all(graded.scores[n].value is not None for n in graded.scores if n in expression.names):
            yield f"metrics.{name}", expression.trace(values)


def _say_traces(graders: GraderSet, sample: Sample, row: Row, graded: Graded) -> None:
    from rftspec.cli.visible import visible
    from rftspec.expr.trace import render_trace

    for name, trace in _traces(graders, sample, row, graded):
        console.say(f"\n{visible(name)}")
        for line in render_trace(trace):
            console.say(f"  {visible(line)}")


def _usage(plan: Plan, graders: GraderSet) -> dict[str, Mapping[str, int]]:
    """Tokens by judge, in the hosted product's names."""
    used: dict[str, Mapping[str, int]] = {}
    for name, grader in graders.graders.items():
        counts = grader.usage() if hasattr(grader, "usage") else {}
        if "prompt_tokens" in counts:
            prompt, made = counts["prompt_tokens"], counts["completion_tokens"]
            used[str(plan.graders[name]["model"])] = {
                "prompt_tokens": prompt,
                "completion_tokens": made,
                "total_tokens": prompt + made,
                "cached_tokens": counts.get("cached_tokens", 0),
            }
    return used


def _write(path: Path | None, lines: Sequence[Mapping[str, Any]]) -> None:
    if path is not None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path.write_text(text, encoding="utf-8")
