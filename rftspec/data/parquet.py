"""Parquet, and the Arrow tables of hub data sets: rows of plain JSON values."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from rftspec.data.row import MAX_DEPTH, Reader, RowError
from rftspec.data.strict_json import has_lone_surrogate
from rftspec.data.wheels import need

BATCH_ROWS = 1024
_INT64 = 2**63
_TIMES = (datetime.date, datetime.time)


def read_parquet(path: Path) -> Reader:
    """Every row of a Parquet file, a batch at a time; its number is the row's."""
    parquet = need("pyarrow.parquet", "a Parquet file")
    arrow = need("pyarrow", "a Parquet file")
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _refuse_twins(names)
            for found in rows_of(file.iter_batches(batch_size=BATCH_ROWS)):
                number = found[0]
                yield found
    except RowError as error:
        yield 1, error, b""
    except (arrow.ArrowException, OSError) as error:
        if isinstance(getattr(error, "errno", None), int):
            raise
        message = f"the Parquet file is damaged: {_short(error)}"
        yield number + 1, RowError("E221", message, hint="write or copy the file again"), b""


def _refuse_twins(names: list[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise RowError("E225", f"two columns are called `{name}`", hint="rename one of them")


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())[:160]
    return "".join(character for character in text if character.isprintable())


def rows_of(batches: Iterable[Any]) -> Reader:
    """The rows of Arrow batches or tables as JSON values, numbered from 1."""
    number = 0
    for batch in batches:
        columns = [(name, batch.column(place)) for place, name in enumerate(batch.schema.names)]
        try:
            values = [(n, column.to_pylist(maps_as_pydicts="strict")) for n, column in columns]
        except KeyError as error:
            raise RowError("E225", f"a map has a key twice: {_short(error)}") from None
        for place in range(batch.num_rows):
            number += 1
            try:
                item = {name: plain(column[place], name) for name, column in values}
                yield number, item, b""
            except RowError as error:
                yield number, error, b""


def plain(value: Any, name: str, depth: int = 1) -> Any:
    """A column's value as JSON has it. Raises RowError where JSON has no such value.

    Dates and times become ISO 8601 text and decimals numbers; null stays null.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, name)
    if isinstance(value, int | float | Decimal):
        return _number(value, name)
    if depth > MAX_DEPTH:
        raise RowError("E225", f"`{name}` is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {key: plain(inner, f"{name}.{key}", depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, f"{name}[{i}]", depth + 1) for i, inner in enumerate(value)]
    if isinstance(value, _TIMES):
        return value.isoformat()
    what = "bytes" if isinstance(value, bytes) else f"a {type(value).__name__}"
    hint = "leave the column out, or make text or numbers of it"
    raise RowError("E225", f"`{name}` holds {what}, which no grader could read", hint=hint)


def _text(value: str, name: str) -> str:
    if not value.isascii() and has_lone_surrogate(value):
        raise RowError("E225", f"`{name}` holds half of a surrogate pair: no such character")
    return value


def _number(value: int | float | Decimal, name: str) -> int | float:
    if isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            raise RowError("E225", f"`{name}` = {value} does not fit in 64 bits")
        return value
    number = float(value)
    if not math.isfinite(number):
        hint = "a value that is not known is null"
        raise RowError("E225", f"`{name}` is {number}, which is no number", hint=hint)
    return number
