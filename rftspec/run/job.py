"""What the parts of a run share while it goes: plan, rows, engine, graders, record, history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rftspec.engine.types import Engine, Prompt
from rftspec.plan.model import Plan
from rftspec.record.events import Event, row_line
from rftspec.record.writer import RecordWriter
from rftspec.run.grade import Grading
from rftspec.run.history import History
from rftspec.run.interrupt import Interrupt
from rftspec.run.observer import Observer
from rftspec.run.progress import Meter
from rftspec.run.rows import Row, Rows


class Stopped(Exception):
    """The run cannot go on as it is, and can be resumed from its last commit."""


@dataclass(slots=True)
class Job:
    """One run while it goes."""

    plan: Plan
    rows: Rows
    engine: Engine
    grading: Grading
    writer: RecordWriter
    history: History
    observer: Observer
    interrupt: Interrupt
    meter: Meter
    written: set[tuple[str, int]] = field(default_factory=set)
    """Rows of the data that stand in the record already."""
    learned: int = 0
    """The last step that the engine has learned in."""
    saved: int = 0
    """The step of the newest saved engine state."""
    holds_best: bool = False
    """The engine holds the best checkpoint's adapter, not the last one's."""
    _tokens: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.writer.folder

    def tell(self, event: Event) -> None:
        """Write an event and remember it."""
        self.writer.event(event)
        self.history.take_event(event)

    def prompt(self, row: Row, stream: str, step: int) -> Prompt:
        """A row as tokens, with the key of its samples' random numbers."""
        key = (row.split, row.index)
        if key not in self._tokens:
            self._tokens[key] = self.engine.encode(row.messages)
        return Prompt(self._tokens[key], (stream, step, row.index))

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Put rows in the record, each the first time that it is met."""
        lines = []
        for row in rows:
            if (row.split, row.index) not in self.written:
                self.written.add((row.split, row.index))
                lines.append(row_line(row.split, row.index, row.item, row.messages))
        self.writer.rows(lines)

    def commit(self, done: int) -> None:
        """Make `done` units safe, with the engine's state if it has learned since the last one."""
        if self.learned > self.saved:
            name = f"step-{self.learned:06d}"
            self.writer.commit(done, state=(name, self.engine.save_state))
            self.saved = self.learned
        else:
            self.writer.commit(done)

    def load_best(self) -> int:
        """Have the engine hold the best checkpoint's adapter; gives its step."""
        step, _ = self.history.best
        if not self.holds_best:
            self.engine.load_adapter(self.writer.layout.checkpoint(step))
            self.holds_best = True
        return step
