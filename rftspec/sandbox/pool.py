"""The parent's side: a pool of persistent workers that grade batches and never raise a score.

The trainer is never forked, and no code of a script runs in it. A worker that dies takes only the
call it was running with it: that call is named, and its neighbours are run again.
"""

from __future__ import annotations

import math
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from rftspec.sandbox.offers import named_in
from rftspec.sandbox.protocol import (
    IDLE,
    Layer,
    Outcome,
    OutcomeKind,
    Problem,
    WorkerDied,
    clean,
    encode,
)

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from rftspec.sandbox.process import Process

SandboxMode = Literal["full", "reduced"]

TIMEOUT_S = 2.0
MEMORY_MB = 512
BATCH = 64
MAX_HINT = 400
CALLS_PER_WORKER = 25_000
"""A worker is replaced after this many calls, so that nothing can build up in it."""

_NOT_JSON = Outcome("runtime_error", detail="the sample or the item is not JSON")
_KINDS = frozenset(get_args(OutcomeKind))


class SandboxUnavailable(Exception):
    """The system lacks a layer that `sandbox="full"` requires; `missing` names them."""

    def __init__(self, missing: Sequence[Layer]) -> None:
        self.missing = tuple(missing)
        names = ", ".join(f"{layer.name} ({layer.note})" for layer in missing)
        super().__init__(f"this system cannot lock a Python grader in: missing {names}")


