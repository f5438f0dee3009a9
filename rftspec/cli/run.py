"""`rftspec run` and `rftspec resume`: validate, plan, run, report, and say how it ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.exits import BUG, INTERRUPTED, RESUMABLE
from rftspec.cli.spec import SANDBOX, SET, SPEC, Sandbox
from rftspec.cli.text import shown_path
from rftspec.cli.visible import visible

if TYPE_CHECKING:
    from rftspec.cli.live import Live
    from rftspec.cli.plain import Plain
    from rftspec.plan.model import Plan

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
@DISPLAY
@SANDBOX
def run(
    spec: Path,
    out: Path | None,
    seed: int | None,
    control: str | None,
    overrides: tuple[str, ...],
    display: str,
    sandbox: Sandbox,
) -> int:
    """Measure the base, train, measure again, report: the whole of a spec, or of a saved plan.

    Where the run folder holds the same plan unfinished, the run goes on.
    """
    from rftspec.cli.planning import plan_of
    from rftspec.record.layout import run_folder

    plan = plan_of(spec, overrides=overrides, seed=seed, control=control, sandbox=sandbox)
    return _start(plan, out or run_folder(plan), display)


@click.command(short_help="Go on with an interrupted run.")
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@DISPLAY
def resume(run_folder: Path, display: str) -> int:
    """Go on with an interrupted run, from its last commit."""
    from rftspec.record.folder import folder_state, read_plan

    plan = read_plan(run_folder)
    if folder_state(run_folder) == "finished":
        return _already_finished(run_folder, display)
    return _go(plan, run_folder, display, resuming=True)


def _start(plan: Plan, folder: Path, display: str) -> int:
    """Begin, go on, or say what to type, whatever the folder holds."""
    from rftspec.cli.planning import refuse_other_plan
    from rftspec.record.folder import folder_state, read_plan

    state = folder_state(folder)
    if state in {"unfinished", "finished"}:
        refuse_other_plan(plan, read_plan(folder), folder)
    if state == "finished":
        return _already_finished(folder, display)
    if display not in {"json", "none"}:
        console.say(_first_line(plan, folder, resuming=state == "unfinished"))
    return _go(plan, folder, display, resuming=state == "unfinished")


def _go(plan: Plan, folder: Path, display: str, *, resuming: bool) -> int:
    """Run the plan under a display, then report and say how it ended."""
    from rftspec.cli.ending import say_ending
    from rftspec.diagnostics import DiagnosticError
    from rftspec.run.loop import run_plan

    try:
        with _display(display, plan.name) as observer:
            outcome = run_plan(plan, folder, observer=observer, resume=resuming)
    except DiagnosticError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        return _broken(error, folder)
    return say_ending(outcome, display)


def _first_line(plan: Plan, folder: Path, *, resuming: bool) -> str:
    """Where the run goes, and how to go on with it: after a `kill -9` nothing more can be said."""
    shown = shown_path(folder)
    if resuming:
        return f"{shown} holds this plan, unfinished: going on with it"
    go_on = console.command("resume", shown)
    return f"{visible(plan.name)} → {shown}\nif it is interrupted: {go_on}"


def _broken(error: BaseException, folder: Path) -> int:
    """A bug, or a second Ctrl-C: what was committed is safe, and the run can go on from there."""
    from rftspec.cli.crash import bug_report
    from rftspec.record.folder import folder_state

    stopped_by_hand = isinstance(error, KeyboardInterrupt)
    console.remark("stopped at once" if stopped_by_hand else bug_report(error))
    if folder_state(folder) in {"absent", "foreign"}:
        return INTERRUPTED if stopped_by_hand else BUG
    console.remark(f"resume   {console.command('resume', shown_path(folder))}")
    return INTERRUPTED if stopped_by_hand else RESUMABLE


def _display(name: str, title: str) -> Live | Plain:
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
