"""Light verbs stay light: what they import is recorded in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import rules

HEAVY = frozenset({"torch", "transformers", "peft", "bitsandbytes", "accelerate", "tensorboard"})
SPEC = "specs/rare_disease.yaml"
PROBE = """
import json, sys
from rftspec.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as error:
    code = error.code
modules = sorted({name.split(".")[0] for name in sys.modules})
print("\\n" + json.dumps({"code": code, "modules": modules}))
"""


def _imported(*words: str) -> tuple[int, frozenset[str]]:
    """The exit code of a verb, and the top-level modules that were imported meanwhile."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        cwd=rules.ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return int(told["code"] or 0), frozenset(told["modules"])


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("validate", SPEC),
        ("plan", SPEC),
        ("schema",),
        ("run", "--help"),
    ],
    ids=" ".join,
)
def test_light_verbs_import_no_torch(words: tuple[str, ...]) -> None:
    """Nor anything else that belongs to the engine."""
    code, modules = _imported(*words)
    assert code == 0
    assert not modules & HEAVY


def test_help_imports_neither_numpy_nor_rich() -> None:
    """What a start-up within 0.2 s can afford: click and ourselves."""
    _, modules = _imported("--help")
    assert not modules & {"numpy", "rich", "yaml", "jsonschema", "lark", "jinja2", "scipy"}
    assert not modules & {"asyncio", "http", "webbrowser", "subprocess", "multiprocessing"}


def test_validate_imports_no_number_crunching() -> None:
    """What a start-up within 0.35 s can afford."""
    _, modules = _imported("validate", SPEC)
    assert not modules & {"numpy", "scipy", "altair", "rich"}


def test_report_imports_no_torch(tmp_path: Path) -> None:
    """Importing all of the report's modules brings nothing of the engine."""
    folder = rules.ROOT / "rftspec" / "report"
    names = [f"rftspec.report.{path.stem}" for path in folder.glob("*.py")]
    script = f"import sys, {', '.join(names)}; print(*{{n.split('.')[0] for n in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=rules.ROOT, capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & HEAVY
