"""`rftspec import`: exit codes, files, and the way from a hosted job to a run."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from rftspec.cli.import_spec import write_whole
from rftspec.cli.main import main

GRADER = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
}
JOB: dict[str, Any] = {
    "training_file": "file-abc",
    "validation_file": "file-def",
    "model": "o4-mini-2025-04-16",
    "suffix": "letters",
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": GRADER,
            "hyperparameters": {"batch_size": 2, "eval_interval": 1, "eval_samples": 1},
        },
    },
}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job's file in the working folder, and rows beside it."""
    monkeypatch.chdir(tmp_path)
    path = Path("job.json")
    path.write_text(json.dumps(JOB, indent=2), "utf-8")
    for split, first in (("train", 0), ("validation", 10)):
        rows = [
            {"messages": [{"role": "user", "content": f"Case {n} of a fever."}], "answer": f"QX{n}"}
            for n in range(first, first + 4)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        Path(f"{split}.jsonl").write_text(text, "utf-8")
    return path


def test_spec_is_printed_and_remarks_go_elsewhere(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "openai", str(job)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("# Made from job.json.\n#   rftspec run spec.yaml\n")
    assert "version: 1\nname: letters\n" in shown.out
    assert "a fine-tuning job: " in shown.err
    assert list(Path().glob("*.yaml")) == []


def test_written_spec_validates_and_plans_with_the_jobs_own_rows(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["import", "openai", str(job), "--out", "spec.yaml", "--train", "train.jsonl"]
    made += ["--validation", "validation.jsonl", "--base", "builtin:case-reader"]
    assert main(made) == 0
    assert "wrote spec.yaml" in capsys.readouterr().out
    assert main(["validate", "spec.yaml"]) == 0
    assert main(["plan", "spec.yaml", "--json"]) == 0


@pytest.mark.slow
def test_imported_job_runs_with_the_built_in_model(job: Path) -> None:
    made = ["import", "openai", str(job), "--out", "spec.yaml", "--train", "train.jsonl"]
    assert main([*made, "--validation", "validation.jsonl", "--base", "builtin:case-reader"]) == 0
    small = ["train.steps=1", "train.samples_per_prompt=2", "response.max_tokens=8"]
    sets = [word for one in small for word in ("--set", one)]
    assert main(["run", "spec.yaml", "--out", "out", "--display", "none", *sets]) == 0
    assert Path("out/report.html").is_file()


def test_file_that_is_there_stays_unless_forced(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("spec.yaml").write_text("mine\n", "utf-8")
    assert main(["import", "openai", str(job), "--out", "spec.yaml"]) == 1
    assert "E708" in capsys.readouterr().err
    assert Path("spec.yaml").read_text("utf-8") == "mine\n"
    assert main(["import", "openai", str(job), "--out", "spec.yaml", "--force"]) == 0
    assert Path("spec.yaml").read_text("utf-8") != "mine\n"


def test_graders_file_that_is_there_keeps_the_spec_from_being_written(job: Path) -> None:
    source = "def grade(sample, item):\n" + "    x = 1\n" * 40 + "    return 1.0\n"
    job.write_text(json.dumps({"type": "python", "name": "long", "source": source}), "utf-8")
    Path("graders").mkdir()
    Path("graders/long.py").write_text("mine\n", "utf-8")
    assert main(["import", "openai", str(job), "--out", "spec.yaml"]) == 1
    assert Path("graders/long.py").read_text("utf-8") == "mine\n"
    assert not Path("spec.yaml").exists()
    assert main(["import", "openai", str(job), "--out", "spec.yaml", "--force"]) == 0
    assert Path("graders/long.py").read_text("utf-8") == source


def test_write_that_fails_leaves_the_old_file_and_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("mine\n", "utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rftspec.cli.import_spec.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new\n")
    assert path.read_text("utf-8") == "mine\n"
    assert [one.name for one in tmp_path.iterdir()] == ["spec.yaml"]


def test_written_file_can_be_read_by_others_as_the_umask_says(tmp_path: Path) -> None:
    path, other = tmp_path / "spec.yaml", tmp_path / "other"
    write_whole(path, "new\n")
    other.write_text("", "utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_refused_part_gives_exit_code_one_and_the_rest_is_written(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job.write_text(json.dumps({**JOB, "seed": -1}), "utf-8")
    assert main(["import", "openai", str(job), "--out", "spec.yaml"]) == 1
    shown = capsys.readouterr()
    assert "E703" in shown.err
    assert "1 refused" in shown.out
    assert "name: letters" in Path("spec.yaml").read_text("utf-8")


def test_what_is_no_job_gives_exit_code_one_and_no_file(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job.write_text('{"messages": []}', "utf-8")
    assert main(["import", "openai", str(job), "--out", "spec.yaml"]) == 1
    assert "E702" in capsys.readouterr().err
    assert not Path("spec.yaml").exists()


def test_json_is_the_ledger(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "openai", str(job), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "rftspec.import/1"
    assert told["ok"] is True
    assert told["found"] == "a fine-tuning job"
    fates = {entry["source"]: (entry["fate"], entry["target"]) for entry in told["mapping"]}
    inside = "method.reinforcement.hyperparameters"
    assert fates[f"{inside}.batch_size"] == ("mapped", "train.prompts_per_step")
    assert fates["suffix"] == ("mapped", "name")
    assert [entry["line"] for entry in told["mapping"]] == sorted(
        entry["line"] for entry in told["mapping"]
    )
    assert told["spec"].startswith("# Made from job.json.")


def test_json_is_given_too_when_nothing_can_be_imported(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job.write_text('{"messages": []}', "utf-8")
    assert main(["import", "openai", str(job), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["diagnostics"][0]["code"]) == (False, "E702")


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("trl", "num_generations: 4\nmax_completion_length: 64\nuse_peft: true\n"),
        ("axolotl", "rl: grpo\nadapter: qlora\ntrl:\n  num_generations: 4\n"),
    ],
)
def test_other_tools_settings_are_written_too(
    tool: str, text: str, job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("config.yaml").write_text(text, "utf-8")
    assert main(["import", tool, "config.yaml", "--out", "spec.yaml"]) == 0
    assert "samples_per_prompt: 4" in Path("spec.yaml").read_text("utf-8")
    assert main(["import", "openai", "config.yaml"]) == 1
    assert "E702" in capsys.readouterr().err
