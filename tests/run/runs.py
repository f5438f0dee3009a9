"""Small runs for tests: data on disk, a plan, graders that need nothing."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from rftspec.data.rows import file_hash
from rftspec.graders.score import MISSING, Graded, Score
from rftspec.plan.model import (
    DataPlan,
    EvaluatePlan,
    ModelPlan,
    Plan,
    ReferencePlan,
    ResponsePlan,
    SplitPlan,
    TrainPlan,
)
from rftspec.run import loop
from rftspec.run.grade import Grading

DETERMINISTIC = ("events.jsonl", "samples.jsonl", "rows.jsonl")


class SumGraders:
    """Reward 1 for the right sum; fails on rows whose item says so."""

    def __init__(self) -> None:
        self.closed = False

    def submit(self, samples, items):
        graded = [self._grade(sample, item) for sample, item in zip(samples, items, strict=True)]
        return SimpleNamespace(result=lambda: graded)

    def _grade(self, sample, item):
        if item.get("broken"):
            score = Score(None, "python_grader_runtime_error", "ZeroDivisionError at line 3")
            return Graded(
                0.0,
                error=score.error,
                error_grader="right",
                error_detail=score.detail,
                scores={"right": score},
                metrics={"exact": None},
            )
        found = None if sample.output_json is MISSING else sample.output_json.get("sum")
        value = float(found == item["sum"])
        return Graded(value, scores={"right": Score(value)}, metrics={"exact": value})

    def close(self) -> None:
        self.closed = True


@contextmanager
def fake_grading(plan, rows):
    """Stands in for `scoring.open_grading`."""

    def ballot(expression, sample, item):
        return None if sample.output_json is MISSING else json.dumps(sample.output_json)

    yield Grading(SumGraders(), plan.response.format, ballot)


def use_fake_grading(monkeypatch) -> None:
    monkeypatch.setattr(loop, "open_grading", fake_grading)


def write_split(folder: Path, name: str, numbers, **extra) -> SplitPlan:
    """One JSONL file of sums; the `kind` of a row is its cluster."""
    path = folder / f"{name}.jsonl"
    rows = [
        {
            "id": f"{name}-{n}",
            "messages": [{"role": "user", "content": f"{n}+{n % 7}"}],
            "sum": n + n % 7,
            "kind": f"{name}-{n // 2}",
            **extra,
        }
        for n in numbers
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return SplitPlan(str(path), len(rows), file_hash(path))


def small_plan(folder: Path, *, steps=6, test=True, validation=True, **changes) -> Plan:
    """A plan of seconds: 12 training rows, 8 validation rows, 8 test rows."""
    folder.mkdir(parents=True, exist_ok=True)
    outputs = folder / "outputs.jsonl"
    split = "test" if test else "validation"
    outputs.write_text(
        "".join(
            json.dumps({"id": f"{split}-{n}", "output_text": json.dumps({"sum": n + n % 7})}) + "\n"
            for n in range(100 if test else 50, 106 if test else 56)
        ),
        encoding="utf-8",
    )
    references = (
        ReferencePlan("oracle", "outputs", str(outputs), 0, None, "knows"),
        ReferencePlan("vote", "vote", None, 5, "sample.output_json", None),
    )
    plan = Plan(
        name="sums",
        seed=3,
        spec_path="sums.yaml",
        spec_text="",
        device="cpu",
        model=ModelPlan("builtin:fake", None, "none", 4, 8.0, ("all-linear",)),
        data=DataPlan(
            write_split(folder, "train", range(12)),
            write_split(folder, "validation", range(50, 58)) if validation else None,
            write_split(folder, "test", range(100, 108)) if test else None,
            ("item.kind",),
            None,
            None,
        ),
        response=ResponsePlan({"type": "json_object"}, 32, 1.0),
        graders={"right": {"type": "expression", "expression": "1"}},
        reward="right",
        reward_range=(0.0, 1.0),
        stop_above=0.05,
        train=TrainPlan("grpo", steps, 5, 4, 0.1, 0, 0.0, 1.0, 2),
        evaluate=EvaluatePlan(
            3, 2, 1, {"exact": "right"}, references if test or validation else (), "exact"
        ),
        require=(),
        track=(),
        reasons={},
    )
    return replace(plan, **changes)


def contents(folder: Path) -> dict[str, bytes]:
    """The deterministic streams, the adapter, and the checkpoints."""
    found = {name: (folder / name).read_bytes() for name in DETERMINISTIC}
    for part in ("adapter", "checkpoints"):
        for path in sorted((folder / part).rglob("*")):
            if path.is_file():
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found
