"""From a spec or a saved plan to the Plan that a verb works with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click
from click.core import ParameterSource

from rftspec.cli import console
from rftspec.cli.spec import Sandbox
from rftspec.cli.text import shown_path
from rftspec.diagnostics import Diagnostic, DiagnosticError, Span
from rftspec.plan.model import Plan

if TYPE_CHECKING:
    from rftspec.record.folder import FolderState

CODES: Mapping[str, str] = {
    "R410": "The run folder holds another plan: something that decides the run has changed since "
    "it began. Go on with the old plan, or give the new one its own folder.",
    "R411": "The file cannot be run as a plan: it is no JSON, or not of this version's format, or "
    "was edited or damaged. A plan is made by `rftspec plan SPEC --out plan.json`.",
    "R412": "A saved plan is run exactly as it is: `--set`, `--seed`, `--limit` and the like "
    "belong to the spec that it is made from.",
    "R418": "What a saved plan was made of is not as it was: a data file, a grader's file or the "
    "model has changed. A plan is run exactly, or not at all.",
    "R419": "`--locked` compares with the lock beside the spec, and there is none. "
    "`rftspec plan SPEC --lock` writes it.",
    "R415": "The lock beside the spec cannot be read: it is damaged, or a newer rftspec wrote it. "
    "`rftspec plan SPEC --lock` writes it again.",
    "R416": "A lock holds what models contain, and of a hub model that was never fetched nothing "
    "is known. Fetch it once, or name its commit.",
    "R417": "Something is not as the lock beside the spec says: a setting, the data, a grader, a "
    "model, or a version of what computes. `rftspec plan SPEC --lock` accepts it.",
}
"""Codes of the command line itself, with the page that `rftspec explain` shows."""
SHOWN_CHANGES = 12


def plan_of(
    spec: Path,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    control: str | None = None,
    sandbox: Sandbox = "full",
    limit: int | None = None,
    exact: bool = False,
) -> Plan:
    """The plan of a spec, or a saved one; raises DiagnosticError. Warnings are said at once.

    `exact` looks at what the models hold, which reads all of a folder's weights once.
    """
    if spec.suffix == ".json":
        changed = overrides or not (seed is None and control is None and limit is None)
        return _saved_plan(spec, sandbox, changed=bool(changed))
    from rftspec.plan.compile import compile_plan
    from rftspec.spec.load import load_spec

    loaded = load_spec(spec, overrides=overrides, sandbox=sandbox)
    console.remark_diagnostics(loaded.diagnostics)
    plan = compile_plan(loaded, seed=seed, control=_control(control), limit=limit)
    plan = dataclasses.replace(plan, sandbox=sandbox)
    return with_contents(plan) if exact else plan


def with_contents(plan: Plan) -> Plan:
    """The plan with what its models hold now."""
    from rftspec.plan.identity import identify

    return plan if plan.contents is not None else dataclasses.replace(plan, contents=identify(plan))


def keep(plan: Plan, path: Path) -> Plan:
    """Save a plan, a hub model by its commit, and give what was saved."""
    from rftspec.plan.identity import pinned
    from rftspec.plan.saved import save_plan

    plan = pinned(plan)
    if "base" not in (plan.contents or {}):
        base = plan.model.base
        console.remark(f"note: `{base}` was never fetched here: the saved plan has no commit of it")
    save_plan(plan, path)
    return plan


def _saved_plan(path: Path, sandbox: Sandbox, *, changed: bool) -> Plan:
    """A plan from its file, exactly; what it was made of must be there unchanged."""
    from rftspec.plan.saved import read_saved, refuse_drift

    plan = read_saved(path)
    context = click.get_current_context(silent=True)
    given = context is not None and (
        context.get_parameter_source("sandbox") is ParameterSource.COMMANDLINE
    )
    if changed or (given and sandbox != plan.sandbox):
        raise _problem("R412", "a saved plan takes no changes", path)
    spec = Path(plan.spec_path)
    again = console.command("plan", shown_path(spec), *options_of(plan), "--out", shown_path(path))
    refuse_drift(plan, path, again)
    _note_another_spec(plan, spec)
    return plan


def options_of(plan: Plan) -> tuple[str, ...]:
    """The options of the command line that a plan was made with."""
    return (*plan.options, *(() if plan.sandbox == "full" else ("--sandbox", plan.sandbox)))


def _note_another_spec(plan: Plan, spec: Path) -> None:
    """Say it where the spec has another text now: the plan is what counts."""
    try:
        text = spec.read_text(encoding="utf-8").removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError):
        return
    if text != plan.spec_text:
        shown = shown_path(spec)
        console.remark(f"note: {shown} has changed since this plan was made; the plan is run.\n")


def refuse_other_plan(plan: Plan, there: Plan, folder: Path, state: FolderState) -> None:
    """Raise R410, with what differs and what to type, unless the folder holds this very plan."""
    from rftspec.plan.difference import plan_changes
    from rftspec.record.layout import run_folder

    changes = plan_changes(there, plan)
    if not changes:
        return
    lines = [change.text() for change in changes]
    shown = "".join(f"\n  {line}" for line in lines[:SHOWN_CHANGES])
    more = f"\n  … and {len(lines) - SHOWN_CHANGES} more" if len(lines) > SHOWN_CHANGES else ""
    here = shown_path(folder)
    own = run_folder(plan)
    own = own if own.absolute() != folder.absolute() else folder.with_name(f"{folder.name}-2")
    going = {
        "finished": f"see what came of that one: {console.command('report', here)}",
        "running": f"it is running now: {console.command('report', here)}",
    }.get(state, f"go on with the plan that is there: {console.command('resume', here)}")
    hint = f"{going}\nor give this one its own folder: the same command with --out {own}"
    message = f"`{here}` holds another plan than this one:{shown}{more}"
    raise DiagnosticError([Diagnostic("R410", message, hint=hint)])


def refuse_other_models(plan: Plan, folder: Path) -> None:
    """Raise R418 where a model is not what the run was begun with."""
    from rftspec.plan.saved import model_drift

    found = list(model_drift(plan))
    if found:
        here = shown_path(folder)
        message = f"`{here}` was begun with something else than is here now:"
        message += "".join(f"\n  ~ {line}" for line in found)
        hint = "put back what it was begun with, or run the spec anew in another folder"
        raise DiagnosticError([Diagnostic("R418", message, hint=hint)])


def refuse_running(folder: Path) -> DiagnosticError:
    """R406 before anything is opened: another process writes the same run."""
    from rftspec.record.errors import RecordError

    here = shown_path(folder)
    hint = f"wait for it; what there is so far: {console.command('report', here)}"
    message = f"another process is running this plan in `{here}`"
    return RecordError("R406", message, path=folder, hint=hint)


def _problem(code: str, message: str, path: Path) -> DiagnosticError:
    span = Span(str(path), 1, 1, 1, 1)
    return DiagnosticError([Diagnostic(code, message, span=span, hint=CODES[code])])


def _control(name: str | None) -> Literal["shuffled-answers"] | None:
    return cast('Literal["shuffled-answers"] | None', name)
