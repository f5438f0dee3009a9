"""What a display shows of a run: the state that grows while the loop tells, and its words.

`live.Live` draws it, `plain.Plain` prints it line by line; neither keeps anything else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rftspec.cli.visible import visible
from rftspec.run.observer import EvaluationSeen, Phase, Progress, StepSeen

BLOCKS = "▁▂▃▄▅▆▇█"
MIN_SPREAD = 0.1
"""Rewards that lie closer together than this are drawn flat: their wiggles would be noise."""
KEPT_WARNINGS = 3
SHOWN_METRICS = 4


@dataclass
class View:
    """All that is known of the run so far."""

    clock: Callable[[], float] = time.monotonic
    phase: Phase | None = None
    progress: Progress | None = None
    heard_at: float = 0.0
    step: StepSeen | None = None
    rewards: list[float] = field(default_factory=list)
    validation: dict[int, float] = field(default_factory=dict)
    base_reward: float | None = None
    warnings: list[str] = field(default_factory=list)

    def on_phase(self, phase: Phase) -> None:
        """Remember where the run is."""
        self.phase = phase

    def on_progress(self, progress: Progress) -> None:
        """Remember how far it is."""
        self.progress, self.heard_at = progress, self.clock()

    def on_step(self, step: StepSeen) -> None:
        """Remember the newest step and the curve."""
        self.step = step
        reward = step.metrics.get("train_reward_mean")
        if reward is not None:
            self.rewards.append(reward)

    def on_evaluation(self, seen: EvaluationSeen) -> None:
        """Remember what was measured on the validation rows."""
        reward = seen.metrics.get("reward")
        if seen.split == "validation" and seen.model != "base" and reward is not None:
            self.validation[seen.step] = reward
        if seen.model == "base" and reward is not None:
            if seen.split == "validation":
                self.validation[0] = reward
            self.base_reward = self.validation.get(0, reward)

    def on_warning(self, code: str, message: str, step: int) -> None:
        """Remember the newest findings."""
        self.warnings = [*self.warnings, f"{code} at step {step}: {message}"][-KEPT_WARNINGS:]

    @property
    def elapsed(self) -> float:
        """Seconds since this process began the run, running on between two reports."""
        if self.progress is None:
            return 0.0
        return self.progress.elapsed + self.clock() - self.heard_at

    @property
    def remaining(self) -> float | None:
        """Seconds to the end as last estimated, running down between two reports."""
        if self.progress is None or self.progress.remaining is None:
            return None
        return max(0.0, self.progress.remaining - (self.clock() - self.heard_at))


def sparkline(values: list[float], width: int = 32) -> str:
    """The newest values as block letters, the lowest of them at the bottom."""
    shown = values[-width:]
    if not shown:
        return ""
    low = min(shown)
    spread = max(max(shown) - low, MIN_SPREAD)
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[min(top, int((value - low) / spread * top + 0.5))] for value in shown)


def clock_text(seconds: float | None) -> str:
    """`1:58`, `1:02:03`; `–:––` while nothing is known."""
    if seconds is None:
        return "–:––"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{whole % 60:02d}"
    return f"{minutes}:{whole % 60:02d}"


def percent(share: float | None) -> str:
    """`17 %`, `1.2 %`; one digit after the point below ten."""
    if share is None:
        return "–"
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"


def number(value: float | None, digits: int = 3) -> str:
    """A number of fixed digits, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def smoothed(values: list[float], window: int = 5) -> list[float]:
    """Means over the newest values at each place: single steps have other rows, and jump."""
    return [
        sum(values[max(0, end - window) : end]) / min(window, end)
        for end in range(1, len(values) + 1)
    ]


def evaluation_line(seen: EvaluationSeen) -> str:
    """`base on 200 test rows × 4: reward 0.310 · top@1 0.172 · …`; the rest is in the report."""
    per_row = round(seen.samples / seen.rows) if seen.rows else 0
    name = f"after step {seen.step}" if seen.model.startswith("step-") else visible(seen.model)
    metrics = [
        f"{visible(key)} {number(value)}"
        for key, value in seen.metrics.items()
        if key not in _REPORTED_ELSEWHERE
        and "/" not in key
        and not key.endswith(("_count", "_error_mean"))
    ]
    told = " · ".join(metrics[:SHOWN_METRICS])
    return f"{name} on {seen.rows} {seen.split} rows × {per_row}: {told}"


_REPORTED_ELSEWHERE = frozenset({"completion_tokens_mean", "truncated_share", "error_share"})


def answers_line(metrics: Mapping[str, float | None]) -> str:
    """What the step's completions looked like."""
    parts = []
    tokens = metrics.get("completion_tokens_mean")
    if tokens is not None:
        parts.append(f"{tokens:.0f} tokens")
    for key, word in (
        ("truncated_share", "cut off"),
        ("groups_no_signal_share", "groups without signal"),
        ("train_error_share", "grader errors"),
        ("train_sample_parse_error_mean", "not valid JSON"),
    ):
        if metrics.get(key) is not None:
            parts.append(f"{word} {percent(metrics[key])}")
    return " · ".join(parts)


def step_seconds(seconds: Mapping[str, float]) -> str:
    """`3.1 s = sampling 1.9 + grading 0.1 + training 1.1`."""
    parts = [
        f"{name} {seconds[name]:.1f}"
        for name in ("sampling", "grading", "training")
        if name in seconds
    ]
    whole = seconds.get("full_iteration", sum(seconds.values()))
    return f"{whole:.1f} s = " + " + ".join(parts) if parts else f"{whole:.1f} s"


def sample_text(sample: Mapping[str, Any]) -> str:
    """A graded completion on one line, safe to show."""
    scores = sample.get("scores") or {}
    told = [
        f"{visible(str(name))} {number(score.get('value'), 2)}"
        for name, score in scores.items()
        if isinstance(score, Mapping)
    ]
    reward = number(sample.get("reward"), 2)
    return f"reward {reward} ({', '.join(told)})  {visible(str(sample.get('output_text', '')))}"


def as_json_line(kind: str, values: Mapping[str, Any]) -> str:
    """One line for `--display json`."""
    return json.dumps({"display": kind, **values}, ensure_ascii=False, allow_nan=False)
