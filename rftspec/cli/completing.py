"""What a shell may complete: run folders, specs, fields of `--set`, everything that is explained.

Verbs and options click completes by itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    shell_complete,
)

from rftspec.cli.manners import COMPLETE, PROGRAM, leaves

Items = list[CompletionItem[str]]
Completer = Callable[[click.Context, click.Parameter, str], Items]
_NO_SPACE = "\n    [[ ${#COMPREPLY[@]} -eq 1 && $COMPREPLY == *[=/] ]] && compopt -o nospace\n"


@add_completion_class
class Bash(BashComplete):
    """click's own, without the space after `train.steps=` and after a folder."""

    source_template = BashComplete.source_template.replace(
        "\n    return 0\n", f"{_NO_SPACE}\n    return 0\n"
    )


def script_of(cli: click.Command, shell: str) -> str:
    """The completion script of a shell that click knows."""
    found = get_completion_class(shell)
    assert found is not None
    return found(cli, {}, PROGRAM, COMPLETE).source()


def answer(cli: click.Group, instruction: str) -> int:
    """Answer a shell that runs the script; nothing goes wrong aloud while a person types."""
    teach_values(cli)
    try:
        return shell_complete(cli, {}, PROGRAM, COMPLETE, instruction)
    except click.ClickException:  # a verb that does not exist has nothing to complete
        return 0
    except (OSError, KeyError, ValueError):  # not how a shell asks
        return 1


def teach_values(cli: click.Group) -> None:
    """Let parameters complete by what they take, which their metavar says."""
    for _, command in leaves(cli):
        for param in command.params:
            found = _completer(command, param)
            if found is not None:
                param._custom_shell_complete = found


def _completer(command: click.Command, param: click.Parameter) -> Completer | None:
    if "--set" in param.opts or "--set-json" in param.opts:
        return fields
    if not isinstance(param, click.Argument):
        return None
    metavar = (param.metavar or param.name or "").upper()
    if command.name == "explain":
        return topics
    if metavar in {"RUN", "RUNS"} or "RUN…" in metavar:
        return runs
    if "RUN" in metavar.split("|"):
        return specs_and_runs
    return specs if metavar.startswith("SPEC") else None


def topics(_context: click.Context, _param: click.Parameter, typed: str) -> Items:
    """What `explain` knows, each with its kind."""
    from rftspec.cli.pages import all_pages

    return [
        CompletionItem(page.name, help=page.kind)
        for page in all_pages()
        if page.name.lower().startswith(typed.lower())
    ]


def fields(_context: click.Context, _param: click.Parameter, typed: str) -> Items:
    """Fields of the spec with `=` behind them; behind the `=`, the words that a field takes."""
    from rftspec.cli.pages import field_pages

    name, equals, value = typed.partition("=")
    found: Items = []
    for page in field_pages():
        if not equals and page.name.startswith(name):
            found.append(CompletionItem(f"{page.name}=", help=page.body.partition(". ")[0]))
        elif equals and page.name == name:
            words = dict(page.facts).get("one of", "").split(", ")
            found += [CompletionItem(f"{name}={w}") for w in words if w and w.startswith(value)]
    return found


def runs(_context: click.Context, _param: click.Parameter, typed: str) -> Items:
    """Run folders below `runs/` and below what is typed, the newest first; else folders."""
    found = _runs(typed)
    return found or [CompletionItem(typed, type="dir")]


def specs(_context: click.Context, _param: click.Parameter, typed: str) -> Items:
    """Specs and saved plans here and below what is typed, with the folders on the way."""
    return _files(typed) or [CompletionItem(typed, type="file")]


def specs_and_runs(context: click.Context, param: click.Parameter, typed: str) -> Items:
    """Both, for `grade`."""
    return [*_runs(typed), *_files(typed)] or [CompletionItem(typed, type="file")]


def _runs(typed: str) -> Items:
    parents = {Path("runs"), _parent(typed)}
    found: dict[str, float] = {}
    for parent in parents:
        for path in _entries(parent):
            plan = path / "plan.json"
            if str(path).startswith(typed) and plan.is_file():
                found[str(path)] = plan.stat().st_mtime
    return [CompletionItem(name) for name in sorted(found, key=lambda name: -found[name])]


def _files(typed: str) -> Items:
    found = []
    for path in _entries(_parent(typed)):
        if not str(path).startswith(typed):
            continue
        if path.is_dir():
            found.append(f"{path}/")
        elif path.suffix in {".yaml", ".yml", ".json"}:
            found.append(str(path))
    return [CompletionItem(name) for name in found]


def _parent(typed: str) -> Path:
    """The folder that is typed so far: of `runs/` it is `runs`, which Path.parent would not say."""
    return Path(os.path.dirname(typed) or ".")  # noqa: PTH120


def _entries(parent: Path) -> list[Path]:
    """What stands in a folder, without what is hidden or has a name that no line can hold."""
    try:
        names = sorted(path for path in parent.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
    return [path for path in names if str(path).isprintable()]
