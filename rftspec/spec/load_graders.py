"""Graders' files: read in, and Python graders compiled in the sandbox while the rows are read."""

from __future__ import annotations

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
            made = _load_grader(draft, path, settings, loaded)
            if made is not None:
                loaded.graders[name] = made
    return loaded


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
    has_file = "file" in settings
    node = draft.node(*path)
    if has_file and "source" in settings and node is not None:
        key = draft.document.key_at(path) or node
        message = "this python grader has both `file` and `source`"
        hint = "give one of the two"
        draft.collector.add(key.problem("E111", message, hint=hint, path=dotted(path)))
        return None
    if not has_file:
        node = draft.node(*path, "source")
        if node is not None:
            into.origins[f"{dotted(path)}.source"] = LazyOrigin(node)
        into.sources[dotted(path)] = settings
        return settings
    where = (*path, "file")
    file_node = draft.node(*where)
    if file_node is None:
        return None
    file = resolve_file(file_node, draft.folder, draft.collector, dotted(where))
    text = _read_source(draft, file_node, file) if file is not None else None
    if file is None or text is None:
        return None
    draft.files[where] = file
    shown = str(Path(draft.document.source.file).parent / str(file_node.value))
    into.origins[f"{dotted(path)}.source"] = TextOrigin(text, shown)
    into.sources[dotted(path)] = {**settings, "source": text}
    return {**settings, "source": text}


def _read_source(draft: Draft, node: Node, file: Path) -> str | None:
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
    draft.collector.add(node.problem("E216", problem, hint="a grader is a small Python file"))
    return None
