"""Judges and endpoints as settings: each mistake has its code and place; nothing is contacted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.graders.grading import GraderSet, check_graders
from rftspec.graders.remote.keys import Redactor
from rftspec.resources import resource
from rftspec.spec.load import load_spec
from tests.graders.judges import INPUT, ITEM, label_model, score_model

ENDPOINT = {"type": "endpoint", "url": "https://grade.example/score"}


def found(settings: dict[str, Any]) -> list[Diagnostic]:
    return check_graders({"g": settings}, "g", {}, ITEM, None, sandbox=None)[0]


def codes(settings: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [
        (d.code, d.severity, (d.path or "").removeprefix("graders.g.")) for d in found(settings)
    ]


def content(value: Any) -> list[dict[str, Any]]:
    return [*INPUT, {"role": "user", "content": value}]


LOCAL = {"base_url": None, "timeout_s": None, "retries": None, "local": True}


@pytest.mark.parametrize(
    ("settings", "code", "place"),
    [
        (score_model(input=content("{{ item.nope }}")), "E401", "input.2.content"),
        (score_model(input=content(["a", "{{ b"])), "E401", "input.2.content.1"),
        (score_model(input=content({"type": "input_text", "text": "{{ sample.x }}"})), "E401",
         "input.2.content.text"),
        (score_model(input=content({"type": "input_image", "image_url": "x"})), "E440",
         "input.2.content"),
        (score_model(input=content([{"type": "input_audio", "data": ""}])), "E440",
         "input.2.content.0"),
        (score_model(input=content({"type": "input_text"})), "E440", "input.2.content"),
        (score_model(input=content([3])), "E440", "input.2.content.0"),
        (score_model(input=content([])), "E440", "input.2.content"),
        (score_model(input=INPUT[:1]), "E440", "input"),
        (score_model(range=[1, 1]), "E402", "range"),
        (label_model(passing_labels=["great"]), "E441", "passing_labels.0"),
        (label_model(passing_labels=["good", "poor", "bad"]), "E441", "passing_labels"),
        (score_model("localhost:8000"), "E442", "base_url"),
        (score_model("ftp://host/v1"), "E442", "base_url"),
        (score_model("https:///v1"), "E442", "base_url"),
        (score_model("http://[::1"), "E442", "base_url"),
        (score_model("http://host:99999/v1"), "E442", "base_url"),
        (score_model("https://a b/v1"), "E442", "base_url"),
        (score_model("https://me:hush@host/v1"), "E442", "base_url"),
        (score_model("https://host/v1?key=1"), "E442", "base_url"),
        (score_model(api_key_env="sk-12345"), "E443", "api_key_env"),
        (score_model(sampling_params={"max_completion_tokens": 1, "max_completions_tokens": 1}),
         "E445", "sampling_params"),
        (score_model(model="builtin:case-reader"), "E445", "model"),
        (score_model(**{**LOCAL, "base_url": "http://a/v1"}), "E445", "base_url"),
        (score_model(**{**LOCAL, "retries": 2}), "E445", "retries"),
        (score_model(**LOCAL, sampling_params={"reasoning_effort": "low"}), "E445",
         "sampling_params.reasoning_effort"),
        (score_model(**LOCAL, model="builtin:nobody"), "E446", "model"),
        ({**ENDPOINT, "url": "grade.example"}, "E442", "url"),
        ({**ENDPOINT, "url": "https://u:p@grade.example"}, "E442", "url"),
        ({**ENDPOINT, "headers": {"Authorization": "Bearer x"}}, "E448", "headers.Authorization"),
        ({**ENDPOINT, "headers": {"X-API-Key": "x"}}, "E448", "headers.X-API-Key"),
        ({**ENDPOINT, "headers": {"X A": "x"}}, "E442", "headers.X A"),
        ({**ENDPOINT, "headers": {"X": "a\r\nHost: b"}}, "E442", "headers.X"),
        ({**ENDPOINT, "range": [2, 1]}, "E402", "range"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_code_and_place(
    settings: dict[str, Any], code: str, place: str
) -> None:
    assert codes(settings) == [(code, "error", place)]


def test_everything_wrong_is_told_at_once() -> None:
    settings = label_model(
        "nowhere", input=content("{{ item.nope }}"), passing_labels=["x", "y"], api_key_env="a b"
    )
    told = [code for code, _, _ in codes(settings)]
    assert sorted(told) == ["E401", "E441", "E441", "E442", "E443"]


@pytest.mark.parametrize(
    "settings",
    [
        score_model(),
        score_model("https://host:8443/openai/v1/"),
        score_model("http://[::1]:8000/v1"),
        label_model(),
        score_model(**LOCAL, model="builtin:case-reader", sampling_params={"temperature": 1}),
        score_model(**LOCAL, model="./judge"),
        {**ENDPOINT, "headers": {"X-Team": "blue"}, "rate_limit": 0.5},
    ],
)
def test_sound_settings_have_nothing_to_say(settings: dict[str, Any]) -> None:
    assert codes(settings) == []


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (score_model(api_key_env="NO_SUCH_VARIABLE"), "api_key_env"),
        (score_model(base_url=None), "model"),
        ({**ENDPOINT, "headers_env": {"Authorization": "NO_SUCH_VARIABLE"}},
         "headers_env.Authorization"),
    ],
)  # fmt: skip
def test_variable_that_is_not_set_is_a_warning_in_a_check_and_an_error_in_a_run(
    settings: dict[str, Any], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert codes(settings) == [("E443", "warning", place)]
    with pytest.raises(DiagnosticError) as caught:
        GraderSet.from_json({"g": settings}, "g", {}, ITEM, None)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.severity) == ("E443", "error")
    assert "export " in (diagnostic.hint or "")


@pytest.mark.parametrize(("settings", "package"), [(score_model(), "openai"), (ENDPOINT, "httpx")])
def test_missing_package_names_the_command_that_installs_it(
    settings: dict[str, Any], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else find(name)
    )
    assert codes(settings) == [("E444", "warning", "type")]
    with pytest.raises(DiagnosticError) as caught:
        GraderSet.from_json({"g": settings}, "g", {}, ITEM, None)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.severity == "error"
    assert diagnostic.hint == "pip install 'rftspec[judges]'"


def test_local_judge_without_an_engine_is_refused_in_a_run() -> None:
    settings = score_model(**LOCAL, model="builtin:case-reader")
    with pytest.raises(DiagnosticError, match="no engine"):
        GraderSet.from_json({"g": settings}, "g", {}, ITEM, None)


def test_key_over_plain_http_to_another_machine_is_warned_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", "abcd")
    settings = score_model("http://judge.example/v1", api_key_env="MY_KEY")
    assert codes(settings) == [("W447", "warning", "base_url")]
    assert codes(score_model("http://localhost:1/v1", api_key_env="MY_KEY")) == []


def test_range_of_the_judge_bounds_the_reward() -> None:
    told, interval = check_graders(
        {"g": score_model(range=[-2, 5]), "l": label_model()}, "g - 3 * l", {}, ITEM, None
    )
    assert told == []
    assert interval == (-5.0, 5.0)


def test_redactor_hides_a_key_in_every_form_that_servers_echo() -> None:
    hide = Redactor(["Bearer a/b+cdef"]).hide
    for said in ("a/b+cdef", "Bearer a/b+cdef", "a%2Fb%2Bcdef", "'a/b+cdef'"):
        assert "cdef" not in hide(f"bad key {said}!")
    assert "12345678" not in Redactor([]).hide("got sk-proj-12345678 and Bearer 12345678")
    assert Redactor([None, "", "x"]).hide("six boxes") == "six boxes"


SPEC = """\
version: 1
name: judged
model: { base: builtin:case-reader }
data: { train: rows.jsonl, validation: rows2.jsonl }
graders:
  judge:
    type: score_model
    model: some-judge
    base_url: http://127.0.0.1:9/v1
    input:
      - role: system
        content: Grade from 0 to 1.
      - role: user
        content:
          - { type: input_text, text: "{{ item.answer }}" }
          - "{{ sample.output_text }}"
    sampling_params: { seed: null, temperature: 0, reasoning_effort: null }
  labels:
    type: label_model
    model: some-judge
    base_url: http://127.0.0.1:9/v1
    labels: [good, bad]
    passing_labels: [good]
    input: [{ role: user, content: "{{ sample.output_text }}" }]
  service:
    type: endpoint
    url: http://127.0.0.1:9/grade
    headers: { X-Team: blue }
  both:
    type: multi
    graders:
      inner:
        type: score_model
        model: some-judge
        base_url: http://127.0.0.1:9/v1
        input: [{ role: user, content: "{{ sample.output_text }}" }]
    calculate_output: inner
