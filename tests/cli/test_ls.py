"""`rftspec ls`: each run stands as its record, its lock and its last word bear out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.plan.model import Plan
from rftspec.record.writer import RecordWriter
from rftspec.report.listing import RunLine, list_runs, run_line
from tests.report.synthetic import Story, make_plan, make_run


def append(folder: Path, stream: str, **line: Any) -> None:
    with (folder / f"{stream}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def stopped(folder: Path, code: int, reason: str) -> RunLine:
    """An unfinished run that left word of why it stopped."""
    make_run(folder, Story(finished=False, tuned=False))
    append(folder, "timings", phase="session", started=1000.0, done=0, step=0)
    append(folder, "timings", phase="stopped", code=code, reason=reason)
    return run_line(folder)


def test_finished_run_tells_base_and_tuned_on_the_headlines_split(tmp_path: Path) -> None:
    line = run_line(make_run(tmp_path / "r"))
    assert (line.status, line.note, line.steps_done, line.steps_planned) == ("finished", "", 20, 20)
    assert line.progress is not None
    assert line.progress.split == "test"
    assert line.progress.base is not None
    assert line.progress.tuned is not None
    assert line.progress.base < line.progress.tuned
    assert line.seconds is not None
    assert line.seconds > 20


def test_unfinished_run_tells_the_last_validation_so_far(tmp_path: Path) -> None:
    line = run_line(make_run(tmp_path / "r", Story(finished=False, tuned=False, test=False)))
    assert line.status == "interrupted"
    assert "without a word" in line.note
    assert line.progress is not None
    assert (line.progress.split, line.progress.step) == ("validation", 10)


def test_run_that_stopped_for_an_error_has_failed_and_says_why(tmp_path: Path) -> None:
    line = stopped(tmp_path / "r", 3, "the disk is full")
    assert (line.status, line.note) == ("failed", "the disk is full")


def test_run_that_was_interrupted_by_hand_has_not_failed(tmp_path: Path) -> None:
    assert stopped(tmp_path / "r", 130, "interrupted").status == "interrupted"


def test_run_that_was_gone_on_with_and_killed_is_not_called_failed(tmp_path: Path) -> None:
    """Only the newest session counts."""
    stopped(tmp_path / "r", 3, "the disk is full")
    append(tmp_path / "r", "timings", phase="session", started=2000.0, done=3, step=3)
    line = run_line(tmp_path / "r")
    assert line.status == "interrupted"
    assert line.started == 1000.0


def test_run_whose_lock_is_held_is_running_whatever_it_said_before(tmp_path: Path) -> None:
    plan: Plan = make_plan(Story(), tmp_path)
    with RecordWriter.create(tmp_path / "r", plan):
        assert run_line(tmp_path / "r").status == "running"
    assert run_line(tmp_path / "r").status == "interrupted"


def test_failed_gate_is_a_finished_run_with_a_note(tmp_path: Path) -> None:
    make_run(tmp_path / "r", Story(finished=False))
    gates = [{"expression": "a", "passed": True}, {"expression": "b", "passed": False}]
    append(tmp_path / "r", "events", event="finished", gates=gates)
    line = run_line(tmp_path / "r")
    assert (line.status, line.note) == ("finished", "1 of 2 gates failed")


@pytest.mark.parametrize("damage", ["no json", "another json", "a pipe", "a folder", "torn lines"])
def test_damaged_run_is_named_and_costs_no_other_run_its_line(tmp_path: Path, damage: str) -> None:
    make_run(tmp_path / "good")
    bad = make_run(tmp_path / "bad")
    if damage == "no json":
        (bad / "plan.json").write_text("{")
    elif damage == "another json":
        (bad / "plan.json").write_text('{"hello": 1}')
    elif damage == "torn lines":
        (bad / "events.jsonl").write_text('{"event": "step"\nnull\n[1]\n"x"\n{"event": 4}\n')
    else:
        (bad / "events.jsonl").unlink()
        os.mkfifo(bad / "events.jsonl") if damage == "a pipe" else (bad / "events.jsonl").mkdir()
    found = {run.folder.name: run for run in list_runs(tmp_path).runs}
    assert found["good"].status == "finished"
    assert found["bad"].status == ("interrupted" if damage == "torn lines" else "damaged")
    assert found["bad"].note
    assert found["bad"].damaged_lines == (4 if damage == "torn lines" else 0)


def test_values_of_wrong_types_in_the_record_are_left_out(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", Story(finished=False, tuned=False))
    for odd in (None, "x", [1], {"a": 1}, True, 1e400):
        append(folder, "events", event="evaluation", model=odd, split=odd, step=odd, metrics=odd)
        append(folder, "events", event="step", step=odd, metrics=odd)
        append(folder, "events", event="finished", gates=odd)
        append(folder, "timings", phase=odd, started=odd, sampling=odd)
    assert run_line(folder).status == "finished"
    assert main(["ls", str(tmp_path)]) == exits.FINE


def test_newest_run_stands_first(tmp_path: Path) -> None:
    for name, began in (("a", 100.0), ("b", 300.0), ("c", 200.0)):
        make_run(tmp_path / name)
        append(tmp_path / name, "timings", phase="session", started=began)
    assert [run.folder.name for run in list_runs(tmp_path).runs] == ["b", "c", "a"]


def test_foreign_folders_are_named_and_made_visible(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "evil\x1b[31m").mkdir()
    (tmp_path / "file.txt").write_text("x")
    assert main(["ls", str(tmp_path)]) == exits.FINE
    told = capsys.readouterr()
    assert "no runs: evil\\x1b[31m\n" in told.err
    assert "\x1b" not in told.out + told.err


def test_notes_of_the_record_are_inert_in_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped(tmp_path / "r", 3, "boom \x1b]0;owned\x07\u202e")
    assert main(["ls", str(tmp_path)]) == exits.FINE
    told = capsys.readouterr().out
    assert "\\x1b]0;owned\\x07\\u202e" in told
    assert "resume" in told


def test_quiet_gives_folders_alone_and_json_one_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs" / "one")
    monkeypatch.chdir(tmp_path)
    assert main(["ls", "-q"]) == exits.FINE
    assert capsys.readouterr().out == "runs/one\n"
    assert main(["ls", "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "rftspec.ls/1"
    assert told["runs"][0]["status"] == "finished"
    assert told["runs"][0]["progress"]["metric"]


def test_place_without_runs_is_fine_and_a_wrong_place_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["ls"]) == exits.FINE
    assert "no runs in runs" in capsys.readouterr().out
    assert main(["ls", "nowhere"]) == exits.WRONG
    assert "is not there" in capsys.readouterr().err


def test_folder_that_is_a_run_is_listed_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ls", "-q", str(make_run(tmp_path / "one"))]) == exits.FINE
    assert capsys.readouterr().out.endswith("one\n")
