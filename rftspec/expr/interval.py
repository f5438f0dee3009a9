"""Interval analysis: between which numbers every value of an expression lies.

The reward of a failed sample is the floor of its range, so the analysis must be sound: for every
environment within the given ranges, the value, where there is one, lies in the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rftspec.expr import core, ranges
from rftspec.expr.ranges import ANYTHING, UNIT, Range
from rftspec.expr.types import BOOL, NUMBER, strip_optional

Known = Mapping[str, tuple[float, float]]
Locals = dict[int, Range]


def analyse(node: core.Node, known: Known, local: Locals | None = None) -> Range:
    """The range of a node; `known` gives those of names (`score`) and of fields (`item.weight`).

    `local` gives those of the slots of `let`s around it.
    """
    return _walk(node, known, local or {})


def _walk(node: core.Node, known: Known, local: Locals) -> Range:
    if strip_optional(node.type) == BOOL and not isinstance(node, core.Let | core.If):
        return UNIT
    return _RULES[type(node)](node, known, local)


def _const(node: core.Const, known: Known, local: Locals) -> Range:
    return of_value(node.value)


def of_value(value: Any) -> Range:
    """The range of a constant: of a number, or of a list of numbers."""
    if isinstance(value, bool | str) or value is None:
        return ANYTHING
    if isinstance(value, int | float):
        return Range(float(value), float(value))
    if isinstance(value, list | tuple):
        size = len(value)
        if value and all(isinstance(x, int | float) for x in value):
            return Range(float(min(value)), float(max(value)), size, size)
        return Range(shortest=size, longest=size)
    return ANYTHING


def _root(node: core.Root, known: Known, local: Locals) -> Range:
    return _given(node.name, known)


def _given(path: str, known: Known) -> Range:
    low, high = known.get(path, (-ranges.INF, ranges.INF))
    return Range(low, high)


def _local(node: core.Local, known: Known, local: Locals) -> Range:
    return local[node.slot]


def _field(node: core.GetField, known: Known, local: Locals) -> Range:
    path: list[str] = []
    target: core.Node = node
    while isinstance(target, core.GetField):
        path.append(target.name)
        target = target.target
    if not isinstance(target, core.Root):
        return ANYTHING
    return _given(".".join([target.name, *reversed(path)]), known)


def _item(node: core.GetItem, known: Known, local: Locals) -> Range:
    if strip_optional(node.target.type).name != f"list[{NUMBER.name}]":
        return ANYTHING
    target = _walk(node.target, known, local)
    return Range(target.low, target.high)


def _list(node: core.MakeList, known: Known, local: Locals) -> Range:
    size = len(node.items)
    if not node.items or node.items[0].type != NUMBER:
        return Range(shortest=size, longest=size)
    inside = ranges.hull(_walk(item, known, local) for item in node.items)
    return Range(inside.low, inside.high, size, size)


def _narrow(node: core.Narrow, known: Known, local: Locals) -> Range:
    # the target is json, which may have a range by its path
    return _walk(node.target, known, local)


def _apply(node: core.Apply, known: Known, local: Locals) -> Range:
    rule = node.overload.bounds
    if isinstance(rule, Range):
        return rule
    return rule(*(_walk(argument, known, local) for argument in node.arguments))


def _arithmetic(node: core.Arithmetic, known: Known, local: Locals) -> Range:
    value = _walk(node.first, known, local)
    for operator, _, _, operand in node.links:
        value = _OPERATIONS[operator](value, _walk(operand, known, local))
    return value


_OPERATIONS: Mapping[str, Callable[[Range, Range], Range]] = {
    "+": ranges.add,
    "-": ranges.subtract,
    "*": ranges.multiply,
    "/": ranges.divide,
    "%": ranges.modulo,
    "^": ranges.power,
}


def _negative(node: core.Negative, known: Known, local: Locals) -> Range:
    return ranges.negate(_walk(node.operand, known, local))


def _truth(node: core.Node, known: Known, local: Locals) -> Range:
    return UNIT


def _default(node: core.Default, known: Known, local: Locals) -> Range:
    # an item that is known to be missing gives no value
    there = [x for x in node.items if not isinstance(x, core.Const) or x.value is not None]
    return ranges.hull(_walk(item, known, local) for item in there or node.items)


def _let(node: core.Let, known: Known, local: Locals) -> Range:
    inner = {**local, node.slot: _walk(node.value, known, local)}
    return _walk(node.body, known, inner)


def _if(node: core.If, known: Known, local: Locals) -> Range:
    return ranges.hull([_walk(node.yes, known, local), _walk(node.no, known, local)])


_RULES: Mapping[type[core.Node], Callable[[Any, Known, Locals], Range]] = {
    core.Const: _const,
    core.Literal: _const,
    core.Root: _root,
    core.Local: _local,
    core.GetField: _field,
    core.GetItem: _item,
    core.MakeList: _list,
    core.Narrow: _narrow,
    core.Apply: _apply,
    core.Arithmetic: _arithmetic,
    core.Negative: _negative,
    core.Not: _truth,
    core.Logic: _truth,
    core.Compare: _truth,
    core.Default: _default,
    core.Let: _let,
    core.If: _if,
}
