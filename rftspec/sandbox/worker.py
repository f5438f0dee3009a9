"""The worker process: imports what it needs, locks itself down, and grades until its pipe ends.

Started by the pool as a fresh interpreter with an empty environment: it never holds the memory,
the descriptors or the secrets of the trainer. It says hello with the layers that are active,
then answers one request at a time: `check` compiles a script, `grade` runs it on a batch.
"""

from __future__ import annotations

import gc
import mmap
import os
import struct
import sys
import time
from types import CodeType
from typing import Any

from rftspec.sandbox.advice import further_problems
from rftspec.sandbox.lockdown import lock_down
from rftspec.sandbox.offers import load
from rftspec.sandbox.policy import compile_script
from rftspec.sandbox.protocol import (
    COMPILING,
    MAX_REQUEST_BYTES,
    FrameError,
    Problem,
    encode,
    read_frame,
    write_all,
)
from rftspec.sandbox.runner import Reply, Runner, compile_reply

MAX_CACHED_SCRIPTS = 64
CRASHED = 70
FLUSH_S = 0.01
"""Outcomes wait at most about this long, so that little is run again after a kill."""
_INDEX = struct.Struct("<q")


class Worker:
    """Answers requests read from one descriptor on another."""

    def __init__(self, requests: int, replies: int, progress: mmap.mmap) -> None:
        self._requests = requests
        self._replies = replies
        self._progress = progress
        self._runner = Runner()
        self._compiled: dict[str, CodeType | list[Problem]] = {}

    def serve(self) -> None:
        """Answer until the parent closes its end."""
        while True:
            try:
                request = read_frame(self._requests, MAX_REQUEST_BYTES)
            except FrameError:
                return
            if request["op"] == "check":
                self._send(request["nonce"], self._check(request))
            else:
                self._grade(request)

    def say_hello(self, layers: list[list[Any]]) -> None:
        """The first frame: which layers hold, and which are missing and why."""
        self._send("hello", layers)

    def _send(self, nonce: str, out: list[Any]) -> None:
        write_all(self._replies, encode({"nonce": nonce, "out": out}))

    def _compile(self, source: str) -> CodeType | list[Problem]:
        found = self._compiled.get(source)
        if found is None:
            if len(self._compiled) >= MAX_CACHED_SCRIPTS:
                self._compiled.clear()
            found = self._compiled[source] = compile_script(source)
        return found

    def _check(self, request: dict[str, Any]) -> list[list[Any]]:
        _INDEX.pack_into(self._progress, 0, COMPILING)
        source = request["source"]
        compiled = self._compile(source)
        problems = compiled if isinstance(compiled, list) else further_problems(source)
        return [[p.line, p.column, p.message, p.hint] for p in problems]

    def _grade(self, request: dict[str, Any]) -> None:
        _INDEX.pack_into(self._progress, 0, COMPILING)
        compiled = self._compile(request["source"])
        nonce, calls, timeout_s = request["nonce"], request["calls"], request["timeout_s"]
        if isinstance(compiled, list):
            self._send(nonce, [compile_reply(compiled)] * len(calls))
            return
        out: list[Reply] = []
        sent_at = time.monotonic()
        for index, (sample, item) in enumerate(calls):
            _INDEX.pack_into(self._progress, 0, index)
            out.append(self._runner.run(compiled, sample, item, timeout_s))
            if time.monotonic() - sent_at > FLUSH_S:
                self._send(nonce, out)
                out, sent_at = [], time.monotonic()
        self._runner.end_batch()
        if out:
            self._send(nonce, out)


def main(arguments: list[str]) -> None:
    """Run a worker: its descriptors and limits come as plain numbers."""
    requests, replies, shared, memory_mb, modules = arguments
    progress = mmap.mmap(int(shared), mmap.PAGESIZE)
    os.close(int(shared))
    os.chdir("/")
    load(frozenset(modules.split()))
    # what cannot be raised is dropped: standard error is closed, writing to it would be forbidden
    sys.unraisablehook = lambda _told: None
    worker = Worker(int(requests), int(replies), progress)
    layers = lock_down(read_fd=int(requests), write_fd=int(replies), memory_mb=int(memory_mb))
    # what is there now stays: the collector need not look at it again
    gc.freeze()
    worker.say_hello([[layer.name, layer.active, layer.note, layer.required] for layer in layers])
    try:
        worker.serve()
    except BaseException:
        # no traceback: standard error is closed to this process
        os._exit(CRASHED)
    os._exit(0)
