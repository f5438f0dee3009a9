"""One call of a script in the worker: fresh globals, timers, and a result that is checked.

Two timers of the kernel count the process's own processor time, so that a busy machine does not
fail a healthy grader. The first raises TimeUp, which no script can catch, and again every 50 ms,
so that a `finally` cannot hide from it. The second has no handler: it ends the process, even in
the middle of a C loop that never looks at signals. The parent's kill on the wall clock is last.
"""

from __future__ import annotations

import math
import signal
import traceback
from types import CodeType, FrameType
from typing import Any

from rftspec.sandbox.guards import BUILTINS, GUARDS, Exhausted
from rftspec.sandbox.protocol import MAX_DETAIL, SCRIPT, OutcomeKind, Problem, clean

MAX_INTEGER = 2**53
REFIRE_S = 0.05
HARD_GRACE_S = 0.5
"""Processor time that a call may take past its limit before the kernel ends the process."""

Reply = list[Any]
"""One call's outcome on the wire: kind, value, detail, line."""


class TimeUp(BaseException):
    """The soft time limit; a BaseException that a script cannot name."""


class Clock:
    """The timers around one call; `expired` stays true once the soft limit was hit."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout = timeout_s
        self._armed = False
        self.expired = False
        signal.signal(signal.SIGPROF, self._on_soft_limit)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

    def arm(self) -> None:
        """Start both timers."""
        self.expired = False
        self._armed = True
        signal.setitimer(signal.ITIMER_VIRTUAL, self._timeout + HARD_GRACE_S)
        signal.setitimer(signal.ITIMER_PROF, self._timeout, REFIRE_S)

    def disarm(self) -> None:
        """Stop both timers; a signal that is still under way finds nothing armed."""
        self._armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _on_soft_limit(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self.expired = True
            raise TimeUp


class Runner:
    """Runs compiled scripts, one call at a time."""

    def __init__(self, timeout_s: float) -> None:
        self._clock = Clock(timeout_s)
        self._timeout = timeout_s

    def run(self, code: CodeType, sample: Any, item: Any) -> Reply:
        """The outcome of `grade(sample, item)` in a module made anew."""
        try:
            reply = self._timed(code, sample, item)
        except TimeUp:
            # fired between the call's end and the disarming
            self._disarm_for_sure()
            reply = self._timeout_reply(None)
        if self._clock.expired and reply[0] != "timeout":
            return self._timeout_reply(reply[3])
        return reply

    def _timed(self, code: CodeType, sample: Any, item: Any) -> Reply:
        self._clock.arm()
        try:
            namespace: dict[str, Any] = {"__builtins__": BUILTINS, "__name__": "grader", **GUARDS}
            exec(code, namespace)  # what this process is for
            return _checked(namespace["grade"](sample, item))
        except TimeUp as error:
            return self._timeout_reply(_line_of(error))
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

    def _timeout_reply(self, line: int | None) -> Reply:
        return ["timeout", None, f"over its {self._timeout:g} s of processor time", line]


def compile_reply(problems: list[Problem]) -> Reply:
    """The outcome of every call of a script that does not compile."""
    first = problems[0]
    return ["compile_error", None, first.message, first.line]


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
    return clean(f"{name}: {message}" if message else name)


def _line_of(error: BaseException) -> int | None:
    """The line of the script that was running when the error was raised."""
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == SCRIPT:
            line = number
    return line
