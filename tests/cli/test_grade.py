"""`rftspec grade`: single answers, files of them, whole samples, probes, and runs graded again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rftspec.cli import exits
from rftspec.cli.main import main
from rftspec.record.folder import Record
from rftspec.run.loop import run_plan
from tests.run.fake_engine import FakeEngine
from tests.run.runs import small_plan

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = str(ROOT / "tests" / "samples" / "ranking.yaml")
RIGHT = '{"reasoning": "r", "genes": ["TRN0"]}'


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = exits.FINE) -> str:
    assert main(["grade", *words]) == code
    return capsys.readouterr().out


def as_json(capsys: pytest.CaptureFixture[str], *words: str, code: int = exits.FINE) -> Any:
    return json.loads(told(capsys, *words, "--json", code=code))


def test_json_has_the_shape_of_the_hosted_run_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, SPEC, "--item", "0", "--output", RIGHT)
    assert found["reward"] == pytest.approx(1.0)
    assert set(found["sub_rewards"]) == {"rank", "concise"}
    metadata = found["metadata"]
    assert metadata["type"] == "multi"
    assert metadata["scores"] == found["sub_rewards"]
    assert metadata["execution_time"] >= 0
    assert not any(metadata["errors"].values())
    assert {"formula_parse_error", "sample_parse_error", "python_grader_runtime_error",
            "model_grader_refusal_error", "model_grader_server_error_details"} <= set(
        metadata["errors"]
    )  # fmt: skip
    assert found["model_grader_token_usage_per_model"] == {}


def test_a_trace_shows_the_value_of_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, SPEC, "--output", '{"reasoning": "r", "genes": ["X", "TRN0"]}', "--trace")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "rank_of(item.gene, sample.output_json.genes) = 2" in lines
    assert 'sample.output_json.genes = ["X", "TRN0"]' in lines
    found = as_json(capsys, SPEC, "--output", RIGHT, "--trace")
    assert found["trace"]["reward"]["value"] == pytest.approx(1.0)


def test_a_whole_sample_can_be_graded_with_its_tool_calls(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = tools_spec(tmp_path)
    call = {"type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    for content in (
        {"output_text": "", "output_tools": [call]},
        {"output_tools": [call]},
        {"choices": [{"message": {"content": None, "tool_calls": [call]}}]},
    ):
        file = tmp_path / "sample.json"
        file.write_text(json.dumps(content))
        assert as_json(capsys, spec, "--sample", str(file))["reward"] == 1.0
    assert as_json(capsys, spec, "--output", "look_up")["reward"] == 0.0


def tools_spec(folder: Path) -> str:
    rows = [{"messages": [{"role": "user", "content": "?"}], "tool": "look_up", "id": "first"}]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows * 1))
    spec = folder / "spec.yaml"
    spec.write_text(
        "version: 1\nmodel:\n  base: builtin:case-reader\ndata:\n  train: rows.jsonl\n"
        "graders:\n  called:\n    type: python\n    source: |\n"
        "      def grade(sample, item):\n"
        "          calls = sample['output_tools']\n"
        "          return float(any(c['function']['name'] == item['tool'] for c in calls))\n"
        "    pass_threshold: 1\n"
        "reward: called\n"
    )
    return str(spec)


def test_a_file_of_answers_is_graded_and_told_in_a_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, out = tmp_path / "outputs.jsonl", tmp_path / "graded.jsonl"
    lines = [
        {"row": 0, "output_text": RIGHT},
        {"row": 1, "output_text": "nonsense"},
        {"item": {"gene": "Z"}, "sample": {"output_text": '{"reasoning": "", "genes": ["Z"]}'}},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = told(capsys, SPEC, str(file), "--out", str(out))
    assert "3 answers graded" in text
    assert any(line.split()[:2] == ["grader", "rank"] for line in text.splitlines())
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [w["sub_rewards"]["rank"] for w in written] == [1.0, 0.0, 1.0]
    assert as_json(capsys, SPEC, str(file))["answers"][0]["answer"] == "row 0"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"row": 0}', "has no answer"),
        ('{"row": 999, "output_text": "x"}', "there is no such row"),
        ('{"output_text": "x"}', "does not say which row"),
    ],
)
def test_a_malformed_line_is_named_with_its_number(
    line: str, says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "outputs.jsonl"
    file.write_text('{"row": 0, "output_text": "x"}\n' + line + "\n")
    assert main(["grade", SPEC, str(file)]) == exits.WRONG
    said = capsys.readouterr().err
    assert "R408" in said
    assert "line 2" in said
    assert says in said


def test_a_threshold_shows_who_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = told(capsys, tools_spec(tmp_path), "--output", "x")
    assert "fails" in text


def test_a_probe_tells_what_lazy_answers_earn(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, SPEC, "--probe", "--rows", "4")
    assert "What would a lazy model earn? 4 rows" in text
    assert "a polite refusal" in text
    found = as_json(capsys, SPEC, "--probe")
    assert {e["name"] for e in found["earned"]} >= {"gold", "empty", "prompt", "refusal"}


def test_a_probe_of_a_broken_grader_ends_with_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lenient = "reward=if has(sample.output_json) then 1 else 0"
    found = as_json(capsys, SPEC, "--probe", "--set", lenient, code=exits.WRONG)
    assert "E602" in {one["code"] for one in found["findings"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([SPEC], "what is to be graded?"),
        ([SPEC, "--output", "x", "--sample", SPEC], "what is to be graded?"),
        ([SPEC, "--sample", SPEC], "is no JSON"),
        ([SPEC, "--with", SPEC, "--output", "x"], "give the run's folder"),
    ],
)
def test_wrong_usage_says_what_to_give(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", *words]) == exits.USAGE
    assert says in " ".join(capsys.readouterr().err.split())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of the fake engine with real graders."""
    plan = small_plan(tmp_path / "data", steps=2)
    right = "if (sample.output_json.sum ?? -1) == item.sum then 1 else 0"
    schema = {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    plan = replace(
        plan,
        response=replace(plan.response, format=form),
        graders={"right": {"type": "expression", "expression": right, "range": [0, 1]}},
        evaluate=replace(plan.evaluate, references=()),
    )
    run_plan(plan, tmp_path / "run", engine=FakeEngine(3))
    return tmp_path / "run"


def test_a_run_graded_again_by_its_own_graders_is_as_recorded(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "every reward is as it was recorded" in told(capsys, str(run))
    assert main(["grade", str(run), "--output", "x"]) == exits.USAGE
    assert "a run's own samples are graded again" in " ".join(capsys.readouterr().err.split())


def test_a_run_is_graded_by_the_graders_of_another_spec_without_generating(
    run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = tmp_path / "other.yaml"
    spec.write_text(
        "version: 1\nmodel:\n  base: builtin:case-reader\ndata:\n  train: data/train.jsonl\n"
        "response:\n  format: { type: json_schema, json_schema: { schema: { type: object,"
        " properties: { sum: { type: number } }, required: [sum] } } }\n"
        "graders:\n  wrong:\n    type: expression\n    range: [0, 1]\n    expression: |\n"
        "      if (sample.output_json.sum ?? -1) == item.sum then 0 else 1\n"
        "reward: wrong\n"
    )
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    out = tmp_path / "again.jsonl"
    text = told(capsys, str(run), "--with", str(spec), "--out", str(out))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == sum(s["kind"] != "ballot" for s in Record.open(run).samples())
    assert all(line["reward"] == 1 - line["reward_before"] for line in lines)
    assert "rank correlation (Spearman) -1.00" in text, text
    assert before == {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
