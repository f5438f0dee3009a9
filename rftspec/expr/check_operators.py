"""Checks of operators, `let` and `if`."""

from __future__ import annotations

from rftspec.expr import core, syntax
from rftspec.expr.checker import WRONG, Checker, type_hint
from rftspec.expr.types import (
    BOOL,
    JSON,
    NEVER,
    NUMBER,
    ListOf,
    OptionalOf,
    Type,
    describe,
    is_optional,
    join,
    strip_optional,
)

_VERBS = {"+": "adds", "-": "subtracts", "*": "multiplies", "/": "divides", "%": "divides"}


def unary(checker: Checker, node: syntax.Unary) -> core.Node:
    """`-x` and `not x`."""
    wanted = NUMBER if node.operator == "-" else BOOL
    operand = checker.require(checker.check(node.operand), wanted, f"what `{node.operator}` takes")
    if operand.type == WRONG:
        return checker.wrong(node)
    kind = core.Negative if node.operator == "-" else core.Not
    return checker.fold(kind(wanted, node.start, node.end, operand), [operand])


def chain(checker: Checker, node: syntax.Chain) -> core.Node:
    """Operands of one level, joined by its operators."""
    operator = node.links[0].operator
    operands = [node.first, *(link.operand for link in node.links)]
    if operator == "??":
        return _default(checker, node, [checker.check(operand) for operand in operands])
    if operator in ("and", "or"):
        what = f"what `{operator}` takes"
        items = tuple(checker.require(checker.check(o), BOOL, what) for o in operands)
        if any(item.type == WRONG for item in items):
            return checker.wrong(node)
        return checker.fold(core.Logic(BOOL, node.start, node.end, operator, items), items)
    signs = [(link.operator, link.start, link.end) for link in node.links]
    return _arithmetic(checker, node, operands, signs)


def _arithmetic(
    checker: Checker,
    node: syntax.Node,
    operands: list[syntax.Node],
    signs: list[tuple[str, int, int]],
) -> core.Node:
    parts = [checker.present(checker.check(operand)) for operand in operands]
    fine = all(part.type != WRONG for part in parts)
    for place, (sign, start, end) in enumerate(signs):
        for side, part in (("left", parts[place]), ("right", parts[place + 1])):
            if part.type not in (NUMBER, WRONG) and (side == "right" or place == 0):
                verb = _VERBS.get(sign, "raises")
                message = f"`{sign}` {verb} numbers; its {side} side is {describe(part.type)}"
                hint = type_hint(NUMBER, part.type)
                if sign == "+" and part.type.name == "string":
                    hint = "texts are joined with `concat(a, b)`"
                checker.problem_at("E321", start, end, message, hint)
                fine = False
    if not fine:
        return checker.wrong(node)
    links = tuple((*sign, part) for sign, part in zip(signs, parts[1:], strict=True))
    return checker.fold(core.Arithmetic(NUMBER, node.start, node.end, parts[0], links), parts)


def _default(checker: Checker, node: syntax.Chain, items: list[core.Node]) -> core.Node:
    if any(item.type == WRONG for item in items):
        return checker.wrong(node)
    for link, item in zip(node.links, items, strict=False):
        if not is_optional(item.type) and item.type != JSON:
            message = "the value before `??` is never missing, so its default is never used"
            checker.warn("E341", link.start, link.end, message)
    wanted: Type | None = None
    for place in reversed(range(len(items))):
        inner = strip_optional(items[place].type)
        if inner == JSON:
            continue
        joined = inner if wanted is None else join(inner, wanted)
        if joined is None:
            link = node.links[place]
            message = f"the default is {describe(wanted or inner)}, the value {describe(inner)}"
            return checker.problem_at("E321", link.start, link.end, message)
        wanted = joined
    type_ = _held_elements(wanted or JSON)
    made = tuple(_take_type(item, type_) for item in items)
    type_ = OptionalOf(type_) if is_optional(made[-1].type) else type_
    return checker.fold(core.Default(type_, node.start, node.end, made), made)


