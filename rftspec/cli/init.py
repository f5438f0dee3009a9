"""`rftspec init`: a spec, its grader and a few rows, to run at once and then to change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from rftspec.cli import console
from rftspec.cli.exits import FINE
from rftspec.cli.text import shown_path

TEMPLATES: Mapping[str, str] = {
    "math": "Numbers to add; the number behind `Answer:` is marked. The smallest one.",
    "extraction": "Fields of an order as JSON; an expression pays for each.",
    "classification": "Tickets to teams as JSON; two metrics beside the reward.",
    "python-grader": "Sentences with given words, marked by a Python file of your own.",
    "judge": "Replies to customers, marked by another model on this machine.",
    "tools": "Tool calls as JSON: the right tool with the right arguments.",
    "rare-disease": "Genes ranked from a case report: the demo in small, with its model.",
}
"""What each template shows; its files are in `specs/templates`."""
DEFAULT = "math"
SPEC_NAME, SCHEMA_NAME = "spec.yaml", "rftspec.schema.json"
SHIPPED: Mapping[str, Mapping[str, tuple[str, int | None]]] = {
    "rare-disease": {
        "graders/concise.py": ("graders/concise.py", None),
        "train.jsonl": ("data/rare_disease/train.jsonl", 64),
        "validation.jsonl": ("data/rare_disease/validation.jsonl", 60),
    },
}
"""Files that a template takes from elsewhere in `specs`, and how many of their lines."""


@click.command(short_help="Write a spec with a few rows to start from, ready to run.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--template",
    "-t",
    type=click.Choice(list(TEMPLATES)),
    default=DEFAULT,
    show_default=True,
    metavar="NAME",
    help="What to start from: " + ", ".join(TEMPLATES) + ".",
)
@click.option("--list", "only_list", is_flag=True, help="Say what the templates show; write none.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def init(folder: Path, template: str, only_list: bool, as_json: bool) -> int:
    """Write a spec, a grader where it needs one, and a few rows into DIR (here, if none is given).

    What is written runs as it is, on a model that comes with rftspec, in a minute or two. Nothing
    that is there already is overwritten.

    \b
    rftspec init --list
    rftspec init practice --template extraction
    """
    if only_list:
        _list(as_json=as_json)
        return FINE
    files = files_of(template)
    write(folder, files)
    if as_json:
        names = sorted(files)
        told = {"template": template, "folder": str(folder), "files": names, "next": _next(folder)}
        console.say_json({"format": "rftspec.init/1", **told})
    else:
        _say(folder, template, files)
    return FINE


def files_of(template: str) -> dict[str, str]:
    """The texts of a template's files by name; the spec comes last, and so is written last."""
    from rftspec.resources import resource

    source = resource("specs", "templates", template)
    names = sorted(path.name for path in source.iterdir() if path.is_file())
    files = {name: (source / name).read_text(encoding="utf-8") for name in names}
    for name, (shipped, count) in SHIPPED.get(template, {}).items():
        text = resource("specs", *shipped.split("/")).read_text(encoding="utf-8")
        files[name] = "".join(text.splitlines(keepends=True)[:count])
    files[SCHEMA_NAME] = _schema()
    files[SPEC_NAME] = files.pop(SPEC_NAME)
    return files


def _schema() -> str:
    import json

    from rftspec.spec.schema import spec_schema

    return json.dumps(spec_schema(), ensure_ascii=False, indent=1) + "\n"


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files, or none if one of them is there. Raises DiagnosticError for each that is."""
    from rftspec.cli.import_spec import write_whole
    from rftspec.diagnostics import Diagnostic, DiagnosticError

    hint = f"name an empty or new folder: {console.command('init', 'practice')}"
    if folder.exists() and not folder.is_dir():
        message = f"`{shown_path(folder)}` is a file, not a folder"
        raise DiagnosticError([Diagnostic("E708", message, hint=hint)])
    there = [name for name in sorted(files) if _is_taken(folder / name)]
    if there:
        raise DiagnosticError(
            Diagnostic(
                "E708",
                f"`{shown_path(folder / name)}` is there already",
                hint=hint if name == there[-1] else None,
            )
            for name in there
        )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def _is_taken(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _next(folder: Path) -> list[str]:
    spec = folder / SPEC_NAME
    return [console.command(verb, spec) for verb in ("validate", "plan", "run")]


def _say(folder: Path, template: str, files: Mapping[str, str]) -> None:
    place = "this folder" if folder == Path() else shown_path(folder)
    console.say(f"wrote the template {console.bold(template)} into {place}:")
    width = max(map(len, files))
    for name in [SPEC_NAME, *(name for name in files if name != SPEC_NAME)]:
        console.say(f"  {name:<{width}}  {_what(name, files[name])}")
    console.say()
    console.say("Next:")
    told = ("is everything right?", "every number, with its reason", "a minute or two")
    commands = _next(folder)
    width = max(map(len, commands))
    for line, why in zip(commands, told, strict=True):
        console.say(f"  {line:<{width}}  {why}")


def _what(name: str, text: str) -> str:
    if name == SPEC_NAME:
        return "what to train, on what, and what is paid for: read it, change it"
    if name == SCHEMA_NAME:
        return "for editors with a YAML language server: completion and checks"
    if name.endswith(".jsonl"):
        use = "to learn from" if name.startswith("train") else "that are only measured"
        return f"{text.count(chr(10))} rows {use}"
    return "the grader: def grade(sample, item) -> float"


def _list(*, as_json: bool) -> None:
    if as_json:
        told = [{"name": name, "shows": shows} for name, shows in TEMPLATES.items()]
        console.say_json({"format": "rftspec.templates/1", "templates": told, "default": DEFAULT})
        return
    width = max(map(len, TEMPLATES))
    for name, shows in TEMPLATES.items():
        console.say(f"{console.bold(name)}{' ' * (width - len(name))}  {shows}")
    console.say()
    console.say(f"Next: {console.command('init', 'practice', '--template', DEFAULT)}")
