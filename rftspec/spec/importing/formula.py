"""Formulas over graders: names, repairs, and what an exception that scores 0 would have paid."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import RESERVED_WORDS, Expression, bounds, compile_expression, function_names
from rftspec.expr.types import NUMBER

Interval = tuple[float, float]
HOSTED_FUNCTIONS = frozenset(("min", "max", "abs", "floor", "ceil", "exp", "sqrt", "log"))
_TAKEN = frozenset(("item", "sample", "reward"))
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_LONGEST = 60


def variable(text: str, taken: Sequence[str] = (), *, fallback: str = "grader") -> str:
    """A grader's name made of a label; as it is where it can be a variable and is free."""
    name = text
    if not _NAME.match(name):
        name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()[:_LONGEST] or fallback
        name = name if name[0].isalpha() else f"{fallback}_{name}"
    if name in RESERVED_WORDS or name in _TAKEN or name in function_names():
        name = f"{name}_score"
    wanted, count = name, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name


def renamed(formula: str, names: Mapping[str, str]) -> str:
    """The formula with other names for its variables; functions and numbers stay."""
    for old in sorted((n for n in names if not _NAME.match(n)), key=len, reverse=True):
        formula = formula.replace(old, names[old])

    def put(found: re.Match[str]) -> str:
        name = found.group("name")
        called = re.match(r"\s*\(", formula[found.end() :]) is not None
        if name is None or (called and name in HOSTED_FUNCTIONS):
            return found.group()
        return names.get(name, name)

    return _TOKEN.sub(put, formula)


def repaired(formula: str) -> tuple[str, str | None]:
    """The formula without what can safely be put right, and what that was."""
    if "**" in formula:
        return formula.replace("**", "^"), "`**` is Python's power; here and there it is `^`"
    return formula, None


def unbalanced(formula: str) -> str | None:
    """Which parenthesis lacks its partner; None when all have one."""
    depth = 0
    for sign in formula:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return "a `)` without its `(`"
    return f"{depth} `(` without `)`" if depth else None


def compiled(formula: str, names: Sequence[str]) -> Expression:
    """The formula over grader names. Raises DiagnosticError."""
    return compile_expression(formula, dict.fromkeys(names, NUMBER))


def problems_of(formula: str, names: Sequence[str]) -> list[tuple[str, str | None]]:
    """What keeps a formula from being one, each with its hint; nothing when it is fine."""
    lacking = unbalanced(formula)
    if lacking is not None:
        hint = "only you know where it belongs: put it right in `reward`"
        return [(f"the formula has {lacking}", hint)]
    try:
        compiled(formula, names)
    except DiagnosticError as error:
        return [(one.message, one.hint) for one in error.diagnostics]
    return []


def range_of(formula: str, ranges: Mapping[str, Interval]) -> Interval:
    """The lowest and highest value of the formula over the graders' ranges."""
    return bounds(compiled(formula, list(ranges)), ranges)


def paid_exceptions(formula: str, ranges: Mapping[str, Interval]) -> dict[str, tuple[float, float]]:
    """Graders whose failure, counted as 0, would pay more than the worst answer earns.

    By name: the reward's floor, and the least reward with that grader at 0.
    """
    expression = compiled(formula, list(ranges))
    floor = bounds(expression, ranges)[0]
    found = {}
    for name in ranges:
        if name in expression.names:
            least = bounds(expression, {**ranges, name: (0.0, 0.0)})[0]
            if math.isfinite(least) and least > floor:
                found[name] = (floor, least)
    return found
