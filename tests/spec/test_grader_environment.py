"""`${env:NAME}` in graders: read when they are opened, and written down nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.graders.kinds import KINDS
from rftspec.graders.score import Sample
from rftspec.plan.compile import compile_plan
from rftspec.plan.model import Plan
from rftspec.run.rows import read_splits
from rftspec.run.scoring import open_graders
from rftspec.spec.environment import fill_graders
from rftspec.spec.load import load_spec
from tests.graders.fake_server import Action, FakeServer, Seen, error, verdict
from tests.spec.samples import copy_sample, edit

JUDGES = """\
graders:
  judge:
    type: score_model
    model: ${env:JUDGE_MODEL}
    base_url: ${env:JUDGE_URL}
    input: [{ role: user, content: "{{ sample.output_text }}" }]
    range: [0, 1]
    retries: 0
    cache: false
  both:
    type: multi
    graders:
      service:
        type: endpoint
        url: ${env:JUDGE_URL}/grade
        headers: { X-Team: "${env:TEAM}", X-Plain: plain }
        retries: 0
      label:
        type: label_model
        model: ${env:JUDGE_MODEL}
        base_url: ${env:JUDGE_URL:-http://localhost:1/v1}
        input: [{ role: user, content: "{{ sample.output_text }}" }]
        labels: [good, bad]
        passing_labels: [good]
        cache: false
    calculate_output: service + label
"""
TEAM = "team-of-secrets"
MODEL = "org-inside/judge-of-judges"


def _answer(seen: Seen) -> Action:
    if seen.path.endswith("/grade"):
        return Action(body=json.dumps({"score": 0.5}).encode())
    return verdict("good" if "good" in json.dumps(seen.json.get("response_format")) else 0.25)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    made = FakeServer(_answer)
    yield made
    made.stop()


@pytest.fixture
def spec(tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUDGE_MODEL", MODEL)
    monkeypatch.setenv("JUDGE_URL", server.url)
    monkeypatch.setenv("TEAM", TEAM)
    found = copy_sample(tmp_path)
    edit(found, "graders:\n", JUDGES)
    edit(found, "reward: 0.9 * rank + 0.1 * concise", "reward: (rank + concise + judge + both) / 5")
    return found


def _plan(spec: Path, *overrides: str) -> Plan:
    return compile_plan(load_spec(spec, overrides=overrides))


def _grade(plan: Plan) -> Any:
    rows = read_splits(plan.data, plan.seed)
    with open_graders(plan, rows.item_type) as graders:
        return graders.grade([Sample("yes")], [rows.test[0].item])[0]


def test_values_are_used_and_the_plan_holds_references(spec: Path, server: FakeServer) -> None:
    plan = _plan(spec)
    text = json.dumps(plan.to_json())
    for value in (MODEL, server.url, str(server.port), TEAM):
        assert value not in text
    assert plan.graders["judge"]["base_url"] == "${env:JUDGE_URL}"
    graded = _grade(Plan.from_json(json.loads(text)))
    assert graded.scores["judge"].value == 0.25
    assert graded.scores["both"].value == 1.5
    assert {seen.json.get("model") for seen in server.seen} == {MODEL, None}
    posted = next(seen for seen in server.seen if seen.path.endswith("/grade"))
    assert (posted.headers["x-team"], posted.headers["x-plain"]) == (TEAM, "plain")


def test_another_address_is_the_same_plan(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _plan(spec)
    monkeypatch.setenv("JUDGE_URL", "http://elsewhere.example/v1")
    assert _plan(spec).hash == first.hash


def test_what_a_server_says_of_a_value_does_not_reach_the_record(
    spec: Path, server: FakeServer
) -> None:
    said = f"the model {MODEL} is unknown at {server.url} to {TEAM}"
    server.script = lambda seen: error(404, said)
    graded = _grade(_plan(spec))
    told = json.dumps([score.detail for score in graded.scores.values()]) + str(graded.error_detail)
    for value in (MODEL, server.url, str(server.port), TEAM):
        assert value not in told
    assert "${env:JUDGE_MODEL}" in told


def test_a_value_that_is_refused_is_not_repeated(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_URL", "ftp://hidden.example/v1")
    with pytest.raises(DiagnosticError) as caught:
        load_spec(spec)
    told = " ".join(f"{d.message} {d.hint} {d.snippet}" for d in caught.value.diagnostics)
    assert "E442" in {one.code for one in caught.value.diagnostics}
    assert "hidden" not in told


def test_a_variable_that_is_not_set_is_told_by_the_field_also_when_a_saved_plan_runs(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = _plan(spec)
    monkeypatch.delenv("JUDGE_MODEL")
    paths = {"graders.judge.model", "graders.both.graders.label.model"}
    with pytest.raises(DiagnosticError) as caught:
        load_spec(spec)
    assert {(d.code, d.path) for d in caught.value.diagnostics} == {("E117", p) for p in paths}
    with pytest.raises(DiagnosticError) as caught:
        _grade(plan)
    assert {(d.code, d.path) for d in caught.value.diagnostics} == {("E117", p) for p in paths}


def test_an_escaped_reference_is_text_and_stays_one_in_the_plan(spec: Path) -> None:
    plan = _plan(spec, "graders.judge.model=$${env:JUDGE_MODEL}")
    assert plan.graders["judge"]["model"] == "$${env:JUDGE_MODEL}"
    filled = fill_graders(plan.graders, {"JUDGE_URL": "u", "TEAM": "t", "JUDGE_MODEL": "m"})
    assert filled["judge"]["model"] == "${env:JUDGE_MODEL}"
    assert filled["both"]["graders"]["service"]["headers"] == {"X-Team": "t", "X-Plain": "plain"}


def test_an_override_may_be_a_reference_too(spec: Path) -> None:
    plan = _plan(spec, "graders.judge.base_url=${env:JUDGE_URL}/")
    assert plan.graders["judge"]["base_url"] == "${env:JUDGE_URL}/"


def test_formulas_and_prompts_are_not_read_from_the_environment(spec: Path) -> None:
    for old, new in (
        ("calculate_output: service + label", "calculate_output: ${env:TEAM}"),
        ("passing_labels: [good]", "passing_labels: ['${env:TEAM}']"),
        ("retries: 0\n    cache", "retries: ${env:TEAM}\n    cache"),
    ):
        text = spec.read_text()
        edit(spec, old, new)
        with pytest.raises(DiagnosticError) as caught:
            load_spec(spec)
        assert "E118" in {one.code for one in caught.value.diagnostics}, new
        spec.write_text(text)


def test_every_setting_that_names_a_model_or_an_address_may_be_read_from_there() -> None:
    """A kind of grader that is added later is held to it."""
    for kind, grader in KINDS.items():
        for name, schema in grader.schema.get("properties", {}).items():
            if name in ("model", "base_url", "url"):
                assert schema.get("x-env"), f"{kind}.{name}"
