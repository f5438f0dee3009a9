"""Every verb of the command line: `--json`, `-q`, help with an example, and plain where asked for.

The verbs are walked, so that a new one is held to this on the day that it appears.
"""

from __future__ import annotations

import inspect
import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from rftspec.cli import exits
from rftspec.cli.main import cli, main
from rftspec.cli.manners import Manner, leaves
from tests.cli.scripted import RankingEngine
from tests.report.synthetic import make_run
from tests.spec.samples import copy_sample

ROOT = Path(__file__).resolve().parents[2]
VERBS = dict(leaves(cli))
JOB = {
    "name": "exact",
    "type": "string_check",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
CALLS: dict[str, list[str]] = {
    "init": ["new"],
    "validate": ["ranking.yaml"],
    "explain": ["E103"],
    "schema": [],
    "fmt": ["--check", "ranking.yaml"],
    "grade": ["ranking.yaml", "--output", "x"],
    "import openai": ["job.json"],
    "import trl": ["grpo.yaml"],
    "import axolotl": ["axolotl.yaml"],
    "plan": ["ranking.yaml"],
    "run": ["ranking.yaml", "--out", "made"],
    "resume": ["finished"],
    "eval": ["ranking.yaml", "--outputs", "ranking/outputs.jsonl"],
    "report": ["runs/one"],
    "compare": ["runs/one", "runs/two"],
    "show": ["runs/one", "--row", "0"],
    "ls": [],
    "data phenopackets": [
        "cases", "--out", "rows", "--train", "8", "--validation", "4", "--test", "4"
    ],
    "doctor": ["--quick"],
    "completion": ["bash"],
}  # fmt: skip
"""A call of each verb that goes well in the project below; an exit code above 1 is none."""
HANDS_OVER = {
    "explain",
    "schema",
    "completion",
    "show",
    "ls",
    "import openai",
    "import trl",
    "import axolotl",
}
"""Verbs whose answer is a thing and no remark: quiet, they give it all the same."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the calls name, and a model that needs no torch."""
    from rftspec.run import loop
    from tests.data.test_phenopackets import folder, plain_packets

    monkeypatch.setattr(loop, "_open_engine", lambda plan, meter: RankingEngine(plan.seed))
    monkeypatch.chdir(tmp_path)
    copy_sample(tmp_path)
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    (tmp_path / "grpo.yaml").write_text(
        "model_name_or_path: Qwen/Qwen2.5-0.5B\nnum_generations: 8\n"
    )
    (tmp_path / "axolotl.yaml").write_text("base_model: Qwen/Qwen2.5-0.5B\nrl: grpo\n")
    for name in ("one", "two"):
        make_run(tmp_path / "runs" / name)
    make_run(tmp_path / "finished")
    folder(tmp_path / "cases", plain_packets())
    return tmp_path


def test_every_verb_has_a_call_here() -> None:
    """Who adds a verb adds how it is called."""
    assert set(CALLS) == set(VERBS)


@pytest.mark.parametrize("name", sorted(VERBS))
def test_verb_has_json_quiet_and_help_with_an_example(name: str) -> None:
    command = VERBS[name]
    options = {option for param in command.params for option in param.opts}
    assert {"--json", "-q", "--quiet"} <= options
    text = inspect.cleandoc(command.help or "")
    first = text.splitlines()[0]
    assert first.endswith((".", "?", ":", ","))
    examples = [
        line for line in text.splitlines() if re.search(rf"\brftspec {re.escape(name)}\b", line)
    ]
    assert examples, f"the help of `rftspec {name}` shows no call of it"


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_option_says_what_it_does(name: str) -> None:
    for param in VERBS[name].params:
        if isinstance(param, click.Option):
            assert param.help, f"{param.opts} of `rftspec {name}` has no help"


@pytest.mark.parametrize("name", sorted(VERBS))
def test_json_is_one_object_with_a_versioned_format(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*name.split(), *CALLS[name], "--json"])
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert code <= exits.WRONG, told.err
    assert re.fullmatch(r"rftspec\.[a-z]+/\d+", found["format"]), found["format"]
    assert found["format"] != "rftspec.error/1", found
    assert not set(told.out) & {chr(n) for n in (*range(10), *range(11, 32), *range(127, 160))}


@pytest.mark.parametrize("name", sorted(VERBS))
def test_wrong_usage_is_json_too_where_json_was_asked_for(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*name.split(), "--no-such-option"]
    assert main(words) == exits.USAGE
    assert capsys.readouterr().out == ""
    assert main([*words, "--json"]) == exits.USAGE
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["ok"]) == ("rftspec.error/1", False)
    assert found["exit_code"] == exits.USAGE
    assert "--no-such-option" in found["message"]


