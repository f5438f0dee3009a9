"""JSONL: one strict JSON object in every line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rftspec.data.content import Stream, lines_of
from rftspec.data.row import Reader, RowError
from rftspec.data.strict_json import ARRAY_HINT, Parse, fast_parser, parse_row

BOM = b"\xef\xbb\xbf"
MANY_BYTES = 4 << 20
"""From here on the fast parser's import has paid for itself."""


def read_jsonl(stream: Stream, path: Path) -> Reader:
    """Every row; a bad line is told and passed over. Empty lines at the end are allowed."""
    parse: Parse = fast_parser() if path.stat().st_size > MANY_BYTES else parse_row
    for number, raw in raw_rows(stream, path):
        if isinstance(raw, RowError):
            yield number, raw, b""
            continue
        try:
            yield number, parse(raw), b""
        except RowError as error:
            yield number, error, raw


def raw_rows(stream: Stream, path: Path) -> Iterator[tuple[int, bytes | RowError]]:
    """The text of every row with its line, not yet read; what is wrong about the lines as such."""
    blank: int | None = None
    for number, raw in _first_checked(lines_of(stream, path), path):
        if isinstance(raw, RowError):
            yield number, raw
            return
        if not raw or raw.isspace():
            blank = blank or number
            continue
        if blank is not None:
            yield blank, RowError("E203", "an empty line between rows", hint="delete it")
            blank = None
        yield number, raw


def _first_checked(lines: Iterator[bytes], path: Path) -> Iterator[tuple[int, bytes | RowError]]:
    """The lines with their numbers; a first line that no JSONL file has is an error."""
    for first in lines:
        problem = not_text(first, path) or _not_jsonl(first)
        yield 1, problem or first.removeprefix(BOM)
        break
    yield from enumerate(lines, 2)


def not_text(first: bytes, path: Path) -> RowError | None:
    """Files that are no text in UTF-8, recognised by how they begin."""
    if first.startswith((b"\xff\xfe", b"\xfe\xff")) or first[1:2] == b"\x00":
        return RowError("E204", "the file is UTF-16, not UTF-8", hint="save it as UTF-8")
    for start, name, ending in (
        (b"\x1f\x8b", "compressed (gzip)", ".gz"),
        (b"\x28\xb5\x2f\xfd", "compressed (zstd)", ".zst"),
        (b"PAR1", "Parquet", ".parquet"),
    ):
        if first.startswith(start):
            whole = ".parquet" if ending == ".parquet" else path.suffix + ending
            hint = f"let its name say so: `{path.with_suffix(whole).name}`"
            return RowError("E204", f"the file is {name}", hint=hint)
    return None


def _not_jsonl(first: bytes) -> RowError | None:
    text = first.removeprefix(BOM)
    if text.strip() == b"[" or (text.lstrip().startswith(b"[{") and b"}" in text):
        hint = f"{ARRAY_HINT}; or let its name end in `.json`"
        return RowError("E203", "the file is a JSON array, not JSONL", hint=hint)
    return None
