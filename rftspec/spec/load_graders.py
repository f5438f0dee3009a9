"""Graders' files: read in, and Python graders compiled in the sandbox while the rows are read."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.expr import Origin
from rftspec.expr.origin import TextOrigin
from rftspec.expr.types import JSON
from rftspec.graders.building import Builder
from rftspec.graders.kinds import KINDS
from rftspec.sandbox.pool import Pool
from rftspec.spec.document import Node
from rftspec.spec.draft import Draft
from rftspec.spec.origins import LazyOrigin
from rftspec.spec.paths import resolve_file
from rftspec.spec.shape import dotted

MAX_SOURCE_BYTES = 256 * 1024
"""Of a Python grader, as in the hosted product."""
Sandbox = Literal["full", "reduced"]
_COMPILING = ("E403", "E404")
Path_ = tuple[str, ...]


@dataclass(slots=True)
class LoadedGraders:
    """The graders that are well formed, with the files that they name inside."""

    graders: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    """Where the Python sources stand, by dotted field."""
    sources: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Python graders by dotted path, those inside a `multi` too."""


def load_graders(draft: Draft) -> LoadedGraders:
    """Read in every grader of the draft that was not refused already."""
    loaded = LoadedGraders()
    for name, settings in (draft.get("graders") or {}).items():
        path = ("graders", name)
        if isinstance(settings, Mapping) and draft.is_whole(*path):
            _refuse_second_name(draft, path, settings)
            made = _load_grader(draft, path, settings, loaded)
            if made is not None:
                loaded.graders[name] = made
    return loaded


def _refuse_second_name(draft: Draft, path: Path_, settings: Mapping[str, Any]) -> None:
    """A grader is named by its key; the hosted product's `name` says the same or is a label."""
    name = settings.get("name", path[-1])
    if name == path[-1] or not name.isidentifier():
        return
    where = (*path, "name")
    node = draft.document.key_at(where) or draft.node(*where)
    if node is not None:
        message = f"this grader has two names: `{path[-1]}` and `{name}`"
        hint = "delete `name`, or rename the key: expressions use the key"
        draft.collector.add(node.problem("E412", message, hint=hint, path=dotted(where)))


class Compiling:
    """Python graders being compiled by a worker process; starting one takes most of the time."""

    def __init__(self, loaded: LoadedGraders, sandbox: Sandbox | None) -> None:
        self._loaded = loaded
        self._found: list[Diagnostic] = []
        self._thread: threading.Thread | None = None
        if sandbox is not None and loaded.sources:
            self._thread = threading.Thread(target=self._compile, args=(sandbox,), daemon=True)
            self._thread.start()

    def problems(self) -> list[Diagnostic]:
        """Wait, and give what is wrong with the sources."""
        if self._thread is not None:
            self._thread.join()
        return self._found

    def _compile(self, sandbox: Sandbox) -> None:
        pool = Pool(sandbox=sandbox)
        try:
            pool.warm(*(str(s.get("source", "")) for s in self._loaded.sources.values()))
            for path, settings in self._loaded.sources.items():
                builder = Builder(JSON, JSON, pool, origins=self._loaded.origins, path=path)
                try:
                    KINDS["python"].build(settings, builder)
                except DiagnosticError as error:
                    # Settings are looked at later, with all other graders.
                    self._found.extend(d for d in error.diagnostics if d.code in _COMPILING)
        finally:
            pool.close()


def _load_grader(
    draft: Draft, path: Path_, settings: Mapping[str, Any], into: LoadedGraders
) -> dict[str, Any] | None:
    """A grader's settings with everything that they name read in; None when that failed."""
    loaded = {key: value for key, value in settings.items() if not key.startswith("x-")}
    if loaded.get("type") == "python":
        return _load_python(draft, path, loaded, into)
    if loaded.get("type") == "json_schema" and "file" in loaded:
        return _load_schema(draft, path, loaded)
    if loaded.get("type") == "multi":
        inner: dict[str, Any] = {}
        for name, member in loaded["graders"].items():
            made = _load_grader(draft, (*path, "graders", name), member, into)
            if made is None:
                return None
            inner[name] = made
        loaded["graders"] = inner
    return loaded


def _load_python(
    draft: Draft, path: Path_, settings: dict[str, Any], into: LoadedGraders
) -> dict[str, Any] | None:
    if _has_both(draft, path, settings, "source"):
        return None
    if "file" not in settings:
        node = draft.node(*path, "source")
        if node is not None:
            into.origins[f"{dotted(path)}.source"] = LazyOrigin(node)
        into.sources[dotted(path)] = settings
        return settings
    text, shown = _read_file(draft, path, "a grader is a small Python file")
    if text is None:
        return None
    into.origins[f"{dotted(path)}.source"] = TextOrigin(text, shown)
    into.sources[dotted(path)] = {**settings, "source": text}
    return {**settings, "source": text}


def _load_schema(draft: Draft, path: Path_, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The schema's file read in, so that a plan holds the schema itself."""
    if _has_both(draft, path, settings, "schema"):
        return None
    text, _ = _read_file(draft, path, "a schema is a small JSON file")
    if text is None:
        return None
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        node = draft.node(*path, "file")
        if node is not None:
            message = f"`{node.value}` is not JSON: {error}"
            draft.collector.add(node.problem("E216", message, path=dotted((*path, "file"))))
        return None
    return {**settings, "schema": schema}


def _has_both(draft: Draft, path: Path_, settings: Mapping[str, Any], inline: str) -> bool:
    """Say it when a grader has a file and the same inline."""
    node = draft.node(*path)
    if not {"file", inline} <= settings.keys() or node is None:
        return False
    key = draft.document.key_at(path) or node
    message = f"this {settings['type']} grader has both `file` and `{inline}`"
    hint = "give one of the two"
    draft.collector.add(key.problem("E111", message, hint=hint, path=dotted(path)))
    return True


def _read_file(draft: Draft, path: Path_, hint: str) -> tuple[str | None, str]:
    """The text of a grader's file, None when it cannot be had; and what to call the file."""
    where = (*path, "file")
    node = draft.node(*where)
    if node is None:
        return None, ""
    file = resolve_file(node, draft.folder, draft.collector, dotted(where))
    text = _read_source(draft, node, file, hint) if file is not None else None
    if file is None or text is None:
        return None, ""
    draft.files[where] = file
    return text, str(Path(draft.document.source.file).parent / str(node.value))


def _read_source(draft: Draft, node: Node, file: Path, hint: str) -> str | None:
    problem = None
    try:
        raw = file.read_bytes()
        if len(raw) > MAX_SOURCE_BYTES:
            problem = f"`{node.value}` has {len(raw):,} bytes, more than {MAX_SOURCE_BYTES:,}"
        else:
            return raw.decode("utf-8").removeprefix("\ufeff")
    except OSError as error:
        problem = f"`{node.value}` cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = f"`{node.value}` is not UTF-8"
    draft.collector.add(node.problem("E216", problem, hint=hint))
    return None
