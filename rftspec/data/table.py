"""CSV and TSV: a header, then one row of texts for each line of the table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rftspec.data.content import Stream, lines_of
from rftspec.data.jsonl import BOM, not_text
from rftspec.data.row import MAX_LINE_BYTES, Reader, RowError
from rftspec.data.strict_json import DECODER

_SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


def read_table(stream: Stream, path: Path, separator: str) -> Reader:
    """Every row as an object of texts; `messages` is read as JSON.

    A cell is text even where it looks like a number: `007` and `1e5` are ids as often as numbers,
    and what a cell is must not hang on the other rows. Expressions have `to_number`.
    """
    lines = _Lines(lines_of(stream, path), path)
    csv.field_size_limit(MAX_LINE_BYTES)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    header: list[str] | None = None
    line = 1
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                return
            if header is None:
                header = _header(cells, separator)
            elif cells:
                yield line, _row(header, cells), b""
        except csv.Error as error:
            yield line, _explain(error), b""
            return
        except RowError as error:
            yield line if error.code != "E204" else lines.number, error, b""
            if header is None or error.code != "E222":
                return
        line = reader.line_num + 1


class _Lines:
    """The lines of a table as text, with the number of the last one."""

    def __init__(self, lines: Iterator[bytes], path: Path) -> None:
        self.number = 0
        self._lines = lines
        self._path = path

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = next(self._lines)
        self.number += 1
        if self.number == 1:
            problem = not_text(raw, self._path)
            if problem is not None:
                raise problem
            raw = raw.removeprefix(BOM)
        if len(raw) > MAX_LINE_BYTES:
            raise RowError("E222", f"the line has more than {MAX_LINE_BYTES:,} bytes")
        if b"\x00" in raw:
            hint = "save the table as UTF-8"
            raise RowError("E204", "a character with the number 0: no text has it", hint=hint)
        try:
            return raw.decode("utf-8") + "\n"
        except UnicodeDecodeError as error:
            column = error.start + 1
            raise RowError("E204", "the line is not UTF-8", column, "save as UTF-8") from None


def _header(cells: list[str], separator: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise RowError("E222", "the first line names no columns", hint="give each column a name")
    for other, name in _SEPARATORS.items():
        if len(names) == 1 and other != separator and other in names[0]:
            wanted = _SEPARATORS[separator]
            hint = f"save it with {wanted} between cells"
            raise RowError("E222", f"{name} stand between the cells, not {wanted}", hint=hint)
    for place, name in enumerate(names, 1):
        if not name:
            raise RowError("E222", f"column {place} has no name", hint="name it in the first line")
        if name in names[: place - 1]:
            raise RowError("E222", f"two columns are called `{name}`", hint="rename one of them")
    return names


def _row(header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        count = f"{len(cells)} cell" + ("" if len(cells) == 1 else "s")
        message = f"the row has {count}, the first line names {len(header)} columns"
        hint = 'a cell with a separator or a line end in it stands in quotes: "a, b"'
        raise RowError("E222", message, hint=hint)
    item: dict[str, Any] = dict(zip(header, cells, strict=True))
    messages = item.get("messages")
    if messages is not None:
        try:
            item["messages"] = DECODER.decode(messages)
        except (ValueError, RecursionError):
            hint = "write the list of messages as JSON, or name the column otherwise"
            raise RowError("E222", "the cell `messages` is not JSON", hint=hint) from None
    return item


def _explain(error: csv.Error) -> RowError:
    text = str(error)
    if "end of data" in text:
        return RowError("E222", "a quote is opened here and never closed", hint='close it with "')
    if "field larger" in text:
        return RowError("E222", "a quote is opened here and not closed for 16 MiB")
    if "expected after" in text:
        hint = 'a quote inside a quoted cell is written twice: "a ""b"" c"'
        return RowError("E222", "text follows a closing quote", hint=hint)
    return RowError("E222", f"this is not CSV: {text}")
