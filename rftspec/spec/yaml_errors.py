"""PyYAML's errors as ours: the place where the mistake was made, and the hint that helps most."""

from __future__ import annotations

import re
from typing import Any

import yaml

from rftspec.diagnostics import Diagnostic, Span
from rftspec.spec.document import Source

BLOCK_HINT = (
    "if this is an expression, put it on its own line under `|`, so that YAML leaves it alone"
)
_OPENED = ("quoted scalar", "flow sequence", "flow mapping", "simple key")
_HINTS = (
    ("escape", "inside double quotes a backslash starts an escape; use single quotes, or `|`"),
    ("unexpected end", "a quote or a bracket is still open"),
    ("end of stream", "a quote or a bracket is still open"),
    ("expected ','", "a comma or the closing bracket is missing"),
    ("expected ':'", "a colon and a space are missing after the key"),
    ("incompatible YAML", "leave the line out: a spec is YAML 1.2"),
    ("directive", "leave the line out: a spec has no directives"),
    ("document start", "a spec is one mapping of `key: value` lines, and nothing comes after it"),
    ("expected key", "indent it as its neighbours are, and look for a quote that ends too early"),
)
"""What PyYAML's words mean for the person who wrote the line."""


def syntax_error(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The diagnostic of an error that PyYAML has raised."""
    mark = _place_of(error)
    line, column = position(mark) if mark is not None else (1, 1)
    text = source.line(line)
    span = Span(source.file, line, column, line, column + 1)
    problem = (error.problem or "this is not YAML").strip()
    indent = text[: len(text) - len(text.lstrip())]
    if "\t" in indent or text[column - 1 : column] == "\t":
        span = Span(source.file, line, 1 + text.index("\t"), line, 2 + text.index("\t"))
        message = "a tab cannot indent YAML"
        return Diagnostic("E004", message, span, "use spaces", snippet=text)
    anchor = re.match(r"\s*-?\s*([&*])\S", text)
    if anchor:
        # A list entry with an anchor where a mapping goes on: the anchor is the better message.
        at = anchor.start(1) + 1
        message = "an anchor or an alias is not allowed in a spec"
        span = Span(source.file, line, at, line, at + 1)
        return Diagnostic("E008", message, span, "write the value out", snippet=text)
    message = f"this is not YAML: {problem}"
    if error.context:
        message += f" ({error.context.strip()})"
    return Diagnostic("E005", message, span, _hint_for(problem, text, column), snippet=text)


def position(mark: Any) -> tuple[int, int]:
    """Line and column of a PyYAML mark, from 1."""
    return mark.line + 1, mark.column + 1


def _place_of(error: yaml.MarkedYAMLError) -> Any:
    """Where the mistake is: what was opened and never closed stands above where that is noticed."""
    noticed, opened = error.problem_mark, error.context_mark
    if noticed is None or opened is None:
        return noticed or opened
    is_later = noticed.line > opened.line
    context = error.context or ""
    return opened if is_later and any(what in context for what in _OPENED) else noticed


def _hint_for(problem: str, line: str, column: int) -> str:
    for words, hint in _HINTS:
        if words in problem:
            return hint
    if line[column - 1 : column] == "%":
        return "a line that begins with % is a directive to YAML: quote the value"
    return f"quote the value; {BLOCK_HINT}"
