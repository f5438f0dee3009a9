"""Several processes that look at training rows, for files of many megabytes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from rftspec.data.row import RowError
from rftspec.spec.row_marks import Marks

BLOCK_ROWS = 1_000
MOST = 8
"""Processes: beyond these, the one that puts their answers together is the slowest."""
RawRow = tuple[int, bytes | RowError]
Looked = tuple[int, bytes | RowError, Marks | None]


class RowPool:
    """Processes that look at rows; a block goes to each in turn, answers come in file order."""

    def __init__(self, settings: dict[str, Any], size: int | None = None) -> None:
        self._workers: deque[subprocess.Popen[bytes]] = deque()
        told = pickle.dumps(settings, pickle.HIGHEST_PROTOCOL)
        for _ in range(min(size or cores(), MOST)):
            worker = _start()
            self._workers.append(worker)
            _send(worker, told)

    def __enter__(self) -> RowPool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()
            worker.communicate()

    def look(self, rows: Iterator[RawRow]) -> Iterator[Looked]:
        """Every row in its order, with its marks where a process found it to be in order."""
        asked: deque[tuple[subprocess.Popen[bytes], list[RawRow]]] = deque()
        for worker in self._workers:
            self._ask(worker, rows, asked)
        while asked:
            worker, block = asked.popleft()
            marks = _answer(worker, len(block))
            # The next block goes out before this one is looked through: no process waits.
            self._ask(worker, rows, asked)
            for (number, raw), mark in zip(block, marks, strict=True):
                yield number, raw, mark

    def _ask(
        self,
        worker: subprocess.Popen[bytes],
        rows: Iterator[RawRow],
        asked: deque[tuple[subprocess.Popen[bytes], list[RawRow]]],
    ) -> None:
        block = list(islice(rows, BLOCK_ROWS))
        if block:
            texts = [b"" if isinstance(raw, RowError) else raw for _, raw in block]
            _send(worker, pickle.dumps(texts, pickle.HIGHEST_PROTOCOL))
            asked.append((worker, block))


def _start() -> subprocess.Popen[bytes]:
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "rftspec.spec.row_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def _send(worker: subprocess.Popen[bytes], message: bytes) -> None:
    assert worker.stdin is not None
    # A process that has died gives no marks, and its rows are looked at here.
    with suppress(BrokenPipeError):
        worker.stdin.write(message)
        worker.stdin.flush()


def _answer(worker: subprocess.Popen[bytes], rows: int) -> list[Marks | None]:
    assert worker.stdout is not None
    try:
        marks: list[Marks | None] = pickle.load(worker.stdout)
    except (EOFError, pickle.UnpicklingError):
        return [None] * rows
    return marks


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
