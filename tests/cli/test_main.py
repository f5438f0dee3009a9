"""The command line from the outside: usage, exit codes, streams, and what is never shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rftspec import __version__
from rftspec.cli import exits
from rftspec.cli.main import cli, main
from rftspec.cli.shelf import SECTIONS

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = str(ROOT / "tests" / "samples" / "ranking.yaml")


def _wrong_spec(folder: Path) -> Path:
    """The sample with two mistakes in it."""
    text = Path(SPEC).read_text(encoding="utf-8")
    text = text.replace("type: python", "type: pyton").replace("steps: 4", "stebs: 4")
    path = folder / "wrong.yaml"
    path.write_text(text.replace("ranking/", str(ROOT / "tests/samples/ranking") + "/"))
    return path


def _rftspec(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rftspec", *words],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120,
    )  # fmt: skip


def test_help_lists_every_verb_once_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """In sections, in the order of use."""
    assert main(["--help"]) == exits.FINE
    told = capsys.readouterr().out
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(cli.commands)
    for name in cli.commands:
        assert told.count(f"\n  {name} ") == 1
    for code in ("0", "1", "2", "3", "4", "130"):
        assert f"\n    {code} " in told


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_verb_has_help_that_fits(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A short line in the list, and a page of its own."""
    assert main([name, "--help"]) == exits.FINE
    assert capsys.readouterr().out.startswith(f"Usage: rftspec {name}")
    caption = cli.commands[name].get_short_help_str(limit=200)
    assert len(caption) <= 66
    assert caption in [verbs[name][1] for verbs in SECTIONS.values() if name in verbs]


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Of rftspec, not of click."""
    assert main(["--version"]) == exits.FINE
    assert capsys.readouterr().out == f"rftspec {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["valdate", "x.yaml"], "Did you mean `validate`?"),
        (["run"], "Missing argument"),
        (["validate", SPEC, "--formt", "json"], "--format"),
        (["explain", "no-such-thing"], "nothing is called"),
        (["grade", SPEC, "--row", "999", "--output", "x"], "rows 0 to"),
        (["run", SPEC, "--display", "loud"], "'loud'"),
    ],
)
def test_wrong_usage_is_code_2_with_a_hint(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, never with a traceback."""
    assert main(words) == exits.USAGE
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_valid_spec_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, code 0."""
    assert main(["validate", SPEC]) == exits.FINE
    assert "ranking.yaml is fine" in capsys.readouterr().out


def test_every_mistake_is_told_at_once_with_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With places, carets, hints, and what to type for more."""
    assert main(["validate", str(_wrong_spec(tmp_path))]) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[E103]" in told
    assert "error[E101]" in told
    assert "did you mean `python`" in told
    assert "2 errors. Nothing was run. More: " in told


def test_json_and_github_tell_the_same_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three renderings of one struct."""
    wrong = str(_wrong_spec(tmp_path))
    assert main(["validate", wrong, "--json"]) == exits.WRONG
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["ok"], told["errors"]) == ("rftspec.validate/1", False, 2)
    assert main(["validate", wrong, "--format", "github"]) == exits.WRONG
    lines = capsys.readouterr().out.splitlines()
    places = [one["place"]["start"]["line"] for one in told["diagnostics"]]
    assert [f",line={line}," in shown for line, shown in zip(places, lines, strict=True)]


@pytest.mark.parametrize("verb", ["validate", "plan", "run", "grade"])
@pytest.mark.parametrize("what", ["missing", "folder", "binary", "empty"])
def test_file_that_is_no_spec_is_code_1_without_a_traceback(
    verb: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is given in its place, and nothing is written."""
    path = tmp_path / "spec.yaml"
    if what == "folder":
        path.mkdir()
    elif what != "missing":
        path.write_bytes(b"\x00\xff\xfe" if what == "binary" else b"")
    before = sorted(tmp_path.rglob("*"))
    more = ["--output", "x"] if verb == "grade" else []
    assert main([verb, str(path), *more]) == exits.WRONG
    told = capsys.readouterr().err
    assert "error[" in told
    assert "Traceback" not in told
    assert sorted(tmp_path.rglob("*")) == before


def test_bug_shows_a_block_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With versions and places, without the person's folders, and with no escape in it."""

    def broken(*_args: object, **_settings: object) -> None:
        raise ZeroDivisionError("it \x1b[31mbroke")

    monkeypatch.setattr("rftspec.spec.load.load_spec", broken)
    assert main(["validate", SPEC]) == exits.BUG
    told = capsys.readouterr().err
    assert "bug in rftspec" in told
    assert f"rftspec {__version__}" in told
    assert "ZeroDivisionError: it \\x1b[31mbroke" in told
    assert str(ROOT) not in told.split("versions")[0].split("error ")[1]
    assert "Traceback" not in told


