"""What `plan --measure` found on a few rows: the base model's rewards, answers and speed.

A file in the user's cache, by a hash of all that decides it: model, data, graders, response,
device. The command writes it; a plan reads it and needs no torch for that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from rftspec.plan.cache import keep, read_kept
from rftspec.plan.device import Device
from rftspec.plan.model import Plan

FORM = "rftspec.measurement/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The base model on some training rows."""

    when: float
    """Seconds since 1970."""
    device: str
    rows: tuple[int, ...]
    """Places in the training file."""
    samples: int
    rewards: tuple[tuple[float, ...], ...]
    """Of each row's answers; those that were dropped are left out."""
    errors: float
    """Share of answers that a grader failed on."""
    truncated: float
    """Share of answers that were cut off at `response.max_tokens`."""
    unparsed: float
    """Share of answers that are not in the form that was asked for."""
    answer_tokens: float
    """Mean length of an answer."""
    longest_answer: int
    sampling_rate: float
    """Sampled tokens a second."""
    learning_rate: float
    """Completion tokens a second in one optimiser step."""
    opening: float
    """Seconds until the model was there."""
    grading: float
    """Seconds for an answer."""
    peak_memory: int
    """Bytes."""

    @property
    def completions(self) -> int:
        """Answers that were sampled."""
        return len(self.rows) * self.samples

    @property
    def mean(self) -> float:
        """Mean reward."""
        found = [reward for group in self.rewards for reward in group]
        return sum(found) / len(found) if found else 0.0

    @property
    def flat(self) -> float:
        """Share of groups whose answers all earned the same: they teach nothing."""
        found = [group for group in self.rewards if group]
        return sum(max(g) - min(g) <= 1e-12 for g in found) / len(found) if found else 1.0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "mean_reward": self.mean, "flat_groups": self.flat}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Measurement | None:
        """Read what `to_json` gave; None where it is damaged."""
        try:
            known = {f.name: values[f.name] for f in fields(cls)}
            known["rows"] = tuple(int(row) for row in known["rows"])
            known["rewards"] = tuple(tuple(map(float, group)) for group in known["rewards"])
            for name in known.keys() - {"rows", "rewards", "device"}:
                known[name] = known[name] + 0
            return cls(**known)
        except (KeyError, TypeError, ValueError):
            return None


def measurement_name(plan: Plan, device: Device) -> str:
    """The file's name in the cache."""
    train = plan.data.train
    decides = [
        plan.model.base, plan.model.revision, plan.model.quantization,
        train.sha256, train.indices, plan.data.prompt, plan.data.control,
        plan.graders, plan.reward, plan.response.format, plan.response.max_tokens,
        plan.response.temperature, plan.seed, device.key,
    ]  # fmt: skip
    text = json.dumps(decides, sort_keys=True, ensure_ascii=False, default=dict)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
    return f"measurements/{digest}.json"


def read_measurement(plan: Plan, device: Device) -> Measurement | None:
    """What was measured of a plan on a device before; None where nothing was."""
    found = read_kept(measurement_name(plan, device), FORM)
    return None if found is None else Measurement.of(found)


def keep_measurement(plan: Plan, device: Device, found: Measurement) -> Path | None:
    """Write it down; None where that cannot be done."""
    return keep(measurement_name(plan, device), FORM, found.to_json())
