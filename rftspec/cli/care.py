"""`rftspec doctor`: is this machine ready, and if not, what to do about it."""

from __future__ import annotations

import sys

import click

from rftspec.cli import console


@click.command(short_help="Is this machine ready? Each finding with its fix.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--quick", is_flag=True, help="Leave out the checks that start torch.")
def doctor(as_json: bool, quick: bool) -> int:
    """Check Python, packages, disk, sandbox, torch, GPU and bitsandbytes."""
    from rftspec.cli.checks import CHECKS, Finding, examine
    from rftspec.cli.text import paint
    from rftspec.cli.visible import visible

    color = console.wants_color(sys.stdout)
    marks = {"ok": ("ok", "32"), "note": ("note", "33"), "wrong": ("wrong", "31;1")}
    found: list[Finding] = []
    for name in CHECKS:
        if quick and name == "torch":
            continue
        findings = examine(name)
        found += findings
        for one in [] if as_json else findings:
            word, style = marks[one.status]
            console.say(
                f"{paint(f'{word:<6}', style, color=color)} {one.name:<13} {visible(one.told)}"
            )
            if one.fix:
                console.say(f"{'':<6} {'':<13} → {visible(one.fix)}")
    wrong = sum(one.status == "wrong" for one in found)
    if as_json:
        checks = [one.to_json() for one in found]
        console.say_json({"format": "rftspec.doctor/1", "ok": wrong == 0, "checks": checks})
    else:
        console.say(f"{wrong} of {len(found)} checks went wrong" if wrong else "\nready")
    return 1 if wrong else 0
