"""Rows of a data file: the one door to every format, chosen by the file's name.

`.jsonl` (and any other ending), `.json`, `.csv`, `.tsv`, each also as `.gz` or `.zst`; `.parquet`;
and hub data sets, whose id begins with `hf:`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from rftspec.data.content import PACKED, kind_of, open_data, refuse_irregular
from rftspec.data.hub_id import is_hub
from rftspec.data.jsonl import read_jsonl
from rftspec.data.messages import check_messages, messages_of
from rftspec.data.row import Line, Reader, RowError
from rftspec.data.strict_json import parse_row
from rftspec.diagnostics import Diagnostic, DiagnosticError, Span

__all__ = [
    "Line",
    "RowError",
    "bad_line",
    "check_messages",
    "file_hash",
    "is_jsonl",
    "line_of",
    "messages_of",
    "parse_row",
    "read_rows",
    "scan_rows",
]
MAX_SHOWN = 20_000
"""Bytes of a line that a message may show a part of."""


def read_rows(
    path: Path, indices: Container[int] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with their index, from 0, in file order; `indices` picks some of them.

    Raises DiagnosticError at the first line that is no row.
    """
    for line in scan_rows(path):
        if line.error is not None or line.item is None:
            raise DiagnosticError([line.error] if line.error else [])
        if indices is None or line.index in indices:
            yield line.index, line.item


def scan_rows(path: Path, shown: str | None = None, digest: Any = None) -> Iterator[Line]:
    """Every row of a file with its line number; a bad line is told and passed over.

    `digest` (a hashlib object) is fed what `file_hash` hashes. Empty lines at the end are allowed.
    """
    name = shown if shown is not None else str(path)
    index = 0
    number = 1
    try:
        for number, value, raw in _read(path, digest):
            if isinstance(value, RowError):
                yield Line(index, number, None, _diagnose(value, name, number, raw))
                # An empty line is no row, and the one that follows keeps its place.
                index += not value.message.startswith("an empty line")
            else:
                yield Line(index, number, value)
                index += 1
    except RowError as error:
        yield Line(index, number, None, _diagnose(error, name, number, b""))


def is_jsonl(path: Path) -> bool:
    """Whether a file is read as JSONL, by its name."""
    return not is_hub(path) and kind_of(path) not in (".parquet", ".json", ".csv", ".tsv")


def line_of(number: int, raw: bytes, shown: str) -> Line:
    """One row from its text; its index among the rows is not known here, and is 0."""
    try:
        return Line(0, number, parse_row(raw))
    except RowError as error:
        return bad_line(number, error, shown, raw)


def bad_line(number: int, error: RowError, shown: str, raw: bytes = b"") -> Line:
    """A line that is no row."""
    return Line(0, number, None, _diagnose(error, shown, number, raw))


def _read(path: Path, digest: Any) -> Reader:
    if is_hub(path):
        from rftspec.data.hub import hashed_hub, read_hub

        yield from read_hub(path) if digest is None else hashed_hub(path, digest)
        return
    kind = kind_of(path)
    if kind == ".parquet":
        yield from _read_parquet(path, digest)
        return
    with open_data(path, digest) as stream:
        if kind == ".json":
            from rftspec.data.json_array import read_json

            yield from read_json(stream, path)
        elif kind in (".csv", ".tsv"):
            from rftspec.data.table import read_table

            yield from read_table(stream, path, "," if kind == ".csv" else "\t")
        else:
            yield from read_jsonl(stream, path)


def _read_parquet(path: Path, digest: Any) -> Reader:
    """Parquet is read here and there in the file, so its bytes are hashed apart."""
    from rftspec.data.parquet import read_parquet

    refuse_irregular(path)
    if path.suffix.lower() in PACKED:
        hint = "Parquet is compressed inside: unpack the file and name that"
        raise RowError("E204", "a compressed Parquet file", hint=hint)
    if digest is not None:
        with open_data(path, digest):
            pass
    yield from read_parquet(path)


def file_hash(path: Path) -> str:
    """SHA-256 in hex: of a file's bytes as they lie there, of a hub data set's commit and rows.

    Raises DiagnosticError where a hub data set is not to be had.
    """
    if is_hub(path):
        digest = hashlib.sha256()
        for line in scan_rows(path, digest=digest):
            if line.error is not None:
                raise DiagnosticError([line.error])
        return digest.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _diagnose(error: RowError, name: str, number: int, raw: bytes) -> Diagnostic:
    text = raw[:MAX_SHOWN].decode("utf-8", "replace").rstrip("\r\n")
    column = min(error.column, len(text) + 1)
    span = Span(name, number, column, number, column + 1)
    return Diagnostic(error.code, error.message, span, error.hint, snippet=text or None)
