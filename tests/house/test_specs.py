"""Every shipped spec opens with three comment lines, validates and plans."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from rftspec.cli.main import cli
from tests.house import rules

SPECS = sorted((rules.ROOT / "specs").glob("*.yaml"))


def _header_command(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if not line.startswith("# yaml-language-server")]
    return shlex.split(head[1].strip("# "))


def test_specs_are_shipped() -> None:
    """The demo, the real cases, and one for real use."""
    names = {path.stem for path in SPECS}
    assert {"rare_disease", "phenopackets", "gene_ranking_qwen"} <= names


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_spec_opens_with_what_command_and_expected_result(path: Path) -> None:
    """The command names this very file."""
    assert not rules.header_problems(path.read_text(encoding="utf-8"))
    words = _header_command(path)
    assert words[0] in {"rftspec", "make"}
    assert words[1] in cli.commands or words[0] == "make"
    assert any(word.endswith(f"specs/{path.name}") for word in words) or words[0] == "make"
