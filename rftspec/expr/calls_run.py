"""Calls as closures: by number of arguments, with missing arguments lifted and results checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rftspec.expr import core
from rftspec.expr.evaluate import Frame
from rftspec.expr.narrow import LARGEST, OffTrack, read_number
from rftspec.expr.types import NUMBER, is_optional, strip_optional

Closure = Callable[[Frame], Any]


def compile_call(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    """The closure of a call, whose arguments are closures already."""
    call = _call(node, arguments)
    if strip_optional(node.type) is not NUMBER or node.overload.finite:
        return call

    def finite(frame: Frame) -> Any:
        value = call(frame)
        if (type(value) is float and -LARGEST <= value <= LARGEST) or value is None:
            return value
        number = read_number(value)
        if number is None:
            raise OffTrack
        return number

    return finite


def slot_of(node: core.Node) -> int | None:
    """The slot of a name; None for anything else."""
    return node.slot if isinstance(node, core.Root | core.Local) else None


def _call(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    places = {place for place, _ in node.checks}
    if places <= {0} and all(isinstance(argument, core.Const) for argument in node.arguments[1:]):
        return _one_and_constants(node, arguments[0])
    if node.checks:
        return _with_rules(node, arguments)
    if len(arguments) == 2:
        return _two(node, arguments[0], arguments[1])
    return _many(node, arguments)


def _one_and_constants(node: core.Apply, argument: Closure) -> Closure:
    rest = [a.value for a in node.arguments[1:] if isinstance(a, core.Const)]
    if any(rest[place - 1] is None for place in node.lifted if place):
        return _missing_after(argument)
    function = _with_constants(node, rest)
    lifts = bool(node.lifted)
    if node.checks:
        rule = node.overload.rules[node.checks[0][1]]
        if rule.least is not None and not is_optional(node.arguments[0].type):
            return _from_least(function, argument, rule.least, slot_of(node.arguments[0]))
        return _ruled(function, argument, rule.test, lifts)
    if not lifts:
        slot = slot_of(node.arguments[0])
        if slot is None:
            return lambda frame: function(argument(frame))
        return lambda frame: function(frame[slot])

    def run(frame: Frame) -> Any:
        value = argument(frame)
        return None if value is None else function(value)

    return run


def _missing_after(argument: Closure) -> Closure:
    """A call that is always missing; its argument still runs, as it may have no value."""

    def run(frame: Frame) -> Any:
        argument(frame)
        return None

    return run


def _with_constants(node: core.Apply, rest: Sequence[Any]) -> Callable[[Any], Any]:
    """The function of the first argument alone."""
    function, special = node.overload.implementation, node.overload.special
    if special is not None:
        made = special(*rest)
        if made is not None:
            return made
    if not rest:
        return function
    if len(rest) == 1:
        second = rest[0]
        return lambda value: function(value, second)
    return lambda value: function(value, *rest)


def _from_least(
    function: Callable[[Any], Any], argument: Closure, least: float, slot: int | None
) -> Closure:
    """A call whose argument is there and has a least value, as a rank has."""

    def run(frame: Frame) -> Any:
        value = argument(frame)
        if value < least:
            raise OffTrack
        return function(value)

    def run_slot(frame: Frame) -> Any:
        value = frame[slot]  # type: ignore[index]
        if value < least:
            raise OffTrack
        return function(value)

    return run if slot is None else run_slot


def _ruled(
    function: Callable[[Any], Any],
    argument: Closure,
    test: Callable[[Any], bool],
    lifts: bool,
) -> Closure:
    """A call whose argument has a rule."""

    def run(frame: Frame) -> Any:
        value = argument(frame)
        if value is None:
            if lifts:
                return None
        elif not test(value):
            raise OffTrack
        return function(value)

    return run


def _two(node: core.Apply, first: Closure, second: Closure) -> Closure:
    function = node.overload.implementation
    if not node.lifted:
        a, b = slot_of(node.arguments[0]), slot_of(node.arguments[1])
        if a is None or b is None:
            return lambda frame: function(first(frame), second(frame))
        return lambda frame: function(frame[a], frame[b])
    lifts_first, lifts_second = 0 in node.lifted, 1 in node.lifted

    def run(frame: Frame) -> Any:
        a, b = first(frame), second(frame)
        if (a is None and lifts_first) or (b is None and lifts_second):
            return None
        return function(a, b)

    return run


def _many(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    function, lifted = node.overload.implementation, node.lifted

    def run(frame: Frame) -> Any:
        values = [argument(frame) for argument in arguments]
        for place in lifted:
            if values[place] is None:
                return None
        return function(*values)

    return run


def _with_rules(node: core.Apply, arguments: Sequence[Closure]) -> Closure:
    function, lifted = node.overload.implementation, node.lifted
    tests = [(place, node.overload.rules[name].test) for place, name in node.checks]

    def run(frame: Frame) -> Any:
        values = [argument(frame) for argument in arguments]
        for place in lifted:
            if values[place] is None:
                return None
        for place, test in tests:
            if values[place] is not None and not test(values[place]):
                raise OffTrack
        return function(*values)

    return run
