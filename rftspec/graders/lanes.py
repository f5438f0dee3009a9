"""Lanes: each grader works in threads of its own, so that a slow one holds up nobody else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rftspec.graders.score import Grader, Item, Sample, Score

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

THREADS = 4
"""Batches that one grader works on at once: while a judge thinks, the next group is sent."""


class Lanes:
    """The graders of a spec, each with its own threads; started when first used."""

    def __init__(self, graders: Mapping[str, Grader]) -> None:
        self._graders = graders
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def submit(
        self, samples: Sequence[Sample], items: Sequence[Item]
    ) -> dict[str, Future[list[Score]]]:
        """Every grader's scores of a batch, to come; returns at once."""
        return {
            name: self._lane(name).submit(_timed, grader, samples, items)
            for name, grader in self._graders.items()
        }

    def close(self) -> None:
        """Drop what waits, end what runs, close the graders."""
        for lane in self._threads.values():
            lane.shutdown(wait=False, cancel_futures=True)
        for grader in self._graders.values():
            grader.close()
        for lane in self._threads.values():
            lane.shutdown(wait=True)

    def _lane(self, name: str) -> ThreadPoolExecutor:
        # imported here: `validate` builds graders and never runs one
        from concurrent.futures import ThreadPoolExecutor

        if name not in self._threads:
            self._threads[name] = ThreadPoolExecutor(THREADS, f"grader-{name}")
        return self._threads[name]


def _timed(grader: Grader, samples: Sequence[Sample], items: Sequence[Item]) -> list[Score]:
    """A batch's scores; where the grader did not measure each, its share of the batch's time."""
    started = time.perf_counter()
    scores = grader.grade(samples, items)
    share = (time.perf_counter() - started) / max(1, len(scores))
    return [s if s.seconds is not None else replace(s, seconds=share) for s in scores]
