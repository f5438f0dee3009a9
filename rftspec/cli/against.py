"""`rftspec plan --against RUN`: what differs from an earlier plan, in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rftspec.cli import console
from rftspec.cli.text import paint, shown_path
from rftspec.cli.visible import visible

if TYPE_CHECKING:
    from rftspec.plan.difference import Change
    from rftspec.plan.model import Plan

FORMAT = "rftspec.plan-changes/1"
_COLORS = {"added": "32", "removed": "31", "changed": "33"}


def say_changes(plan: Plan, against: Path, *, as_json: bool) -> None:
    """Say what a plan changes against a run's folder or a saved plan."""
    old = _old_plan(against)
    found = changes_against(plan, old, against)
    if as_json:
        console.say_json(_json(plan, old, against, found))
        return
    color = console.wants_color(sys.stdout)
    told = f"{visible(plan.name)} {plan.hash} against {shown_path(against)} {old.hash}"
    if not found:
        console.say(f"{told}: the same plan")
        return
    count = len(found)
    console.say(f"{told}: {count} difference{'s' if count > 1 else ''}\n")
    for line in change_lines(found, color=color):
        console.say(line)


def changes_against(plan: Plan, old: Plan, against: Path) -> list[Change]:
    """The differences, rows of the data counted where the old ones are still to be had."""
    from rftspec.plan.difference import plan_changes
    from rftspec.plan.row_changes import row_changes
    from rftspec.record.folder import Record

    record = Record(against, old) if against.is_dir() else None

    def rows(split: str) -> tuple[int, int] | None:
        before, after = getattr(old.data, split), getattr(plan.data, split)
        if before is None or after is None:
            return None
        kept = None if record is None else (line["item"] for line in record.rows(split))
        return row_changes(before, after, kept)

    return plan_changes(old, plan, rows)


def change_lines(found: list[Change], *, color: bool) -> Iterator[str]:
    """One line for each change, its notes below it."""
    from rftspec.plan.difference import SIGNS, word_text

    def mark(sign: str, text: str) -> str:
        if not color:
            return f"[{sign}{text}{sign}]"
        return paint(text, "32" if sign == "+" else "31;9", color=True)

    width = min(max(len(change.name) for change in found), 40)
    for change in found:
        told = change.told
        if change.words:
            told = word_text(tuple((kind, visible(text)) for kind, text in change.words), mark)
        else:
            told = visible(told)
        sign = paint(SIGNS[change.kind], _COLORS[change.kind], color=color)
        where = paint(f"  ({visible(change.place)})", "2", color=color) if change.place else ""
        yield f"  {sign} {visible(change.name):<{width}}  {told}{where}".rstrip()
        for note in change.notes:
            yield f"    {' ' * width}  {visible(note)}"


def _old_plan(against: Path) -> Plan:
    """The plan of a run's folder, or a saved one."""
    from rftspec.plan.saved import read_saved
    from rftspec.record.folder import read_plan

    return read_plan(against) if against.is_dir() else read_saved(against)


def _json(plan: Plan, old: Plan, against: Path, found: list[Change]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "plan": plan.hash,
        "against": {"path": str(against), "plan": old.hash},
        "same": not found,
        "changes": [change.to_json() for change in found],
    }
