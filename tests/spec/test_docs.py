"""docs/spec.md and docs/errors.md are what the code makes."""

from __future__ import annotations

from tools.docs_spec import ROOT, errors_page, spec_page


def test_spec_page_is_what_the_declarations_make() -> None:
    assert (ROOT / "docs" / "spec.md").read_text("utf-8") == spec_page()


def test_errors_page_is_what_codes_and_golden_messages_make() -> None:
    assert (ROOT / "docs" / "errors.md").read_text("utf-8") == errors_page()
