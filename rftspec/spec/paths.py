"""Paths in a spec: relative to the spec, regular files only, found before anything runs."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Literal

from rftspec.data.hub_id import FORM, PREFIX, parse_hub
from rftspec.diagnostics import Collector
from rftspec.resources import resource
from rftspec.spec.document import Node
from rftspec.spec.suggest import nearest

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?\Z")
_FOLDER_STARTS = ("./", "../", "/", ".\\")


def resolve_file(node: Node, folder: Path, collector: Collector, path: str) -> Path | None:
    """The absolute path of a file that a spec names; None when that has been refused."""
    value = str(node.value)
    if value.startswith(PREFIX):
        return _hub(node, collector, path)
    problem = _malformed(value)
    if problem is not None:
        message, hint = problem
        collector.add(node.problem("E208", message, hint=hint, path=path))
        return None
    return _existing(node, folder / value, collector, path)


def _hub(node: Node, collector: Collector, path: str) -> Path | None:
    """The id of a hub data set in the place of a path; the split is the field's name by default."""
    section, _, field = path.partition(".")
    if section != "data":
        message = "only `data.train`, `data.validation` and `data.test` read from the hub"
        collector.add(node.problem("E208", message, hint="name a file", path=path))
        return None
    try:
        source = parse_hub(str(node.value))
    except ValueError as error:
        hint = f"write {FORM}"
        collector.add(node.problem("E208", str(error), hint=hint, path=path))
        return None
    return replace(source, split=source.split or field).as_path()


def _malformed(value: str) -> tuple[str, str] | None:
    if _SCHEME.match(value):
        scheme = value.split(":")[0]
        return f"a path, not an address: `{scheme}:` is not read", "fetch it first, name the file"
    if value.startswith(("~", "$")):
        return f"`{value[:1]}` is not expanded in a spec", "write the path relative to the spec"
    if any(ord(character) < 32 for character in value):
        return "the path has a control character in it", "write the path plainly"
    if "\\" in value:
        return "the path has a backslash in it", "separate folders by /"
    return None


def _existing(node: Node, target: Path, collector: Collector, path: str) -> Path | None:
    try:
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        message = f"there is no file `{node.value}` (looked for {target})"
        collector.add(node.problem("E201", message, hint=_similar(target), path=path))
        return None
    except OSError as error:
        message = f"`{node.value}` cannot be read: {error.strerror}"
        collector.add(node.problem("E201", message, path=path))
        return None
    if stat.S_ISDIR(mode):
        message, hint = f"`{node.value}` is a folder, not a file", "name the file in it"
    elif not stat.S_ISREG(mode):
        message, hint = f"`{node.value}` is not a regular file", "pipes and devices are not read"
    else:
        return target.resolve()
    collector.add(node.problem("E202", message, hint=hint, path=path))
    return None


def _similar(target: Path) -> str | None:
    """Close names in the folder, or that the folder itself is not there."""
    if not target.parent.is_dir():
        return f"the folder {target.parent} does not exist; paths are relative to the spec"
    names = sorted(entry.name for entry in target.parent.iterdir() if entry.is_file())
    close = nearest(target.name, names)
    if close is not None:
        return f"did you mean `{close}`?"
    same_kind = [name for name in names if Path(name).suffix == target.suffix][:5]
    return f"the folder has: {', '.join(same_kind)}" if same_kind else None


def model_kind(base: str) -> Literal["builtin", "folder", "hub"]:
    """What a `model.base` names, by its form alone."""
    if base.startswith("builtin:"):
        return "builtin"
    return "folder" if base.startswith(_FOLDER_STARTS) or base in (".", "..") else "hub"


def model_folder(base: str, folder: Path) -> Path | None:
    """The folder of a local or shipped base model; None for a hub id or when it is not there."""
    kind = model_kind(base)
    if kind == "hub":
        return None
    if kind == "folder":
        found = (folder / base).resolve()
        return found if found.is_dir() else None
    try:
        return resource("models", base.removeprefix("builtin:"))
    except FileNotFoundError:
        return None


def check_base(node: Node, folder: Path, collector: Collector) -> None:
    """Refuse a base model that cannot be there: a wrong folder, name or id."""
    base = str(node.value)
    kind = model_kind(base)
    if kind == "hub":
        _check_hub_id(node, base, folder, collector)
        return
    found = model_folder(base, folder)
    if kind == "builtin":
        name = base.removeprefix("builtin:")
        if found is None or not re.fullmatch(r"[a-z0-9-]+", name):
            hint = f"built in: {', '.join(f'builtin:{known}' for known in builtin_models())}"
            message = f"there is no built-in model `{name}`"
            collector.add(node.problem("E501", message, hint=hint, path="model.base"))
        return
    if found is None:
        message = f"there is no folder `{base}` (looked for {(folder / base).resolve()})"
        collector.add(node.problem("E502", message, path="model.base", hint="check the path"))
    elif not (found / "config.json").is_file():
        message = f"the folder `{base}` holds no model: `config.json` is missing"
        hint = "name the folder that `save_pretrained` wrote"
        collector.add(node.problem("E502", message, hint=hint, path="model.base"))


def builtin_models() -> list[str]:
    """The names of the models that rftspec ships."""
    try:
        return sorted(entry.name for entry in resource("models").iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []


def _check_hub_id(node: Node, base: str, folder: Path, collector: Collector) -> None:
    if "${" in base:
        return  # an escaped reference: the text itself is wanted, and opening the model will tell
    if not _HUB_ID.match(base) or ".." in base or "--" in base or base.endswith((".", "-")):
        message = f"`{base[:80]}` is neither a Hugging Face id, a folder nor a built-in model"
        hint = "write owner/name, ./folder, or builtin:toy"
        collector.add(node.problem("E503", message, hint=hint, path="model.base"))
    elif (folder / base).is_dir():
        message = f"`{base}` is read as a Hugging Face id, but a folder of this name is here too"
        hint = f"write `./{base}` to mean the folder"
        collector.add(
            node.problem("W504", message, hint=hint, path="model.base", severity="warning")
        )
