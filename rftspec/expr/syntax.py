"""The syntax tree of the scoring language: what was written, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rftspec.expr.tree import Record


class Node(Record):
    """A piece of an expression; it was written at `text[start:end]`."""

    start: int
    end: int


class Number(Node):
    """A number literal."""

    value: float


class Text(Node):
    """A string literal, its escapes resolved."""

    value: str
    inner: int
    """The offset of its first character, -1 where escapes make offsets differ from the text's."""


class Truth(Node):
    """`true` or `false`."""

    value: bool


class Name(Node):
    """A name: of the environment, or bound by a `let`."""

    name: str


class Field(Node):
    """`target.name`; `dot` is the offset of the point, `name_start` that of the name."""

    target: Node
    name: str
    dot: int
    name_start: int


class Index(Node):
    """`target[index]`."""

    target: Node
    index: Node


class Argument(Node):
    """An argument of a call, given by place (`name` is None) or by name."""

    name: str | None
    value: Node


class Call(Node):
    """`function(arguments)`."""

    function: str
    arguments: tuple[Argument, ...]


class ListLiteral(Node):
    """`[items]`."""

    items: tuple[Node, ...]


class Unary(Node):
    """`-operand` or `not operand`."""

    operator: str
    operand: Node


class Link(Node):
    """One operator of a chain and what follows it; start and end are the operator's."""

    operator: str
    operand: Node


class Chain(Node):
    """Operands joined by operators of one level, left to right: `+ -`, `* / %`, `and`, `or`, `??`.

    A chain is flat, so that a long sum is not a deep tree.
    """

    first: Node
    links: tuple[Link, ...]


class Binary(Node):
    """A comparison or a power; `at` and `at_end` are the operator's offsets."""

    operator: str
    left: Node
    right: Node
    at: int
    at_end: int


class Let(Node):
    """`let name = value in body`."""

    name: str
    name_start: int
    value: Node
    body: Node


class If(Node):
    """`if condition then yes else no`."""

    condition: Node
    yes: Node
    no: Node


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in the order of the text."""
    for value in node.__dict__.values():
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from value


def deeper_than(root: Node, limit: int) -> Node | None:
    """The first node that lies more than `limit` levels below, None when there is none.

    Arguments and links are part of their call or chain and are no level of their own.
    """
    stack = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > limit:
            return node
        step = 0 if isinstance(node, Argument | Link) else 1
        stack.extend((child, depth + step) for child in reversed(list(children(node))))
    return None


_PLACES = ("start", "end", "dot", "name_start", "at", "at_end", "inner")


def same(a: Any, b: Any) -> bool:
    """True when two pieces say the same, wherever they stand and however they are laid out."""
    if isinstance(a, Record):
        if type(a) is not type(b):
            return False
        return all(same(a.__dict__[n], b.__dict__[n]) for n in a.field_names if n not in _PLACES)
    if isinstance(a, tuple):
        alike = isinstance(b, tuple) and len(a) == len(b)
        return alike and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)
