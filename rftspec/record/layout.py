"""The names of everything in a run folder: the one place that knows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rftspec.plan.model import Plan

STREAMS = ("events", "samples", "rows")
"""Deterministic streams: cut back to the commit when a run is resumed."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths inside one run folder."""

    folder: Path

    @property
    def plan(self) -> Path:
        """The plan, exactly as it was run."""
        return self.folder / "plan.json"

    @property
    def commit(self) -> Path:
        """How far the run has come: the cursor and the lengths of the streams."""
        return self.folder / "commit.json"

    @property
    def lock(self) -> Path:
        """Held by the process that writes the run."""
        return self.folder / ".lock"

    @property
    def timings(self) -> Path:
        """Measured seconds: the one stream that differs between two runs of a plan."""
        return self.folder / "timings.jsonl"

    @property
    def streams(self) -> dict[str, Path]:
        """The deterministic streams by name."""
        return {name: self.folder / f"{name}.jsonl" for name in STREAMS}

    @property
    def checkpoints(self) -> Path:
        """Adapters of the run's checkpoints."""
        return self.folder / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """The adapter as it was after a step."""
        return self.checkpoints / f"step-{step:06d}"

    @property
    def states(self) -> Path:
        """Engine states that a resume can start from: the newest two."""
        return self.folder / "state"

    @property
    def adapter(self) -> Path:
        """The best checkpoint's adapter."""
        return self.folder / "adapter"

    @property
    def tensorboard(self) -> Path:
        """Event files for TensorBoard, when the plan tracks with it."""
        return self.folder / "tensorboard"

    @property
    def report_html(self) -> Path:
        """The report, one offline file."""
        return self.folder / "report.html"

    @property
    def report_json(self) -> Path:
        """The report's numbers."""
        return self.folder / "report.json"

    @property
    def summary(self) -> Path:
        """The report in a page of Markdown."""
        return self.folder / "SUMMARY.md"


@dataclass(frozen=True, slots=True)
class EvalLayout:
    """The files of an evaluation that a run does not have."""

    folder: Path

    @property
    def head(self) -> Path:
        """What is evaluated."""
        return self.folder / "eval.json"

    @property
    def finished(self) -> Path:
        """There when every row was measured: how many there were."""
        return self.folder / "finished.json"

    @property
    def items(self) -> Path:
        """Every sample in the shape of the hosted evals' output items."""
        return self.folder / "items.jsonl"

    @property
    def result(self) -> Path:
        """The numbers."""
        return self.folder / "result.json"


def run_folder(plan: Plan, root: Path | None = None) -> Path:
    """Where a plan's run goes unless the person says otherwise: runs/NAME-HASH."""
    return (root or Path("runs")) / f"{plan.name}-{plan.hash[:6]}"
