"""Progress counts inside phases, and the time left follows what the work has cost."""

import pytest

from rftspec.run.observer import Silent
from rftspec.run.program import program
from rftspec.run.progress import Meter
from rftspec.run.rows import read_splits
from tests.run.runs import small_plan


class Recording(Silent):
    def __init__(self):
        self.phases, self.progress = [], []

    def on_phase(self, phase):
        self.phases.append(phase)

    def on_progress(self, progress):
        self.progress.append(progress)


@pytest.fixture
def meter(tmp_path):
    plan = small_plan(tmp_path)
    units = program(plan, read_splits(plan.data, plan.seed))
    seconds = [0.0]
    return Meter(Recording(), units, lambda: seconds[0])


def test_a_run_is_base_references_steps_checkpoints_tuned_finish(meter):
    kinds = [(u.kind, u.model, u.split, u.step) for u in meter.units]
    assert kinds == [
        ("measure", "base", "test", 0),
        ("measure", "base", "validation", 0),
        ("measure", "base", "train", 0),
        ("reference", "oracle", "test", 0),
        ("reference", "vote", "test", 0),
        ("step", "tuned", "", 1),
        ("step", "tuned", "", 2),
        ("step", "tuned", "", 3),
        ("checkpoint", "step-3", "validation", 3),
        ("step", "tuned", "", 4),
        ("step", "tuned", "", 5),
        ("step", "tuned", "", 6),
        ("checkpoint", "step-6", "validation", 6),
        ("measure", "tuned", "test", 0),
        ("measure", "tuned", "train", 0),
        ("finish", "base", "", 0),
    ]


def test_nothing_is_promised_before_anything_was_measured(meter):
    meter.at(0)
    assert meter.observer.progress[-1].remaining is None
    assert meter.observer.phases[-1].title == "base model on 8 test rows × 5"


def test_completions_count_inside_an_evaluation_whether_the_engine_tells_or_not(meter):
    meter.at(0)
    with meter.sampling(25) as told:
        told(3)
        assert meter.observer.progress[-1].done == 3
        told(4)
    assert meter.observer.progress[-1].done == 25
    with meter.sampling(15):
        pass
    assert meter.observer.progress[-1].done == meter.observer.phases[-1].total == 40


def test_the_time_left_falls_to_zero_and_the_share_rises_to_one(meter):
    left, shares = [], []
    for position, unit in enumerate(meter.units):
        meter.at(position)
        if unit.completions:
            with meter.sampling(unit.completions):
                pass
            training = unit.kind == "step"
            meter.spent(unit.completions, 0.1 * unit.completions, training=training)
            seen = meter.observer.progress[-1]
            left.append(seen.remaining)
            shares.append(seen.share)
    assert left[-1] == pytest.approx(0.0)
    assert shares[-1] == pytest.approx(1.0)
    steady = left[5:]  # once steps were timed, the estimate only falls
    assert steady == sorted(steady, reverse=True)


def test_training_is_one_phase_that_goes_on_after_a_checkpoint(meter):
    for position in range(5, 10):
        meter.at(position)
    assert [p.name for p in meter.observer.phases] == ["train", "validate", "train"]
    assert meter.observer.progress[-1].done == 3
