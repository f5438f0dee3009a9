"""Random specs that the JSON Schema allows, made by walking it, and what is done to break them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from rftspec.spec.schema import resolved, spec_schema

Schema = Mapping[str, Any]
TEXTS = (
    "a", "auto", "no", "item.gene", "{{ item.gene }}", "{{ sample.output_text }}", "{{ item. }}",
    "rank", "rank + 1", "1 / 0", "ranking/train.jsonl", "ranking/concise.py", "../x", "/dev/zero",
    "builtin:case-reader", "Qwen/Qwen3-8B", "./ranking", "http://127.0.0.1:9/v1", "${env:HOME}",
    "${env:NOT_SET_ANYWHERE}",
    "len(sample.output_text)", "def grade(sample, item):\n    return 1\n",
    "sample.output_text", "é", " ", "x" * 200, "1e5", "0o17", "~", "null",
)  # fmt: skip
FILES = ("ranking/train.jsonl", "ranking/validation.jsonl", "ranking/test.jsonl")
EXPRESSIONS = ("1", "item.weight", "len(sample.output_text)", "has(sample.output_json)", "rank")
NAMES = ("a", "rank", "concise", "b2", "top@1", "min", "item", "base", "x-note", "ä", "a b", "")
ANY: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 600)
    | st.sampled_from([0.5, -1.5, 1e-9, 1e30, 10**40, -(2**63)])
    | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=5,
)


def specs() -> st.SearchStrategy[Any]:
    """Whole specs that the schema allows; most of them make no sense beyond it."""
    return _of(spec_schema(), 0)


def _of(schema: Schema, depth: int) -> st.SearchStrategy[Any]:
    schema = resolved(schema)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type")
    if kinds is None:
        return ANY
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return st.one_of([_KINDS[kind](schema, depth) for kind in kinds])


def _object(schema: Schema, depth: int) -> st.SearchStrategy[Any]:
    if "x-variants" in schema:
        kinds = [k for k in schema["x-variants"] if depth < 4 or k != "multi"]
        return st.sampled_from(kinds).flatmap(
            lambda kind: st.builds(
                lambda rest: {"type": kind, **rest}, _object(schema["x-variants"][kind], depth)
            )
        )
    return _members(schema, depth)


@st.composite
def _members(draw: st.DrawFn, schema: Schema, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    wanted = set(schema.get("required", ()))
    if schema.get("anyOf"):
        wanted |= set(draw(st.sampled_from(schema["anyOf"]))["required"])
    optional = [name for name in properties if name not in wanted]
    if optional:
        wanted |= set(draw(st.lists(st.sampled_from(optional), max_size=4, unique=True)))
    made = {name: draw(_of(properties[name], depth + 1)) for name in properties if name in wanted}
    additional = schema.get("additionalProperties", True)
    if isinstance(additional, Mapping):
        least = max(1, schema.get("minProperties", 0))
        names = draw(st.lists(_name(schema), min_size=least, max_size=2, unique=True))
        made |= {name: draw(_of(additional, depth + 1)) for name in names}
    elif additional is True:
        made |= draw(st.dictionaries(st.sampled_from(["type", "a", "properties"]), ANY, max_size=2))
    if draw(st.integers(0, 20)) == 0 and "patternProperties" in schema:
        made["x-mine"] = draw(ANY)
    return made


def _name(schema: Schema) -> st.SearchStrategy[str]:
    names = schema.get("propertyNames", {})
    if "pattern" in names:
        return st.sampled_from(["rank", "a", "b2", "concise", "Exact_1"])
    reserved = names.get("x-reserved", ())
    return st.sampled_from([n for n in (*NAMES, "1e5") if n not in reserved])


def _array(schema: Schema, depth: int) -> st.SearchStrategy[Any]:
    low = schema.get("minItems", 0)
    high = min(schema.get("maxItems", 3), max(low, 3))
    unique = repr if schema.get("uniqueItems") else None
    return st.lists(
        _of(schema.get("items", {}), depth + 1), min_size=low, max_size=high, unique_by=unique
    )


def _string(schema: Schema, depth: int) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].replace("$", r"\Z"), fullmatch=False).filter(
            lambda text: schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 80)
        )
    low, high = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    known = [text for text in (*TEXTS, "") if low <= len(text) <= high]
    odd = st.text(st.characters(codec="utf-8"), min_size=low, max_size=min(high, 12))
    sound = FILES if "x-path" in schema else schema.get("examples", ())
    if schema.get("x-expression"):
        sound = EXPRESSIONS
    likely = st.sampled_from([e for e in sound if isinstance(e, str)] or known)
    kinds = (likely, likely, likely, likely, likely, st.sampled_from(known))
    return st.integers(0, 40).flatmap(lambda n: kinds[n % 6] if n else odd)


def _integer(schema: Schema, depth: int) -> st.SearchStrategy[int]:
    low, high = schema.get("minimum", -(10**20)), schema.get("maximum", 10**20)
    return st.sampled_from([low, high, min(high, low + 1)]) | st.integers(low, high)


def _number(schema: Schema, depth: int) -> st.SearchStrategy[float]:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    floats = st.floats(
        above if above is not None else low,
        high if below is None else below,
        exclude_min=above is not None,
        exclude_max=below is not None,
        allow_nan=False,
        allow_infinity=False,
    )
    fits = [n for n in (1, 2, 10**18) if n <= (high or n) and n < (below or n + 1)]
    return floats | st.sampled_from(fits) if fits else floats


_KINDS: Mapping[str, Any] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda schema, depth: st.booleans(),
    "null": lambda schema, depth: st.none(),
}


def spoil(draw: st.DrawFn, spec: Any, times: int) -> Any:
    """The spec with some values replaced, deleted or added."""
    spoiled = copy.deepcopy(spec)
    for _ in range(times):
        path = draw(st.sampled_from(_paths(spoiled)))
        parent = spoiled
        for key in path[:-1]:
            parent = parent[key]
        action = draw(st.sampled_from(["replace", "delete", "add"]))
        if action == "replace":
            parent[path[-1]] = draw(ANY)
        elif action == "delete" and len(spoiled) > 1:
            del parent[path[-1]]
        elif isinstance(parent, dict):
            known = ("epochs", "kl", "note", "x-mine", "stepz", "source", "seed", "rank", "name")
            parent[draw(st.sampled_from(known))] = draw(ANY)
    return spoiled


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _paths(inner, (*path, index))
    return found
