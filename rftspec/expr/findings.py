"""What surely was not meant: comparisons that never change, branches that never run.

A walk over the typed tree of an expression that is otherwise right, with the interval analysis.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rftspec.expr import core
from rftspec.expr.errors import Problem
from rftspec.expr.interval import Known, Locals, analyse
from rftspec.expr.ranges import Range
from rftspec.expr.types import NUMBER

_PLACES = ("start", "end", "inner")


def findings(tree: core.Node, known: Known) -> Iterator[Problem]:
    """Problems of a typed tree; `known` gives ranges of names, as for `interval.analyse`."""
    yield from _walk(tree, known, {})


def _walk(node: core.Node, known: Known, local: Locals) -> Iterator[Problem]:
    if isinstance(node, core.Let):
        yield from _walk(node.value, known, local)
        inner = {**local, node.slot: analyse(node.value, known, local)}
        yield from _walk(node.body, known, inner)
        return
    if isinstance(node, core.Compare):
        yield from _comparison(node, known, local)
    elif isinstance(node, core.Logic):
        yield from _logic(node)
    elif isinstance(node, core.If):
        yield from _repeated(node)
    elif isinstance(node, core.Arithmetic):
        yield from _zero(node, known, local)
    for child in core.children(node):
        yield from _walk(child, known, local)


def _comparison(node: core.Compare, known: Known, local: Locals) -> Iterator[Problem]:
    if _same(node.left, node.right):
        word = "true" if node.operator in ("==", "<=", ">=") else "false"
        yield _never_changes(node, f"both sides are the same: it is always {word}")
        return
    if node.left.type != NUMBER or node.right.type != NUMBER:
        return
    left, right = analyse(node.left, known, local), analyse(node.right, known, local)
    verdict = _verdict(node.operator, left, right)
    if verdict is None:
        return
    word = "true" if verdict else "false"
    why = f"its left side is {_between(left)}"
    if not isinstance(node.right, core.Const):
        why += f", its right side {_between(right)}"
    yield _never_changes(node, f"this comparison is always {word}: {why}")


def _never_changes(node: core.Node, message: str) -> Problem:
    return Problem("E342", message, node.start, node.end, None, "warning")


def _verdict(operator: str, left: Range, right: Range) -> bool | None:
    """What a comparison always is, None where it depends."""
    if operator in ("==", "!="):
        apart = left.high < right.low or left.low > right.high
        one = left.low == left.high == right.low == right.high
        return (operator == "!=") is apart if apart or one else None
    if operator in (">", ">="):
        left, right = right, left
    if operator in ("<", ">"):
        return True if left.high < right.low else False if left.low >= right.high else None
    return True if left.high <= right.low else False if left.low > right.high else None


def _between(found: Range) -> str:
    low, high = f"{found.low:g}", f"{found.high:g}"
    if low == high:
        return low
    if low == "-inf":
        return f"{high} at most"
    return f"{low} at least" if high == "inf" else f"between {low} and {high}"


def _logic(node: core.Logic) -> Iterator[Problem]:
    for item in node.items:
        if isinstance(item, core.Const):
            word = "true" if item.value else "false"
            decides = item.value is (node.operator == "or")
            what = f"all of it is {word} here" if decides else "it changes nothing here"
            yield _never_changes(item, f"this side is always {word}: {what}")


def _repeated(node: core.If) -> Iterator[Problem]:
    """A condition of `else if` that was already tested, so that its branch never runs."""
    later = node.no
    while isinstance(later, core.If):
        if _same(node.condition, later.condition):
            message = "this condition was tested above and did not hold: its branch never runs"
            yield _never_changes(later.condition, message)
        later = later.no


def _zero(node: core.Arithmetic, known: Known, local: Locals) -> Iterator[Problem]:
    for operator, start, end, operand in node.links:
        if operator in ("/", "%"):
            found = analyse(operand, known, local)
            if found.low == found.high == 0:
                hint = "where it may be 0: `safe_div(a, b, default=0)`"
                yield Problem("E331", f"`{operator}` by 0", start, end, hint)


def _same(a: Any, b: Any) -> bool:
    """True when two pieces always have the same value, wherever they stand."""
    if isinstance(a, core.Node):
        if type(a) is not type(b):
            return False
        if isinstance(a, core.Arithmetic) and isinstance(b, core.Arithmetic):
            signs = [link[0] for link in a.links] == [link[0] for link in b.links]
            return signs and _same(tuple(core.children(a)), tuple(core.children(b)))
        fields = (name for name in a.field_names if name not in _PLACES)
        return all(_same(a.__dict__[name], b.__dict__[name]) for name in fields)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a is b or a == b)
