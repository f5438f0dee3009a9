"""`rftspec completion`: scripts of four shells, and what they are answered."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rftspec.cli import exits
from rftspec.cli.completion import SHELLS
from rftspec.cli.main import cli, main
from rftspec.cli.pages import code_pages

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash")


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == exits.FINE
    return capsys.readouterr().out


def asked(folder: Path, typed: str, shell: str = "bash") -> list[str]:
    """What a shell is answered for a line, the last word of which is not finished."""
    words = typed.split(" ")
    environment = {
        "COMP_WORDS": typed if words[-1] else typed.rstrip(),
        "COMP_CWORD": str(len(words) - 1) if shell != "fish" else words[-1],
        "_RFTSPEC_COMPLETE": f"{shell}_complete",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "rftspec"], cwd=folder, capture_output=True, text=True,
        env={**os.environ, **environment}, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    if shell == "bash":
        return [line.partition(",")[2] for line in done.stdout.splitlines()]
    return done.stdout.splitlines()


def make_run(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text("{}")


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_every_shell_has_a_script_that_asks_us(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = script(shell, capsys)
    assert f"{shell}_complete" in told
    assert "_RFTSPEC_COMPLETE" in told
    assert "rftspec" in told
    assert main(["completion", shell, "--json"]) == exits.FINE
    found = json.loads(capsys.readouterr().out)
    assert (found["format"], found["script"].rstrip("\n")) == (
        "rftspec.completion/1",
        told.rstrip("\n"),
    )


def test_script_of_powershell_is_well_formed(capsys: pytest.CaptureFixture[str]) -> None:
    """By its structure alone: brackets and quotes pair up. No PowerShell has run it here."""
    told = re.sub(r"(?m)#.*$", "", script("powershell", capsys))
    bare = re.sub(r"'[^']*'|\"(?:`.|[^\"`])*\"", "''", told)
    for opening, closing in ("{}", "()", "[]"):
        assert bare.count(opening) == bare.count(closing) > 0
    assert "'" not in bare.replace("''", "")
    assert bare.count('"') == 0
    assert "Register-ArgumentCompleter -Native -CommandName rftspec -ScriptBlock {" in told


def test_unknown_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == exits.USAGE
    assert "'bash'" in capsys.readouterr().err


def test_verbs_and_options_are_completed(tmp_path: Path) -> None:
    assert set(asked(tmp_path, "rftspec ")) == set(cli.commands)
    assert asked(tmp_path, "rftspec show --wor") == ["--worst"]


def test_runs_are_completed_newest_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "old")):
        make_run(tmp_path / "runs" / name)
        os.utime(tmp_path / "runs" / name / "plan.json", (1000 - age, 1000 - age))
    (tmp_path / "runs" / "foreign").mkdir()
    assert asked(tmp_path, "rftspec show ") == ["runs/new", "runs/old"]
    assert asked(tmp_path, "rftspec report runs/o") == ["runs/old"]
    make_run(tmp_path / "elsewhere" / "third")
    assert asked(tmp_path, "rftspec resume elsewhere/") == ["elsewhere/third"]


def test_specs_are_completed_with_the_folders_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "apart").mkdir()
    assert asked(tmp_path, "rftspec run a") == ["a.yaml", "apart/"]
    make_run(tmp_path / "runs" / "one")
    assert set(asked(tmp_path, "rftspec grade ")) == {"runs/one", "a.yaml", "apart/", "runs/"}


def test_fields_and_their_words_are_completed(tmp_path: Path) -> None:
    assert asked(tmp_path, "rftspec run x.yaml --set train.ste") == ["train.steps="]
    assert asked(tmp_path, "rftspec plan x.yaml --set model.quantization=n") == [
        "model.quantization=nf4",
        "model.quantization=none",
    ]


def test_topics_are_completed(tmp_path: Path) -> None:
    codes = [page.name for page in code_pages() if page.name.startswith("E50")]
    assert asked(tmp_path, "rftspec explain E50") == codes
    assert "rank_of" in asked(tmp_path, "rftspec explain rank_")
    assert "train.steps" in asked(tmp_path, "rftspec explain train.st")


def test_nothing_is_said_while_a_person_types(tmp_path: Path) -> None:
    """Damaged folders, names that no line can hold, and words that do not exist."""
    make_run(tmp_path / "runs" / "odd\nname")
    (tmp_path / "runs" / "gone").symlink_to("nowhere")
    assert "odd" not in "".join(asked(tmp_path, "rftspec show "))
    assert asked(tmp_path, "rftspec nonsense x") == []
    assert isinstance(asked(tmp_path, "rftspec validate no/such/"), list)


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_other_shells_get_the_same_words_in_their_own_form(shell: str, tmp_path: Path) -> None:
    told = asked(tmp_path, "rftspec sho", shell)
    assert any("show" in line for line in told)


@pytest.mark.skipif(BASH is None, reason="no bash on this machine")
def test_bash_completes_with_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way, in a real bash; without the space after `=`."""
    make_run(tmp_path / "runs" / "one")
    program = shlex.quote(sys.executable)
    (tmp_path / "rftspec").write_text(f'#!/bin/sh\nexec {program} -m rftspec "$@"\n')
    (tmp_path / "rftspec").chmod(0o755)
    lines = [
        'compopt() { printf "compopt %s %s\\n" "$@"; }',
        'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); COMPREPLY=();',
        '_rftspec_completion rftspec; echo "${COMPREPLY[@]}"; }',
        "try rftspec sho",
        "try rftspec show ''",
        "try rftspec run x.yaml --set train.step",
    ]
    text = script("bash", capsys) + "\n" + "\n".join(lines)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [str(BASH), "--norc", "-c", text], cwd=tmp_path, capture_output=True, text=True,
        env=environment, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["show", "runs/one", "compopt -o nospace", "train.steps="]
