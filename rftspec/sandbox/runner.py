"""One call of a script in the worker: fresh globals, timers, and a result that is checked.

Two timers of the kernel count the process's own processor time, so that a busy machine does not
fail a healthy grader. The first raises TimeUp, which no script can catch, and again every 50 ms,
so that a `finally` cannot hide from it. The second has no handler: it ends the process, even in
the middle of a C loop that never looks at signals. The parent's kill on the wall clock is last.
"""

from __future__ import annotations

import math
import signal
import time
import traceback
from types import CodeType, FrameType
from typing import Any

from rftspec.sandbox.guards import BUILTINS, GUARDS, Exhausted
from rftspec.sandbox.protocol import MAX_DETAIL, SCRIPT, OutcomeKind, Problem, clean
from rftspec.sandbox.rendering import without_addresses

MAX_INTEGER = 2**53
REFIRE_S = 0.05
SLACK_S = 0.02
"""What a call may take past its limit because it shares its timers with the one before."""
HARD_GRACE_S = 0.5
"""Processor time that a call may take past its limit before the kernel ends the process."""

_NAMESPACE: dict[str, Any] = {"__builtins__": BUILTINS, "__name__": "grader", **GUARDS}

Reply = list[Any]
"""One call's outcome on the wire: kind, value, detail, line, seconds."""


class TimeUp(BaseException):
    """The soft time limit; a BaseException that a script cannot name."""


class Clock:
    """The timers around calls; `expired` stays true once the soft limit of a call was hit.

    Short calls share timers: one that began within SLACK_S of the last arming keeps them, so that
    a batch costs few system calls. No call gets less than its time, and none SLACK_S more.
    """

    def __init__(self) -> None:
        self._armed = False
        self._armed_at = 0.0
        self._armed_for = 0.0
        self.expired = False
        signal.signal(signal.SIGPROF, self._on_soft_limit)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

    def arm(self, timeout_s: float, now: float) -> None:
        """Start both timers for a call that begins now (on the monotonic clock)."""
        self.expired = False
        if timeout_s != self._armed_for or now - self._armed_at > SLACK_S:
            self._armed_at, self._armed_for = now, timeout_s
            whole = timeout_s + SLACK_S
            signal.setitimer(signal.ITIMER_VIRTUAL, whole + HARD_GRACE_S)
            signal.setitimer(signal.ITIMER_PROF, whole, REFIRE_S)
        self._armed = True

    def disarm(self) -> None:
        """The call is over: a signal that comes now finds nothing armed."""
        self._armed = False
        if self.expired:
            self._armed_for = 0.0

    def stop(self) -> None:
        """Stop both timers, at the end of a batch."""
        self._armed = False
        self._armed_for = 0.0
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _on_soft_limit(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self.expired = True
            raise TimeUp


class Runner:
    """Runs compiled scripts, one call at a time."""

    def __init__(self) -> None:
        self._clock = Clock()

    def run(self, code: CodeType, sample: Any, item: Any, timeout_s: float) -> Reply:
        """The outcome of `grade(sample, item)` in a module made anew."""
        started = time.monotonic()
        try:
            reply = self._timed(code, sample, item, timeout_s, started)
        except TimeUp:
            # fired between the call's end and the disarming
            self._disarm_for_sure()
            reply = _timeout_reply(timeout_s, None)
        if self._clock.expired and reply[0] != "timeout":
            reply = _timeout_reply(timeout_s, reply[3])
        reply.append(time.monotonic() - started)
        return reply

    def end_batch(self) -> None:
        """Stop the timers, which short calls share."""
        self._clock.stop()

    def _timed(self, code: CodeType, sample: Any, item: Any, timeout_s: float, now: float) -> Reply:
        namespace = _NAMESPACE.copy()
        self._clock.arm(timeout_s, now)
        try:
            exec(code, namespace)  # what this process is for
            return _checked(namespace["grade"](sample, item))
        except TimeUp as error:
            return _timeout_reply(timeout_s, _line_of(error))
        except BaseException as error:
            return _failure(error)
        finally:
            self._clock.disarm()

    def _disarm_for_sure(self) -> None:
        while True:
            try:
                self._clock.disarm()
            except TimeUp:
                continue
            return


def _timeout_reply(timeout_s: float, line: int | None) -> Reply:
    return ["timeout", None, f"over its {timeout_s:g} s of processor time", line]


def compile_reply(problems: list[Problem]) -> Reply:
    """The outcome of every call of a script that does not compile."""
    first = problems[0]
    return ["compile_error", None, first.message, first.line, 0.0]


def _checked(result: Any) -> Reply:
    """The result as a score: a finite float, int or bool of exactly these types."""
    kind = type(result)
    if kind is float or kind is int or kind is bool:
        if kind is int and abs(result) > MAX_INTEGER:
            return ["invalid_score", None, "an integer beyond 2**53 is not a score", None]
        value = float(result)
        if math.isfinite(value):
            return ["score", value + 0.0, None, None]  # -0.0 + 0.0 is 0.0
        return ["invalid_score", None, f"{value} is not a score: return a finite number", None]
    name = "None (no return?)" if result is None else f"a value of type {kind.__name__}"
    return ["invalid_score", None, clean(f"`grade` returned {name}; return a number"), None]


def _failure(error: BaseException) -> Reply:
    """The outcome of a call that raised."""
    cause = error.args[0] if type(error) is Exhausted else error
    kind: OutcomeKind = "memory_error" if isinstance(cause, MemoryError) else "runtime_error"
    return [kind, None, _told(cause), _line_of(error) or _line_of(cause)]


def _told(error: BaseException) -> str:
    """The exception's name and message, capped before and after it is rendered."""
    name = type(error).__name__
    first = error.args[0] if error.args else ""
    if type(first) is str and not isinstance(error, KeyError):
        message = first[: MAX_DETAIL + 1]
    elif type(first) in (str, int, float, bool, type(None)):
        message = repr(first if type(first) is not str else first[:MAX_DETAIL])
    else:
        message = f"(a value of type {type(first).__name__})"
    if name == "LimitExceeded":
        return clean(f"over a limit: {message}")
    return clean(without_addresses(f"{name}: {message}") if message else name)


def _line_of(error: BaseException) -> int | None:
    """The line of the script that was running when the error was raised."""
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == SCRIPT:
            line = number
    return line