class Pool:
    """Workers for Python graders: started when first needed, kept until `close`.

    timeout_s: processor time of one call, where `grade` is not told another.
    memory_mb: address space of one worker.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        sandbox: SandboxMode = "full",
        timeout_s: float = TIMEOUT_S,
        memory_mb: int = MEMORY_MB,
    ) -> None:
        self._mode = sandbox
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._slots: queue.SimpleQueue[Process | None] = queue.SimpleQueue()
        self._workers = workers
        self._closed = False
        self._named: frozenset[str] = frozenset()
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        for _ in range(workers):
            self._slots.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def layers(self) -> tuple[Layer, ...]:
        """The layers of the lock-down, active or missing, as a started worker found them."""
        with self._worker(any_layers=True) as worker:
            return worker.layers

    def check(self, source: str) -> list[Problem]:
        """Every reason why a script is refused; none when it compiles."""
        try:
            with self._worker(named_in(source)) as worker:
                found = worker.ask({"op": "check", "source": source})
        except WorkerDied as died:
            return [Problem(1, 1, f"the script cannot be compiled: {died.reason}")]
        return [_problem(*reported) for reported in found]

    def grade(
        self,
        source: str,
        calls: Sequence[tuple[Any, Any]],
        timeout_s: float | None = None,
    ) -> list[Outcome]:
        """The outcome of `grade(sample, item)` for each pair, in their order.

        timeout_s: processor time of each call, in seconds; None: the pool's own.
        """
        script = _Script(source, timeout_s or self._timeout_s, named_in(source))
        chunks = [calls[start : start + BATCH] for start in range(0, len(calls), BATCH)]
        if self._workers == 1 or len(chunks) <= 1:
            return [outcome for chunk in chunks for outcome in self._grade_chunk(script, chunk)]
        graded = self._threads().map(lambda chunk: self._grade_chunk(script, chunk), chunks)
        return [outcome for chunk in graded for outcome in chunk]

    def close(self) -> None:
        """End the workers; the pool is not used again."""
        self._closed = True
        if self._executor is not None:
            self._executor.shutdown()
        for _ in range(self._workers):
            worker = self._slots.get()
            if worker is not None:
                worker.close()
            self._slots.put(None)

    def warm(self, *sources: str) -> None:
        """Start a worker without waiting for it, with the modules that these scripts name."""
        self._expect(named_in(" ".join(sources)))
        worker = self._slots.get()
        self._slots.put(self._spawn() if worker is None and not self._closed else worker)

    def _threads(self) -> ThreadPoolExecutor:
        # imported late, as `process` is: most commands never run a Python grader
        from concurrent.futures import ThreadPoolExecutor

        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._workers, "grader")
            return self._executor

    @contextmanager
    def _worker(
        self, named: frozenset[str] = frozenset(), *, any_layers: bool = False
    ) -> Iterator[Process]:
        """A worker of the pool, started if need be; replaced when it is worn or died."""
        self._expect(named)
        worker = self._slots.get()
        try:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if worker is not None and (self._is_worn(worker) or not named <= worker.modules):
                worker.close()
                worker = None
            if worker is None:
                worker = self._spawn()
            if not any_layers:
                self._require_layers(worker)
            yield worker
        except BaseException:
            # whatever happened, the state of this worker's pipe is not known any more
            if worker is not None:
                worker.close()
            worker = None
            raise
        finally:
            self._slots.put(worker)

    def _expect(self, named: frozenset[str]) -> None:
        """Every worker started from now on has these modules: several scripts share it."""
        if not named <= self._named:
            with self._lock:
                self._named |= named

    def _is_worn(self, worker: Process) -> bool:
        return worker.calls >= CALLS_PER_WORKER or worker.owner != os.getpid()

    def _spawn(self) -> Process:
        from rftspec.sandbox.process import Process

        try:
            return Process(memory_mb=self._memory_mb, modules=self._named)
        except OSError as error:
            reason = f"a worker cannot be started: {error.strerror}"
            raise WorkerDied(IDLE, timed_out=False, reason=reason) from None

    def _require_layers(self, worker: Process) -> None:
        missing = [layer for layer in worker.layers if layer.required and not layer.active]
        if self._mode == "full" and missing:
            raise SandboxUnavailable(missing)

    def _grade_chunk(self, script: _Script, calls: Sequence[tuple[Any, Any]]) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(calls)
        deaths_outside_calls = 0
        while pending := [i for i, outcome in enumerate(outcomes) if outcome is None]:
            done = 0
            try:
                for outcome in self._ask(script, [calls[i] for i in pending]):
                    outcomes[pending[done]] = outcome
                    done += 1
            except (ValueError, TypeError, RecursionError):
                # raised before anything was sent: some input is no JSON
                for i in pending:
                    outcomes[i] = None if _is_json(calls[i]) else _NOT_JSON
            except WorkerDied as died:
                if done <= died.index < len(pending):
                    outcomes[pending[died.index]] = _death(died)
                    continue
                deaths_outside_calls += 1
                if deaths_outside_calls > 1:
                    for i in pending[done:]:
                        outcomes[i] = _death(died)
        return [outcome for outcome in outcomes if outcome is not None]

    def _ask(self, script: _Script, calls: Sequence[tuple[Any, Any]]) -> Iterator[Outcome]:
        request = {
            "op": "grade",
            "source": script.source,
            "timeout_s": script.timeout_s,
            "calls": list(calls),
        }
        with self._worker(script.named) as worker:
            worker.calls += len(calls)
            for replies in worker.ask_many(request, len(calls)):
                for reply in replies:
                    outcome = _outcome(reply)
                    if outcome.kind == "memory_error":
                        worker.calls = CALLS_PER_WORKER
                    yield outcome


@dataclass(frozen=True, slots=True)
class _Script:
    """A script, and how it is to be run."""

    source: str
    timeout_s: float
    named: frozenset[str]
    """The modules that it needs beyond those of every worker."""


def _outcome(reply: Any) -> Outcome:
    """One call's outcome, every field checked again: the worker is not trusted either."""
    if not isinstance(reply, list) or len(reply) != 5 or reply[0] not in _KINDS:
        return Outcome("server_error", detail="the worker's reply makes no sense")
    kind, value, detail, line, took = reply
    seconds = float(took) if type(took) in (int, float) and took >= 0 else None
    if kind == "score":
        if type(value) in (int, float) and math.isfinite(value):
            return Outcome("score", float(value), seconds=seconds)
        return Outcome("invalid_score", detail="the worker's score is not a number")
    place = line if type(line) is int else None
    return Outcome(kind, None, clean(str(detail)), place, seconds)


def _problem(line: int, column: int, message: str, hint: str | None) -> Problem:
    return Problem(line, column, clean(message), None if hint is None else clean(hint, MAX_HINT))


def _is_json(call: tuple[Any, Any]) -> bool:
    try:
        encode(call)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def _death(died: WorkerDied) -> Outcome:
    kind: OutcomeKind = "timeout" if died.timed_out else "worker_killed"
    if died.index == IDLE:
        kind = "server_error"
    detail = clean(f"the worker was replaced: {died.reason}")
    return Outcome(kind, detail=detail, seconds=died.seconds)
