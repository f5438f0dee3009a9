"""Where words go: answers to standard output, remarks to standard error, colour where wanted."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import click

from rftspec.cli.text import paint, render_all
from rftspec.cli.visible import inert_json
from rftspec.diagnostics import Diagnostic

QUIET = "rftspec.quiet"
"""Where click's context remembers `--quiet`."""
OBJECT = "rftspec.object"
"""Where it remembers that a verb with a display shall end in one JSON object."""


def prepare_streams() -> None:
    """Make both streams survive any text: what their encoding lacks is shown as `?`.

    A stream that was closed by whoever started us is opened on nothing: else the next pipe or file
    that is opened would take its number, and our own words would end up in it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def is_terminal(stream: IO[str] | None) -> bool:
    """True when a person watches the stream: a terminal, and neither CI nor a dumb one."""
    if stream is None:  # closed by the shell
        return False
    try:
        attached = stream.isatty()
    except ValueError:
        return False
    return attached and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def wants_color(stream: IO[str] | None) -> bool:
    """Colour on terminals, unless NO_COLOR is set or `--no-color` was given."""
    if os.environ.get("NO_COLOR"):
        return False
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().params.get("no_color"):
        return False
    return is_terminal(stream)


def is_quiet() -> bool:
    """True when `--quiet` was given: nothing but errors, and what a verb is asked to hand over."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


def wants_object() -> bool:
    """True when `--json` was given to a verb that has a display, too."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(OBJECT))


def display_wanted(display: str) -> str:
    """The display, or none where `--quiet` or `--json` asks for silence until the end."""
    return "none" if is_quiet() or wants_object() else display


def say(text: str = "") -> None:
    """A line of what a verb tells; not said when quiet."""
    if not is_quiet():
        give(text)


def give(text: str = "") -> None:
    """A line of what a verb hands over (a script, a page, a list of folders), quiet or not."""
    click.echo(text, color=wants_color(sys.stdout))


def remark(text: str = "") -> None:
    """A line beside the answer: warnings, hints; not said when quiet."""
    if not is_quiet():
        complain(text)


def complain(text: str) -> None:
    """An error, on standard error, quiet or not."""
    click.echo(text, err=True, color=wants_color(sys.stderr))


def say_json(value: Any) -> None:
    """The answer as one JSON object, inert in a terminal whatever its strings hold."""
    click.echo(inert_json(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)))


def say_failure(
    code: int, message: str, diagnostics: Iterable[Diagnostic] = (), **more: Any
) -> None:
    """What went wrong, as the one JSON object that a verb with `--json` gives in place of its own.

    `exit_code` is what the process exits with; `diagnostics` are those of `validate --json`.
    """
    found = [one.to_json() for one in diagnostics]
    told = {"ok": False, "exit_code": code, "message": message, **more, "diagnostics": found}
    say_json({"format": "rftspec.error/1", **told})


def columns() -> int:
    """Columns to write on: the terminal's, at most 120; 100 where nobody watches."""
    if not is_terminal(sys.stdout):
        return 100
    return max(40, min(120, shutil.get_terminal_size((100, 24)).columns))


def bold(text: str) -> str:
    """Bold on standard output, where colour is on."""
    return paint(text, "1", color=wants_color(sys.stdout))


def remark_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics as text on standard error, an empty line after them; when quiet, errors only."""
    found = [one for one in diagnostics if one.severity == "error" or not is_quiet()]
    if found:
        complain(render_all(found, color=wants_color(sys.stderr)) + "\n")


def how_to_call() -> str:
    """What to type for `rftspec` here: the bare name only where a shell would find this one."""
    own = Path(sys.executable).parent / "rftspec"
    found = shutil.which("rftspec")
    if found is not None and (not own.exists() or Path(found).resolve() == own.resolve()):
        return "rftspec"
    if own.exists():
        try:
            return shlex.quote(str(own.relative_to(Path.cwd())))
        except ValueError:
            return shlex.quote(str(own))
    return "rftspec" if found else f"{shlex.quote(sys.executable)} -m rftspec"


def command(*words: str | Path) -> str:
    """A command line that can be copied and run as it stands."""
    return " ".join([how_to_call(), *(shlex.quote(str(word)) for word in words)])
