"""Metrics are declared once; nothing else can be logged; the docs say the same."""

from pathlib import Path

import pytest

from rftspec.engine.types import ENGINE_METRICS
from rftspec.record import events
from rftspec.record.metrics import (
    METRICS,
    UndeclaredMetric,
    declared,
    markdown,
    split_streams,
)

DOCS = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_the_page_of_the_docs_is_what_the_declarations_say():
    assert DOCS.read_text(encoding="utf-8") == markdown(), "run: python -m tools.metrics_doc"


def test_every_metric_has_a_unit_a_meaning_and_one_declaration():
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    assert all(metric.unit and metric.meaning.endswith(".") for metric in METRICS)


@pytest.mark.parametrize("name", ENGINE_METRICS)
def test_what_the_engine_gives_is_declared(name):
    assert declared(name).stream == "events"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("train_reward_mean", "train_reward_mean"),
        ("graders/rank/train_reward_mean", "graders/{grader}/train_reward_mean"),
        ("metrics/top@1/train_mean", "metrics/{metric}/train_mean"),
        ("train_sample_parse_error_count", "train_{error}_count"),
        ("valid_python_grader_runtime_error_mean", "valid_{error}_mean"),
    ],
)
def test_families_take_their_members(name, family):
    assert declared(name).name == family


@pytest.mark.parametrize(
    "name", ["train_reward", "train_unheard_error_mean", "graders/rank", "Loss", ""]
)
def test_an_undeclared_metric_cannot_be_logged(name):
    with pytest.raises(UndeclaredMetric):
        declared(name)
    with pytest.raises(UndeclaredMetric):
        events.step(1, {name: 1.0})


def test_a_measured_metric_cannot_stand_in_the_events():
    with pytest.raises(UndeclaredMetric, match="timings"):
        events.step(1, {"sampling": 0.2})


def test_measured_values_go_to_the_timings_and_what_is_not_finite_to_none():
    told, measured = split_streams({"loss": float("inf"), "peak_memory": 5.0, "entropy": 1})
    assert told == {"loss": None, "entropy": 1.0}
    assert measured == {"peak_memory": 5.0}
