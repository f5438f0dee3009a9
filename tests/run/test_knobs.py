"""Refilled groups, down-weighted groups, early stopping and what is published, and their resume."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rftspec.record.folder import Record
from rftspec.run.health import CODES
from rftspec.run.loop import run_plan
from rftspec.run.rows import refill_rows
from tests.run.fake_engine import FakeEngine, Killed
from tests.run.runs import contents


class Watched(FakeEngine):
    """Keeps what it was asked to learn."""

    def __init__(self, seed=0, **options):
        super().__init__(seed, **options)
        self.learned = []

    def learn(self, groups, *, step):
        self.learned.append(groups)
        return {**super().learn(groups, step=step), "groups_no_signal_share": 0.0}


def with_train(plan, **changes):
    return replace(plan, train=replace(plan.train, **changes))


def run(plan, folder, **options):
    engine = Watched(plan.seed, **options)
    assert run_plan(plan, folder, engine=engine).exit_code in (0, 4)
    return Record.open(folder), engine


def test_groups_without_signal_are_replaced_within_the_budget(plan, tmp_path):
    record, engine = run(with_train(plan, refill=1.0), tmp_path / "run")
    seen = []
    for step, groups in enumerate(engine.learned, 1):
        rollouts = [s for s in record.samples(kind="rollout") if s["step"] == step]
        rows = {}
        for line in rollouts:
            rows.setdefault(line["group"], []).append(line)
        drawn = [rows[n] for n in sorted(rows)]
        assert 5 <= len(drawn) <= 10
        signal = [len({s["reward"] for s in group}) > 1 for group in drawn]
        assert len(groups) == min(5, sum(signal)) or not any(signal)
        metrics = next(e["metrics"] for e in record.events("step") if e["step"] == step)
        assert metrics["groups_refilled"] == len(drawn) - 5
        assert metrics["groups_no_signal_share"] == pytest.approx(1 - sum(signal[:5]) / 5)
        # a refill stops when the step has its groups, the budget is spent or no row is left
        assert len(drawn) == 10 or sum(signal) >= 5
        first, more = ([g[0]["row"] for g in part] for part in (drawn[:5], drawn[5:]))
        assert len({*first, *more}) == len(set(first)) + len(more)
        seen.append(len(drawn) > 5)
    assert any(seen)


def test_refilled_rows_depend_on_the_seed_and_the_step_alone():
    first = refill_rows(3, 12, {1, 5}, seed=7)
    assert sorted(first) == [n for n in range(12) if n not in (1, 5)]
    assert refill_rows(3, 12, {1, 5, 4}, seed=7) == [n for n in first if n != 4]
    assert refill_rows(4, 12, {1, 5}, seed=7) != first
    assert refill_rows(3, 12, {1, 5}, seed=8) != first


@pytest.mark.parametrize(
    "knobs",
    [{"refill": 1.0}, {"early_stopping": 1, "early_stopping_min_delta": 0.3}, {"keep_best": False}],
    ids=str,
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_resumed_run_with_a_knob_ends_with_the_same_bytes(plan, tmp_path, knobs, share):
    plan = with_train(plan, **knobs)
    _, engine = run(plan, tmp_path / "whole")
    at = max(1, round(engine.calls * share))
    with pytest.raises(Killed):
        run_plan(plan, tmp_path / "killed", engine=Watched(plan.seed, kill_at=at))
    run_plan(plan, tmp_path / "killed", engine=Watched(plan.seed), resume=True)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_easy_and_hard_groups_count_less(plan, tmp_path):
    knobs = {"down_weight": 0.25, "down_weight_easy": 0.75, "down_weight_hard": 0.0}
    _, engine = run(with_train(plan, **knobs), tmp_path / "run")
    weights = set()
    for group in (g for groups in engine.learned for g in groups):
        rate = sum(reward >= 1 for reward in group.rewards) / len(group.rewards)
        assert group.weight == (0.25 if rate >= 0.75 or rate <= 0 else 1.0)
        weights.add(group.weight)
    assert weights == {0.25, 1.0}


def test_training_ends_early_when_the_validation_reward_no_longer_rises(plan, tmp_path):
    every = replace(plan, evaluate=replace(plan.evaluate, every=1))
    record, _ = run(
        with_train(every, early_stopping=2, early_stopping_min_delta=0.5), tmp_path / "r"
    )
    values = [e["valid_reward_mean"] for e in record.events("checkpoint")]
    (stop,) = record.events("early_stop")
    assert stop["step"] == len(values) < plan.train.steps
    assert "2 evaluations" in stop["reason"]
    assert [e["step"] for e in record.events("step")] == list(range(1, len(values) + 1))
    (best,) = record.events("best")
    assert best["valid_reward_mean"] == max(values)
    assert len(list(record.events("finished"))) == 1


def test_patience_counts_from_the_last_new_best(plan, tmp_path):
    every = replace(plan, evaluate=replace(plan.evaluate, every=1))
    record, _ = run(with_train(every, early_stopping=100), tmp_path / "run")
    assert list(record.events("early_stop")) == []
    assert len(list(record.events("step"))) == plan.train.steps


def test_without_keep_best_the_last_checkpoint_is_published(plan, tmp_path):
    every = replace(plan, evaluate=replace(plan.evaluate, every=1))
    record, _ = run(with_train(every, keep_best=False), tmp_path / "run")
    (best,) = record.events("best")
    assert best["step"] == plan.train.steps
    weights = "adapter_model.safetensors"
    last = tmp_path / "run" / "checkpoints" / f"step-{plan.train.steps:06d}" / weights
    if not last.exists():
        last = sorted((tmp_path / "run" / "checkpoints").iterdir())[-1] / weights
    assert (tmp_path / "run" / "adapter" / weights).read_text() == last.read_text()


def test_a_mismatch_beyond_the_bound_is_told_once_with_what_is_done(plan, tmp_path):
    class Off(Watched):
        def learn(self, groups, *, step):
            found = {"mismatch_beyond_bound_share": 0.25, "logprob_mismatch_max": 0.5}
            return {**super().learn(groups, step=step), **found}

    run_plan(with_train(plan, correction="mask"), tmp_path / "run", engine=Off(plan.seed))
    warnings = [e for e in Record.open(tmp_path / "run").events("warning") if e["code"] == "H10"]
    assert len(warnings) == 1
    assert "25.00%" in warnings[0]["message"]
    assert "factor of 2" in warnings[0]["message"]
    assert "H10" in CODES
