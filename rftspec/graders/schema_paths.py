"""The required paths of a JSON Schema, and how many of them a value has right.

What a value leaves out counts as wrong with everything that is required below it, what it adds
against the schema counts as one more that is wrong, and what it adds with the schema's leave counts
nothing: neither omission nor padding raises the share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rftspec.graders.schema_match import Check, compile_schema

MAX_DEPTH = 16
"""Objects inside objects whose paths are told apart; schemas that refer to themselves end here."""

_OPAQUE = frozenset({"$ref", "$dynamicRef", "patternProperties", "unevaluatedProperties"})
"""Keywords with which an object is one path: what is required of which property is not plain."""
_BESIDE = frozenset({"$ref", "$defs", "definitions", "$schema", "title", "description"})
"""What may stand beside a reference and says nothing of the value."""
_SHOWN = 3


@dataclass(slots=True)
class Tally:
    """Paths that are right, and the names of those that are wrong."""

    right: int = 0
    wrong: int = 0
    told: list[str] = field(default_factory=list)

    def add_wrong(self, path: str, count: int, why: str) -> None:
        """Count paths as wrong; the first few are told."""
        self.wrong += count
        if len(self.told) < _SHOWN:
            self.told.append(f"{path or 'the whole'} {why}")


@dataclass(frozen=True, slots=True)
class Node:
    """One schema: a path of its own, or an object with required properties that are paths."""

    check: Check
    required: Mapping[str, Node] = field(default_factory=dict)
    others: Mapping[str, Check] = field(default_factory=dict)
    """Properties that may be left out."""
    extra: Check | None = None
    """Of properties that the schema does not name; None lets all in."""

    @property
    def paths(self) -> int:
        """How many paths are required here and below."""
        return sum(node.paths for node in self.required.values()) or 1

    def tally(self, value: Any) -> Tally:
        """Right and wrong paths of a value."""
        found = Tally()
        self._count(value, "", found)
        return found

    def _count(self, value: Any, path: str, found: Tally) -> None:
        if not self.required:
            if self.check(value):
                found.right += 1
            else:
                found.add_wrong(path, 1, "is not valid")
            return
        if type(value) is not dict:
            if self.check(value):
                found.right += self.paths
            else:
                found.add_wrong(path, self.paths, "is no object")
            return
        for name, node in self.required.items():
            here = f"{path}.{name}" if path else name
            if name in value:
                node._count(value[name], here, found)
            else:
                found.add_wrong(here, node.paths, "is missing")
        self._count_others(value, path, found)

    def _count_others(self, value: Mapping[str, Any], path: str, found: Tally) -> None:
        for name, inner in value.items():
            check = None if name in self.required else self.others.get(name, self.extra)
            if check is not None and not check(inner):
                here = f"{path}.{name}" if path else name
                found.add_wrong(here, 1, "is not valid" if name in self.others else "is too many")


def required_paths(schema: Any) -> Node:
    """The paths of a schema. Raises ValueError with a sentence when it is malformed."""
    check = compile_schema(schema)
    return _node(schema, schema, check, 0)


def _node(schema: Any, root: Any, check: Check, depth: int) -> Node:
    inner = _resolved(schema, root)
    required = inner.get("required", []) if isinstance(inner, Mapping) else []
    if depth >= MAX_DEPTH or not required or not _OPAQUE.isdisjoint(inner):
        return Node(check)
    if inner.get("type", "object") != "object":
        return Node(check)
    properties = inner.get("properties", {})
    extra = inner.get("additionalProperties", True)
    return Node(
        check,
        {
            name: _node(part, root, compile_schema(part, root), depth + 1)
            for name in dict.fromkeys(required)
            for part in [properties.get(name, extra)]
        },
        {n: compile_schema(p, root) for n, p in properties.items() if n not in required},
        None if extra is True else compile_schema(extra, root),
    )


def _resolved(schema: Any, root: Any) -> Any:
    """What a schema that is only a reference refers to; itself where that is not simple."""
    for _ in range(MAX_DEPTH):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not set(schema) <= _BESIDE:
            return schema
        found: Any = root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is None:
            return schema
        schema = found
    return schema
