"""`rftspec fmt`: exit codes, and what it writes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rftspec.cli.fmt import write_in_place
from rftspec.cli.main import main
from tests.spec.samples import copy_sample, edit

GOOD, LOOSE = "reward: 0.9 * rank + 0.1 * concise\n", "reward: 0.9*rank  +0.1*concise\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The sample spec with one expression that is not formatted."""
    path = copy_sample(tmp_path)
    edit(path, GOOD, LOOSE)
    return path


def test_formats_in_place_and_then_has_nothing_to_do(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = spec.read_text("utf-8")
    assert main(["fmt", str(spec)]) == 0
    assert spec.read_text("utf-8") == before.replace(LOOSE, GOOD)
    assert "1 expression" in capsys.readouterr().err
    assert main(["fmt", str(spec)]) == 0
    assert "is formatted" in capsys.readouterr().err
    assert main(["fmt", "--check", str(spec)]) == 0


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_check_and_diff_write_nothing_and_exit_with_one(
    spec: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = spec.read_bytes()
    assert main(["fmt", option, str(spec)]) == 1
    assert spec.read_bytes() == before
    out = capsys.readouterr().out
    assert ("-" + LOOSE in out) == (option == "--diff")
    assert ("+" + GOOD in out) == (option == "--diff")


def test_a_wrong_expression_is_told_and_the_file_left_alone(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(spec, LOOSE, "reward: 0.9*(rank\n")
    before = spec.read_bytes()
    assert main(["fmt", str(spec)]) == 1
    assert spec.read_bytes() == before
    assert "E301" in capsys.readouterr().err
    assert main(["fmt", str(spec.parent / "nowhere.yaml")]) == 1


def test_several_specs_are_counted(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = spec.with_name("other.yaml")
    other.write_text(spec.read_text("utf-8").replace(LOOSE, GOOD), "utf-8")
    assert main(["fmt", str(spec), str(other)]) == 0
    assert "1 formatted, 1 left as they are" in capsys.readouterr().err


def test_mode_mark_and_link_of_the_file_stay(spec: Path) -> None:
    spec.write_bytes(b"\xef\xbb\xbf" + spec.read_bytes())
    spec.chmod(0o640)
    link = spec.with_name("link.yaml")
    link.symlink_to(spec.name)
    assert main(["fmt", str(link)]) == 0
    assert link.is_symlink()
    assert stat.S_IMODE(spec.stat().st_mode) == 0o640
    assert spec.read_bytes().startswith(b"\xef\xbb\xbf")
    assert GOOD in spec.read_text("utf-8")


def test_a_failed_write_leaves_the_old_file_and_no_trace(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, beside = spec.read_bytes(), set(spec.parent.iterdir())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write_in_place(spec, "new")
    assert spec.read_bytes() == before
    assert set(spec.parent.iterdir()) == beside
