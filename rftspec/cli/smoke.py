"""`rftspec run SPEC --smoke`: the whole path on four rows, and what of it was gone through."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rftspec.cli import console
from rftspec.cli.ending import QUIET, outcome_json, write_report
from rftspec.cli.text import paint, shown_path
from rftspec.cli.view import as_json_line
from rftspec.cli.visible import visible
from rftspec.run.observer import Outcome

if TYPE_CHECKING:
    from rftspec.plan.model import Plan
    from rftspec.record.folder import Record

MEANS_NOTHING = "its numbers mean nothing"


def smoke_folder(small: Plan, out: Path | None) -> Path:
    """Where a smoke run goes; an earlier smoke run there makes room.

    Raises DiagnosticError where the folder holds anything else.
    """
    from rftspec.cli.planning import refuse_other_plan, refuse_running
    from rftspec.record.folder import folder_state, read_plan
    from rftspec.record.layout import run_folder

    folder = out or run_folder(small)
    state = folder_state(folder)
    if state == "running":
        raise refuse_running(folder)
    if state in {"unfinished", "finished"}:
        there = read_plan(folder)
        if there.smoke:
            shutil.rmtree(folder)
        else:
            refuse_other_plan(small, there, folder, state)
    return folder


def first_line(small: Plan, folder: Path) -> str:
    """What is about to be done."""
    train = small.train
    told = f"{train.steps} steps of {train.prompts_per_step} × {train.samples_per_prompt} samples"
    rows = max(split.rows for split in _splits(small))
    head = f"smoke run of {visible(small.name.removesuffix('-smoke'))}"
    return f"{head}: {told}, at most {rows} rows a split; {MEANS_NOTHING} → {shown_path(folder)}"


def say_smoke_ending(outcome: Outcome, display: str, seconds: float, again: str) -> int:
    """Write the report, and say whether the path works; gates do not count. The exit code."""
    done = outcome.summary is not None
    code = 0 if done else outcome.exit_code
    report = write_report(outcome.folder) if done else None
    if display == "json":
        told = {**outcome_json(outcome, report), "exit_code": code, "smoke": True}
        console.say(as_json_line("outcome", told))
    elif display not in QUIET:
        lines = _works(outcome, report, seconds, again) if done else _stopped(outcome)
        for line in lines:
            console.say(line)
    console.remark_diagnostics(outcome.diagnostics)
    return code


def _works(outcome: Outcome, report: Path | None, seconds: float, again: str) -> Iterator[str]:
    from rftspec.record.folder import Record

    record = Record.open(outcome.folder)
    summary: Mapping[str, Any] = outcome.summary or {}
    word = paint("works", "32;1", color=console.wants_color(sys.stdout))
    yield ""
    yield f"smoke    the whole path {word}, in {seconds:.0f} s; {MEANS_NOTHING}"
    yield f"graded   {_graded(record)}"
    yield f"learned  {_learned(record)}"
    models = ", ".join(visible(name) for name in summary.get("models", {}))
    rows = summary.get("rows", 0)
    yield f"measured {models} on {rows} {visible(str(summary.get('headline_split')))} rows"
    if summary.get("gates"):
        yield f"gates    {_gates(summary['gates'])}"
    checkpoints = len(record.checkpoints())
    yield f"saved    {checkpoints} checkpoint{'s' if checkpoints != 1 else ''} and the adapter"
    if report is not None:
        yield f"report   {shown_path(report)}"
    yield f"now      {again}"


def _stopped(outcome: Outcome) -> Iterator[str]:
    yield ""
    yield visible(outcome.message, keep_newlines=True)
    yield "the smoke run did not come to its end: mend this, then run the same command again"
    yield f"so far   {console.command('report', shown_path(outcome.folder))}"


def _graded(record: Record) -> str:
    """`56 samples by rank, concise: none failed`, else how many and the first failure."""
    count, failed, first = 0, 0, ""
    for kind in (None, "ballot"):
        for line in record.samples(kind=kind):
            count += 1
            for grader, score in line["scores"].items():
                if score.get("error") is not None:
                    failed += 1
                    detail = score.get("detail")
                    told = f"{score['error']} in `{grader}`" + (f": {detail}" if detail else "")
                    first = first or told
    names = ", ".join(map(visible, record.plan.graders))
    if not failed:
        return f"{count} samples by {names}: none failed"
    color = console.wants_color(sys.stdout)
    share = paint(f"{failed} scores failed", "33;1", color=color)
    return f"{count} samples by {names}: {share}, the first with {visible(first)}"


def _learned(record: Record) -> str:
    """Which groups the update was of, and whether rewards had to be made up for it."""
    metrics = [event["metrics"] for event in record.events("step")]
    trained = [int(one.get("groups_trained") or 0) for one in metrics]
    flat = sum(one.get("groups_no_signal_share") == 1 for one in metrics)
    told = f"{len(metrics)} steps, {sum(trained)} groups entered the updates"
    color = console.wants_color(sys.stdout)
    if not all(trained):
        return paint(f"{told}: {trained.count(0)} steps had no update", "33;1", color=color)
    if flat:
        steps = "1 step" if flat == 1 else f"{flat} steps"
        why = "each group's samples earned the same"
        word = paint(f"made-up rewards in {steps}", "33;1", color=color)
        return f"{told}; {word}, where {why}"
    return told


def _gates(gates: list[Mapping[str, Any]]) -> str:
    """That they can be evaluated; what they come to on four rows does not count."""
    broken = [gate for gate in gates if str(gate["detail"]).startswith("could not be evaluated")]
    if not broken:
        return f"{len(gates)} can be evaluated; they do not count here"
    first = visible(f"`{broken[0]['expression']}` {broken[0]['detail']}")
    color = console.wants_color(sys.stdout)
    return paint(f"{len(broken)} of {len(gates)} fail", "33;1", color=color) + f": {first}"


def _splits(plan: Plan) -> list[Any]:
    data = plan.data
    return [split for split in (data.train, data.validation, data.test) if split is not None]