@pytest.mark.parametrize(
    "verb", ["plan", "run", "grade", "eval", "report", "show", "resume", "compare"]
)
def test_mistake_is_json_with_its_diagnostics_and_the_same_exit_code(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = {"compare": ["other"], "grade": ["--output", "x"]}.get(verb, [])
    code = main([verb, "nowhere", *more])
    capsys.readouterr()
    assert main([verb, "nowhere", *more, "--json"]) == code == exits.WRONG
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["ok"] is False
    assert found["diagnostics"][0]["code"]
    assert found["diagnostics"][0]["severity"] == "error"
    assert "error[" not in told.err


@pytest.mark.parametrize("name", sorted(VERBS))
def test_quiet_leaves_nothing_but_errors_and_what_is_handed_over(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*name.split(), *CALLS[name]]
    code = main([*words, "-q"])
    told = capsys.readouterr()
    assert told.err == "", told.err
    assert bool(told.out) == (name in HANDS_OVER), told.out
    assert code <= exits.WRONG


@pytest.mark.parametrize("verb", ["plan", "run", "validate", "report"])
def test_errors_are_told_when_quiet_too_and_warnings_are_not(
    verb: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "nowhere.yaml", "-q"]) == exits.WRONG
    told = capsys.readouterr()
    assert "error[" in told.err
    assert "Nothing was run" not in told.err
    if verb == "validate":
        spec = project / "ranking.yaml"
        spec.write_text(spec.read_text().replace("steps: 4", "steps: 4\n  learning_rate: 10"))
        assert main(["validate", "ranking.yaml"]) == exits.FINE
        assert "W115" in capsys.readouterr().err
        assert main(["validate", "ranking.yaml", "-q"]) == exits.FINE
        assert capsys.readouterr() == ("", "")


def test_every_format_is_documented() -> None:
    """docs/commands.md names each that a verb can give."""
    told = (ROOT / "docs" / "commands.md").read_text("utf-8")
    sources = [*(ROOT / "rftspec" / "cli").glob("*.py"), *(ROOT / "rftspec/report").glob("*.py")]
    formats = {
        found
        for path in sources
        for found in re.findall(r'"(rftspec\.[a-z]+/\d+)"', path.read_text("utf-8"))
    }
    assert {one for one in formats if f"`{one}`" not in told} - {"rftspec.samples/1"} - {
        "rftspec.error/1"
    } == set()
    assert '"format": "rftspec.error/1"' in told


def test_bug_is_json_with_the_block_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("it broke")

    monkeypatch.setattr("rftspec.spec.load.load_spec", broken)
    assert main(["validate", "ranking.yaml", "--json"]) == exits.BUG
    found = json.loads(capsys.readouterr().out)
    assert found["exit_code"] == exits.BUG
    assert "ZeroDivisionError: it broke" in found["message"]


@pytest.mark.parametrize(
    ("words", "manner"),
    [
        (["run", "x", "--json"], Manner(json=True, quiet=False)),
        (["validate", "--format", "json", "-q"], Manner(json=True, quiet=True)),
        (["validate", "--format=json"], Manner(json=True, quiet=False)),
        (["show", "--", "--json"], Manner(json=False, quiet=False)),
        ([], Manner(json=False, quiet=False)),
    ],
)
def test_manner_is_read_off_the_words(words: list[str], manner: Manner) -> None:
    assert Manner.of(words) == manner


def test_help_of_every_verb_comes_without_a_spec_or_a_network(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in VERBS:
        assert main([*name.split(), "--help"]) == exits.FINE
        assert f"Usage: rftspec {name}" in capsys.readouterr().out


def on_a_terminal(words: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    """What a verb writes on a terminal, and its exit code; standard input is closed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rftspec", *words], cwd=folder, stdin=subprocess.DEVNULL,
        stdout=theirs, stderr=theirs,
        env={**_plain_environment(), "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(theirs)
    told, end = b"", time.monotonic() + 120
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 1)
        try:
            piece = os.read(ours, 65536) if ready else b""
        except OSError:  # the other side is closed
            break
        if ready and not piece:
            break
        told += piece
    os.close(ours)
    return process.wait(timeout=60), told.decode()


def _plain_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in {"CI", "NO_COLOR", "TERM"}}


TERMINAL_CALLS = [
    ["ls"], ["show", "runs/one", "--row", "0"], ["validate", "wrong.yaml"], ["explain"],
    ["plan", "ranking.yaml"], ["doctor", "--quick"], ["compare", "runs/one", "runs/two"],
]  # fmt: skip


def test_no_escape_is_written_where_none_is_wanted(project: Path) -> None:
    """CI, a dumb terminal, NO_COLOR, --no-color; the same call has colour on a real one."""
    wrong = (project / "ranking.yaml").read_text().replace("steps: 4", "stebs: 4")
    (project / "wrong.yaml").write_text(wrong)
    coloured = 0
    for words in TERMINAL_CALLS:
        _, told = on_a_terminal(words, project)
        coloured += "\x1b[" in told
        assert "\x1b" not in on_a_terminal(words, project, CI="1", TERM="dumb")[1], words
    assert coloured >= 4
    for way in ({"CI": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}):
        assert "\x1b" not in on_a_terminal(["ls"], project, **way)[1], way
    assert "\x1b" not in on_a_terminal(["--no-color", "ls"], project)[1]


Closing = Callable[[], Any]


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
@pytest.mark.parametrize("words", [["ls"], ["validate", "ranking.yaml"], ["explain", "E103"]])
def test_closed_streams_end_in_no_traceback(closed: str, words: list[str], project: Path) -> None:
    """As a cron job or a service manager may start it."""
    redirects = " ".join(f"{stream}>&-" if stream != "0" else "0<&-" for stream in closed.split())
    program = shlex.quote(sys.executable)
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec {program} -m rftspec "$@" {redirects}', "sh", *words],
        cwd=project, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == exits.FINE, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("words", [["explain"], ["schema"], ["show", "runs/one", "--json"], ["ls"]])
def test_reader_that_goes_away_is_no_error(words: list[str], project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rftspec", *words], cwd=project, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) in {exits.BROKEN_PIPE, exits.FINE}
    assert said == ""
