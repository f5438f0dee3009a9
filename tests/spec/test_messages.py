"""Every code has a page, an example that gives it, and a message that reads well (golden)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rftspec.cli.text import render_all
from rftspec.codes import CODES, PAGES
from tests.spec.samples import copy_sample, edit, problems

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
WITH_EXAMPLE = [code for code, page in PAGES.items() if page.bad or page.good]
ALSO = {"E409": {"E408"}, "E410": {"E321"}}
"""Codes whose example is several mistakes at once, and says so."""


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_example_of_a_code_gives_that_code_alone_and_its_golden_message(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGES[code]
    spec = copy_sample(tmp_path)
    edit(tmp_path / page.file, page.good, page.bad)
    monkeypatch.chdir(tmp_path)
    found = problems(Path(spec.name))
    assert {one.code for one in found} == {code, *ALSO.get(code, set())}
    check_golden(code, render_all(found), tmp_path)


def check_golden(name: str, text: str, folder: Path) -> None:
    """Compare with tests/golden/NAME.txt; RFTSPEC_GOLDEN=write writes it anew."""
    shown = text.replace(str(folder.resolve()), "/home/you/project") + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("RFTSPEC_GOLDEN") == "write":
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


def test_sample_spec_is_valid_without_warnings(tmp_path: Path) -> None:
    assert problems(copy_sample(tmp_path)) == ()


def test_every_code_in_the_source_has_a_page() -> None:
    folders = ("spec", "expr", "graders", "data", "plan")
    used: set[str] = set()
    for folder in folders:
        for path in (ROOT / "rftspec" / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            if "\nCODES:" not in text:  # a module with a table of its own explains its codes there
                used.update(re.findall(r'"([EW][0-9]{3})"', text))
    assert used - set(PAGES) == set()
    assert set(PAGES) - used == set()


def test_a_code_that_begins_with_w_is_always_a_warning(tmp_path: Path) -> None:
    for code in (code for code in WITH_EXAMPLE if code.startswith("W")):
        folder = tmp_path / code
        spec = copy_sample(folder)
        edit(folder / PAGES[code].file, PAGES[code].good, PAGES[code].bad)
        assert {one.severity for one in problems(spec)} == {"warning"}


def test_every_page_has_a_title_and_an_explanation() -> None:
    for code, page in PAGES.items():
        assert page.code == code
        assert page.title
        assert not page.title.endswith(".")
        assert page.text.endswith((".", ")"))
        assert CODES[code].startswith(page.title)
