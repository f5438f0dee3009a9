"""Samples posted to a service that scores them, through `httpx`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from rftspec.graders.remote.keys import Redactor
from rftspec.graders.remote.loop import Closed, LoopThread
from rftspec.graders.remote.retry import Caller, Failure, TryAgain, retry_after
from rftspec.graders.remote.settings import Limits
from rftspec.graders.remote.usage import Meter
from rftspec.graders.score import ErrorKind, Score

MAX_BYTES = 1 << 20
_SHOWN_BYTES = 4096
"""Of the body of an error; the rest is not read."""
_PASSING = frozenset({408, 425, 429})
_DOWN: ErrorKind = "unresponsive_reward_error"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One sample as it is sent: the body, and the id that is the same whenever it is sent."""

    trace_id: str
    body: bytes


class Post:
    """Sends to one address from a thread of its own; any number of threads may wait for it."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        limits: Limits,
        meter: Meter,
        redactor: Redactor,
    ) -> None:
        self._url = url
        self._redactor = redactor
        self._caller = Caller(limits, _DOWN, meter)
        self._client = httpx.AsyncClient(
            headers={
                **headers,
                "content-type": "application/json",
                "accept": "application/json",
                "accept-encoding": "identity",
            },
            timeout=limits.timeout_s,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=limits.concurrency),
        )
        self._thread = LoopThread("endpoint")

    def send(self, parcels: Sequence[Parcel]) -> list[Score]:
        """What the service answers to each, in their order; the value is not yet checked."""
        scores: dict[int, Score] = {}
        try:
            self._thread.run(self._send_all(parcels, scores))
        except Closed as error:
            lost = Score(None, _DOWN, str(error))
            return [scores.get(index, lost) for index in range(len(parcels))]
        return [scores[index] for index in range(len(parcels))]

    def close(self) -> None:
        """Cancel what is being sent, and close the connections."""
        self._thread.close(self._client.aclose())

    async def _send_all(self, parcels: Sequence[Parcel], scores: dict[int, Score]) -> None:
        tasks: list[asyncio.Task[None]] = []
        try:
            for index, parcel in enumerate(parcels):
                await self._caller.slots.acquire()
                task = asyncio.create_task(self._send(index, parcel, scores))
                # in a callback, for a task may be cancelled before it begins
                task.add_done_callback(self._ended)
                tasks.append(task)
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._caller.slots.release()

    async def _send(self, index: int, parcel: Parcel, scores: dict[int, Score]) -> None:
        began = time.monotonic()
        try:
            value = await self._caller.call(parcel.trace_id, partial(self._once, parcel))
        except Failure as failure:
            seconds = time.monotonic() - began
            scores[index] = Score(None, failure.kind, failure.detail, seconds=seconds)
        else:
            scores[index] = Score(value, seconds=time.monotonic() - began)

    async def _once(self, parcel: Parcel) -> float:
        try:
            async with self._client.stream("POST", self._url, content=parcel.body) as response:
                body = await self._read(response)
        except httpx.HTTPError as error:
            said = f"no answer: {type(error).__name__} {error}"
            raise TryAgain(self._redactor.detail(said)) from None
        return self._score(body)

    async def _read(self, response: httpx.Response) -> bytes:
        """The body of a good answer. Raises Failure, or TryAgain for what may pass."""
        parts, size, good = [], 0, response.status_code == 200
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if not good and size > _SHOWN_BYTES:
                break
            if size > MAX_BYTES:
                raise Failure("other_error", f"the answer is over {MAX_BYTES:,} bytes")
            parts.append(chunk)
        status, body = response.status_code, b"".join(parts)
        if good:
            return body
        shown = body[:_SHOWN_BYTES].decode("utf-8", "replace")
        detail = self._redactor.detail(f"HTTP {status}: {shown}".rstrip(": "))
        if status >= 500 or status in _PASSING:
            raise TryAgain(detail, retry_after(response.headers.get("retry-after")))
        if response.is_redirect:
            detail = f"HTTP {status}: redirects are not followed"
        raise Failure("other_error", detail)

    def _score(self, body: bytes) -> float:
        try:
            found = json.loads(body)
            value = found["score"]
        except (ValueError, LookupError, TypeError, RecursionError):
            shown = body[:80].decode("utf-8", "replace")
            detail = self._redactor.detail(f'the answer is not {{"score": number}}: {shown}')
            raise Failure("other_error", detail) from None
        return number(value)


def number(value: Any) -> float:
    """A score as a float. Raises Failure for what is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Failure("other_error", "the `score` of the answer is not a number")
    try:
        found = float(value)
    except OverflowError:
        found = float("inf")
    if found - found != 0:  # NaN or an infinity
        raise Failure("other_error", "the `score` of the answer is not a finite number")
    return found