reward: 0.25 * (judge + labels + service + both)
train: { algorithm: grpo, steps: 2, prompts_per_step: 2, samples_per_prompt: 2 }
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    for name, answers in (("rows", "abcd"), ("rows2", "efgh")):
        rows = [{"messages": [{"role": "user", "content": f"q {a}"}], "answer": a} for a in answers]
        text = "\n".join(json.dumps(row) for row in rows) + "\n"
        (tmp_path / f"{name}.jsonl").write_text(text)
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return path


PROBE = """
import json, socket, sys
def refuse(*args, **more):
    raise AssertionError("a connection was opened")
socket.socket.connect = refuse
from rftspec.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as error:
    code = error.code
print("\\n" + json.dumps([code or 0, sorted({n.split(".")[0] for n in sys.modules})]))
"""


@pytest.mark.parametrize("verb", ["validate", "plan"])
def test_checking_a_spec_with_judges_contacts_and_imports_nothing(spec: Path, verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, verb, str(spec)],
        capture_output=True, text=True, timeout=120, env={**os.environ, "NO_COLOR": "1"},
        cwd=resource("specs").parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    assert not set(modules) & {"openai", "httpx", "httpx2", "torch", "transformers", "sqlite3"}


def test_mistakes_in_messages_are_shown_at_their_line_and_column(spec: Path) -> None:
    text = SPEC.replace("{{ item.answer }}", "{{ item.anwser }}").replace(
        "passing_labels: [good]", "passing_labels: [good, god]"
    )
    spec.write_text(text)
    with pytest.raises(DiagnosticError) as caught:
        load_spec(spec)
    places = {
        d.code: (d.span.line, d.span.column) for d in caught.value.diagnostics if d.span is not None
    }
    lines = text.splitlines()
    for code, word in (("E401", "item.anwser"), ("E441", "god]")):
        line = next(i for i, given in enumerate(lines, 1) if word in given)
        assert places[code] == (line, lines[line - 1].index(word) + 1)


def test_field_of_a_message_that_a_row_lacks_is_said_at_the_row(spec: Path) -> None:
    rows = (spec.parent / "rows.jsonl").read_text().splitlines()
    row = json.loads(rows[2])
    del row["answer"]
    rows[2] = json.dumps(row)
    (spec.parent / "rows.jsonl").write_text("\n".join(rows) + "\n")
    with pytest.raises(DiagnosticError) as caught:
        load_spec(spec)
    told = [d for d in caught.value.diagnostics if d.code == "E217"]
    assert [d.span.line for d in told if d.span is not None] == [3]


def test_key_written_into_a_spec_is_refused_with_the_fix(spec: Path) -> None:
    spec.write_text(
        SPEC.replace("    model: some-judge", "    model: some-judge\n    api_key: x", 1)
    )
    with pytest.raises(DiagnosticError) as caught:
        load_spec(spec)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E101"
    assert "environment" in (diagnostic.hint or "")


def test_no_port_was_in_the_way() -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 9)) != 0
