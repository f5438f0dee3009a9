"""Structure: a document's nodes against the schema of the spec, with every problem at its place.

The schema is plain JSON Schema (a subset, see `KEYWORDS`), so that editors and `jsonschema` agree
with this walk; `x-variants` picks a branch by `type` first, so that errors are of that branch only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rftspec.diagnostics import Collector
from rftspec.spec.document import Node
from rftspec.spec.migrate import key_meant, other_version
from rftspec.spec.schema import resolved
from rftspec.spec.suggest import did_you_mean
from rftspec.spec.text import describe_character, odd_character

Schema = Mapping[str, Any]
Path = tuple[str, ...]

_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text (a string)",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
QUOTE_HASH = "` #` begins a comment: put the value in quotes"
MAX_GUESSES = 100
"""Unknown keys of one mapping for which a known one is looked for."""
_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?\Z")


def dotted(path: Path) -> str:
    """A path as people write it: `train.steps`; names with dots or spaces in quotes."""
    return ".".join(part if re.fullmatch(r"[\w-]+", part) else f'"{part}"' for part in path)


def check_shape(node: Node, schema: Schema, collector: Collector, path: Path = ()) -> None:
    """Add a diagnostic for everything in the node that the schema does not allow."""
    if node.kind == "bad":
        return
    schema = resolved(schema)
    kind = json_kind(node)
    allowed = schema.get("type")
    kinds = [allowed] if isinstance(allowed, str) else allowed
    if kinds is not None and not _is_allowed(kind, kinds):
        if node.damaged:
            return
        collector.add(_type_problem(node, schema, kinds, path))
        return
    if kind == "object":
        _check_mapping(node, schema, collector, path)
    elif kind == "array":
        _check_list(node, schema, collector, path)
    else:
        _check_scalar(node, schema, kind, collector, path)


def json_kind(node: Node) -> str:
    """The JSON type of a node's value."""
    if node.kind == "mapping":
        return "object"
    if node.kind == "sequence":
        return "array"
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"


