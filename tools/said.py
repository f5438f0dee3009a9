"""rftspec/codes/said.py, from the golden messages of codes whose page shows no part of a spec.

python -m tools.said
"""

from __future__ import annotations

import re
from pathlib import Path

from rftspec.cli import pages
from rftspec.codes import PAGES

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
MODULE = ROOT / "rftspec" / "codes" / "said.py"
HEAD = '''"""What is said when a code comes up: the example of pages that show no part of a spec.

Made by `python -m tools.said` from the messages in tests/golden, each of which a test makes happen.
"""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
'''
LONGEST, COLUMNS = 320, 100


def module() -> str:
    """The text of the module."""
    lines = []
    for page in sorted(pages.code_pages(), key=lambda page: page.name):
        golden = GOLDEN / f"{page.name}.txt"
        known = PAGES.get(page.name)
        if golden.is_file() and not (known is not None and known.bad):
            lines += _entry(page.name, message(golden))
    return HEAD + "\n".join(lines) + "\n}\n"


def message(golden: Path) -> str:
    """The message's first line, without its place, snippet and help."""
    return golden.read_text("utf-8").split("\n")[0][:LONGEST]


def _entry(code: str, text: str) -> list[str]:
    """One entry, in lines of at most a hundred columns."""
    whole = f'    "{code}": {_literal(text)},'
    if len(whole) <= COLUMNS:
        return [whole]
    parts, room = [""], COLUMNS - len(f'    "{code}": ""')
    for word in re.findall(r"\S+\s*", text):
        if parts[-1] and len(parts[-1]) + len(word) > room:
            parts.append("")
            room = COLUMNS - len('    "",')
        parts[-1] += word
    literals = [_literal(part) for part in parts]
    return [f'    "{code}": {literals[0]}', *(f"    {one}" for one in literals[1:-1]),
            f"    {literals[-1]},"]  # fmt: skip


def _literal(text: str) -> str:
    """A string as ruff would write it: double quotes, unless that costs an escape."""
    if '"' in text and "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


if __name__ == "__main__":
    MODULE.write_text(module(), encoding="utf-8")
