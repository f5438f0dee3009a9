"""A plan in words: every number with its reason, then what it all amounts to."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from rftspec.cli.text import paint, shown_path
from rftspec.cli.visible import clip, visible, width
from rftspec.plan.model import Plan, SplitPlan

NAME, VALUE = 20, 34
REASON = 64
SECTIONS = ("model", "data", "response", "graders", "reward", "train", "evaluate", "require")
_LEFT_OUT = frozenset({"references", "metrics", "format", "control", "prompt", "disjoint"})


def plan_text(plan: Plan, *, color: bool = False) -> str:
    """The whole of what `rftspec plan` prints above its last line."""
    title = paint(visible(plan.name), "1", color=color)
    lines = [f"{title}  plan {plan.hash}"]
    for title, rows in _sections(plan):
        lines += ["", paint(title, "1", color=color)]
        for name, value, reason in rows:
            lines += _row(name, value, reason, color=color)
    lines += ["", paint("work", "1", color=color), *(f"  {line}" for line in _work(plan))]
    return "\n".join(lines)


def _row(name: str, value: str, reason: str, *, color: bool) -> list[str]:
    """`name  value  reason`; a reason that does not fit goes on below itself."""
    value = visible(value)
    lead = f"  {visible(name):<{NAME}} {value}"
    pad = " " * max(1, NAME + VALUE + 3 - width(lead))
    told = textwrap.wrap(visible(reason), REASON) or [""]
    indent = " " * (NAME + VALUE + 3)
    if width(lead) > NAME + VALUE + 2:
        return [lead, *(indent + paint(line, "2", color=color) for line in told)]
    first = lead + pad + paint(told[0], "2", color=color)
    return [first.rstrip(), *(indent + paint(line, "2", color=color) for line in told[1:])]


def _sections(plan: Plan) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
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


def _fields(plan: Plan, section: str) -> list[tuple[str, str, str]]:
    """The scalar fields of a section, as they stand in the plan."""
    values: Mapping[str, Any] = plan.to_json()[section]
    return [
        (name, _shown(value), plan.reasons.get(f"{section}.{name}", ""))
        for name, value in values.items()
        if name not in _LEFT_OUT and value is not None
    ]


def _data(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for name in ("train", "validation", "test"):
        split: SplitPlan | None = getattr(plan.data, name)
        told = "none" if split is None else f"{split.rows:,} rows  sha256 {split.sha256[:8]}"
        yield name, told, plan.reasons.get(f"data.{name}", "")
    if plan.data.disjoint:
        yield "disjoint", ", ".join(plan.data.disjoint), plan.reasons.get("data.disjoint", "")
    if plan.data.control:
        yield "control", plan.data.control, plan.reasons.get("data.control", "")


def _format(plan: Plan) -> list[tuple[str, str, str]]:
    if plan.response.format is None:
        return []
    kind = str(plan.response.format.get("type"))
    return [("format", kind, plan.reasons.get("response.format", ""))]


def _graders(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for name, settings in plan.graders.items():
        bounds = settings.get("range")
        told = str(settings.get("type"))
        if bounds:
            told += f"  {_shown(bounds[0])} to {_shown(bounds[1])}"
        yield name, told, ""
    for line in plan.reward.strip().splitlines():
        yield "reward", line.strip(), plan.reasons.get("reward", "")
    low, high = plan.reward_range
    floor = f"{_shown(low)} to {_shown(high)}"
    yield "reward_range", floor, plan.reasons.get("reward_range", "")
    told = "the reward of a sample that could not be graded: an error never pays"
    yield "floor", _shown(low), told
    yield "stop_above", _shown(plan.stop_above), plan.reasons.get("stop_above", "")
    yield "infrastructure", plan.infrastructure, plan.reasons.get("infrastructure", "")


def _measures(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for name, expression in plan.evaluate.metrics.items():
        yield name, clip(" ".join(expression.split()), 90), ""
    for reference in plan.evaluate.references:
        told = f"vote over {reference.samples}" if reference.kind == "vote" else "outputs"
        if reference.path:
            told += f"  {shown_path(reference.path)}"
        yield reference.name, told, reference.note or ""
    for gate in plan.require:
        yield "require", clip(" ".join(gate.split()), 90), "exit code 4 if it fails"


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
        yield (
            f"between them {rows:,} validation rows × {light} at {times} checkpoints "
            f"(every {evaluate.every} steps)"
        )


def _shown(value: Any) -> str:
    """A JSON value as a person writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value)
    return json.dumps(value, ensure_ascii=False)
