"""What the pool and its workers say to each other: framed JSON, and the outcomes it carries."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any, Literal

OutcomeKind = Literal[
    "score",
    "compile_error",
    "runtime_error",
    "invalid_score",
    "timeout",
    "memory_error",
    "worker_killed",
    "server_error",
]
"""How one call ended; everything but `score` has no value."""

MAX_REPLY_BYTES = 1 << 20
MAX_REQUEST_BYTES = 256 << 20
MAX_DETAIL = 200
IDLE, COMPILING = -1, -2
"""What the shared page holds while no call runs: nothing, or a script that is being compiled."""
SCRIPT = "<grader>"
"""The file name that scripts are compiled under: never a path, for CPython opens it to quote."""

_HEADER = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a script is refused before it runs; line and column count from 1."""

    line: int
    column: int
    message: str
    hint: str | None = None
    """What to do in its place, where that is known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call of a grader ended: a finite value, or a kind of failure with its reason."""

    kind: OutcomeKind
    value: float | None = None
    detail: str | None = None
    """At most 200 characters, control characters escaped."""
    line: int | None = None
    """The line of the script that failed, from 1."""
    seconds: float | None = field(default=None, compare=False)
    """How long the call took on the wall, as its worker measured it (the parent, after a kill)."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a worker's lock-down, as the worker found it."""

    name: str
    active: bool
    note: str
    """What it holds when active, else why it is missing."""
    required: bool = False
    """Whether a Python grader refuses to run without it, unless the sandbox is `reduced`."""


class FrameError(Exception):
    """The other side broke the protocol, or is gone (`gone`)."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.gone = gone


class WorkerDied(Exception):
    """The worker is gone; `index` is the call that was running, or IDLE or COMPILING."""

    def __init__(
        self, index: int, *, timed_out: bool, reason: str, seconds: float | None = None
    ) -> None:
        super().__init__(reason)
        self.index = index
        self.timed_out = timed_out
        self.reason = reason
        self.seconds = seconds


def clean(text: str, limit: int = MAX_DETAIL) -> str:
    """Text of a stranger made fit for a terminal and a log: one printable, capped line."""
    out: list[str] = []
    for char in text[: limit + 1]:
        if char.isprintable() and not "\ud800" <= char <= "\udfff":
            out.append(char)
        else:
            out.append(_ESCAPES.get(char) or _escape(ord(char)))
    joined = "".join(out)
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(code: int) -> str:
    # not the unicode_escape codec: a locked-down worker could not import it
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def encode(message: Any) -> bytes:
    """One message as a frame: four bytes of length, then JSON in UTF-8 (lone surrogates as ?)."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    body = text.encode("utf-8", "replace")
    return _HEADER.pack(len(body)) + body


def decode(body: bytes) -> Any:
    """The message of a frame's body; refuses NaN and infinities. Raises FrameError."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"the frame is not JSON: {clean(str(error))}") from None


def body_length(header: bytes, limit: int) -> int:
    """The length that a frame's header announces. Raises FrameError beyond the limit."""
    length: int = _HEADER.unpack(header)[0]
    if length > limit:
        raise FrameError(f"a frame of {length} bytes is over the limit of {limit}")
    return length


def read_frame(fd: int, limit: int) -> Any:
    """The next message of a blocking descriptor. Raises FrameError, `gone` at its end."""
    header = _read_exactly(fd, _HEADER.size)
    return decode(_read_exactly(fd, body_length(header, limit)))


def write_all(fd: int, data: bytes) -> None:
    """Write everything to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _read_exactly(fd: int, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = os.read(fd, min(count, 1 << 20))
        if not part:
            raise FrameError("the other side closed its end", gone=True)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
