"""One worker process as the parent sees it: start, ask, notice its death, kill."""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rftspec.sandbox.offers import PACKAGES
from rftspec.sandbox.protocol import (
    IDLE,
    MAX_REPLY_BYTES,
    FrameError,
    Layer,
    WorkerDied,
    body_length,
    decode,
    encode,
)

START_S = 30.0
WALL_FACTOR = 5
WALL_SLACK_S = 30.0
"""A call may take five times its processor time and this on the wall: the machine may be busy."""
COMPILE_S = 10.0
"""What compiling a script may take, before the factor and the slack: it has no other timer."""
POLL_S = 0.25
_INDEX = struct.Struct("<q")
_HEADER_SIZE = 4
_BOOTSTRAP = (
    "import json, sys; sys.path.extend(json.loads(sys.argv[1])); "
    "from rftspec.sandbox.worker import main; main(sys.argv[2:])"
)


class Process:
    """A started worker; not for two threads at once."""

    def __init__(self, *, memory_mb: int, modules: frozenset[str] = frozenset()) -> None:
        self.calls = 0
        self.modules = modules
        self._heard = time.monotonic()
        self.owner = os.getpid()
        theirs_in, self._requests = os.pipe()
        self._replies, theirs_out = os.pipe()
        shared = _shared_page()
        self._progress = mmap.mmap(shared, mmap.PAGESIZE)
        fds = (theirs_in, theirs_out, shared)
        arguments = [*map(str, fds), str(memory_mb), " ".join(sorted(modules))]
        try:
            self._popen = _start(arguments, fds)
        except OSError:
            _close(self._requests, self._replies)
            raise
        finally:
            _close(*fds)
        os.set_blocking(self._requests, False)
        os.set_blocking(self._replies, False)
        self._finalizer = weakref.finalize(
            self, _end, self._popen, self._requests, self._replies, self._progress
        )
        self._mark(IDLE)
        self._layers: tuple[Layer, ...] | None = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that the worker found; waits until it is ready. Raises WorkerDied."""
        if self._layers is None:
            self._layers = tuple(Layer(*layer) for layer in self._frame("hello", START_S))
        return self._layers

    def ask(self, request: dict[str, Any]) -> list[Any]:
        """Send a request and give the one list that answers it. Raises WorkerDied."""
        return self._frame(self._send(request), _wall(COMPILE_S))

    def ask_many(self, request: dict[str, Any], count: int) -> Iterator[list[Any]]:
        """Send a request; yields the lists of its answer until `count` items came.

        Raises WorkerDied when the worker ended, broke the protocol, or had to be killed.
        """
        nonce, limit = self._send(request), _wall(request["timeout_s"] + COMPILE_S)
        while count > 0:
            out = self._frame(nonce, limit)
            self._heard = time.monotonic()
            if not 0 < len(out) <= count:
                raise self._died(broken="its reply has not the length of the request")
            count -= len(out)
            yield out

    def close(self) -> None:
        """End the worker; it is killed at once, for it holds nothing worth keeping."""
        self._finalizer()

    def _send(self, request: dict[str, Any]) -> str:
        nonce = os.urandom(16).hex()
        self._mark(IDLE)
        data = encode({"nonce": nonce, **request})
        self._heard = time.monotonic()
        try:
            self._write(data)
        except OSError:
            raise self._died() from None
        return nonce

    def _frame(self, nonce: str, limit: float) -> list[Any]:
        message = self._read(limit)
        out = message.get("out") if isinstance(message, dict) else None
        if not isinstance(out, list) or message.get("nonce") != nonce:
            raise self._died(broken="its reply does not answer the request")
        return out

    def _read(self, limit: float) -> Any:
        try:
            header = self._receive(_HEADER_SIZE, limit)
            return decode(self._receive(body_length(header, MAX_REPLY_BYTES), limit))
        except FrameError as error:
            raise self._died(broken=None if error.gone else str(error)) from None

    def _receive(self, count: int, limit: float) -> bytes:
        parts: list[bytes] = []
        while count:
            self._wait(self._replies, select.POLLIN, limit)
            part = os.read(self._replies, count)
            if not part:
                raise FrameError("closed", gone=True)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._requests, select.POLLOUT, _wall(COMPILE_S))
            view = view[os.write(self._requests, view) :]

    def _wait(self, fd: int, event: int, limit: float) -> None:
        """Wait for a descriptor; kill the worker when one call makes no progress for `limit`."""
        poller = select.poll()
        poller.register(fd, event)
        index, since = self._index(), time.monotonic()
        while not poller.poll(POLL_S * 1000):
            now, current = time.monotonic(), self._index()
            if current != index:
                index, since = current, now
            elif now - since > limit:
                raise self._died(stuck=True)

    def _died(self, *, stuck: bool = False, broken: str | None = None) -> WorkerDied:
        """Kill and reap the worker, and say which call it died in and why."""
        index = self._index()
        if stuck or broken is not None:
            _kill(self._popen)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(1.0)
        code = self._popen.poll()
        self.close()
        timed_out = stuck or code == -signal.SIGVTALRM
        reason = broken or ("it ran past its time" if timed_out else _reason(code))
        seconds = time.monotonic() - self._heard
        return WorkerDied(index, timed_out=timed_out, reason=reason, seconds=seconds)

    def _mark(self, index: int) -> None:
        _INDEX.pack_into(self._progress, 0, index)

    def _index(self) -> int:
        found: int = _INDEX.unpack_from(self._progress, 0)[0]
        return found


def _wall(seconds: float) -> float:
    return seconds * WALL_FACTOR + WALL_SLACK_S


def _shared_page() -> int:
    """A descriptor of one page of shared memory, which tells the call in progress."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("progress")
    else:
        import tempfile

        fd, path = tempfile.mkstemp()
        os.unlink(path)  # noqa: PTH108 - the path is gone before anything could want it as Path
    os.ftruncate(fd, mmap.PAGESIZE)
    return fd


def _start(arguments: list[str], fds: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """A fresh interpreter, without site, user or current folder on its path.

    Not `-I`: it ignores PYTHONHASHSEED, which makes the order of sets the same in every worker.
    """
    flags = ["-s", "-S", "-P", "-W", "ignore", "-X", "utf8"]
    command = [sys.executable, *flags, "-c", _BOOTSTRAP, json.dumps(_places()), *arguments]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PYTHONHASHSEED": "0", "TZ": "UTC"},
        cwd="/",
        start_new_session=True,
        pass_fds=fds,
    )


def _places() -> list[str]:
    """The folders that this package and the packages of a worker are imported from."""
    places = {str(Path(__file__).resolve().parents[2]): None}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            places[str(Path(spec.origin).resolve().parents[1])] = None
    return list(places)


def _reason(code: int | None) -> str:
    if code is None:
        return "it closed its pipe"
    if code >= 0:
        return f"it ended with code {code}"
    if code == -signal.SIGSYS:
        return "it asked the kernel for something forbidden"
    return f"it was ended by {signal.Signals(-code).name}"


def _close(*fds: int) -> None:
    for fd in fds:
        with suppress(OSError):
            os.close(fd)


def _kill(popen: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)


def _end(popen: subprocess.Popen[bytes], requests: int, replies: int, shared: mmap.mmap) -> None:
    _close(requests, replies)
    if popen.returncode is None:
        _kill(popen)
        with suppress(subprocess.TimeoutExpired):
            popen.wait(5.0)
    shared.close()
