"""`rftspec import`: jobs, graders, evals and configs from elsewhere become a spec."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE, WRONG
from rftspec.cli.text import count_line, shown_path, to_json

if TYPE_CHECKING:
    from rftspec.spec.importing.imported import Imported, Wishes

FILE = click.argument("file", type=click.Path(path_type=Path))
_PATH = click.Path(path_type=Path)


def _options(command: Callable[..., int]) -> Callable[..., int]:
    """The options that all kinds of import have."""
    for option in reversed(
        (
            click.option("--out", type=_PATH, help="Write the spec here; else it is printed."),
            click.option("--force", is_flag=True, help="Overwrite files that are there."),
            click.option("--train", type=_PATH, help="The training rows (JSONL)."),
            click.option("--validation", type=_PATH, help="The validation rows (JSONL)."),
            click.option("--base", metavar="MODEL", help="The base model of the spec."),
            click.option(
                "--json", "as_json", is_flag=True, help="The mapping, as one JSON object."
            ),
        )
    ):
        command = option(command)
    return FILE(command)


@click.group("import", short_help="A spec from a hosted job, grader or eval, or a GRPO config.")
def import_spec() -> None:
    """Turn what another product has into a spec, and tell what became of every key.

    \b
    rftspec import openai job.json --out spec.yaml --train train.jsonl
    rftspec import trl grpo.yaml --out spec.yaml
    rftspec import axolotl config.yaml --out spec.yaml
    """


@import_spec.command("openai", short_help="OpenAI's and Azure's jobs, graders and evals.")
@_options
def openai(**given: object) -> int:
    """A fine-tuning job (method reinforcement), a grader, or an eval: JSON, or Azure's YAML.

    \b
    rftspec import openai job.json --out spec.yaml --train train.jsonl
    """
    from rftspec.spec.importing.openai import import_openai

    return _import(import_openai, given)


@import_spec.command("trl", short_help="TRL's GRPOConfig, or the YAML of its scripts.")
@_options
def trl(**given: object) -> int:
    """A GRPOConfig as JSON or YAML, or the YAML that a script of TRL reads.

    \b
    rftspec import trl grpo.yaml --out spec.yaml
    """
    from rftspec.spec.importing.trl import import_trl

    return _import(import_trl, given)


@import_spec.command("axolotl", short_help="Axolotl's configs with `rl: grpo`.")
@_options
def axolotl(**given: object) -> int:
    """A config with `rl: grpo`.

    \b
    rftspec import axolotl config.yaml --out spec.yaml
    """
    from rftspec.spec.importing.axolotl import import_axolotl

    return _import(import_axolotl, given)


def _import(convert: Callable[[Wishes], Imported], given: dict[str, object]) -> int:
    """Convert one file, write or print the spec, and say what became of each key."""
    from rftspec.diagnostics import DiagnosticError
    from rftspec.spec.importing.imported import Wishes

    source, out = given["file"], given["out"]
    assert isinstance(source, Path)
    assert out is None or isinstance(out, Path)
    wishes = Wishes(source, out, given["train"], given["validation"], given["base"])  # type: ignore[arg-type]
    try:
        made = convert(wishes)
        if out is not None:
            _write(out, made, force=bool(given["force"]))
    except DiagnosticError as error:
        if not given["as_json"]:
            raise
        console.say_json(to_json("import", error.diagnostics, source=str(source)))
        return WRONG
    if given["as_json"]:
        _say_json(made, source, out)
    else:
        _say_text(made, out)
    return FINE if made.is_whole else WRONG


def _write(out: Path, made: Imported, *, force: bool) -> None:
    """The spec and its graders' files, each whole or not at all; the spec last."""
    from rftspec.spec.importing.imported import refuse_existing

    files = {out.parent / name: text for name, text in made.files.items()}
    files[out] = made.text
    if not force:
        refuse_existing(list(files))
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step: readers see nothing, or all of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _say_json(made: Imported, source: Path, out: Path | None) -> None:
    told = to_json(
        "import",
        made.diagnostics,
        source=str(source),
        found=made.kind,
        out=None if out is None else str(out),
        mapping=[entry.to_json() for entry in made.entries],
        spec=made.text if out is None else None,
        files=sorted(made.files),
    )
    console.say_json(told)


def _say_text(made: Imported, out: Path | None) -> None:
    console.remark_diagnostics(made.diagnostics)
    fates = [entry.fate for entry in made.entries]
    parts = [
        f"{fates.count(fate)} {fate}"
        for fate in ("mapped", "changed", "no counterpart", "refused", "unknown")
        if fate in fates
    ]
    counted = count_line(made.diagnostics)
    told = f"{made.kind}: {', '.join(parts)}" + (f" ({counted})" if counted else "")
    if out is None:
        console.give(made.text.removesuffix("\n"))
        console.remark(told)
        return
    files = "".join(f", {name}" for name in made.files)
    console.say(f"wrote {shown_path(out)}{files}: {told}")
    console.remark(f"Next: {console.command('validate', str(out))}")
