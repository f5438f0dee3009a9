"""The formatter: one way to write an expression; meaning and comments stay."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rftspec.expr import syntax
from rftspec.expr.errors import ParseFailure
from rftspec.expr.format import WIDTH, format_expression
from rftspec.expr.parse import parse, tokens

from .generate import expressions
from .table import read_table
from .test_agreement import relaxed

_PARSED = [case["e"] for _, case in read_table()[2] if case.get("code", "E4") > "E307"]


def _comments(text):
    """The comments of a text; strings are skipped."""
    found = re.finditer(r"""r?"(?:\\.|[^"\\\n])*"|r?'(?:\\.|[^'\\\n])*'|(#[^\n]*)""", text)
    return [match[1].rstrip() for match in found if match[1]]


def _check(text):
    formatted = format_expression(text)
    assert format_expression(formatted) == formatted
    assert syntax.same(parse(formatted), parse(text))
    assert sorted(_comments(formatted)) == sorted(_comments(text))
    assert all(line == line.rstrip() for line in formatted.split("\n"))
    return formatted


@pytest.mark.parametrize("text", _PARSED)
def test_every_case_of_the_table_keeps_its_meaning(text):
    _check(text)


@relaxed
@given(expressions())
def test_meaning_stays_and_twice_changes_nothing(text):
    _check(text)


@relaxed
@given(expressions(), st.data())
def test_comments_and_line_ends_anywhere_are_kept(text, data):
    places = [token.start_pos for token in tokens(text)] + [len(text)]
    gaps = st.sampled_from(["", " ", "\n", " # one\n", "\n\n# two\n\n", "  # a\n  # b\n"])
    chosen = data.draw(st.lists(gaps, min_size=len(places), max_size=len(places)))
    whole, at = "", 0
    for place, gap in zip(places, chosen, strict=True):
        # a raw string begins with its letter, a name does not
        whole += text[at:place] + gap
        at = place
    assume(len(whole) < 8000)
    _check(whole)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1+2*3", "1 + 2 * 3"),
        ("f( a ,b=1 )", "f(a, b=1)"),
        ("max(1,2,)", "max(1, 2)"),
        ("- x^-2", "-x ^ -2"),
        ("not not(p)", "not not (p)"),
        ("x [ 0 ] . a", "x[0].a"),
        ("1E5", "1e5"),
        ("# why\n1", "# why\n1"),
        ("1  # why", "1  # why"),
        ("[1, # one\n2]", "[\n  1,  # one\n  2\n]"),
        ("a+# why\nb", "a  # why\n+ b"),
        ("0.5*(a??0)+ # one\n0.5*b # two", "0.5 * (a ?? 0)  # one\n+ 0.5 * b  # two"),
        ("[ # zero\nf(a,\nb), # one\nc]", "[  # zero\n  f(a, b),  # one\n  c\n]"),
        ("f(\n# one\ng(a,\nb))", "f(\n  # one\n  g(a, b)\n)"),
        ("let x=1 in x", "let x = 1 in x"),
        ("let x=1 in\n\n\nx", "let x = 1 in\nx"),
        ('regex_match(t,r"\\d+")', 'regex_match(t, r"\\d+")'),
        ("if a then 1 else if b then 2 else 3", "if a then 1 else if b then 2 else 3"),
    ],
)
def test_layout_is_the_one_of_the_house(text, wanted):
    assert _check(text) == wanted


def test_long_expressions_are_broken_at_their_loosest_operators():
    text = (
        "let rank = rank_of(item.gene, sample.output_json.genes) in if has(rank) and brief > 0.5 "
        "then 0.7 * (rank_decay(rank, first=1.0, second=0.7) ?? 0) + 0.3 * (0.5 * brief + 0.5 * "
        "(if passed then format else 0.1)) else 0"
    )
    assert _check(text) == (
        "let rank = rank_of(item.gene, sample.output_json.genes) in\n"
        "if has(rank) and brief > 0.5 then\n"
        "  0.7 * (rank_decay(rank, first=1.0, second=0.7) ?? 0)\n"
        "  + 0.3 * (0.5 * brief + 0.5 * (if passed then format else 0.1))\n"
        "else\n"
        "  0"
    )


def test_lines_are_no_longer_than_the_width_where_they_can_be_broken():
    text = "+".join(f"0.125*weighted_mean([part{i},other],[1,2])" for i in range(20))
    assert max(len(line) for line in _check(text).split("\n")) <= WIDTH


def test_the_deepest_expressions_are_formatted():
    _check("(" * 64 + "x" + ")" * 64)
    _check("-" * 60 + "x")
    _check("max(1, " * 60 + "x" + ")" * 60)
    _check("+".join(["x"] * 900))


def test_what_is_no_expression_is_refused():
    with pytest.raises(ParseFailure):
        format_expression("1 +")
