"""What was measured before: kept whole, damaged files forgiven, and used for the like only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftspec.plan import cache
from rftspec.plan.calibration import (
    FORM,
    MOST,
    Calibration,
    Took,
    add_line,
    calibrate,
    calibration_of,
    read_lines,
    took,
)
from rftspec.plan.compile import compile_plan
from rftspec.plan.device import Device
from rftspec.plan.measurement import (
    Measurement,
    keep_measurement,
    measurement_name,
    read_measurement,
)
from rftspec.plan.model import Plan
from rftspec.spec.load import load_spec
from tests.spec.samples import copy_sample

CPU = Device("cpu", "a processor", 32 << 30, 30 << 30, 8e10, 2e10)
OTHER = replace(CPU, name="another processor")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RFTSPEC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return compile_plan(load_spec(copy_sample(tmp_path / "here")))


def _run(plan: Plan, device: Device = CPU, **measured: Any) -> Took:
    return took(plan, device, "run", **measured)


def test_lines_come_back_as_they_were_and_only_the_newest_stay(folder: Path, plan: Plan) -> None:
    for n in range(MOST + 3):
        assert add_line(_run(plan, sampling=1.0 + n))
    lines = read_lines()
    assert len(lines) == MOST
    assert lines[-1].sampling == MOST + 3
    assert [path.name for path in folder.iterdir()] == ["calibration.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\x00", b"[]", b'"x"', b"[" * 100_000,
        b'{"format": "rftspec.calibration/9", "lines": []}',
        b'{"format": "rftspec.calibration/1", "lines": 3}',
        b'{"format": "rftspec.calibration/1", "lines": [1, {}, {"source": "run"}]}',
    ],
)  # fmt: skip
def test_damaged_file_is_as_good_as_none_and_is_replaced(
    content: bytes, folder: Path, plan: Plan
) -> None:
    folder.mkdir()
    (folder / "calibration.json").write_bytes(content)
    assert read_lines() == []
    assert calibrate(plan, CPU) == Calibration()
    assert add_line(_run(plan, sampling=2.0))
    assert [line.sampling for line in read_lines()] == [2.0]


def test_damaged_lines_are_passed_over_one_by_one(folder: Path, plan: Plan) -> None:
    good = _run(plan, sampling=2.0).to_json()
    bad: list[Any] = [
        {**good, "sampling": "fast"}, {**good, "sampling": -1}, {**good, "device": 3},
        {**good, "seconds": True}, None,
    ]  # fmt: skip
    cache.keep("calibration.json", FORM, {"lines": [*bad, good, {**good, "new_field": 1}]})
    assert [line.sampling for line in read_lines()] == [2.0, 2.0]


@pytest.mark.parametrize("obstacle", ["off", "file", "read-only"])
def test_cache_that_cannot_be_written_stops_nothing(
    obstacle: str, tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "here-is-a-file"
    place.write_text("x")
    values = {"off": "off", "file": str(place), "read-only": "/proc/nothing"}
    monkeypatch.setenv("RFTSPEC_CACHE", values[obstacle])
    assert not add_line(_run(plan, sampling=2.0))
    assert read_lines() == []


def test_scale_is_the_median_of_the_newest_runs_of_this_model_here(
    folder: Path, plan: Plan
) -> None:
    lines = [_run(plan, sampling=value) for value in (90.0, 1.0, 2.0, 3.0, 4.0, 5.0)]
    lines += [_run(plan, OTHER, sampling=50.0)]
    lines += [replace(_run(plan, sampling=70.0), base="some/other")]
    found = calibration_of(lines, plan, CPU)
    assert found.sampling == 3.0
    assert found.runs == 5
    assert "the last 5 runs of this model" in found.told


def test_measurements_count_where_no_run_was_made(folder: Path, plan: Plan) -> None:
    measured = took(plan, CPU, "measure", sampling=4.0, answer_tokens=11.0)
    found = calibration_of([measured], plan, CPU)
    assert (found.sampling, found.answer_tokens) == (4.0, 11.0)
    assert "plan --measure" in found.told
    run = _run(plan, sampling=2.0, answer_tokens=12.0)
    found = calibration_of([measured, run], plan, CPU)
    assert (found.sampling, found.answer_tokens) == (2.0, 12.0)


def test_other_models_on_this_machine_tell_its_speed_but_not_the_memory(plan: Plan) -> None:
    other = replace(_run(plan, sampling=2.0, memory=3.0), base="some/other", answers="x")
    found = calibration_of([other], plan, CPU)
    assert (found.sampling, found.memory, found.answer_tokens) == (2.0, 1.0, None)
    assert "other models" in found.told


def test_last_forecast_is_of_this_plan_else_of_its_name(plan: Plan) -> None:
    def line(**changes: Any) -> Took:
        done = _run(plan, seconds=100.0, predicted_seconds=90.0)
        return replace(done, **changes)

    own, named = line(), line(plan="another", seconds=50.0)
    elsewhere = line(plan="third", name="other", seconds=10.0)
    assert calibration_of([own, named, elsewhere], plan, CPU).last == own
    assert calibration_of([named, elsewhere], plan, CPU).last == named
    assert calibration_of([elsewhere], plan, CPU).last == elsewhere
    assert calibration_of([line(seconds=None)], plan, CPU).last is None


def _measurement(**changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "when": 1.0, "device": CPU.key, "rows": (0, 3), "samples": 2,
        "rewards": ((0.0, 1.0), (0.5, 0.5)), "errors": 0.0, "truncated": 0.25, "unparsed": 0.0,
        "answer_tokens": 12.5, "longest_answer": 20, "sampling_rate": 100.0, "learning_rate": 50.0,
        "opening": 3.0, "grading": 0.01, "peak_memory": 10**9,
    }  # fmt: skip
    return Measurement(**{**values, **changes})


def test_measurement_comes_back_for_the_plan_that_it_was_made_for(folder: Path, plan: Plan) -> None:
    found = _measurement()
    assert keep_measurement(plan, CPU, found) is not None
    assert read_measurement(plan, CPU) == found
    assert read_measurement(plan, OTHER) is None
    assert (found.mean, found.flat, found.completions) == (0.5, 0.5, 4)


@pytest.mark.parametrize(
    "changed",
    [
        lambda p: replace(p, model=replace(p.model, base="x/y")),
        lambda p: replace(p, model=replace(p.model, quantization="none")),
        lambda p: replace(p, data=replace(p.data, train=replace(p.data.train, sha256="0"))),
        lambda p: replace(p, data=replace(p.data, prompt="{{ item.gene }}")),
        lambda p: replace(p, graders={**p.graders, "more": {"type": "string_check"}}),
        lambda p: replace(p, reward="rank"),
        lambda p: replace(p, response=replace(p.response, max_tokens=7)),
        lambda p: replace(p, response=replace(p.response, temperature=0.5)),
    ],
)
def test_measurement_is_kept_by_all_that_decides_it(changed: Any, plan: Plan) -> None:
    assert measurement_name(changed(plan), CPU) != measurement_name(plan, CPU)


def test_measurement_does_not_depend_on_the_optimiser(plan: Plan) -> None:
    other = replace(plan, name="x", train=replace(plan.train, steps=99, learning_rate=1e-5))
    assert measurement_name(other, CPU) == measurement_name(plan, CPU)


@given(
    st.dictionaries(
        st.sampled_from([*_measurement().to_json(), "x"]),
        st.one_of(st.none(), st.text(max_size=3), st.integers(), st.lists(st.integers())),
    )
)
def test_damaged_measurement_is_none(values: dict[str, Any]) -> None:
    damaged = {**_measurement().to_json(), **values}
    found = Measurement.of(json.loads(json.dumps(damaged)))
    assert found is None or isinstance(found.mean, float)
