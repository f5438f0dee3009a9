"""A run that never was, told to an observer: for looking at displays without a model.

python -m tests.cli.fake_run [rich|plain|json] [seconds per step]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

from rftspec.run.observer import EvaluationSeen, Observer, Phase, Progress, StepSeen

STEPS = 60
OUTPUT = '{"reasoning": "seizures fit best \x1b[31m\x1b]0;owned\x07", "genes": ["SCN1A", "KCNQ2"]}'


def tell(
    observer: Observer, pause: Callable[[float], None] = time.sleep, each: float = 0.0
) -> None:
    """Tell the whole of a run."""
    told = Told(observer, pause, each)
    told.phase("open", "opening the model", 0, "")
    told.measure("base", "test", 0, 0.31)
    told.measure("base", "validation", 0, 0.30)
    told.train()
    told.measure("tuned", "test", STEPS, 0.58)


class Told:
    """Where the story is."""

    def __init__(self, observer: Observer, pause: Callable[[float], None], each: float) -> None:
        self.observer, self.pause, self.each = observer, pause, each
        self.done, self.whole = 0.0, 100.0

    def phase(self, name: Any, title: str, total: int, unit: Any) -> None:
        """A part begins."""
        self.observer.on_phase(Phase(name, title, total, unit))
        self.name, self.total = name, total

    def progress(self, done: int, work: float) -> None:
        """Some of it is done."""
        self.done += work
        left = (self.whole - self.done) * max(self.each, 0.01) * 3
        share = min(1.0, self.done / self.whole)
        self.observer.on_progress(
            Progress(self.name, done, self.total, self.done, max(0.0, left), share)
        )
        self.pause(self.each)

    def measure(self, model: str, split: str, step: int, reward: float) -> None:
        """An evaluation."""
        name = "validate" if 0 < step < STEPS else model
        self.phase(name, f"{model} model on 200 {split} rows × 4", 800, "completions")
        for done in range(100, 801, 100):
            self.progress(done, 1.0)
        metrics = {
            "reward": reward, "graders/rank": reward, "top@1": reward / 2, "top@5": reward * 1.2,
            "completion_tokens_mean": 41.0, "truncated_share": 0.0, "error_share": 0.0,
        }  # fmt: skip
        self.observer.on_evaluation(EvaluationSeen(model, split, step, 200, 800, metrics, 12.3))

    def train(self) -> None:
        """Sixty steps with a validation at every twentieth."""
        for step in range(1, STEPS + 1):
            if step % 20 == 1:
                self.phase("train", f"training, steps {step} to {step + 19}", STEPS, "steps")
            reward = 0.3 + 0.3 * step / STEPS + 0.03 * math.sin(step)
            metrics = {
                "train_reward_mean": reward, "completion_tokens_mean": 41.2,
                "truncated_share": 0.01, "groups_no_signal_share": 0.125, "train_error_share": 0.0,
            }  # fmt: skip
            seconds = {"sampling": 1.9, "grading": 0.1, "training": 1.1, "full_iteration": 3.1}
            sample = {
                "output_text": OUTPUT, "reward": 0.7,
                "scores": {"rank": {"value": 0.7}, "concise": {"value": 1.0}},
            }  # fmt: skip
            self.observer.on_step(StepSeen(step, STEPS, metrics, seconds, sample))
            self.progress(step, 1.0)
            if step == 30:
                self.observer.on_warning("H4", "length is up 2.1× while `rank` is flat", step)
            if step % 20 == 0 and step < STEPS:
                self.measure(f"step-{step}", "validation", step, reward)


def main() -> None:
    """Show it."""
    from rftspec.cli.live import Live
    from rftspec.cli.plain import JsonLines, Plain

    kind = sys.argv[1] if len(sys.argv) > 1 else "rich"
    each = float(sys.argv[2]) if len(sys.argv) > 2 else 0.2
    displays = {"rich": lambda: Live("rare-disease"), "plain": Plain, "json": JsonLines}
    with displays[kind]() as display:
        tell(display, each=each)


if __name__ == "__main__":
    main()
