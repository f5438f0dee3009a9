"""The house rules on files: length, captions, names, nothing left over, no machine's own paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import rules

FILES = rules.python_files()
PACKAGE = [path for path in FILES if path.is_relative_to(rules.ROOT / "rftspec")]


def _name(path: Path) -> str:
    return str(path.relative_to(rules.ROOT))


def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_files_and_functions_are_short(path: Path) -> None:
    """At most 400 lines a file, 50 a function."""
    assert not rules.too_long(_source(path))


@pytest.mark.parametrize("path", PACKAGE, ids=_name)
def test_every_public_thing_has_a_caption(path: Path) -> None:
    """Module, class, function: a docstring whose first line tells what it is."""
    assert not rules.bad_captions(_source(path))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_every_module_says_what_it_is(path: Path) -> None:
    """Tests and tools too."""
    if path.stat().st_size:
        assert rules.caption(_source(path))


@pytest.mark.parametrize("path", PACKAGE, ids=_name)
def test_nothing_is_left_for_later(path: Path) -> None:
    """No stubs, no notes to self."""
    assert not rules.leftovers(_source(path))


@pytest.mark.parametrize("path", PACKAGE, ids=_name)
def test_nothing_asks_a_question_or_leaves(path: Path) -> None:
    """No prompts anywhere; only cli decides exit codes (ruff holds `sys.exit` and `print`)."""
    assert not rules.forbidden_calls(_source(path))


def test_no_module_has_a_name_that_says_nothing() -> None:
    """No utils, helpers, common, misc, base."""
    assert not [_name(path) for path in FILES if rules.banned_name(path)]


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    """In code, documents, specs and settings."""
    found = {
        _name(path): rules.local_paths(path.read_text(encoding="utf-8", errors="replace"))
        for path in rules.text_files()
    }
    assert not {name: places for name, places in found.items() if places}
