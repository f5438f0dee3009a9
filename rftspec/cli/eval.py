"""`rftspec eval`: one model on a spec's held-out rows, with the graders and sampling of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rftspec.cli import console
from rftspec.cli.exits import BUG, FINE, INTERRUPTED, RESUMABLE
from rftspec.cli.run import DISPLAY, display_of
from rftspec.cli.spec import JSON, SANDBOX, SET, SPEC, Sandbox

if TYPE_CHECKING:
    from rftspec.engine.types import Engine
    from rftspec.plan.model import Plan
    from rftspec.record.evaluations import EvalHead, Subject
    from rftspec.run.evaluation import Done

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    spec: Path
    adapter: Path | None
    model: str | None
    revision: str | None
    outputs: Path | None
    samples: int | None
    greedy: bool
    split: str | None
    by: tuple[str, ...]
    out: Path | None
    seed: int | None
    overrides: tuple[str, ...]
    display: str
    sandbox: Sandbox
    as_json: bool


@click.command("eval", short_help="Measure one model on a spec's held-out rows.")
@SPEC
@click.option("--adapter", type=FOLDER, metavar="DIR", help="An adapter that PEFT saved.")
@click.option("--model", metavar="ID", help="Another base: a hub id, a folder, builtin:NAME.")
@click.option("--revision", help="Of `--model`: a branch, tag or commit.")
@click.option("--outputs", type=FILE, help="Outputs made elsewhere, as JSON lines; no model.")
@click.option("--samples", type=click.IntRange(1), help="Answers per row [evaluate.samples].")
@click.option("--greedy", is_flag=True, help="One more answer per row, the likeliest.")
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    help="Which rows [test, else validation].",
)
@click.option("--by", multiple=True, metavar="FIELD", help="Slice by a field of the rows.")
@click.option("--out", type=FOLDER, help="The folder [evals/NAME-MODEL-HASH].")
@click.option("--seed", type=int, help="Another seed than the spec's.")
@SET
@DISPLAY
@SANDBOX
@JSON
def evaluate(**options: Any) -> int:
    """Measure one model on a spec's held-out rows; without an option, the spec's own base.

    The rows, graders and sampling are those of `rftspec run`, so that the numbers can be compared.
    What is graded is never graded again: after an interruption the same command goes on.

    \b
    rftspec eval SPEC                               the base model
    rftspec eval SPEC --adapter runs/NAME/adapter   what came of a run
    rftspec eval SPEC --outputs FILE                outputs of another system
    rftspec compare EVAL_A EVAL_B                   one against the other
    """
    asked = Asked(**options)
    _refuse_mixtures(asked)
    plan = _plan(asked)
    subject, opened = _subject(asked, plan)
    head = _head(asked, plan, subject)
    return _evaluate(asked, head, opened)


def _refuse_mixtures(asked: Asked) -> None:
    """Options that say two things at once."""
    given = {"--adapter": asked.adapter, "--model": asked.model, "--outputs": asked.outputs}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1 and named != ["--adapter", "--model"]:
        raise click.UsageError(f"{' and '.join(named)} name two things: give one of them")
    if asked.outputs is not None and (asked.samples is not None or asked.greedy):
        raise click.UsageError(
            "`--samples` and `--greedy` are for models: a file of outputs brings its own answers"
        )
    if asked.revision is not None and asked.model is None:
        raise click.UsageError("`--revision` belongs to `--model`: the spec has its own revision")


def _plan(asked: Asked) -> Plan:
    """The spec's plan, with the model that is measured."""
    from rftspec.cli.planning import plan_of
    from rftspec.run.candidate import with_model

    plan = plan_of(asked.spec, overrides=asked.overrides, seed=asked.seed, sandbox=asked.sandbox)
    return plan if asked.model is None else with_model(plan, asked.model, asked.revision)


