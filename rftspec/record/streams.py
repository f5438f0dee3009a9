"""Append-only JSON Lines files: written whole lines at a time, read whatever happened to them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rftspec.record.errors import from_os_error


def encode_line(value: Mapping[str, Any]) -> bytes:
    """One JSON object as one line; the same object gives the same bytes everywhere."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:  # a lone surrogate in a model's output: escaped, it survives
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


class StreamWriter:
    """Appends lines to one file; a write that fails leaves no part of a line behind."""

    def __init__(self, path: Path, *, keep: int | None = None) -> None:
        """Open for appending; with `keep`, drop everything after that many bytes first."""
        self.path = path
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            if keep is not None:
                os.ftruncate(self._fd, keep)
            self.offset = os.lseek(self._fd, 0, os.SEEK_END)
        except OSError as error:
            raise from_os_error(error, path) from error

    def append(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Write the objects as lines, all of them or none; raises RecordError."""
        data = b"".join(encode_line(value) for value in values)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            self.truncate(self.offset)
            raise from_os_error(error, self.path) from error
        self.offset += len(data)

    def truncate(self, offset: int) -> None:
        """Drop everything after `offset` bytes."""
        os.ftruncate(self._fd, offset)
        os.lseek(self._fd, offset, os.SEEK_SET)
        self.offset = offset

    def sync(self) -> None:
        """Have the operating system put it on the disk."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise from_os_error(error, self.path) from error

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class StreamReader:
    """Reads one stream; lines that are torn or damaged are skipped and counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._damaged: set[int] = set()

    @property
    def damaged(self) -> int:
        """How many lines could not be read so far, each counted once."""
        return len(self._damaged)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The objects in order; nothing when the file is missing."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise from_os_error(error, self.path) from error
        with file:
            for number, line in enumerate(file):
                value = _decode(line)
                if value is None:
                    self._damaged.add(number)
                else:
                    yield value


def _decode(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):  # the writer was killed in the middle, or is still writing
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
