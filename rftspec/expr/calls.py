"""Calls: arguments find their parameters, types find the overload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rftspec.expr import core, syntax
from rftspec.expr.checker import MISSING_HINT, type_hint
from rftspec.expr.errors import Problem
from rftspec.expr.patterns import PatternError, compile_pattern
from rftspec.expr.signature import ANY, PATTERN, SCALAR, Function, Overload, Parameter
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
    OptionalType,
    Type,
    describe,
    is_optional,
    join,
    strip_optional,
)

Given = tuple[syntax.Argument, core.Node]
Bindings = dict[Type, Type]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An overload that does not fit; the further `progress`, the nearer it was meant."""

    problem: Problem
    progress: int


def resolve(
    node: syntax.Call, function: Function, arguments: Sequence[Given]
) -> core.Apply | Refusal:
    """The first overload that fits, else the refusal of the one that came nearest."""
    tried = [_try(node, overload, arguments) for overload in function.overloads]
    fitting = [made for made in tried if isinstance(made, core.Apply)]
    if len(fitting) > 1:
        return _one_meaning(fitting)
    if fitting:
        return fitting[0]
    refusals = (made for made in tried if isinstance(made, Refusal))
    return max(refusals, key=lambda refusal: refusal.progress)


def _one_meaning(fitting: Sequence[core.Apply]) -> core.Apply | Refusal:
    """The first of several overloads, unless a json value would mean another thing in each."""
    for several in zip(*(made.arguments for made in fitting), strict=False):
        narrowed = [value for value in several if isinstance(value, core.Narrow)]
        types = {strip_optional(value.type).name for value in narrowed}
        if len(types) > 1:
            value, name = narrowed[0].target, fitting[0].overload.name
            words = " or ".join(describe(strip_optional(v.type)) for v in narrowed)
            message = f"{name} takes {words}, and this json value could be either"
            hint = 'say which: `… ?? []` or `… ?? ""`'
            return Refusal(Problem("E321", message, value.start, value.end, hint), 0)
    return fitting[0]


def _try(node: syntax.Call, overload: Overload, arguments: Sequence[Given]) -> core.Apply | Refusal:
    placed = _place(node, overload, arguments)
    if isinstance(placed, Refusal):
        return placed
    bindings: Bindings = {}
    # json values take the types that the others have settled, so they come last
    order = sorted(range(len(placed)), key=lambda i: _is_loose(placed[i][1].type))
    for progress, i in enumerate(order):
        parameter, value = placed[i]
        message = _fit(parameter, value, overload, bindings)
        if message is not None:
            return Refusal(message, progress + 1)
    return _apply(node, overload, placed, bindings)


def _is_loose(type_: Type) -> bool:
    inner = strip_optional(type_)
    return inner == JSON or (isinstance(inner, ListType) and _is_loose(inner.element))


def _place(
    node: syntax.Call, overload: Overload, arguments: Sequence[Given]
) -> list[tuple[Parameter, core.Node]] | Refusal:
    """Every parameter with its argument or default, variadic ones repeated."""
    by_name: dict[str, core.Node] = {}
    positional: list[core.Node] = []
    names = [p.name for p in overload.parameters]
    for argument, value in arguments:
        if argument.name is None:
            if by_name:
                return _refuse(argument, "an argument by place stands before those by name")
            positional.append(value)
        elif argument.name not in names:
            hint = did_you_mean(argument.name, names, "arguments")
            return _refuse(argument, f"{overload.name} has no argument `{argument.name}`", hint)
        elif argument.name in by_name or names.index(argument.name) < len(positional):
            return _refuse(argument, f"`{argument.name}` is given twice")
        else:
            by_name[argument.name] = value
    return _fill(node, overload, positional, by_name)


def _refuse(node: syntax.Node, message: str, hint: str | None = None) -> Refusal:
    return Refusal(Problem("E322", message, node.start, node.end, hint), 0)


def _fill(
    node: syntax.Call,
    overload: Overload,
    positional: list[core.Node],
    by_name: dict[str, core.Node],
) -> list[tuple[Parameter, core.Node]] | Refusal:
    placed: list[tuple[Parameter, core.Node]] = []
    rest = list(positional)
    for parameter in overload.parameters:
        if parameter.variadic:
            values = [by_name[parameter.name]] if parameter.name in by_name else rest
            placed.extend((parameter, value) for value in values)
            rest = []
        elif rest:
            placed.append((parameter, rest.pop(0)))
        elif parameter.name in by_name:
            placed.append((parameter, by_name[parameter.name]))
        elif parameter.required:
            message = f"{overload.name} needs `{parameter.name}`"
            return _refuse(node, message, f"`{overload.signature}`")
        else:
            type_ = strip_optional(parameter.type)
            type_ = OptionalOf(type_) if parameter.default is None else type_
            default = core.Const(type_, node.start, node.end, parameter.default)
            placed.append((parameter, default))
    if rest:
        most = len(overload.parameters)
        message = f"{overload.name} takes {most} argument{'s' if most > 1 else ''} at most"
        extra = Problem("E322", message, rest[0].start, rest[0].end, f"`{overload.signature}`")
        return Refusal(extra, 0)
    return placed


