"""`--set a.b=value` and `--set-json a.b=JSON`: values from the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rftspec.diagnostics import Collector, Diagnostic, Span
from rftspec.spec.document import Document, Node, Source, step_into
from rftspec.spec.scalars import read_plain
from rftspec.spec.schema import resolved
from rftspec.spec.yaml_reader import parse_text


class AsJson(str):
    """An override whose value is JSON: a number, a text in quotes, a list, a whole mapping."""


_PART = re.compile(r'"([^"]*)"|([^."]+)')


def apply_overrides(
    document: Document, schema: Mapping[str, Any], overrides: Sequence[str]
) -> None:
    """Put every `path=value` into the document; the structure check then sees them as written."""
    taken: dict[tuple[str, ...], int] = {}
    for number, argument in enumerate(overrides, 1):
        option = "--set-json" if isinstance(argument, AsJson) else "--set"
        source = Source(f"{option} {number}", argument)
        path = _parse_path(argument, source, document.collector)
        if path is None or document.root is None or document.root.kind != "mapping":
            continue
        if path in taken:
            message = f"`{'.'.join(path)}` is set twice: by --set {taken[path]} and here"
            _say(document.collector, source, "E113", message, "keep one of the two")
            continue
        taken[path] = number
        value = argument.partition("=")[2]
        if isinstance(argument, AsJson):
            node = _json_node(value, source, document.collector)
        elif value.lstrip()[:1] == "{":
            message = "a whole mapping cannot be set"
            hint = "set its fields one by one, or use --set-json"
            _say(document.collector, source, "E112", message, hint)
            continue
        else:
            field = field_schema(schema, document.root, path)
            node = _value_node(value, argument, source, field, document.collector)
        if node is not None:
            _put(document.root, path, node, source)


def _parse_path(argument: str, source: Source, collector: Collector) -> tuple[str, ...] | None:
    left, equals, _ = argument.partition("=")
    if '"' in left and left.count('"') % 2:
        left, equals = "", ""
    parts: list[str] = []
    index = 0
    while index < len(left):
        match = _PART.match(left, index)
        if match is None or (match.end() < len(left) and left[match.end()] != "."):
            parts = []
            break
        parts.append(match.group(1) if match.group(1) is not None else match.group(2))
        index = match.end() + 1
    if not equals or not parts or left.endswith("."):
        message = f"`{argument}` is not of the form path=value"
        _say(collector, source, "E112", message, "for example --set train.steps=20")
        return None
    return tuple(parts)


def field_schema(schema: Mapping[str, Any], root: Node, path: tuple[str, ...]) -> Mapping[str, Any]:
    """The schema of the field at a path, as far as it is known; a grader's by its `type`."""
    node: Node | None = root
    for part in path:
        schema = resolved(schema)
        if "x-variants" in schema:
            kind = step_into(node, "type")
            named = kind is not None and kind.kind == "scalar"
            variant = schema["x-variants"].get(kind.value) if named and kind else None
            schema = schema if variant is None else variant
        if "properties" in schema and part in schema["properties"]:
            schema = schema["properties"][part]
        elif schema.get("type") == "array":
            schema = schema.get("items", {})
        else:
            more = schema.get("additionalProperties", {})
            schema = more if isinstance(more, Mapping) else {}
        node = step_into(node, part)
    return schema


def _value_node(
    value: str, argument: str, source: Source, schema: Mapping[str, Any], collector: Collector
) -> Node | None:
    start = (1, len(argument) - len(value) + 1)
    end = (1, len(argument) + 1)
    offsets = (len(argument) - len(value), len(argument))
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if value.lstrip()[:1] == "[" and "array" in kinds:
        return _list_node(value, source, collector)
    if "string" in kinds and not {"number", "integer"} & set(kinds):
        return Node("scalar", value, source, start, end, "", offsets)
    read, problem = read_plain(value.strip())
    if problem is not None:
        _say(collector, source, problem.code, problem.message, problem.hint)
        return None
    return Node("scalar", read, source, start, end, "", offsets)


def _json_node(value: str, source: Source, collector: Collector) -> Node | None:
    """JSON is read as the YAML that it is too, so that its parts have places."""
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        hint = "texts stand in double quotes: --set-json 'name=\"x\"'"
        _say(collector, source, "E112", f"the value is no JSON: {error}", hint)
        return None
    return _list_node(value, source, collector)


def _list_node(value: str, source: Source, collector: Collector) -> Node | None:
    """A list is written as YAML writes it: `[a, b]`."""
    parsed = parse_text(value, Path(source.file), source.file, collector)
    return parsed.root


def _put(root: Node, path: tuple[str, ...], node: Node, source: Source) -> None:
    """Set the node at a path, making the mappings that lead to it."""
    here = root
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if here.kind == "sequence" and part.isdigit() and int(part) < len(here.value):
            if last:
                here.value[int(part)] = node
            else:
                here = here.value[int(part)]
            continue
        if here.kind != "mapping":
            here.kind, here.value, here.keys = "mapping", {}, {}
        if part not in here.keys or last:
            column = source.text.find(part) + 1
            key = Node("scalar", part, source, (1, column), (1, column + len(part)))
            here.keys.setdefault(part, key) if not last else here.keys.update({part: key})
        if last:
            here.value[part] = node
        else:
            new = Node("mapping", {}, source, (1, 1), (1, 2))
            here = here.value.setdefault(part, new)


def _say(collector: Collector, source: Source, code: str, message: str, hint: str) -> None:
    span = Span(source.file, 1, 1, 1, max(2, len(source.text) + 1))
    collector.add(Diagnostic(code, message, span, hint, snippet=source.text))
