"""`learning_rate: auto` and the other numbers that follow from the data and the model."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rftspec.plan.machine import ModelShape

REFERENCE_RATE = 5e-5
REFERENCE_PARAMETERS = 1.5e9
"""The size of model for which 5e-5 is the reference rate."""
LOWEST_RATE, HIGHEST_RATE = 1e-5, 1e-3
REFERENCE_BATCH = 128
FEW_ROWS = 64


@dataclass(frozen=True, slots=True)
class Chosen:
    """A number and the reason for it."""

    value: float
    reason: str


def learning_rate(shape: ModelShape | None, batch: int) -> Chosen:
    """The rate of LoRA reinforcement learning by model size and completions per step.

    rate = 5e-5 · √(1.5e9 / parameters) · √(batch / 128), between 1e-5 and 1e-3. The anchors are
    published LoRA recipes: 1e-5 (LoRA Without Regret), 3e-5 (SkyRL, verl), 1e-5 to 8e-5 (Tinker),
    1e-4 (Fireworks), 5e-5 at 1.5 B and 2e-5 at 14 B; the square root of the batch is Tinker's. That
    of the size is ours: it meets both anchors, and 1e-3 for the built-in model of a few million
    parameters, which was measured to learn at 1e-3 and to collapse at 5e-3.
    """
    parameters = shape.parameters if shape is not None else REFERENCE_PARAMETERS
    rate = REFERENCE_RATE * math.sqrt(REFERENCE_PARAMETERS / parameters)
    rate *= math.sqrt(batch / REFERENCE_BATCH)
    value = _two_digits(min(HIGHEST_RATE, max(LOWEST_RATE, rate)))
    size = (
        f"{parameters / 1e6:,.1f} M parameters, from {shape.source}"
        if shape is not None
        else "size not known, 1.5 B assumed"
    )
    formula = f"5e-5 · √(1.5e9 / parameters) · √({batch} / 128), within 1e-5 and 1e-3"
    return Chosen(value, f"derived: {formula} ({size})")


def steps(rows: int, prompts: int, epochs: float | None, line: str | None) -> Chosen:
    """Steps from epochs, or three epochs between 60 and 300 steps."""
    if epochs is not None:
        value = max(1, round(epochs * rows / prompts))
        return Chosen(value, f"derived: {epochs:g} epochs × {rows} rows / {prompts} ({line})")
    value = max(60, min(300, round(3 * rows / prompts)))
    return Chosen(
        value, f"default: 3 epochs × {rows} rows / {prompts}, at least 60 and at most 300 (Tinker)"
    )


def prompts_per_step(rows: int) -> Chosen:
    """16 prompts; 8 where there are few rows, never more than there are."""
    if rows < FEW_ROWS:
        return Chosen(
            max(1, min(8, rows)), f"default: 8 at most, for {rows} rows are fewer than {FEW_ROWS}"
        )
    return Chosen(16, "default: 16 × 8 = 128 completions in a step (SageMaker, Tinker)")


def samples_per_prompt(rows: int) -> Chosen:
    """8 samples; 16 where there are few rows (few prompts ask for larger groups)."""
    if rows < FEW_ROWS:
        return Chosen(
            16, f"default: larger groups, for {rows} rows are fewer than {FEW_ROWS} (Tinker)"
        )
    return Chosen(8, "default: a group of 8 (SageMaker, ms-swift)")


def checkpoint_every(shape: ModelShape | None, rank: int, every: int) -> Chosen:
    """Each step where the adapter is small, else at each evaluation."""
    if shape is not None:
        # Adapter, its optimiser's two moments: three 4-byte numbers for each weight.
        megabytes = 12 * rank * shape.linear_inputs / 1e6
        if megabytes <= 20:
            return Chosen(1, f"derived: a state has {megabytes:.1f} MB, so each step is kept")
        return Chosen(every, f"derived: a state has {megabytes:.0f} MB, so at each evaluation")
    return Chosen(every, "derived: at each evaluation")


def _two_digits(value: float) -> float:
    return float(f"{value:.1e}")
