"""The shipped parse tables are those of the grammar, and a stale file is not used."""

from __future__ import annotations

import json

import pytest

from rftspec.expr import parse
from rftspec.resources import resource


def test_the_tables_are_of_this_grammar() -> None:
    """Else: `python -m tools.grammar_tables`."""
    shipped = json.loads(resource("grammars", parse.TABLES).read_bytes())
    assert shipped["grammar"] == parse.fingerprint(parse.grammar_text())


def test_a_parser_from_tables_gives_the_trees_of_one_that_was_built() -> None:
    read = parse.make_parser(None)
    built = parse.build_parser(parse.grammar_text(), None)
    for text in ("let a = [1, 2] in a[0] ?? 3 # x\n", "if x.y then -1 else f(a, b=2) ^ 2"):
        assert read.parse(text) == built.parse(text)


def test_tables_of_another_grammar_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    original = parse.build_parser
    monkeypatch.setattr(parse, "build_parser", lambda *a: built.append(1) or original(*a))
    parse.make_parser(None)
    assert not built
    monkeypatch.setattr(parse, "fingerprint", lambda grammar: "another")
    parse.make_parser(None)
    assert built
