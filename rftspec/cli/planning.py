"""From a spec or a saved plan to the Plan that a verb works with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from rftspec.cli import console
from rftspec.cli.spec import Sandbox
from rftspec.cli.text import shown_path
from rftspec.diagnostics import Diagnostic, DiagnosticError, Span
from rftspec.plan.model import Plan

CODES: Mapping[str, str] = {
    "R410": "The run folder holds another plan: something that decides the run has changed since "
    "it began. Go on with the old plan, or give the new one its own folder.",
    "R411": "The saved plan cannot be read: it is no JSON, or not of this version's format. Make "
    "it again with `rftspec plan SPEC --out plan.json`.",
    "R412": "A saved plan is run exactly as it is: `--set`, `--seed` and `--control` belong to the "
    "spec that it is made from.",
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
) -> Plan:
    """The plan of a spec, or a saved one; raises DiagnosticError. Warnings are said at once."""
    if spec.suffix == ".json":
        if overrides or seed is not None or control is not None:
            raise _problem("R412", "a saved plan takes no changes", spec)
        return dataclasses.replace(_saved(spec), sandbox=sandbox)
    from rftspec.plan.compile import compile_plan
    from rftspec.spec.load import load_spec

    loaded = load_spec(spec, overrides=overrides, sandbox=sandbox)
    console.remark_diagnostics(loaded.diagnostics)
    plan = compile_plan(loaded, seed=seed, control=_control(control))
    return dataclasses.replace(plan, sandbox=sandbox)


def refuse_other_plan(plan: Plan, there: Plan, folder: Path) -> None:
    """Raise R410, with what differs and what to type, unless the folder holds this very plan."""
    if plan.hash == there.hash:
        return
    changes = list(plan_changes(there.to_json(), plan.to_json()))
    shown = "".join(f"\n  ~ {line}" for line in changes[:SHOWN_CHANGES])
    more = f"\n  … and {len(changes) - SHOWN_CHANGES} more" if len(changes) > SHOWN_CHANGES else ""
    hint = (
        f"go on with the plan that is there: {console.command('resume', shown_path(folder))}\n"
        "or give this one its own folder: --out FOLDER"
    )
    message = f"`{shown_path(folder)}` holds another plan than this one:{shown}{more}"
    raise DiagnosticError([Diagnostic("R410", message, hint=hint)])


def plan_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """`train.steps 60 → 20` for every value that differs; reasons, paths and texts are left out."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for name in sorted(before.keys() | after.keys()):
        if name.split(".")[0] in {"reasons", "spec_text", "spec_path", "hash"}:
            continue
        if before.get(name) != after.get(name):
            yield f"{name} {_short(before.get(name))} → {_short(after.get(name))}"


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


def _saved(path: Path) -> Plan:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is no text"
        raise _problem("R411", f"`{path}` cannot be read: {reason.lower()}", path) from error
    try:
        return Plan.from_json(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _problem("R411", f"`{path}` is not a plan of this rftspec: {error}", path) from error


def _problem(code: str, message: str, path: Path) -> DiagnosticError:
    span = Span(str(path), 1, 1, 1, 1)
    return DiagnosticError([Diagnostic(code, message, span=span, hint=CODES[code])])


def _control(name: str | None) -> Literal["shuffled-answers"] | None:
    return cast('Literal["shuffled-answers"] | None', name)
