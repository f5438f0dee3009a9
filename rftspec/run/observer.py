"""What a run tells while it goes: a small protocol that a display implements.

The loop calls these; it does not know who listens. Everything told here is also in the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from rftspec.diagnostics import Diagnostic

PhaseName = Literal["open", "base", "reference", "train", "validate", "tuned", "finish"]
"""Open the model · measure the base · a reference · training steps · a validation between them ·
measure the tuned model · write what is left."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the run that begins now."""

    name: PhaseName
    title: str
    """For a person: `base model on 200 test rows × 8`."""
    total: int
    """What `Progress.done` counts up to; 0 if unknown."""
    unit: Literal["completions", "steps"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the phase and the run are."""

    phase: PhaseName
    done: int
    total: int
    elapsed: float
    """Seconds since this process began the run."""
    remaining: float | None
    """Estimated seconds to the end of the whole run; None while nothing has been measured."""
    share: float
    """Estimated share of the whole run's work that is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A training step is done."""

    step: int
    total: int
    metrics: Mapping[str, float | None]
    """As in the `step` event."""
    seconds: Mapping[str, float]
    """`sampling`, `grading`, `training`, `full_iteration`."""
    sample: Mapping[str, Any]
    """The line of one graded rollout, to be looked at."""


@dataclass(frozen=True, slots=True)
class EvaluationSeen:
    """A model was measured."""

    model: str
    split: str
    step: int
    rows: int
    samples: int
    metrics: Mapping[str, float | None]
    """As in the `evaluation` event."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run ended."""

    exit_code: Literal[0, 3, 4, 130]
    """0 finished · 3 failed, resumable · 4 finished, a gate failed · 130 interrupted, resumable."""
    folder: Path
    message: str
    """One or two sentences: what happened."""
    resume_command: str | None = None
    """The exact command that goes on, when the run is not finished."""
    summary: Mapping[str, Any] | None = None
    """The `finished` event's fields, when the run is finished."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What stopped it, where that is a thing a person can mend (a full disk)."""


class Observer(Protocol):
    """Listens to a run; must not raise and should not take long."""

    def on_phase(self, phase: Phase) -> None:
        """A part of the run begins."""
        ...

    def on_progress(self, progress: Progress) -> None:
        """Some completions, or a step, are done."""
        ...

    def on_step(self, step: StepSeen) -> None:
        """A training step is done."""
        ...

    def on_evaluation(self, evaluation: EvaluationSeen) -> None:
        """A model was measured."""
        ...

    def on_warning(self, code: str, message: str, step: int) -> None:
        """A health rule found something."""
        ...

    def on_notice(self, text: str) -> None:
        """Something worth knowing that is neither progress nor a finding."""
        ...


class Silent:
    """The observer that listens to nothing."""

    def on_phase(self, phase: Phase) -> None:
        """Nothing."""

    def on_progress(self, progress: Progress) -> None:
        """Nothing."""

    def on_step(self, step: StepSeen) -> None:
        """Nothing."""

    def on_evaluation(self, evaluation: EvaluationSeen) -> None:
        """Nothing."""

    def on_warning(self, code: str, message: str, step: int) -> None:
        """Nothing."""

    def on_notice(self, text: str) -> None:
        """Nothing."""
