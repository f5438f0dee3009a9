"""`rftspec doctor`: is this machine ready, and if not, what to do about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.spec import JSON

if TYPE_CHECKING:
    from rftspec.cli.finding import Finding

STYLES = {"ok": "32", "note": "33", "wrong": "31;1"}


@click.command(short_help="Is this machine ready? Each finding with its fix.")
@JSON
@click.option("--quick", is_flag=True, help="Leave out what starts torch or asks the network.")
def doctor(as_json: bool, quick: bool) -> int:
    """Check Python, packages, disk, memory, sandbox, torch, GPU, bitsandbytes and the hub.

    Exit code 1 when something is wrong; a note is no fault, and neither is a machine without a
    network. -q shows only what is wrong.

    \b
    rftspec doctor
    rftspec doctor --quick --json
    """
    from rftspec.cli.checks import CHECKS, SLOW, examine_all

    names = [name for name in CHECKS if not (quick and name in SLOW)]
    found: list[Finding] = []
    for findings in examine_all(names):
        found += findings
        for one in [] if as_json else findings:
            _say(one)
    wrong = sum(one.status == "wrong" for one in found)
    if as_json:
        checks = [one.to_json() for one in found]
        console.say_json({"format": "rftspec.doctor/1", "ok": wrong == 0, "checks": checks})
    else:
        console.say(f"\n{_count(wrong, len(found))}")
    return 1 if wrong else 0


def _say(one: Finding) -> None:
    """One finding, its fix below; what is wrong is an error, and told when quiet too."""
    from rftspec.cli.text import paint
    from rftspec.cli.visible import visible

    tell = console.complain if console.is_quiet() and one.status == "wrong" else console.say
    color = console.wants_color(sys.stdout)
    word = paint(
        f"{one.status:<6}", {"ok": "32", "note": "33"}.get(one.status, "31;1"), color=color
    )
    tell(f"{word} {one.name:<13} {visible(one.told)}")
    if one.fix:
        tell(f"{'':<6} {'':<13} → {visible(one.fix)}")


def _count(wrong: int, checked: int) -> str:
    if not wrong:
        return "ready"
    return f"{wrong} of {checked} checks {'is' if wrong == 1 else 'are'} wrong"
