"""The table of imports: each entry imported, and its spec loaded with rows made for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.spec.importing.axolotl import import_axolotl
from rftspec.spec.importing.imported import Imported, Wishes
from rftspec.spec.importing.openai import import_openai
from rftspec.spec.importing.trl import import_trl
from rftspec.spec.load import Loaded, load_spec

TABLE = Path(__file__).resolve().parents[1] / "cases" / "imports.yaml"
TOOLS = {"openai": import_openai, "trl": import_trl, "axolotl": import_axolotl}


@dataclass(frozen=True)
class Attempt:
    """What an import gave, or what was said in its place."""

    made: Imported | None
    diagnostics: Sequence[Diagnostic]
    out: Path


@cache
def entries() -> tuple[Mapping[str, Any], ...]:
    """The table, in its order."""
    return tuple(yaml.safe_load(TABLE.read_text("utf-8")))


def write_source(entry: Mapping[str, Any], folder: Path) -> Path:
    """The entry's file."""
    if "input" in entry:
        path = folder / "source.json"
        path.write_text(json.dumps(entry["input"], indent=1), "utf-8")
        return path
    path = folder / "source.yaml"
    path.write_text(entry["text"], "utf-8")
    return path


def attempt(entry: Mapping[str, Any], folder: Path) -> Attempt:
    """Import the entry's file into the folder's spec.yaml, graders' files beside it."""
    out = folder / "spec.yaml"
    wishes = Wishes(write_source(entry, folder), out)
    try:
        made = TOOLS[entry.get("tool", "openai")](wishes)
    except DiagnosticError as error:
        return Attempt(None, error.diagnostics, out)
    for name, text in made.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    out.write_text(made.text + entry.get("extra", ""), "utf-8")
    return Attempt(made, made.diagnostics, out)


def load(entry: Mapping[str, Any], tried: Attempt) -> tuple[Loaded | None, Sequence[Diagnostic]]:
    """The spec with small files of rows in the places that it names."""
    document = yaml.safe_load(tried.out.read_text("utf-8"))
    for number, split in enumerate(("train", "validation")):
        name = document["data"].get(split)
        if isinstance(name, str):
            rows = [_row(entry, 2 * number + n) for n in (1, 2)]
            path = tried.out.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    try:
        loaded = load_spec(tried.out)
    except DiagnosticError as error:
        return None, error.diagnostics
    return loaded, loaded.diagnostics


def _row(entry: Mapping[str, Any], number: int) -> dict[str, Any]:
    message = {"role": "user", "content": f"question {number}"}
    return {"messages": [message], "id": number, **entry["row"]}


def value_at(values: Any, path: str) -> Any:
    """The value at a dotted path whose last parts may have dots in them."""
    if isinstance(values, Mapping):
        if path in values:
            return values[path]
        head, _, rest = path.partition(".")
        return value_at(values[head], rest)
    raise KeyError(path)
