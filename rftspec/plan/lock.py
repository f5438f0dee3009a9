"""The lock of a spec: all that a run depends on, in a file that is kept beside the spec.

`ranking.yaml` has `ranking.lock`: every setting, the hashes of data, graders and models, and the
versions of what computes. It is TOML, sorted, one fact a line, so that a change is read in a diff.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rftspec.diagnostics import Diagnostic, DiagnosticError, Span
from rftspec.plan.difference import Change, changes, places
from rftspec.plan.identity import identify, local_models
from rftspec.plan.model import Plan
from rftspec.plan.settings import CONTENTS, Name, Settings, flat, settings
from rftspec.plan.toml import write_toml
from rftspec.resources import resource
from rftspec.spec.environment import fill_graders
from rftspec.spec.paths import model_kind

FORMAT = 1
VERSIONS = "versions"
LOCKED = ("rftspec", "grammar", "python", "torch", "transformers", "peft", "bitsandbytes")
"""Whose versions are locked; of Python the first two numbers, the third changes no result."""
NONE = "none"
_HASHED = frozenset({"source", "schema", "indices"})
"""Settings that are long: the lock holds their hash."""
_COMMIT = re.compile(r"commit:([0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it stands in its file."""

    plan: str
    """The plan's hash."""
    spec_sha256: str
    settings: Settings
    """With `contents.*` and `versions.*`."""

    @property
    def commit(self) -> str | None:
        """The commit of the base model, where that is on the hub."""
        match = _COMMIT.fullmatch(str(self.settings.get((CONTENTS, "base"), "")))
        return match[1] if match else None


def lock_path(spec: Path) -> Path:
    """`ranking.lock` beside `ranking.yaml`."""
    return spec.with_suffix(".lock")


def lock_of(plan: Plan, versions: Mapping[str, str]) -> Lock:
    """The lock of a plan as this machine has it.

    Raises DiagnosticError R416 for models whose content is not known here.
    """
    found = _locked(plan)
    found.update(_versions(versions))
    _refuse_unknown_models(plan, found)
    return Lock(plan.hash, _sha256(plan.spec_text), found)


def write_lock(lock: Lock, path: Path, spec: str) -> None:
    """Write the lock's file; `spec` is what the spec is called in its heading."""
    head = (
        f"# Written by `rftspec plan {spec} --lock`; keep it beside the spec, do not edit it.\n"
        f"# `rftspec run {spec} --locked` runs only while everything in it is still so.\n"
    )
    facts: Settings = {
        ("lock",): FORMAT,
        ("plan",): lock.plan,
        ("spec", "sha256"): lock.spec_sha256,
    }
    body = {name: lock.settings[name] for name in sorted(lock.settings)}
    path.write_text(head + write_toml({**facts, **body}), encoding="utf-8")


def read_lock(path: Path, again: str) -> Lock:
    """The lock of a file. Raises DiagnosticError R419 where there is none, R415 for a damaged one.

    `again` is the command that writes it.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"there is no lock `{path}`"
        hint = f"write it first: {again}"
        raise DiagnosticError([Diagnostic("R419", message, hint=hint)]) from None
    except OSError as error:
        raise _damaged(path, (error.strerror or str(error)).lower(), again) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        where = (int(place[1]), int(place[2])) if place else (1, 1)
        raise _damaged(path, f"it is no TOML: {error}", again, where) from error
    version, plan, spec = (content.pop(name, None) for name in ("lock", "plan", "spec"))
    if isinstance(version, int) and version > FORMAT:
        hint = "upgrade: pip install -U rftspec"
        raise _damaged(path, "a newer rftspec has written it", again, hint=hint)
    whole = isinstance(plan, str) and isinstance(spec, dict) and VERSIONS in content
    if version != FORMAT or not whole:
        raise _damaged(path, "it is not a lock of rftspec", again)
    found = dict(flat(content))
    return Lock(str(plan), str(spec.get("sha256")), found)


def lock_changes(lock: Lock, plan: Plan, versions: Mapping[str, str]) -> list[Change]:
    """Everything that is not as it was locked, in words.

    The commit of a hub model counts only where the lock has none: the run uses the locked one.
    """
    now = {**_locked(plan), **_versions(versions)}
    before = dict(lock.settings)
    if lock.commit is not None and model_kind(plan.model.base) == "hub":
        now[CONTENTS, "base"] = before[CONTENTS, "base"]
    where = places(plan)

    def place(name: Name) -> str:
        return "" if name[0] in (VERSIONS, CONTENTS) else where(name)

    return changes(before, now, place)


def refuse_changes(found: list[Change], path: Path, again: str) -> None:
    """Raise R417 with every difference, if there is any."""
    if not found:
        return
    lines = "".join(f"\n  {change.text()}" for change in found)
    message = f"this is not what `{path}` has locked:{lines}"
    hint = f"to accept this: {again}\nto run it all the same, once: leave out `--locked`"
    raise DiagnosticError([Diagnostic("R417", message, hint=hint)])


def _locked(plan: Plan) -> Settings:
    """The plan's settings and what its models hold, long ones by their hash."""
    found: Settings = {}
    for name, value in settings(plan).items():
        if _HASHED & set(name) and name[0] in ("graders", "data"):
            key = name[: next(i for i, part in enumerate(name) if part in _HASHED) + 1]
            found[key] = f"{found.get(key, '')}{json.dumps([*name, value], sort_keys=True)}"
        elif name[0] != CONTENTS:
            # TOML has no null
            found[name] = json.dumps(value) if isinstance(value, list) and None in value else value
    for name, told in found.items():
        if name[-1] in _HASHED and name[0] in ("graders", "data"):
            found[name] = f"sha256:{_sha256(str(told))}"
    contents = plan.contents if plan.contents is not None else identify(plan)
    found.update({(CONTENTS, name): told for name, told in contents.items()})
    return found


def _versions(versions: Mapping[str, str]) -> Settings:
    grammar = resource("grammars", "score.lark").read_bytes()
    python = ".".join(platform.python_version_tuple()[:2])
    told = {**versions, "python": python, "grammar": hashlib.sha256(grammar).hexdigest()[:12]}
    return {(VERSIONS, name): told.get(name, NONE) for name in LOCKED}


def _refuse_unknown_models(plan: Plan, found: Settings) -> None:
    """A hub model that was never fetched: there is nothing to hold a later run to."""
    models = {"base": plan.model.base, **dict(local_models(fill_graders(plan.graders, os.environ)))}
    unknown = [name for name in models if (CONTENTS, name) not in found]
    problems = []
    for name in unknown:
        shown = plan.model.base if name == "base" else str(_setting(plan, name))
        message = f"the content of the model `{shown}` is not known here, so it cannot be locked"
        hint = f"fetch it once: hf download {shown}"
        hint += "; or give `model.revision` as a commit" if name == "base" else ""
        path = "model.base" if name == "base" else f"{name}.model"
        problems.append(Diagnostic("R416", message, hint=hint, path=path))
    if problems:
        raise DiagnosticError(problems)


def _setting(plan: Plan, path: str) -> object:
    """The model that a grader names, as it stands in the spec: no value of the environment."""
    return next((model for name, model in local_models(plan.graders) if name == path), "")


def _damaged(
    path: Path, why: str, again: str, place: tuple[int, int] = (1, 1), hint: str | None = None
) -> DiagnosticError:
    line, column = place
    span = Span(str(path), line, column, line, column + 1)
    message = f"`{path}` cannot be read as a lock: {why}"
    hint = hint or f"write it again: {again}"
    return DiagnosticError([Diagnostic("R415", message, span, hint)])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
