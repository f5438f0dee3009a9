"""`rftspec init`: what each template writes is fine, is never written over anything, and learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rftspec.cli import exits
from rftspec.cli.init import DEFAULT, SCHEMA_NAME, TEMPLATES
from rftspec.cli.main import main
from tests.house import rules

SHIPPED = rules.ROOT / "specs" / "templates"
HEAVY = {"torch", "transformers", "peft", "bitsandbytes", "numpy"}


@pytest.fixture(params=list(TEMPLATES))
def template(request: pytest.FixtureRequest) -> str:
    """Each template in turn."""
    return str(request.param)


@pytest.fixture
def written(template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with what `init` wrote into it, and no cache of verdicts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RFTSPEC_CACHE", "off")
    assert main(["init", "--template", template, "--quiet"]) == exits.FINE
    return tmp_path


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_folder_of_templates_is_told_and_every_template_has_one() -> None:
    """A template that is added is shown by `--list`, and the other way round."""
    assert {path.name for path in SHIPPED.iterdir() if path.is_dir()} == set(TEMPLATES)


def test_template_validates_without_a_remark(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No error, and no warning that a newcomer would have to understand first."""
    assert main(["validate", "spec.yaml", "--json"]) == exits.FINE
    assert json.loads(capsys.readouterr().out)["diagnostics"] == []


