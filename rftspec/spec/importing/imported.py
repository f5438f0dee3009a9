"""What an import is asked and what it gives: the spec's text, files beside it, the ledger."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.graders.schema_match import compile_schema
from rftspec.spec.importing.emit import Sketch, TooMuch, to_yaml, wrap
from rftspec.spec.importing.ledger import Entry, Given, Ledger
from rftspec.spec.importing.secrets import holds_secret
from rftspec.spec.schema import spec_schema

DEFAULT_BASE = "Qwen/Qwen2.5-1.5B-Instruct"
_LONG_SOURCE = 30
"""Lines of a Python grader beyond which it gets a file of its own."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says beside the file."""

    source: Path
    out: Path | None = None
    train: Path | None = None
    validation: Path | None = None
    base: str | None = None

    @property
    def folder(self) -> Path:
        """The spec's folder: paths in the spec are relative to it."""
        return self.out.parent if self.out is not None else Path()

    def relative(self, path: Path) -> str:
        """A path as the spec writes it."""
        return Path(os.path.relpath(path, self.folder)).as_posix()


@dataclass(frozen=True, slots=True)
class Imported:
    """A spec that was made from another product's file."""

    kind: str
    text: str
    files: Mapping[str, str]
    """Python graders by their path beside the spec."""
    entries: Sequence[Entry]
    diagnostics: Sequence[Diagnostic]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was refused."""
        return all(one.severity != "error" for one in self.diagnostics)


@dataclass(slots=True)
class Work:
    """An import that goes on: the wishes, the sketch, the ledger, and the kind of file."""

    wishes: Wishes
    ledger: Ledger
    sketch: Sketch = field(default_factory=Sketch)
    kind: str = ""
    about: str = ""
    """One line on what the spec is for."""

    def field(self, given: Given, target: str, value: Any, note: str = "") -> bool:
        """Set a field from a value of the file, if the field takes it."""
        schema = schema_of(target)
        if value is None:
            self.ledger.without(given, "it is null")
            return False
        if isinstance(value, str) and schema.get("type") != "string":
            value = _number(value)
        if not compile_schema(schema)(value) or isinstance(value, bool):
            told = given.node.describe()
            self.ledger.refused(given, f"`{given.name}` is {told}, which `{target}` does not take")
            return False
        self.sketch.put(target, value, note)
        self.ledger.mapped(given, target, note)
        return True

    def field_as_it_is(self, given: Given, target: str, value: Any, note: str = "") -> None:
        """Set a field whose inside `validate` checks, with its places."""
        self.sketch.put(target, value, note)
        self.ledger.mapped(given, target, note)

    def keep_metadata(self, given: Given) -> None:
        """Metadata, as they are; what looks like a key is left out."""
        if not given.is_mapping or not given.node.value:
            self.ledger.without(given, "it is empty")
            return
        for one in given.entries():
            if holds_secret(str(one.value)) or self.ledger.mask.text(str(one.value)) != str(
                one.value
            ):
                self.ledger.without(one, "it may be a secret: its value was left out", warn=True)
            else:
                self.sketch.put_at(("meta", one.name), one.value)
                self.ledger.mapped(one, "meta")

    def name(self, text: str) -> str:
        """A run's name made of a text."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:80]
        return name or "imported"

    def finish(self, tool: str, known: Sequence[str]) -> Imported:
        """Close the ledger and write the spec.

        Raises DiagnosticError where the values are more than a spec holds.
        """
        self.ledger.close(known)
        files = self._move_sources()
        mask = self.ledger.mask.text
        shown = self.wishes.source.name
        out = self.wishes.out.name if self.wishes.out is not None else "spec.yaml"
        header = [
            mask(" ".join(self.about.split()))[:100] or f"Made from {shown}.",
            f"  rftspec run {out}",
            f"  made from {shown} ({self.kind}) by `rftspec import {tool}`",
            "  what was not taken over stands at the end",
        ]
        self._default_sections()
        try:
            text = to_yaml(self.sketch, header, self._footer())
        except TooMuch as error:
            message = f"no spec can hold this: {error}"
            raise self.ledger.rejection(self.ledger.root, message, "make it smaller") from None
        return Imported(self.kind, text, files, self.ledger.entries, self.ledger.diagnostics)

    def _default_sections(self) -> None:
        if not self.sketch.has("model.base"):
            self.sketch.put("model.base", self.wishes.base or DEFAULT_BASE)
        data = self.sketch.values.setdefault("data", {})
        if "train" not in data:
            self.sketch.put("data.train", "train.jsonl", "put the training rows here")

    def _footer(self) -> list[str]:
        """Every key that did not become a field, with the reason."""
        left = [one for one in self.ledger.entries if one.fate not in ("mapped", "changed")]
        if not left:
            return []
        lines = ["Not taken over:"]
        for one in left:
            told = "".join(c if c.isprintable() else "?" for c in f"{one.source}: {one.note}")
            first, *rest = wrap(told, 94) or [""]
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines

    def _move_sources(self) -> dict[str, str]:
        """Long Python graders become files beside a spec that is written to a file."""
        files: dict[str, str] = {}
        if self.wishes.out is None:
            return files
        for path, settings in _pythons(("graders",), self.sketch.values.get("graders", {})):
            source = settings.get("source", "")
            if source.count("\n") < _LONG_SOURCE:
                continue
            name = f"graders/{'_'.join(part for part in path[1:] if part != 'graders')}.py"
            files[name] = source if source.endswith("\n") else source + "\n"
            rest = {key: value for key, value in settings.items() if key not in ("type", "source")}
            settings.clear()
            settings.update({"type": "python", "file": name, **rest})
        return files


def refuse_existing(paths: Sequence[Path]) -> None:
    """Nothing is overwritten. Raises DiagnosticError with every file that is there."""
    hint = "give another name with --out, or --force to overwrite"
    there = [path for path in paths if path.exists() or path.is_symlink()]
    if there:
        raise DiagnosticError(
            Diagnostic("E708", f"`{path}` is there already", hint=hint) for path in there
        )


def _pythons(
    path: tuple[str, ...], graders: Mapping[str, Any]
) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    found = []
    for name, settings in graders.items():
        if settings.get("type") == "python":
            found.append(((*path, name), settings))
        elif settings.get("type") == "multi":
            found += _pythons((*path, name, "graders"), settings["graders"])
    return found


def schema_of(target: str) -> Mapping[str, Any]:
    """The JSON Schema of a field such as `train.epochs`."""
    schema: Mapping[str, Any] = spec_schema()
    for key in target.split("."):
        schema = schema["properties"][key]
    return schema


def _number(text: str) -> int | float | str:
    """A number that was written as text, as some files do; else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
