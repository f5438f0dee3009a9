"""Problems point into the file that the expression was written in."""

import pytest

from rftspec.diagnostics import DiagnosticError, Span
from rftspec.expr import PlacedOrigin, TextOrigin, compile_expression
from rftspec.expr.types import NUMBER

FILE = ["reward: |", "    0.5 * rank +", "      0.5 * brief", 'other: "a\\tb + nope"']


def _block_origin():
    """The origin of the block scalar under `reward`, whose indentation YAML takes off."""
    text, places = "", []
    for number, line in enumerate(FILE[1:3], start=2):
        text += line[4:] + "\n"
        places += [(number, column) for column in range(5, len(line) + 2)]
    return text, PlacedOrigin("spec.yaml", FILE, places)


def test_block_scalars_keep_their_lines_and_columns():
    text, origin = _block_origin()
    with pytest.raises(DiagnosticError) as raised:
        compile_expression(text, {"rank": NUMBER}, origin=origin, path="reward")
    (found,) = raised.value.diagnostics
    assert found.span == Span("spec.yaml", 3, 13, 3, 18)
    assert found.snippet == "      0.5 * brief"
    assert found.path == "reward"


def test_quoted_scalars_with_escapes_keep_their_columns():
    # `a<TAB>b + nope`: the tab is two characters in the file
    text = "a\tb + nope"
    places = [(4, 9), (4, 10), *((4, column) for column in range(12, 20))]
    origin = PlacedOrigin("spec.yaml", FILE, places)
    with pytest.raises(DiagnosticError) as raised:
        compile_expression(text, {}, origin=origin)
    assert raised.value.diagnostics[0].span == Span("spec.yaml", 4, 12, 4, 13)


def test_end_of_text_has_a_place_after_its_last_character():
    text, origin = _block_origin()
    cut = text[: text.index("rank")]
    with pytest.raises(DiagnosticError) as raised:
        compile_expression(cut, {}, origin=origin)
    span = raised.value.diagnostics[0].span
    assert (span.line, span.column) == (2, 10)
    assert PlacedOrigin("f", [], []).locate(0, 0) == Span("f", 1, 1, 1, 1)
    assert PlacedOrigin("f", ["x"], [(1, 1)]).locate(1, 1) == Span("f", 1, 2, 1, 2)
    assert PlacedOrigin("f", ["x"], [(1, 1)]).snippet(2) is None


def test_a_bracket_of_another_line_is_told_with_its_place_in_the_file():
    text = "(1 +\n2"
    places = [(7, 20 + i) for i in range(5)] + [(8, 20)]
    origin = PlacedOrigin("spec.yaml", [""] * 8, places)
    with pytest.raises(DiagnosticError, match="line 7, column 20"):
        compile_expression(text, {}, origin=origin)


def test_plain_texts_are_counted_in_lines():
    origin = TextOrigin("ab\n\ncd", "f.score")
    assert origin.locate(4, 6) == Span("f.score", 3, 1, 3, 3)
    assert origin.locate(1, 4) == Span("f.score", 1, 2, 3, 1)
    assert [origin.snippet(n) for n in (0, 1, 2, 3, 4)] == [None, "ab", "", "cd", None]


def test_all_problems_are_told_at_once_in_the_order_of_the_text():
    text = "foo(1) + bar + sqrt('x') * (1 / 0)"
    with pytest.raises(DiagnosticError) as raised:
        compile_expression(text, {})
    found = [(d.code, d.span.column) for d in raised.value.diagnostics]
    assert found == [("E312", 1), ("E311", 10), ("E321", 21), ("E331", 31)]
