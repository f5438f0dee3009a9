"""Strict YAML: bytes → Document by PyYAML's events; each refusal has code, place and fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from rftspec.diagnostics import Collector, Diagnostic, Span
from rftspec.spec.document import Document, Node, Source
from rftspec.spec.scalars import read_plain
from rftspec.spec.text import decode
from rftspec.spec.yaml_errors import BLOCK_HINT, position, syntax_error

MAX_DEPTH = 32
MAX_NODES = 20_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):
    """The document cannot be read any further; what is wrong has been said."""


def read_document(path: Path, raw: bytes, shown: str | None = None) -> Document:
    """The document of a file's bytes; its collector holds everything that is wrong with it."""
    name = shown if shown is not None else str(path)
    collector = Collector(first=name)
    text = decode(raw, name, collector)
    if text is None:
        return Document(path, Source(name, ""), None, collector)
    return parse_text(text, path, name, collector)


def parse_text(text: str, path: Path, name: str, collector: Collector | None = None) -> Document:
    """The document of a text that is known to be well-formed Unicode."""
    collector = collector if collector is not None else Collector(first=name)
    source = Source(name, text)
    builder = _Builder(source, collector)
    try:
        builder.build()
    except _Stop:
        return Document(path, source, None, collector)
    except yaml.MarkedYAMLError as error:
        collector.add(syntax_error(source, error))
        return Document(path, source, None, collector)
    except yaml.YAMLError as error:
        collector.add(Diagnostic("E005", f"this is not YAML: {error}", Span(name, 1, 1, 1, 2)))
        return Document(path, source, None, collector)
    return Document(path, source, builder.root, collector)


class _Builder:
    """Puts nodes together from events, with a stack of its own instead of recursion."""

    def __init__(self, source: Source, collector: Collector) -> None:
        self.source = source
        self.collector = collector
        self.root: Node | None = None
        self.stack: list[tuple[Node, list[Node]]] = []
        """Open mappings and sequences; beside a mapping, its key that waits for a value."""
        self.documents = 0
        self.nodes = 0

    def build(self) -> None:
        """Walk all events of the text."""
        for event in yaml.parse(self.source.text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                self._start_document(event)
            elif isinstance(event, yaml.NodeEvent):
                self._take(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(event)

    def _start_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self._say(event, "E011", "a second document starts here", "keep one spec in a file")
            raise _Stop

    def _take(self, event: Any) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            hint = "keep data in data files; a spec holds at most 1 MiB"
            self._say(event, "E003", f"more than {MAX_NODES:,} values", hint)
            raise _Stop
        node = self._node(event)
        self._refuse_extras(event, node)
        if self.stack:
            self._attach(node)
        else:
            self._resolve(node)
            self.root = node
        if node.kind in ("mapping", "sequence") and isinstance(event, yaml.CollectionStartEvent):
            if len(self.stack) >= MAX_DEPTH:
                self._say(event, "E010", f"nested more than {MAX_DEPTH} deep", "flatten it")
                raise _Stop
            self.stack.append((node, []))

    def _close(self, event: Any) -> None:
        node, _ = self.stack.pop()
        node.end = position(event.end_mark)

    def _node(self, event: Any) -> Node:
        start, end = position(event.start_mark), position(event.end_mark)
        if isinstance(event, yaml.MappingStartEvent):
            return Node("mapping", {}, self.source, start, end)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node("sequence", [], self.source, start, end)
        if isinstance(event, yaml.AliasEvent):
            hint = f"repeat the value; {BLOCK_HINT}"
            self._say(event, "E008", f"an alias (`*{event.anchor}`) is not allowed in a spec", hint)
            return Node("bad", None, self.source, start, end)
        offsets = (event.start_mark.index, event.end_mark.index)
        style = event.style or ""
        return Node("scalar", event.value, self.source, start, end, style, offsets)

    def _refuse_extras(self, event: Any, node: Node) -> None:
        """Say what is wrong with an anchor or a tag."""
        if isinstance(event, yaml.AliasEvent):
            return
        if event.anchor is not None:
            hint = "leave the anchor out and repeat the value where it is needed"
            self._say(
                event, "E008", f"an anchor (`&{event.anchor}`) is not allowed in a spec", hint
            )
        if event.tag is not None:
            hint = f"leave the tag out, or quote the value; {BLOCK_HINT}"
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._say(event, "E009", f"a tag (`{tag}`) is not allowed in a spec", hint)
            node.kind = "bad" if node.kind == "scalar" else node.kind
            node.damaged = True

    def _attach(self, node: Node) -> None:
        parent, pending = self.stack[-1]
        if parent.kind == "sequence":
            self._resolve(node)
            parent.value.append(node)
        elif not pending:
            pending.append(node)
        else:
            self._resolve(node)
            self._put(parent, pending.pop(), node)

    def _resolve(self, node: Node) -> None:
        """Turn a plain scalar's text into its value."""
        if node.kind != "scalar" or node.style:
            return
        value, problem = read_plain(node.value)
        if problem is not None:
            self.collector.add(node.problem(problem.code, problem.message, hint=problem.hint))
            node.kind = "bad"
            return
        node.value = value

    def _put(self, parent: Node, key: Node, node: Node) -> None:
        if key.kind == "bad":
            parent.damaged = True
            return
        if self._refuse_key(key):
            parent.damaged = True
            return
        name = key.value
        if name == "<<" and not key.style:
            message = "a merge key (`<<`) is not allowed in a spec"
            self.collector.add(key.problem("E008", message, hint="write the keys out"))
            parent.damaged = True
            return
        if name in parent.keys:
            first = parent.keys[name].start[0]
            message = f"`{name}` stands here again; it is already given in line {first}"
            self.collector.add(key.problem("E007", message, hint="keep one of the two"))
            return
        parent.keys[name] = key
        parent.value[name] = node

    def _refuse_key(self, key: Node) -> bool:
        """Whether a key is no text, or one that reads oddly; that has then been said."""
        if key.kind != "scalar":
            message = f"a key must be text; this is {key.describe()}"
            hint = 'if this is a template such as {{ item.x }}, quote it: "{{ item.x }}"'
            if not key.damaged:  # else a template's inner braces have been told
                self.collector.add(key.problem("E006", message, hint=hint))
            return True
        quoted = f"quote it: '{key.value}'"
        value, problem = ("", None) if key.style else read_plain(key.value)
        if isinstance(value, str) and key.value.isalpha():
            problem = None  # a word such as `on`, a field of ours, can be nothing but a name here
        if not isinstance(value, str):
            message = f"the key `{key.value or '(empty)'}` is not text"
            self.collector.add(key.problem("E006", message, hint=quoted))
            return True
        if problem is not None:
            self.collector.add(key.problem(problem.code, problem.message, hint=quoted))
            return True
        return False

    def _say(self, event: Any, code: str, message: str, hint: str) -> None:
        line, column = position(event.start_mark)
        end_line, end_column = position(event.end_mark)
        if end_line != line or end_column <= column:
            end_line, end_column = line, column + 1
        span = Span(self.source.file, line, column, end_line, end_column)
        self.collector.add(Diagnostic(code, message, span, hint, snippet=self.source.line(line)))
