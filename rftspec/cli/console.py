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
from rftspec.diagnostics import Diagnostic


def prepare_streams() -> None:
    """Make both streams survive any text: what their encoding lacks is shown as `?`."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def is_terminal(stream: IO[str]) -> bool:
    """True when a person watches the stream: a terminal, and neither CI nor a dumb one."""
    try:
        attached = stream.isatty()
    except ValueError:
        return False
    return attached and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def wants_color(stream: IO[str]) -> bool:
    """Colour on terminals, unless NO_COLOR is set or `--no-color` was given."""
    if os.environ.get("NO_COLOR"):
        return False
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().params.get("no_color"):
        return False
    return is_terminal(stream)


def say(text: str = "") -> None:
    """A line of the answer."""
    click.echo(text, color=wants_color(sys.stdout))


def remark(text: str = "") -> None:
    """A line beside the answer: warnings, errors, hints."""
    click.echo(text, err=True, color=wants_color(sys.stderr))


def say_json(value: Any) -> None:
    """The answer as one JSON object."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def bold(text: str) -> str:
    """Bold on standard output, where colour is on."""
    return paint(text, "1", color=wants_color(sys.stdout))


def remark_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics as text on standard error, an empty line after them."""
    found = list(diagnostics)
    if found:
        remark(render_all(found, color=wants_color(sys.stderr)) + "\n")


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
