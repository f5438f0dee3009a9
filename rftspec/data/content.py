"""The bytes of a data file: regular files only, unpacked and hashed on the way, line by line."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from rftspec.data.row import MAX_LINE_BYTES, RowError
from rftspec.data.wheels import need

BLOCK = 1 << 20
PACKED = (".gz", ".zst")
"""Endings of compressed files; what stands before them names the format."""


def kind_of(path: Path) -> str:
    """The ending that names the format, in small letters: `.csv` for `rows.CSV.gz`."""
    name = path.name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return Path(name).suffix


def refuse_irregular(path: Path) -> None:
    """Raise RowError for a folder, a pipe or a device: opening one may wait for ever."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise RowError("E202", f"`{path}` is a folder, not a file", hint="name the file in it")
    if not stat.S_ISREG(mode):
        hint = "pipes and devices are not read"
        raise RowError("E202", f"`{path}` is not a regular file", hint=hint)


class Stream(Protocol):
    """What is read from: as much of a file as a read gives."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@contextmanager
def open_data(path: Path, digest: Any = None) -> Iterator[Stream]:
    """A data file's content, unpacked; `digest` is fed the file's own bytes to the last one."""
    refuse_irregular(path)
    with path.open("rb") as file:
        source: BinaryIO = file
        if digest is not None:
            source = cast(BinaryIO, io.BufferedReader(_Hashing(file, digest), BLOCK))
        with _unpacked(source, path) as content:
            yield content
            if digest is not None:
                while source.read(BLOCK):
                    pass


@contextmanager
def _unpacked(source: BinaryIO, path: Path) -> Iterator[Stream]:
    ending = path.suffix.lower()
    if ending == ".gz":
        with gzip.GzipFile(fileobj=source, mode="rb") as content:
            yield content
    elif ending == ".zst":
        # Of the readers of zstd, this one tells a file that was cut off from one that ends.
        arrow = need("pyarrow", "a file compressed by zstd")
        with arrow.CompressedInputStream(source, "zstd") as content:
            yield content
    else:
        yield source


class _Hashing(io.RawIOBase):
    """A file that feeds a digest with all that is read from it."""

    def __init__(self, file: BinaryIO, digest: Any) -> None:
        self._file = file
        self._digest = digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._file.read(len(buffer))
        self._digest.update(block)
        buffer[: len(block)] = block
        return len(block)


def blocks_of(stream: Stream, path: Path) -> Iterator[bytes]:
    """The content in blocks. Raises RowError where a compressed file is damaged."""
    # A damaged file gives its good rows first: less is asked for at a time, or what there is.
    is_packed = path.suffix.lower() in PACKED
    size = BLOCK // 16 if is_packed else BLOCK
    read = getattr(stream, "read1", stream.read) if is_packed else stream.read
    while True:
        try:
            block = read(size)
        except EOFError:
            message = "the compressed file is cut off: its end is missing"
            raise RowError("E221", message, hint=_AGAIN) from None
        except (zlib.error, OSError) as error:
            if not is_packed or isinstance(getattr(error, "errno", None), int):
                raise
            cut = "truncated" in str(error).lower()
            what = "is cut off: its end is missing" if cut else f"is damaged: {_short(error)}"
            raise RowError("E221", f"the compressed file {what}", hint=_AGAIN) from None
        if not block:
            return
        yield block


_AGAIN = "copy or compress the file again"


def _short(error: Exception) -> str:
    return str(error).split("\n")[0][:120]


def lines_of(stream: Stream, path: Path) -> Iterator[bytes]:
    """The lines without their line feeds; a line that is far too long is the last one given."""
    rest = b""
    for block in blocks_of(stream, path):
        lines = block.split(b"\n")
        lines[0] = rest + lines[0]
        rest = lines.pop()
        yield from lines
        if len(rest) > MAX_LINE_BYTES:
            yield rest
            return
    if rest:
        yield rest
