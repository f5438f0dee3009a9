"""Codes: each that is raised has a page in `rftspec explain`, and no page is left over."""

from __future__ import annotations

import re

from rftspec.cli import pages
from tests.house import rules

CODE = re.compile(r'"([EHMRW]\d{3}|H\d)"')
PACKAGE = sorted((rules.ROOT / "rftspec").rglob("*.py"))


def _raised() -> set[str]:
    """Codes in the package's source, outside of the tables of pages."""
    found: set[str] = set()
    for path in PACKAGE:
        text = path.read_text(encoding="utf-8")
        if path.parent.name == "codes":
            continue
        if re.search(r"^CODES\b", text, flags=re.MULTILINE):
            text = re.sub(r'^    "[A-Z]\d+": ', "", text, flags=re.MULTILINE)
        found |= set(CODE.findall(text))
    return found


def _explained() -> dict[str, str]:
    return {page.name: page.body for page in pages.code_pages()}


def test_every_code_that_is_raised_has_a_page() -> None:
    """Whoever adds a code writes its page."""
    assert not _raised() - _explained().keys()


def test_no_page_is_left_over() -> None:
    """Nor for a code that is raised no more."""
    assert not _explained().keys() - _raised() - {code for code in _explained() if code[0] == "H"}


def test_every_table_of_codes_is_read() -> None:
    """A module with `CODES` is one that `explain` knows."""
    owners = {
        ".".join(path.relative_to(rules.ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE
        if re.search(r"^CODES\b.*=", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert owners == set(pages.CODE_OWNERS)


def test_no_code_means_two_things() -> None:
    """One owner for each."""
    from importlib import import_module

    seen: list[str] = []
    for owner in pages.CODE_OWNERS:
        seen += list(import_module(owner).CODES)
    assert len(seen) == len(set(seen))
