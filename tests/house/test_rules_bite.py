"""Each house rule is shown a broken example and must complain: a rule gone blind fails here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import rules

PYPROJECT = (rules.ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_long_file_and_long_function_are_refused() -> None:
    """401 lines, and a function of 51."""
    assert not rules.too_long('"""A."""\n' * 400)
    assert rules.too_long('"""A."""\n' * 401)
    assert not rules.too_long("def f():\n" + "    x = 1\n" * 49)
    assert rules.too_long("def f():\n" + "    x = 1\n" * 50)


def test_missing_docstring_and_long_caption_are_refused() -> None:
    """Of a module, a class, a method; private and nested ones are free."""
    assert rules.bad_captions("x = 1\n")
    assert rules.bad_captions('"""M."""\nclass A:\n    x = 1\n')
    assert rules.bad_captions('"""M."""\nclass A:\n    """A."""\n    def f(self): ...\n')
    assert rules.bad_captions(f'"""{"long " * 30}"""\n')
    assert not rules.bad_captions('"""M."""\ndef f():\n    """F."""\n    def g(): ...\n')
    assert not rules.bad_captions('"""M."""\ndef _f(): ...\n')


def test_asking_and_leaving_are_refused() -> None:
    """What ruff's banned-api does not see."""
    assert rules.forbidden_calls("x = input()") == ["input"]
    assert rules.forbidden_calls("if x:\n    exit(1)") == ["exit"]
    assert not rules.forbidden_calls("x.input()")


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc", "base"])
def test_banned_module_names_are_refused(name: str) -> None:
    """Whatever folder they are in."""
    assert rules.banned_name(Path(f"rftspec/graders/{name}.py"))
    assert not rules.banned_name(Path("rftspec/graders/multi.py"))


def test_local_paths_and_leftovers_are_refused() -> None:
    """A path of one machine, and work left for later."""
    place = "/" + "home/anna/spec.yaml"
    assert rules.local_paths(f"see {place}")
    assert not rules.local_paths("https://example.org/home/anna and runs/root/x")
    assert rules.leftovers("# TO" + "DO later")
    assert rules.leftovers("raise NotImplementedError")
    assert not rules.leftovers("except (RuntimeError, NotImplementedError):")


def test_spec_without_three_comment_lines_is_refused() -> None:
    """What, command, expected result."""
    good = "# What.\n#   rftspec run specs/a.yaml\n#   minutes\nversion: 1\n"
    assert not rules.header_problems(good)
    assert not rules.header_problems("# yaml-language-server: $schema=x\n" + good)
    assert rules.header_problems("version: 1\n")
    assert rules.header_problems(good.replace("rftspec run", "just run"))


def test_table_of_numbers_without_its_command_is_refused() -> None:
    """A table of words needs none; a command that does not exist is no source."""
    table = "| a | b |\n|---|---|\n| x | 1.5 |\n| y | 2 |\n| z | 3 |\n"
    assert rules.unsourced_tables(f"Text.\n\n{table}\nMore.")
    assert not rules.unsourced_tables(f"From `python bench/front.py`:\n\n{table}\nMore.")
    assert not rules.unsourced_tables("| a | b |\n|---|---|\n| E101 | words |\n")
    assert rules.command_exists("make test", [], ["test"])
    assert not rules.command_exists("make nonsense", [], ["test"])
    assert not rules.command_exists("python bench/nothing.py", [], [])


def _ruff(tmp_path: Path, place: str, source: str) -> str:
    """What ruff says, under our settings, of a file at a place of a copied tree."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout


BRANCHES = "".join(f"    if x == {n}:\n        return {n}\n" for n in range(11))


@pytest.mark.parametrize(
    ("place", "body", "code"),
    [
        ("rftspec/spec/a.py", "print(1)", "T201"),
        ("rftspec/spec/a.py", "import sys\n\nsys.exit(1)", "TID251"),
        ("rftspec/spec/a.py", "exit(1)", "PLR1722"),
        ("rftspec/spec/a.py", "def f(x):\n    return x", "ANN001"),
        ("rftspec/spec/a.py", "def f() -> int:\n    return 1", "D103"),
        ("rftspec/spec/a.py", f"def f(x: int) -> int:\n{BRANCHES}    return 0", "C901"),
        ("rftspec/spec/a.py", "x = 1  # noqa", "PGH004"),
    ],
)
def test_ruff_refuses(tmp_path: Path, place: str, body: str, code: str) -> None:
    """What pyproject's settings are there for."""
    assert code in _ruff(tmp_path, place, f'"""M."""\n\n{body}\n')


def test_print_is_allowed_nowhere_in_the_package_and_exit_only_in_cli(tmp_path: Path) -> None:
    """The command line decides exit codes; even there, click writes."""
    said = _ruff(tmp_path, "rftspec/cli/a.py", '"""M."""\n\nimport sys\n\nprint(1)\nsys.exit(1)\n')
    assert "TID251" not in said
    assert "T201" in said


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("spec", "import rftspec.plan.model"),
        ("report", "import rftspec.run.loop"),
        ("report", "import rftspec.engine.types"),
        ("graders", "import rftspec.spec.load"),
        ("expr", "import rftspec.graders.score"),
        ("run", "import torch"),
        ("plan", "def f():\n    import transformers"),
        ("record", "import bitsandbytes"),
        ("diagnostics", "import rftspec.resources"),
    ],
)
def test_import_floors_refuse(tmp_path: Path, importer: str, line: str) -> None:
    """An import that points up, sideways or out, even inside a function, breaks a contract."""
    shutil.copytree(
        rules.ROOT / "rftspec", tmp_path / "rftspec", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    folder = tmp_path / "rftspec" / importer
    target = folder / "sinner.py" if folder.is_dir() else folder.with_suffix(".py")
    with target.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    script = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports; "
    script += "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "BROKEN" in done.stdout
