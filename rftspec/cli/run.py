"""`rftspec run` and `rftspec resume`: validate, plan, run, report, and say how it ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.exits import BUG, INTERRUPTED, RESUMABLE
from rftspec.cli.spec import JSON_AT_THE_END, LIMIT, SANDBOX, SET, SPEC, Sandbox
from rftspec.cli.text import shown_path
from rftspec.cli.visible import visible

if TYPE_CHECKING:
    from rftspec.cli.live import Live
    from rftspec.cli.plain import Plain
    from rftspec.plan.model import Plan
    from rftspec.run.observer import Outcome

Ending = Callable[["Outcome", str], int]
"""Says how a run ended, under a display; gives the exit code."""
DISPLAYS = ("auto", "rich", "plain", "json", "none")
DISPLAY = click.option(
    "--display",
    type=click.Choice(DISPLAYS),
    default="auto",
    help="auto: a live screen on a terminal, else plain lines.",
)


@click.command(short_help="Measure, train, measure again, report.")
@SPEC
@click.option("--out", type=click.Path(path_type=Path), help="The run folder [runs/NAME-HASH].")
@click.option("--seed", type=int, help="Another seed than the spec's.")
@click.option(
    "--control",
    type=click.Choice(["shuffled-answers"]),
    help="A negative control: the training answers are dealt out anew among the rows.",
)
@SET
@LIMIT
@click.option(
    "--smoke",
    is_flag=True,
    help="Two steps on four rows through the whole path, before hours are spent.",
)
@click.option("--locked", is_flag=True, help="Only if all is as `plan --lock` has written down.")
@DISPLAY
@SANDBOX
@JSON_AT_THE_END
def run(
    spec: Path,
    out: Path | None,
    seed: int | None,
    control: str | None,
    overrides: tuple[str, ...],
    limit: int | None,
    smoke: bool,
    locked: bool,
    display: str,
    sandbox: Sandbox,
) -> int:
    """Measure the base, train, measure again, report: the whole of a spec, or of a saved plan.

    Where the run folder holds the same plan unfinished, the run goes on.

    \b
    rftspec run spec.yaml --smoke                does all of it work? two steps, four rows
    rftspec run spec.yaml --set train.steps=20
    rftspec run plan.json                        a plan that was saved, exactly
    """
    from rftspec.cli.planning import plan_of
    from rftspec.record.layout import run_folder

    display = console.display_wanted(display)
    plan = plan_of(
        spec, overrides=overrides, seed=seed, control=control, sandbox=sandbox, limit=limit,
        exact=True,
    )  # fmt: skip
    if locked:
        from rftspec.cli.locking import hold_to_lock

        plan = hold_to_lock(plan, spec)
    if smoke:
        return _smoke(plan, out, display, _again(spec, plan, locked=locked))
    return _start(plan, out or run_folder(plan), display)


@click.command(short_help="Go on with an interrupted run.")
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@DISPLAY
@JSON_AT_THE_END
def resume(run_folder: Path, display: str) -> int:
    """Go on with an interrupted run, from its last commit.

    \b
    rftspec resume runs/rare-disease-7f3a91
    """
    from rftspec.cli.planning import refuse_other_models
    from rftspec.record.folder import folder_state, read_plan

    display = console.display_wanted(display)
    plan = read_plan(run_folder)
    if plan.smoke:
        again = console.command("run", shown_path(plan.spec_path), *plan.options, "--smoke")
        raise click.UsageError(f"a smoke run is not gone on with but run again: {again}")
    if folder_state(run_folder) == "finished":
        return _already_finished(run_folder, display)
    refuse_other_models(plan, run_folder)
    return _go(plan, run_folder, display, resuming=True)


def _start(plan: Plan, folder: Path, display: str) -> int:
    """Begin, go on, or say what to type, whatever the folder holds."""
    from rftspec.cli.planning import refuse_other_plan, refuse_running
    from rftspec.record.folder import folder_state, read_plan

    state = folder_state(folder)
    if state in {"unfinished", "finished", "running"}:
        refuse_other_plan(plan, read_plan(folder), folder, state)
    if state == "running":
        raise refuse_running(folder)
    if state == "finished":
        return _already_finished(folder, display)
    if display not in {"json", "none"}:
        console.say(_first_line(plan, folder, resuming=state == "unfinished"))
    return _go(plan, folder, display, resuming=state == "unfinished")


def _again(spec: Path, plan: Plan, *, locked: bool) -> str:
    """The command that runs the whole plan."""
    from rftspec.cli.planning import options_of

    words = () if spec.suffix == ".json" else options_of(plan)
    return console.command("run", shown_path(spec), *words, *(["--locked"] if locked else []))


def _smoke(plan: Plan, out: Path | None, display: str, again: str) -> int:
    """Two steps on four rows, in a folder of its own, and whether that worked."""
    from rftspec.cli.smoke import first_line, say_smoke_ending, smoke_folder
    from rftspec.plan.smoke import smoke_plan

    small = smoke_plan(plan)
    folder = smoke_folder(small, out)
    if display not in {"json", "none"}:
        console.say(first_line(small, folder))
    began = time.monotonic()

    def ending(outcome: Outcome, shown: str) -> int:
        return say_smoke_ending(outcome, shown, time.monotonic() - began, again)

    return _go(small, folder, display, resuming=False, ending=ending)


def _go(
    plan: Plan, folder: Path, display: str, *, resuming: bool, ending: Ending | None = None
) -> int:
    """Run the plan under a display, then report and say how it ended."""
    from rftspec.cli.ending import say_ending
    from rftspec.diagnostics import DiagnosticError
    from rftspec.run.loop import run_plan

    try:
        with display_of(display, plan.name) as observer:
            outcome = run_plan(plan, folder, observer=observer, resume=resuming)
    except DiagnosticError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        return _broken(error, folder, resumable=not plan.smoke)
    return (ending or say_ending)(outcome, display)


def _first_line(plan: Plan, folder: Path, *, resuming: bool) -> str:
    """Where the run goes, and how to go on with it: after a `kill -9` nothing more can be said."""
    shown = shown_path(folder)
    if resuming:
        return f"{shown} holds this plan, unfinished: going on with it"
    go_on = console.command("resume", shown)
    return f"{visible(plan.name)} → {shown}\nif it is interrupted: {go_on}"


def _broken(error: BaseException, folder: Path, *, resumable: bool) -> int:
    """A bug, or a second Ctrl-C: what was committed is safe, and the run can go on from there."""
    from rftspec.cli.crash import bug_report
    from rftspec.record.folder import folder_state

    by_hand = isinstance(error, KeyboardInterrupt)
    message = "stopped at once" if by_hand else bug_report(error)
    begun = folder_state(folder) not in {"absent", "foreign"}
    code = INTERRUPTED if by_hand else RESUMABLE if begun else BUG
    go_on = console.command("resume", shown_path(folder)) if begun and resumable else None
    if console.wants_object():
        console.say_failure(code, message, folder=str(folder), resume=go_on)
        return code
    console.complain(message)
    if go_on is not None:
        console.complain(f"resume   {go_on}")
    return code


def display_of(name: str, title: str) -> Live | Plain:
    """The display of this name; `auto` is the live screen on a terminal."""
    if name == "auto":
        name = "rich" if console.is_terminal(sys.stdout) else "plain"
    if name == "rich":
        from rich.console import Console

        from rftspec.cli.live import Live

        return Live(title, Console(highlight=False, no_color=not console.wants_color(sys.stdout)))
    from rftspec.cli.plain import JsonLines, Nothing, Plain

    return {"plain": Plain, "json": JsonLines, "none": Nothing}[name]()


def _already_finished(folder: Path, display: str) -> int:
    from rftspec.cli.ending import say_finished

    return say_finished(folder, display)
