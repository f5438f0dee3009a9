"""Completions that were sampled before, kept on disk by everything that they depend on.

Graders change more often than models: with the same model, prompt, temperature and seed a
completion is read here and graded anew, and no model is opened. Kept where judges' replies are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rftspec.engine.types import Completion, Prompt
from rftspec.graders.output import FinishReason
from rftspec.graders.remote.cache import ReplyCache, key_of
from rftspec.run.grade import Answer
from rftspec.run.rows import Row

FILE = "completions.sqlite3"
LONGEST = 1 << 20
"""Characters of a completion that is kept."""


@dataclass(frozen=True, slots=True)
class KeptCompletions:
    """The completions of one model at one temperature."""

    cache: ReplyCache | None
    model: str
    """`candidate.sampling_key`: the model, the seed, the limits."""
    temperature: float

    @classmethod
    def at(cls, folder: Path | None, model: str, temperature: float) -> KeptCompletions:
        """In a folder; None keeps nothing."""
        cache = None if folder is None else ReplyCache(folder, file=FILE, longest=LONGEST)
        return cls(cache, model, temperature)

    def find(self, row: Row, index: int) -> Answer | None:
        """The completion of a row and an index, if it was sampled before."""
        told = None if self.cache is None else self.cache.get(self._key(row, index))
        try:
            found: dict[str, Any] = json.loads(told) if told is not None else {}
            finish = cast("FinishReason", found["finish_reason"])
            return Answer(row, index, str(found["text"]), finish, int(found["tokens"]))
        except (ValueError, KeyError, TypeError):
            return None

    def keep(self, row: Row, group: Sequence[Completion]) -> None:
        """Remember the completions of a row."""
        if self.cache is None:
            return
        for index, done in enumerate(group):
            told: Mapping[str, Any] = {
                "text": done.text,
                "finish_reason": done.finish_reason,
                "tokens": len(done.tokens),
            }
            self.cache.put(self._key(row, index), json.dumps(told))

    def close(self) -> None:
        """Close the file."""
        if self.cache is not None:
            self.cache.close()

    def _key(self, row: Row, index: int) -> str:
        place = prompt_key(row)
        asked = [dict(message) for message in row.messages]
        return key_of(
            model=self.model, temperature=self.temperature, messages=asked, place=place, index=index
        )


def prompt_key(row: Row) -> tuple[str, int, int]:
    """Where the random numbers of a row's samples come from: the same as in a run's evaluation."""
    return (row.split, 0, row.index)


def prompt_of(row: Row, tokens: tuple[int, ...]) -> Prompt:
    """A row's prompt for the engine."""
    return Prompt(tokens, prompt_key(row))
