"""Checks of literals, names, fields, elements, lists and calls."""

from __future__ import annotations

from rftspec.expr import core, syntax
from rftspec.expr.calls import Refusal, resolve
from rftspec.expr.checker import WRONG, Checker
from rftspec.expr.suggest import did_you_mean
from rftspec.expr.types import (
    BOOL,
    JSON,
    NEVER,
    NUMBER,
    STRING,
    ListOf,
    ListType,
    OptionalOf,
    RecordType,
    Type,
    describe,
    is_optional,
    join,
    strip_optional,
)

_OTHER_WORDS = {
    "null": "a missing value is tested with `has(x)` and replaced with `x ?? default`",
    "None": "a missing value is tested with `has(x)` and replaced with `x ?? default`",
    "True": "write `true`",
    "False": "write `false`",
    "nan": "every value is a finite number",
    "inf": "every value is a finite number",
}


def number(checker: Checker, node: syntax.Number) -> core.Node:
    """A number literal."""
    return core.Const(NUMBER, node.start, node.end, node.value)


def text(checker: Checker, node: syntax.Text) -> core.Node:
    """A string literal."""
    return core.Literal(STRING, node.start, node.end, node.value, node.inner)


def truth(checker: Checker, node: syntax.Truth) -> core.Node:
    """`true` or `false`."""
    return core.Const(BOOL, node.start, node.end, node.value)


def name(checker: Checker, node: syntax.Name) -> core.Node:
    """A name bound by a `let`, or of the environment."""
    local = checker.locals.get(node.name)
    if local is not None:
        checker.used_locals.add(node.name)
        return local.moved(node.start, node.end)
    type_ = checker.names.get(node.name)
    if type_ is None:
        return _unknown_name(checker, node)
    checker.fields.add((node.name,))
    slot = checker.slots.setdefault(node.name, len(checker.slots))
    return core.Root(type_, node.start, node.end, node.name, slot)


def _unknown_name(checker: Checker, node: syntax.Name) -> core.Node:
    if node.name in checker.functions:
        signature = checker.functions[node.name].overloads[0].signature
        message = f"`{node.name}` is a function, and stands here without its arguments"
        return checker.problem("E311", node, message, f"call it: `{signature}`")
    known = [*checker.locals, *checker.names]
    hint = _OTHER_WORDS.get(node.name) or did_you_mean(node.name, known, "names")
    return checker.problem("E311", node, f"unknown name `{node.name}`", hint)


def field(checker: Checker, node: syntax.Field) -> core.Node:
    """`target.name`."""
    target = checker.check(node.target)
    return _get_field(checker, target, node.name, node, (node.dot, node.name_start, node.end))


def _get_field(
    checker: Checker, target: core.Node, name_: str, node: syntax.Node, at: tuple[int, int, int]
) -> core.Node:
    inner = strip_optional(target.type)
    if inner == WRONG:
        return target
    if isinstance(inner, RecordType):
        type_ = inner.fields.get(name_)
        if type_ is None:
            hint = did_you_mean(name_, list(inner.fields), "fields")
            return checker.problem_at("E313", at[1], at[2], f"unknown field `{name_}`", hint)
    elif inner == JSON:
        type_ = OptionalOf(JSON)
    else:
        hint = "take an element first: `[0]`" if isinstance(inner, ListType) else None
        return checker.problem_at("E321", at[0], at[2], f"{describe(inner)} has no fields", hint)
    _note_path(checker, target, name_)
    type_ = OptionalOf(type_) if is_optional(target.type) else type_
    return core.GetField(type_, node.start, node.end, target, name_)


def _note_path(checker: Checker, target: core.Node, name_: str) -> None:
    path: list[str] = [name_]
    while isinstance(target, core.GetField):
        path.append(target.name)
        target = target.target
    if isinstance(target, core.Root):
        whole = (target.name, *reversed(path))
        checker.fields.discard(whole[:-1])
        checker.fields.add(whole)


def index(checker: Checker, node: syntax.Index) -> core.Node:
    """`target[place]`, or `target["field"]`."""
    target = checker.check(node.target)
    inner = strip_optional(target.type)
    if inner == WRONG:
        return target
    by_text = isinstance(node.index, syntax.Text)
    if isinstance(inner, RecordType) or (inner == JSON and by_text):
        return _field_by_text(checker, target, node)
    if not isinstance(inner, ListType) and inner != JSON:
        return checker.problem("E321", node.target, f"{describe(inner)} has no elements")
    place = checker.require(checker.check(node.index), NUMBER, "a place in a list")
    if place.type == WRONG:
        return place
    if isinstance(place, core.Const) and (place.value < 0 or place.value % 1 != 0):
        hint = "the last element is `last(xs)`" if place.value < 0 else None
        message = "a place is a whole number, counted from 0"
        return checker.problem("E331", node.index, message, hint)
    element = inner.element if isinstance(inner, ListType) else JSON
    return core.GetItem(OptionalOf(element), node.start, node.end, target, place)


def _field_by_text(checker: Checker, target: core.Node, node: syntax.Index) -> core.Node:
    if not isinstance(node.index, syntax.Text):
        message = "the name of a field is a text literal"
        return checker.problem("E325", node.index, message, 'such as `item["two words"]`')
    at = (node.index.start, node.index.start, node.index.end)
    return _get_field(checker, target, node.index.value, node, at)


def list_(checker: Checker, node: syntax.ListLiteral) -> core.Node:
    """`[items]`; all of one type."""
    element: Type = NEVER
    items = tuple(checker.present(checker.check(item)) for item in node.items)
    if any(item.type == WRONG for item in items):
        return checker.wrong(node)
    for item in items:
        joined = join(element, item.type)
        if joined is None:
            message = f"a list holds one type; {describe(item.type)} follows {describe(element)}"
            return checker.problem("E321", item, message)
        element = joined
    return checker.fold(core.MakeList(ListOf(element), node.start, node.end, items), items)


def call(checker: Checker, node: syntax.Call) -> core.Node:
    """`function(arguments)`."""
    function = checker.functions.get(node.function)
    arguments = [(argument, checker.check(argument.value)) for argument in node.arguments]
    if function is None:
        return _unknown_function(checker, node)
    if any(value.type == WRONG for _, value in arguments):
        return checker.wrong(node)
    made = resolve(node, function, arguments)
    if isinstance(made, Refusal):
        checker.problems.append(made.problem)
        return checker.wrong(node)
    if function.name == "has" and not is_optional(made.arguments[0].type):
        checker.warn("E341", node.start, node.end, "this is never missing: `has` is always true")
    # a caller's own functions need not be pure
    return made if function.group == "extra" else checker.fold(made, made.arguments)


def _unknown_function(checker: Checker, node: syntax.Call) -> core.Node:
    end = node.start + len(node.function)
    if node.function in checker.names or node.function in checker.locals:
        message, hint = f"`{node.function}` is a value, not a function", None
    else:
        message = f"unknown function `{node.function}`"
        hint = did_you_mean(node.function, list(checker.functions), None)
    return checker.problem_at("E312", node.start, end, message, hint)
