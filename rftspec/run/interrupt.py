"""Ctrl-C and SIGTERM: the first one asks the run to stop where it is safe, the second stops it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A signal asked the run to stop, and the unit of work at hand can be dropped."""


class Interrupt:
    """Catches the signals while it is open; `asked` is true once one has come."""

    def __init__(self, told: Callable[[], None] | None = None) -> None:
        self.asked = False
        self._told = told
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def check(self) -> None:
        """Raise Interrupted when a signal has come: for work that is done again on a resume."""
        if self.asked:
            raise Interrupted

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()  # the next signal does what it always did: stop now
        if self._told is not None:
            self._told()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
