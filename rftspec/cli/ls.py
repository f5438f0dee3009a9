"""`rftspec ls`: the runs of a folder, newest first."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE, WRONG
from rftspec.cli.spec import JSON
from rftspec.cli.text import paint, shown_path
from rftspec.cli.visible import clip, visible, width

if TYPE_CHECKING:
    from rftspec.report.listing import Listing, RunLine

DEFAULT = Path("runs")
LONGEST_NAME = 28
LONGEST_NOTE = 100
COLORS = {
    "finished": "32", "running": "36;1", "interrupted": "33", "failed": "31;1", "damaged": "31;1"
}  # fmt: skip


@click.command(short_help="Runs, newest first: how they stand, base → tuned.")
@click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@JSON
def ls(folder: Path | None, as_json: bool) -> int:
    """List the runs below a folder [runs], newest first; `-q` gives their folders alone.

    The numbers are the pass metric's on the split of the headline, or on what was measured so far.

    \b
    rftspec ls
    rftspec ls experiments/march --json
    """
    from rftspec.report.listing import Listing, list_runs

    where = folder or DEFAULT
    if folder is None and not where.exists():
        found = Listing((), ())
    elif not where.is_dir():
        return _no_folder(where, as_json=as_json)
    else:
        found = list_runs(where)
    if as_json:
        runs = [run.to_json() for run in found.runs]
        content = {"folder": str(where), "runs": runs, "foreign": list(found.foreign)}
        console.say_json({"format": "rftspec.ls/1", **content})
    elif console.is_quiet():
        for run in found.runs:
            console.give(shown_path(run.folder))
    else:
        _say(found, where)
    return FINE


def _no_folder(where: Path, *, as_json: bool) -> int:
    what = "is not a folder" if where.exists() else "is not there"
    message = f"error: `{visible(str(where))}` {what}"
    if as_json:
        console.say_failure(WRONG, message)
    else:
        console.complain(message)
    return WRONG


def _say(found: Listing, where: Path) -> None:
    """The table, then what else stands in the folder."""
    if not found.runs:
        console.say(f"no runs in {visible(shown_path(where))}")
        console.remark(f"make one: {console.command('run', 'SPEC')}")
    else:
        color = console.wants_color(sys.stdout)
        rows = [_cells(run) for run in found.runs]
        heads = ["name", "status", "steps", "base → tuned", "time", "begun", "folder"]
        table = [heads, *rows]
        widths = [max(width(row[column]) for row in table) for column in range(len(heads) - 1)]
        console.say(paint(_line(heads, widths), "1", color=color))
        for run, row in zip(found.runs, rows, strict=True):
            status = paint(row[1], COLORS[run.status], color=color)
            console.say(_line([row[0], status, *row[2:]], widths, plain=row))
            if _note(run):
                console.say(f"  {_note(run)}")
    if found.foreign:
        names = ", ".join(visible(name) for name in found.foreign[:5])
        more = f" and {len(found.foreign) - 5} more" if len(found.foreign) > 5 else ""
        console.remark(f"no runs: {names}{more}")


def _line(cells: list[str], widths: list[int], plain: list[str] | None = None) -> str:
    """Cells in columns; `plain` are the same without colour, by which they are measured."""
    bare = plain or cells
    padded = [
        cell + " " * (wide - width(shown))
        for cell, shown, wide in zip(cells, bare, widths, strict=False)
    ]
    return "  ".join([*padded, cells[-1]]).rstrip()


def _cells(run: RunLine) -> list[str]:
    steps = "–" if run.steps_planned is None else f"{run.steps_done}/{run.steps_planned}"
    return [
        clip(visible(run.name), LONGEST_NAME),
        run.status,
        steps,
        _gain(run),
        duration(run.seconds),
        "–" if run.started is None else time.strftime("%Y-%m-%d %H:%M", _local(run.started)),
        visible(shown_path(run.folder)),
    ]


def _local(moment: float) -> time.struct_time:
    try:
        return time.localtime(moment)
    except (OverflowError, OSError, ValueError):
        return time.localtime(0)


def _gain(run: RunLine) -> str:
    """`top@1 0.172 → 0.341`; the step where the run is not at its end."""
    told = run.progress
    if told is None:
        return "–"
    base, tuned = (("–" if v is None else f"{v:.3f}") for v in (told.base, told.tuned))
    late = run.status != "finished" and told.step is not None
    where = f" ({told.split}, step {told.step})" if late else f" ({told.split})"
    return f"{clip(visible(told.metric), 16)} {base} → {tuned}{where}"


def _note(run: RunLine) -> str:
    parts = [clip(visible(run.note), LONGEST_NOTE)]
    if run.control:
        parts.append(f"a negative control: {visible(run.control)}")
    if run.damaged_lines:
        lines = "line" if run.damaged_lines == 1 else "lines"
        parts.append(f"{run.damaged_lines} {lines} of the record cannot be read")
    if run.status in {"interrupted", "failed"}:
        parts.append(f"go on: {console.command('resume', shown_path(run.folder))}")
    return " · ".join(part for part in parts if part)


def duration(seconds: float | None) -> str:
    """`8 s`, `2 m 13 s`, `1 h 02 m`."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes:02d} m"
    return f"{minutes} m {whole % 60:02d} s" if minutes else f"{whole} s"