def _is_allowed(kind: str, kinds: list[str]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _where(path: Path) -> str:
    return f"`{dotted(path)}`" if path else "the spec"


def _type_problem(node: Node, schema: Schema, kinds: list[str], path: Path) -> Any:
    expected = schema.get("x-expected") or " or ".join(_NAMES[kind] for kind in kinds)
    message = f"{_where(path)} must be {expected}; this is {node.describe()}"
    hint = _type_hint(node, schema, kinds, path)
    if "const" in schema and node.value != str(schema["const"]):
        hint = f"write `{dotted(path)}: {schema['const']}`"
    return node.problem("E104", message, hint=hint, path=dotted(path))


def _told_of_text(text: str, path: Path) -> str | None:
    """What makes lines a text that were meant as a mapping."""
    odd = [character for character in text if character.isspace() and not character.isascii()]
    if odd:
        return f"the character {describe_character(odd[0])} is no space to YAML: write a plain one"
    if re.match(r"[\w-]+\s*[:=]\s*\S", text):
        return "write a colon and then a space between a key and its value"
    return None if path else "a spec is `key: value` lines, the first of them `version: 1`"


def _type_hint(node: Node, schema: Schema, kinds: list[str], path: Path) -> str | None:
    value = node.value
    if node.kind == "scalar" and value is None:
        commented = re.search(r":\s+#\S", node.source.line(node.start[0]))
        return QUOTE_HASH if commented else "give it a value, or leave the key out"
    if json_kind(node) in schema.get("x-meant", ()):
        return str(schema["x-meant"][json_kind(node)])
    if isinstance(value, str) and _NUMBER.match(value) and {"integer", "number"} & set(kinds):
        return "remove the quotes"
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        return f"write `{int(value)}`"
    if isinstance(value, str) and kinds == ["boolean"]:
        return "write `true` or `false`, without quotes"
    if node.kind == "scalar":
        return _scalar_hint(value, schema, kinds, path)
    if schema.get("x-expression"):
        return "put the expression on its own line under `|`, so that YAML leaves it alone"
    return None


def _scalar_hint(value: Any, schema: Schema, kinds: list[str], path: Path) -> str | None:
    """How one value becomes what was wanted in its place."""
    if kinds == ["array"]:
        return f"put it in brackets: [{value}]"
    if isinstance(value, str) and kinds == ["object"] and (told := _told_of_text(value, path)):
        return told
    if kinds == ["object"] and schema.get("required"):
        return f"write `{schema['required'][0]}: {value}` on a line of its own, indented below"
    if kinds == ["string"]:
        return f"quote it: '{value}'" if not isinstance(value, bool) else "quote it"
    return None


def _check_scalar(node: Node, schema: Schema, kind: str, collector: Collector, path: Path) -> None:
    value = node.value
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        message, hint = other_version(value)
        collector.add(node.problem("E109", message, hint=hint, path=dotted(path)))
    elif "enum" in schema and value not in schema["enum"]:
        choices = [str(choice) for choice in schema["enum"]]
        noun = schema.get("x-noun", f"a choice of {_where(path)}")
        hint = schema.get("x-meant", {}).get(value) or did_you_mean(str(value), choices) or ""
        hint = f"{hint} One of: {', '.join(choices)}".strip()
        message = f"`{_short(str(value))}` is not {noun}"
        collector.add(node.problem("E103", message, hint=hint, path=dotted(path)))
    elif kind == "string":
        _check_text(node, schema, collector, path)
    elif kind in ("integer", "number"):
        _check_number(node, schema, collector, path)


def _check_number(node: Node, schema: Schema, collector: Collector, path: Path) -> None:
    value = node.value
    wrong = None
    if "minimum" in schema and value < schema["minimum"]:
        wrong = f"at least {schema['minimum']}"
    elif "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        wrong = f"above {schema['exclusiveMinimum']}"
    elif "maximum" in schema and value > schema["maximum"]:
        wrong = f"at most {schema['maximum']}"
    elif "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        wrong = f"below {schema['exclusiveMaximum']}"
    if wrong is not None:
        message = f"{_where(path)} must be {wrong}; this is {value}"
        collector.add(node.problem("E105", message, hint=_usual(schema), path=dotted(path)))


def _check_text(node: Node, schema: Schema, collector: Collector, path: Path) -> None:
    value: str = node.value
    if len(value.strip()) < schema.get("minLength", 0):
        message = f"{_where(path)} is empty"
        hint = _usual(schema) or "give it a value, or leave the key out"
        collector.add(node.problem("E105", message, hint=hint, path=dotted(path)))
    elif len(value) > schema.get("maxLength", len(value)):
        message = f"{_where(path)} is longer than {schema['maxLength']} characters"
        collector.add(node.problem("E105", message, path=dotted(path)))
    elif "pattern" in schema and not _matches(schema["pattern"], value):
        expected = schema.get("x-expected")
        if expected and "type" in schema and "number" in schema["type"]:
            collector.add(_type_problem(node, schema, schema["type"], path))
            return
        message = f'{_where(path)} has a form that is not allowed: "{_short(value)}"'
        collector.add(node.problem("E105", message, hint=_usual(schema), path=dotted(path)))


def _matches(pattern: str, text: str) -> bool:
    """As JSON Schema has it: `$` is the end, not the place before a last newline."""
    return re.search(pattern.replace("$", r"\Z"), text) is not None


def _usual(schema: Schema) -> str | None:
    examples = schema.get("examples")
    if examples:
        return f"for example `{examples[0]}`"
    default = schema.get("default")
    return f"usual: `{default}`" if default is not None else None


def _check_list(node: Node, schema: Schema, collector: Collector, path: Path) -> None:
    if len(node.value) < schema.get("minItems", 0):
        message = f"{_where(path)} needs at least {schema['minItems']} entry"
        collector.add(node.problem("E105", message, path=dotted(path)))
    if len(node.value) > schema.get("maxItems", len(node.value)):
        message = f"{_where(path)} has more than {schema['maxItems']} entries"
        collector.add(node.problem("E105", message, path=dotted(path)))
    items = schema.get("items", {})
    seen: list[Any] = []
    for index, child in enumerate(node.value):
        check_shape(child, items, collector, (*path, str(index)))
        value = child.json()
        if schema.get("uniqueItems") and value in seen:
            message = f"`{value}` is given twice"
            collector.add(child.problem("E105", message, hint="keep one", path=dotted(path)))
        seen.append(value)


def _check_mapping(node: Node, schema: Schema, collector: Collector, path: Path) -> None:
    schema, noun = _variant(node, schema, collector, path)
    if schema.get("x-open") or _is_one_member(node, schema, collector, path):
        return
    properties: Mapping[str, Any] = schema.get("properties", {})
    additional = schema.get("additionalProperties", True)
    missing = [name for name in schema.get("required", ()) if name not in node.value]
    if len(node.value) < schema.get("minProperties", 0) and not node.damaged:
        collector.add(node.problem("E105", f"{_where(path)} is empty", path=dotted(path)))
    if len(node.value) > schema.get("maxProperties", len(node.value)):
        message = f"{_where(path)} has {len(node.value)} entries, more than the limit of "
        message += str(schema["maxProperties"])
        collector.add(node.problem("E105", message, path=dotted(path)))
        return
    for name, child in node.value.items():
        here = (*path, name)
        if name in properties:
            check_shape(child, properties[name], collector, here)
        elif name.startswith("x-") and "patternProperties" in schema:
            continue
        elif additional is False:
            guess = len(node.value) - len(properties) < MAX_GUESSES
            _unknown_key(
                node.keys[name], properties if guess else {}, missing, noun, collector, here
            )
        else:
            _check_name(node.keys[name], schema.get("propertyNames", {}), collector, here)
            check_shape(child, additional if additional is not True else {}, collector, here)
    if not node.damaged:
        _check_alternatives(node, schema, noun, collector, path)
    for name in missing if not node.damaged else ():
        _missing_key(node, name, properties.get(name, {}), noun, collector, path)


def _is_one_member(node: Node, schema: Schema, collector: Collector, path: Path) -> bool:
    """Say it where a mapping of named graders is one grader itself, without a name."""
    kind = node.value.get("type")
    if "one" not in schema.get("x-meant", ()) or kind is None or kind.kind != "scalar":
        return False
    message = f"{_where(path)} must be a mapping of names to graders; this is one grader"
    collector.add(node.problem("E104", message, hint=schema["x-meant"]["one"], path=dotted(path)))
    return True


def _check_alternatives(
    node: Node, schema: Schema, noun: str, collector: Collector, path: Path
) -> None:
    """`anyOf` with `required` in each branch: at least one of some keys."""
    branches = [branch["required"] for branch in schema.get("anyOf", ())]
    if branches and not any(all(name in node.value for name in names) for names in branches):
        ways = " or ".join(f"`{names[0]}`" for names in branches)
        owner = noun if noun.startswith("a ") else _where(path)
        message = f"{ways} is missing in {owner}"
        collector.add(node.problem("E102", message, hint=f"add {ways}", path=dotted(path)))


def _variant(node: Node, schema: Schema, collector: Collector, path: Path) -> tuple[Schema, str]:
    """The branch of a discriminated schema, by `type`; an open schema when there is none."""
    noun = _where(path)
    variants = schema.get("x-variants")
    if variants is None:
        return schema, noun
    chosen = node.value.get("type")
    if chosen is None:
        return schema, noun
    if chosen.kind == "scalar" and chosen.value in variants:
        return variants[chosen.value], f"a {chosen.value} {schema.get('x-noun', 'entry')}"
    check_shape(chosen, schema["properties"]["type"], collector, (*path, "type"))
    return {"x-open": True}, noun


def _unknown_key(
    key: Node,
    properties: Mapping[str, Any],
    missing: list[str],
    noun: str,
    collector: Collector,
    path: Path,
) -> None:
    name = path[-1]
    parent = f"`{dotted(path[:-1])}`" if path[:-1] else "a spec"
    owner = noun if noun.startswith("a ") else parent
    hint = key_meant(name, path[:-1], properties)
    if hint is not None:
        # One mistake, one message: what was misspelt is not also reported as missing.
        missing[:] = [other for other in missing if f"`{other}`" not in hint]
    known = ", ".join(properties)
    hint = f"{hint} Known: {known}" if hint else f"known: {known}" if known else None
    if key.span().column and re.search(r"(api_?key|token|secret|password)", name.lower()):
        hint = "secrets do not belong in a spec; set them in the environment"
    message = f"`{_short(name) or '(empty)'}` is not a field of {owner}"
    odd = [character for character in name if not character.isascii()]
    if odd:
        message += f"; it has the character {describe_character(odd[0])}"
    collector.add(key.problem("E101", message, hint=hint, path=dotted(path)))


def _missing_key(
    node: Node, name: str, schema: Schema, noun: str, collector: Collector, path: Path
) -> None:
    owner = noun if noun.startswith("a ") else _where(path)
    what = f": {schema['description']}" if "description" in schema else ""
    examples = schema.get("examples")
    shown = examples[0] if examples and not isinstance(examples[0], dict) else ""
    hint = f"add `{name}: {shown}`" if shown else f"add `{name}:`"
    message = f"`{name}` is missing in {owner}{what}"
    collector.add(node.problem("E102", message, hint=hint, path=dotted((*path, name))))


def _check_name(key: Node, schema: Schema, collector: Collector, path: Path) -> None:
    """A name that the user chose, against `propertyNames`."""
    name = path[-1]
    if not name.strip() or len(name) > schema.get("maxLength", len(name)):
        message = "a name is empty" if not name.strip() else "a name is too long"
        hint = f"at most {schema.get('maxLength', 64)} characters"
        collector.add(key.problem("E106", message, hint=hint, path=dotted(path)))
    elif (odd := odd_character(name)) is not None:
        message = f"the character {odd} is not allowed in a name"
        collector.add(key.problem("E106", message, hint="delete it", path=dotted(path)))
    elif name in schema.get("x-reserved", {}):
        message = f"`{name}` is {schema['x-reserved'][name]} and cannot be a name here"
        collector.add(key.problem("E107", message, hint="choose another", path=dotted(path)))
    elif name.startswith(schema.get("x-reserved-start", "\n")):
        start = schema["x-reserved-start"]
        message = f"a name here cannot begin with `{start}`: numbers of rftspec's own do"
        collector.add(key.problem("E107", message, hint="choose another", path=dotted(path)))
    elif "pattern" in schema and not _matches(schema["pattern"], name):
        collector.add(_name_problem(key, name, path))


def _name_problem(key: Node, name: str, path: Path) -> Any:
    odd = [character for character in name if not character.isascii()]
    if odd:
        message = f"`{name}` has the character {describe_character(odd[0])}"
        hint = "use plain ASCII letters, digits and underscores"
        return key.problem("E108", message, hint=hint, path=dotted(path))
    better = re.sub(r"[^A-Za-z0-9_]", "_", name).lstrip("_0123456789") or "grader"
    message = f"`{_short(name)}` cannot stand in an expression"
    hint = f"letters, digits and underscores, first a letter: `{_short(better)}`"
    return key.problem("E106", message, hint=hint, path=dotted(path))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
