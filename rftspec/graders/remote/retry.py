"""One call to a service, tried again with growing pauses: time-outs, rates, a dead server.

Pauses have a jitter that is a function of the question and the attempt, not of chance. A server
that did not answer through all attempts counts as down: until it answers again, one call every
`PROBE_S` seconds tries it once, and the others fail at once instead of waiting in line.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import TypeVar

from rftspec.graders.remote.settings import Limits
from rftspec.graders.remote.usage import Meter
from rftspec.graders.score import INFRASTRUCTURE, ErrorKind

T = TypeVar("T")
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 20.0
LONGEST_RETRY_AFTER_S = 60.0
PROBE_S = 5.0


class Failure(Exception):
    """A question that has no answer, as a score says it."""

    def __init__(self, kind: ErrorKind, detail: str) -> None:
        super().__init__(detail)
        self.kind: ErrorKind = kind
        self.detail = detail


class TryAgain(Exception):
    """An attempt failed in a way that may pass; `after` is the pause that the server asks for."""

    def __init__(self, detail: str, after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.after = after


class Caller:
    """Calls of one service; all of them share its rate, its pauses and whether it is down."""

    def __init__(self, limits: Limits, down: ErrorKind, meter: Meter) -> None:
        self.limits = limits
        self.slots = asyncio.Semaphore(limits.concurrency)
        self._down_kind: ErrorKind = down
        self._meter = meter
        self._not_before = 0.0
        self._next_slot = 0.0
        self._down: str | None = None
        self._probe_at = 0.0
        self._alive_at = 0.0

    async def call(self, name: str, once: Callable[[], Awaitable[T]]) -> T:
        """The result of `once`, tried anew while it raises TryAgain. Raises Failure."""
        began = time.monotonic()
        attempts = self._attempts(began)
        for attempt in range(attempts):
            try:
                result = await self._attempt(once)
            except TryAgain as error:
                reason = error
            except Failure as failure:
                if failure.kind not in INFRASTRUCTURE:
                    self._answered()
                raise
            else:
                self._answered()
                return result
            if attempt + 1 < attempts:
                self._meter.add(retries=1)
                await asyncio.sleep(self._pause(name, attempt, reason))
        detail = reason.detail if attempts == 1 else f"{reason.detail} ({attempts} attempts)"
        if self._alive_at < began:
            self._down = reason.detail
            self._probe_at = time.monotonic() + PROBE_S
        raise Failure(self._down_kind, detail)

    def _attempts(self, now: float) -> int:
        if self._down is None:
            return 1 + self.limits.retries
        if now < self._probe_at:
            raise Failure(self._down_kind, f"not asked, because it is down: {self._down}")
        self._probe_at = now + PROBE_S
        return 1

    def _answered(self) -> None:
        self._alive_at = time.monotonic()
        self._down = None

    async def _attempt(self, once: Callable[[], Awaitable[T]]) -> T:
        await self._turn()
        self._meter.add(calls=1)
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                return await once()
        except TimeoutError:
            raise TryAgain(f"no answer within {self.limits.timeout_s:g} s") from None

    async def _turn(self) -> None:
        """Wait for the service's own pause, and for a place in its rate."""
        while (wait := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        if self.limits.rate is not None:
            now = time.monotonic()
            start = max(now, self._next_slot)
            self._next_slot = start + 1 / self.limits.rate
            await asyncio.sleep(start - now)

    def _pause(self, name: str, attempt: int, reason: TryAgain) -> float:
        if reason.after is not None:
            after = min(reason.after, LONGEST_RETRY_AFTER_S)
            self._not_before = max(self._not_before, time.monotonic() + after)
            return after
        return pause(name, attempt)


def pause(name: str, attempt: int) -> float:
    """Seconds before the next attempt: doubled each time, of which a half to all by jitter."""
    digest = blake2b(f"{name}|{attempt}".encode(), digest_size=8).digest()
    share = 0.5 + int.from_bytes(digest, "little") / 2**65
    return min(FIRST_PAUSE_S * 2.0**attempt, LONGEST_PAUSE_S) * share


def retry_after(value: str | None) -> float | None:
    """The seconds that a Retry-After header asks for: a number, or a date; None without one."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value)
    return seconds if 0 <= seconds < float("inf") else None


def _until(date: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