def _fit(
    parameter: Parameter, value: core.Node, overload: Overload, bindings: Bindings
) -> Problem | None:
    """Bind the parameter's type variables to the argument's type; a problem if it does not fit."""
    wanted, found = parameter.type, value.type
    if wanted == PATTERN:
        return None if isinstance(value, core.Literal) else _no_literal(parameter, value, overload)
    accepts_missing = isinstance(wanted, OptionalType)
    if is_optional(found) and not accepts_missing and not overload.lifting:
        message = f"`{parameter.name}` of {overload.name} may be missing here"
        return Problem("E323", message, value.start, value.end, MISSING_HINT)
    inner, found = strip_optional(wanted), strip_optional(found)
    if _match(inner, found, bindings):
        return None
    may_narrow = overload.lifting or accepts_missing
    if may_narrow and _is_loose(found) and _can_narrow(inner, found):
        return None
    shown = _shown(inner, bindings)
    message = f"`{parameter.name}` of {overload.name} is {shown}; this is {describe(found)}"
    hint = type_hint(inner, found) or f"`{overload.signature}`"
    return Problem("E321", message, value.start, value.end, hint)


def _no_literal(parameter: Parameter, value: core.Node, overload: Overload) -> Problem:
    message = f"`{parameter.name}` of {overload.name} is a literal text, compiled beforehand"
    hint = f'write it here: `r"…"`; the call is `{overload.signature}`'
    return Problem("E321", message, value.start, value.end, hint)


def _match(wanted: Type, found: Type, bindings: Bindings) -> bool:
    if wanted in (ANY, SCALAR):
        if wanted == SCALAR and found not in (NUMBER, STRING, BOOL, NEVER):
            return False
        joined = join(bindings.get(wanted, NEVER), found)
        if joined is None:
            return False
        bindings[wanted] = joined
        return True
    if isinstance(wanted, ListType):
        return isinstance(found, ListType) and _match(wanted.element, found.element, bindings)
    return found in (wanted, NEVER) or wanted == JSON


def _can_narrow(wanted: Type, found: Type) -> bool:
    if found == JSON:
        return True
    return (
        isinstance(wanted, ListType)
        and isinstance(found, ListType)
        and _can_narrow(wanted.element, found.element)
    )


def _shown(type_: Type, bindings: Bindings) -> str:
    if type_ == SCALAR and SCALAR not in bindings:
        return "a number, string or bool"
    if isinstance(type_, ListType) and type_.element == SCALAR and SCALAR not in bindings:
        return "a list of numbers, strings or bools"
    if isinstance(type_, ListType) and type_.element == ANY:
        return "a list"
    return describe(_settle(type_, bindings))


def _settle(type_: Type, bindings: Bindings) -> Type:
    """The type with its variables replaced; what nothing settled is json, or string if scalar."""
    if isinstance(type_, OptionalType):
        return OptionalOf(_settle(type_.inner, bindings))
    if isinstance(type_, ListType):
        return ListOf(_settle(type_.element, bindings))
    if type_ in (ANY, SCALAR):
        return bindings.get(type_, JSON if type_ == ANY else STRING)
    return type_


def _apply(
    node: syntax.Call,
    overload: Overload,
    placed: Sequence[tuple[Parameter, core.Node]],
    bindings: Bindings,
) -> core.Apply | Refusal:
    values: list[core.Node] = []
    lifted: list[int] = []
    checks: list[tuple[int, str]] = []
    for place, (parameter, value) in enumerate(placed):
        if parameter.type == PATTERN:
            pattern = _pattern(value)
            if isinstance(pattern, Refusal):
                return pattern
            values.append(pattern)
            continue
        if parameter.name == "group" and isinstance(value, core.Const):
            refusal = _no_group(values, value)
            if refusal is not None:
                return refusal
        value = _narrowed(_settle(parameter.type, bindings), value)
        values.append(value)
        if is_optional(value.type) and not isinstance(parameter.type, OptionalType):
            lifted.append(place)
        if parameter.name in overload.rules:
            if not isinstance(value, core.Const):
                checks.append((place, parameter.name))
            elif not _obeys(overload, parameter, value):
                rule = overload.rules[parameter.name]
                message = f"`{parameter.name}` of {overload.name} must be {rule.words}"
                problem = Problem("E331", message, value.start, value.end)
                return Refusal(problem, len(placed) + 1)
    result = _settle(overload.result, bindings)
    result = OptionalOf(result) if lifted else result
    return core.Apply(
        result, node.start, node.end, overload, tuple(values), tuple(lifted), tuple(checks)
    )


def _pattern(value: core.Node) -> core.Const | Refusal:
    """A literal as the regular expression that it is; a bad part of it is pointed at."""
    assert isinstance(value, core.Literal)
    try:
        return core.Const(PATTERN, value.start, value.end, compile_pattern(value.value))
    except PatternError as error:
        start, end = value.start, value.end
        at = value.value.find(error.part) if error.part and value.inner >= 0 else -1
        if at >= 0:
            start, end = value.inner + at, value.inner + at + len(error.part)
        return Refusal(Problem("E332", error.message, start, end, error.hint), 99)


def _no_group(values: Sequence[core.Node], group: core.Const) -> Refusal | None:
    """A group that is known, of a pattern that has fewer."""
    pattern = next(
        (v.value for v in values if v.type == PATTERN and isinstance(v, core.Const)), None
    )
    if pattern is None or not isinstance(group.value, float) or group.value <= pattern.groups:
        return None
    message = f"the pattern has no group {group.value:g}; it has {pattern.groups}"
    hint = "groups are counted from 1 by their opening brackets; 0 is the whole match"
    return Refusal(Problem("E331", message, group.start, group.end, hint), 99)


def _obeys(overload: Overload, parameter: Parameter, value: core.Const) -> bool:
    return value.value is None or overload.rules[parameter.name].test(value.value)


def _narrowed(wanted: Type, value: core.Node) -> core.Node:
    inner, found = strip_optional(wanted), strip_optional(value.type)
    if not _is_loose(found) or _match(inner, found, {}):
        return value
    return core.Narrow(OptionalOf(inner), value.start, value.end, value)
