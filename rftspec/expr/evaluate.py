"""The reference semantics: a plain walk over the typed tree.

Expressions run as closures (`closures`), which are faster; property tests hold the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rftspec.expr import core
from rftspec.expr.errors import DomainError, EvalError
from rftspec.expr.narrow import LARGEST, narrower, read_number, reader
from rftspec.expr.types import NUMBER, is_optional, strip_optional

Frame = list[Any]
"""The values of the names, each in its slot."""

Visit = Callable[[core.Node, Frame], Any]
"""Gives the value of a node for a frame."""


def walk(node: core.Node, frame: Frame) -> Any:
    """The value of a node; None where it is missing. Raises EvalError."""
    return _WALKERS[type(node)](node, frame, walk)


def step(node: core.Node, frame: Frame, visit: Visit) -> Any:
    """The same, with `visit` to give the values of the nodes directly below; for a trace."""
    return _WALKERS[type(node)](node, frame, visit)


def _const(node: core.Const, frame: Frame, visit: Visit) -> Any:
    return node.value


def _root(node: core.Root, frame: Frame, visit: Visit) -> Any:
    return read(node, frame[node.slot], node.name)


def _local(node: core.Local, frame: Frame, visit: Visit) -> Any:
    return frame[node.slot]


def _get_field(node: core.GetField, frame: Frame, visit: Visit) -> Any:
    target = visit(node.target, frame)
    if target is None or not isinstance(target, dict):
        return None
    return read(node, target.get(node.name), node.name)


def read(node: core.Node, value: Any, name: str) -> Any:
    """A value as its static type says, None where it may be missing. Raises EvalError."""
    found = reader(node.type)(value)
    if found is None and not is_optional(node.type):
        raise not_as_declared(node, value, name)
    return found


def not_as_declared(node: core.Node, value: Any, name: str) -> EvalError:
    """The environment lacks a value, or has one of another type than was declared."""
    if value is None:
        message = f"`{name}` is missing"
        return EvalError("invalid_variable_error", "missing", message, node.start, node.end)
    message = f"`{name}` is no {node.type.name}"
    return EvalError("invalid_variable_error", "type", message, node.start, node.end)


def _get_item(node: core.GetItem, frame: Frame, visit: Visit) -> Any:
    target, index = visit(node.target, frame), visit(node.index, frame)
    if index % 1 != 0:
        raise domain_error(node.index, f"a place is a whole number, not {index:g}")
    if not isinstance(target, list | tuple) or not 0 <= index < len(target):
        return None
    return reader(node.type)(target[int(index)])


def domain_error(node: core.Node, message: str) -> EvalError:
    """An operation that has no value for its operands."""
    return EvalError("formula_parse_error", "domain", message, node.start, node.end)


def _make_list(node: core.MakeList, frame: Frame, visit: Visit) -> Any:
    return [visit(item, frame) for item in node.items]


def _narrow(node: core.Narrow, frame: Frame, visit: Visit) -> Any:
    value = visit(node.target, frame)
    return None if value is None else narrower(node.type)(value)


def _apply(node: core.Apply, frame: Frame, visit: Visit) -> Any:
    values = [visit(argument, frame) for argument in node.arguments]
    if any(values[place] is None for place in node.lifted):
        return None
    check_rules(node, values)
    try:
        value = node.overload.implementation(*values)
    except Exception as error:
        raise from_library(node, error) from None
    return result(node, value)


def check_rules(node: core.Apply, values: list[Any]) -> None:
    """Test the arguments whose values were not known before. Raises EvalError."""
    for place, name in node.checks:
        rule = node.overload.rules[name]
        if values[place] is not None and not rule.test(values[place]):
            argument = node.arguments[place]
            raise domain_error(argument, f"`{name}` must be {rule.words}; it is {values[place]!r}")


def from_library(node: core.Apply, error: Exception) -> EvalError:
    """What a library function's exception says about the expression."""
    name, start, end = node.overload.name, node.start, node.end
    if isinstance(error, EvalError):
        return error
    if isinstance(error, DomainError):
        return EvalError("formula_parse_error", "domain", str(error), start, end)
    if isinstance(error, OverflowError):
        message = f"the result of {name} is too large for a number"
        return EvalError("formula_parse_error", "overflow", message, start, end)
    if isinstance(error, ArithmeticError | ValueError):
        return EvalError("formula_parse_error", "domain", f"{name}: {error}", start, end)
    message = f"{name} got a value of another type than was declared"
    return EvalError("invalid_variable_error", "type", message, start, end)


def result(node: core.Apply, value: Any) -> Any:
    """A library function's result; a number is finite. Raises EvalError."""
    if strip_optional(node.type) is not NUMBER or value is None:
        return value
    number = read_number(value)
    if number is None:
        raise too_large(f"the result of {node.overload.name}", node.start, node.end)
    return number


def too_large(what: str, start: int, end: int) -> EvalError:
    """A number that a float cannot hold."""
    message = f"{what} is too large for a number"
    return EvalError("formula_parse_error", "overflow", message, start, end)


def _arithmetic(node: core.Arithmetic, frame: Frame, visit: Visit) -> Any:
    value = visit(node.first, frame)
    for operator, start, end, operand in node.links:
        value = operate(operator, value, visit(operand, frame), start, end)
    return value


def operate(operator: str, a: float, b: float, start: int, end: int) -> float:
    """One arithmetic operation. Raises EvalError where it has no finite value."""
    try:
        value = ARITHMETIC[operator](a, b)
    except ZeroDivisionError:
        message = f"`{operator}` by 0"
        raise EvalError("formula_parse_error", "domain", message, start, end) from None
    except OverflowError:
        raise too_large(f"the result of `{operator}`", start, end) from None
    except ValueError:
        message = f"{a:g} ^ {b:g} has no value"
        raise EvalError("formula_parse_error", "domain", message, start, end) from None
    if not -LARGEST <= value <= LARGEST:
        raise too_large(f"the result of `{operator}`", start, end)
    return value


ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "^": math.pow,
}


def _negative(node: core.Negative, frame: Frame, visit: Visit) -> Any:
    return -visit(node.operand, frame)


def _not(node: core.Not, frame: Frame, visit: Visit) -> Any:
    return not visit(node.operand, frame)


def _logic(node: core.Logic, frame: Frame, visit: Visit) -> Any:
    decides = node.operator == "or"
    for item in node.items:
        if visit(item, frame) is decides:
            return decides
    return not decides


def _compare(node: core.Compare, frame: Frame, visit: Visit) -> Any:
    return COMPARISONS[node.operator](visit(node.left, frame), visit(node.right, frame))


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def _default(node: core.Default, frame: Frame, visit: Visit) -> Any:
    for item in node.items:
        value = visit(item, frame)
        if value is not None:
            return value
    return None


def _let(node: core.Let, frame: Frame, visit: Visit) -> Any:
    frame[node.slot] = visit(node.value, frame)
    return visit(node.body, frame)


def _if(node: core.If, frame: Frame, visit: Visit) -> Any:
    return visit(node.yes if visit(node.condition, frame) else node.no, frame)


_WALKERS: Mapping[type[core.Node], Callable[[Any, Frame, Visit], Any]] = {
    core.Const: _const,
    core.Literal: _const,
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
