"""Before the first step: prompts that do not fit are refused, a base at an extreme is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.plan.calibration import read_lines
from rftspec.record.folder import Record
from rftspec.run.headroom import before_training
from rftspec.run.history import History
from rftspec.run.loop import run_plan
from rftspec.run.observer import Silent
from tests.run.fake_engine import FakeEngine, Killed


class Listening(Silent):
    """Keeps what it was warned of."""

    def __init__(self):
        self.warnings = []

    def on_warning(self, code, message, step):
        self.warnings.append((code, message, step))


class Short(FakeEngine):
    """Sees few tokens: a prompt of five characters and an answer of 32 are more."""

    context = 36


class Hopeless(FakeEngine):
    """Never right."""

    def _complete(self, prompt, index, skill):
        return super()._complete(prompt, index, -1.0)


class Perfect(FakeEngine):
    """Always right."""

    def _complete(self, prompt, index, skill):
        found = super()._complete(prompt, index, 2.0)
        left, right = bytes(prompt.tokens).decode().split("+")
        text = json.dumps({"sum": int(left) + int(right)})
        return replace(found, text=text)


def test_prompt_that_does_not_fit_is_refused_before_anything_began(plan, tmp_path):
    """Every one of the rows, by file and line, and no folder is left."""
    with pytest.raises(DiagnosticError) as caught:
        run_plan(plan, tmp_path / "run", engine=Short())
    found = caught.value.diagnostics
    assert {one.code for one in found} == {"M210"}
    assert found[0].span.line == 1
    assert Path(found[0].span.file).name == "test.jsonl"  # numbers from 100 on: five characters
    assert "never cut" in found[0].hint
    assert found[-1].message.startswith("3 more prompts")
    assert not (tmp_path / "run").exists()


def test_prompts_that_fit_exactly_are_run(plan, tmp_path):
    """A prompt and an answer that fill the context."""

    class JustEnough(FakeEngine):
        context = 32 + 5

    assert run_plan(plan, tmp_path / "run", engine=JustEnough()).exit_code == 0


@pytest.mark.parametrize(
    ("engine", "said"), [(Hopeless, "the least there is"), (Perfect, "the most there is")]
)
def test_base_at_an_extreme_is_told_before_the_first_step_and_the_run_goes_on(
    engine, said, plan, tmp_path
):
    """Once, in the record and to the person; of the rows that are learned from."""
    heard = Listening()
    outcome = run_plan(plan, tmp_path / "run", engine=engine(), observer=heard)
    assert outcome.exit_code == 0
    assert [(code, step) for code, _, step in heard.warnings if code == "H0"] == [("H0", 0)]
    events = [
        e["event"] for e in Record(tmp_path / "run", plan).events() if e["event"] != "warning"
    ]
    warned = [e for e in Record(tmp_path / "run", plan).events("warning") if e["code"] == "H0"]
    assert len(warned) == 1
    assert said in warned[0]["message"]
    assert "training rows" in warned[0]["message"]
    assert warned[0]["step"] == 0
    order = [e["event"] for e in Record(tmp_path / "run", plan).events()]
    assert order.index("warning") < order.index("step")
    assert "step" in events


def test_base_with_headroom_is_not_warned_of(plan, tmp_path):
    """The usual case."""
    heard = Listening()
    run_plan(plan, tmp_path / "run", engine=FakeEngine(), observer=heard)
    assert not [code for code, _, _ in heard.warnings if code == "H0"]


def test_without_any_base_evaluation_nothing_is_said(plan):
    """There is nothing to say it of."""
    assert before_training(History(), plan) is None


def test_forecast_and_what_it_took_stand_in_the_timings(plan, tmp_path, monkeypatch):
    """And a line of it is kept for the next plan, on which its error can be told."""
    monkeypatch.setenv("RFTSPEC_CACHE", str(tmp_path / "cache"))
    plan = replace(plan, model=replace(plan.model, base="builtin:case-reader"))
    run_plan(plan, tmp_path / "run", engine=FakeEngine())
    timings = {t["phase"]: t for t in Record(tmp_path / "run", plan).timings()}
    assert timings["forecast"]["seconds"] > 0
    assert timings["forecast"]["memory"] > 0
    assert timings["took"]["seconds"] > 0
    (line,) = read_lines()
    assert (line.source, line.plan, line.base) == ("run", plan.hash, "builtin:case-reader")
    assert line.seconds == pytest.approx(timings["took"]["seconds"], abs=0.5)
    assert line.predicted_seconds == pytest.approx(timings["forecast"]["seconds"], abs=0.01)
    assert line.answer_tokens is not None
    assert 5 < line.answer_tokens < 32
    assert line.sampling is not None
    assert line.memory is not None


def test_run_of_two_sessions_has_no_time_to_compare_but_keeps_its_rates(
    plan, tmp_path, monkeypatch
):
    """What lay between them is nobody's forecast."""
    monkeypatch.setenv("RFTSPEC_CACHE", str(tmp_path / "cache"))
    plan = replace(plan, model=replace(plan.model, base="builtin:case-reader"))
    with pytest.raises(Killed):
        run_plan(plan, tmp_path / "run", engine=FakeEngine(kill_at=18))
    run_plan(plan, tmp_path / "run", engine=FakeEngine(), resume=True)
    (line,) = read_lines()
    assert line.seconds is None
    assert line.sampling is not None


def test_cache_that_is_off_stops_no_run(plan, tmp_path, monkeypatch):
    """Nothing is kept, and nothing is said."""
    monkeypatch.setenv("RFTSPEC_CACHE", "off")
    assert run_plan(plan, tmp_path / "run", engine=FakeEngine()).exit_code == 0
