"""A run folder appears whole or not at all, has one writer, and can be read in any state."""

import errno
import json
import os
import shutil
import stat
import subprocess
import sys

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.record import commit as commit_module
from rftspec.record import events
from rftspec.record.commit import read_commit
from rftspec.record.errors import RecordError
from rftspec.record.folder import Record, folder_state, read_plan
from rftspec.record.writer import RecordWriter
from tests.run.runs import small_plan


@pytest.fixture
def plan(tmp_path):
    return small_plan(tmp_path / "data")


def save(text):
    return lambda folder: (folder / "weights").write_text(text)


def test_a_new_folder_holds_the_plan_and_an_empty_commit(plan, tmp_path):
    with RecordWriter.create(tmp_path / "a" / "run", plan) as writer:
        assert writer.done == 0
        assert folder_state(writer.folder) == "running"
    assert read_plan(tmp_path / "a" / "run") == plan
    assert folder_state(tmp_path / "a" / "run") == "unfinished"


def test_what_is_not_committed_is_gone_after_a_resume(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        writer.event(events.checkpoint(1, "c", 0.5))
        writer.commit(1)
        writer.event(events.checkpoint(2, "c", 0.6))
        writer.samples([{"row": 1}])
        writer.timing(phase="train", step=2)
    with RecordWriter.resume(tmp_path / "run") as writer:
        assert writer.done == 1
        assert writer.event(events.checkpoint(3, "c", 0.7))["seq"] == 1
    record = Record.open(tmp_path / "run")
    assert [e["step"] for e in record.events()] == [1, 3]
    assert list(record.samples()) == []
    assert len(list(record.timings())) == 1


def test_rolling_back_counts_events_from_the_commit(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        writer.event(events.best(1, None))
        writer.roll_back()
        assert writer.event(events.best(2, None))["seq"] == 0


def test_two_processes_cannot_write_one_run(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan):
        with pytest.raises(RecordError) as caught:
            RecordWriter.resume(tmp_path / "run")
        assert caught.value.code == "R406"
        assert folder_state(tmp_path / "run") == "running"
    RecordWriter.resume(tmp_path / "run").close()


def test_the_lock_of_a_killed_process_is_free(plan, tmp_path):
    RecordWriter.create(tmp_path / "run", plan).close()
    code = (
        "import os,sys;from pathlib import Path;from rftspec.record.writer import RecordWriter;"
        "RecordWriter.resume(Path(sys.argv[1]));os.kill(os.getpid(),9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], check=False)
    RecordWriter.resume(tmp_path / "run").close()


def test_a_folder_with_other_things_is_left_alone(plan, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(RecordError) as caught:
        RecordWriter.create(folder, plan)
    assert caught.value.code == "R401"
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]


def test_an_empty_folder_may_be_used(plan, tmp_path):
    (tmp_path / "run").mkdir()
    RecordWriter.create(tmp_path / "run", plan).close()
    assert folder_state(tmp_path / "run") == "unfinished"


def refusing(error):
    def refuse(*arguments, **settings):
        raise error

    return refuse


def test_a_full_disk_at_the_start_leaves_nothing(plan, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(commit_module.os, "fsync", refusing(full))
    with pytest.raises(DiagnosticError) as caught:
        RecordWriter.create(tmp_path / "runs" / "run", plan)
    assert caught.value.diagnostics[0].code == "R403"
    assert "free some space" in caught.value.diagnostics[0].hint
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_read_only_folder_is_named_with_a_fix(plan, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs").chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.geteuid() == 0:  # nothing is read-only to root
        read_only = OSError(errno.EROFS, "Read-only file system")
        monkeypatch.setattr("pathlib.Path.mkdir", refusing(read_only))
    with pytest.raises(RecordError) as caught:
        RecordWriter.create(tmp_path / "runs" / "run", plan)
    assert caught.value.code == "R402"
    assert str(tmp_path / "runs" / "run") in caught.value.diagnostics[0].message
    assert "--out" in caught.value.diagnostics[0].hint


def test_a_place_that_cannot_be_a_folder_is_named_with_a_fix(plan, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError) as caught:
        RecordWriter.create(tmp_path / "file" / "run", plan)
    assert caught.value.code == "R402"
    assert "--out" in caught.value.diagnostics[0].hint


def test_a_full_disk_while_a_state_is_saved_keeps_the_last_commit(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        writer.commit(1, state=("step-000001", save("one")))
        full = OSError(errno.ENOSPC, "No space left on device")
        with pytest.raises(RecordError) as caught:
            writer.commit(2, state=("step-000002", refusing(full)))
        assert caught.value.code == "R403"
    states = [path.name for path in (tmp_path / "run" / "state").iterdir()]
    assert states == ["step-000001"]
    with RecordWriter.resume(tmp_path / "run") as writer:
        assert writer.done == 1
        assert (writer.state_folder / "weights").read_text() == "one"


def test_an_error_of_the_engine_while_saving_stays_its_own(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer, pytest.raises(RuntimeError):
        writer.checkpoint(1, refusing(RuntimeError("shape mismatch")))
    assert list((tmp_path / "run" / "checkpoints").iterdir()) == []


@pytest.mark.parametrize("damage", ["remove", "change", "add"])
def test_a_state_that_was_damaged_is_not_resumed_from(plan, tmp_path, damage):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        writer.commit(1, state=("step-000001", save("one")))
        writer.commit(2, state=("step-000002", save("two")))
    state = tmp_path / "run" / "state" / "step-000002"
    if damage == "remove":
        shutil.rmtree(state)
    else:
        (state / ("weights" if damage == "change" else "more")).write_text("owt")
    with RecordWriter.resume(tmp_path / "run") as writer:
        assert writer.done == 1
        assert "damaged" in writer.notice


def test_when_every_commit_is_damaged_the_run_cannot_be_resumed_and_says_so(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        writer.event(events.best(1, None))
        writer.commit(1)
    (tmp_path / "run" / "events.jsonl").write_text("")
    with pytest.raises(RecordError) as caught:
        RecordWriter.resume(tmp_path / "run")
    assert caught.value.code == "R405"
    assert Record.open(tmp_path / "run").plan == plan


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format":"plan/0"}', None])
def test_a_folder_without_a_readable_plan_holds_no_run(tmp_path, text):
    if text is not None:
        (tmp_path / "plan.json").write_text(text)
    with pytest.raises(RecordError) as caught:
        Record.open(tmp_path)
    assert caught.value.code == "R404"


def test_commits_are_read_as_they_were_written_and_nothing_else_is(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        writer.commit(3, state=("step-000001", save("one")))
        assert read_commit(writer.layout.commit) == writer.commit_state
        for damaged in ("", "[]", '{"format":"commit/1"}', '{"format":"commit/2"}', "null"):
            writer.layout.commit.write_text(damaged)
            assert read_commit(writer.layout.commit) is None


def test_samples_are_filtered_and_ballots_are_shown_only_when_named(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        lines = [
            {"kind": "evaluation", "model": "base", "split": "test", "step": 0, "row": 1},
            {"kind": "ballot", "model": "base", "split": "test", "step": 0, "row": 1},
            {"kind": "rollout", "model": "tuned", "split": "train", "step": 4, "row": 2},
        ]
        writer.samples(lines)
    record = Record.open(tmp_path / "run")
    assert list(record.samples()) == [lines[0], lines[2]]
    assert list(record.samples(kind="ballot")) == [lines[1]]
    assert list(record.samples(model="base", split="test")) == [lines[0]]
    assert list(record.samples(step=4)) == [lines[2]]


def test_a_damaged_record_is_read_as_far_as_it_goes(plan, tmp_path):
    with RecordWriter.create(tmp_path / "run", plan) as writer:
        writer.event(events.best(1, 0.5))
        writer.rows([{"split": "test", "row": 0, "id": None, "item": {}}])
    with (tmp_path / "run" / "events.jsonl").open("ab") as file:
        file.write(b"\x00\x00\n" + json.dumps({"event": "best"}).encode()[:9])
    record = Record.open(tmp_path / "run")
    assert [e["step"] for e in record.events()] == [1]
    assert len(list(record.rows("test"))) == 1
    assert record.damaged == 2
