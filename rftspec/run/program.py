"""A run as a list of units of work: a function of the plan and of which splits there are.

The record commits after units, so that "where was I" is one number: how many units are done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rftspec.plan.model import Plan, ReferencePlan
from rftspec.run.rows import Rows

TRAIN_ROWS = 200
"""Training rows, at most, on which base and tuned are measured once: the gap to held-out rows."""

UnitKind = Literal["measure", "reference", "step", "checkpoint", "finish"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: done whole, or done again."""

    kind: UnitKind
    step: int = 0
    model: str = "base"
    """`base` or `tuned` (unit `measure`), or the reference's name."""
    split: str = ""
    samples: int = 0
    """Completions per row that are measured."""
    ballots: int = 0
    """Completions per row beyond those, which only vote in a reference."""
    completions: int = 0
    """Completions that the unit samples in all: its share of the work."""
    reference: ReferencePlan | None = None


def program(plan: Plan, rows: Rows) -> list[Unit]:
    """All units of a run, in order."""
    headline = rows.headline
    units = [_measure(plan, rows, "base", headline, ballots=_ballots(plan))]
    units += _beside(plan, rows, "base")
    for reference in plan.evaluate.references:
        units.append(Unit("reference", model=reference.name, split=headline, reference=reference))
    for step in range(1, plan.train.steps + 1):
        completions = plan.train.prompts_per_step * plan.train.samples_per_prompt
        units.append(Unit("step", step=step, model="tuned", completions=completions))
        if step == plan.train.steps or (plan.evaluate.every and step % plan.evaluate.every == 0):
            units.append(_checkpoint(plan, rows, step))
    units.append(_measure(plan, rows, "tuned", headline))
    units += _beside(plan, rows, "tuned")[-1:] if headline != "train" else []
    units.append(Unit("finish"))
    return units


def measured_rows(rows: Rows, split: str) -> int:
    """How many rows of a split an evaluation takes."""
    return min(len(rows.train), TRAIN_ROWS) if split == "train" else len(rows.of(split))


def _beside(plan: Plan, rows: Rows, model: str) -> list[Unit]:
    """Light measurements beside the headline: validation (the curve's step 0), training rows."""
    light = plan.evaluate.samples_between
    units = []
    if rows.headline == "test" and rows.validation:
        units.append(_measure(plan, rows, model, "validation", samples=light))
    if rows.headline != "train":
        units.append(_measure(plan, rows, model, "train", samples=1))
    return units


def _measure(
    plan: Plan, rows: Rows, model: str, split: str, *, samples: int = 0, ballots: int = 0
) -> Unit:
    samples = samples or plan.evaluate.samples
    completions = measured_rows(rows, split) * (samples + ballots)
    return Unit(
        "measure",
        model=model,
        split=split,
        samples=samples,
        ballots=ballots,
        completions=completions,
    )


def _checkpoint(plan: Plan, rows: Rows, step: int) -> Unit:
    samples = plan.evaluate.samples_between
    return Unit(
        "checkpoint",
        step=step,
        model=f"step-{step}",
        split="validation",
        samples=samples,
        completions=len(rows.validation) * samples,
    )


def _ballots(plan: Plan) -> int:
    """Base completions beyond the measured ones that the largest vote needs."""
    votes = [r.samples for r in plan.evaluate.references if r.kind == "vote"]
    return max(0, max(votes, default=0) - plan.evaluate.samples)
