"""`response.format`: OpenAI's shape in both spellings, with a JSON Schema that is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftspec.graders.schema_match import compile_schema
from rftspec.spec.document import Node
from rftspec.spec.draft import Draft
from rftspec.spec.shape import dotted
from rftspec.spec.suggest import did_you_mean

_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
_PLAIN = frozenset(
    {
        "type", "properties", "required", "additionalProperties", "items", "enum", "const",
        "description", "title", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "pattern", "default",
        "examples", "anyOf", "$schema", "format",
    }
)  # fmt: skip
"""Keywords that are checked here; a schema with others is checked by `jsonschema`."""
UNKNOWN: Mapping[str, Any] = {"type": "json_object"}
"""Stands in for a format that was refused: some JSON, so that nothing else is said about it."""
Path = tuple[str, ...]


def check_response(draft: Draft) -> Mapping[str, Any] | None:
    """The response format in its nested spelling; None where there is none."""
    given = draft.get("response", "format")
    node = draft.node("response", "format")
    if not isinstance(given, Mapping) or node is None or node.kind != "mapping":
        return None
    path: Path = ("response", "format")
    kind = given.get("type")
    if kind != "json_schema":
        _refuse_schema_keys(draft, node, path, kind)
        return given
    inner = given
    if "json_schema" in node.value:
        inner, path = given.get("json_schema") or {}, (*path, "json_schema")
        flat = [key for key in ("name", "strict", "schema") if key in node.value]
        if flat:
            message = f"`{flat[0]}` stands beside `json_schema`; it belongs inside"
            draft.collector.add(node.keys[flat[0]].problem("E111", message, path="response.format"))
            return UNKNOWN
    if not isinstance(inner.get("schema"), Mapping):
        if "schema" not in inner and draft.node(*path, "schema") is None:
            message = "a response format of type json_schema needs a schema"
            hint = "json_schema: { name: answer, schema: { type: object, … } }"
            draft.collector.add(node.problem("E102", message, hint=hint, path="response.format"))
        return UNKNOWN
    schema_node = draft.node(*path, "schema")
    before = len(list(draft.collector))
    if schema_node is not None:
        _check_schema(draft, schema_node, (*path, "schema"))
    if len(list(draft.collector)) > before:
        return UNKNOWN
    return {"type": "json_schema", "json_schema": {k: v for k, v in inner.items() if k != "type"}}


def _refuse_schema_keys(draft: Draft, node: Node, path: Path, kind: Any) -> None:
    for key in ("json_schema", "schema", "name", "strict"):
        if key in node.keys and kind is not None:
            message = f"`{key}` means nothing in a response format of type {kind}"
            hint = "write `type: json_schema`"
            draft.collector.add(
                node.keys[key].problem("E111", message, hint=hint, path=dotted((*path, key)))
            )


def _check_schema(draft: Draft, node: Node, path: Path) -> None:
    """A JSON Schema by hand while it uses plain keywords, else by `jsonschema`."""
    if _uses_only_plain_keywords(node):
        before = len(list(draft.collector))
        _check_plain(draft, node, path)
        if len(list(draft.collector)) == before:
            _check_usable(draft, node, path)
        return
    from jsonschema import Draft202012Validator  # slow to import, and rarely needed
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(node.json())
    except SchemaError as error:
        place = node
        for part in error.path:
            place = place.value[part] if place.kind in ("mapping", "sequence") else place
        where = dotted((*path, *(str(part) for part in error.path)))
        draft.collector.add(
            place.problem("E114", f"not a JSON Schema: {error.message}", path=where)
        )
    else:
        _check_usable(draft, node, path)


def _check_usable(draft: Draft, node: Node, path: Path) -> None:
    """What is sound and still not taken: patterns that are not RE2's, references that lead out."""
    try:
        compile_schema(node.json())
    except ValueError as error:
        draft.collector.add(node.problem("E114", str(error), path=dotted(path)))


def _uses_only_plain_keywords(node: Node) -> bool:
    if node.kind != "mapping":
        return True
    if not set(node.value) <= _PLAIN:
        return False
    properties = node.value.get("properties")
    inner = list(properties.value.values()) if properties and properties.kind == "mapping" else []
    inner += [node.value[key] for key in ("items", "additionalProperties") if key in node.value]
    options = node.value.get("anyOf")
    inner += options.value if options and options.kind == "sequence" else []
    return all(_uses_only_plain_keywords(child) for child in inner)


_SHAPES: Mapping[str, tuple[str, str]] = {
    "properties": ("mapping", "a mapping of names to schemas"),
    "required": ("sequence", "a list of names"),
    "enum": ("sequence", "a list of values"),
    "anyOf": ("sequence", "a list of schemas"),
}


def _check_plain(draft: Draft, node: Node, path: Path) -> None:
    if node.kind == "bad":
        return
    if node.kind != "mapping":
        if not isinstance(node.value, bool):
            _say(draft, node, path, "a JSON Schema is a mapping")
        return
    for key, child in node.value.items():
        here = (*path, key)
        kind, words = _SHAPES.get(key, ("", ""))
        if kind and child.kind not in (kind, "bad"):
            _say(draft, child, here, f"`{key}` must be {words}")
        elif key == "type":
            _check_type(draft, child, here)
        else:
            _check_inner(draft, key, child, here)
    _check_required(draft, node, path)


def _check_inner(draft: Draft, key: str, node: Node, path: Path) -> None:
    """The schemas that a keyword holds."""
    if key == "properties":
        for name, property_ in node.value.items():
            _check_plain(draft, property_, (*path, name))
    elif key in ("items", "additionalProperties"):
        _check_plain(draft, node, path)
    elif key == "anyOf":
        for index, option in enumerate(node.value):
            _check_plain(draft, option, (*path, str(index)))


def _check_type(draft: Draft, node: Node, path: Path) -> None:
    entries = node.value if node.kind == "sequence" else [node]
    for entry in entries:
        if entry.kind == "scalar" and entry.value in _TYPES:
            continue
        hint = did_you_mean(str(entry.value), _TYPES) or ""
        hint = f"{hint} One of: {', '.join(_TYPES)}".strip()
        _say(draft, entry, path, f"{entry.describe()} is not a JSON type", hint)


def _check_required(draft: Draft, node: Node, path: Path) -> None:
    required, properties = node.value.get("required"), node.value.get("properties")
    if required is None or required.kind != "sequence":
        return
    known = properties.value if properties is not None and properties.kind == "mapping" else {}
    for entry in required.value:
        if not isinstance(entry.value, str):
            _say(draft, entry, (*path, "required"), "`required` lists names")
        elif entry.value not in known and known:
            hint = did_you_mean(entry.value, known)
            message = f"`{entry.value}` is required but not among the properties"
            _say(draft, entry, (*path, "required"), message, hint)


def _say(draft: Draft, node: Node, path: Path, message: str, hint: str | None = None) -> None:
    draft.collector.add(node.problem("E114", message, hint=hint, path=dotted(path)))
