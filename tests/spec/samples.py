"""The sample spec of the tests, copied to a folder where it can be spoiled."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.spec.load import Loaded, load_spec

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SPEC = "ranking.yaml"


def copy_sample(folder: Path) -> Path:
    """Copy the sample spec and its files; gives the path of the spec."""
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    return folder / SPEC


def edit(path: Path, good: str, bad: str) -> None:
    """Put `bad` in the place of the only `good` of a file."""
    text = path.read_text("utf-8")
    assert text.count(good) >= 1, f"{good!r} is not in {path.name}"
    path.write_text(text.replace(good, bad, 1), "utf-8")


def problems(path: Path, overrides: Sequence[str] = ()) -> Sequence[Diagnostic]:
    """Everything that is said about a spec, errors and warnings."""
    try:
        return load_spec(path, overrides=overrides).diagnostics
    except DiagnosticError as error:
        return error.diagnostics


def load_edited(folder: Path, good: str, bad: str, *overrides: str) -> Loaded:
    """The sample spec with one edit."""
    spec = copy_sample(folder)
    edit(spec, good, bad)
    return load_spec(spec, overrides=overrides)
