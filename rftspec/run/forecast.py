"""What a run was expected to take, and what it took: kept in its record and for the next plan."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rftspec.plan.calibration import add_line, calibrate, took
from rftspec.plan.device import Device
from rftspec.plan.estimate import Needs, estimate, learning_seconds, sampling_seconds
from rftspec.plan.machine import ModelShape
from rftspec.plan.memory import Prompts, memory_parts, peak
from rftspec.plan.work import Phase
from rftspec.record.folder import Record
from rftspec.run.job import Job
from rftspec.run.preflight import known_device, known_shape

WARM = 3
"""From this many steps on, the first one is left out: it also starts things."""


@dataclass(slots=True)
class Watch:
    """Runs from before the model is opened to the end of the run."""

    started: float = field(default_factory=time.perf_counter)
    _opening: float = 0.0
    _whole: bool = False
    _prompts: Prompts | None = None
    _needs: Needs | None = None

    def opened(self, job: Job, prompts: tuple[float, int]) -> None:
        """The model is there: foresee the rest, and write it down."""
        self._opening = time.perf_counter() - self.started
        self._whole = job.writer.done == 0
        self._prompts = Prompts(*prompts)
        plan, device = job.plan, known_device(job.plan)
        needs = estimate(plan, known_shape(plan), device, self._prompts, calibrate(plan, device))
        self._needs = needs
        if self._whole and needs.seconds is not None:
            job.writer.timing(phase="forecast", seconds=round(needs.seconds, 2), memory=needs.bytes)

    def finished(self, job: Job) -> None:
        """The run is done: compare, and keep it for the next plan."""
        if self._needs is None or self._prompts is None:
            return
        needs, plan = self._needs, job.plan
        steps = [t for t in Record(job.folder, plan).timings() if t.get("phase") == "train"]
        measured = _measured(job, needs.shape, needs.device, self._prompts, steps)
        whole: dict[str, Any] = {}
        if self._whole:
            seconds = time.perf_counter() - self.started
            whole = {"seconds": seconds, "predicted_seconds": needs.seconds}
            job.writer.timing(
                phase="took", seconds=round(seconds, 2), opening=round(self._opening, 2),
                memory=measured.get("bytes"),
            )  # fmt: skip
        opening = {"opening": self._opening} if self._opening > 0 else {}
        predicted = {"predicted_bytes": needs.bytes}
        add_line(took(plan, needs.device, "run", **measured, **whole, **opening, **predicted))


def _measured(
    job: Job,
    shape: ModelShape | None,
    device: Device,
    prompts: Prompts,
    steps: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """What the steps measured, beside what the formulas say of the same work."""
    steps = steps[1:] if len(steps) >= WARM else steps
    if not steps:
        return {}
    plan, train = job.plan, job.plan.train
    count = len(steps)
    completions = count * train.prompts_per_step * train.samples_per_prompt
    sampled = sum(t["sampling"] * t["sampling_tokens_per_second"] for t in steps)
    bytes_used = max(round(t["peak_memory"]) for t in steps)
    found: dict[str, Any] = {
        "answer_tokens": sampled / completions,
        "grading": sum(t["grading"] for t in steps) / completions,
        "bytes": bytes_used,
    }
    if shape is None or not sampled:
        return {name: value for name, value in found.items() if value > 0}
    phase = Phase("train", "", count, count * train.prompts_per_step, completions, learns=True)
    tokens = sampled / completions
    sampling = sampling_seconds(plan, shape, device, prompts, phase, tokens)
    learning = learning_seconds(plan, shape, device, phase, prompts.mean, tokens)
    found["sampling"] = sum(t["sampling"] for t in steps) / sampling
    found["learning"] = sum(t["training"] for t in steps) / learning
    found["memory"] = bytes_used / peak(memory_parts(plan, shape, device, prompts))
    return {name: value for name, value in found.items() if value > 0}
