"""`run`, `resume`, `plan` and `report` as a person types them, with a scripted engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.run import loop
from tests.cli.scripted import RankingEngine

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = str(ROOT / "tests" / "samples" / "ranking.yaml")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The scripted engine, in an empty working folder."""
    monkeypatch.setattr(loop, "_open_engine", lambda plan, meter: RankingEngine(plan.seed))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _outside(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.cli.scripted", *words],
        cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **environment},
    )  # fmt: skip


def test_last_lines_say_gain_adapter_and_report(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With intervals, and paths that exist."""
    assert main(["run", SPEC, "--out", "out"]) == exits.FINE
    told = capsys.readouterr().out
    ending = told[told.index("base → tuned on") :]
    assert "reward" in ending
    assert " to " in ending
    assert "gate     ok" in ending
    assert "adapter  out/adapter\n" in ending
    assert "report   out/report.html\n" in ending
    assert (scripted / "out" / "report.html").is_file()
    assert (scripted / "out" / "adapter" / "adapter_config.json").is_file()


def test_run_of_a_finished_plan_runs_nothing_and_shows_the_result(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And `resume` of it does the same."""
    assert main(["run", SPEC, "--out", "out", "--display", "none"]) == exits.FINE
    before = (scripted / "out" / "events.jsonl").read_bytes()
    for words in (["run", SPEC, "--out", "out"], ["resume", "out"]):
        capsys.readouterr()
        assert main(words) == exits.FINE
        told = capsys.readouterr().out
        assert "is finished already; nothing was run" in told
        assert "base → tuned" in told
    assert (scripted / "out" / "events.jsonl").read_bytes() == before


def test_folder_of_another_plan_is_refused_with_what_differs(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And with the commands that would proceed."""
    assert main(["run", SPEC, "--out", "out", "--display", "none"]) == exits.FINE
    capsys.readouterr()
    assert main(["run", SPEC, "--out", "out", "--set", "train.steps=2"]) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[R410]" in told
    assert "~ train.steps  4 → 2  (--set)" in told
    assert "report out" in told
    assert "the same command with --out runs/ranking-" in told


def test_failed_gate_is_code_4(scripted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Finished all the same: adapter and report are there."""
    gate = '--set=require=[\'metric("top@1", "tuned") > 2\']'
    assert main(["run", SPEC, "--out", "out", gate]) == exits.GATE
    assert "FAILED" in capsys.readouterr().out
    assert (scripted / "out" / "report.html").is_file()
    assert main(["run", SPEC, "--out", "out", gate, "--display", "none"]) == exits.GATE


def test_saved_plan_runs_exactly(scripted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same plan, the same folder; changes are refused."""
    assert main(["plan", SPEC, "--out", "plan.json", "--seed", "7"]) == exits.FINE
    told = capsys.readouterr().out
    assert "Nothing was run." in told
    assert main(["run", "plan.json", "--display", "none"]) == exits.FINE
    folder = next((scripted / "runs").iterdir())
    saved = json.loads((scripted / "plan.json").read_text(encoding="utf-8"))
    ran = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert (ran["seed"], saved["seed"]) == (7, 7)
    assert f"It would go to runs/{folder.name}/" in told
    assert main(["run", "plan.json", "--set", "seed=1"]) == exits.WRONG
    assert "error[R412]" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", '{"format": "plan/99"}', "[1]", "\x00"])
def test_damaged_plan_is_refused(text: str, scripted: Path) -> None:
    """One message, nothing written."""
    (scripted / "plan.json").write_text(text, encoding="utf-8")
    assert main(["run", "plan.json"]) == exits.WRONG
    assert sorted(path.name for path in scripted.iterdir()) == ["plan.json"]


def test_json_display_ends_with_the_outcome(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line is an object; the last one tells all that a program needs."""
    assert main(["run", SPEC, "--out", "out", "--display", "json"]) == exits.FINE
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["display"] == "outcome"
    assert lines[-1]["exit_code"] == 0
    assert lines[-1]["summary"]["gain"]["reward"]["estimate"] is not None


def test_interrupted_run_says_how_to_go_on_and_goes_on(tmp_path: Path) -> None:
    """Code 130, the command, and the same record in the end as of a run left alone."""
    done = _outside(tmp_path, "run", SPEC, "--out", "out", RFTSPEC_TEST_STOP="6")
    assert done.returncode == exits.INTERRUPTED, done.stdout + done.stderr
    assert "resume out" in done.stdout
    assert "Traceback" not in done.stderr
    done = _outside(tmp_path, "resume", "out")
    assert done.returncode == exits.FINE, done.stdout + done.stderr
    done = _outside(tmp_path, "run", SPEC, "--out", "whole", "--display", "none")
    assert done.returncode == exits.FINE, done.stdout + done.stderr
    for name in ("events.jsonl", "samples.jsonl", "rows.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_run_on_an_unfinished_folder_goes_on(tmp_path: Path) -> None:
    """The same command as at first is enough."""
    words = ("run", SPEC, "--out", "out")
    assert _outside(tmp_path, *words, RFTSPEC_TEST_STOP="6").returncode == exits.INTERRUPTED
    done = _outside(tmp_path, *words)
    assert done.returncode == exits.FINE, done.stdout + done.stderr
    assert "going on with it" in done.stdout


def test_bug_inside_a_run_is_code_3_with_the_resume_command(tmp_path: Path) -> None:
    """What was committed is safe."""
    done = _outside(tmp_path, "run", SPEC, "--out", "out", RFTSPEC_TEST_BREAK="6")
    assert done.returncode == exits.RESUMABLE, done.stdout + done.stderr
    assert "bug in rftspec" in done.stderr
    assert "resume out" in done.stderr
    assert "\x1b" not in done.stderr
    assert _outside(tmp_path, "resume", "out").returncode == exits.FINE


def test_report_can_be_written_again(scripted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the record alone; not from a folder that holds none."""
    assert main(["run", SPEC, "--out", "out", "--display", "none"]) == exits.FINE
    for name in ("report.html", "report.json", "SUMMARY.md"):
        (scripted / "out" / name).unlink()
    assert main(["report", "out"]) == exits.FINE
    assert (scripted / "out" / "report.html").is_file()
    capsys.readouterr()
    assert main(["report", "out", "--json"]) == exits.FINE
    assert json.loads(capsys.readouterr().out)["finished"] is True
    assert main(["report", "."]) == exits.WRONG
    assert "error[R404]" in capsys.readouterr().err


def test_folder_that_cannot_be_written_is_told(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file stands where the folder would go."""
    (scripted / "taken").write_text("mine", encoding="utf-8")
    assert main(["run", SPEC, "--out", "taken/out"]) in {exits.WRONG, exits.RESUMABLE}
    told = capsys.readouterr().err
    assert "error[R40" in told
    assert (scripted / "taken").read_text(encoding="utf-8") == "mine"
    (scripted / "notes").mkdir()
    (scripted / "notes" / "a.txt").write_text("mine", encoding="utf-8")
    assert main(["run", SPEC, "--out", "notes"]) == exits.WRONG
    assert "error[R401]" in capsys.readouterr().err


def test_base_model_that_is_not_there_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No half-written run folder, one message, code 1."""
    monkeypatch.chdir(tmp_path)
    model = "model.base=no-such-owner/no-such-model"
    assert main(["run", SPEC, "--out", "out", "--set", model]) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[M20" in told
    assert not (tmp_path / "out").exists()


def test_another_plan_in_an_unfinished_folder_is_met_with_resume(tmp_path: Path) -> None:
    """The plan that is there can be gone on with; the new one has a folder of its own."""
    words = ("run", SPEC, "--out", "out")
    assert _outside(tmp_path, *words, RFTSPEC_TEST_STOP="6").returncode == exits.INTERRUPTED
    done = _outside(tmp_path, *words, "--seed", "5")
    assert done.returncode == exits.WRONG
    assert "~ seed  0 → 5  (--seed)" in done.stderr
    assert "go on with the plan that is there:" in done.stderr
    assert "resume out" in done.stderr


def test_run_that_another_process_is_writing_is_refused_before_anything_is_opened(
    scripted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    assert main(["run", SPEC, "--out", "out", "--display", "none"]) == exits.FINE
    with (scripted / "out" / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        capsys.readouterr()
        assert main(["run", SPEC, "--out", "out"]) == exits.WRONG
    assert "error[R406]" in capsys.readouterr().err


def test_resume_with_another_model_of_the_same_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record would hold the answers of two models."""
    from tests.plan.test_saved import _own_model
    from tests.spec.samples import copy_sample

    spec = copy_sample(tmp_path)
    model = _own_model(spec)
    words = ("run", spec.name, "--out", "out")
    assert _outside(tmp_path, *words, RFTSPEC_TEST_STOP="6").returncode == exits.INTERRUPTED
    (model / "generation_config.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["resume", "out"]) == exits.WRONG
    assert "error[R418]" in capsys.readouterr().err
    assert main([*words]) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[R410]" in told
    assert "~ contents.base  its content has changed" in told


def test_saved_plan_keeps_its_sandbox_and_runs_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exactly as it was planned, wherever it is started."""
    monkeypatch.setattr(loop, "_open_engine", lambda plan, meter: RankingEngine(plan.seed))
    (tmp_path / "away").mkdir()
    plan = tmp_path / "plan.json"
    assert main(["plan", SPEC, "--sandbox", "reduced", "--out", str(plan)]) == exits.FINE
    monkeypatch.chdir(tmp_path / "away")
    assert main(["run", "../plan.json", "--out", "out", "--display", "none"]) == exits.FINE
    saved = json.loads(plan.read_text(encoding="utf-8"))
    ran = json.loads((tmp_path / "away" / "out" / "plan.json").read_text(encoding="utf-8"))
    saved.pop("checksum")
    assert ran == saved
    assert ran["sandbox"] == "reduced"
    capsys.readouterr()
    assert main(["run", "../plan.json", "--sandbox", "full"]) == exits.WRONG
    assert "error[R412]" in capsys.readouterr().err


def test_saved_plan_of_other_data_is_refused_with_the_command_to_plan_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the options that it was made with; nothing is run."""
    from tests.spec.samples import copy_sample, edit

    spec = copy_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ["--set", "train.steps=2", "--seed", "3"]
    assert main(["plan", spec.name, *words, "--out", "plan.json"]) == exits.FINE
    edit(tmp_path / "ranking" / "train.jsonl", "sign 0", "sign 900")
    capsys.readouterr()
    assert main(["run", "plan.json"]) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[R418]" in told
    assert "~ data.train: `" in told
    assert "plan ranking.yaml --set train.steps=2 --seed 3 --out plan.json" in told
    assert not (tmp_path / "runs").exists()


def test_spec_that_changed_since_its_plan_was_saved_is_remarked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan is what counts."""
    from tests.spec.samples import copy_sample, edit

    monkeypatch.setattr(loop, "_open_engine", lambda plan, meter: RankingEngine(plan.seed))
    spec = copy_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["plan", spec.name, "--out", "plan.json"]) == exits.FINE
    edit(spec, "steps: 4", "steps: 40")
    capsys.readouterr()
    assert main(["run", "plan.json"]) == exits.FINE
    found = capsys.readouterr()
    assert "ranking.yaml has changed since this plan was made" in found.err
    assert "step 4/4" in found.out
