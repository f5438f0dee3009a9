"""A run on a terminal: one screen that is redrawn in place, and lines above it that stay."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rftspec.cli.view import (
    View,
    answers_line,
    clock_text,
    evaluation_line,
    number,
    percent,
    sample_text,
    smoothed,
    sparkline,
    step_seconds,
)
from rftspec.cli.visible import visible
from rftspec.run.observer import EvaluationSeen, Phase, Progress, StepSeen

REFRESH_PER_SECOND = 4
LABEL = 12
SAMPLE_LINES = 3


class Live:
    """Phase, progress, rewards, the last graded sample, warnings, time left."""

    def __init__(
        self, title: str, console: Console | None = None, view: View | None = None
    ) -> None:
        self.title = visible(title)
        self.console = console or Console(highlight=False)
        self.view = view or View()
        self._live = RichLive(
            get_renderable=self.screen,
            console=self.console,
            refresh_per_second=REFRESH_PER_SECOND,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear the screen part; what was printed above it stays."""
        self._live.stop()

    def on_phase(self, phase: Phase) -> None:
        """Show where the run is."""
        self.view.on_phase(phase)

    def on_progress(self, progress: Progress) -> None:
        """Move the bars."""
        self.view.on_progress(progress)

    def on_step(self, step: StepSeen) -> None:
        """Grow the curve."""
        self.view.on_step(step)

    def on_evaluation(self, evaluation: EvaluationSeen) -> None:
        """A line that stays: what was measured."""
        self.view.on_evaluation(evaluation)
        line = f"  {evaluation_line(evaluation)}"
        self._keep(Text(line, no_wrap=True, overflow="ellipsis"))

    def on_warning(self, code: str, message: str, step: int) -> None:
        """A line that stays: what to look at."""
        self.view.on_warning(code, message, step)
        self._keep(Text(f"  ! {code} at step {step}: {visible(message)}", style="yellow"))

    def on_notice(self, text: str) -> None:
        """A line that stays."""
        self._keep(Text(f"  {visible(text)}", style="dim"))

    def _keep(self, line: Text) -> None:
        self.console.print(line)

    def screen(self) -> RenderableType:
        """The part that is redrawn."""
        rows = Table.grid(padding=(0, 1), expand=True)
        rows.add_column(width=LABEL, style="dim", no_wrap=True)
        rows.add_column(ratio=1, overflow="ellipsis")
        for label, value in self._rows():
            rows.add_row(label, value)
        return Group(Text(""), self._title(), *self._bars(), rows)

    def _title(self) -> Text:
        title = Text.assemble((self.title, "bold"), no_wrap=True, overflow="ellipsis")
        if self.view.phase is not None:
            title.append(f" · {visible(self.view.phase.title)}")
        return title

    def _bars(self) -> list[RenderableType]:
        """The run as a whole, and the phase inside it."""
        view, told = self.view, self.view.progress
        if told is None:
            return [Text(f"{'':<{LABEL}} opening the model …", style="dim")]
        left = f"{clock_text(view.elapsed)} elapsed · {clock_text(view.remaining)} left"
        bars = _bars()
        bars.add_row("whole run", _bar(told.share), Text(f"{percent(told.share):>6}  {left}"))
        if told.total:
            unit = view.phase.unit if view.phase else ""
            count = f"{percent(told.done / told.total):>6}  {told.done:,} of {told.total:,} {unit}"
            bars.add_row("this part", _bar(told.done / told.total), Text(count))
        return [bars]

    def _rows(self) -> list[tuple[str, RenderableType]]:
        view, step = self.view, self.view.step
        rows: list[tuple[str, RenderableType]] = []
        if view.rewards:
            rows.append(("reward", _curve(smoothed(view.rewards))))
        if view.validation:
            points = [view.validation[at] for at in sorted(view.validation)]
            rows.append(("validation", _curve(points)))
        if step is not None:
            rows.append(("answers", _line(answers_line(step.metrics))))
            rows.append(("a step", _line(step_seconds(step.seconds))))
            rows.append(("last sample", _wrapped(sample_text(step.sample), self.console.width)))
        return rows


def _bars() -> Table:
    """The grid that both bars stand in, so that they are of one width."""
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(width=LABEL, style="dim", no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True)
    return grid


def _bar(share: float) -> ProgressBar:
    return ProgressBar(total=1.0, completed=min(1.0, share), width=None)


def _curve(values: list[float]) -> Text:
    """`0.310 → 0.580  ▁▂▃▅`: first, newest, and the way between."""
    text = Text(number(values[0]), no_wrap=True, overflow="ellipsis")
    if len(values) > 1:
        text.append(" → ")
        text.append(number(values[-1]), style="bold green" if values[-1] > values[0] else "bold")
        text.append(f"  {sparkline(values)}", style="cyan")
    return text


def _line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _wrapped(text: str, width: int) -> Text:
    """At most a few lines of foreign text."""
    room = max(20, width - LABEL - 2) * SAMPLE_LINES
    return Text(text if len(text) <= room else text[: room - 1] + "…", overflow="fold", style="dim")
