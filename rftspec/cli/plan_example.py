"""`rftspec plan --show-example`: one row, as text, as tokens, and as the graders see its answer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rftspec.cli.plan_text import Paper
from rftspec.cli.text import paint, shown_path
from rftspec.cli.visible import clip, visible

if TYPE_CHECKING:
    from rftspec.expr.trace import Trace
    from rftspec.plan.chat import Token
    from rftspec.plan.model import Plan
    from rftspec.run.example import Example

SHADES = ("48;5;254;38;5;16", "48;5;152;38;5;16")
"""Backgrounds that take turns, so that the ends of tokens are seen."""
SPECIAL = "48;5;222;38;5;16"
MOST_TOKENS = 2000
"""Tokens that are shown; a longer prompt is cut in the middle of the display, and says so."""
MARK = "·"
"""Between two tokens, where there are no colours."""


def example_lines(plan: Plan, found: Example, paper: Paper) -> Iterator[str]:
    """Everything about the row."""
    place = f"{shown_path(plan.data.train.path)}:{found.row.line}"
    yield f"{paper.title(plan.name)}  the first training row, {place}"
    yield ""
    yield paper.title("prompt, as the model will see it")
    yield from _prompt(found, paper)
    yield ""
    yield paper.title("gold answer") + paper.faint(f"  {visible(found.gold_from)}")
    if found.gold is not None:
        yield from _wrapped(visible(found.gold), paper)
    yield ""
    yield paper.title("how it is graded")
    yield from _grading(found, paper)


def _prompt(found: Example, paper: Paper) -> Iterator[str]:
    if found.text is None:
        for message in found.row.messages:
            yield f"  {visible(str(message['role']))}:"
            content = visible(str(message["content"]), keep_newlines=True)
            for line in content.split("\n"):
                yield from _wrapped(line, paper)
        yield paper.faint(f"  about {found.estimate:,} tokens, {visible(found.why)}")
        return
    tokens = found.tokens
    shown = tokens
    if len(tokens) > MOST_TOKENS:
        half = MOST_TOKENS // 2
        shown = tokens[:half]
        yield from _tokens(shown, paper)
        yield paper.faint(f"  … {len(tokens) - 2 * half:,} tokens are not shown …")
        shown = tokens[-half:]
    yield from _tokens(shown, paper)
    special = sum(token.special for token in tokens)
    key = "shading" if paper.color else f"`{MARK}`"
    told = f"  {len(tokens):,} tokens, {special} of them special; {key} shows where each ends"
    yield paper.faint(told)
    ids = ", ".join(str(token.id) for token in tokens[:12])
    yield paper.faint(f"  ids: {ids}{', …' if len(tokens) > 12 else ''}")


def _tokens(tokens: Sequence[Token], paper: Paper) -> Iterator[str]:
    """The tokens as lines: shaded by turns, or with a mark between them.

    A line ends where the text has one, or where it is full.
    """
    room = paper.columns - 2
    line, used = "", 0
    for n, token in enumerate(tokens):
        text = token.text.replace("\n", "⏎\n") if token.text else "⋯"
        pieces = text.split("\n")
        for i, piece in enumerate(pieces):
            if i:
                yield "  " + line
                line, used = "", 0
            for part in _parts(visible(piece, keep_newlines=True), room):
                if used + len(part) + 1 > room and line:
                    yield "  " + line
                    line, used = "", 0
                line += _shaded(part, n, token, paper)
                used += len(part)
        if not paper.color and n + 1 < len(tokens):
            line, used = line + MARK, used + 1
    if line:
        yield "  " + line


def _parts(text: str, room: int) -> Iterator[str]:
    for start in range(0, len(text), room - 1):
        yield text[start : start + room - 1]


def _shaded(text: str, n: int, token: Token, paper: Paper) -> str:
    style = SPECIAL if token.special else SHADES[n % 2]
    return paint(text, style, color=paper.color)


def _grading(found: Example, paper: Paper) -> Iterator[str]:
    if found.asking is not None:
        yield f"  not tried: `{visible(found.asking)}` asks a model or a server"
        return
    if found.graded is None:
        yield "  there is nothing to grade"
        return
    for name, score in found.graded.scores.items():
        value = "failed" if score.value is None else f"{score.value:.4g}"
        detail = f"  {visible(score.error or '')} {visible(score.detail or '')}".rstrip()
        yield f"  {visible(name):<18} {value}{detail}"
        yield from _trace(found.traces.get(name), paper)
    yield f"  {'reward':<18} {found.graded.reward:.4g}"
    yield from _trace(found.traces.get("reward"), paper)
    for name, number in found.graded.metrics.items():
        yield f"  {visible(name):<18} {'–' if number is None else f'{number:.4g}'}"


def _trace(trace: Trace | None, paper: Paper) -> Iterator[str]:
    if trace is None:
        return
    from rftspec.expr.trace import render_trace

    for line in render_trace(trace, width=paper.columns - 6):
        yield paper.faint(f"      {clip(visible(line), paper.columns - 6)}")


def _wrapped(text: str, paper: Paper) -> Iterator[str]:
    yield from textwrap.wrap(text, paper.columns, initial_indent="  ", subsequent_indent="  ") or [
        "  "
    ]
