"""`rftspec fmt`: every expression of a spec written in one way, in place."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE, WRONG
from rftspec.cli.spec import JSON
from rftspec.cli.text import shown_path

_BOM = b"\xef\xbb\xbf"


@click.command(short_help="Format the expressions of specs in place; nothing else is touched.")
@click.argument("specs", metavar="SPEC…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if something would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change; 1 if anything.")
@JSON
def fmt(specs: tuple[Path, ...], check: bool, diff: bool, as_json: bool) -> int:
    """Format every expression of a spec: reward, graders, metrics, gates and votes.

    Meaning and comments stay, and so does every other byte of the file. An expression that YAML
    would misread, or that has several lines, becomes a block (`|`).

    \b
    rftspec fmt spec.yaml
    rftspec fmt --check specs/*.yaml
    """
    write = not (check or diff)
    done = [_format(spec, write=write, diff=diff, tell=not as_json) for spec in specs]
    outcomes = [one["outcome"] for one in done]
    changed, wrong = outcomes.count("changed"), outcomes.count("wrong")
    same = outcomes.count("same")
    if as_json:
        content = {"ok": not wrong, "written": write, "specs": done}
        console.say_json({"format": "rftspec.fmt/1", **content})
    elif len(specs) > 1:
        verb = "would be formatted" if check or diff else "formatted"
        parts = [(changed, verb), (same, "left as they are"), (wrong, "could not be read")]
        console.remark(", ".join(f"{count} {what}" for count, what in parts if count))
    return WRONG if wrong or (changed and (check or diff)) else FINE


def _format(spec: Path, *, write: bool, diff: bool, tell: bool) -> dict[str, Any]:
    """Format one spec; what was done (`changed`, `same` or `wrong`) and what there is to say."""
    from rftspec.diagnostics import DiagnosticError
    from rftspec.spec.format import format_document
    from rftspec.spec.load import open_document

    try:
        document = open_document(spec)
        formatted = format_document(document)
    except DiagnosticError as error:
        if tell:
            console.remark_diagnostics(error.diagnostics)
            console.remark(f"{shown_path(spec)} was left as it is.")
        found = [one.to_json() for one in error.diagnostics]
        return {"spec": str(spec), "outcome": "wrong", "diagnostics": found}
    if not formatted.changed:
        if tell:
            console.remark(f"{shown_path(spec)} is formatted")
        return {"spec": str(spec), "outcome": "same"}
    difference = _difference(spec, document.source.text, formatted.text)
    if write:
        write_in_place(spec, formatted.text)
    count = len(formatted.changed)
    if tell:
        if diff:
            console.give(difference)
        told = f"{count} expression{'s' if count > 1 else ''}"
        verb = "formatted" if write else "would format"
        console.remark(f"{verb} {shown_path(spec)}: {told}")
    return {"spec": str(spec), "outcome": "changed", "expressions": count, "diff": difference}


def _difference(spec: Path, before: str, after: str) -> str:
    import difflib

    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), str(spec), str(spec), lineterm=""
    )
    return "\n".join(lines)


def write_in_place(path: Path, text: str) -> None:
    """Replace a file's text in one step: readers see the old file or the new one, whole.

    A byte order mark, the file's mode, and a link that leads to it stay.
    """
    target = path.resolve()
    mark = _BOM if target.read_bytes().startswith(_BOM) else b""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(mark + text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, name)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
