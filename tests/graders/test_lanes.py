"""Lanes: graders work at the same time, and one that is slow or dead holds up nobody."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from rftspec.expr.types import RecordOf
from rftspec.graders.grading import GraderSet
from rftspec.graders.lanes import Lanes
from rftspec.graders.score import Sample, Score

SAMPLES, ITEMS = [Sample("a"), Sample("b")], [{}, {}]


class Slow:
    """Waits until it is let go."""

    range = (0.0, 1.0)

    def __init__(self) -> None:
        self.go = threading.Event()
        self.closed = False

    def grade(self, samples: Any, items: Any) -> list[Score]:
        self.go.wait(20)
        return [Score(1.0) for _ in samples]

    def close(self) -> None:
        self.closed = True
        self.go.set()


class Quick(Slow):
    def grade(self, samples: Any, items: Any) -> list[Score]:
        return [Score(0.5, seconds=7.0), Score(0.25)]


def test_a_slow_grader_holds_up_no_other() -> None:
    slow, quick = Slow(), Quick()
    lanes = Lanes({"slow": slow, "quick": quick})
    try:
        waiting = [lanes.submit(SAMPLES, ITEMS) for _ in range(6)]
        assert [w["quick"].result(5)[0].value for w in waiting] == [0.5] * 6
        assert not any(w["slow"].done() for w in waiting)
        slow.go.set()
        assert waiting[-1]["slow"].result(5)[0].value == 1.0
    finally:
        lanes.close()


def test_every_score_has_its_seconds_the_graders_own_where_it_measures_them() -> None:
    lanes = Lanes({"quick": Quick()})
    scores = lanes.submit(SAMPLES, ITEMS)["quick"].result(5)
    lanes.close()
    assert scores[0].seconds == 7.0
    assert scores[1].seconds is not None
    assert 0 <= scores[1].seconds < 1


def test_closing_ends_a_grader_that_is_working_and_drops_what_waits() -> None:
    slow = Slow()
    lanes = Lanes({"slow": slow})
    waiting = [lanes.submit(SAMPLES, ITEMS)["slow"] for _ in range(12)]
    started = time.monotonic()
    lanes.close()
    assert slow.closed
    assert time.monotonic() - started < 5
    assert any(w.cancelled() for w in waiting)


def down(kind: Any) -> Score:
    return Score(None, kind, "the server is down")


@pytest.fixture
def graders() -> Any:
    settings = {
        name: {"type": "string_check", "input": "a", "reference": "a", "operation": "eq"}
        for name in ("judge", "script")
    }
    made = GraderSet.from_json(
        settings,
        "1 - 0.5 * judge - 0.25 * script",
        {},
        RecordOf({}),
        None,
        drop_infrastructure=True,
    )
    yield made
    made.close()


def test_a_sample_that_only_lacks_a_judge_is_dropped_and_never_paid(graders: Any) -> None:
    scores = {"judge": down("model_grader_server_error"), "script": Score(1.0)}
    found = graders.assemble(scores, Sample("x"), {})
    assert found.dropped
    assert found.reward == graders.reward_range[0] == 0.25


def test_what_a_script_found_wrong_is_not_dropped_with_a_judge_that_is_down(graders: Any) -> None:
    scores = {
        "judge": down("model_grader_server_error"),
        "script": Score(None, "python_grader_runtime_error", "boom"),
    }
    found = graders.assemble(scores, Sample("x"), {})
    assert not found.dropped
    assert found.error_grader == "script"
    assert found.reward == graders.reward_range[0]


@pytest.mark.parametrize("kind", ["model_grader_refusal_error", "model_grader_parse_error"])
def test_what_a_model_can_bring_about_is_never_dropped(graders: Any, kind: Any) -> None:
    found = graders.assemble({"judge": down(kind), "script": Score(1.0)}, Sample("x"), {})
    assert not found.dropped


def test_without_being_asked_nothing_is_dropped() -> None:
    settings = {"j": {"type": "string_check", "input": "a", "reference": "a", "operation": "eq"}}
    with GraderSet.from_json(settings, "j", {}, RecordOf({}), None) as made:
        assert not made.assemble({"j": down("model_grader_server_error")}, Sample("x"), {}).dropped
