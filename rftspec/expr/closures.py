"""The typed tree as nested Python closures: how expressions run.

Nothing is generated or executed as code; a closure keeps its operands' closures and the offsets
that its errors point at. `evaluate` has the reference semantics.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from rftspec.expr import core
from rftspec.expr.calls_run import compile_call
from rftspec.expr.evaluate import Frame, domain_error, not_as_declared, operate
from rftspec.expr.narrow import LARGEST, narrower, read_number, reader
from rftspec.expr.types import BOOL, STRING, ListType, RecordType, is_optional, strip_optional

Closure = Callable[[Frame], Any]

_MOST_NESTED = 4
"""Chains up to this length become nested closures, longer ones a loop: frames are limited."""


def compile_tree(node: core.Node) -> Closure:
    """The closure that gives the node's value for a frame; it raises EvalError."""
    return _COMPILERS[type(node)](node)


def _const(node: core.Const) -> Closure:
    value = node.value
    return lambda frame: value


def _root(node: core.Root) -> Closure:
    return _reading(node, operator.itemgetter(node.slot), node.name)


def _local(node: core.Local) -> Closure:
    return operator.itemgetter(node.slot)


def _get_field(node: core.GetField) -> Closure:
    name, target = node.name, compile_tree(node.target)

    def get(frame: Frame) -> Any:
        value = target(frame)
        return value.get(name) if isinstance(value, dict) else None

    read = _reading(node, get, name)
    inner = strip_optional(node.type)
    kind = _PLAIN.get(type(inner)) or _PLAIN.get(inner)
    if kind is None or not isinstance(node.target, core.Root):
        return read
    return _root_field(node.target.slot, name, kind, read)


def _root_field(slot: int, name: str, kind: type, otherwise: Closure) -> Closure:
    """A field such as `item.gene`, in one step where all is as declared."""

    def read(frame: Frame) -> Any:
        record = frame[slot]
        if type(record) is dict:
            value = record.get(name)
            if type(value) is kind:
                return value
        return otherwise(frame)

    return read


_PLAIN: Mapping[Any, type] = {STRING: str, BOOL: bool, ListType: list, RecordType: dict}
"""Types whose values need no look inside, by the Python type that they have when read from JSON."""


def _reading(node: core.Node, get: Closure, name: str) -> Closure:
    """A value from outside, held to its declared type."""
    take, optional = reader(node.type), is_optional(node.type)

    def read(frame: Frame) -> Any:
        value = get(frame)
        if type(value) is float and take is read_number and -LARGEST <= value <= LARGEST:
            return value
        found = take(value)
        if found is None and not optional:
            raise not_as_declared(node, value, name)
        return found

    return read


def _get_item(node: core.GetItem) -> Closure:
    target, index, take = compile_tree(node.target), compile_tree(node.index), reader(node.type)

    def get(frame: Frame) -> Any:
        values, place = target(frame), index(frame)
        if place % 1 != 0:
            raise domain_error(node.index, f"a place is a whole number, not {place:g}")
        if not isinstance(values, list | tuple) or not 0 <= place < len(values):
            return None
        return take(values[int(place)])

    return get


def _make_list(node: core.MakeList) -> Closure:
    items = [compile_tree(item) for item in node.items]
    return lambda frame: [item(frame) for item in items]


def _narrow(node: core.Narrow) -> Closure:
    target, take = compile_tree(node.target), narrower(node.type)

    def narrow(frame: Frame) -> Any:
        value = target(frame)
        return None if value is None else take(value)

    return narrow


def _apply(node: core.Apply) -> Closure:
    return compile_call(node, [compile_tree(argument) for argument in node.arguments])


def _arithmetic(node: core.Arithmetic) -> Closure:
    closure = compile_tree(node.first)
    if len(node.links) > _MOST_NESTED:
        return _arithmetic_loop(node, closure)
    if isinstance(node.first, core.Const) and node.links[0][0] == "*":
        sign, start, end, operand = node.links[0]
        closure = _scaled(node.first.value, compile_tree(operand), start, end)
        rest = node.links[1:]
    else:
        rest = node.links
    for sign, start, end, operand in rest:
        closure = _operation(sign, start, end, closure, compile_tree(operand))
    return closure


def _scaled(factor: float, operand: Closure, start: int, end: int) -> Closure:
    """A weight times a value, the commonest product."""

    def scale(frame: Frame) -> Any:
        value = factor * operand(frame)
        return value if -LARGEST <= value <= LARGEST else operate("*", value, 1.0, start, end)

    return scale


