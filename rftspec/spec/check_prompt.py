"""`data.prompt`: templates that parse and that know the row, not the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rftspec.spec.document import Node
from rftspec.spec.draft import Draft
from rftspec.spec.origins import origin_of
from rftspec.spec.shape import dotted
from rftspec.template import TemplateError, parse_template


def check_prompt(draft: Draft) -> None:
    """Refuse a prompt with a malformed template, and drop it from the draft."""
    refused = False
    for path, node in _templates(draft):
        problem = _problem(str(node.value))
        if problem is not None:
            refused = True
            message, start, end = problem
            origin = origin_of(node)
            span = origin.locate(start, end)
            told = node.problem("E401", message, path=dotted(path))
            draft.collector.add(replace(told, span=span, snippet=origin.snippet(span.line)))
    if refused:
        del draft.values["data"]["prompt"]


def _problem(text: str) -> tuple[str, int, int] | None:
    try:
        template = parse_template(text)
    except TemplateError as error:
        return error.message, error.start, error.end
    for reference in template.references:
        if reference.path[0] == "sample":
            message = "a prompt is made before there is an answer: it knows `item` only"
            return message, reference.start, reference.end
    return None


def _templates(draft: Draft) -> Iterator[tuple[tuple[str, ...], Node]]:
    prompt, node = draft.get("data", "prompt"), draft.node("data", "prompt")
    if node is None or prompt is None:
        return
    if node.kind == "scalar":
        yield ("data", "prompt"), node
    elif node.kind == "sequence":
        for index, message in enumerate(node.value):
            content = message.value.get("content") if message.kind == "mapping" else None
            if content is not None and isinstance(content.value, str):
                yield ("data", "prompt", str(index), "content"), content
