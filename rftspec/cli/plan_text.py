"""A plan in words: every number with its reason, then what it all amounts to."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.cli.text import paint, shown_path
from rftspec.cli.visible import visible, width
from rftspec.plan.model import Plan, SplitPlan

NAME = 19
WIDE, NARROW = 96, 72
"""Columns from which on values get more room, and the fewest that are laid out for."""
SECTIONS = ("model", "data", "response", "graders", "reward", "train", "evaluate", "require")
_LEFT_OUT = frozenset({"references", "metrics", "format", "control", "prompt", "disjoint"})

Row = tuple[str, str, str]
"""Name, value, reason."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is written on: how wide it is, and whether it has colours."""

    columns: int = 100
    color: bool = False

    def title(self, text: str) -> str:
        """A section's heading."""
        return paint(visible(text), "1", color=self.color)

    def faint(self, text: str) -> str:
        """Text that stands back."""
        return paint(text, "2", color=self.color)

    @property
    def value(self) -> int:
        """Columns of the values."""
        return 30 if self.columns >= WIDE else 22

    def row(self, name: str, value: str, reason: str) -> list[str]:
        """`name  value  reason`: each goes on below itself, and nothing is left empty.

        A value that is wider than its column takes the whole line, and its reason the next.
        """
        start = NAME + 3
        name, value, reason = visible(name), visible(value), visible(reason)
        lead = f"  {name:<{NAME}} " if width(name) <= NAME else f"  {name}\n{'':<{start}}"
        at = start + self.value + 1
        room = max(NARROW, self.columns) - at
        told = textwrap.wrap(reason, room)
        if not value and reason:
            wrapped = textwrap.wrap(reason, max(NARROW, self.columns) - start)
            lines = [lead + self.faint(wrapped[0])]
            lines += [" " * start + self.faint(line) for line in wrapped[1:]]
        elif width(value) <= self.value:
            pad = " " * (self.value - width(value) + 1)
            first = f"{lead}{value}{pad}{self.faint(told[0])}" if told else f"{lead}{value}"
            lines = [first, *(" " * at + self.faint(line) for line in told[1:])]
        else:
            wrapped = textwrap.wrap(value, max(NARROW, self.columns) - start)
            lines = [f"{lead}{wrapped[0]}", *(" " * start + line for line in wrapped[1:])]
            told = textwrap.wrap(reason, max(NARROW, self.columns) - start - 2)
            lines += [" " * (start + 2) + self.faint(line) for line in told]
        return [part.rstrip() for line in lines for part in line.split("\n")]

    def section(self, name: str, rows: Sequence[Row]) -> list[str]:
        """A heading with its rows, an empty line above."""
        lines = ["", self.title(name)]
        for row in rows:
            lines += self.row(*row)
        return lines


def plan_text(plan: Plan, paper: Paper | None = None) -> str:
    """Every number of a plan with its reason, section by section."""
    paper = paper or Paper()
    lines = [f"{paper.title(plan.name)}  plan {plan.hash}"]
    for title, rows in _sections(plan):
        lines += paper.section(title, rows)
    lines += ["", paper.title("work")]
    for line in _work(plan):
        lines += textwrap.wrap(
            line, max(NARROW, paper.columns), initial_indent="  ", subsequent_indent="    "
        )
    return "\n".join(lines)


def _sections(plan: Plan) -> Iterator[tuple[str, list[Row]]]:
    reasons = plan.reasons
    yield (
        "run",
        [
            ("seed", str(plan.seed), reasons.get("seed", "")),
            ("device", plan.device, reasons.get("device", "")),
        ],
    )
    yield "model", _fields(plan, "model")
    yield "data", list(_data(plan))
    yield "response", _fields(plan, "response") + _format(plan)
    yield "graders", list(_graders(plan))
    yield "train", _fields(plan, "train")
    yield "evaluate", _fields(plan, "evaluate") + list(_measures(plan))


def _fields(plan: Plan, section: str) -> list[Row]:
    """The scalar fields of a section, as they stand in the plan."""
    values: Mapping[str, Any] = plan.to_json()[section]
    return [
        (name, shown(value), plan.reasons.get(f"{section}.{name}", ""))
        for name, value in values.items()
        if name not in _LEFT_OUT and value is not None
    ]


def _data(plan: Plan) -> Iterator[Row]:
    for name in ("train", "validation", "test"):
        split: SplitPlan | None = getattr(plan.data, name)
        told = "none" if split is None else f"{split.rows:,} rows  sha256 {split.sha256[:8]}"
        yield name, told, plan.reasons.get(f"data.{name}", "")
    if plan.data.disjoint:
        yield "disjoint", ", ".join(plan.data.disjoint), plan.reasons.get("data.disjoint", "")
    if plan.data.control:
        yield "control", plan.data.control, plan.reasons.get("data.control", "")


def _format(plan: Plan) -> list[Row]:
    if plan.response.format is None:
        return []
    kind = str(plan.response.format.get("type"))
    return [("format", kind, plan.reasons.get("response.format", ""))]


def _graders(plan: Plan) -> Iterator[Row]:
    for name, settings in plan.graders.items():
        bounds = settings.get("range")
        told = str(settings.get("type"))
        if bounds:
            told += f"  {shown(bounds[0])} to {shown(bounds[1])}"
        yield name, told, ""
    yield "reward", " ".join(plan.reward.split()), plan.reasons.get("reward", "")
    low, high = plan.reward_range
    floor = f"{shown(low)} to {shown(high)}"
    yield "reward_range", floor, plan.reasons.get("reward_range", "")
    told = "the reward of a sample that could not be graded: an error never pays"
    yield "floor", shown(low), told
    yield "stop_above", shown(plan.stop_above), plan.reasons.get("stop_above", "")
    yield "infrastructure", plan.infrastructure, plan.reasons.get("infrastructure", "")


def _measures(plan: Plan) -> Iterator[Row]:
    for name, expression in plan.evaluate.metrics.items():
        yield name, " ".join(expression.split()), ""
    for reference in plan.evaluate.references:
        told = f"vote over {reference.samples}" if reference.kind == "vote" else "outputs"
        if reference.path:
            told += f"  {shown_path(reference.path)}"
        yield reference.name, told, reference.note or ""
    for gate in plan.require:
        yield "require", " ".join(gate.split()), "exit code 4 if it fails"


def _work(plan: Plan) -> Iterator[str]:
    """What the numbers multiply to."""
    train, evaluate = plan.train, plan.evaluate
    steps, prompts, samples = train.steps, train.prompts_per_step, train.samples_per_prompt
    yield (
        f"{steps} steps × {prompts} prompts × {samples} samples = {steps * prompts * samples:,} "
        f"completions of at most {plan.response.max_tokens} tokens"
    )
    epochs = steps * prompts / max(1, plan.data.train.rows)
    yield f"each training row is seen {epochs:.2g} times"
    headline = plan.data.test or plan.data.validation
    if headline is not None:
        which = "test" if plan.data.test is not None else "validation"
        yield (
            f"base and tuned on {headline.rows:,} {which} rows × {evaluate.samples} = "
            f"{headline.rows * evaluate.samples:,} completions each"
        )
    if plan.data.validation is not None and evaluate.every:
        rows, light = plan.data.validation.rows, evaluate.samples_between
        times = steps // evaluate.every
        at = f"{times} checkpoint{'s' * (times != 1)} (every {evaluate.every} steps)"
        yield f"between them {rows:,} validation rows × {light} at {at}"


def shown(value: Any) -> str:
    """A JSON value as a person writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value)
    return json.dumps(value, ensure_ascii=False)
