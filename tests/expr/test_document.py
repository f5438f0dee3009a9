"""The reference page is the function table, and the page of examples is the table of cases.

Both are written by: python -m tests.expr.test_document
"""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from rftspec.expr.document import language_page
from rftspec.expr.functions import FUNCTIONS

from .table import FILE, read_table

DOCS = Path(__file__).parents[2] / "docs"
PAGE, EXAMPLES = DOCS / "language.md", DOCS / "language_cases.md"
TOLD = "run: python -m tests.expr.test_document"

_HEAD = """# The scoring language by example

Every line is run by the tests, by the closures that grade and by the reference semantics. They
are kept in `tests/cases/score_language.yaml`; this page is written from it. The reference of the
language is [language.md](language.md).

The names of the examples have these types and values, unless a line says otherwise:

```yaml
{names}
{values}
```

`missing` is what `??` replaces. A refusal is given as its [code](errors.md) and the column (or
line:column) that its caret stands at; a failure, which only a sample can show, as its reason.
"""


def examples_page() -> str:
    """The text of docs/language_cases.md."""
    whole = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    names, values = (
        yaml.safe_dump({part: whole[part]}, allow_unicode=True, sort_keys=False).rstrip()
        for part in ("names", "values")
    )
    lines = [_HEAD.format(names=names, values=values), *_groups()]
    return "\n".join(lines) + "\n"


def _groups() -> Iterator[str]:
    shown = None
    for group, case in read_table()[2]:
        if group != shown:
            shown = group
            title = group[0].upper() + group[1:]
            yield f"\n## {title}\n\n| expression | outcome |\n|---|---|"
        yield f"| {_code(case['e'])} | {_outcome(case)} |"


def _code(text: str) -> str:
    """An expression in a cell of a table; what a cell cannot hold is shown as an escape."""
    shown = text.replace("|", "\\|").replace("\n", "⏎").replace("\t", "⇥").replace("\r", "␍")
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown or ' '}{fence}" if "`" not in shown else f"{fence} {shown} {fence}"


def _outcome(case: dict) -> str:
    given = ", ".join(f"{path} = {_value(value)}" for path, value in case.get("with", {}).items())
    end = f" where {given}" if given else ""
    end += f", with warning {case['warns']}" if "warns" in case else ""
    if "code" in case:
        return f"refused: {case['code']} at {case['at']}{end}"
    if "fails" in case:
        return f"fails: {case['fails']}, at {case['at']}{end}"
    return f"{_value(case.get('v', case.get('near')))}{end}"


def _value(value: object) -> str:
    return "missing" if value is None else _code(json.dumps(value, ensure_ascii=False))


def test_reference_page_is_made_from_the_table():
    assert PAGE.read_text(encoding="utf-8") == language_page(), TOLD


def test_page_of_examples_is_made_from_the_cases():
    assert EXAMPLES.read_text(encoding="utf-8") == examples_page(), TOLD
    assert examples_page().count("\n| `") >= 600


def test_reference_page_tells_every_overload():
    page = language_page()
    for function in FUNCTIONS.values():
        assert f"#### `{function.name}`" in page
        for overload in function.overloads:
            assert overload.signature in page
            assert overload.doc in page


if __name__ == "__main__":
    PAGE.write_text(language_page(), encoding="utf-8")
    EXAMPLES.write_text(examples_page(), encoding="utf-8")
