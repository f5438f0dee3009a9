"""An evaluation by itself: the rows and sampling of a run, and nothing that is graded twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rftspec.record.errors import RecordError
from rftspec.record.evaluations import EvalRecord, EvalWriter, read_head
from rftspec.record.folder import Record, folder_state
from rftspec.run import candidate, evaluation
from rftspec.run.loop import run_plan
from tests.run.evaluations import (
    BASE,
    CountingGraders,
    counting,
    head,
    other_reward,
    outputs_file,
    run_eval,
    told,
)
from tests.run.fake_engine import FakeEngine, Killed
from tests.run.runs import small_plan, use_fake_grading

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "open_grading", counting)
    monkeypatch.setattr(evaluation, "CHUNK", 4)
    monkeypatch.setattr(CountingGraders, "asked", 0)
    return small_plan(tmp_path / "data")


def test_evaluation_of_the_base_is_that_of_a_run(plan, tmp_path, monkeypatch):
    use_fake_grading(monkeypatch)
    run_plan(plan, tmp_path / "run", engine=FakeEngine(3))
    run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    names = ("row", "index", "output_text", "reward", "scores", "metrics", "completion_tokens")
    of_run = Record.open(tmp_path / "run").samples(kind="evaluation", model="base", split="test")
    expected = sorted(([line[n] for n in names] for line in of_run), key=lambda v: v[:2])
    assert [[line[n] for n in names] for line in told(tmp_path / "eval")] == expected
    assert len(expected) == 16


def test_adapter_is_sampled_from_as_the_tuned_policy(plan, tmp_path):
    engine = FakeEngine(3)
    engine.skill = 0.95
    tuned = replace(BASE, kind="adapter", label="mine")
    run_eval(plan, tmp_path / "tuned", engine=engine, subject=tuned)
    run_eval(plan, tmp_path / "base", engine=engine)
    means = [sum(s["reward"] for s in told(tmp_path / name)) / 16 for name in ("tuned", "base")]
    assert means[0] > means[1] + 0.3


@pytest.mark.parametrize("kill_at", range(1, 9))
def test_killed_evaluation_goes_on_and_grades_no_sample_twice(plan, tmp_path, kill_at):
    folder = tmp_path / "eval"
    with pytest.raises(Killed):
        run_eval(plan, folder, engine=FakeEngine(3, kill_at=kill_at))
    assert EvalRecord.open(folder).state == "unfinished"
    done = run_eval(plan, folder, engine=FakeEngine(3))
    assert done.whole
    assert done.kept + done.graded == 16
    assert CountingGraders.asked == 16
    CountingGraders.asked = 0
    run_eval(plan, tmp_path / "whole", engine=FakeEngine(3))
    assert told(folder) == told(tmp_path / "whole")
    assert EvalRecord.open(folder).state == "finished"


KILLED = """
import sys
from pathlib import Path
from rftspec.run import evaluation
from tests.run.evaluations import counting, run_eval
from tests.run.fake_engine import FakeEngine
from tests.run.runs import small_plan
evaluation.open_grading, evaluation.CHUNK = counting, 4
engine = FakeEngine(3, kill_at=6, hard=True)
run_eval(small_plan(Path(sys.argv[1])), Path(sys.argv[2]), engine=engine)
"""


def test_evaluation_that_was_killed_by_the_system_goes_on(plan, tmp_path):
    words = [sys.executable, "-c", KILLED, str(tmp_path / "data"), str(tmp_path / "eval")]
    code = subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode
    assert code == -signal.SIGKILL
    before = told(tmp_path / "eval")
    assert 0 < len(before) < 16
    done = run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    assert (done.kept, done.graded) == (len(before), 16 - len(before))


def test_finished_evaluation_opens_no_model_and_grades_nothing(plan, tmp_path):
    run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    done = run_eval(plan, tmp_path / "eval")
    assert (done.whole, done.kept, done.graded, done.sampled) == (True, 16, 0, 0)


def test_torn_line_is_cut_off_and_only_its_sample_is_done_again(plan, tmp_path):
    run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    path = tmp_path / "eval" / "samples.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    expected = told(tmp_path / "eval")
    done = run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    assert (done.kept, done.graded) == (15, 1)
    assert len(told(tmp_path / "eval")) == 16
    assert [s for s in told(tmp_path / "eval") if s in expected] == expected


def test_signal_stops_it_and_keeps_what_is_graded(plan, tmp_path):
    engine = FakeEngine(3)
    engine.on_call = lambda name: engine.calls == 6 and os.kill(os.getpid(), signal.SIGINT)
    done = run_eval(plan, tmp_path / "eval", engine=engine)
    assert not done.whole
    assert done.graded == len(told(tmp_path / "eval")) > 0
    assert run_eval(plan, tmp_path / "eval", engine=FakeEngine(3)).graded == 16 - done.graded


def test_other_graders_grade_kept_completions_without_a_model(plan, tmp_path):
    run_eval(plan, tmp_path / "one", engine=FakeEngine(3), cache=tmp_path / "cache")
    done = run_eval(other_reward(plan), tmp_path / "two", cache=tmp_path / "cache")
    assert (done.graded, done.sampled) == (16, 0)
    texts = [[s["output_text"] for s in told(tmp_path / name)] for name in ("one", "two")]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("what", ["seed", "temperature", "max_tokens", "quantization", "adapter"])
def test_what_decides_a_completion_is_in_the_key_of_the_cache(plan, tmp_path, what):
    run_eval(plan, tmp_path / "one", engine=FakeEngine(3), cache=tmp_path / "cache")
    subject = BASE
    if what == "seed":
        plan = replace(plan, seed=4)
    elif what == "quantization":
        plan = replace(plan, model=replace(plan.model, quantization="nf4"))
    elif what == "adapter":
        subject = replace(BASE, kind="adapter")
    else:
        plan = replace(plan, response=replace(plan.response, **{what: 16}))
    asked = {"cache": tmp_path / "cache", "subject": subject}
    done = run_eval(plan, tmp_path / "two", engine=FakeEngine(3), **asked)
    assert done.sampled == 16


def test_more_samples_take_the_kept_ones_first(plan, tmp_path):
    run_eval(plan, tmp_path / "one", engine=FakeEngine(3), cache=tmp_path / "cache")
    run_eval(plan, tmp_path / "two", engine=FakeEngine(3), cache=tmp_path / "cache", samples=3)
    fewer, more = told(tmp_path / "one"), told(tmp_path / "two")
    assert [s for s in more if s["index"] < 2] == fewer
    assert len(more) == 24


def test_greedy_answers_stand_apart(plan, tmp_path):
    asked = []

    class Noting(FakeEngine):
        def sample(self, prompts, **settings):
            asked.append((settings["temperature"], settings["samples"]))
            return super().sample(prompts, **settings)

    run_eval(plan, tmp_path / "eval", engine=Noting(3), greedy=True)
    assert set(asked) == {(1.0, 2), (0.0, 1)}
    models = [s["model"] for s in told(tmp_path / "eval")]
    assert (models.count("base"), models.count("base (greedy)")) == (16, 8)


def test_outputs_made_elsewhere_need_no_model_and_missing_rows_are_told(plan, tmp_path):
    subject = candidate.outputs_subject(outputs_file(tmp_path, range(100, 106)))
    done = run_eval(plan, tmp_path / "eval", subject=subject, samples=0)
    assert (done.whole, done.graded, done.missing) == (True, 6, 2)
    assert all(s["reward"] == 1.0 and s["model"] == "elsewhere" for s in told(tmp_path / "eval"))


def test_dropped_samples_are_graded_again(plan, tmp_path):
    run_eval(plan, tmp_path / "eval", engine=FakeEngine(3), cache=tmp_path / "cache")
    path = tmp_path / "eval" / "samples.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[3]["dropped"] = True
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run_eval(plan, tmp_path / "eval", cache=tmp_path / "cache")
    assert (done.kept, done.graded) == (15, 1)


def test_folder_of_another_evaluation_is_refused_with_what_differs(plan, tmp_path):
    run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    with pytest.raises(RecordError, match=r"R413.*samples per row of it differs"):
        run_eval(plan, tmp_path / "eval", samples=3)
    with pytest.raises(RecordError, match=r"R413.*the reward of it differs"):
        run_eval(other_reward(plan), tmp_path / "eval")


def test_folder_of_something_else_is_left_alone(plan, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(RecordError, match="R401"):
        run_eval(plan, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_two_processes_do_not_write_one_evaluation(plan, tmp_path):
    with EvalWriter.open(tmp_path / "eval", head(plan)):
        assert EvalRecord.open(tmp_path / "eval").state == "running"
        with pytest.raises(RecordError, match="R406"):
            run_eval(plan, tmp_path / "eval")


def test_evaluation_is_no_run_that_could_be_resumed(plan, tmp_path):
    run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    assert folder_state(tmp_path / "eval") == "foreign"


def test_what_stands_in_the_head_comes_back(plan, tmp_path):
    run_eval(plan, tmp_path / "eval", engine=FakeEngine(3))
    found = read_head(tmp_path / "eval")
    assert replace(found, created=0) == replace(head(plan), created=0)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": "eval/0"}', '{"format": "eval/1"}'])
def test_damaged_head_is_told_and_is_no_crash(tmp_path, damage):
    (tmp_path / "eval.json").write_text(damage)
    with pytest.raises(RecordError, match="R404"):
        read_head(tmp_path)


def test_folder_without_an_adapter_names_the_one_beside_it(tmp_path):
    (tmp_path / "run" / "adapter").mkdir(parents=True)
    (tmp_path / "run" / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(RecordError) as caught:
        candidate.adapter_subject(tmp_path / "run")
    assert caught.value.code == "R414"
    assert "run/adapter" in (caught.value.diagnostics[0].hint or "")
    assert candidate.adapter_subject(tmp_path / "run" / "adapter").label == "run"


def test_replaced_adapter_is_another_evaluation(plan, tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    keys = set()
    for weights in (b"one", b"two"):
        (tmp_path / "adapter_model.safetensors").write_bytes(weights)
        keys.add(head(plan, candidate.adapter_subject(tmp_path)).key)
    assert len(keys) == 2
