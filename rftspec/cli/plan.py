"""`rftspec plan`: every number of a run, with its reason, before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE, WRONG
from rftspec.cli.spec import JSON, LIMIT, SANDBOX, SET, SPEC, Sandbox
from rftspec.cli.text import shown_path

if TYPE_CHECKING:
    from rftspec.plan.measurement import Measurement
    from rftspec.plan.model import Plan


@click.command(short_help="Every number of the run with its reason; nothing is run.")
@SPEC
@SET
@click.option("--seed", type=int, help="Another seed than the spec's.")
@click.option("--control", type=click.Choice(["shuffled-answers"]), help="A negative control.")
@LIMIT
@SANDBOX
@JSON
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the plan; `rftspec run FILE.json` does exactly that.",
)
@click.option(
    "--against",
    metavar="RUN",
    type=click.Path(path_type=Path, exists=True),
    help="What differs from the plan of a run's folder, or from a saved plan.",
)
@click.option(
    "--measure",
    "measuring",
    is_flag=True,
    help="First ask the base model 8 rows × 4: for headroom, group signal, speed. Loads it.",
)
@click.option(
    "--show-example",
    "showing",
    is_flag=True,
    help="Instead: the first training row as the model and the graders see it.",
)
@click.option(
    "--lock",
    "locking",
    is_flag=True,
    help="Write SPEC.lock beside the spec; `rftspec run SPEC --locked` holds to it.",
)
def plan(
    spec: Path,
    overrides: tuple[str, ...],
    seed: int | None,
    control: str | None,
    limit: int | None,
    sandbox: Sandbox,
    as_json: bool,
    out: Path | None,
    against: Path | None,
    locking: bool,
    measuring: bool,
    showing: bool,
) -> int:
    """Show every number of the run and the reason for its value; nothing is run.

    What it needs in memory, time and disk is estimated, and the gates say whether the spec has what
    reinforcement learning needs.

    \b
    rftspec plan spec.yaml --set train.steps=20
    rftspec plan spec.yaml --out plan.json       then: rftspec run plan.json
    rftspec plan spec.yaml --show-example        the first row as the model will see it
    """
    from rftspec.cli.planning import keep, plan_of

    made = plan_of(
        spec, overrides=overrides, seed=seed, control=control, sandbox=sandbox, limit=limit,
        exact=out is not None or against is not None or locking,
    )  # fmt: skip
    if out is not None:
        made = keep(made, out)
    if locking:
        from rftspec.cli.locking import lock

        lock(made, spec)
    if against is not None:
        from rftspec.cli.against import say_changes

        say_changes(made, against, as_json=as_json)
        return FINE
    if showing:
        return _show_example(made, as_json=as_json)
    measured = None
    if measuring:
        from rftspec.cli.plan_measure import measure

        measured = measure(made)
    source = out if out is not None else spec
    return _show(made, measured, source, saved=out, locking=locking, as_json=as_json)


def _show(
    made: Plan,
    measured: Measurement | None,
    source: Path,
    *,
    saved: Path | None,
    locking: bool,
    as_json: bool,
) -> int:
    """The plan and what it leads to; the exit code."""
    from rftspec.cli.plan_outlook import outlook_text
    from rftspec.cli.plan_text import Paper, plan_text
    from rftspec.cli.planning import options_of
    from rftspec.record.layout import run_folder
    from rftspec.run.preflight import preflight

    found = preflight(made, measured)
    code = WRONG if found.has_errors else FINE
    if as_json:
        whole = {**made.to_json(), "hash": made.hash, **found.to_json()}
        console.say_json({**whole, "format": "rftspec.plan/1"})
        return code
    paper = Paper(console.columns(), console.wants_color(sys.stdout))
    console.say(plan_text(made, paper))
    console.say(outlook_text(found, shown_path(source), paper))
    console.say()
    sys.stdout.flush()
    console.remark_diagnostics(found.findings)
    words = ["run", shown_path(source)]
    words += options_of(made) if saved is None else ()
    words += ["--locked"] if locking and saved is None else []
    told = f" Saved to {shown_path(saved)}." if saved is not None else ""
    console.say(f"Nothing was run.{told} To run exactly this: {console.command(*words)}")
    console.say(f"It would go to {run_folder(made)}/")
    return code


def _show_example(made: Plan, *, as_json: bool) -> int:
    """The first training row; the exit code."""
    from rftspec.cli.plan_example import example_lines
    from rftspec.cli.plan_text import Paper
    from rftspec.run.example import first_example

    found = first_example(made)
    if as_json:
        console.say_json({"format": "rftspec.example/1", "plan": made.hash, **found.to_json()})
        return FINE
    paper = Paper(console.columns(), console.wants_color(sys.stdout))
    for line in example_lines(made, found, paper):
        console.say(line)
    return FINE
