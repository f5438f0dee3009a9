"""What earlier runs on this machine took, beside what the formulas had said.

One small file in the user's cache: each finished run, and each `plan --measure`, adds a line with
how far the formulas were off. A forecast is scaled by the median of the newest ones.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any, Literal

from rftspec.plan.cache import keep, read_kept
from rftspec.plan.device import Device
from rftspec.plan.model import Plan

FILE, FORM = "calibration.json", "rftspec.calibration/1"
MOST = 60
"""Lines that are kept."""
NEWEST = 5
"""Of those that fit, so many decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One run, or one measurement: predicted and measured."""

    source: Literal["run", "measure"]
    when: float
    """Seconds since 1970."""
    name: str
    plan: str
    """Its hash."""
    device: str
    base: str
    quantization: str
    answers: str
    """Equal for plans whose base model's answers are of the same length."""
    answer_tokens: float | None = None
    sampling: float | None = None
    """Measured seconds by the formula's, with the measured length of the answers."""
    learning: float | None = None
    memory: float | None = None
    grading: float | None = None
    """Seconds for a completion, beyond those that sampling hides."""
    opening: float | None = None
    """Seconds."""
    seconds: float | None = None
    """The whole run, where it was not interrupted."""
    predicted_seconds: float | None = None
    bytes: int | None = None
    predicted_bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, values: Any) -> Took | None:
        """Read what `to_json` gave; None where it is damaged."""
        if not isinstance(values, Mapping):
            return None
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        texts = ("source", "name", "plan", "device", "base", "quantization", "answers")
        if not all(isinstance(known.get(name), str) for name in texts):
            return None
        numbers = [value for name, value in known.items() if name not in texts]
        if not all(value is None or _is_positive(value) for value in numbers):
            return None
        try:
            return cls(**known)
        except TypeError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How the formulas are scaled for one plan on one device."""

    sampling: float = 1.0
    learning: float = 1.0
    memory: float = 1.0
    grading: float | None = None
    opening: float | None = None
    answer_tokens: float | None = None
    answers_from: str = ""
    told: str = "by formula alone: nothing was measured on this machine yet"
    """Where the scale comes from."""
    runs: int = 0
    """Lines that it rests on."""
    last: Took | None = None
    """The last run whose forecast can be compared with what it took."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "sampling": round(self.sampling, 4),
            "learning": round(self.learning, 4),
            "memory": round(self.memory, 4),
            "runs": self.runs,
            "from": self.told,
            "last": None if self.last is None else self.last.to_json(),
        }


def answers_key(plan: Plan) -> str:
    """Equal for plans whose answers are of the same length at the start of training."""
    decides = [
        plan.model.base, plan.model.revision, plan.data.train.sha256, plan.data.prompt,
        plan.response.max_tokens, plan.response.temperature, plan.response.format,
    ]  # fmt: skip
    text = json.dumps(decides, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def took(plan: Plan, device: Device, source: Literal["run", "measure"], **measured: Any) -> Took:
    """A line about a plan."""
    return Took(
        source=source,
        when=round(time.time(), 1),
        name=plan.name,
        plan=plan.hash,
        device=device.key,
        base=plan.model.base,
        quantization=plan.model.quantization,
        answers=answers_key(plan),
        **measured,
    )


def read_lines() -> list[Took]:
    """All lines that can be read, oldest first."""
    kept = read_kept(FILE, FORM)
    lines = kept.get("lines") if kept is not None else None
    if not isinstance(lines, list):
        return []
    found = [Took.of(line) for line in lines]
    return [line for line in found if line is not None]


def add_line(line: Took) -> bool:
    """Add a line; False where the file could not be written."""
    lines = [*read_lines(), line][-MOST:]
    return keep(FILE, FORM, {"lines": [one.to_json() for one in lines]}) is not None


def calibrate(plan: Plan, device: Device) -> Calibration:
    """What is known about a plan on a device, from the user's cache."""
    return calibration_of(read_lines(), plan, device)


def calibration_of(lines: Sequence[Took], plan: Plan, device: Device) -> Calibration:
    """The same from given lines."""
    here = [line for line in lines if line.device == device.key]
    same = [
        line
        for line in here
        if (line.base, line.quantization) == (plan.model.base, plan.model.quantization)
    ]
    runs = [line for line in same if line.source == "run"] or same
    told = _told(runs, "this model")
    if not runs:
        runs = [line for line in here if line.source == "run"]
        told = _told(runs, "other models")
    runs = runs[-NEWEST:]
    answers = [line for line in lines if line.answers == answers_key(plan) and line.answer_tokens]
    own = [line for line in answers if line.source == "run"] or answers
    default = Calibration()
    return Calibration(
        sampling=_median(runs, "sampling") or default.sampling,
        learning=_median(runs, "learning") or default.learning,
        memory=(_median(same[-NEWEST:], "memory") if same else None) or default.memory,
        grading=_median([line for line in runs if line.name == plan.name], "grading"),
        opening=_median(same, "opening"),
        answer_tokens=own[-1].answer_tokens if own else None,
        answers_from=_answers_from(own),
        told=told if runs else default.told,
        runs=len(runs),
        last=_last(same, plan),
    )


def _told(lines: Sequence[Took], what: str) -> str:
    runs = sum(line.source == "run" for line in lines[-NEWEST:])
    if not runs:
        return f"scaled by `plan --measure` of {what} on this machine"
    last = "the last run" if runs == 1 else f"the last {runs} runs"
    return f"scaled by {last} of {what} on this machine"


def _answers_from(lines: Sequence[Took]) -> str:
    if not lines:
        return ""
    return "measured in the last run" if lines[-1].source == "run" else "measured on the base model"


def _last(same: Sequence[Took], plan: Plan) -> Took | None:
    """The last run of this very plan, else of its name, else of the model."""
    compared = [line for line in same if line.seconds and line.predicted_seconds]
    for choose in (
        lambda line: line.plan == plan.hash,
        lambda line: line.name == plan.name,
        lambda _: True,
    ):
        found = [line for line in compared if choose(line)]
        if found:
            return found[-1]
    return None


def _median(lines: Sequence[Took], name: str) -> float | None:
    values = [value for line in lines if (value := getattr(line, name)) is not None]
    return median(values) if values else None


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value > 0
