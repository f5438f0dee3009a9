"""Every shipped spec opens with three comment lines, validates and plans."""

from __future__ import annotations

import shlex
import shutil
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


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_spec_validates_and_plans(path: Path, tmp_path: Path) -> None:
    """Every one, with its rows; the real cases, which are not shipped, get rows of their shape."""
    from rftspec.plan.compile import compile_plan
    from rftspec.spec.load import load_spec

    loaded = load_spec(_with_data(path, tmp_path))
    assert not [one for one in loaded.diagnostics if one.severity == "error"]
    plan = compile_plan(loaded)
    assert plan.hash == type(plan).from_json(plan.to_json()).hash
    assert plan.reasons


def _with_data(path: Path, folder: Path) -> Path:
    """The spec itself, or a copy beside the demo's rows where its own are made by a command."""
    text = path.read_text(encoding="utf-8")
    if "data/phenopackets/" not in text:
        return path
    shutil.copytree(rules.ROOT / "specs" / "graders", folder / "graders")
    shutil.copytree(rules.ROOT / "specs/data/rare_disease", folder / "data" / "phenopackets")
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return copy
