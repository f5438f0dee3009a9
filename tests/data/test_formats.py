"""Every format of data files: the same rows, the same hash, one message where a file is broken."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from rftspec.data.hub_id import parse_hub
from rftspec.data.row import RowError
from rftspec.data.rows import file_hash, parse_row, read_rows, scan_rows
from rftspec.data.strict_json import fast_parser
from rftspec.diagnostics import DiagnosticError

ROWS: list[dict[str, Any]] = [
    {"q": f'Frage "{number}", ä\nweiter', "a": str(number)} for number in range(300)
]
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def _csv(separator: str) -> bytes:
    cells = [[row["q"].replace('"', '""'), row["a"]] for row in ROWS]
    lines = [separator.join(f'"{cell}"' for cell in row) for row in cells]
    return (separator.join(["q", "a"]) + "\r\n" + "\r\n".join(lines) + "\r\n").encode()


def _zst(data: bytes) -> bytes:
    packed: bytes = pyarrow.compress(data, codec="zstd", asbytes=True)
    return packed


FILES: dict[str, Callable[[], bytes]] = {
    "rows.jsonl": lambda: JSONL,
    "rows.ndjson": lambda: b"\xef\xbb\xbf" + JSONL.replace(b"\n", b"\r\n"),
    "rows.jsonl.gz": lambda: gzip.compress(JSONL[:900]) + gzip.compress(JSONL[900:]),
    "rows.jsonl.zst": lambda: _zst(JSONL[:900]) + _zst(JSONL[900:]),
    "rows.json": lambda: json.dumps(ROWS, indent=2).encode(),
    "lines.json": lambda: JSONL,
    "rows.json.gz": lambda: gzip.compress(json.dumps(ROWS).encode()),
    "rows.csv": lambda: _csv(","),
    "rows.CSV.zst": lambda: _zst(b"\xef\xbb\xbf" + _csv(",")),
    "rows.tsv": lambda: _csv("\t"),
}


@pytest.mark.parametrize("name", FILES)
def test_same_rows_come_out_of_every_format_with_the_hash_of_the_file(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    digest = hashlib.sha256()
    lines = list(scan_rows(path, digest=digest))
    assert [line.item for line in lines] == ROWS
    assert [line.index for line in lines] == list(range(len(ROWS)))
    assert digest.hexdigest() == file_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [index for index, _ in read_rows(path, {3, 7})] == [3, 7]


def test_parquet_gives_plain_json_values_and_its_hash(tmp_path: Path) -> None:
    import datetime
    import decimal

    path = tmp_path / "rows.parquet"
    row = {
        "messages": [{"role": "user", "content": "hi"}],
        "day": datetime.date(2024, 5, 1),
        "price": decimal.Decimal("1.5"),
        "nested": {"a": [1, None], "b": True},
    }
    parquet.write_table(pyarrow.Table.from_pylist([row, row]), path)
    digest = hashlib.sha256()
    items = [line.item for line in scan_rows(path, digest=digest)]
    assert items == [{**row, "day": "2024-05-01", "price": 1.5}] * 2
    assert digest.hexdigest() == file_hash(path)


BROKEN: list[tuple[str, bytes, str, int, str]] = [
    ("a.jsonl.gz", gzip.compress(JSONL)[:-40], "E221", 300, "cut off"),
    ("b.jsonl.gz", b'{"a": 1}\n', "E221", 1, "gzip"),
    ("c.jsonl.zst", _zst(JSONL)[:-40], "E221", 300, "cut off"),
    ("d.jsonl.zst", b'{"a": 1}\n', "E221", 1, "damaged"),
    ("a.jsonl", _zst(JSONL), "E204", 1, "zstd"),
    ("b.jsonl", b"[\n{}\n]\n", "E203", 1, "JSON array"),
    ("c.jsonl", b"x" * (17 << 20), "E203", 1, "bytes"),
    ("d.jsonl", b'{"a": 1}\n{"a": "\xe4"}\n', "E204", 2, "UTF-8"),
    ("a.json", b'[{"a": 1}] x', "E203", 2, "after the closing bracket"),
    ("b.json", b'[{"a": 1},', "E203", 2, "not closed"),
    ("c.json", b'[{"a": 1},]', "E203", 2, "comma"),
    ("d.json", b'[{"a": 1}\n{"a": 2}]', "E203", 2, "comma is missing between rows (line 2"),
    ("e.json", b'{"data":\n []}', "E203", 1, "not an array"),
    ("f.json", b'[\n{"a": 1},\n{"a" 2}]', "E203", 2, "line 3"),
    ("g.json", b'[{"a": "x]', "E203", 1, "not closed"),
    ("h.json", b'[{"a": "\xe4"}]', "E204", 1, "UTF-8"),
    ("i.json", b'[{"a": 1}, {"a": NaN}]', "E203", 2, "NaN"),
    ("j.json", b'[{"a": 1, "a": 2}]', "E205", 1, "twice"),
    ("k.json", b'[{"a":' * 5000, "E203", 1, "deep"),
    ("l.json", b"[1]", "E203", 1, "object"),
    ("m.json", b'[{"a": "' + b"x" * (17 << 20), "E203", 1, "characters"),
    ("a.csv", b"a,b\n1\n", "E222", 2, "1 cell"),
    ("b.csv", b'a,b\n1,"x\n3,4\n', "E222", 2, "never closed"),
    ("c.csv", b'a,b\n1,"x"y\n', "E222", 2, "closing quote"),
    ("d.csv", b"a,b\n1,\x002\n", "E204", 2, "number 0"),
    ("e.csv", b"a,b\n1,2\n\xe4,2\n", "E204", 3, "UTF-8"),
    ("f.csv", b"a;b\n1;2\n", "E222", 1, "semicolons"),
    ("g.csv", b"a,a\n1,2\n", "E222", 1, "two columns"),
    ("h.csv", b"messages,b\nhello,2\n", "E222", 2, "messages"),
    ("i.csv", "a,b\n1,2\n".encode("utf-16"), "E204", 1, "UTF-16"),
    ("a.parquet", b"hello", "E221", 1, "damaged"),
    ("b.parquet", b"", "E221", 1, "damaged"),
    ("c.parquet.gz", gzip.compress(b"PAR1"), "E204", 1, "compressed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "code", "line", "word"), BROKEN, ids=[case[0] for case in BROKEN]
)
def test_broken_file_gives_one_message_with_its_place(
    name: str, content: bytes, code: str, line: int, word: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    errors = [one.error for one in scan_rows(path) if one.error is not None]
    assert [(error.code, error.span and error.span.file) for error in errors] == [(code, str(path))]
    assert errors[0].span is not None
    # A compressed file is cut somewhere in its last block: rows before the cut are read.
    assert errors[0].span.line <= line if code == "E221" else errors[0].span.line == line
    assert word in errors[0].message
    with pytest.raises(DiagnosticError):
        list(read_rows(path))


def test_rows_after_a_ragged_one_are_read_and_keep_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'a,b\n1\n"x\ny",3\n4,5,6\n7,8\n')
    found = [(line.index, line.number, line.error is None) for line in scan_rows(path)]
    assert found == [(0, 2, False), (1, 3, True), (2, 5, False), (3, 6, True)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "b.json", "a.csv", "b.csv", "a.tsv"])
def test_file_without_rows_gives_none_and_no_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes({"b.json": b" [ ] \n", "b.csv": b"a,b\n"}.get(name, b""))
    assert list(scan_rows(path)) == []


def test_cells_stay_text_but_for_messages(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('messages,id,n\n"[{""role"": ""user"", ""content"": ""hi""}]",007,1e5\n')
    ((_, item),) = read_rows(path)
    assert item == {"messages": [{"role": "user", "content": "hi"}], "id": "007", "n": "1e5"}


def test_one_value_that_json_has_not_spoils_its_row_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.table({"x": [1.0, float("nan"), 2.0]}), path)
    found = [(line.number, line.error and line.error.code) for line in scan_rows(path)]
    assert found == [(1, None), (2, "E225"), (3, None)]


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz"])
def test_folders_and_pipes_are_refused_and_never_opened(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{ending}").mkdir()
    os.mkfifo(tmp_path / f"pipe{ending}")
    for name in ("folder", "pipe"):
        (line,) = scan_rows(tmp_path / f"{name}{ending}")
        assert line.error is not None
        assert line.error.code == "E202"


HOSTILE = st.sampled_from(
    ['{"a": 1, "a": 2}', '{"a:": 1, "b": "c:d", "a:": 2}', '{"a": "\\u003a", "a": 1}',
     '{"a": 9223372036854775808}', '{"a": 1e20}', '{"a": -9223372036854775809}', '{"a": 1e999}',
     '{"a": [{"b": 1, "b": 1}]}', '{"a": "\\ud800"}', '{"a": NaN}', '{"a": ' + "[" * 70 + "]" * 70
     + "}", '{"a" : 1 , "a" : 2}', '{"\\"": 1, "\\"": 2}', '{"a\\\\": 1, "a\\\\": 2}', "[1]", "1"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet='a:"\\u{ä')


@given(
    HOSTILE
    | st.dictionaries(
        st.text(alphabet='ab:"\\', max_size=3), SCALARS | st.lists(SCALARS, max_size=3)
    ).map(json.dumps)
)
def test_fast_parser_takes_and_refuses_what_the_strict_one_does(text: str) -> None:
    def outcome(parse: Callable[[bytes], dict[str, Any]]) -> object:
        try:
            return repr(parse(text.encode()))
        except RowError as error:
            return error.code, error.message, error.column

    assert outcome(fast_parser()) == outcome(parse_row)


@pytest.mark.parametrize(
    "name",
    ["hf:", "hf:a/b/c", "hf:../x", "hf:a/b?split", "hf:a/b?size=3", "hf:a/b?split=x&split=y",
     "hf:a/b?revision=../x", "hf:a b"],
)  # fmt: skip
def test_malformed_hub_id_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"`"):
        parse_hub(name)


def test_hub_id_in_the_place_of_a_path_says_the_same_again() -> None:
    source = parse_hub("hf:openai/gsm8k?revision=refs/pr/1&split=test&config=main")
    assert parse_hub(str(source.as_path())) == source
    assert (source.name, source.config, source.split) == ("openai/gsm8k", "main", "test")
