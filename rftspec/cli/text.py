"""Diagnostics for people and for machines: text with a caret, JSON, GitHub annotations.

One struct, three renderings: `diagnostics.Diagnostic` holds the facts, nothing is added here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from rftspec.cli.visible import visible, width
from rftspec.diagnostics import Diagnostic, Span

Format = Literal["text", "json", "github"]
SNIPPET_COLUMNS = 110
_COLORS = {"error": "31;1", "warning": "33;1", "note": "36;1"}


def paint(text: str, style: str, *, color: bool) -> str:
    """The text in an ANSI style such as `31;1`, or as it is where colour is off."""
    return f"\x1b[{style}m{text}\x1b[0m" if color and text else text


def render_text(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """One diagnostic as rustc would lay it out: code, place, snippet, caret, help."""
    tone = _COLORS[diagnostic.severity]
    head = paint(f"{diagnostic.severity}[{diagnostic.code}]", tone, color=color)
    message = visible(diagnostic.message, keep_newlines=True)
    lines = [f"{head}: {paint(message, '1', color=color)}"]
    span = diagnostic.span
    gutter = len(str(span.line)) if span else 1
    if span is not None:
        lines += _place(diagnostic, span, gutter, color=color)
    elif diagnostic.path:
        lines.append(f"  in `{visible(diagnostic.path)}`")
    if diagnostic.hint:
        indent = " " * gutter
        equals = paint(f"{indent} =", "34;1", color=color)
        hint = visible(diagnostic.hint, keep_newlines=True).replace("\n", f"\n{indent}   ")
        lines.append(f"{equals} help: {hint}")
    return "\n".join(lines)


def render_all(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """All diagnostics, one empty line between them."""
    return "\n\n".join(render_text(one, color=color) for one in diagnostics)


def count_line(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`: the closing sentence's countable part; empty when there is nothing."""
    found = list(diagnostics)
    parts = []
    for severity in ("error", "warning", "note"):
        count = sum(one.severity == severity for one in found)
        if count:
            parts.append(f"{count} {severity}{'s' if count > 1 else ''}")
    return ", ".join(parts)


def to_json(kind: str, diagnostics: Iterable[Diagnostic], **more: Any) -> dict[str, Any]:
    """The versioned JSON object of a command: `{"format": "rftspec.<kind>/1", …}`."""
    found = list(diagnostics)
    errors = sum(one.severity == "error" for one in found)
    return {
        "format": f"rftspec.{kind}/1",
        "ok": errors == 0,
        **more,
        "errors": errors,
        "warnings": sum(one.severity == "warning" for one in found),
        "diagnostics": [one.to_json() for one in found],
    }


def render_github(diagnostic: Diagnostic) -> str:
    """One workflow command, which GitHub shows at the line of the pull request."""
    kind = {"note": "notice"}.get(diagnostic.severity, diagnostic.severity)
    properties = {"title": diagnostic.code}
    span = diagnostic.span
    if span is not None:
        properties = {
            "file": shown_path(span.file),
            "line": str(span.line),
            "endLine": str(span.end_line),
            "col": str(span.column),
            "endColumn": str(span.end_column),
            **properties,
        }
        if span.end_line != span.line:
            # GitHub refuses columns on an annotation of several lines.
            del properties["col"], properties["endColumn"]
    body = diagnostic.message + (f"\nhelp: {diagnostic.hint}" if diagnostic.hint else "")
    told = ",".join(f"{name}={_github_property(value)}" for name, value in properties.items())
    return f"::{kind} {told}::{_github_data(body)}"


def shown_path(path: str | Path) -> str:
    """A path as a person would type it: relative where it is below the working folder."""
    text = str(path)
    try:
        relative = os.path.relpath(text)
    except (OSError, ValueError):
        return text
    return relative if not relative.startswith("..") and Path(text).is_absolute() else text


def _place(diagnostic: Diagnostic, span: Span, gutter: int, *, color: bool) -> list[str]:
    blue = "34;1"
    arrow = paint(f"{' ' * gutter}-->", blue, color=color)
    where = f"{visible(shown_path(span.file))}:{span.line}:{span.column}"
    inside = f"  in `{visible(diagnostic.path)}`" if diagnostic.path else ""
    lines = [f"{arrow} {where}{inside}"]
    if diagnostic.snippet is None:
        return lines
    code, caret = _underlined(diagnostic.snippet, span)
    bar = paint(f"{' ' * gutter} |", blue, color=color)
    number = paint(f"{span.line:>{gutter}} |", blue, color=color)
    lines += [bar, f"{number} {code}".rstrip()]
    lines.append(f"{bar} {paint(caret, _COLORS[diagnostic.severity], color=color)}")
    return lines


def _underlined(snippet: str, span: Span) -> tuple[str, str]:
    """The source line, cut around the span, and the carets below it."""
    start = min(max(span.column - 1, 0), len(snippet))
    stop = span.end_column - 1 if span.end_line == span.line else len(snippet)
    stop = min(max(stop, start), max(len(snippet), start))
    left = max(0, start - SNIPPET_COLUMNS // 2) if len(snippet) > SNIPPET_COLUMNS else 0
    right = min(len(snippet), left + SNIPPET_COLUMNS)
    before, marked, after = (
        visible(part)
        for part in (snippet[left:start], snippet[start : min(stop, right)], snippet[stop:right])
    )
    lead = "…" if left else ""
    tail = "…" if right < len(snippet) else ""
    caret = " " * (width(lead) + width(before)) + "^" * max(1, width(marked))
    return f"{lead}{before}{marked}{after}{tail}", caret


def _github_data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return visible(escaped)


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")
