"""`rftspec plan`: what it says of the demo, how it is laid out, and what it refuses."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.cli.plan_outlook import outlook_text
from rftspec.cli.plan_text import Paper, plan_text
from rftspec.cli.visible import width
from rftspec.plan.compile import compile_plan
from rftspec.plan.device import Device
from rftspec.run import preflight as module
from rftspec.run.preflight import Preflight, preflight
from rftspec.spec.load import load_spec
from tests.spec.samples import copy_sample, edit
from tests.toy import make_toy_model, make_toy_tokenizer

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "specs" / "rare_disease.yaml"
GOLDEN = Path(__file__).parent / "golden"
DEVICE = Device("cpu", "a processor, 2 cores", 16 * 10**9, 12 * 10**9, 8e10, 2e10)
TAKES_A_FOLDER = "RFTSPEC_CACHE"


@pytest.fixture(autouse=True)
def _nothing_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TAKES_A_FOLDER, str(tmp_path / "cache"))
    monkeypatch.setattr(module, "find_device", lambda _: DEVICE)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "here")


def _looked_at(spec: Path = DEMO) -> Preflight:
    return replace(preflight(compile_plan(load_spec(spec))), layers=())


def _text(found: Preflight, columns: int, *, color: bool = False) -> str:
    paper = Paper(columns, color)
    told = f"{plan_text(found.plan, paper)}\n{outlook_text(found, 'x.yaml', paper)}\n"
    return re.sub(r"plan [0-9a-f]{12}", "plan HASH", told)


@pytest.mark.parametrize("columns", [80, 100])
def test_plan_of_the_demo_reads_as_it_should(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFTSPEC_GOLDEN=write writes what it says now."""
    monkeypatch.chdir(ROOT)
    path = GOLDEN / f"plan-{columns}.txt"
    told = _text(_looked_at(), columns)
    if os.environ.get("RFTSPEC_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [72, 80, 100, 120])
def test_no_line_is_too_long_or_left_empty_by_a_reason(columns: int) -> None:
    """Long values and reasons go on below; only sections stand apart."""
    lines = _text(_looked_at(), columns).splitlines()
    assert max(map(width, lines)) <= columns
    for before, line in itertools.pairwise(lines):
        assert line == line.rstrip()
        assert before or line, "two empty lines"


def test_every_number_and_every_reason_of_the_plan_is_shown() -> None:
    """Nothing that a plan decides is left for the JSON only."""
    found = _looked_at()
    told = " ".join(_text(found, 100).split())
    content = found.plan.to_json()
    for section in ("model", "response", "train", "evaluate"):
        for name, value in content[section].items():
            reason = found.plan.reasons.get(f"{section}.{name}", "")
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                shown = f"{value:g}" if isinstance(value, float) else str(value)
                assert f" {name} {shown} {reason}".strip() in told, name
    for part in found.needs.parts or ():
        assert part.name in told
    for gate in found.gates:
        assert gate.told in told


def test_colours_change_nothing_but_colours() -> None:
    found = _looked_at()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", _text(found, 100, color=True))
    assert plain == _text(found, 100)


def test_json_has_everything_that_the_text_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(DEMO), "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "rftspec.plan/1"
    assert told["lengths"]["prompts"]["train"]["rows"] == 1100
    assert {part["name"] for part in told["needs"]["memory"]["parts"]} >= {
        "base", "adapter", "optimizer", "kv cache", "activations",
    }  # fmt: skip
    assert [phase["name"] for phase in told["needs"]["time"]["phases"]] == [
        "base", "train", "validate", "tuned",
    ]  # fmt: skip
    assert {gate["name"] for gate in told["gates"]} >= {"headroom", "group signal", "memory"}
    assert told["needs"]["calibration"]["last"] is None
    assert told["sandbox"]


def test_prompt_that_does_not_fit_is_an_error_with_its_line(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = spec.parent / "model"
    make_toy_tokenizer(model)
    config = {
        "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 320, "num_attention_heads": 4,
        "max_position_embeddings": 90, "model_type": "llama",
    }  # fmt: skip
    (model / "config.json").write_text(json.dumps(config))
    edit(spec, "builtin:case-reader", "./model")
    assert main(["plan", str(spec)]) == exits.WRONG
    told = capsys.readouterr()
    assert "error[M210]: this prompt has" in told.err
    assert re.search(r"train\.jsonl:\d+:1", told.err)
    assert "✗ prompt lengths" in told.out


def test_example_is_the_first_row_as_text_tokens_and_scores(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", str(DEMO), "--show-example"]) == exits.FINE
    told = capsys.readouterr().out
    assert "rare_disease/train.jsonl:1" in told
    assert "<|user|>·female·,·" in told
    assert "23 tokens, 3 of them special" in told
    assert '"genes": ["ATP6V1E1"]' in told
    assert re.search(r"rank\s+1\n", told)
    assert "rank_of(item.gene, sample.output_json.genes)" in told
    assert re.search(r"reward\s+1\n", told)


def test_examples_tokens_are_those_of_the_engine(capsys: pytest.CaptureFixture[str]) -> None:
    """Ids in JSON: exactly what `apply_chat_template` gives."""
    from transformers import AutoTokenizer

    assert main(["plan", str(DEMO), "--show-example", "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert told["format"] == "rftspec.example/1"
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "models" / "case-reader")
    assert [token["id"] for token in told["tokens"]] == list(
        tokenizer.apply_chat_template(
            told["messages"], add_generation_prompt=True, return_dict=False
        )
    )
    assert told["grading"]["reward"] == pytest.approx(1.0)
    assert told["trace"]["reward"]["value"] == pytest.approx(1.0)


def test_example_without_a_tokenizer_says_so(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(spec), "--set", "model.base=a/b-1B", "--show-example"]) == 0
    told = capsys.readouterr().out
    assert "a/b-1B is not on this machine" in told
    assert "Signs present" in told


def test_examples_foreign_text_cannot_drive_the_terminal(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(spec.parent / "ranking" / "train.jsonl", "sign 0", "sign \\u001b[2J 0")
    assert main(["plan", str(spec), "--show-example"]) == exits.FINE
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\\x1b[2J" in told.replace("·", "")


PROBE = """
import sys
from rftspec.cli.main import main
code = main(sys.argv[1:])
heavy = {"torch", "transformers", "peft", "bitsandbytes", "numpy", "scipy"}
print("imported", sorted(heavy & {name.split(".")[0] for name in sys.modules}), code)
"""


@pytest.mark.parametrize("more", [(), ("--show-example",), ("--json",)])
def test_plan_imports_neither_torch_nor_numpy(more: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "plan", str(DEMO), *more],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "imported [] 0", done.stderr


@pytest.mark.slow
def test_measuring_closes_the_open_gates_for_this_and_the_next_plan(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real model, eight rows, four answers each; kept, and read without torch."""
    make_toy_model(spec.parent / "model")
    edit(spec, "builtin:case-reader", "./model")
    words = ["plan", str(spec), "--json", "--set", "response.max_tokens=16"]
    assert main([*words, "--measure"]) == exits.FINE
    first = json.loads(capsys.readouterr().out)
    assert main(words) == exits.FINE
    again = json.loads(capsys.readouterr().out)
    found = first["measurement"]
    assert again["measurement"] == found
    assert (len(found["rows"]), found["samples"]) == (8, 4)
    assert found["sampling_rate"] > 0
    assert found["peak_memory"] > 10**8
    by_name = {gate["name"]: gate for gate in again["gates"]}
    assert by_name["headroom"]["status"] != "open"
    assert by_name["group signal"]["status"] != "open"
    # random weights never rank: the reward is at the least there is
    assert by_name["headroom"]["code"] == "W612"
    assert again["needs"]["time"]["answer_tokens"] == pytest.approx(found["answer_tokens"], abs=0.1)
    assert "--measure" in again["needs"]["calibration"]["from"]


def test_last_forecast_is_told_with_its_error(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rftspec.plan.calibration import add_line, took

    plan = compile_plan(load_spec(spec))
    add_line(
        took(
            plan, DEVICE, "run", sampling=1.0, seconds=220.0, predicted_seconds=190.0,
            bytes=10**9, predicted_bytes=9 * 10**8, answer_tokens=12.0,
        )
    )  # fmt: skip
    assert main(["plan", str(spec)]) == exits.FINE
    told = " ".join(capsys.readouterr().out.split())
    assert "predicted 3 m 10 s, took 3 m 40 s (−14 %)" in told
    assert "memory 900 MB, was 1.0 GB (−10 %)" in told
    assert "answers of 12 tokens: measured in the last run" in told


def test_rows_are_read_once_by_each_who_must(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the check of the spec, a plan walks over each file one time."""
    from rftspec.plan import survey

    plan = compile_plan(load_spec(spec))
    seen: list[str] = []
    scan: Callable[..., Any] = survey.scan_rows

    def counting(path: Path, *args: Any, **more: Any) -> Any:
        seen.append(path.name)
        return scan(path, *args, **more)

    monkeypatch.setattr(survey, "scan_rows", counting)
    preflight(plan)
    assert sorted(seen) == ["test.jsonl", "train.jsonl", "validation.jsonl"]
