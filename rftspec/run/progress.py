"""How far a run is and how long it will take, from what its units have cost so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rftspec.run.observer import Observer, Phase, PhaseName, Progress
from rftspec.run.program import Unit

_LEARNING_COST = 2.0
"""A rollout's cost in evaluation completions before a step was timed: it is also learned from."""

_ENOUGH = 0.1


@dataclass(slots=True)
class Meter:
    """Counts completions and seconds per kind of work, and tells the observer."""

    observer: Observer
    units: Sequence[Unit]
    now: Callable[[], float] = time.monotonic
    _start: float = 0.0
    _phase: Phase = field(default_factory=lambda: Phase("open", "", 0, "completions"))
    _phase_done: int = 0
    _unit_done: int = 0
    _unit_start: float = 0.0
    _position: int = 0
    _seconds: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})
    _completions: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def __post_init__(self) -> None:
        self._start = self.now()

    def opening(self, title: str) -> None:
        """The model is being opened; units follow."""
        self._begin("open", title, 0)

    def at(self, position: int) -> None:
        """The run stands before this unit: tell of a new phase, unless training goes on."""
        self._position, self._unit_done, self._unit_start = position, 0, self.now()
        unit = self.units[position]
        if unit.kind == "step":
            steps = max(u.step for u in self.units if u.kind == "step")
            if self._phase.name != "train":
                self._begin("train", "training", steps, steps=True)
            self._phase_done = unit.step - 1
        else:
            self._begin(_phase_name(unit), _title(unit), unit.completions)
        self._tell()

    @contextmanager
    def sampling(self, completions: int) -> Iterator[Callable[[int], None]]:
        """Around a call of the engine: gives the function that it tells finished samples to."""
        before = self._unit_done

        def finished(count: int) -> None:
            self._unit_done += count
            if self._phase.unit == "completions":
                self._phase_done += count
            self._tell()

        yield finished
        finished(before + completions - self._unit_done)  # what the engine did not tell of

    def spent(self, completions: int, seconds: float, *, training: bool = False) -> None:
        """That many completions took that many seconds, grading and learning included."""
        self._seconds[training] += seconds
        self._completions[training] += completions
        if training:
            self._phase_done += 1
            self._unit_done = self.units[self._position].completions * 2
        self._tell()

    def _begin(self, name: PhaseName, title: str, total: int, *, steps: bool = False) -> None:
        self._phase = Phase(name, title, total, "steps" if steps else "completions")
        self._phase_done = 0
        self.observer.on_phase(self._phase)

    def _tell(self) -> None:
        left, total = self._left(), self._work(self.units)
        share = 0.0 if left is None or total <= 0 else 1.0 - left / total
        elapsed = self.now() - self._start
        phase = self._phase
        self.observer.on_progress(
            Progress(
                phase.name, self._phase_done, phase.total, elapsed, left, min(1.0, max(0.0, share))
            )
        )

    def _left(self) -> float | None:
        """Estimated seconds of the units from here on."""
        if not self._cost(False):
            return None
        training = self.units[self._position].kind == "step"
        # a rollout counts half when it is sampled, whole when the step is done
        done = self._unit_done * self._cost(training) / (2 if training else 1)
        return max(0.0, self._work(self.units[self._position :]) - done)

    def _work(self, units: Sequence[Unit]) -> float:
        training = sum(u.completions for u in units if u.kind == "step")
        measuring = sum(u.completions for u in units if u.kind != "step")
        return training * self._cost(True) + measuring * self._cost(False)

    def _cost(self, training: bool) -> float:
        """Seconds per completion: measured, else from the other kind of work."""
        if self._completions[training]:
            return self._seconds[training] / self._completions[training]
        if self._completions[not training]:
            other = self._seconds[not training] / self._completions[not training]
        else:
            other = self._first_rate() * (1 if training else _LEARNING_COST)
        return other * _LEARNING_COST if training else other / _LEARNING_COST

    def _first_rate(self) -> float:
        """Seconds per completion of the first evaluation, once a tenth of it is done."""
        enough = self.units[self._position].completions * _ENOUGH
        if not self._unit_done or self._unit_done < enough:
            return 0.0
        return (self.now() - self._unit_start) / self._unit_done


def _phase_name(unit: Unit) -> PhaseName:
    if unit.kind == "measure":
        return "base" if unit.model == "base" else "tuned"
    return {"reference": "reference", "checkpoint": "validate"}.get(unit.kind, "finish")  # type: ignore[return-value]


def _title(unit: Unit) -> str:
    if unit.kind == "finish":
        return "writing what is left"
    if unit.kind == "reference":
        return f"reference {unit.model}"
    samples = unit.samples + unit.ballots
    rows = unit.completions // max(1, samples)
    return f"{unit.model} model on {rows} {unit.split} rows × {samples}"
