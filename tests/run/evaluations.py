"""Small evaluations for tests: the fake engine, graders that count, a folder for each."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rftspec.record.evaluations import EvalRecord, Subject
from rftspec.run import evaluation
from rftspec.run.candidate import head_of
from rftspec.run.grade import Grading
from tests.run.fake_engine import FakeEngine
from tests.run.runs import SumGraders

BASE = Subject("base", "base", "builtin:fake", "sha256:0")


class CountingGraders(SumGraders):
    """Remembers how many samples it was asked about, over all of its lives."""

    asked = 0

    def submit(self, samples, items):
        CountingGraders.asked += len(samples)
        return super().submit(samples, items)


@contextmanager
def counting(plan, rows):
    yield Grading(CountingGraders(), plan.response.format)


def no_engine():
    raise AssertionError("a model was opened")


def head(plan, subject=BASE, split="test", samples=2, greedy=False):
    return head_of(plan, subject, split, samples, greedy=greedy)


def run_eval(plan, folder, *, engine=None, cache=None, **asked):
    """Evaluate with a fake engine, or with none that may be opened."""
    opened = no_engine if engine is None else lambda: engine
    return evaluation.evaluate(head(plan, **asked), folder, opened, cache=cache)


def told(folder):
    """Every graded sample, in order of model, row and index."""
    lines = EvalRecord.open(folder).samples()
    return sorted(lines, key=lambda s: (s["model"], s["row"], s["index"]))


def outputs_file(folder: Path, numbers) -> Path:
    path = folder / "elsewhere.jsonl"
    lines = [
        json.dumps({"id": f"test-{n}", "output_text": json.dumps({"sum": n + n % 7})})
        for n in numbers
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def other_reward(plan):
    return replace(plan, reward="right + 0")


__all__ = ["BASE", "FakeEngine", "counting", "head", "no_engine", "other_reward", "run_eval"]
