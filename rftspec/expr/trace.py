"""A trace: the value of every part of an expression for one sample, and which parts did not run.

The values are those of the reference semantics (`evaluate`), which is run once and watched.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rftspec.expr import core
from rftspec.expr.errors import EvalError
from rftspec.expr.evaluate import Frame, step
from rftspec.expr.types import Type

_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|#[^\n]*""")
"""A string literal, which is kept, or a comment."""

State = Literal["value", "missing", "error", "skipped"]
"""What became of a part; `skipped` parts were not needed, such as the branch not taken."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A part of an expression, `text[start:end]` of the whole, and what became of it."""

    start: int
    end: int
    text: str
    type: Type
    state: State
    value: Any = None
    error: str | None = None
    """Why there is no value; told by the part that has none and by all around it."""
    constant: bool = False
    """Known before anything ran."""
    path: bool = False
    """A field or an element of its first part."""
    parts: tuple[Trace, ...] = ()

    def walk(self) -> Iterator[Trace]:
        """Itself and all parts inside it, in the order of the text."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def to_json(self) -> dict[str, Any]:
        """The trace as plain JSON values."""
        told: dict[str, Any] = {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "type": str(self.type),
            "state": self.state,
        }
        if self.state == "value":
            told["value"] = _plain(self.value)
        if self.error is not None:
            told["error"] = self.error
        if self.parts:
            told["parts"] = [part.to_json() for part in self.parts]
        return told


def trace_tree(text: str, tree: core.Node, frame: Frame) -> Trace:
    """The trace of a typed tree for a frame. Never raises EvalError: it is part of the trace."""
    seen: dict[int, tuple[State, Any]] = {}

    def visit(node: core.Node, frame: Frame) -> Any:
        try:
            value = step(node, frame, visit)
        except EvalError as error:
            seen[id(node)] = ("error", error)
            raise
        seen[id(node)] = ("missing" if value is None else "value", value)
        return value

    with contextlib.suppress(EvalError):  # noted by the node that raised it
        visit(tree, frame)
    return _shown(text, tree, seen)


def _shown(text: str, node: core.Node, seen: dict[int, tuple[State, Any]]) -> Trace:
    below = [child for child in core.children(node) if not _is_unwritten(node, child)]
    if isinstance(node, core.Narrow):
        below = list(core.children(node.target))  # the same text as its target, which it narrows
    state, found = seen.get(id(node), ("skipped", None))
    return Trace(
        node.start,
        node.end,
        text[node.start : node.end],
        node.type,
        state,
        found + 0.0 if type(found) is float else None if state == "error" else found,
        found.message if state == "error" else None,
        isinstance(node, core.Const),
        isinstance(node, core.GetField | core.GetItem),
        tuple(_shown(text, child, seen) for child in sorted(below, key=lambda child: child.start)),
    )


def _is_unwritten(node: core.Node, child: core.Node) -> bool:
    """True for a parameter's default, which has the place of its call."""
    same_place = (child.start, child.end) == (node.start, node.end)
    return isinstance(node, core.Apply) and isinstance(child, core.Const) and same_place


def render_trace(trace: Trace, *, width: int = 100) -> list[str]:
    """The trace as lines of plain text: each part, indented by its depth, and its value.

    Left out is what tells nothing more: constants, parts of what was not evaluated, and records
    that a field was taken of.
    """
    rows = list(_rows(trace, 0))
    wanted = max((len(left) for left, _ in rows), default=0)
    column = min(wanted, max(24, width * 3 // 5))
    return [f"{_cut(left, column):<{column}}  {_cut(right, width)}" for left, right in rows]


def _rows(trace: Trace, depth: int) -> Iterator[tuple[str, str]]:
    text = _COMMENT.sub(lambda match: match[1] or "", trace.text)
    yield "  " * depth + " ".join(text.split()), _outcome(trace)
    if trace.state == "skipped":
        return
    for place, part in enumerate(trace.parts):
        is_record = trace.path and place == 0 and part.state == "value"
        if not part.constant and not is_record:
            yield from _rows(part, depth + 1)


def _outcome(trace: Trace) -> str:
    if trace.state == "value":
        return f"= {shown_value(trace.value)}"
    if trace.state == "error":
        return f"! {trace.error}"
    return {"missing": "  missing", "skipped": "  not evaluated"}[trace.state]


def shown_value(value: Any) -> str:
    """A value as it is written in the language, as far as it can be: `0.7`, `"FBN1"`, `[1, 2]`."""
    if isinstance(value, float):
        return f"{value:.6g}" if value % 1 else f"{value:.15g}"
    try:
        return json.dumps(_plain(value), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return f"a {type(value).__name__}"


def _plain(value: Any) -> Any:
    """A value without the point of whole numbers, and with nothing but JSON in it."""
    if isinstance(value, float) and value % 1 == 0 and abs(value) < 1e15:
        return int(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
