"""Every hostile script ends as expected, whoever runs it, and the pool works on after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rftspec.sandbox.pool import Pool
from tests.sandbox.corpus import OURS, SHARED, broken, load

NOBODY = 65534
ROOT = Path(__file__).resolve().parents[2]


def cases() -> list[Any]:
    return [pytest.param(case, id=case["id"]) for path in (SHARED, OURS) for case in load(path)]


def test_corpora_are_there() -> None:
    ours = load(OURS)
    assert len(ours) >= 120
    assert len({case["id"] for case in [*ours, *load(SHARED)]}) == len(ours) + len(load(SHARED))
    if not SHARED.is_file():
        pytest.skip(f"the shared corpus of hostile graders is not at {SHARED}")
    assert len(load(SHARED)) > 200


@pytest.mark.parametrize("case", cases())
def test_hostile_script_ends_as_expected(case: dict[str, Any], pool: Pool) -> None:
    assert broken(case, pool) == []


def as_nobody(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an interpreter as a user without rights, on this checkout and these packages."""
    places = os.pathsep.join(place for place in sys.path if place.endswith("site-packages"))
    return subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": places},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=280,
    )


def interpreter_of_nobody() -> str | None:
    """This interpreter, or the system's of the same version: one that others may run too."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            done = as_nobody(python, "-c", "import RestrictedPython, re2, rapidfuzz")
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can leave it")
def test_hostile_scripts_end_the_same_for_an_unprivileged_user() -> None:
    python = interpreter_of_nobody()
    if python is None:
        pytest.skip("no interpreter of this version that an unprivileged user may run")
    done = as_nobody(python, "-m", "tests.sandbox.corpus", str(SHARED), str(OURS))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["user"] == f"uid {NOBODY}"
    assert told["cases"] == len(cases())
    assert told["broken"] == {}
