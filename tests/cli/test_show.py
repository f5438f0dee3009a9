"""`rftspec show`: samples of whatever is left of a run, picked and made safe to look at."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from tests.report.synthetic import Story, make_run

EVIL = "\x1b]0;owned\x07\u202etxt\x9b31m\r\n[31m\u2066"
Shown = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "one", Story(errors=True))


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    """The JSON of a call."""

    def show(folder: Path, *words: str, code: int = exits.FINE) -> dict[str, Any]:
        assert main(["show", str(folder), *words, "--json"]) == code
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return show


def rows(told: dict[str, Any]) -> list[int]:
    return list(dict.fromkeys(sample["row"] for sample in told["samples"]))


def score(sample: dict[str, Any], grader: str) -> float:
    return float(sample["scores"][grader]["value"] or 0)


def tuned_means(told: dict[str, Any]) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for sample in told["samples"]:
        if sample["model"] != "base":
            found.setdefault(sample["row"], []).append(sample["reward"])
    return {row: sum(rewards) / len(rewards) for row, rewards in found.items()}


def test_comparison_has_every_row_of_the_headlines_split_and_both_models(
    run: Path, shown: Shown
) -> None:
    told = shown(run)
    assert (told["format"], told["split"], told["step"]) == ("rftspec.show/1", "test", None)
    assert rows(told) == list(range(40))
    assert {sample["model"] for sample in told["samples"]} == {"base", "tuned"}
    one = told["samples"][0]
    assert one["messages"][0]["role"] == "user"
    assert one["item"]["gene"]
    assert set(one["scores"]) == {"rank", "concise"}


def test_worst_and_best_are_sorted_by_what_the_tuned_model_earns(run: Path, shown: Shown) -> None:
    means = tuned_means(shown(run))
    order = sorted(means, key=lambda row: means[row])
    assert rows(shown(run, "--worst", "3")) == order[:3]
    assert means[rows(shown(run, "--best", "1"))[0]] == max(means.values())


def test_flipped_rows_are_those_that_one_model_alone_gets_right(run: Path, shown: Shown) -> None:
    flipped = shown(run, "--flipped")["samples"]
    assert flipped
    assert {sample["verdict"] for sample in flipped} <= {"wrong → right", "right → wrong"}
    rest = [
        s["verdict"] for s in shown(run)["samples"] if s["row"] not in {f["row"] for f in flipped}
    ]
    assert set(rest) <= {"still right", "still wrong"}


def test_row_is_found_by_id_and_by_number(run: Path, shown: Shown) -> None:
    assert rows(shown(run, "--row", "test-0007")) == [7]
    assert rows(shown(run, "--row", "7")) == [7]
    assert "did you mean `test-0007`" in shown(run, "--row", "tst-0007", code=1)["message"]


@pytest.mark.parametrize(
    ("expression", "test"),
    [
        ("reward < 0.1", lambda s: s["reward"] < 0.1),
        (
            "rank == 1 and tokens > 36",
            lambda s: score(s, "rank") == 1 and s["completion_tokens"] > 36,
        ),
        ("failed", lambda s: s["error"] is not None),
        (
            "not passed and not truncated",
            lambda s: not s["passed"] and s["finish_reason"] == "stop",
        ),
        ('contains(sample.output_text, "ataxia")', lambda s: "ataxia" in s["output_text"]),
        ('item.onset == "child" and (concise ?? 0) > 0.9', lambda s: score(s, "concise") > 0.9),
    ],
)
def test_where_keeps_rows_of_which_a_tuned_answer_fits(
    run: Path, shown: Shown, expression: str, test: Callable[[dict[str, Any]], bool]
) -> None:
    every = shown(run)["samples"]
    wanted = {s["row"] for s in every if s["model"] == "tuned" and test(s)}
    assert 0 < len(wanted) < 40
    assert set(rows(shown(run, "--where", expression))) == wanted


def test_where_that_is_wrong_is_a_diagnostic_with_a_place(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(run), "--where", "rewrd < 0.5"]) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[E311]" in told
    assert "did you mean `reward`" in told
    assert main(["show", str(run), "--where", "concise < 0.5"]) == exits.WRONG
    assert "error[E323]" in capsys.readouterr().err  # it failed on some rows: it may be missing


def test_step_shows_its_group_and_with_a_split_what_was_measured_after_it(
    run: Path, shown: Shown
) -> None:
    told = shown(run, "--step", "5")
    assert (told["split"], told["step"], told["models"]) == ("train", 5, ["rollouts of step 5"])
    assert {s["model"] for s in told["samples"]} == {"rollout"}
    told = shown(run, "--step", "5", "--split", "validation")
    assert {s["model"] for s in told["samples"]} == {"base", "step-5"}
    assert {s["step"] for s in told["samples"] if s["model"] == "step-5"} == {5}
    told = shown(run, "--step", "99", code=exits.WRONG)
    assert "rollouts of steps 1 to 20" in told["message"]


def test_jsonl_is_the_same_samples_one_a_line(
    run: Path, shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(run), "--row", "3", "--jsonl"]) == exits.FINE
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == shown(run, "--row", "3")["samples"]


def test_text_tells_prompt_answers_scores_and_why(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(run), "--row", "0", "--full"]) == exits.FINE
    told = capsys.readouterr().out
    assert "year-old" in told
    assert "base " in told
    assert "tuned " in told
    assert "concise: python_grader_runtime_error: line 3: KeyError: 'genes'" in told
    assert "the reward is its floor: because `concise` failed" in told
    assert "gene " in told


def test_short_form_leaves_out_and_says_so(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run)]) == exits.FINE
    told = capsys.readouterr()
    assert "5 of 40 rows; all: --limit 40" in told.err
    assert "other answers earn" in told.out
    assert max(map(len, told.out.splitlines())) <= 160


def test_whatever_a_model_wrote_is_inert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run(tmp_path / "r", Story(hostile={0: EVIL}))
    assert main(["show", str(folder), "--row", "0", "--full"]) == exits.FINE
    told = capsys.readouterr().out
    assert "\\x1b]0;owned\\x07\\u202etxt\\x9b31m" in told
    assert not set(told) & set("\x1b\x07\x9b\r\u202e\u2066")
    for form in ("--json", "--jsonl"):
        assert main(["show", str(folder), "--row", "0", form]) == exits.FINE
        told = capsys.readouterr().out
        assert not set(told) & set("\x1b\x07\x9b\r\u202e\u2066")
        samples = (
            json.loads(told)["samples"]
            if form == "--json"
            else [json.loads(line) for line in told.splitlines()]
        )
        assert EVIL in [sample["output_text"] for sample in samples]


@pytest.mark.parametrize(
    "state", ["killed", "one row", "no evaluation", "torn", "only a plan", "empty rows"]
)
def test_run_in_any_state_shows_what_it_has(
    tmp_path: Path, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    story = {"killed": Story(finished=False, tuned=False), "one row": Story(rows=1)}.get(state)
    folder = make_run(tmp_path / "r", story or Story())
    samples = (folder / "samples.jsonl").read_text().splitlines(keepends=True)
    if state == "no evaluation":
        samples = [line for line in samples if '"kind": "rollout"' in line]
    elif state == "torn":
        samples = ["\x00\x00{\n", "null\n", *samples, '{"kind": "eval']
    elif state == "only a plan":
        for name in ("samples", "events", "rows", "timings"):
            (folder / f"{name}.jsonl").unlink()
    elif state == "empty rows":
        (folder / "rows.jsonl").write_text("")
    if state != "only a plan":
        (folder / "samples.jsonl").write_text("".join(samples))
    code = main(["show", str(folder)])
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    if state == "only a plan":
        assert code == exits.WRONG
        assert "nothing was sampled yet" in told.err
        return
    assert code == exits.FINE
    wanted = {
        "no evaluation": "rollouts of step 20",
        "torn": "3 lines of the record could not be read",
        "empty rows": "the record lost the prompt",
        "one row": "1 test row ",
    }
    assert wanted.get(state, "base") in told.out + told.err


def test_what_is_no_run_is_one_diagnostic(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(tmp_path)]) == exits.WRONG
    assert "error[R404]" in capsys.readouterr().err
    folder = make_run(tmp_path / "r")
    (folder / "samples.jsonl").unlink()
    os.mkfifo(folder / "samples.jsonl")
    assert main(["show", str(folder)]) == exits.WRONG
    assert "is not a file" in capsys.readouterr().err


def test_contradicting_wishes_are_wrong_usage(run: Path, shown: Shown) -> None:
    assert shown(run, "--worst", "1", "--best", "1", code=exits.USAGE)["exit_code"] == 2
    told = shown(run, "--step", "5", "--flipped", code=exits.WRONG)
    assert "one model only" in told["message"]
