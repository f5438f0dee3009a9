"""Calls as closures: by number of arguments, with missing arguments lifted and results checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rftspec.expr import core
from rftspec.expr.evaluate import Frame, check_rules, from_library, result
from rftspec.expr.narrow import LARGEST
from rftspec.expr.types import NUMBER, strip_optional

Closure = Callable[[Frame], Any]


def compile_call(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    """The closure of a call, whose arguments are closures already."""
    call = _call(node, arguments)
    if strip_optional(node.type) is not NUMBER or node.overload.finite:
        return call

    def finite(frame: Frame) -> Any:
        value = call(frame)
        if type(value) is float and -LARGEST <= value <= LARGEST:
            return value
        return result(node, value)

    return finite


def _call(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    if all(isinstance(argument, core.Const) for argument in node.arguments[1:]):
        return _one_and_constants(node, arguments[0])
    if node.checks:
        return _call_with_rules(node, arguments)
    if len(arguments) == 2:
        return _two(node, arguments[0], arguments[1])
    return _many(node, arguments)


def _one_and_constants(node: core.Apply, argument: Closure) -> Closure:
    function, lifts = node.overload.implementation, bool(node.lifted)
    rest = [a.value for a in node.arguments[1:] if isinstance(a, core.Const)]
    if any(rest[place - 1] is None for place in node.lifted if place):
        return _missing_after(argument)
    test = node.overload.rules[node.checks[0][1]].test if node.checks else _anything

    def run(frame: Frame) -> Any:
        value = argument(frame)
        if value is None and lifts:
            return None
        if not test(value):
            check_rules(node, [value, *rest])
        try:
            return function(value, *rest)
        except Exception as error:
            raise from_library(node, error) from None

    return _unruled(node, argument, rest) if test is _anything else run


def _missing_after(argument: Closure) -> Closure:
    """A call that is always missing; its argument still runs, as it may have no value."""

    def run(frame: Frame) -> Any:
        argument(frame)
        return None

    return run


def _anything(value: Any) -> bool:
    return True


def _unruled(node: core.Apply, argument: Closure, rest: Sequence[Any]) -> Closure:
    function, lifts = node.overload.implementation, bool(node.lifted)

    def run(frame: Frame) -> Any:
        value = argument(frame)
        if value is None and lifts:
            return None
        try:
            return function(value, *rest)
        except Exception as error:
            raise from_library(node, error) from None

    return run


def _two(node: core.Apply, first: Closure, second: Closure) -> Closure:
    function = node.overload.implementation
    lifts_first, lifts_second = 0 in node.lifted, 1 in node.lifted

    def run(frame: Frame) -> Any:
        a, b = first(frame), second(frame)
        if (a is None and lifts_first) or (b is None and lifts_second):
            return None
        try:
            return function(a, b)
        except Exception as error:
            raise from_library(node, error) from None

    return run


def _many(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    function, lifted = node.overload.implementation, node.lifted

    def run(frame: Frame) -> Any:
        values = [argument(frame) for argument in arguments]
        for place in lifted:
            if values[place] is None:
                return None
        try:
            return function(*values)
        except Exception as error:
            raise from_library(node, error) from None

    return run


def _call_with_rules(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    function, lifted = node.overload.implementation, node.lifted

    def run(frame: Frame) -> Any:
        values = [argument(frame) for argument in arguments]
        for place in lifted:
            if values[place] is None:
                return None
        check_rules(node, values)
        try:
            return function(*values)
        except Exception as error:
            raise from_library(node, error) from None

    return run
