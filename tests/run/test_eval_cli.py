"""`rftspec eval` as a person types it: tables, files, refusals, and no torch without need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.run import evaluation
from tests.cli.scripted import RankingEngine
from tests.house.test_imports import HEAVY, PROBE

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = str(ROOT / "tests" / "samples" / "ranking.yaml")
OUTPUTS = str(ROOT / "tests" / "samples" / "ranking" / "outputs.jsonl")


@pytest.fixture
def scripted(monkeypatch, tmp_path):
    """The scripted engine, in an empty working folder, with a cache of its own."""
    opened = []

    def open_local(plan, adapter):
        opened.append(adapter)
        engine = RankingEngine(plan.seed)
        engine.skill = 0.9
        return engine

    monkeypatch.setattr(evaluation, "open_local", open_local)
    monkeypatch.setenv("RFTSPEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return opened


def folders():
    return sorted(path.parent for path in Path("evals").glob("*/eval.json"))


def test_base_is_measured_and_the_numbers_are_on_disk(scripted, capsys):
    assert main(["eval", SPEC, "--samples", "2", "--greedy"]) == exits.FINE
    told = capsys.readouterr().out
    assert "ranking · base on" in told
    assert "greedy" in told
    assert "graders/rank" in told
    assert "pass@2" in told
    (folder,) = folders()
    assert folder.name.startswith("ranking-base-")
    result = json.loads((folder / "result.json").read_text())
    assert result["format"] == "rftspec.eval/1"
    items = (folder / "items.jsonl").read_text().splitlines()
    assert len(items) == result["samples"] + result["rows"]  # one greedy answer a row


def test_same_command_again_does_nothing_and_says_so(scripted, capsys):
    main(["eval", SPEC])
    before = (folders()[0] / "samples.jsonl").read_bytes()
    capsys.readouterr()
    assert main(["eval", SPEC]) == exits.FINE
    assert "nothing was done anew" in capsys.readouterr().out
    assert (folders()[0] / "samples.jsonl").read_bytes() == before
    assert len(scripted) == 1


def test_changed_metric_is_measured_without_the_model(scripted, capsys):
    main(["eval", SPEC])
    capsys.readouterr()
    changed = ["--set", "evaluate.metrics.listed=len(sample.output_json.genes) ?? 0"]
    assert main(["eval", SPEC, *changed]) == exits.FINE
    assert "sampled before and only graded now" in capsys.readouterr().out
    assert len(scripted) == 1
    assert len(folders()) == 2


def test_adapter_is_opened_and_compared_with_the_base(scripted, capsys):
    Path("mine").mkdir()
    Path("mine/adapter_config.json").write_text("{}")
    Path("mine/adapter_model.safetensors").write_bytes(b"weights")
    main(["eval", SPEC])
    capsys.readouterr()
    assert main(["eval", SPEC, "--adapter", "mine"]) == exits.FINE
    assert scripted[-1] == Path("mine").resolve()
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("compare"))
    words = line.split(" compare ")[1].split()
    assert main(["compare", *words]) == exits.FINE
    told = capsys.readouterr().out
    assert "A → B" in told
    assert "top@1" in told


def test_outputs_of_others_are_graded_without_a_model(scripted, capsys):
    assert main(["eval", SPEC, "--outputs", OUTPUTS, "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert told["model"]["kind"] == "outputs"
    assert told["samples"] > 0
    assert not scripted


def test_slices_are_shown(scripted, capsys):
    assert main(["eval", SPEC, "--outputs", OUTPUTS, "--by", "item.weight"]) == exits.FINE
    assert "by item.weight" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outputs", OUTPUTS, "--model", "x"], "name two things"),
        (["--outputs", OUTPUTS, "--adapter", "x"], "name two things"),
        (["--outputs", OUTPUTS, "--samples", "3"], "brings its own answers"),
        (["--revision", "main"], "belongs to `--model`"),
        (["--samples", "0"], "--samples"),
        (["--by", "wieght"], "they have:"),
        (["--split", "nowhere"], "--split"),
    ],
)
def test_wrong_words_are_told_before_anything_is_done(scripted, capsys, words, said):
    assert main(["eval", SPEC, *words]) == exits.USAGE
    assert said in capsys.readouterr().err
    assert not folders()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--adapter", "nowhere"], "R414"),
        (["--outputs", "nowhere.jsonl"], "R409"),
        (["--out", "taken"], "R401"),
    ],
)
def test_mistakes_are_diagnostics(scripted, capsys, words, code):
    Path("taken").mkdir()
    Path("taken/file").write_text("mine")
    assert main(["eval", SPEC, *words]) == exits.WRONG
    assert code in capsys.readouterr().err


def test_malformed_outputs_are_told_with_their_line(scripted, capsys):
    Path("bad.jsonl").write_text('{"id": "t", "output_text": "x"}\n{"output": 3}\n')
    assert main(["eval", SPEC, "--outputs", "bad.jsonl"]) == exits.WRONG
    told = capsys.readouterr().err
    assert "R408" in told
    assert "line 2" in told


def test_broken_engine_leaves_what_is_graded(scripted, capsys, monkeypatch):
    monkeypatch.setenv("RFTSPEC_TEST_BREAK", "1")
    monkeypatch.setattr(evaluation, "CHUNK", 2)
    assert main(["eval", SPEC, "--samples", "2"]) == exits.RESUMABLE
    told = capsys.readouterr().err
    assert "please report" in told.lower()
    assert "the same command goes on" in told
    kept = len((folders()[0] / "samples.jsonl").read_text().splitlines())
    assert kept > 0
    monkeypatch.delenv("RFTSPEC_TEST_BREAK")
    assert main(["eval", SPEC, "--samples", "2"]) == exits.FINE


@pytest.mark.parametrize(
    "words", [("eval", SPEC, "--outputs", OUTPUTS, "--out", "OUT"), ("compare", "OUT", "OUT")]
)
def test_neither_outputs_nor_compare_import_torch(tmp_path, words):
    out = str(tmp_path / "out")
    main(["eval", SPEC, "--outputs", OUTPUTS, "--out", out])
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *(out if word == "OUT" else word for word in words)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "NO_COLOR": "1", "RFTSPEC_CACHE": "off"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert not told["code"]
    assert not HEAVY & set(told["modules"])
