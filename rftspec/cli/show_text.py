"""Samples as lines for a terminal: everything that a model or a file said is made visible."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rftspec.cli import console
from rftspec.cli.text import paint, shown_path
from rftspec.cli.visible import clip, visible, width

if TYPE_CHECKING:
    from rftspec.report.answers import Shown, ShownRow, View
    from rftspec.report.evidence import Answer

WIDEST = 110
MARGIN = 11
PROMPT_LINES = 4
ANSWER_LINES = 4
TONES = {"wrong → right": "32", "right → wrong": "31"}


@dataclass(frozen=True, slots=True)
class Look:
    """How much of a row is shown."""

    full: bool
    """Prompts and answers whole, with the row's other fields."""
    answers: int | None
    """Different answers of each model; None for all."""
    first: Callable[[Shown, ShownRow], float]
    """Sorts a row's answers."""


def head(view: View, run: Path) -> str:
    """What is shown: `rare-disease · 200 test rows · base → tuned (step 60) · passes: top@1`."""
    name = visible(view.evidence.plan.name)
    models = " → ".join(visible(model) for model in view.models)
    count = len(view.rows)
    rows = f"{count} {view.split} {'row' if count == 1 else 'rows'}"
    told = f"{name} · {rows} · {models} · passes: {visible(view.metric)}"
    return f"{console.bold(told)}\n{visible(shown_path(run))}"


def row_lines(view: View, row: ShownRow, look: Look) -> Iterator[str]:
    """One row: its id and verdict, the prompt, then each different answer."""
    color = console.wants_color(sys.stdout)
    verdict = paint(row.verdict, TONES.get(row.verdict, "0"), color=color)
    own = f"{row.split} {row.row}"
    name = own if row.id == own else f"{own}  {visible(row.id)}"
    yield ""
    yield f"{console.bold(name)}  {verdict}".rstrip()
    prompt = prompt_text(row.item.get("messages"))
    yield from _block("prompt", prompt, most=None if look.full else PROMPT_LINES)
    for key, value in row.item.items():
        if look.full and key != "messages":
            yield from _block(key, _json(value), most=None)
    for model in dict.fromkeys(one.model for one in row.answers):
        yield from _model_lines(view, row, model, look)


def _model_lines(view: View, row: ShownRow, model: str, look: Look) -> Iterator[str]:
    """The answers of one model, the same ones once, and how many were left out."""
    color = console.wants_color(sys.stdout)
    groups = sorted(_grouped(row, model), key=lambda group: look.first(group[0], row))
    for shown, times in groups[: look.answers]:
        label = model if times == 1 else f"{model} ×{times}"
        yield from _block(label, shown.answer.text, most=None if look.full else ANSWER_LINES)
        yield from _judgement(view, shown, color=color)
    if look.answers is not None and len(groups) > look.answers:
        rewards = " · ".join(f"{shown.answer.reward:.3f}" for shown, _ in groups[look.answers :])
        yield f"{' ' * MARGIN}… other answers earn {rewards}"


def prompt_text(messages: Any) -> str:
    """Messages as `role: text`, one under the other; a single user's message as its text alone."""
    if not isinstance(messages, list):
        return "(the record lost the prompt)"
    told = []
    for message in messages:
        if not isinstance(message, Mapping):
            continue
        content = message.get("content")
        text = content if isinstance(content, str) else _json(content)
        told.append((str(message.get("role", "?")), text))
    if len(told) == 1 and told[0][0] == "user":
        return told[0][1]
    return "\n".join(f"{role}: {text}" for role, text in told)


def _grouped(row: ShownRow, model: str) -> Iterator[tuple[Shown, int]]:
    """Different answers of a model, in order, with how often each was given."""
    counts: dict[tuple[Any, ...], int] = {}
    firsts: dict[tuple[Any, ...], Shown] = {}
    for shown in row.answers:
        if shown.model != model:
            continue
        answer = shown.answer
        key = (answer.text, answer.reward, _json(answer.scores))
        counts[key] = counts.get(key, 0) + 1
        firsts.setdefault(key, shown)
    for key, first in firsts.items():
        yield first, counts[key]


def _block(label: str, text: str, *, most: int | None) -> Iterator[str]:
    """A label and text in a column beside it, cut to `most` lines."""
    columns = max(30, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns) - MARGIN)
    lines = [
        part
        for line in (visible(text, keep_newlines=True).split("\n") or [""])
        for part in _wrapped(line, columns)
    ]
    if most is not None and len(lines) > most:
        left = len(lines) - most
        more = f" … {left} more {'line' if left == 1 else 'lines'}"
        lines = [*lines[: most - 1], clip(lines[most - 1], columns - len(more)) + more]
    label = clip(visible(label), MARGIN - 3)
    for number, line in enumerate(lines):
        lead = label if number == 0 else ""
        yield f"  {lead}{' ' * (MARGIN - 2 - width(lead))}{line}".rstrip()


def _wrapped(line: str, columns: int) -> list[str]:
    if width(line) <= columns:
        return [line]
    return textwrap.wrap(line, columns, break_on_hyphens=False) or [""]


def _judgement(view: View, shown: Shown, *, color: bool) -> Iterator[str]:
    """`✓ reward 0.950   rank 1.000 · concise 0.000`, then why, grader by grader."""
    answer = shown.answer
    mark = paint("✓", "32", color=color) if shown.passed else paint("✗", "31", color=color)
    scores = [
        f"{visible(name)} {_number(answer.scores.get(name, {}).get('value'))}"
        for name in (*view.evidence.plan.graders, *_others(view, answer))
    ]
    metrics = [f"{visible(name)} {_short(value)}" for name, value in answer.metrics.items()]
    facts = [f"{answer.tokens} tokens"] if answer.tokens else []
    facts += ["cut off"] if answer.finish == "length" else []
    facts += [] if answer.valid else ["not the JSON that was asked for"]
    told = "   ".join(" · ".join(part) for part in (scores, metrics, facts) if part)
    indent = " " * MARGIN
    yield f"{indent}{mark} reward {_number(answer.reward)}   {told}"
    for reason in _reasons(answer):
        yield f"{indent}  {clip(reason, WIDEST)}"


def _others(view: View, answer: Answer) -> list[str]:
    """Scores of graders that the plan does not name: those of a damaged or older record."""
    return [name for name in answer.scores if name not in view.evidence.plan.graders]


def _reasons(answer: Answer) -> Iterator[str]:
    """What graders said beside their numbers, and what put the reward at its floor."""
    for name, score in answer.scores.items():
        said = [str(score[key]) for key in ("error", "detail") if score.get(key)]
        if said:
            yield f"{visible(name)}: {visible(': '.join(said))}"
    error = answer.error
    if error is not None:
        who = error.get("grader")
        cause = f"because `{who}` failed" if who else f"{error.get('kind')}: {error.get('detail')}"
        yield f"the reward is its floor: {visible(str(cause))}"


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "–"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=dict)
