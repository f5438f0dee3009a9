"""Static findings know ranges, and have their places inside every kind of YAML scalar."""

from pathlib import Path

import pytest

from rftspec.diagnostics import DiagnosticError
from rftspec.expr import compile_expression
from rftspec.expr.types import BOOL, NUMBER, STRING, OptionalOf, RecordOf
from rftspec.spec.origins import origin_of
from rftspec.spec.yaml_reader import parse_text

NAMES = {
    "rank": NUMBER,
    "p": BOOL,
    "item": RecordOf({"weight": NUMBER, "hint": OptionalOf(STRING)}),
    "t": STRING,
}
RANGES = {"rank": (0.0, 1.0), "item.weight": (2.0, 3.0)}


def _warnings(text, ranges=RANGES):
    found = compile_expression(text, NAMES, result="any", ranges=ranges).warnings
    return [(w.code, w.message) for w in found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rank > 1", "this comparison is always false: its left side is between 0 and 1"),
        ("rank >= 0", "this comparison is always true: its left side is between 0 and 1"),
        ("rank <= 1", "this comparison is always true: its left side is between 0 and 1"),
        ("rank == 2", "this comparison is always false: its left side is between 0 and 1"),
        ("rank != 2", "this comparison is always true: its left side is between 0 and 1"),
        (
            "item.weight > rank",
            "this comparison is always true: its left side is between 2 and 3, "
            "its right side between 0 and 1",
        ),
        (
            "let low = rank - 1 in low > 0.5",
            "this comparison is always false: its left side is between -1 and 0",
        ),
        ("len(t) < 0", "this comparison is always false: its left side is 0 at least"),
        ("rank < rank", "both sides are the same: it is always false"),
    ],
)
def test_comparison_that_never_changes_is_told_with_the_range(text, message):
    assert _warnings(text) == [("E342", message)]


@pytest.mark.parametrize(
    "text",
    ["rank >= 1", "rank > 0", "rank == 1", "rank < item.weight - 1", "len(t) <= 0", "rank == 0.5"],
)
def test_comparison_that_can_change_is_left_alone(text):
    assert _warnings(text) == []


def test_without_ranges_names_can_be_anything():
    assert _warnings("rank > 1", ranges=None) == []


def test_a_comparison_that_is_told_to_be_constant_is():
    for text in ("rank >= 0", "rank > 1", "item.weight > rank"):
        expression = compile_expression(text, NAMES, result="bool", ranges=RANGES)
        wanted = "true" in expression.warnings[0].message
        for rank in (0.0, 0.5, 1.0):
            for weight in (2.0, 2.5, 3.0):
                assert expression.evaluate({"rank": rank, "item": {"weight": weight}}) is wanted


MISTAKES = {
    "rank + nope": ("E311", "nope"),
    "foo(rank)": ("E312", "foo"),
    "item.wieght": ("E313", "wieght"),
    "rank + t": ("E321", "+"),
    "len(item.hint) + 1": ("E323", "len(item.hint)"),
    "rank / 0": ("E331", "/"),
    "log(0)": ("E331", "0"),
    "number(regex_match(t, r'a(b'))": ("E332", "a(b"),
    "if p or true then 1 else 2": ("E342", "true"),
    "if 1 < 2 then 1 else 2": ("E342", "1 < 2"),
    "rank ?? 0": ("E341", "??"),
    "let spare = 1 in rank": ("E343", "spare"),
    "rank > 3": ("E342", "rank > 3"),
}
SCALARS = {
    "plain": lambda text: f"reward: {text}\n",
    "single quotes": lambda text: "reward: '" + text.replace("'", "''") + "'\n",
    "double quotes": lambda text: 'reward: "\\t' + text + '"\n',
    "block": lambda text: f"reward: |\n    # why\n    {text}\n",
    "folded": lambda text: f"reward: >-\n   {text}\n\nx: 1\n",
    "folded over lines": lambda text: "reward: >\n  " + text.replace(" ", "\n  ") + "\n",
    "list": lambda text: f"name: a\nreward:   {text}   # c\n",
}


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_pointed_at_inside_the_file(text, scalar):
    source = SCALARS[scalar](text)
    document = parse_text(source, Path("spec.yaml"), "spec.yaml")
    node = document.at("reward")
    code, wanted = MISTAKES[text]
    try:
        made = compile_expression(
            node.value, NAMES, result="any", origin=origin_of(node), ranges=RANGES
        )
        (found,) = made.warnings
    except DiagnosticError as error:
        found = error.diagnostics[0]
    assert found.code == code
    line = source.split("\n")[found.span.line - 1]
    assert found.snippet == line
    shown = line[found.span.column - 1 :].replace("''", "'")
    # over several lines, the first part of what is meant is shown
    first = wanted.split(" ")[0] if scalar == "folded over lines" else wanted
    assert shown.startswith(first)
    assert found.span.end_column > found.span.column
