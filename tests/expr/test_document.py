"""The reference page is the function table."""

from pathlib import Path

from rftspec.expr.document import language_page
from rftspec.expr.functions import FUNCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "language.md"


def test_reference_page_is_made_from_the_table():
    told = "run: python -m tests.expr.test_document"
    assert PAGE.read_text(encoding="utf-8") == language_page(), told


def test_reference_page_tells_every_overload():
    page = language_page()
    for function in FUNCTIONS.values():
        assert f"#### `{function.name}`" in page
        for overload in function.overloads:
            assert overload.signature in page
            assert overload.doc in page


if __name__ == "__main__":
    PAGE.write_text(language_page(), encoding="utf-8")
