"""Document: the YAML values of a spec, each with its line and column.

Read from PyYAML's events, so that nothing is lost on the way: duplicate keys, tags, aliases and
every position are seen. The walk is iterative and bounded in size, depth and nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rftspec.diagnostics import Collector, Diagnostic, Span

NAME_OF_KIND = {"mapping": "a mapping", "sequence": "a list"}
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True)
class Node:
    """One value of a document with the place where it stands."""

    kind: Literal["scalar", "mapping", "sequence", "bad"]
    """`bad`: something was wrong and has been said; checks pass over it."""
    value: Any
    """A scalar's value, a mapping's dict of Nodes, or a sequence's list of Nodes."""
    source: Source
    start: tuple[int, int]
    """Line and column, from 1."""
    end: tuple[int, int]
    style: str = ""
    """A scalar's style: "" plain, ' " | or >."""
    offsets: tuple[int, int] = (0, 0)
    """Where the scalar stands in the text: first and last character, end exclusive."""
    keys: dict[str, Node] = field(default_factory=dict)
    """A mapping's keys, as scalars with places."""
    damaged: bool = False
    """A key of this mapping was refused: what is missing or wrong in it may follow from that."""

    def span(self) -> Span:
        """The node's place; a value that goes over several lines is shown on its first."""
        if self.end[0] == self.start[0]:
            return Span(self.source.file, *self.start, *self.end)
        last = len(self.source.line(self.start[0])) + 1
        return Span(self.source.file, *self.start, self.start[0], max(last, self.start[1] + 1))

    def json(self) -> Any:
        """The value as plain JSON values."""
        if self.kind == "mapping":
            return {key: node.json() for key, node in self.value.items()}
        if self.kind == "sequence":
            return [node.json() for node in self.value]
        return self.value

    def describe(self) -> str:
        """What the value is, for messages: `a list`, `the text "a"`, `true`."""
        if self.kind in NAME_OF_KIND:
            return NAME_OF_KIND[self.kind]
        if self.value is None:
            return "nothing"
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str):
            shown = self.value if len(self.value) <= 40 else self.value[:39] + "…"
            return f'the text "{shown}"'
        return f"the number {self.value}"

    def problem(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        path: str | None = None,
        severity: Literal["error", "warning", "note"] = "error",
    ) -> Diagnostic:
        """A diagnostic about this node, with its place and source line."""
        snippet = self.source.line(self.start[0])
        return Diagnostic(code, message, self.span(), hint, severity, path, snippet)


@dataclass(slots=True)
class Source:
    """The text that nodes come from: a file, or an argument of the command line."""

    file: str
    text: str
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = _LINE_BREAK.split(self.text)

    def line(self, number: int) -> str:
        """The text of one line, from 1, without its break."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(slots=True)
class Document:
    """A parsed file: its root node, its text, and what was wrong with it as YAML."""

    path: Path
    source: Source
    root: Node | None
    collector: Collector

    def at(self, path: str | tuple[str, ...]) -> Node | None:
        """The node at a dotted path such as `train.steps`, or at a tuple of keys."""
        node = self.root
        for part in path.split(".") if isinstance(path, str) else path:
            node = step_into(node, part)
        return node

    def key_at(self, path: tuple[str, ...]) -> Node | None:
        """The key that leads to a path, for messages about a whole entry."""
        parent = self.at(path[:-1]) if len(path) > 1 else self.root
        if parent is None or parent.kind != "mapping":
            return None
        return parent.keys.get(path[-1])

    def place(self, path: str | tuple[str, ...]) -> str | None:
        """Where the value at a path is given, such as `spec.yaml:14` or `--set`."""
        node = self.at(path)
        if node is None:
            return None
        if node.source is not self.source:
            return node.source.file
        return f"{self.path.name}:{node.start[0]}"


def step_into(node: Node | None, part: str) -> Node | None:
    """The child of a node by key, or by index where it is a list."""
    if node is None:
        return None
    if node.kind == "mapping":
        child: Node | None = node.value.get(part)
        return child
    if node.kind == "sequence" and part.isdigit() and int(part) < len(node.value):
        item: Node = node.value[int(part)]
        return item
    return None


def walk(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every node below and including one, with its path, in file order."""
    yield path, node
    if node.kind == "mapping":
        for key, child in node.value.items():
            yield from walk(child, (*path, key))
    elif node.kind == "sequence":
        for index, child in enumerate(node.value):
            yield from walk(child, (*path, str(index)))
