"""The typed tree: what the checker makes of the syntax tree and both evaluators walk.

Names have become slots of a frame, calls have found their overload, arguments stand in the order
of the parameters, and every place where a json value takes a type is a Narrow node.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rftspec.expr.signature import Overload
from rftspec.expr.tree import Record
from rftspec.expr.types import Type


class Node(Record):
    """A typed piece; `start` and `end` are the offsets that an error of this piece points at."""

    type: Type
    start: int
    end: int


class Const(Node):
    """A value known before anything runs."""

    value: Any


class Literal(Const):
    """A string that stands in the text as such; `inner` is as in `syntax.Text`."""

    inner: int


class Root(Node):
    """A name of the environment, which stands in a slot of the frame."""

    name: str
    slot: int


class Local(Node):
    """A name bound by a `let`."""

    name: str
    slot: int


class GetField(Node):
    """A field of an object; missing when the object or the field is."""

    target: Node
    name: str


class GetItem(Node):
    """An element by its place from 0; missing outside the list."""

    target: Node
    index: Node


class MakeList(Node):
    """A list of values."""

    items: tuple[Node, ...]


class Narrow(Node):
    """A json value as a value of `type`'s inner type; missing when it is of another."""

    target: Node


class Apply(Node):
    """A call; where `lifted` is set, it is missing when one of those arguments is missing."""

    overload: Overload
    arguments: tuple[Node, ...]
    lifted: tuple[int, ...]
    checks: tuple[tuple[int, str], ...]
    """Arguments (by place) whose rule (by parameter) is to be tested at each evaluation."""


class Arithmetic(Node):
    """Numbers joined by `+ - * / % ^`, left to right; each operator has its own offsets."""

    first: Node
    links: tuple[tuple[str, int, int, Node], ...]


class Negative(Node):
    """`-operand`."""

    operand: Node


class Not(Node):
    """`not operand`."""

    operand: Node


class Logic(Node):
    """`and` or `or`, from left to right, stopping at the first operand that decides."""

    operator: str
    items: tuple[Node, ...]


class Compare(Node):
    """A comparison of two values of one type."""

    operator: str
    left: Node
    right: Node


class Default(Node):
    """The first of the items that is not missing; `??`."""

    items: tuple[Node, ...]


class Let(Node):
    """A value kept in a slot while the body runs."""

    name: str
    slot: int
    value: Node
    body: Node


class If(Node):
    """One of two branches; the other one does not run."""

    condition: Node
    yes: Node
    no: Node


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node."""
    if isinstance(node, Arithmetic):
        yield node.first
        yield from (operand for *_, operand in node.links)
        return
    for value in node.__dict__.values():
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))