def test_template_plans_ten_steps(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a model that comes with rftspec, and the pre-flight checks find no error."""
    assert main(["plan", "spec.yaml", "--out", "plan.json"]) == exits.FINE
    plan = json.loads((written / "plan.json").read_text(encoding="utf-8"))
    assert "error[" not in capsys.readouterr().err
    assert '"steps": 10' in json.dumps(plan)
    assert '"base": "builtin:' in json.dumps(plan)


def test_template_has_a_few_rows_and_no_question_in_both_files(written: Path) -> None:
    """Between 20 and 64 of each."""
    train, validation = _rows(written / "train.jsonl"), _rows(written / "validation.jsonl")
    assert 20 <= len(validation) <= len(train) <= 64
    asked = [json.dumps(row["messages"]) for row in train + validation]
    assert len(set(asked)) == len(asked)


def test_spec_opens_for_editors_and_for_people(written: Path) -> None:
    """A modeline whose schema is there and holds for the spec; what, command, expected result."""
    text = (written / "spec.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={SCHEMA_NAME}"
    assert not rules.header_problems(text)
    assert text.splitlines()[2] == "#   rftspec run spec.yaml"
    schema = json.loads((written / SCHEMA_NAME).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "judge"], indirect=True)
def test_gold_answers_earn_the_top_mark_and_lazy_ones_do_not(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On every training row; the judge's are tried with the judge, in the tests of its model."""
    count = len(_rows(written / "train.jsonl"))
    words = ["grade", "spec.yaml", "--probe", "--rows", str(count), "--json"]
    assert main(words) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    earned = {one["name"]: one for one in told["earned"]}
    assert earned["gold"]["mean"] == pytest.approx(1.0)
    lazy = {"empty", "prompt", "refusal", "empty form", "constant", "other row"} & set(earned)
    assert {"empty", "prompt", "refusal"} <= lazy
    assert max(earned[name]["mean"] for name in lazy) < 0.5


def test_nothing_is_overwritten_and_nothing_else_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file in the way is named; the folder stays as it was."""
    (tmp_path / "spec.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / "train.jsonl").symlink_to(tmp_path / "nowhere")
    assert main(["init", str(tmp_path)]) == exits.WRONG
    told = capsys.readouterr().err
    assert told.count("error[E708]") == 2
    assert "spec.yaml` is there already" in told
    assert "train.jsonl` is there already" in told
    assert "validation.jsonl" not in told
    assert (tmp_path / "spec.yaml").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spec.yaml", "train.jsonl"]


def test_other_files_in_the_folder_are_no_hindrance(tmp_path: Path) -> None:
    """A git checkout, say."""
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    assert main(["init", str(tmp_path)]) == exits.FINE
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"


def test_folder_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name, and with what to do."""
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    assert main(["init", str(tmp_path / "notes")]) == exits.WRONG
    told = capsys.readouterr().err
    assert "is a file, not a folder" in told
    assert "help:" in told


def test_folder_is_made_and_the_next_commands_can_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the folder's name has a blank."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "a b/c"]) == exits.FINE
    told = capsys.readouterr().out
    assert f"wrote the template {DEFAULT} into a b/c" in told
    for verb in ("validate", "plan", "run"):
        assert f" {verb} 'a b/c/spec.yaml'" in told
    assert main(["validate", "a b/c/spec.yaml"]) == exits.FINE


def test_json_names_folder_files_and_next_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One object; every file that it names is there."""
    assert main(["init", str(tmp_path), "--template", "tools", "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "rftspec.init/1"
    assert told["template"] == "tools"
    assert sorted(path.name for path in tmp_path.iterdir()) == told["files"]
    assert [line.split()[-2] for line in told["next"]] == ["validate", "plan", "run"]


def test_list_shows_every_template_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As text and as JSON."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--list"]) == exits.FINE
    told = capsys.readouterr().out
    assert all(f"{name} " in told and shows in told for name, shows in TEMPLATES.items())
    assert main(["init", "--list", "--json"]) == exits.FINE
    listed = json.loads(capsys.readouterr().out)["templates"]
    assert [one["name"] for one in listed] == list(TEMPLATES)
    assert not list(tmp_path.iterdir())


def test_unknown_template_is_a_usage_error_that_lists_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The names are in the message."""
    assert main(["init", "--template", "maths"]) == exits.USAGE
    told = capsys.readouterr().err
    assert all(name in told for name in TEMPLATES)


def test_init_imports_nothing_heavy(tmp_path: Path) -> None:
    """No torch, no numpy: it answers at once."""
    code = (
        "import sys; from rftspec.cli.main import main; main(['init', '-q']); "
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(rules.ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(yaml.safe_load(done.stdout))
    assert (tmp_path / "spec.yaml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("template", ["math", "tools"], indirect=True)
def test_template_learns_in_its_ten_steps(written: Path) -> None:
    """Run as it was written, seed 0: groups differ in reward, updates are made, reward rises.

    Reward rises: the 95 % interval of the gain on validation rows, which is paired by row, lies
    above zero, and so does the gain from the first three steps' rollouts to the last three's.
    """
    from rftspec.plan.compile import compile_plan
    from rftspec.record.folder import Record
    from rftspec.run.loop import run_plan
    from rftspec.spec.load import load_spec

    outcome = run_plan(compile_plan(load_spec(written / "spec.yaml")), written / "out")
    assert outcome.exit_code == exits.FINE
    record = Record.open(written / "out")
    steps = [event["metrics"] for event in record.events("step")]
    assert len(steps) == 10
    assert steps[0]["train_reward_std"] > 0
    assert sum(step["groups_trained"] > 0 for step in steps) >= 1
    rewards = [step["train_reward_mean"] for step in steps]
    assert sum(rewards[-3:]) > sum(rewards[:3])
    gain = next(record.events("finished"))["gain"]["reward"]
    assert gain["low"] > 0


def test_every_template_was_measured_and_learnt() -> None:
    """All seven are run by `python bench/templates.py`; two of them in the test above."""
    text = (rules.ROOT / "bench" / "results" / "templates.json").read_text(encoding="utf-8")
    measured = {line["template"]: line for line in json.loads(text)["templates"]}
    assert set(measured) == set(TEMPLATES)
    for line in measured.values():
        assert line["steps"] == 10
        assert line["updates"] >= 1
        assert line["reward_std_first"] > 0
        assert line["last"] > line["first"]
        assert line["gain"]["low"] > 0
