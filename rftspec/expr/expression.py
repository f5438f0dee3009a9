"""Expressions ready to run: text in, a checked and compiled Expression out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rftspec.diagnostics import Diagnostic
from rftspec.expr import core
from rftspec.expr.check import Checked, Result, check
from rftspec.expr.errors import ParseFailure, as_error
from rftspec.expr.functions import FUNCTIONS
from rftspec.expr.interval import analyse
from rftspec.expr.origin import Origin, TextOrigin
from rftspec.expr.parse import parse
from rftspec.expr.running import Evaluator, make_evaluator, make_walker
from rftspec.expr.signature import Function
from rftspec.expr.types import Type

if TYPE_CHECKING:
    from rftspec.expr.trace import Trace


@dataclass(frozen=True, slots=True, repr=False)
class Expression:
    """An expression that was checked against the types of its environment."""

    text: str
    type: Type
    names: frozenset[str]
    """The names of the environment that it reads, such as `rank` or `item`."""
    fields: frozenset[tuple[str, ...]]
    """The same with the fields that it reads of them, such as `("item", "gene")`."""
    warnings: tuple[Diagnostic, ...]
    tree: core.Node
    origin: Origin
    evaluate: Evaluator
    """Gives the value for an environment: a float, bool, string or list; None where it is missing.

    Raises EvalError, with the place in the text, where there is no value.
    """
    evaluate_by_walking: Evaluator
    """The same by the reference semantics, which is slower; tests hold the two together."""
    _order: tuple[str, ...]
    """The names, in the order of their slots."""
    _local_slots: int

    def trace(self, env: Mapping[str, Any]) -> Trace:
        """What became of every part for an environment; `trace.render_trace` shows it as text.

        Raises nothing: where there is no value, the trace says where and why.
        """
        from rftspec.expr.trace import trace_tree

        values = [env.get(name) for name in self._order]
        return trace_tree(self.text, self.tree, [*values, *[None] * self._local_slots])

    def __repr__(self) -> str:
        return f"Expression({self.text!r}: {self.type})"


def compile_expression(
    text: str,
    names: Mapping[str, Type],
    *,
    result: Result = "number",
    origin: Origin | None = None,
    path: str | None = None,
    functions: Mapping[str, Function] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Expression:
    """Parse, check and compile an expression.

    `names` are the types of the environment's names, `functions` come on top of the language's
    own (`signature.extra_function` makes one), `ranges` are what is known of names and fields, as
    in `bounds`: they find comparisons that never change. Raises DiagnosticError with every problem
    found, placed in the file by `origin` and said to belong to the spec's field `path`.
    """
    place = origin if origin is not None else TextOrigin(text)
    try:
        syntax_tree = parse(text)
    except ParseFailure as failure:
        raise as_error([failure.problem], place, path) from None
    table = {**FUNCTIONS, **functions} if functions else FUNCTIONS
    checked = check(syntax_tree, names, table, result, ranges or {})
    if any(problem.severity == "error" for problem in checked.problems):
        raise as_error(checked.problems, place, path)
    return _expression(text, checked, names, place, path)


def _expression(
    text: str, checked: Checked, names: Mapping[str, Type], origin: Origin, path: str | None
) -> Expression:
    types = {name: names[name] for name in checked.slots}
    walker = make_walker(text, checked.tree, tuple(types), checked.local_slots)
    return Expression(
        text,
        checked.tree.type,
        frozenset(types),
        checked.fields,
        as_error(checked.problems, origin, path).diagnostics,
        checked.tree,
        origin,
        make_evaluator(checked.tree, types, checked.local_slots, walker),
        walker,
        tuple(types),
        checked.local_slots,
    )


def bounds(
    expression: Expression, ranges: Mapping[str, tuple[float, float]] | None = None
) -> tuple[float, float]:
    """An interval that holds every value of a number expression; a bool counts as 0 or 1.

    `ranges` gives the ranges of names (`"rank"`) and of their fields (`"item.weight"`);
    what it lacks is (-inf, inf). Sound: a value may not reach an end, but never passes it.
    """
    found = analyse(expression.tree, ranges or {})
    return found.low + 0.0, found.high + 0.0
