"""The loop with the real graders: expressions, a Python grader, votes and gates."""

from dataclasses import replace

import pytest

from rftspec.plan.model import ReferencePlan
from rftspec.record.folder import Record
from rftspec.run.evaluate import winner
from rftspec.run.loop import run_plan
from rftspec.run.rows import read_splits
from rftspec.run.scoring import open_grading
from tests.run.fake_engine import FakeEngine
from tests.run.runs import contents, small_plan

SCHEMA = {
    "type": "object",
    "properties": {"sum": {"type": "number"}},
    "required": ["sum"],
}
PYTHON = "def grade(sample, item):\n    return 1.0 if len(sample['output_text']) < 40 else 0.0\n"


@pytest.fixture
def real_plan(tmp_path):
    """The small plan with graders of the shipped kinds and a JSON schema."""
    plan = small_plan(tmp_path / "data", steps=2)
    return replace(
        plan,
        response=replace(
            plan.response,
            format={"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}},
        ),
        graders={
            "right": {
                "type": "expression",
                "expression": "if (sample.output_json.sum ?? -1) == item.sum then 1 else 0",
                "range": [0, 1],
            },
            "short": {"type": "python", "source": PYTHON, "range": [0, 1]},
        },
        reward="0.9 * right + 0.1 * short",
        evaluate=replace(
            plan.evaluate,
            every=2,
            metrics={"exact": "(sample.output_json.sum ?? -1) == item.sum"},
            references=(
                plan.evaluate.references[0],
                ReferencePlan("vote", "vote", None, 5, "sample.output_json.sum", None),
            ),
        ),
        require=('metric("exact", oracle) == 1 and metric("reward", base) < 1',),
        sandbox="reduced",
    )


def test_a_run_with_the_shipped_graders_is_graded_voted_and_gated(real_plan, tmp_path):
    outcome = run_plan(real_plan, tmp_path / "run", engine=FakeEngine(3))
    assert outcome.exit_code == 0, outcome
    record = Record.open(tmp_path / "run")
    events = {e["model"]: e["metrics"] for e in record.events("evaluation") if e["split"] == "test"}
    assert events["oracle"]["exact"] == 1.0
    assert events["oracle"]["reward"] == pytest.approx(1.0)
    assert events["base"]["graders/short"] == 1.0
    rollout = next(record.samples(kind="rollout"))
    assert rollout["scores"].keys() == {"right", "short"}
    assert rollout["metrics"].keys() == {"exact"}


def test_graders_give_the_same_bytes_twice(real_plan, tmp_path):
    for name in ("a", "b"):
        run_plan(real_plan, tmp_path / name, engine=FakeEngine(3))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_vote_is_for_the_value_and_not_for_the_words(real_plan):
    rows = read_splits(real_plan.data, 0)
    with open_grading(real_plan, rows) as grading:
        texts = ['{"sum": 3}', '{"sum":3.0}', '{"sum": 4}', "three"]
        votes = [grading.ballot("sample.output_json.sum", t, "stop", rows.test[0]) for t in texts]
    assert votes[0] == votes[1]
    assert votes[2] not in (None, votes[0])
    assert votes[3] is None


def test_the_vote_goes_to_the_first_sample_with_the_most_frequent_value():
    assert winner(["a", "b", "b", "a"]) == 0
    assert winner([None, "b", "a", "a"]) == 2
    assert winner([None, None]) == 0
