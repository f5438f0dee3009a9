"""A run measures, trains, measures again, and its record tells all of it once."""

import errno
import json
from dataclasses import replace

import pytest

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.record.folder import Record, folder_state
from rftspec.run import loop
from rftspec.run.loop import run_plan
from tests.run.fake_engine import BASE_SKILL, FakeEngine
from tests.run.runs import contents, small_plan


def run(plan, folder, **settings):
    engine = settings.pop("engine", None) or FakeEngine(plan.seed)
    return run_plan(plan, folder, engine=engine, **settings)


def evaluations(record, **wanted):
    found = record.events("evaluation")
    return [e for e in found if all(e[key] == value for key, value in wanted.items())]


@pytest.fixture
def record(plan, tmp_path):
    outcome = run(plan, tmp_path / "run")
    assert outcome.exit_code == 0
    return Record.open(tmp_path / "run")


def test_every_step_and_checkpoint_stands_in_the_record_once(record):
    assert [e["step"] for e in record.events("step")] == [1, 2, 3, 4, 5, 6]
    assert [e["step"] for e in record.events("checkpoint")] == [3, 6]
    assert [e["seq"] for e in record.events()] == list(range(len(list(record.events()))))
    assert next(iter(record.events()))["event"] == "run_started"
    assert list(record.events())[-1]["event"] == "finished"
    assert record.state == "finished"


def test_the_curve_begins_with_the_base_model_at_step_zero(record):
    curve = evaluations(record, split="validation")
    assert [(e["model"], e["step"]) for e in curve] == [("base", 0), ("step-3", 3), ("step-6", 6)]


def test_base_tuned_and_references_are_measured_on_the_test_rows(record):
    headline = evaluations(record, split="test")
    assert [e["model"] for e in headline] == ["base", "oracle", "vote", "tuned"]
    assert [e["samples"] for e in headline] == [16, 6, 8, 16]
    assert headline[1]["metrics"]["exact"] == 1.0


def test_a_vote_uses_the_base_samples_and_adds_only_the_ballots_that_lack(record):
    ballots = list(record.samples(kind="ballot"))
    assert {line["index"] for line in ballots} == {2, 3, 4}
    assert all(line["kind"] != "ballot" for line in record.samples())
    base = {(s["row"], s["output_text"]) for s in record.samples(model="base", split="test")}
    base |= {(s["row"], s["output_text"]) for s in ballots}
    assert {(s["row"], s["output_text"]) for s in record.samples(model="vote")} <= base


def test_training_rows_are_measured_for_base_and_tuned(record):
    assert [e["model"] for e in evaluations(record, split="train")] == ["base", "tuned"]
    summary = next(record.events("finished"))
    assert summary["train_reward_mean"]["tuned"] is not None
    assert summary["valid_reward_mean"]["base"] is not None


def test_base_and_tuned_draw_a_row_from_the_same_random_numbers(plan, tmp_path):
    class Unteachable(FakeEngine):
        def learn(self, groups, *, step):
            return {**super().learn(groups, step=step), "loss": self._forget()}

        def _forget(self):
            self.skill = BASE_SKILL
            return 0.0

    run(plan, tmp_path / "run", engine=Unteachable(plan.seed))
    record = Record.open(tmp_path / "run")
    texts = {
        model: [s["output_text"] for s in record.samples(model=model, split="test")]
        for model in ("base", "tuned")
    }
    assert texts["base"] == texts["tuned"]
    gain = next(record.events("finished"))["gain"]["reward"]
    assert gain["estimate"] == 0.0
    assert gain["words"] == "no difference shown"


def test_the_best_checkpoint_is_evaluated_and_published(record):
    best = next(record.events("best"))
    rewards = {e["step"]: e["valid_reward_mean"] for e in record.events("checkpoint")}
    assert best["valid_reward_mean"] == max(rewards.values())
    assert evaluations(record, model="tuned", split="test")[0]["step"] == best["step"]
    name = "adapter_model.safetensors"
    published = (record.layout.adapter / name).read_text()
    assert published == (record.layout.checkpoint(best["step"]) / name).read_text()
    assert "builtin:fake" in (record.layout.adapter / "README.md").read_text()


def test_of_equal_checkpoints_the_earliest_is_best():
    from rftspec.run.history import History

    history = History()
    for step, value in ((10, 0.4), (20, 0.6), (30, 0.6)):
        history.take("checkpoint", {"step": step, "valid_reward_mean": value})
    assert history.best == (20, 0.6)


