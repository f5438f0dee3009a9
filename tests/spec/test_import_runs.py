"""What was imported runs: a step of training with the built-in model, from job to record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rftspec.plan.compile import compile_plan
from rftspec.record.folder import Record
from rftspec.run.loop import run_plan
from rftspec.spec.load import load_spec
from tests.spec.importing import attempt, entries, load

SMALL = (
    "model.base=builtin:case-reader", "device=cpu", "train.steps=1", "train.prompts_per_step=1",
    "train.samples_per_prompt=2", "response.max_tokens=8", "evaluate.samples=1",
    "on_error.stop_above=1",
)  # fmt: skip
RUN = (
    "the guide's job with a string check",
    "medical phrases, lexical multi",
    "Countdown by a Python grader from 0 to 5",
    "ClauseMatching's multi grader",
    "a flat response format",
    "graders as a list",
    "a response format of any JSON",
)
CHOSEN = [entry for entry in entries() if entry["name"] in RUN]


def test_the_entries_that_run_are_in_the_table() -> None:
    assert {entry["name"] for entry in CHOSEN} == set(RUN)


@pytest.mark.parametrize("entry", CHOSEN, ids=lambda entry: entry["name"])
def test_an_imported_spec_runs_to_its_end(entry: Mapping[str, Any], tmp_path: Path) -> None:
    tried = attempt(entry, tmp_path)
    loaded, _ = load(entry, tried)  # writes the rows
    assert loaded is not None
    changes = [change for change in SMALL if not _excluded(change, loaded.spec.train.epochs)]
    plan = compile_plan(load_spec(tried.out, overrides=changes))
    outcome = run_plan(plan, tmp_path / "run")
    assert outcome.exit_code == 0, outcome.message
    record = Record.open(tmp_path / "run")
    steps = list(record.events("step"))
    assert steps
    assert all(step["metrics"]["grad_norm"] >= 0 for step in steps)
    scored = [line["scores"] for line in record.samples()]
    assert all(line.keys() == plan.graders.keys() for line in scored)


def _excluded(change: str, epochs: float | None) -> bool:
    """One row and one prompt a step make an epoch a step or two: `steps` may not stand beside."""
    return epochs is not None and change.startswith("train.steps")
