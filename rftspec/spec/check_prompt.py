"""`data.prompt` and `data.gold`: templates that parse and that know the row, not the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rftspec.spec.document import Node, walk
from rftspec.spec.draft import Draft
from rftspec.spec.origins import origin_of
from rftspec.spec.shape import dotted
from rftspec.template import TemplateError, parse_template


def check_prompt(draft: Draft) -> None:
    """Refuse a prompt or a gold answer with a malformed template, and drop it from the draft."""
    for field in ("prompt", "gold"):
        refused = False
        for path, node in _templates(draft, field):
            problem = _problem(str(node.value))
            if problem is not None:
                refused = True
                message, start, end = problem
                origin = origin_of(node)
                span = origin.locate(start, end)
                told = node.problem("E401", message, path=dotted(path))
                draft.collector.add(replace(told, span=span, snippet=origin.snippet(span.line)))
        if refused:
            del draft.values["data"][field]


def _problem(text: str) -> tuple[str, int, int] | None:
    try:
        template = parse_template(text)
    except TemplateError as error:
        return error.message, error.start, error.end
    for reference in template.references:
        if reference.path[0] == "sample":
            message = "this is made of the row alone: it knows `item` only"
            return message, reference.start, reference.end
    return None


def _templates(draft: Draft, field: str) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every text of the field, wherever it stands in it."""
    node = draft.node("data", field)
    if node is not None and draft.get("data", field) is not None:
        for path, inner in walk(node, ("data", field)):
            if inner.kind == "scalar" and isinstance(inner.value, str):
                yield path, inner
