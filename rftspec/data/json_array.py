"""A `.json` file: one array of objects, read element by element; or JSONL by another name."""

from __future__ import annotations

import codecs
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rftspec.data.content import Stream, blocks_of
from rftspec.data.jsonl import not_text, read_jsonl
from rftspec.data.row import MAX_DEPTH, MAX_LINE_BYTES, Found, Reader, RowError
from rftspec.data.strict_json import DECODER, check_object, explain

_SPACE = " \t\r\n"
_ENDED = "the array is not closed: `]` is missing at the end of the file"
_SHAPE = 'such a file is an array of rows: [{"a": 1}, {"a": 2}]'


def read_json(stream: Stream, path: Path) -> Reader:
    """Every element of the array; the first that is wrong is the last one told."""
    blocks = blocks_of(stream, path)
    first = next(blocks, b"")
    problem = not_text(first, path)
    if problem is not None:
        yield 1, problem, b""
        return
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{") and _is_object(text.partition(b"\n")[0]):
        # Many tools write JSONL into files that end in .json.
        yield from read_jsonl(_Chained(first, stream), path)
        return
    array = _Array(itertools.chain([first], blocks))
    try:
        yield from array.rows()
    except UnicodeDecodeError:
        hint = "save it as UTF-8"
        yield array.row, RowError("E204", "the file is not UTF-8", hint=hint), b""
    except RowError as error:
        yield array.row, error, b""


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


class _Chained:
    """A stream whose first block was read already."""

    def __init__(self, first: bytes, rest: Stream) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int) -> bytes:
        """The first block, then what follows it."""
        first, self._first = self._first, b""
        return first or self._rest.read(size)


class _Array:
    """A window on the text of an array, moved along element by element."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.row = 1
        """The element that comes next, from 1."""
        self._line = 1
        self._blocks = blocks
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._at = 0
        """How far the text has been taken."""
        self._ended = False

    def rows(self) -> Iterator[Found]:
        """Every element with its place. Raises RowError; `row` is then the one it is about."""
        if self._next() != "[":
            if not self._next():
                return
            raise RowError("E203", "the file is not an array of rows", hint=_SHAPE)
        self._take(1)
        if self._next() == "]":
            self._take(1)
            return self._end()
        while True:
            if self._next() != "{":
                raise self._no_object()
            item, end = self._element()
            self._take(end - self._at)
            yield self.row, item, b""
            self.row += 1
            mark = self._next()
            if mark not in (",", "]"):
                missing = self._placed("a comma is missing between rows")
                raise RowError("E203", missing if mark else _ENDED)
            self._take(1)
            if mark == "]":
                return self._end()

    def _end(self) -> None:
        if self._next():
            message = self._placed("text after the closing bracket of the array")
            raise RowError("E203", message, hint="delete it")

    def _no_object(self) -> RowError:
        mark = self._next()
        if not mark:
            return RowError("E203", _ENDED)
        if mark == "]":
            message = self._placed("a comma before the closing bracket")
            return RowError("E203", message, hint="delete the comma")
        return RowError("E203", self._placed("a row must be a JSON object"), hint=_SHAPE)

    def _element(self) -> tuple[dict[str, Any], int]:
        """The object that begins here, and where it ends."""
        while True:
            start = self._at
            try:
                item, end = DECODER.raw_decode(self._text, start)
            except json.JSONDecodeError as error:
                size = len(self._text) - start
                if size <= MAX_LINE_BYTES and self._more(size):
                    continue
                raise self._explained(error.msg, error.pos - start) from None
            except RecursionError:
                raise RowError("E203", f"nested more than {MAX_DEPTH} deep") from None
            return check_object(item, self._text[start:end]), end

    def _explained(self, found: str, at: int) -> RowError:
        """What is wrong at a character of the element that begins here."""
        text = self._text[self._at :]
        if len(text) > MAX_LINE_BYTES:
            return RowError("E203", f"the row has more than {MAX_LINE_BYTES:,} characters")
        if at >= len(text.rstrip()) or found.startswith("Unterminated"):
            what = "text" if found.startswith("Unterminated") else "bracket"
            message = f"the row has a {what} that is opened and not closed"
            return RowError("E203", self._placed(message, at))
        message, _, hint = explain(text, json.JSONDecodeError(found, text, at))
        return RowError("E203", self._placed(message, at), hint=hint)

    def _placed(self, message: str, at: int = 0) -> str:
        """The message with the line of the file: rows of an array have none of their own."""
        line = self._line + self._text.count("\n", self._at, self._at + at)
        return f"{message} (line {line:,} of the file)"

    def _next(self) -> str:
        """The next character that is no space, which is then the first; "" at the end."""
        while True:
            size, at = len(self._text), self._at
            while at < size and self._text[at] in _SPACE:
                at += 1
            self._take(at - self._at)
            if at < size:
                return self._text[at]
            if not self._more(0):
                return ""

    def _take(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _more(self, wanted: int) -> bool:
        """Read on, as much again as is held; False at the end of the file."""
        parts = [self._text[self._at :]]
        self._at = 0
        size = 0
        while not self._ended and size <= wanted:
            block = next(self._blocks, b"")
            self._ended = not block
            parts.append(self._decode(block, final=self._ended))
            size += len(parts[-1])
        self._text = "".join(parts)
        return size > 0
