"""`run --smoke`: the whole path on a few rows, apart from real runs; and `--limit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.engine.types import Group, Prompt
from rftspec.plan.smoke import smoke_plan
from rftspec.record.folder import Record
from rftspec.run import loop
from rftspec.run.rehearsal import differing
from tests.cli.scripted import RankingEngine
from tests.plan.making import make_plan
from tests.spec.samples import copy_sample, edit


@pytest.fixture
def spec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The sample spec in the working folder, the scripted engine in the place of the real one."""
    monkeypatch.setattr(loop, "_open_engine", lambda plan, meter: RankingEngine(plan.seed))
    monkeypatch.chdir(tmp_path)
    return copy_sample(tmp_path)


def _only_run(root: Path) -> Path:
    (folder,) = (root / "runs").iterdir()
    return folder


def test_every_kind_of_unit_is_gone_through(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", spec.name, "--smoke"]) == exits.FINE
    told = capsys.readouterr().out
    assert told.startswith("smoke run of ranking: 2 steps of 4 × 4 samples, at most 4 rows")
    ending = told[told.index("\nsmoke ") :]
    assert "the whole path works" in ending
    assert "its numbers mean nothing" in ending
    assert "by rank, concise: none failed" in ending
    assert "measured base, elsewhere, tuned on 4 test rows" in ending
    assert "1 can be evaluated; they do not count here" in ending
    assert "saved    2 checkpoints and the adapter" in ending
    assert "now      " in ending
    assert "run ranking.yaml\n" in ending
    folder = _only_run(spec.parent)
    assert folder.name.startswith("ranking-smoke-")
    record = Record.open(folder)
    assert [event["step"] for event in record.events("step")] == [1, 2]
    assert {line["model"] for line in record.samples(kind="evaluation")} == {
        "base", "tuned", "elsewhere", "step-1", "step-2",
    }  # fmt: skip
    assert (folder / "adapter").is_dir()
    assert all(len({r["row"] for r in record.rows(name)}) == 4 for name in ("train", "test"))


def test_its_report_says_first_that_its_numbers_mean_nothing(spec: Path) -> None:
    assert main(["run", spec.name, "--smoke", "--display", "none"]) == exits.FINE
    folder = _only_run(spec.parent)
    summary = (folder / "SUMMARY.md").read_text()
    assert summary.splitlines()[0] == "## ranking-smoke: a smoke run: its numbers mean nothing"
    assert "- A smoke run: a few steps on a few rows" in summary
    assert "run ranking.yaml --smoke" in summary
    found = json.loads((folder / "report.json").read_text())
    assert found["verdict"]["tone"] == "unclear"


def test_a_failed_gate_does_not_count(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(spec, '"tuned") >= 0', '"tuned") > 2')
    assert main(["run", spec.name, "--smoke"]) == exits.FINE
    assert "they do not count here" in capsys.readouterr().out
    assert "gate failed" not in (_only_run(spec.parent) / "SUMMARY.md").read_text()


def test_a_smoke_run_is_run_again_and_never_mixes_with_a_run(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", spec.name, "--smoke", "--display", "none"]) == exits.FINE
    smoke = _only_run(spec.parent)
    (smoke / "left.txt").write_text("from before")
    assert main(["run", spec.name, "--smoke", "--display", "none"]) == exits.FINE
    assert not (smoke / "left.txt").exists()
    capsys.readouterr()
    assert main(["resume", str(smoke)]) == exits.USAGE
    assert "run ranking.yaml --smoke" in capsys.readouterr().err
    assert main(["run", spec.name, "--display", "none"]) == exits.FINE
    real = next(p for p in (spec.parent / "runs").iterdir() if p != smoke)
    assert not real.name.startswith("ranking-smoke")
    assert main(["run", spec.name, "--smoke", "--out", str(real)]) == exits.WRONG
    assert "error[R410]" in capsys.readouterr().err
    assert (real / "report.html").is_file()


def test_a_broken_grader_is_told_with_its_first_failure(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Above half of the samples the path does not work; below, it is said."""
    program = spec.parent / "ranking" / "concise.py"
    program.write_text('def grade(sample, item):\n    raise ValueError("no luck")\n')
    assert main(["run", spec.name, "--smoke"]) == exits.RESUMABLE
    told = capsys.readouterr().out
    assert "no luck" in told
    assert "did not come to its end: mend this" in told
    program.write_text(
        "def grade(sample, item):\n"
        '    if "TST0" in sample["output_text"]:\n        raise ValueError("no luck")\n'
        "    return 1.0\n"
    )
    assert main(["run", spec.name, "--smoke"]) == exits.FINE
    told = capsys.readouterr().out
    assert "scores failed, the first with python_grader_runtime_error in `concise`" in told


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_fewer_rows_than_four_are_enough(spec: Path, rows: int) -> None:
    for name in ("train", "validation", "test"):
        path = spec.parent / "ranking" / f"{name}.jsonl"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:rows]))
    edit(spec, "prompts_per_step: 4", f"prompts_per_step: {rows}")
    assert main(["run", spec.name, "--smoke", "--display", "none"]) == exits.FINE


def test_without_validation_or_test_rows_and_with_a_split(spec: Path) -> None:
    edit(spec, "  validation: ranking/validation.jsonl\n", "  validation: { split: 6 }\n")
    edit(spec, "  test: ranking/test.jsonl\n", "")
    edit(spec, "    elsewhere:\n      outputs: ranking/outputs.jsonl\n",
         "    most: { vote: { \"on\": sample.output_text, samples: 8 } }\n")  # fmt: skip
    assert main(["run", spec.name, "--smoke", "--display", "none"]) == exits.FINE
    record = Record.open(_only_run(spec.parent))
    split = record.plan.data.validation
    assert split is not None
    assert (split.rows, len(split.indices or ())) == (4, 4)
    edit(spec, "  validation: { split: 6 }\n", "")
    assert main(["run", spec.name, "--smoke", "--display", "none"]) == exits.FINE


def test_json_display_ends_with_the_outcome_and_says_smoke(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", spec.name, "--smoke", "--display", "json"]) == exits.FINE
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["display"], last["smoke"], last["exit_code"]) == ("outcome", True, 0)


def test_what_makes_the_path_is_the_plans_own(spec: Path) -> None:
    plan = make_plan(spec)
    small = smoke_plan(plan)
    assert small.hash != plan.hash
    for name in ("model", "response", "graders", "reward", "require", "device", "sandbox"):
        assert getattr(small, name) == getattr(plan, name)
    assert smoke_plan(small).train == small.train


def _groups(*rewards: list[float]) -> list[Group]:
    return [Group(Prompt((1,), ("train", 1, 0)), (), one) for one in rewards]


def test_rewards_are_made_up_only_where_no_group_has_any_signal() -> None:
    assert [g.rewards for g in differing(_groups([0.5, 0.5], [1, 1, 1]))] == [[0, 1], [0, 1, 0]]
    mixed = _groups([0.5, 0.5], [0.0, 1.0])
    assert differing(mixed) == mixed
    assert differing([]) == []


class _Same(RankingEngine):
    """Always right, so that no group's rewards differ."""

    def _complete(self, prompt: Prompt, index: int, skill: float) -> Any:
        return super()._complete(prompt, index, 2.0)

    def learn(self, groups: Any, *, step: int) -> dict[str, float]:
        """As the real engine counts."""
        trained = sum(len(set(group.rewards)) > 1 for group in groups)
        return {**super().learn(groups, step=step), "groups_trained": float(trained)}


def test_made_up_rewards_are_told(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loop, "_open_engine", lambda plan, meter: _Same(plan.seed))
    assert main(["run", spec.name, "--smoke"]) == exits.FINE
    told = capsys.readouterr().out
    assert "8 groups entered the updates; made-up rewards in 2 steps" in told


def test_limit_takes_the_first_rows_and_says_so(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the plan, in its hash, and in the command that runs it."""
    plan, few = make_plan(spec), make_plan(spec, limit=5)
    assert few.hash != plan.hash
    assert (few.data.train.rows, few.data.train.indices) == (5, (0, 1, 2, 3, 4))
    assert few.reasons["data.train"] == "--limit 5: the first of 24 rows"
    assert make_plan(spec, limit=1000).hash == plan.hash
    assert main(["plan", spec.name, "--limit", "5"]) == exits.FINE
    told = capsys.readouterr().out
    assert "run ranking.yaml --limit 5" in told
    assert main(["run", spec.name, "--limit", "5", "--display", "none"]) == exits.FINE
    rows = {row["row"] for row in Record.open(_only_run(spec.parent)).rows("train")}
    assert rows == {0, 1, 2, 3, 4}
