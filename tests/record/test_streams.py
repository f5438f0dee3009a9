"""Streams are written whole lines at a time and read whatever happened to them."""

import errno
import json
import os

import pytest

from rftspec.record.errors import RecordError
from rftspec.record.streams import StreamReader, StreamWriter, encode_line


def test_what_is_written_is_read(tmp_path):
    writer = StreamWriter(tmp_path / "s.jsonl")
    values = [{"a": 1}, {"text": "Zeile\u2028und \x00 ende\n"}, {"lone": "\ud800"}, {"ß": [None]}]
    writer.append(values)
    writer.close()
    assert list(StreamReader(tmp_path / "s.jsonl")) == values


def test_numbers_that_are_not_json_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        encode_line({"loss": float("nan")})


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_torn_last_line_is_skipped_and_counted(tmp_path, cut):
    path = tmp_path / "s.jsonl"
    path.write_bytes(b'{"a":1}\n{"b":22}\n'[:-cut])
    reader = StreamReader(path)
    assert list(reader) == [{"a": 1}]
    assert reader.damaged == 1


@pytest.mark.parametrize("line", [b"{", b"[1]", b"\xff\xfe", b"", b"nonsense", b'{"a":1}x'])
def test_damaged_lines_in_the_middle_are_skipped_and_counted_once(tmp_path, line):
    path = tmp_path / "s.jsonl"
    path.write_bytes(b'{"a":1}\n' + line + b'\n{"b":2}\n')
    reader = StreamReader(path)
    assert list(reader) == [{"a": 1}, {"b": 2}]
    assert list(reader) == [{"a": 1}, {"b": 2}]
    assert reader.damaged == 1


def test_a_missing_stream_is_empty(tmp_path):
    assert list(StreamReader(tmp_path / "no.jsonl")) == []


def test_a_full_disk_leaves_no_part_of_a_line(tmp_path, monkeypatch):
    path = tmp_path / "s.jsonl"
    writer = StreamWriter(path)
    writer.append([{"a": 1}])
    write = os.write
    written = []

    def fills_up(handle, data):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(write(handle, bytes(data)[:5]))
        return 5

    monkeypatch.setattr(os, "write", fills_up)
    with pytest.raises(RecordError) as caught:
        writer.append([{"b": 2}, {"c": 3}])
    assert caught.value.code == "R403"
    assert str(path) in caught.value.diagnostics[0].message
    assert path.read_bytes() == b'{"a":1}\n'
    monkeypatch.undo()
    writer.append([{"d": 4}])
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == [{"a": 1}, {"d": 4}]
