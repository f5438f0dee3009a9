"""A run as plain lines, for logs and pipes, and as JSON lines, for programs."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Any, Self

from rftspec.cli.view import (
    View,
    answers_line,
    as_json_line,
    clock_text,
    evaluation_line,
    number,
)
from rftspec.cli.visible import visible
from rftspec.run.observer import EvaluationSeen, Phase, Progress, StepSeen

QUIET_S = 15.0
"""A phase of many completions says how far it is this often."""


class Lines:
    """Writes lines; when the pipe is closed it falls silent, and the run goes on."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self.stream = stream or sys.stdout
        self.muted = False

    def write(self, line: str) -> None:
        """One line, at once."""
        if self.muted:
            return
        try:
            self.stream.write(line + "\n")
            self.stream.flush()
        except BrokenPipeError:
            self.muted = True
            if self.stream is sys.stdout:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Plain:
    """One line per step and per evaluation."""

    def __init__(
        self, lines: Lines | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.lines = lines or Lines()
        self.view = View(clock=clock)
        self._clock = clock
        self._told_at = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to put back."""

    def _say(self, line: str) -> None:
        self._told_at = self._clock()
        self.lines.write(line)

    def on_phase(self, phase: Phase) -> None:
        """A heading."""
        self.view.on_phase(phase)
        self._say(f"== {visible(phase.title)}")

    def on_progress(self, progress: Progress) -> None:
        """A sign of life where a phase is long."""
        self.view.on_progress(progress)
        if progress.phase != "train" and self._clock() - self._told_at >= QUIET_S:
            left = clock_text(progress.remaining)
            self._say(f"   {progress.done:,}/{progress.total:,}  {left} left")

    def on_step(self, step: StepSeen) -> None:
        """The step's reward and what its completions looked like."""
        self.view.on_step(step)
        reward = number(step.metrics.get("train_reward_mean"))
        seconds = step.seconds.get("full_iteration", 0.0)
        self._say(
            f"step {step.step}/{step.total}  reward {reward}  {answers_line(step.metrics)}"
            f"  {seconds:.1f} s  {clock_text(self.view.remaining)} left"
        )

    def on_evaluation(self, evaluation: EvaluationSeen) -> None:
        """What was measured."""
        self.view.on_evaluation(evaluation)
        self._say(f"   {evaluation_line(evaluation)}  ({evaluation.seconds:.0f} s)")

    def on_warning(self, code: str, message: str, step: int) -> None:
        """What to look at."""
        self._say(f"warning {code} at step {step}: {visible(message)}")

    def on_notice(self, text: str) -> None:
        """A remark."""
        self._say(f"note: {visible(text)}")


class JsonLines(Plain):
    """Everything the loop tells, as one JSON object a line."""

    def _tell(self, kind: str, value: Any) -> None:
        self.lines.write(as_json_line(kind, _plain(value)))

    def on_phase(self, phase: Phase) -> None:
        """{"display": "phase", …}."""
        self._tell("phase", phase)

    def on_progress(self, progress: Progress) -> None:
        """{"display": "progress", …}."""
        self._tell("progress", progress)

    def on_step(self, step: StepSeen) -> None:
        """{"display": "step", …}."""
        self._tell("step", step)

    def on_evaluation(self, evaluation: EvaluationSeen) -> None:
        """{"display": "evaluation", …}."""
        self._tell("evaluation", evaluation)

    def on_warning(self, code: str, message: str, step: int) -> None:
        """{"display": "warning", …}."""
        self._tell("warning", {"code": code, "message": message, "step": step})

    def on_notice(self, text: str) -> None:
        """{"display": "notice", …}."""
        self._tell("notice", {"text": text})


class Nothing(Plain):
    """Says nothing while the run goes."""

    def _say(self, line: str) -> None:
        pass


def _plain(value: Any) -> dict[str, Any]:
    """A dataclass or a mapping as a dict of JSON values."""
    if isinstance(value, Mapping):
        return dict(value)
    return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
