"""What the names of models stand for: the commit of a hub model, the hash of a folder's files.

A name says little: `main` moves, and files in a folder are replaced. Nothing is downloaded here and
no weights are loaded.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rftspec.plan.model import Plan
from rftspec.plan.model_files import hub_cache
from rftspec.spec.environment import fill_graders
from rftspec.spec.paths import model_folder, model_kind

FILES = frozenset({".json", ".safetensors", ".bin", ".model", ".txt", ".jinja", ".tiktoken"})
"""Endings of the files that a model and its tokenizer are read from."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_JUDGES = ("score_model", "label_model")


def identify(plan: Plan) -> dict[str, str]:
    """What each local model of a plan holds now: `base`, `graders.judge` → `sha256:…`, `commit:…`.

    A hub model that is not in the cache is left out: nothing is known of it here.
    """
    folder = Path(plan.spec_path).parent
    found = {"base": identity(plan.model.base, plan.model.revision, folder)}
    for name, model in local_models(fill_graders(plan.graders, os.environ)):
        found[name] = identity(model, None, folder)
    return {name: told for name, told in found.items() if told is not None}


def local_models(
    graders: Mapping[str, Mapping[str, Any]], path: str = "graders"
) -> Iterator[tuple[str, str]]:
    """The models that graders open on this machine, by the grader's path; members of `multi` too.

    `graders` are as `fill_graders` gives them: no variable of the environment left in them.
    """
    for name, settings in graders.items():
        kind, model = settings.get("type"), settings.get("model")
        here = f"{path}.{name}"
        judge = kind in _JUDGES and settings.get("local", False)
        embedder = kind == "text_similarity" and settings.get("evaluation_metric") == "cosine"
        if isinstance(model, str) and (judge or embedder):
            yield here, model
        if kind == "multi":
            yield from local_models(settings["graders"], f"{here}.graders")


def pinned(plan: Plan, commit: str | None = None, why: str = "pinned: its commit here") -> Plan:
    """The plan with the commit of its hub model as the revision: what runs is then that very one.

    Without `commit` it is the one in `contents`; a plan that has none, or names a folder or a
    built-in model, stays as it is.
    """
    if model_kind(plan.model.base) != "hub":
        return plan
    found = commit or (plan.contents or {}).get("base", "").removeprefix("commit:")
    if not found or found == plan.model.revision:
        return plan
    model = replace(plan.model, revision=found)
    reasons = {**plan.reasons, "model.revision": why}
    contents = {**(plan.contents or {}), "base": f"commit:{found}"}
    return replace(plan, model=model, reasons=reasons, contents=contents)


def identity(base: str, revision: str | None, folder: Path) -> str | None:
    """`sha256:…` of a folder or built-in model, `commit:…` of a hub model; None where unknown.

    Paths are relative to `folder`, that of the spec.
    """
    if model_kind(base) == "hub":
        commit = cached_commit(base, revision)
        return None if commit is None else f"commit:{commit}"
    found = model_folder(base, folder)
    return None if found is None else f"sha256:{folder_hash(found)}"


def folder_hash(folder: Path) -> str:
    """SHA-256 in hex over names and contents of a model's files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in FILES and path.is_file() and not path.name.startswith("."):
            with path.open("rb") as file:
                told = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.name}\0{told}\n".encode())
    return digest.hexdigest()


def cached_commit(name: str, revision: str | None) -> str | None:
    """The commit that a hub model's revision stands for in the cache of huggingface_hub.

    A revision that is a commit itself stands for itself. None where nothing is cached.
    """
    if revision is not None and _COMMIT.fullmatch(revision):
        return revision
    refs = hub_cache() / f"models--{name.replace('/', '--')}" / "refs"
    try:
        commit = (refs / (revision or "main")).read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return commit if _COMMIT.fullmatch(commit) else None
