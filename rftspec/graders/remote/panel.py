"""A judge's questions, asked many at a time and in their order, for a caller that waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from rftspec.graders.remote.chat import ChatClient, Question, Ticket
from rftspec.graders.remote.loop import Closed, LoopThread
from rftspec.graders.remote.retry import Failure
from rftspec.graders.remote.settings import ChatSettings
from rftspec.graders.remote.usage import Meter
from rftspec.graders.remote.verdict import Verdict
from rftspec.graders.score import Score

Heard = Callable[[int, str, float], None]


class Panel:
    """Asks one endpoint from a thread of its own; any number of threads may wait for it."""

    def __init__(self, settings: ChatSettings, verdict: Verdict, meter: Meter) -> None:
        self._client = ChatClient(settings, verdict, meter)
        self._thread = LoopThread(f"judge {settings.model}")

    def ask(
        self, questions: Sequence[tuple[str, tuple[tuple[str, str], ...]]], heard: Heard
    ) -> dict[int, Score]:
        """Let each reply be heard as it comes; gives the scores of the questions without one."""
        failed: dict[int, Score] = {}
        done: set[int] = set()

        def listen(number: int, text: str, seconds: float) -> None:
            heard(number, text, seconds)
            done.add(number)

        work = self._ask_all([Question(*question) for question in questions], listen, failed)
        try:
            self._thread.run(work)
        except Closed as error:
            lost = Score(None, "model_grader_server_error", str(error))
            missing = set(range(len(questions))) - done - failed.keys()
            failed.update(dict.fromkeys(sorted(missing), lost))
        return failed

    def close(self) -> None:
        """Cancel what is being asked, and close the connections."""
        self._thread.close(self._client.close())

    async def _ask_all(
        self, questions: Sequence[Question], heard: Heard, failed: dict[int, Score]
    ) -> None:
        tasks: list[asyncio.Task[None]] = []
        try:
            for number, question in enumerate(questions):
                try:
                    ticket = await self._client.admit(question)
                except Failure as failure:
                    failed[number] = Score(None, failure.kind, failure.detail)
                    continue
                task = asyncio.create_task(self._ask(number, ticket, heard, failed))
                # a task that is cancelled before it begins must give back its ticket too
                task.add_done_callback(partial(self._ended, ticket))
                tasks.append(task)
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    def _ended(self, ticket: Ticket, _task: asyncio.Task[None]) -> None:
        self._client.release(ticket)

    async def _ask(
        self, number: int, ticket: Ticket, heard: Heard, failed: dict[int, Score]
    ) -> None:
        began = time.monotonic()
        try:
            text = await self._client.ask(ticket)
        except Failure as failure:
            seconds = time.monotonic() - began
            failed[number] = Score(None, failure.kind, failure.detail, seconds=seconds)
        else:
            heard(number, text, time.monotonic() - began)
