"""What a step took: seconds by phase, rates, and memory. Measured, so never in the events."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, Sequence

_PARTS = ("sampling", "grading", "training")


def step_seconds(times: Sequence[float]) -> dict[str, float]:
    """Seconds by phase from the clock at the start and after each phase."""
    seconds = {name: times[n + 1] - times[n] for n, name in enumerate(_PARTS)}
    return {**seconds, "full_iteration": times[-1] - times[0]}


def step_rates(
    seconds: Mapping[str, float], sampled: int, trained: float | None
) -> dict[str, float]:
    """Tokens per second of sampling and of learning, and the peak memory of the process."""
    rates = {"sampling_tokens_per_second": sampled / max(1e-9, seconds["sampling"])}
    if trained:
        rates["training_tokens_per_second"] = trained / max(1e-9, seconds["training"])
    return {**rates, "peak_memory": float(peak_memory())}


def peak_memory() -> int:
    """The most memory that this process has used so far, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
