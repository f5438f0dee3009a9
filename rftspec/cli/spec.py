"""The verbs on a spec alone: validate, explain, schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from rftspec.cli import console
from rftspec.cli.text import count_line, render_github, shown_path, to_json
from rftspec.cli.visible import visible

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
LIMIT = click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the first N rows of each split.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def _remember_object(context: click.Context, _option: click.Parameter, given: bool) -> None:
    context.meta[console.OBJECT] = given


JSON_AT_THE_END = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=_remember_object,
    help="Nothing but one JSON object when it is over.",
)


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
    """Check specs, their data and their graders; nothing is run.

    All problems of a file are told at once, each with its place and a fix.

    \b
    rftspec validate specs/rare_disease.yaml
    rftspec validate specs/*.yaml --format github
    rftspec validate spec.yaml --set train.steps=20
    """
    form = "json" if as_json else form
    checked = [_check(spec, overrides, sandbox) for spec in specs]
    if form == "json":
        _say_json(checked)
    for one in checked:
        if form == "github":
            for found in one.found:
                console.give(render_github(found))
        elif form == "text":
            _say_text(one.spec, one.found, one.loaded)
    return 1 if any(one.errors for one in checked) else 0


@dataclass(frozen=True, slots=True)
class _Checked:
    """A spec, all that was found in it, and what it means where nothing was wrong."""

    spec: Path
    found: tuple[Diagnostic, ...]
    loaded: Loaded | None

    @property
    def errors(self) -> int:
        return sum(one.severity == "error" for one in self.found)


def _check(spec: Path, overrides: tuple[str, ...], sandbox: Sandbox) -> _Checked:
    from rftspec.diagnostics import DiagnosticError
    from rftspec.spec.load import load_spec

    try:
        loaded = load_spec(spec, overrides=overrides, sandbox=sandbox)
    except DiagnosticError as error:
        return _Checked(spec, error.diagnostics, None)
    return _Checked(spec, tuple(loaded.diagnostics), loaded)


def _say_json(checked: list[_Checked]) -> None:
    """One object, however many specs were named."""
    every = [found for one in checked for found in one.found]
    specs = [
        {
            "spec": str(one.spec),
            "ok": not one.errors,
            "errors": one.errors,
            "warnings": sum(found.severity == "warning" for found in one.found),
        }
        for one in checked
    ]
    first = str(checked[0].spec) if len(checked) == 1 else None
    console.say_json(to_json("validate", every, spec=first, specs=specs))


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


@click.command(short_help="The page of a code, field, grader, function, metric or verb.")
@click.argument("name", required=False)
@JSON
def explain(name: str | None, as_json: bool) -> int:
    """The page of an error code, health rule, field, grader, function, metric or verb.

    Without a name: all that there is.

    \b
    rftspec explain E103
    rftspec explain train.samples_per_prompt
    rftspec explain rank_decay
    """
    from rftspec.cli.pages import find_page, near_names, overview, topics

    if name is None:
        if as_json:
            console.say_json({"format": "rftspec.topics/1", "topics": topics()})
        else:
            console.give(overview())
        return 0
    page = find_page(name)
    if page is None:
        near = near_names(name)
        meant = f" Did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else ""
        raise click.UsageError(
            f"nothing is called `{visible(name)}`.{meant} `rftspec explain` alone lists all there "
            "is."
        )
    if as_json:
        console.say_json({"format": "rftspec.explain/1", **page.to_json()})
    else:
        console.give(page.text())
    return 0


@click.command(short_help="The JSON Schema of a spec, for editors.")
@click.option("--field", metavar="FIELD", help="Of one field alone, such as train.steps.")
@JSON
def schema(field: str | None, as_json: bool) -> int:
    """The JSON Schema of a spec, for editors (yaml-language-server) and other tools.

    --json puts it in an object with a versioned format.

    \b
    rftspec schema > rftspec.schema.json
    rftspec schema --field train.learning_rate
    """
    from rftspec.spec.schema import spec_schema

    found = spec_schema()
    if field is not None:
        found = _schema_of(found, field)
    if as_json:
        console.say_json({"format": "rftspec.schema/1", "field": field, "schema": found})
    else:
        console.say_json(found)
    return 0


def _schema_of(schema: dict[str, Any], field: str) -> dict[str, Any]:
    """The schema of one field; wrong usage where there is none."""
    found: dict[str, Any] | None = schema
    for name in field.split("."):
        options = [found, *found.get("anyOf", ())] if found is not None else []
        found = next((one["properties"][name] for one in options if _has(one, name)), None)
    if found is None:
        from rftspec.cli.pages import near_names

        meant = "".join(f" Did you mean `{one}`?" for one in near_names(field)[:1])
        raise click.UsageError(f"the spec has no field `{visible(field)}`.{meant}")
    return found


def _has(schema: dict[str, Any], name: str) -> bool:
    return name in schema.get("properties", {})
