"""Expressions ready to run: text in, a checked and compiled Expression out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from rftspec.diagnostics import Diagnostic
from rftspec.expr import core
from rftspec.expr.check import Checked, Result, check
from rftspec.expr.closures import Closure, compile_tree
from rftspec.expr.errors import EvalError, ParseFailure, as_error
from rftspec.expr.evaluate import walk
from rftspec.expr.functions import FUNCTIONS
from rftspec.expr.interval import analyse
from rftspec.expr.origin import Origin, TextOrigin
from rftspec.expr.parse import parse
from rftspec.expr.signature import Function
from rftspec.expr.types import Type


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
    _read: Callable[[Mapping[str, Any]], Sequence[Any]]
    """Reads the names out of an environment, in the order of their slots."""
    _spare: tuple[None, ...]
    _run: Closure

    def evaluate(self, env: Mapping[str, Any]) -> Any:
        """The value for an environment: a float, bool, string or list; None where it is missing.

        Raises EvalError, with the place in the text, where there is no value.
        """
        try:
            frame = [*self._read(env), *self._spare]
        except KeyError as error:
            raise self._absent(str(error.args[0])) from None
        value = self._run(frame)
        # no negative zero leaves an expression
        return value + 0.0 if type(value) is float else value

    def evaluate_by_walking(self, env: Mapping[str, Any]) -> Any:
        """The same by the reference semantics, which is slower; tests hold the two together."""
        for name in self.names:
            if name not in env:
                raise self._absent(name)
        value = walk(self.tree, [*self._read(env), *self._spare])
        return value + 0.0 if type(value) is float else value

    def _absent(self, name: str) -> EvalError:
        message = f"`{name}` is missing"
        return EvalError("invalid_variable_error", "missing", message, 0, len(self.text))

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
) -> Expression:
    """Parse, check and compile an expression.

    `names` are the types of the environment's names, `functions` come on top of the language's
    own (`signature.extra_function` makes one). Raises DiagnosticError with every problem found,
    placed in the file by `origin` and said to belong to the spec's field `path`.
    """
    place = origin if origin is not None else TextOrigin(text)
    try:
        syntax_tree = parse(text)
    except ParseFailure as failure:
        raise as_error([failure.problem], place, path) from None
    table = {**FUNCTIONS, **functions} if functions else FUNCTIONS
    checked = check(syntax_tree, names, table, result)
    if any(problem.severity == "error" for problem in checked.problems):
        raise as_error(checked.problems, place, path)
    return _expression(text, checked, place, path)


def _expression(text: str, checked: Checked, origin: Origin, path: str | None) -> Expression:
    return Expression(
        text,
        checked.tree.type,
        frozenset(checked.slots),
        checked.fields,
        as_error(checked.problems, origin, path).diagnostics,
        checked.tree,
        origin,
        _reader(tuple(checked.slots)),
        (None,) * checked.local_slots,
        compile_tree(checked.tree),
    )


def _reader(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda env: [env[name] for name in names]


def bounds(
    expression: Expression, ranges: Mapping[str, tuple[float, float]] | None = None
) -> tuple[float, float]:
    """An interval that holds every value of a number expression; a bool counts as 0 or 1.

    `ranges` gives the ranges of names (`"rank"`) and of their fields (`"item.weight"`);
    what it lacks is (-inf, inf). Sound: a value may not reach an end, but never passes it.
    """
    found = analyse(expression.tree, ranges or {})
    return found.low + 0.0, found.high + 0.0
