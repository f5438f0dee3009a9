"""A spec while it is checked: its values without the parts that were refused already.

Cross-checks read a Draft, so that one wrong field hides no other problem and causes no second one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftspec.diagnostics import Collector
from rftspec.spec.document import Document, Node, walk
from rftspec.spec.shape import check_shape


@dataclass(slots=True)
class Draft:
    """The document, its accepted values, and where problems go."""

    document: Document
    folder: Path
    """Paths are relative to it: the folder of the spec."""
    values: dict[str, Any]
    collector: Collector
    files: dict[tuple[str, ...], Path] = field(default_factory=dict)
    """Files that the spec names, found and absolute, by the path of the field."""
    refused: frozenset[tuple[str, ...]] = frozenset()
    """Fields with a wrong structure, missing ones among them."""

    def get(self, *path: str) -> Any:
        """The accepted value at a path; None where there is none."""
        value: Any = self.values
        for part in path:
            if not isinstance(value, Mapping) or part not in value:
                return None
            value = value[part]
        return value

    def node(self, *path: str) -> Node | None:
        """The node at a path, for places."""
        return self.document.at(path)

    def is_whole(self, *path: str) -> bool:
        """True when nothing at or below a path was refused."""
        node = self.node(*path)
        if node is None or any(refused[: len(path)] == path for refused in self.refused):
            return False
        return all(not below.damaged and below.kind != "bad" for _, below in walk(node))


def make_draft(document: Document, schema: Mapping[str, Any]) -> Draft:
    """Check the structure, and keep the values that passed."""
    collector = document.collector
    root = document.root
    if root is None:
        return Draft(document, document.path.parent, {}, collector)
    refused = Collector()
    check_shape(root, schema, refused)
    found = list(refused)
    collector.extend(found)
    paths = frozenset(tuple(_split(d.path)) for d in found if d.path and d.severity == "error")
    values = _kept(root, paths, ())
    kept = values if isinstance(values, dict) else {}
    return Draft(document, document.path.parent, kept, collector, refused=paths)


def _split(path: str) -> Iterable[str]:
    """The parts of a dotted path; quoted parts may have dots in them."""
    parts, current, quoted = [], "", False
    for character in path:
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]


_DROPPED: Any = object()


def _kept(node: Node, refused: frozenset[tuple[str, ...]], path: tuple[str, ...]) -> Any:
    """The node's value without refused parts; a part of a list drops the whole entry."""
    if node.kind == "bad" or path in refused:
        return _DROPPED
    if node.kind == "scalar":
        return node.value
    if node.kind == "sequence":
        entries = [_kept(n, refused, (*path, str(i))) for i, n in enumerate(node.value)]
        return [entry for entry in entries if entry is not _DROPPED]
    kept = {name: _kept(child, refused, (*path, name)) for name, child in node.value.items()}
    return {name: value for name, value in kept.items() if value is not _DROPPED}
