"""Diagnostics as text, JSON and GitHub annotations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftspec.cli.text import count_line, render_github, render_text, to_json
from rftspec.cli.visible import clip, visible, width
from rftspec.diagnostics import Diagnostic, Span

SPAN = Span("specs/gsm8k.yaml", 21, 11, 21, 22)
SNIPPET = "    type: string_chek"
ONE = Diagnostic(
    "E103", "`string_chek` is not a grader type", SPAN, "did you mean `string_check`?",
    path="graders.exact.type", snippet=SNIPPET,
)  # fmt: skip


def test_text_shows_code_place_snippet_caret_and_help() -> None:
    """As rustc lays it out."""
    assert render_text(ONE) == (
        "error[E103]: `string_chek` is not a grader type\n"
        "  --> specs/gsm8k.yaml:21:11  in `graders.exact.type`\n"
        "   |\n"
        "21 |     type: string_chek\n"
        "   |           ^^^^^^^^^^^\n"
        "   = help: did you mean `string_check`?"
    )


def test_diagnostic_without_a_place_still_names_its_field() -> None:
    """A field that is missing has no line."""
    told = render_text(Diagnostic("E101", "`train` is missing", path="data.train"))
    assert told == "error[E101]: `train` is missing\n  in `data.train`"


def test_caret_stays_under_its_word_after_wide_letters() -> None:
    """A CJK letter takes two columns."""
    snippet = "名前: wrong"
    told = render_text(Diagnostic("E1", "m", Span("a", 1, 5, 1, 10), snippet=snippet))
    code, caret = told.splitlines()[3:5]
    lead = code[: code.index("wrong")]
    assert width(lead) == caret.index("^")
    assert caret.count("^") == 5


def test_long_line_is_cut_around_the_caret() -> None:
    """A row of a data file may have thousands of characters."""
    snippet = "x" * 5000 + "BAD" + "y" * 5000
    told = render_text(Diagnostic("E1", "m", Span("a", 1, 5001, 1, 5004), snippet=snippet))
    code, caret = told.splitlines()[3:5]
    assert len(code) < 150
    assert code[caret.index("^") : caret.rindex("^") + 1] == "BAD"


@given(st.text(max_size=60), st.integers(-3, 80), st.integers(-3, 80), st.integers(1, 3))
def test_any_snippet_and_any_span_can_be_shown(
    snippet: str, start: int, stop: int, lines: int
) -> None:
    """A wrong span is a lesser evil than a traceback."""
    span = Span("f", 1, start, lines, stop)
    told = render_text(Diagnostic("E1", snippet, span, snippet, snippet=snippet), color=False)
    assert "\x1b" not in told
    assert "^" in told


def test_escapes_in_a_spec_never_reach_the_terminal() -> None:
    """Neither from the snippet nor from the message, with colour or without."""
    evil = "a\x1b]0;owned\x07\x9b31m\u202eb"
    one = Diagnostic("E1", evil, Span("f\x1b[2J", 1, 1, 1, 3), evil, snippet=evil, path=evil)
    for told in (render_text(one), render_github(one)):
        assert not set(told) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "\x1b]" not in render_text(one, color=True)
    assert "\\x1b" in render_text(one)


def test_json_counts_what_it_lists() -> None:
    """Versioned, with redundant counts."""
    told = to_json("validate", [ONE], spec="a.yaml")
    assert told["format"] == "rftspec.validate/1"
    assert (told["ok"], told["errors"], told["warnings"]) == (False, 1, 0)
    assert told["diagnostics"][0]["place"]["start"] == {"line": 21, "column": 11}


def test_github_annotation_escapes_its_separators() -> None:
    """A comma, a colon or a newline in a value would end it."""
    one = Diagnostic("E1", "50 %\nnext", Span("a,b:c.yaml", 2, 3, 2, 5), "why: so", "warning")
    assert render_github(one) == (
        "::warning file=a%2Cb%3Ac.yaml,line=2,endLine=2,col=3,endColumn=5,title=E1::"
        "50 %25%0Anext%0Ahelp: why: so"
    )


def test_counts_are_told_in_words() -> None:
    """One error, two warnings; nothing for nothing."""
    warning = Diagnostic("W1", "w", severity="warning")
    assert count_line([ONE, warning, warning]) == "1 error, 2 warnings"
    assert count_line([]) == ""


@given(st.text())
def test_visible_text_holds_nothing_that_a_terminal_would_act_on(text: str) -> None:
    """No control, format or surrogate character is left, whatever was put in."""
    import unicodedata

    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z", "M"])), st.integers(1, 30))
def test_clipped_text_fits(text: str, columns: int) -> None:
    """At most so many columns, wide letters counted as two."""
    assert width(clip(text, columns)) <= columns
