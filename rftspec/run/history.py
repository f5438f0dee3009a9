"""What a run remembers: nothing but its events, folded.

A resumed run folds the events that it finds in the record and is where it was; there is no other
memory that could differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rftspec.record.events import Event

Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One evaluation as its event tells it."""

    model: str
    split: str
    step: int
    metrics: Values


@dataclass(slots=True)
class History:
    """The fold of a run's events."""

    steps: list[tuple[int, Values]] = field(default_factory=list)
    evaluations: list[Measured] = field(default_factory=list)
    checkpoints: list[tuple[int, float | None]] = field(default_factory=list)
    warned: set[str] = field(default_factory=set)
    summary: Mapping[str, Any] | None = None
    stopped: int = 0
    """The step that training ended at before its time; 0 where it did not."""
    keep_best: bool = True
    """Whether the best checkpoint is what the run gives, or the last one."""

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]], *, keep_best: bool = True) -> History:
        """Fold events read from a record."""
        history = cls(keep_best=keep_best)
        for event in events:
            history.take(str(event.get("event")), event)
        return history

    def take(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Fold one event."""
        if kind == "step":
            self.steps.append((fields["step"], fields["metrics"]))
        elif kind == "evaluation":
            found = Measured(fields["model"], fields["split"], fields["step"], fields["metrics"])
            self.evaluations.append(found)
        elif kind == "checkpoint":
            self.checkpoints.append((fields["step"], fields["valid_reward_mean"]))
        elif kind == "early_stop":
            self.stopped = fields["step"]
        elif kind == "warning":
            self.warned.add(fields["code"])
        elif kind == "finished":
            self.summary = {k: v for k, v in fields.items() if k not in ("seq", "event")}

    def take_event(self, event: Event) -> None:
        """Fold an event that is being written."""
        self.take(event.kind, event.fields)

    @property
    def best(self) -> tuple[int, float | None]:
        """The checkpoint of highest validation reward, the earliest of equals; else the last.

        The last one too where the plan does not keep the best.
        """
        rated = [(step, value) for step, value in self.checkpoints if value is not None]
        if rated and self.keep_best:
            return max(rated, key=lambda found: (found[1], -found[0]))
        return self.checkpoints[-1]

    def evaluation(self, model: str, split: str) -> Measured | None:
        """The last evaluation of a model on a split."""
        for found in reversed(self.evaluations):
            if (found.model, found.split) == (model, split):
                return found
        return None

    def recent(self, metric: str, count: int) -> list[float]:
        """A step metric over the last `count` steps that have it."""
        values = [v for _, m in self.steps[-count:] if (v := m.get(metric)) is not None]
        return list(values)
