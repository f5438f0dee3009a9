"""The lock beside a spec: `plan SPEC --lock` writes it, `run SPEC --locked` holds to it.

`uv lock` and `uv sync --locked`, for a training run.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rftspec.cli import console
from rftspec.cli.text import shown_path

if TYPE_CHECKING:
    from rftspec.plan.model import Plan


def lock(plan: Plan, spec: Path) -> Path:
    """Write the lock of a plan beside its spec, and say so. The lock's path."""
    from rftspec.cli.planning import options_of
    from rftspec.plan.lock import lock_of, lock_path, write_lock
    from rftspec.run.outcome import versions

    _refuse_saved(spec, "--lock")
    path = lock_path(spec)
    before = path.read_bytes() if path.is_file() else None
    words = shlex.join([spec.name, *options_of(plan)])
    write_lock(lock_of(plan, versions()), path, words)
    same = before == path.read_bytes()
    console.remark(f"{shown_path(path)} {'is as it was' if same else 'written'}")
    return path


def hold_to_lock(plan: Plan, spec: Path) -> Plan:
    """The plan with what the lock adds: the commit of a hub model.

    Raises DiagnosticError R417 with every difference, R419 where there is no lock.
    """
    from rftspec.cli.planning import options_of
    from rftspec.plan.identity import pinned
    from rftspec.plan.lock import lock_changes, lock_path, read_lock, refuse_changes
    from rftspec.run.outcome import versions

    _refuse_saved(spec, "--locked")
    path = lock_path(spec)
    shown = Path(shown_path(path))
    again = console.command("plan", shown_path(spec), *options_of(plan), "--lock")
    found = read_lock(shown, again)
    refuse_changes(lock_changes(found, plan, versions()), shown, again)
    if found.spec_sha256 != _text_hash(plan):
        told = "comments, layout, or fields that decide nothing"
        console.remark(f"note: {shown_path(spec)} has another text than when locked: {told}.\n")
    return pinned(plan, found.commit, f"locked: {path.name}")


def _text_hash(plan: Plan) -> str:
    import hashlib

    return hashlib.sha256(plan.spec_text.encode("utf-8")).hexdigest()


def _refuse_saved(spec: Path, option: str) -> None:
    """A saved plan holds all that a lock would."""
    if spec.suffix == ".json":
        message = f"{option} is for a spec: a saved plan is exact by itself"
        raise click.UsageError(message)