def _arithmetic_loop(node: core.Arithmetic, first: Closure) -> Closure:
    links = [(sign, start, end, compile_tree(operand)) for sign, start, end, operand in node.links]

    def run(frame: Frame) -> Any:
        value = first(frame)
        for sign, start, end, operand in links:
            value = operate(sign, value, operand(frame), start, end)
        return value

    return run


def _operation(sign: str, start: int, end: int, left: Closure, right: Closure) -> Closure:
    if sign == "+":

        def add(frame: Frame) -> Any:
            value = left(frame) + right(frame)
            return value if -LARGEST <= value <= LARGEST else operate("+", value, 0.0, start, end)

        return add
    if sign == "-":

        def subtract(frame: Frame) -> Any:
            value = left(frame) - right(frame)
            return value if -LARGEST <= value <= LARGEST else operate("-", value, 0.0, start, end)

        return subtract
    if sign == "*":

        def multiply(frame: Frame) -> Any:
            value = left(frame) * right(frame)
            return value if -LARGEST <= value <= LARGEST else operate("*", value, 1.0, start, end)

        return multiply
    if sign == "/":
        return _quotient(start, end, left, right)
    return lambda frame: operate(sign, left(frame), right(frame), start, end)


def _quotient(start: int, end: int, left: Closure, right: Closure) -> Closure:
    def divide(frame: Frame) -> Any:
        dividend, divisor = left(frame), right(frame)
        if divisor:
            value = dividend / divisor
            if -LARGEST <= value <= LARGEST:
                return value
        return operate("/", dividend, divisor, start, end)

    return divide


def _negative(node: core.Negative) -> Closure:
    operand = compile_tree(node.operand)
    return lambda frame: -operand(frame)


def _not(node: core.Not) -> Closure:
    operand = compile_tree(node.operand)
    return lambda frame: not operand(frame)


def _logic(node: core.Logic) -> Closure:
    items = [compile_tree(item) for item in node.items]
    if len(items) == 2:
        left, right = items
        if node.operator == "and":
            return lambda frame: left(frame) and right(frame)
        return lambda frame: left(frame) or right(frame)
    if node.operator == "and":
        return lambda frame: all(item(frame) for item in items)
    return lambda frame: any(item(frame) for item in items)


def _compare(node: core.Compare) -> Closure:
    left, right = compile_tree(node.left), compile_tree(node.right)
    if isinstance(node.right, core.Const):
        return _COMPARISONS_WITH[node.operator](left, node.right.value)
    return _COMPARISONS[node.operator](left, right)


_COMPARISONS: Mapping[str, Callable[[Closure, Closure], Closure]] = {
    "==": lambda left, right: lambda frame: left(frame) == right(frame),
    "!=": lambda left, right: lambda frame: left(frame) != right(frame),
    "<": lambda left, right: lambda frame: left(frame) < right(frame),
    "<=": lambda left, right: lambda frame: left(frame) <= right(frame),
    ">": lambda left, right: lambda frame: left(frame) > right(frame),
    ">=": lambda left, right: lambda frame: left(frame) >= right(frame),
}


_COMPARISONS_WITH: Mapping[str, Callable[[Closure, Any], Closure]] = {
    "==": lambda left, value: lambda frame: left(frame) == value,
    "!=": lambda left, value: lambda frame: left(frame) != value,
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
    slot, value, body = node.slot, compile_tree(node.value), compile_tree(node.body)

    def run(frame: Frame) -> Any:
        frame[slot] = value(frame)
        return body(frame)

    return run


def _if(node: core.If) -> Closure:
    condition, yes, no = map(compile_tree, (node.condition, node.yes, node.no))
    return lambda frame: yes(frame) if condition(frame) else no(frame)


_COMPILERS: Mapping[type[core.Node], Callable[[Any], Closure]] = {
    core.Const: _const,
    core.Root: _root,
    core.Local: _local,
    core.GetField: _get_field,
    core.GetItem: _get_item,
    core.MakeList: _make_list,
    core.Narrow: _narrow,
    core.Apply: _apply,
    core.Arithmetic: _arithmetic,
    core.Negative: _negative,
    core.Not: _not,
    core.Logic: _logic,
    core.Compare: _compare,
    core.Default: _default,
    core.Let: _let,
    core.If: _if,
}
