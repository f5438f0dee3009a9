"""Rows: strict JSON with lines, messages, templates; and splits that keep groups whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftspec.data.rows import RowError, messages_of, parse_row, read_rows, scan_rows
from rftspec.data.split import carve
from rftspec.diagnostics import DiagnosticError


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        (b"[1, 2]", "E203", "object"),
        (b'{"a": NaN}', "E203", "NaN"),
        (b'{"a": 1e999}', "E203", "too large"),
        (b'{"a": 99999999999999999999}', "E203", "64 bits"),
        (b'{"a": 1, "a": 2}', "E205", "twice"),
        (b'{"a": "\\ud800"}', "E203", "surrogate"),
        (b"{'a': 1}", "E203", "Python"),
        (b'{"a": 1,}', "E203", "comma"),
        (b'{"a": 1}{"b": 2}', "E203", "more than one"),
        (b"// no", "E203", "comment"),
        (b'{"a": "\xff"}', "E204", "UTF-8"),
        (b"[" * 100_000, "E203", "deep"),
        (b'{"a": ' + b"[" * 80 + b"]" * 80 + b"}", "E203", "deep"),
        (b'{"a": 1', "E203", "not JSON"),
    ],
)
def test_line_that_is_no_row_is_refused_with_its_reason(line: bytes, code: str, word: str) -> None:
    with pytest.raises(RowError) as caught:
        parse_row(line)
    assert caught.value.code == code
    assert word in caught.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=5), JSON), st.booleans())
def test_row_that_python_wrote_is_read_back_as_it_was(
    item: dict[str, object], ascii_: bool
) -> None:
    assert parse_row(json.dumps(item, ensure_ascii=ascii_).encode("utf-8")) == item


def test_brackets_inside_text_do_not_count_as_depth() -> None:
    assert parse_row(b'{"a": "' + b"[" * 100 + b'"}') == {"a": "[" * 100}


def test_rows_are_numbered_from_zero_and_picked_by_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"n": {n}}}\n' for n in range(5)))
    assert list(read_rows(path, {1, 3})) == [(1, {"n": 1}), (3, {"n": 3})]


def test_bad_line_does_not_shift_the_numbers_of_the_rows_after_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"n": 0}\nx\n{"n": 2}\n')
    lines = list(scan_rows(path))
    assert [(line.index, line.number) for line in lines] == [(0, 1), (1, 2), (2, 3)]
    with pytest.raises(DiagnosticError):
        list(read_rows(path))


def test_empty_line_is_allowed_at_the_end_and_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"n": 0}\n\n')
    assert all(line.error is None for line in scan_rows(path))
    path.write_text('{"n": 0}\n\n{"n": 1}\n')
    assert [line.number for line in scan_rows(path) if line.error is not None] == [2]


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        "hello",
        [{"role": "user"}],
        [{"role": "user", "content": "  "}],
        [{"role": "robot", "content": "x"}],
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
        [{"role": "user", "content": [{"type": "image_url"}]}],
        ["x"],
    ],
)
def test_malformed_messages_are_refused(messages: object) -> None:
    with pytest.raises(RowError):
        messages_of({"messages": messages})


def test_messages_may_have_a_developer_a_history_and_text_parts() -> None:
    messages = [
        {"role": "developer", "content": "be brief"},
        {"role": "assistant", "content": None, "tool_calls": [{}]},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    ]
    assert messages_of({"messages": messages}) == messages


def test_prompt_template_makes_one_message_or_several() -> None:
    item = {"question": "2+2", "list": [1]}
    assert messages_of(item, "{{ item.question }}?") == [{"role": "user", "content": "2+2?"}]
    made = messages_of(
        item,
        [{"role": "system", "content": "s"}, {"role": "user", "content": "{{item.list[0]}}"}],
    )
    assert [message["content"] for message in made] == ["s", "1"]


@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=60),
    st.integers(1, 40),
    st.integers(0, 5),
)
def test_split_keeps_groups_whole_and_takes_no_more_than_wanted(
    groups: list[str], wanted: int, seed: int
) -> None:
    stay, taken = carve(groups, wanted, seed)
    assert sorted([*stay, *taken]) == list(range(len(groups)))
    assert not {groups[i] for i in stay} & {groups[i] for i in taken}
    assert len(taken) <= wanted
    assert stay
    assert carve(groups, wanted, seed) == (stay, taken)


def test_split_takes_exactly_as_many_rows_as_wanted_where_groups_are_single() -> None:
    stay, taken = carve([str(n) for n in range(100)], 20, 0)
    assert (len(stay), len(taken)) == (80, 20)
    assert carve([str(n) for n in range(100)], 20, 1)[1] != taken