def _held_elements(type_: Type) -> Type:
    """An empty list as a default says nothing of the elements: they stay json."""
    return ListOf(JSON) if type_ == ListOf(NEVER) else type_


def _take_type(item: core.Node, wanted: Type) -> core.Node:
    """A json value as one of the default's type: missing where it is of another."""
    if strip_optional(item.type) != JSON or wanted == JSON:
        return item
    return core.Narrow(OptionalOf(wanted), item.start, item.end, item)


def binary(checker: Checker, node: syntax.Binary) -> core.Node:
    """A power or a comparison."""
    if node.operator == "^":
        sign = (node.operator, node.at, node.at_end)
        return _arithmetic(checker, node, [node.left, node.right], [sign])
    left = checker.present(checker.check(node.left))
    right = checker.present(checker.check(node.right))
    if WRONG in (left.type, right.type):
        return checker.wrong(node)
    message, hint = _incomparable(node.operator, left.type, right.type)
    if message:
        return checker.problem_at("E321", node.at, node.at_end, message, hint)
    made = core.Compare(BOOL, node.start, node.end, node.operator, left, right)
    return checker.fold(made, [left, right])


def _incomparable(operator: str, left: Type, right: Type) -> tuple[str, str | None]:
    if JSON in (left, right):
        hint = type_hint(NUMBER, JSON)
        return f"`{operator}` compares values of a known type; one side is json", hint
    if operator in ("==", "!="):
        if join(left, right) is not None:
            return "", None
        message = f"`{operator}` compares values of one type, not {describe(left)}"
        return f"{message} with {describe(right)}", None
    for side, type_ in (("left", left), ("right", right)):
        if type_ != NUMBER:
            message = f"`{operator}` compares numbers; its {side} side is {describe(type_)}"
            return message, type_hint(NUMBER, type_)
    return "", None


def let(checker: Checker, node: syntax.Let) -> core.Node:
    """`let name = value in body`."""
    value = checker.check(node.value)
    end = node.name_start + len(node.name)
    for taken, what in (
        (checker.names, "a name of the environment"),
        (checker.functions, "a function"),
        (checker.locals, "named by an outer `let`"),
    ):
        if node.name in taken:
            message = f"`{node.name}` is already {what}"
            checker.problem_at("E314", node.name_start, end, message, "choose another name")
            return checker.wrong(node)
    checker.local_count += 1
    slot = -checker.local_count  # from the frame's end, as the names before it are still unknown
    checker.locals[node.name] = core.Local(value.type, 0, 0, node.name, slot)
    body = checker.check(node.body)
    del checker.locals[node.name]
    if node.name not in checker.used_locals:
        checker.warn("E343", node.name_start, end, f"`{node.name}` is never used")
    checker.used_locals.discard(node.name)
    if WRONG in (value.type, body.type):
        return checker.wrong(node)
    return core.Let(body.type, node.start, node.end, node.name, slot, value, body)


def if_(checker: Checker, node: syntax.If) -> core.Node:
    """`if condition then yes else no`."""
    condition = checker.require(checker.check(node.condition), BOOL, "a condition")
    yes, no = checker.check(node.yes), checker.check(node.no)
    if WRONG in (condition.type, yes.type, no.type):
        return checker.wrong(node)
    if isinstance(condition, core.Const):
        word = "true" if condition.value else "false"
        message = f"this condition is always {word}: one branch never runs"
        checker.warn("E342", condition.start, condition.end, message)
    type_ = join(yes.type, no.type)
    if type_ is None:
        message = f"one branch is {describe(yes.type)}, the other {describe(no.type)}"
        return checker.problem("E321", no, message, type_hint(yes.type, no.type))
    return core.If(type_, node.start, node.end, condition, yes, no)
