"""The static checker: syntax tree to typed tree, with every problem found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rftspec.expr import check_access, check_operators, core, syntax
from rftspec.expr.checker import MISSING_HINT, WRONG, Checker, type_hint
from rftspec.expr.errors import Problem
from rftspec.expr.findings import findings
from rftspec.expr.interval import Known
from rftspec.expr.signature import Function
from rftspec.expr.types import BOOL, NUMBER, Type, describe, is_optional

Result = Literal["number", "bool", "number_or_bool", "any"]
"""What an expression must give: a number for a reward, a bool for a gate."""

_WANTED: Mapping[Result, tuple[Type, ...]] = {
    "number": (NUMBER,),
    "bool": (BOOL,),
    "number_or_bool": (NUMBER, BOOL),
    "any": (),
}

_CHECKS: Mapping[type[syntax.Node], Any] = {
    syntax.Number: check_access.number,
    syntax.Text: check_access.text,
    syntax.Truth: check_access.truth,
    syntax.Name: check_access.name,
    syntax.Field: check_access.field,
    syntax.Index: check_access.index,
    syntax.ListLiteral: check_access.list_,
    syntax.Call: check_access.call,
    syntax.Unary: check_operators.unary,
    syntax.Chain: check_operators.chain,
    syntax.Binary: check_operators.binary,
    syntax.Let: check_operators.let,
    syntax.If: check_operators.if_,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A typed tree and what was learnt while it was made."""

    tree: core.Node
    problems: tuple[Problem, ...]
    slots: Mapping[str, int]
    """The names of the environment that are used, each with its slot in the frame."""
    local_slots: int
    """How many slots the `let`s need, after those of the names."""
    fields: frozenset[tuple[str, ...]]


def check(
    tree: syntax.Node,
    names: Mapping[str, Type],
    functions: Mapping[str, Function],
    result: Result,
    ranges: Known,
) -> Checked:
    """Check a tree against the types and ranges of its environment; never raises."""
    checker = Checker(names, functions, _CHECKS)
    typed = checker.check(tree)
    _check_result(checker, typed, result)
    if not any(problem.severity == "error" for problem in checker.problems):
        checker.problems.extend(findings(typed, ranges))
    return Checked(
        typed,
        tuple(checker.problems),
        checker.slots,
        checker.local_count,
        frozenset(checker.fields),
    )


def _check_result(checker: Checker, tree: core.Node, result: Result) -> None:
    wanted = _WANTED[result]
    if not wanted or tree.type == WRONG:
        return
    words = " or ".join(describe(type_) for type_ in wanted)
    if is_optional(tree.type):
        message = f"the result may be missing; {words} is needed"
        checker.problem("E323", tree, message, MISSING_HINT)
    elif tree.type not in wanted:
        message = f"the result is {describe(tree.type)}; {words} is needed"
        checker.problem("E324", tree, message, type_hint(wanted[0], tree.type))
