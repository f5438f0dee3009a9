"""An event loop in a thread of its own: many calls at once for callers that block."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")
_JOIN_SECONDS = 5.0


class Closed(Exception):
    """The loop was closed while a caller waited, or before it asked."""


class LoopThread:
    """Runs coroutines for blocking callers in any thread; `close` ends whatever still runs."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine. Raises Closed when the loop is closed meanwhile."""
        try:
            loop = self._started()
        except Closed:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except CancelledError:
            raise Closed("it was closed while it waited for an answer") from None
        except BaseException:
            # Ctrl-C in the waiting thread: what runs on the loop is of no use any more
            future.cancel()
            raise

    def close(self, last: Coroutine[Any, Any, None] | None = None) -> None:
        """Cancel what runs, then run `last` (which gives back connections), then end the thread."""
        with self._lock:
            self._closed = True
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is None or thread is None:
            if last is not None:
                last.close()
            return
        asyncio.run_coroutine_threadsafe(_end(loop, last), loop)
        thread.join(_JOIN_SECONDS)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise Closed("it is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name=self._name, daemon=True
                )
                self._thread.start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _end(loop: asyncio.AbstractEventLoop, last: Coroutine[Any, Any, None] | None) -> None:
    running = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    try:
        if last is not None:
            with contextlib.suppress(Exception):  # nobody is left to be told
                await asyncio.wait_for(last, _JOIN_SECONDS / 2)
    finally:
        loop.call_soon(loop.stop)
