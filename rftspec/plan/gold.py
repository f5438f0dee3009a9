"""Gold answers: what a perfect model would say to a row, as the spec tells it or as it is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.graders.output import ResponseFormat, schema_of, wants_json
from rftspec.graders.score import Item
from rftspec.template import MissingVariable, as_text, look_up, parse_template

REASON = "The findings of the question point to this answer."
"""Stands where an answer's schema wants a text that the row does not have."""
_NO_ANSWER = frozenset({"messages", "tools", "id", "parallel_tool_calls"})

Values = Callable[[Item], Any]
"""The value at the heart of a row's gold answer: a gene, a number, a list."""


@dataclass(frozen=True, slots=True)
class Gold:
    """Makes gold answers, and answers of the same form around other values."""

    told: str
    """Where it comes from: `data.gold`, or the field and the slot that were found."""
    value: Values
    write: Callable[[Item, Any], str]
    """The answer's text for a row with this value in the gold one's place."""
    is_list: bool
    """The value's place in the answer is a list: several values can stand in it."""
    given: bool = False
    """The spec gives it in `data.gold`."""

    def text(self, item: Item) -> str | None:
        """A row's gold answer; None where the row lacks what it is made of."""
        try:
            return self.write(item, self.value(item))
        except (MissingVariable, KeyError, TypeError):
            return None


def given_gold(template: Any) -> Gold:
    """The gold of `data.gold`: a template, or JSON whose texts are templates.

    The value at its heart is the first `{{ item.… }}` in it.
    """
    path = next(_references(template), None)

    def value(item: Item) -> Any:
        return None if path is None else look_up(parse_template(path).references[0], {"item": item})

    def write(item: Item, value: Any) -> str:
        made = _fill(template, item, path, value)
        return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)

    return Gold("data.gold", value, write, _stands_in_list(template, path), given=True)


def candidates(items: Sequence[Item], response_format: ResponseFormat | None) -> Iterator[Gold]:
    """Answers that could be gold: each field of the rows, in each place of the answer's form."""
    fields = _fields(items)
    schema = schema_of(response_format)
    if not wants_json(response_format):
        for name in fields:
            yield Gold(f"item.{name} as the text", _field(name), _as_text, is_list=False)
        return
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return
    same = [name for name in properties if name in fields]
    if len(same) > 1:
        yield Gold(
            f"the row's own {', '.join(same)}", _field(same[0]), _by_name(schema, same), False
        )
    for slot, inner in properties.items():
        kinds = _kinds(inner)
        for name in fields:
            yield from _placed(schema, slot, kinds, name, items)


def instance(schema: Any, text: str = "") -> Any:
    """The smallest value that a schema of common keywords admits; its texts are `text`."""
    if not isinstance(schema, Mapping):
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return instance(schema[key][0], text)
    return _of_kind(schema, next(iter(_kinds(schema)), "object"), text)


def _of_kind(schema: Mapping[str, Any], kind: str, text: str) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        required = schema.get("required", properties)
        return {name: instance(properties.get(name, {}), text) for name in required}
    if kind == "array":
        return [instance(schema.get("items", {}), text)] * int(schema.get("minItems", 0))
    if kind in ("number", "integer"):
        return schema.get("minimum", 0)
    return {"string": text, "boolean": False}.get(kind)


def _placed(
    schema: Any, slot: str, kinds: set[str], name: str, items: Sequence[Item]
) -> Iterator[Gold]:
    """One field of the rows in one property of the answer, where its type fits."""
    value = _field(name)
    example = items[0][name]
    told = f"item.{name} in `{slot}`"
    if "array" in kinds and not isinstance(example, list):
        yield Gold(told, value, _in_slot(schema, slot, wrap=True), is_list=True)
    elif _kind(example) in kinds or ("number" in kinds and _kind(example) == "integer"):
        is_list = isinstance(example, list)
        yield Gold(told, value, _in_slot(schema, slot, wrap=False), is_list=is_list)


def _in_slot(schema: Any, slot: str, *, wrap: bool) -> Callable[[Item, Any], str]:
    def write(_item: Item, value: Any) -> str:
        made = instance(schema, REASON)
        made[slot] = [value] if wrap and not isinstance(value, list) else value
        return json.dumps(made, ensure_ascii=False)

    return write


def _by_name(schema: Any, names: Sequence[str]) -> Callable[[Item, Any], str]:
    def write(item: Item, value: Any) -> str:
        made = {**instance(schema, REASON), **{name: item[name] for name in names}}
        return json.dumps({**made, names[0]: value}, ensure_ascii=False)

    return write


def _as_text(_item: Item, value: Any) -> str:
    return ", ".join(map(as_text, value)) if isinstance(value, list) else as_text(value)


def _field(name: str) -> Values:
    return lambda item: item[name]


def _fields(items: Sequence[Item]) -> list[str]:
    """Fields that every row has and that could be an answer: texts, numbers, lists of them."""
    first = items[0] if items else {}
    return [
        name
        for name in first
        if name not in _NO_ANSWER and all(_is_answer(item.get(name)) for item in items)
    ]


def _is_answer(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(v, str | int | float) for v in value)
    return isinstance(value, str | int | float)


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _kinds(schema: Any) -> set[str]:
    found = schema.get("type", "object") if isinstance(schema, Mapping) else "object"
    return set(found) - {"null"} if isinstance(found, list) else {found}


def _references(template: Any) -> Iterator[str]:
    """Every `{{ item.… }}` of a gold template, as it would be written alone."""
    if isinstance(template, str):
        for reference in parse_template(template).references:
            yield f"{{{{ {reference} }}}}"
    elif isinstance(template, Mapping):
        for inner in template.values():
            yield from _references(inner)
    elif isinstance(template, list | tuple):
        for inner in template:
            yield from _references(inner)


def _fill(template: Any, item: Item, path: str | None, value: Any) -> Any:
    """The template filled from a row, with `value` wherever `path` is named.

    A text that is nothing but one `{{ … }}` becomes the value itself, be it a list or a number.
    In a list, a value that is a list is spread out.
    """
    if isinstance(template, str):
        parsed = parse_template(template)
        found = [
            value if f"{{{{ {r} }}}}" == path else look_up(r, {"item": item})
            for r in parsed.references
        ]
        if len(parsed.parts) == 1 and found:
            return found[0]
        rest = iter(found)
        return "".join(p if isinstance(p, str) else as_text(next(rest)) for p in parsed.parts)
    if isinstance(template, Mapping):
        return {key: _fill(inner, item, path, value) for key, inner in template.items()}
    if isinstance(template, list | tuple):
        made: list[Any] = []
        for inner in template:
            filled = _fill(inner, item, path, value)
            made += filled if isinstance(filled, list) and isinstance(inner, str) else [filled]
        return made
    return template


def _stands_in_list(template: Any, path: str | None) -> bool:
    """Whether the gold value is an entry of a list, so that others can stand beside it."""
    if isinstance(template, Mapping):
        return any(_stands_in_list(inner, path) for inner in template.values())
    if isinstance(template, list | tuple):
        return any(inner == path or _stands_in_list(inner, path) for inner in template) or any(
            isinstance(inner, str) and path in list(_references(inner)) for inner in template
        )
    return False
