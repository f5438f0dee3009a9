"""The typed tree as nested Python closures: how expressions run.

Nothing is generated or executed as code. The closures are for the way on which all is well: they
trust the types that the checker has proven and know no places. Whatever else happens, an error of
the library, a number that is too large, a value that is not as declared, raises, and the expression
is evaluated once more by the reference semantics (`evaluate`), which tells what is wrong and where.

A number that is not finite can only come of `+ - * /`, and they and `%` pass it on, so that one
look at the end of such a formula is enough; only a divisor, which would hide it, is looked at
before.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rftspec.expr import core
from rftspec.expr.calls_run import compile_call, slot_of
from rftspec.expr.evaluate import COMPARISONS, Frame
from rftspec.expr.narrow import LARGEST, OffTrack, narrower, plain_kind, reader
from rftspec.expr.types import NUMBER, is_optional, strip_optional

Closure = Callable[[Frame], Any]
Term = tuple[float, Closure]
"""A closure and the number that its value is multiplied by."""

_MOST_NESTED = 4
"""Products up to this length become nested closures, longer ones a loop: frames are limited."""


def compile_tree(node: core.Node) -> Closure:
    """The closure that gives the node's value for a frame of values that are as declared.

    A number that it gives may be infinite or NaN, for the caller to refuse; an exception, of
    whatever kind, leaves it to the reference semantics to say what is wrong.
    """
    loose = _LOOSE.get(type(node))
    return _firm(node) if loose is None else loose(node)


def _firm(node: core.Node) -> Closure:
    """The closure of a node; a number that it gives is finite."""
    closure = _COMPILERS[type(node)](node)
    if type(node) not in _LOOSE or strip_optional(node.type) != NUMBER:
        return closure

    def finite(frame: Frame) -> Any:
        value = closure(frame)
        if value is None or -LARGEST <= value <= LARGEST:
            return value
        raise OffTrack

    return finite


def _const(node: core.Const) -> Closure:
    value = node.value
    return lambda frame: value


def _slot(node: core.Root | core.Local) -> Closure:
    return operator.itemgetter(node.slot)


def _get_field(node: core.GetField) -> Closure:
    name, take, optional = node.name, reader(node.type), is_optional(node.type)
    kind = plain_kind(node.type)

    def read(record: Any) -> Any:
        value = record.get(name) if isinstance(record, dict) else None
        found = take(value)
        if found is None and not optional:
            raise OffTrack
        return found

    target = node.target
    if isinstance(target, core.Root):
        return _field_of_slot(target.slot, name, kind, read)
    record_of = _firm(target)

    def get(frame: Frame) -> Any:
        record = record_of(frame)
        if type(record) is dict:
            value = record.get(name)
            if type(value) is kind:
                return value
        return None if record is None else read(record)

    return get


def _field_of_slot(slot: int, name: str, kind: type | None, read: Closure) -> Closure:
    """A field such as `item.gene`, in one step where all is as declared."""

    def get(frame: Frame) -> Any:
        record = frame[slot]
        if type(record) is dict:
            value = record.get(name)
            if type(value) is kind:
                return value
        return read(record)

    return get


def _get_item(node: core.GetItem) -> Closure:
    target, index, take = _firm(node.target), _firm(node.index), reader(node.type)

    def get(frame: Frame) -> Any:
        values, place = target(frame), index(frame)
        if place % 1 != 0:
            raise OffTrack
        if not isinstance(values, list | tuple) or not 0 <= place < len(values):
            return None
        return take(values[int(place)])

    return get


def _make_list(node: core.MakeList) -> Closure:
    items = [_firm(item) for item in node.items]
    return lambda frame: [item(frame) for item in items]


def _narrow(node: core.Narrow) -> Closure:
    target, take = _firm(node.target), narrower(node.type)

    def narrow(frame: Frame) -> Any:
        value = target(frame)
        return None if value is None else take(value)

    return narrow


def _apply(node: core.Apply) -> Closure:
    return compile_call(node, [_firm(argument) for argument in node.arguments])


def _arithmetic(node: core.Arithmetic) -> Closure:
    signs = {link[0] for link in node.links}
    if signs <= {"+", "-"}:
        minus = [1.0, *(1.0 if sign == "+" else -1.0 for sign, *_ in node.links)]
        operands = [node.first, *(operand for *_, operand in node.links)]
        terms = [_term(operand, sign) for operand, sign in zip(operands, minus, strict=True)]
        return _sum(terms)
    if "^" in signs:
        base, exponent = _firm(node.first), _firm(node.links[0][3])
        return lambda frame: math.pow(base(frame), exponent(frame))
    if len(node.links) > _MOST_NESTED:
        return _product_loop(node)
    closure = _first_product(node)
    for sign, _, _, operand in node.links[1:]:
        closure = _operation(sign, closure, operand)
    return closure


def _term(node: core.Node, sign: float) -> Term:
    """An operand of a sum: a number times a closure. What this changes is exact: sign and order."""
    scaled = _scaled(node)
    return (sign, compile_tree(node)) if scaled is None else (sign * scaled[0], scaled[1])


def _scaled(node: core.Node) -> Term | None:
    """`0.5 * x` or `x * 0.5` as a term."""
    if not isinstance(node, core.Arithmetic) or len(node.links) != 1 or node.links[0][0] != "*":
        return None
    first, second = node.first, node.links[0][3]
    if isinstance(first, core.Const):
        return first.value, compile_tree(second)
    return (second.value, compile_tree(first)) if isinstance(second, core.Const) else None


def _sum(terms: Sequence[Term]) -> Closure:
    if len(terms) == 2:
        (a, x), (b, y) = terms
        return lambda frame: a * x(frame) + b * y(frame)
    if len(terms) == 3:
        (a, x), (b, y), (c, z) = terms
        return lambda frame: a * x(frame) + b * y(frame) + c * z(frame)
    (first, start), *rest = terms

    def run(frame: Frame) -> Any:
        value = first * start(frame)
        for factor, term in rest:
            value += factor * term(frame)
        return value

    return run


def _first_product(node: core.Arithmetic) -> Closure:
    sign, _, _, operand = node.links[0]
    scaled = _scaled(node) if len(node.links) == 1 else None
    if scaled is None:
        return _operation(sign, compile_tree(node.first), operand)
    factor, closure = scaled
    return lambda frame: factor * closure(frame)


def _operation(sign: str, left: Closure, operand: core.Node) -> Closure:
    if sign == "*":
        right = compile_tree(operand)
        return lambda frame: left(frame) * right(frame)
    right = _firm(operand)
    if sign == "/":
        return lambda frame: left(frame) / right(frame)
    return lambda frame: left(frame) % right(frame)


def _product_loop(node: core.Arithmetic) -> Closure:
    first = compile_tree(node.first)
    links = [(_PRODUCTS[sign], _firm(operand)) for sign, _, _, operand in node.links]

    def run(frame: Frame) -> Any:
        value = first(frame)
        for operate, operand in links:
            value = operate(value, operand(frame))
        return value

    return run


_PRODUCTS: Mapping[str, Callable[[float, float], float]] = {
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


def _negative(node: core.Negative) -> Closure:
    operand = compile_tree(node.operand)
    return lambda frame: -operand(frame)


def _not(node: core.Not) -> Closure:
    operand = _firm(node.operand)
    return lambda frame: not operand(frame)


def _logic(node: core.Logic) -> Closure:
    items = [_firm(item) for item in node.items]
    if len(items) == 2:
        left, right = items
        if node.operator == "and":
            return lambda frame: left(frame) and right(frame)
        return lambda frame: left(frame) or right(frame)
    if node.operator == "and":
        return lambda frame: all(item(frame) for item in items)
    return lambda frame: any(item(frame) for item in items)


def _compare(node: core.Compare) -> Closure:
    compare = COMPARISONS[node.operator]
    left, right = _firm(node.left), _firm(node.right)
    if isinstance(node.right, core.Const) and node.operator in _WITH_CONSTANT:
        slot, value = slot_of(node.left), node.right.value
        if node.operator == "==" and slot is not None:
            return lambda frame: frame[slot] == value
        return _WITH_CONSTANT[node.operator](left, value)
    return lambda frame: compare(left(frame), right(frame))


_WITH_CONSTANT: Mapping[str, Callable[[Closure, Any], Closure]] = {
    "==": lambda left, value: lambda frame: left(frame) == value,
    "<": lambda left, value: lambda frame: left(frame) < value,
    "<=": lambda left, value: lambda frame: left(frame) <= value,
    ">": lambda left, value: lambda frame: left(frame) > value,
    ">=": lambda left, value: lambda frame: left(frame) >= value,
}


def _default(node: core.Default) -> Closure:
    items = [compile_tree(item) for item in node.items]
    last = node.items[-1]
    if len(items) == 2 and isinstance(last, core.Const):
        return _default_to(items[0], last.value)

    def run(frame: Frame) -> Any:
        for item in items:
            value = item(frame)
            if value is not None:
                return value
        return None

    return run


def _default_to(first: Closure, otherwise: Any) -> Closure:
    def run(frame: Frame) -> Any:
        value = first(frame)
        return otherwise if value is None else value

    return run


def _let(node: core.Let) -> Closure:
    slot, value, body = node.slot, _firm(node.value), compile_tree(node.body)

    def run(frame: Frame) -> Any:
        frame[slot] = value(frame)
        return body(frame)

    return run


def _if(node: core.If) -> Closure:
    condition, yes, no = _firm(node.condition), compile_tree(node.yes), compile_tree(node.no)
    return lambda frame: yes(frame) if condition(frame) else no(frame)


_LOOSE: Mapping[type[core.Node], Callable[[Any], Closure]] = {
    core.Arithmetic: _arithmetic,
    core.Negative: _negative,
    core.Default: _default,
    core.Let: _let,
    core.If: _if,
}
"""Nodes that pass on a number which is not finite."""

_COMPILERS: Mapping[type[core.Node], Callable[[Any], Closure]] = {
    core.Const: _const,
    core.Literal: _const,
    core.Root: _slot,
    core.Local: _slot,
    core.GetField: _get_field,
    core.GetItem: _get_item,
    core.MakeList: _make_list,
    core.Narrow: _narrow,
    core.Apply: _apply,
    core.Not: _not,
    core.Logic: _logic,
    core.Compare: _compare,
    **_LOOSE,
}
