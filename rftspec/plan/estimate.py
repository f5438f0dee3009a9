"""What a run needs: memory by part and time by phase, by formula and by what was measured here.

Everything follows from the plan, the model's shape, the prompts' lengths and the device by
arithmetic that docs/plan.md spells out. Where runs or `plan --measure` have measured this model on
this device, the formulas are scaled by what they were off, and it is said by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rftspec.plan.calibration import Calibration
from rftspec.plan.device import Device
from rftspec.plan.machine import ModelShape
from rftspec.plan.memory import Part, Prompts, is_lean, memory_parts, peak, rows_at_once
from rftspec.plan.model import Plan
from rftspec.plan.work import Phase, checkpoints, completions, phases

LAYER_SECONDS = 2.5e-4
"""Starting one layer's operations for one decoding step, from Python."""
PLAIN_FACTOR = 2.6
"""How much slower transformers' own module is (bench/engine.py, the plain loop)."""
OPEN_SECONDS = {"cpu": 8.0, "cuda": 15.0}
"""Importing torch and transformers, and starting the device."""
LOAD_BYTES = 5e8
"""Bytes of weights that are read and quantised in a second."""
GRADE_SECONDS = 2e-4
"""Grading a completion by rules; judges are not foreseen."""
SAMPLE_BYTES = 600
"""A line of samples.jsonl beside its text: scores, metrics, origin."""
SPARE = 0.10
"""Share of the memory that should stay free."""


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """A phase and its seconds."""

    phase: Phase
    sampling: float
    grading: float
    learning: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.sampling + self.grading + self.learning

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **self.phase.to_json(),
            "seconds": round(self.seconds, 2),
            "sampling": round(self.sampling, 2),
            "grading": round(self.grading, 2),
            "learning": round(self.learning, 2),
        }


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run needs; parts and times are None where the model's shape is not known."""

    device: Device
    shape: ModelShape | None
    parts: tuple[Part, ...] | None
    times: tuple[PhaseTime, ...] | None
    opening: float
    """Seconds until the model is there."""
    answer_tokens: float
    """Tokens of an answer that the time counts with."""
    answers_told: str
    """Where that comes from."""
    disk: int | None
    """Bytes that the run folder will have, without the base model."""
    calibration: Calibration

    @property
    def bytes(self) -> int | None:
        """Memory at the peak, corrected by what was measured."""
        return None if self.parts is None else round(peak(self.parts) * self.calibration.memory)

    @property
    def seconds(self) -> float | None:
        """The whole run."""
        if self.times is None:
            return None
        return self.opening + sum(time.seconds for time in self.times)

    @property
    def fits(self) -> bool | None:
        """Whether the memory suffices with something to spare; None where that is not known."""
        if self.bytes is None or self.device.total is None:
            return None
        return self.bytes <= self.device.total * (1 - SPARE)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        device = self.device
        return {
            "device": {
                "kind": device.kind, "name": device.name, "total": device.total,
                "free": device.free,
            },
            "memory": None if self.parts is None else {
                "bytes": self.bytes,
                "fits": self.fits,
                "parts": [part.to_json() for part in self.parts],
            },
            "time": None if self.times is None else {
                "seconds": round(self.seconds or 0.0, 1),
                "opening": round(self.opening, 1),
                "phases": [time.to_json() for time in self.times],
                "answer_tokens": round(self.answer_tokens, 1),
                "answer_tokens_from": self.answers_told,
            },
            "disk": self.disk,
            "calibration": self.calibration.to_json(),
        }  # fmt: skip


def estimate(
    plan: Plan,
    shape: ModelShape | None,
    device: Device,
    prompts: Prompts,
    calibration: Calibration,
) -> Needs:
    """Memory and time of a plan."""
    tokens, told = _answer_tokens(plan, calibration)
    times, opening, parts = None, OPEN_SECONDS[device.kind], None
    if shape is not None:
        parts = memory_parts(plan, shape, device, prompts)
        opening += 2 * shape.parameters / LOAD_BYTES
        times = tuple(
            _time(plan, shape, device, prompts, phase, tokens, calibration)
            for phase in phases(plan)
        )
    if calibration.opening is not None:
        opening = calibration.opening
    disk = None if shape is None else _disk(plan, shape, tokens)
    return Needs(device, shape, parts, times, opening, tokens, told, disk, calibration)


