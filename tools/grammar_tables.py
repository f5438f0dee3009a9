"""The scoring language's parse tables, from its grammar: `python -m tools.grammar_tables`.

Building them takes longer than anything else in `rftspec validate`; read from JSON they take a few
milliseconds. Their states are numbered anew each time (lark goes through sets), so a test compares
fingerprints and trees, not bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

from lark.grammar import Rule
from lark.lexer import TerminalDef

from rftspec.expr.parse import TABLES, build_parser, grammar_text
from rftspec.expr.parse import fingerprint as fingerprint_of

PATH = Path(__file__).resolve().parent.parent / "grammars" / TABLES


def tables() -> str:
    """The file's text."""
    grammar = grammar_text()
    data, memo = build_parser(grammar, None).memo_serialize([TerminalDef, Rule])
    content = {"grammar": fingerprint_of(grammar), "data": data, "memo": memo}
    return json.dumps(content, separators=(",", ":"), sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(tables(), encoding="utf-8")
    print(f"written: {PATH}")
