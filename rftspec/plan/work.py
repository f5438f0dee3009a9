"""How much a run does: prompts read and completions sampled, phase by phase.

The counts follow the run's program (`run.program`), which a test holds them to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from rftspec.plan.model import Plan

PhaseName = Literal["base", "train", "validate", "tuned"]
TRAIN_ROWS = 200
"""Training rows, at most, on which base and tuned are measured once."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One kind of work in a run."""

    name: PhaseName
    what: str
    """For a person: `60 steps × 16 prompts × 8 samples`."""
    batches: int
    """Calls of the sampler, or steps."""
    prompts: int
    """Prompts that are read, over all batches."""
    completions: int
    """Completions that are sampled, over all batches."""
    learns: bool = False
    """What is sampled is also learned from."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name, "what": self.what, "prompts": self.prompts,
            "completions": self.completions,
        }  # fmt: skip


def phases(plan: Plan) -> list[Phase]:
    """The phases of a run in their order; those that do nothing are left out."""
    return [phase for phase in _all(plan) if phase.completions]


def completions(plan: Plan) -> int:
    """Everything that a run samples."""
    return sum(phase.completions for phase in phases(plan))


def _all(plan: Plan) -> Iterator[Phase]:
    train, evaluate = plan.train, plan.evaluate
    rows = {name: _rows(getattr(plan.data, name)) for name in ("train", "validation", "test")}
    headline = next(name for name in ("test", "validation", "train") if rows[name])
    measured = min(rows["train"], TRAIN_ROWS) if headline == "train" else rows[headline]
    votes = [r.samples for r in evaluate.references if r.kind == "vote"]
    ballots = max(0, max(votes, default=0) - evaluate.samples)
    few = min(rows["train"], TRAIN_ROWS) if headline != "train" else 0
    light = rows["validation"] if headline == "test" else 0
    between = evaluate.samples_between
    told = f"{measured:,} {headline} rows × {evaluate.samples + ballots}"
    told += f", {light:,} validation × {between}" if light else ""
    told += f", {few:,} training × 1" if few else ""
    base = measured * (evaluate.samples + ballots) + light * between + few
    yield Phase("base", told, _parts(light, few), measured + light + few, base)
    steps, prompts, samples = train.steps, train.prompts_per_step, train.samples_per_prompt
    yield Phase(
        "train",
        f"{steps:,} steps × {prompts:,} prompts × {samples:,} samples",
        steps,
        steps * prompts,
        steps * prompts * samples,
        learns=True,
    )
    times = checkpoints(plan)
    rows_between = times * rows["validation"]
    told = f"{times:,} times {rows['validation']:,} validation rows × {between}"
    yield Phase("validate", told, times, rows_between, rows_between * between)
    told = f"{measured:,} {headline} rows × {evaluate.samples}"
    told += f", {few:,} training × 1" if few else ""
    tuned = measured * evaluate.samples + few
    yield Phase("tuned", told, _parts(few), measured + few, tuned)


def checkpoints(plan: Plan) -> int:
    """How often a checkpoint is measured on the validation rows; the last step always is one."""
    steps, every = plan.train.steps, plan.evaluate.every
    if not every:
        return 1
    return steps // every + (steps % every != 0)


def _rows(split: Any) -> int:
    return 0 if split is None else int(split.rows)


def _parts(*more: int) -> int:
    return 1 + sum(1 for count in more if count)
