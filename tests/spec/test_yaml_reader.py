"""Strict YAML: scalars by YAML 1.2, refusals by code, places of every character."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rftspec.codes import PAGES
from rftspec.spec.document import walk
from rftspec.spec.origins import places_of
from rftspec.spec.scalars import read_plain
from rftspec.spec.yaml_reader import MAX_DEPTH, parse_text, read_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("5e-06", 5e-6),
        ("1E5", 1e5),
        (".5", 0.5),
        ("+200", 200),
        ("-0", 0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("1.2.3", "1.2.3"),
        ("12a", "12a"),
        ("y", "y"),
        ("nan", "nan"),
        ("-x", "-x"),
        ("+", "+"),
        (".", "."),
        ("1e-5x", "1e-5x"),
    ],
)
def test_plain_scalar_is_read_as_yaml_1_2_reads_it(text: str, value: object) -> None:
    read, problem = read_plain(text)
    assert problem is None
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "No", "ON", "off", "010", "-007", "0x1F", "0o17", "0b11", "1:30", "12:30:45"),
        *("1_000", "2025-01-01", "2025-1-2T10:00:00"),
    ],
)
def test_scalar_with_two_readings_is_refused_with_a_hint(text: str) -> None:
    _, problem = read_plain(text)
    assert problem is not None
    assert problem.code == "E012"
    assert "quote" in problem.hint


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "1e400", "9" * 19, "-" + "9" * 5000])
def test_number_that_is_not_finite_or_too_large_is_refused(text: str) -> None:
    _, problem = read_plain(text)
    assert problem is not None
    assert problem.code == "E013"


def test_ambiguous_words_are_fine_as_keys_and_in_quotes() -> None:
    document = parse_text("on: 'no'\nvote: { on: \"yes\" }\n", Path("s.yaml"), "s.yaml")
    assert document.root is not None
    assert document.root.json() == {"on": "no", "vote": {"on": "yes"}}
    assert not document.collector.has_errors


def test_bytes_that_are_not_utf8_have_their_place() -> None:
    document = read_document(Path("s.yaml"), b"a: 1\nb: \xe9\n", "s.yaml")
    (found,) = document.collector
    assert found.code == "E001"
    assert found.span is not None
    assert (found.span.line, found.span.column) == (2, 4)


def test_carriage_returns_and_a_byte_order_mark_are_accepted() -> None:
    document = read_document(Path("s.yaml"), b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "s.yaml")
    assert document.root is not None
    assert document.root.json() == {"a": 1, "b": 2}


@pytest.mark.parametrize("opener", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_without_recursion(opener: str) -> None:
    document = parse_text("a:\n " + opener * 10_000, Path("s.yaml"), "s.yaml")
    assert {one.code for one in document.collector} == {"E010"}


def test_nesting_up_to_the_limit_is_read() -> None:
    depth = MAX_DEPTH - 1
    document = parse_text("a: " + "[" * depth + "]" * depth, Path("s.yaml"), "s.yaml")
    assert not document.collector.has_errors


def test_place_of_a_key_is_the_file_and_line_for_reasons() -> None:
    document = parse_text("a:\n  b: 1\n", Path("x/s.yaml"), "x/s.yaml")
    assert document.place("a.b") == "s.yaml:2"
    assert document.place("a.c") is None


TEXTS = st.text(alphabet=st.sampled_from("ab0 '\"\\#:?+-*(){}[],\n\té→"), min_size=1, max_size=40)


@given(TEXTS, st.sampled_from(["'", '"', "|", ">", None]), st.integers(10, 80), st.booleans())
def test_every_character_of_a_scalar_is_found_where_it_stands(
    value: str, style: str | None, width: int, windows: bool
) -> None:
    text = yaml.safe_dump(
        {"key": {"inner": value}},
        default_style=style,
        width=width,
        allow_unicode=True,
        default_flow_style=False,
    )
    text = text.replace("\n", "\r\n") if windows else text
    document = parse_text(text, Path("s.yaml"), "s.yaml")
    for _, node in walk(document.root) if document.root else ():
        if node.kind != "scalar" or not isinstance(node.value, str):
            continue
        places = places_of(node)
        if len(node.value.strip()) > 1 and len(set(places)) == 1:
            # The fallback: allowed for blocks of nothing but space, never for text.
            raise AssertionError(f"{text!r}: the places of {node.value!r} are not known")
        for character, (line, column) in zip(node.value, places, strict=False):
            there = document.source.line(line)[column - 1 : column]
            if character not in " \n\t":
                assert there in (character, "\\")


def test_expression_in_a_block_has_its_caret_in_the_users_own_line(tmp_path: Path) -> None:
    document = parse_text("reward: |\n\n    rank +\n      nothing\n", Path("s"), "s")
    node = document.at("reward")
    assert node is not None
    offset = node.value.index("nothing")
    assert places_of(node)[offset] == (4, 7)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8")))
def test_no_bytes_make_the_reader_fail(raw: bytes) -> None:
    document = read_document(Path("s.yaml"), raw, "s.yaml")
    for found in document.collector:
        assert found.span is not None
        assert found.code in PAGES
