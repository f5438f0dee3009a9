"""The verbs on a spec alone: validate, explain, schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from rftspec.cli import console
from rftspec.cli.text import count_line, render_github, shown_path, to_json

if TYPE_CHECKING:
    from rftspec.diagnostics import Diagnostic
    from rftspec.spec.load import Loaded

Sandbox = Literal["full", "reduced"]
SPEC = click.argument("spec", type=click.Path(path_type=Path))


def _set_json(context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> None:
    from rftspec.spec.overrides import AsJson

    context.meta["rftspec.set_json"] = tuple(map(AsJson, given))


def _set(
    context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Both kinds of overrides as one list."""
    return (*given, *context.meta.get("rftspec.set_json", ()))


def SET(command: Callable[..., int]) -> Callable[..., int]:  # noqa: N802 - a decorator as the others
    """`--set` and `--set-json`, as one parameter `overrides`."""
    typed = click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="FIELD=VALUE",
        callback=_set,
        help="Change a field of the spec, such as train.steps=20; may be repeated.",
    )
    json = click.option(
        "--set-json",
        multiple=True,
        metavar="FIELD=JSON",
        is_eager=True,
        expose_value=False,
        callback=_set_json,
        help="The same with JSON: lists, texts that look like numbers, whole mappings.",
    )
    return typed(json(command))


SANDBOX = click.option(
    "--sandbox",
    type=click.Choice(["full", "reduced"]),
    default="full",
    help="reduced: for machines that lack a layer of the sandbox for Python graders.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.command(short_help="Find every mistake in specs, data and graders; nothing is run.")
@click.argument("specs", metavar="SPEC…", nargs=-1, required=True, type=click.Path(path_type=Path))
@SET
@JSON
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="github: annotations at the lines of a pull request.",
)
@SANDBOX
def validate(
    specs: tuple[Path, ...], overrides: tuple[str, ...], as_json: bool, form: str, sandbox: Sandbox
) -> int:
    """Check specs, their data and their graders; nothing is run."""
    form = "json" if as_json else form
    codes = [_validate(spec, overrides, form, sandbox) for spec in specs]
    return max(codes)


def _validate(spec: Path, overrides: tuple[str, ...], form: str, sandbox: Sandbox) -> int:
    """Check one spec and say what was found; its exit code."""
    from rftspec.diagnostics import DiagnosticError
    from rftspec.spec.load import load_spec

    loaded: Loaded | None = None
    try:
        loaded = load_spec(spec, overrides=overrides, sandbox=sandbox)
        found = tuple(loaded.diagnostics)
    except DiagnosticError as error:
        found = error.diagnostics
    errors = sum(one.severity == "error" for one in found)
    if form == "json":
        console.say_json(to_json("validate", found, spec=str(spec)))
    elif form == "github":
        for one in found:
            console.say(render_github(one))
    else:
        _say_text(spec, found, loaded)
    return 1 if errors else 0


def _say_text(spec: Path, found: tuple[Diagnostic, ...], loaded: Loaded | None) -> None:
    console.remark_diagnostics(found)
    if loaded is None:
        codes = sorted({one.code for one in found if one.severity == "error"})
        more = console.command("explain", codes[0]) if codes else ""
        console.remark(f"{count_line(found)}. Nothing was run. More: {more}")
        return
    counted = f" ({count_line(found)})" if found else ""
    console.say(f"{shown_path(spec)} is fine{counted}: {_told(loaded)}")


def _told(loaded: Loaded) -> str:
    """`base model · graders rank, concise · 60 steps`: what the spec amounts to, in one line."""
    spec = loaded.spec
    graders = ", ".join(spec.graders)
    return f"{spec.model.base} · graders {graders} · metrics {len(spec.evaluate.metrics)}"


@click.command(short_help="The page of an error code, field, grader, function or metric.")
@click.argument("name", required=False)
@JSON
def explain(name: str | None, as_json: bool) -> int:
    """The page of an error code, a field, a grader, a function or a metric.

    \b
    rftspec explain E103
    rftspec explain train.samples_per_prompt
    rftspec explain rank_decay
    """
    from rftspec.cli.pages import find_page, near_names, overview

    if name is None:
        console.say(overview())
        return 0
    page = find_page(name)
    if page is None:
        near = near_names(name)
        meant = f" Near it: {', '.join(near)}." if near else ""
        raise click.UsageError(
            f"nothing is called `{name}`.{meant} `rftspec explain` alone lists all there is."
        )
    if as_json:
        console.say_json({"format": "rftspec.explain/1", **page.to_json()})
    else:
        console.say(page.text())
    return 0


@click.command(short_help="The JSON Schema of a spec, for editors.")
def schema() -> int:
    """The JSON Schema of a spec, for editors (yaml-language-server) and other tools."""
    from rftspec.spec.schema import spec_schema

    console.say_json(spec_schema())
    return 0
