"""The numbers of a step: what each grader said, how long it took, and who was left out."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from rftspec.graders.score import Graded, Sample, Score
from rftspec.record.folder import Record
from rftspec.record.metrics import declared
from rftspec.run import loop
from rftspec.run.grade import Answer, GradedSample, Grading
from rftspec.run.loop import run_plan
from rftspec.run.measures import evaluation_metrics, latencies, step_metrics
from rftspec.run.track import scalars
from tests.run.fake_engine import FakeEngine
from tests.run.runs import SumGraders, small_plan

DOWN = Score(None, "model_grader_server_error", "no answer", seconds=3.0)


def graded(reward: float, *, dropped: bool = False, score: Score | None = None) -> GradedSample:
    score = score or Score(reward, seconds=0.5)
    error = score.error
    found = Graded(
        reward, error, "right" if error else None, dropped=dropped, scores={"right": score}
    )
    row = SimpleNamespace(index=0)
    return GradedSample(row, 0, Sample("x"), 3, found, parse_error=False)  # type: ignore[arg-type]


@pytest.fixture
def graders_plan(tmp_path):
    plan = small_plan(tmp_path / "data")
    return replace(
        plan,
        graders={"right": {"type": "expression", "expression": "1", "pass_threshold": 0.5}},
        train=replace(plan.train, samples_per_prompt=2),
    )


def test_every_grader_has_spread_passes_errors_and_latency(graders_plan) -> None:
    samples = [graded(1.0), graded(0.0), graded(0.5), graded(0.0, score=DOWN)]
    found = step_metrics(samples, graders_plan)
    assert found["graders/right/train_reward_mean"] == pytest.approx(0.5)
    assert found["graders/right/train_reward_std"] == pytest.approx(0.408, abs=1e-3)
    assert found["graders/right/train_pass_rate"] == 0.5  # a failed one has not passed
    assert found["graders/right/train_model_grader_server_error_count"] == 1
    assert found["graders/right/train_model_grader_server_error_mean"] == 0.25
    assert latencies(samples)["right"]["mean"] == pytest.approx(1.125)
    for name in found:
        declared(name)


def test_dropped_samples_are_in_no_mean_and_in_the_count_of_failures(graders_plan) -> None:
    samples = [graded(1.0), graded(0.0, dropped=True, score=DOWN)]
    found = step_metrics(samples, graders_plan)
    assert found["train_reward_mean"] == 1.0
    assert found["train_error_share"] == found["train_dropped_share"] == 0.5
    assert found["groups_no_signal_share"] == 1.0
    assert evaluation_metrics(samples, graders_plan)["reward"] == 1.0


def test_a_step_whose_every_sample_is_dropped_has_no_reward(graders_plan) -> None:
    samples = [graded(0.0, dropped=True, score=DOWN)] * 2
    assert "train_reward_mean" not in step_metrics(samples, graders_plan)
    assert evaluation_metrics(samples, graders_plan)["reward"] is None


class Flaky(SumGraders):
    """A judge that is down for the second answer of every row."""

    def submit(self, samples, items):
        found = super().submit(samples, items).result()
        out = [
            Graded(0.0, DOWN.error, "right", dropped=True, scores={"right": DOWN}, metrics={})
            if i % 4 == 1
            else one
            for i, one in enumerate(found)
        ]
        return SimpleNamespace(result=lambda: out)


def test_dropped_completions_are_kept_from_the_engine_and_from_the_report(
    tmp_path, monkeypatch
) -> None:
    from contextlib import contextmanager

    from rftspec.report.evidence import read_evidence

    @contextmanager
    def flaky(plan, rows):
        yield Grading(Flaky(), plan.response.format, None)

    monkeypatch.setattr(loop, "open_grading", flaky)
    sizes = []
    engine = FakeEngine(3)
    learn = engine.learn

    def spy(groups, *, step):
        sizes.extend(len(g.completions) for g in groups)
        return learn(groups, step=step)

    engine.learn = spy
    plan = small_plan(tmp_path / "data", steps=2, validation=False, test=False, stop_above=0.5)
    run_plan(plan, tmp_path / "run", engine=engine)
    assert set(sizes) == {3}
    record = Record.open(tmp_path / "run")
    dropped = [s for s in record.samples() if s.get("dropped")]
    assert dropped
    evidence = read_evidence(record)
    kept = [a for rows in evidence.answers.values() for found in rows.values() for a in found]
    assert all(a.error is None for a in kept)


def test_too_many_dropped_samples_stop_the_run(tmp_path, monkeypatch) -> None:
    from contextlib import contextmanager

    @contextmanager
    def flaky(plan, rows):
        yield Grading(Flaky(), plan.response.format, None)

    monkeypatch.setattr(loop, "open_grading", flaky)
    plan = small_plan(tmp_path / "data", steps=2, validation=False, test=False)
    outcome = run_plan(plan, tmp_path / "run", engine=FakeEngine(3))
    assert outcome.exit_code == 3
    assert "model_grader_server_error" in str(outcome)


def test_trackers_get_declared_names_for_every_number_of_a_grader(plan, tmp_path) -> None:
    run_plan(plan, tmp_path / "run", engine=FakeEngine(3))
    tags = {point.tag for point in scalars(Record.open(tmp_path / "run"))}
    assert "graders/right/valid_reward_mean" in tags
    assert "graders/right/valid_reward_std" in tags
    assert "metrics/exact/valid_mean" in tags
    for tag in tags:
        if not tag.startswith("tuned/"):
            declared(tag)


def test_results_come_in_the_order_of_rows_though_groups_end_in_another() -> None:
    class Late(SumGraders):
        def submit(self, samples, items):
            return super().submit(samples, items)

    grading = Grading(Late(), {"type": "json_object"}, None)
    rows = [SimpleNamespace(index=n, item={"sum": n}) for n in range(3)]
    groups = [
        [SimpleNamespace(text=f'{{"sum": {n}}}', finish_reason="stop", tokens=(1,))] * 2
        for n in range(3)
    ]
    stream = grading.stream(rows)  # type: ignore[arg-type]
    for place in (2, 0):
        stream.put(place, groups[place])  # type: ignore[arg-type]
    found = stream.result(groups)  # type: ignore[arg-type]
    assert [(s.row.index, s.index) for s in found] == [(n, i) for n in range(3) for i in range(2)]
    assert all(s.graded.reward == 1.0 for s in found)
    assert grading.answers([]) == []
    assert Answer(rows[0], 0, "x").tokens == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("wish", ["drop", "floor"])
def test_the_spec_says_what_becomes_of_samples_that_no_judge_could_be_reached_for(wish) -> None:
    from pathlib import Path

    from rftspec.expr.types import RecordOf
    from rftspec.plan.compile import compile_plan
    from rftspec.run.opening import open_graders
    from rftspec.spec.load import load_spec

    spec = Path(__file__).resolve().parent.parent / "samples" / "ranking.yaml"
    loaded = load_spec(spec, overrides=[f"on_error.infrastructure={wish}"])
    plan = compile_plan(loaded)
    assert plan.reasons["infrastructure"].startswith("--set")
    judged = {"judge": {"type": "string_check", "input": "a", "reference": "a", "operation": "eq"}}
    plan = replace(
        plan, graders=judged, reward="judge", evaluate=replace(plan.evaluate, metrics={})
    )
    with open_graders(plan, RecordOf({})) as graders:
        assert graders.assemble({"judge": DOWN}, Sample("x"), {}).dropped == (wish == "drop")
