"""The last lines of a run: what was gained, where the adapter and the report are, how to go on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.cli import console
from rftspec.cli.text import paint, shown_path
from rftspec.cli.view import as_json_line, number
from rftspec.cli.visible import clip, visible
from rftspec.diagnostics import DiagnosticError
from rftspec.run.observer import Outcome

QUIET = frozenset({"json", "none"})
MAX_METRICS = 8


def say_ending(outcome: Outcome, display: str) -> int:
    """Write the report of a run that is done, and say how it ended; the exit code."""
    folder = outcome.folder
    report = write_report(folder) if outcome.summary is not None else None
    if console.wants_object():
        say_object(outcome, outcome_json(outcome, report))
    elif display == "json":
        console.give(as_json_line("outcome", outcome_json(outcome, report)))
    elif console.is_quiet() and outcome.summary is None:
        for line in stopped_lines(outcome):
            console.complain(line)
    elif display != "none":
        lines = stopped_lines(outcome) if outcome.summary is None else done_lines(outcome, report)
        for line in lines:
            console.say(line)
    console.remark_diagnostics(outcome.diagnostics)
    return outcome.exit_code


def say_object(outcome: Outcome, told: Mapping[str, Any]) -> None:
    """How a run ended, as the one object of `--json`."""
    found = [one.to_json() for one in outcome.diagnostics]
    ok = told["exit_code"] == 0
    console.say_json({"format": "rftspec.run/1", "ok": ok, **told, "diagnostics": found})


def say_finished(folder: Path, display: str) -> int:
    """The same for a run that was finished before."""
    from rftspec.record.folder import Record

    record = Record.open(folder)
    summary = next(iter(record.events("finished")), None)
    failed = [gate for gate in (summary or {}).get("gates", ()) if not gate["passed"]]
    outcome = Outcome(4 if failed else 0, folder, "", summary=summary)
    if display not in QUIET:
        console.say(f"{shown_path(folder)} is finished already; nothing was run.")
    code = say_ending(outcome, display)
    if display not in QUIET:
        console.say("again    the same plan into another folder: --out FOLDER")
    return code


def done_lines(outcome: Outcome, report: Path | None) -> Iterator[str]:
    """Gains with their intervals, gates, places."""
    summary = outcome.summary or {}
    folder = outcome.folder
    yield ""
    rows, samples = summary.get("rows", 0), summary.get("samples", 0)
    split = visible(str(summary.get("headline_split", "")))
    yield console.bold(f"base → tuned on {rows:,} {split} rows × {samples}, 95 % intervals")
    yield from gain_lines(summary)
    best = summary.get("best_step")
    if best is not None:
        value = number(summary.get("best_valid_reward_mean"))
        yield f"best     step {best}, validation reward {value}"
    yield from _gates(summary)
    yield f"adapter  {shown_path(folder / str(summary.get('adapter', 'adapter')))}"
    if report is not None:
        yield f"report   {shown_path(report)}"
        yield f"         {console.command('report', shown_path(folder), '--open')}"


def gain_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """`top@1  0.172 → 0.341  +0.169 (+0.12 to +0.22)  higher`, the reward first."""
    color = console.wants_color(sys.stdout)
    models = summary.get("models", {})
    base, tuned = models.get("base", {}), models.get("tuned", {})
    gains = list(summary.get("gain", {}).items())
    for name, gain in gains[:MAX_METRICS]:
        before, after = number(base.get(name)), number(tuned.get(name))
        words = str(gain.get("words", ""))
        tone = {"higher": "32", "lower": "31"}.get(words, "0")
        told = paint(_interval(gain), tone, color=color)
        yield f"  {clip(visible(name), 16):<16} {before} → {after}   {told}   {words}"
    if len(gains) > MAX_METRICS:
        yield f"  … and {len(gains) - MAX_METRICS} more in the report"


def stopped_lines(outcome: Outcome) -> Iterator[str]:
    """Why it stopped and the one command that goes on."""
    yield ""
    yield visible(outcome.message, keep_newlines=True)
    yield f"resume   {console.command('resume', shown_path(outcome.folder))}"
    yield f"so far   {console.command('report', shown_path(outcome.folder))}"


def _interval(gain: Mapping[str, Any]) -> str:
    estimate, low, high = gain.get("estimate"), gain.get("low"), gain.get("high")
    if estimate is None:
        return "–"
    if low is None or high is None:
        return f"{estimate:+.3f}"
    return f"{estimate:+.3f} ({low:+.3f} to {high:+.3f})"


def _gates(summary: Mapping[str, Any]) -> Iterator[str]:
    color = console.wants_color(sys.stdout)
    for gate in summary.get("gates", ()):
        word = (
            paint("ok", "32", color=color)
            if gate["passed"]
            else paint("FAILED", "31;1", color=color)
        )
        yield f"gate     {word}  {visible(gate['expression'])}  ({visible(gate['detail'])})"


def write_report(folder: Path) -> Path | None:
    """Write the report; a report that cannot be written must not lose the run."""
    from rftspec.report.build import build_report

    try:
        return build_report(folder).html
    except (OSError, DiagnosticError) as error:
        console.remark(f"the report could not be written: {visible(str(error))}")
        console.remark(f"try again with: {console.command('report', shown_path(folder))}")
        return None


def outcome_json(outcome: Outcome, report: Path | None) -> dict[str, Any]:
    """How a run ended, for a program."""
    return {
        "exit_code": outcome.exit_code,
        "folder": str(outcome.folder),
        "message": outcome.message,
        "resume": console.command("resume", outcome.folder) if outcome.summary is None else None,
        "report": None if report is None else str(report),
        "summary": outcome.summary,
    }