def _disk(plan: Plan, shape: ModelShape, tokens: float) -> int:
    """Adapters of all checkpoints and the best one, two states to resume from, and every sample."""
    weights = plan.model.lora_rank * shape.linear_inputs
    adapters = (checkpoints(plan) + 1) * 4 * weights
    return adapters + 2 * 12 * weights + round(completions(plan) * (SAMPLE_BYTES + 4 * tokens))


def _answer_tokens(plan: Plan, calibration: Calibration) -> tuple[float, str]:
    most = plan.response.max_tokens
    if calibration.answer_tokens is not None:
        return min(calibration.answer_tokens, float(most)), calibration.answers_from
    return float(most), "every answer as long as it may be: an upper bound"


def _time(
    plan: Plan,
    shape: ModelShape,
    device: Device,
    prompts: Prompts,
    phase: Phase,
    tokens: float,
    found: Calibration,
) -> PhaseTime:
    sampling = sampling_seconds(plan, shape, device, prompts, phase, tokens)
    learning = 0.0
    if phase.learns:
        learning = learning_seconds(plan, shape, device, phase, prompts.mean, tokens)
    grading = found.grading if found.grading is not None else GRADE_SECONDS
    return PhaseTime(
        phase,
        sampling * found.sampling,
        grading * phase.completions,
        learning * found.learning,
    )


def sampling_seconds(
    plan: Plan,
    shape: ModelShape,
    device: Device,
    prompts: Prompts,
    phase: Phase,
    tokens: float,
) -> float:
    """Reading every prompt once, and one decoding step after the other.

    A step takes one token for each running completion: 2 operations for each weight and token, the
    weights read from memory once, and a start for each layer. Completions that end make room for
    others, so that the steps are those of all tokens by rows, and a tail of one long answer.
    """
    rows = rows_at_once(plan, shape, device, prompts)
    sampled = phase.completions * tokens
    longest = min(float(plan.response.max_tokens), 2 * tokens)
    a_batch = phase.completions / max(1, phase.batches)
    steps = phase.batches * max(longest, a_batch * tokens / rows + longest - tokens)
    operations = 2.0 * shape.parameters * (sampled + phase.prompts * prompts.mean)
    operations += 4.0 * shape.layers * shape.query * sampled * (prompts.mean + tokens / 2)
    reading = 0.0
    if device.kind == "cuda":
        reading = steps * 2 * shape.parameters / device.bandwidth
    seconds = operations / device.flops + reading + steps * shape.layers * LAYER_SECONDS
    return seconds * (1.0 if is_lean(plan, shape, device) else PLAIN_FACTOR)


def learning_seconds(
    plan: Plan,
    shape: ModelShape,
    device: Device,
    phase: Phase,
    prompt_tokens: float,
    tokens: float,
) -> float:
    """Forward and backward: 4 operations for each weight and token.

    The base is frozen, so that the backward pass makes gradients of activations only (2, as the
    forward pass has 2; a trained weight would cost 2 more). Prompts are computed once a group.
    """
    lean = is_lean(plan, shape, device)
    times = 1 if lean else plan.train.samples_per_prompt
    learned = phase.completions * tokens + phase.prompts * prompt_tokens * times
    passes = 4.0 + (2.0 if plan.train.kl > 0 else 0.0)
    operations = passes * shape.parameters * learned
    context = prompt_tokens + tokens / 2
    operations += 2 * passes * shape.layers * shape.query * phase.completions * tokens * context
    starts = phase.batches * shape.layers * LAYER_SECONDS * 10
    seconds = (operations / device.flops + starts) * (1.0 if lean else PLAIN_FACTOR)
    return seconds * plan.train.updates_per_batch