def test_two_runs_of_a_plan_write_the_same_bytes(plan, tmp_path):
    run(plan, tmp_path / "a")
    run(plan, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_measured_values_stand_in_timings_and_not_in_events(record):
    steps = [t for t in record.timings() if t["phase"] == "train"]
    assert len(steps) == 6
    assert all(t["training_tokens_per_second"] > 0 and t["sampling"] >= 0 for t in steps)
    assert all("training_tokens_per_second" not in e["metrics"] for e in record.events("step"))


def test_rollouts_carry_reward_scores_and_their_group(record):
    rollouts = list(record.samples(kind="rollout", step=2))
    assert [line["group"] for line in rollouts] == [g for g in range(5) for _ in range(4)]
    assert {line["index"] for line in rollouts} == {0, 1, 2, 3}
    assert all(line["scores"]["right"]["value"] == line["reward"] for line in rollouts)


def test_a_row_that_stands_twice_in_a_step_draws_different_samples(plan, tmp_path):
    keys = []

    class Spying(FakeEngine):
        def sample(self, prompts, **settings):
            keys.append([prompt.key for prompt in prompts])
            return super().sample(prompts, **settings)

    crowded = replace(plan, train=replace(plan.train, steps=2, prompts_per_step=30))
    assert run(crowded, tmp_path / "run", engine=Spying(plan.seed)).exit_code == 0
    rollouts = [found for found in keys if len(found) == 30]
    assert len(rollouts) == 2
    assert all(len(set(found)) == 30 for found in rollouts)


def test_a_text_that_is_not_json_is_counted_as_parse_error(record):
    lines = [s for s in record.samples(kind="rollout") if s["output_text"] == "I do not know"]
    assert lines
    assert all(line["parse_error"] and line["error"] is None for line in lines)
    counts = [e["metrics"].get("train_sample_parse_error_count", 0) for e in record.events("step")]
    assert sum(counts) == len(lines)


def test_every_row_that_has_samples_stands_in_rows_once(record):
    rows = [(r["split"], r["row"]) for r in record.rows()]
    assert len(rows) == len(set(rows))
    assert {(s["split"], s["row"]) for s in record.samples()} <= set(rows)


@pytest.mark.parametrize(
    ("test", "validation", "headline"),
    [(False, True, "validation"), (False, False, "train")],
)
def test_without_test_rows_the_headline_moves_to_what_there_is(
    tmp_path, plan, test, validation, headline
):
    changed = small_plan(tmp_path / "d", test=test, validation=validation)
    assert run(changed, tmp_path / "run").exit_code == 0
    record = Record.open(tmp_path / "run")
    summary = next(record.events("finished"))
    assert summary["headline_split"] == headline
    assert {"base", "tuned"} <= summary["models"].keys()
    if validation:
        first = evaluations(record, split="validation")[0]
        assert (first["model"], first["samples"]) == ("base", 16)


@pytest.mark.parametrize(
    ("gate", "exit_code"),
    [
        ('metric("exact", tuned) - metric("exact", base) >= 0.05', 0),
        ('metric("reward", tuned) > 1', 4),
        ('metric("exact", oracle) == 1', 0),
        ('metric("nothing", tuned) >= 0', 4),
    ],
)
def test_gates_decide_the_exit_code(plan, tmp_path, gate, exit_code):
    outcome = run(replace(plan, require=(gate,)), tmp_path / "run")
    assert outcome.exit_code == exit_code
    told = outcome.summary["gates"][0]
    assert told["passed"] == (exit_code == 0)
    assert told["detail"]


def test_too_many_failed_samples_stop_the_run_before_it_trains(tmp_path, plan):
    from tests.run.runs import write_split

    broken = write_split(tmp_path / "data", "broken", range(12), broken=True)
    broken_plan = replace(plan, data=replace(plan.data, train=broken))
    outcome = run(broken_plan, tmp_path / "run")
    assert outcome.exit_code == 3
    assert "python_grader_runtime_error" in outcome.message
    assert "ZeroDivisionError at line 3" in outcome.message
    assert outcome.resume_command == f"rftspec resume {tmp_path / 'run'}"
    assert list(Record.open(tmp_path / "run").events("step")) == []


def test_a_loss_that_is_no_number_stops_the_run_resumable(plan, tmp_path):
    class Exploding(FakeEngine):
        def learn(self, groups, *, step):
            learned = super().learn(groups, step=step)
            return {**learned, "loss": float("nan")} if step == 4 else learned

    outcome = run(plan, tmp_path / "run", engine=Exploding(plan.seed))
    assert outcome.exit_code == 3
    assert "step 4" in outcome.message
    record = Record.open(tmp_path / "run")
    assert max(e["step"] for e in record.events("step")) == 3
    again = run(plan, tmp_path / "run", resume=True)
    assert again.exit_code == 0
    run(plan, tmp_path / "whole")
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_folder_that_holds_a_run_is_not_written_over(plan, tmp_path):
    run(plan, tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(DiagnosticError, match="already holds a run") as caught:
        run(plan, tmp_path / "run")
    assert caught.value.diagnostics[0].code == "R401"
    assert contents(tmp_path / "run") == before


def test_resuming_a_finished_run_changes_nothing(plan, tmp_path):
    run(plan, tmp_path / "run")
    before = contents(tmp_path / "run")
    outcome = run(plan, tmp_path / "run", resume=True)
    assert outcome.exit_code == 0
    assert outcome.summary is not None
    assert contents(tmp_path / "run") == before


def test_a_changed_data_file_stops_a_resume_with_its_place(plan, tmp_path):
    run(plan, tmp_path / "run", engine=FakeEngine(plan.seed))
    path = tmp_path / "data" / "train.jsonl"
    path.write_text(path.read_text() + json.dumps({"messages": []}) + "\n")
    with pytest.raises(DiagnosticError) as caught:
        run(plan, tmp_path / "run", resume=True)
    assert caught.value.diagnostics[0].code == "R407"
    assert str(path) in caught.value.diagnostics[0].message


def refuse(*arguments, **settings):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_stops_the_run_where_it_can_be_resumed(plan, tmp_path):
    class Full(FakeEngine):
        def save_state(self, folder):
            if self.step == 4:
                (folder / "half").write_text("half")
                refuse()
            super().save_state(folder)

    outcome = run(plan, tmp_path / "run", engine=Full(plan.seed))
    assert outcome.exit_code == 3
    assert [d.code for d in outcome.diagnostics] == ["R403"]
    assert outcome.resume_command is not None
    assert max(e["step"] for e in Record.open(tmp_path / "run").events("step")) == 3
    assert run(plan, tmp_path / "run", resume=True).exit_code == 0
    run(plan, tmp_path / "whole")
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_model_that_is_not_there_leaves_no_folder_behind(plan, tmp_path, monkeypatch):
    def missing(plan, meter):
        raise DiagnosticError([Diagnostic("M201", "the base model is not there")])

    monkeypatch.setattr(loop, "_open_engine", missing)
    with pytest.raises(DiagnosticError, match="M201"):
        run_plan(plan, tmp_path / "run")
    assert folder_state(tmp_path / "run") == "absent"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"id": "test-100"}', "R408"),
        ('{"output_text": "x"}', "R408"),
        ('{"id": ["a"], "output_text": "x"}', "R408"),
        ("nonsense", "E203"),
        (None, "R409"),
    ],
)
def test_a_malformed_file_of_outputs_is_refused_before_anything_begins(plan, tmp_path, text, code):
    outputs = tmp_path / "data" / "outputs.jsonl"
    if text is None:
        outputs.unlink()
    else:
        outputs.write_text(text + "\n")
    with pytest.raises(DiagnosticError) as caught:
        run(plan, tmp_path / "run")
    assert caught.value.diagnostics[0].code == code
    assert not (tmp_path / "run").exists()


def test_a_tracker_that_is_asked_for_reads_the_finished_record(plan, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(replace(plan, track=("tensorboard",)), tmp_path / "run")
    found = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    found.Reload()
    assert len(found.Scalars("train_reward_mean")) == 6
    assert [point.step for point in found.Scalars("valid_reward_mean")] == [0, 3, 6]


def test_the_folder_says_what_state_it_is_in(plan, tmp_path):
    assert folder_state(tmp_path / "nothing") == "absent"
    assert folder_state(tmp_path / "data") == "foreign"
    run(plan, tmp_path / "run")
    assert folder_state(tmp_path / "run") == "finished"
