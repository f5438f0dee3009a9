"""What a Python grader can return, as far as its source says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Interval = tuple[float, float]
_UNKNOWN = "the hosted product has no range; a value outside is an error here: widen it if need be"
_READ = "read from the constants that `grade` returns; a value outside is an error"
_FROM_THRESHOLD = "as far as its `pass_threshold`; a value outside is an error: widen it if need be"


def range_of_source(source: str, threshold: float | None = None) -> tuple[Interval, str]:
    """The range to declare for a Python grader, and the comment that says where it is from."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (0.0, 1.0), _UNKNOWN
    returned = [value for value in _returned(tree) if value is not None]
    low, high = min([0.0, *returned]), max([1.0, *returned])
    if (low, high) != (0.0, 1.0):
        return (low, high), _READ
    if threshold is not None and threshold > 1:
        return (0.0, threshold), _FROM_THRESHOLD
    return (0.0, 1.0), _UNKNOWN


def _returned(tree: ast.Module) -> Iterator[float | None]:
    """The constants that functions return, also in the branches of a conditional."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from _constants(node.value)


def _constants(node: ast.expr) -> Iterator[float | None]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
        return
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        yield float(value)