def _subject(asked: Asked, plan: Plan) -> tuple[Subject, Callable[[], Engine]]:
    """What is measured, and how it is opened."""
    from rftspec.run import candidate, evaluation

    if asked.outputs is not None:
        return candidate.outputs_subject(asked.outputs), lambda: evaluation.open_local(plan, None)

    def subject() -> Subject:
        if asked.adapter is not None:
            return candidate.adapter_subject(asked.adapter)
        return (
            candidate.base_subject(plan) if asked.model is None else candidate.model_subject(plan)
        )

    adapter = None if asked.adapter is None else Path(subject().place)
    if candidate.base_is_known(plan):
        return subject(), lambda: evaluation.open_local(plan, adapter)
    engine = evaluation.open_local(plan, adapter)  # downloads it: what it is can only be told then
    return subject(), lambda: engine


def _head(asked: Asked, plan: Plan, subject: Subject) -> EvalHead:
    """Which rows, how many samples."""
    from rftspec.run.candidate import head_of

    splits = [name for name in ("test", "validation") if getattr(plan.data, name) is not None]
    split = asked.split or (splits[0] if splits else "train")
    if getattr(plan.data, split) is None:
        raise click.UsageError(f"the spec has no `data.{split}`")
    _check_fields(asked, plan, split)
    samples = 0 if subject.kind == "outputs" else asked.samples or plan.evaluate.samples
    return head_of(plan, subject, split, samples, greedy=asked.greedy)


def _evaluate(asked: Asked, head: EvalHead, opened: Callable[[], Engine]) -> int:
    """Measure, write what came of it, and say so."""
    from rftspec.diagnostics import DiagnosticError
    from rftspec.plan.cache import cache_folder
    from rftspec.run.candidate import eval_folder
    from rftspec.run.evaluation import evaluate as evaluate_into

    folder = asked.out or eval_folder(head)
    shown = "none" if asked.as_json or console.is_quiet() else asked.display
    try:
        with display_of(shown, head.plan.name) as observer:
            done = evaluate_into(head, folder, opened, observer=observer, cache=cache_folder())
    except DiagnosticError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        return _broken(error, folder)
    return _ending(asked, done)


def _ending(asked: Asked, done: Done) -> int:
    """Write the items and the numbers, and say them."""
    import json

    from rftspec.cli.eval_text import ending_lines, result_lines
    from rftspec.record.evaluations import EvalRecord
    from rftspec.record.layout import EvalLayout
    from rftspec.report.evaluated import read_evaluation
    from rftspec.report.items import write_items

    record = EvalRecord.open(done.folder)
    found = read_evaluation(record, asked.by)
    layout = EvalLayout(done.folder)
    write_items(record, layout.items)
    text = json.dumps(found.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    layout.result.write_text(text, encoding="utf-8", errors="backslashreplace")
    if asked.as_json:
        console.say_json({**found.to_json(), "folder": str(done.folder)})
    else:
        for line in (*result_lines(found), *ending_lines(found, done)):
            console.say(line)
    console.remark_diagnostics(done.diagnostics)
    return _code(done)


def _code(done: Done) -> int:
    """0, or how it can be gone on with."""
    if done.whole:
        return FINE
    return RESUMABLE if done.diagnostics else INTERRUPTED


def _broken(error: BaseException, folder: Path) -> int:
    """The engine's error, a bug, or a second Ctrl-C: what is graded is safe."""
    from rftspec.cli.crash import bug_report
    from rftspec.record.evaluations import is_evaluation

    by_hand = isinstance(error, KeyboardInterrupt)
    console.complain("stopped at once" if by_hand else bug_report(error))
    if not is_evaluation(folder):
        return INTERRUPTED if by_hand else BUG
    console.remark("the same command goes on: what is graded is kept")
    return INTERRUPTED if by_hand else RESUMABLE


def _check_fields(asked: Asked, plan: Plan, split: str) -> None:
    """Refuse, before anything is sampled, a field to slice by that no row has."""
    if not asked.by:
        return
    from rftspec.report.slices import value_of
    from rftspec.run.rows import read_splits

    rows = read_splits(plan.data, plan.seed).of(split)
    for field in asked.by:
        if all(value_of(row.item, field) is None for row in rows):
            names = sorted({name for row in rows for name in row.item} - {"messages"})
            raise click.UsageError(
                f"no row of `data.{split}` has `{field}`; they have: {', '.join(names)}"
            )