def test_disk_error_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A plan that cannot be saved."""
    target = tmp_path / "no" / "such" / "plan.json"
    assert main(["plan", SPEC, "--out", str(target)]) == exits.WRONG
    assert "No such file or directory" in capsys.readouterr().err


def test_interrupt_is_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it comes."""

    def interrupted(*_args: object, **_settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rftspec.spec.load.load_spec", interrupted)
    assert main(["validate", SPEC]) == exits.INTERRUPTED


def test_closed_pipe_is_silent() -> None:
    """`rftspec plan … | head -1` says nothing on standard error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rftspec", "explain"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) in {exits.BROKEN_PIPE, exits.FINE}
    assert said == ""


def test_no_color_unless_somebody_watches() -> None:
    """Neither into a pipe nor with NO_COLOR."""
    assert "\x1b" not in _rftspec("plan", SPEC, NO_COLOR="").stdout
    assert "\x1b" not in _rftspec("validate", "no.yaml", NO_COLOR="1").stderr


def test_narrow_encoding_does_not_end_in_a_traceback() -> None:
    """A terminal that knows ASCII only sees question marks."""
    told = _rftspec("plan", SPEC, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert told.returncode == 0, told.stderr
    assert "?" in told.stdout


def test_grade_tells_every_score_and_the_reward(capsys: pytest.CaptureFixture[str]) -> None:
    """Text and JSON; no model is asked."""
    answer = '{"reasoning": "r", "genes": ["OTHER", "TRN0"]}'
    assert main(["grade", SPEC, "--row", "0", "--output", answer, "--json"]) == exits.FINE
    told = json.loads(capsys.readouterr().out)
    assert told["sub_rewards"]["rank"] == pytest.approx(0.7)
    assert told["metrics"]["top@1"] == 0.0
    assert main(["grade", SPEC, "--output", "not \x1b[31mjson"]) == exits.FINE
    told_text = capsys.readouterr().out
    assert "\x1b" not in told_text
    assert "no JSON that fits response.format" in told_text
    assert "reward    0.0" in told_text


def test_grade_reads_the_answer_from_standard_input() -> None:
    """For answers that are long."""
    told = subprocess.run(
        [sys.executable, "-m", "rftspec", "grade", SPEC, "--output", "-"],
        cwd=ROOT, capture_output=True, text=True, input='{"reasoning": "", "genes": ["TRN0"]}',
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "grader    rank               1.000" in told.stdout


@pytest.mark.parametrize(
    "name",
    ["E103", "e103", "H1", "M201", "R404", "train.samples_per_prompt", "samples_per_prompt",
     "graders.python", "rank_decay", "valid_reward_mean", "model.lora.rank"],
)  # fmt: skip
def test_explain_has_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Codes, rules, fields, graders, functions, metrics."""
    assert main(["explain", name]) == exits.FINE
    told = capsys.readouterr().out
    assert len(told.splitlines()) >= 3
    assert max(map(len, told.splitlines())) <= 140


def test_schema_is_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """It validates the sample, so that an editor does not complain of it."""
    import jsonschema
    import yaml

    assert main(["schema"]) == exits.FINE
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    spec = yaml.safe_load(Path(SPEC).read_text(encoding="utf-8"))
    jsonschema.validate(spec, schema, cls=jsonschema.Draft202012Validator)


def test_doctor_without_torch_is_quick_and_says_what_is_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each check with its status; JSON too."""
    code = main(["doctor", "--quick", "--json"])
    told = json.loads(capsys.readouterr().out)
    names = {one["check"] for one in told["checks"]}
    assert {"python", "packages", "files", "disk", "sandbox"} <= names
    assert "torch" not in names
    assert code == (exits.FINE if told["ok"] else exits.WRONG)
    assert all(one["fix"] for one in told["checks"] if one["status"] == "wrong")


def test_phenopackets_become_rows_with_an_account_of_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verb on a small folder of cases; an archive that is none is one diagnostic."""
    from tests.data.test_phenopackets import folder, plain_packets

    folder(tmp_path / "cases", plain_packets())
    sizes = ["--train", "8", "--validation", "4", "--test", "4", "--seed", "1"]
    words = ["data", "phenopackets", str(tmp_path / "cases"), "--out", str(tmp_path / "rows")]
    assert main([*words, *sizes]) == exits.FINE
    told = capsys.readouterr().out
    assert "36 cases read, 16 written" in told
    assert "left out:" in told
    assert (tmp_path / "rows" / "train.jsonl").is_file()
    words[2] = str(tmp_path / "nothing.zip")
    assert main([*words, *sizes]) == exits.WRONG
    assert "error[E230]" in capsys.readouterr().err
    words = [*words[:2], str(tmp_path / "cases"), "--out", str(tmp_path / "x"), "--genes", "no.txt"]
    assert main([*words, *sizes]) == exits.WRONG
    assert "no.txt" in capsys.readouterr().err
