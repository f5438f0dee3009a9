"""`fmt` writes expressions anew and leaves every other byte of a spec alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import syntax
from rftspec.expr.format import format_expression
from rftspec.expr.parse import parse
from rftspec.spec.format import expressions_of, format_document
from rftspec.spec.yaml_reader import parse_text
from tests.expr.generate import expressions
from tests.spec.samples import SAMPLES, SPEC

ROOT = Path(__file__).resolve().parents[2]
SPECS = [*sorted((ROOT / "specs").glob("*.yaml")), SAMPLES / SPEC]


def formatted(text: str) -> str:
    """A spec's text with its expressions formatted; checks that twice changes nothing."""
    result = format_document(parse_text(text, Path("spec.yaml"), "spec.yaml")).text
    again = format_document(parse_text(result, Path("spec.yaml"), "spec.yaml"))
    assert again.text == result
    assert again.changed == []
    return result


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_shipped_specs_are_formatted(path: Path) -> None:
    text = path.read_bytes().decode()
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("reward: 1+a # why\n", "reward: 1 + a # why\n"),
        ("reward: '1+a'\n", "reward: '1 + a'\n"),
        ('reward: "1+a"\nx: 1\n', 'reward: "1 + a"\nx: 1\n'),
        ("reward: 'f(''b'')'\n", "reward: 'f(''b'')'\n"),
        ("reward: |\n   1+a\n   # why\n\n\nx: 1\n", "reward: |\n   1 + a\n   # why\n\n\nx: 1\n"),
        ("reward: |-\n  1+a", "reward: |-\n  1 + a"),
        ("reward: |2 # c\n  1+a\n", "reward: | # c\n  1 + a\n"),
        ("reward: >  # c\n  1+\n  a\n# d\n", "reward: |  # c\n  1 + a\n# d\n"),
        ("reward: 1+\n  a\nx: 2\n", "reward: 1 + a\nx: 2\n"),
        ("reward: '1+\n\n  a'\n", "reward: '1 + a'\n"),
        # a plain scalar ends at ` #`, and `: ` makes a mapping: these need a block
        ("reward: \"contains(t,': ')\"\n", "reward: \"contains(t, ': ')\"\n"),
        ("reward: f(x,\n  'a')\n", None),
        ("reward: 'a#b'\n", "reward: 'a  #b'\n"),
        ("reward: a#b\n", "reward: |\n  a  #b\n"),
        ("reward: {x: 1}\n", None),
        ("reward: \"f(x, # one\\n y)\" # k\n", "reward: | # k\n  f(\n    x,  # one\n    y\n  )\n"),
        ("require:\n- 1+a>0\n- |\n  b>0\n", "require:\n- 1 + a > 0\n- |\n  b > 0\n"),
        ("require: [a>0, \"b>'x, y'\"]\n", "require: [a > 0, \"b > 'x, y'\"]\n"),
        ("evaluate:\n  metrics: {a: x+1}\n", "evaluate:\n  metrics: {a: x + 1}\n"),
        ("evaluate:\n  metrics: {a: 'f(x,y)'}\n", "evaluate:\n  metrics: {a: 'f(x, y)'}\n"),
        (
            "evaluate:\n  references:\n    r:\n      vote: {on: 'item.a+1'}\n",
            "evaluate:\n  references:\n    r:\n      vote: {on: 'item.a + 1'}\n",
        ),
        (
            "graders:\n  m:\n    type: multi\n    calculate_output: a+b\n    graders:\n"
            "      a: {type: expression, expression: '1+1'}\n",
            "graders:\n  m:\n    type: multi\n    calculate_output: a + b\n    graders:\n"
            "      a: {type: expression, expression: '1 + 1'}\n",
        ),
        ("graders:\n  a: {type: python, source: 'a+b'}\n", None),
        ("model:\n  base: 'a+b'\nreward: 1\n", None),
        ("reward: 1+a\r\nx: 1\r\n", "reward: 1 + a\r\nx: 1\r\n"),
        ("reward: |\r\n  1+a # b\r\n  # c\r\nx: 1\r\n",
         "reward: |\r\n  1 + a  # b\r\n  # c\r\nx: 1\r\n"),
    ],
)  # fmt: skip
def test_expression_is_written_in_its_place(before: str, after: str | None) -> None:
    assert formatted(before) == (before if after is None else after)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(expressions(), min_size=1, max_size=3),
    st.sampled_from(["plain", "'", '"', "|", "|-", ">"]),
    st.sampled_from(["", "\n", "# a comment\n"]),
)
def test_meaning_and_all_else_stay(texts: list[str], style: str, end: str) -> None:
    lines = ["name: x   # kept", "require:"]
    for text in texts:
        if style in ("|", "|-", ">"):
            lines += [f"  - {style}", f"     {text}"]
        elif style == "plain":
            lines += ["  - |", f"    {text}"]
        else:
            quoted = text.replace("'", "''")
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f"  - '{quoted}'" if style == "'" else f'  - "{escaped}"')
    source = "\n".join([*lines, "train: {steps:  3}  # as it was", end])
    result = formatted(source)
    assert result.startswith("name: x   # kept\nrequire:")
    assert result.endswith("train: {steps:  3}  # as it was\n" + end)
    after = parse_text(result, Path("s"), "s")
    values = [node.value for _, node in expressions_of(after)]
    assert [value.rstrip("\n") for value in values] == [format_expression(text) for text in texts]
    for text, value in zip(texts, values, strict=True):
        assert syntax.same(parse(value), parse(text))


def test_all_wrong_expressions_are_told_in_their_places() -> None:
    text = "reward: |\n  1 +\nrequire:\n  - (a\n"
    with pytest.raises(DiagnosticError) as raised:
        formatted(text)
    places = [(d.code, d.span.line, d.span.column) for d in raised.value.diagnostics if d.span]
    assert places == [("E301", 2, 6), ("E301", 4, 7)]
    with pytest.raises(DiagnosticError, match="tab"):
        formatted("\treward: 1+a\n")
