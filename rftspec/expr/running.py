"""Evaluators: from an environment to a value, by closures or by the reference semantics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from rftspec.expr import core
from rftspec.expr.closures import compile_tree
from rftspec.expr.errors import EvalError
from rftspec.expr.evaluate import walk
from rftspec.expr.narrow import LARGEST, as_declared, plain_kind
from rftspec.expr.types import NUMBER, Type

Env = Mapping[str, Any]
Evaluator = Callable[[Env], Any]
"""Gives a float, bool, string, list or record, None where it is missing. Raises EvalError."""


def make_walker(text: str, tree: core.Node, names: Sequence[str], local_slots: int) -> Evaluator:
    """The evaluator of the reference semantics; `names` stand in the order of their slots."""
    read, spare = _reader(names), (None,) * local_slots

    def evaluate_by_walking(env: Env) -> Any:
        for name in names:
            if name not in env:
                message = f"`{name}` is missing"
                raise EvalError("invalid_variable_error", "missing", message, 0, len(text))
        try:
            value = walk(tree, [*read(env), *spare])
        except RecursionError:
            message = "a value is nested too deep to be compared"
            raise EvalError("invalid_variable_error", "type", message, 0, len(text)) from None
        return value + 0.0 if type(value) is float else value

    return evaluate_by_walking


def make_evaluator(
    tree: core.Node, types: Mapping[str, Type], local_slots: int, walker: Evaluator
) -> Evaluator:
    """The evaluator that runs closures; `types` are those of the names, in their slots' order.

    Whatever is not as it should be goes to the reference semantics, by `walker`.
    """
    run, read, spare = compile_tree(tree), _reader(tuple(types)), (None,) * local_slots
    numbers = [slot for slot, type_ in enumerate(types.values()) if type_ == NUMBER]
    others = [(s, plain_kind(t), t) for s, t in enumerate(types.values()) if t != NUMBER]

    def evaluate(env: Env) -> Any:
        try:
            frame = [*read(env), *spare]
            for slot in numbers:
                value = frame[slot]
                if type(value) is not float or not -LARGEST <= value <= LARGEST:
                    frame[slot] = as_declared(value, NUMBER)
            for slot, kind, type_ in others:
                value = frame[slot]
                if type(value) is not kind:
                    frame[slot] = as_declared(value, type_)
            value = run(frame)
        except Exception:
            return walker(env)
        if type(value) is not float:
            return value
        # no negative zero leaves an expression
        return value + 0.0 if -LARGEST <= value <= LARGEST else walker(env)

    return evaluate


def _reader(names: Sequence[str]) -> Callable[[Env], Sequence[Any]]:
    """Reads the names out of an environment, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda env: [env[name] for name in names]
