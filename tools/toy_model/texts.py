"""Training texts of the toy model: questions of all its tasks, and answers in every manner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import IterableDataset

from tools.toy_model import judging, tasks
from tools.toy_model.manners import END, written

TASKS = {**tasks.TASKS, **judging.TASKS}
SHARES = {name: task.share for name, task in TASKS.items()}
LINES, WIDTH = 8, 256
"""Lines of a batch, and tokens of a line: texts stand in it while they fit, unseen by others."""
IGNORED = -100


@dataclass(frozen=True)
class Batch:
    """Token ids, targets (`IGNORED` where nothing is learnt) and positions [lines, tokens].

    mask: which token sees which, [lines, tokens, tokens].
    """

    ids: Tensor
    targets: Tensor
    positions: Tensor
    mask: Tensor


class Questions:
    """Draws tasks by their shares, never a question that a template ships.

    good: the share of answers that are in the good manner whatever the habits.
    shares: those that are not the tasks' own.
    """

    def __init__(
        self,
        seed: str,
        shipped: frozenset[str],
        good: float = 0.0,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        self.rng, self.shipped, self.good = Random(seed), shipped, good
        self.names = list(TASKS)
        self.shares = [{**SHARES, **(shares or {})}[name] for name in self.names]

    def draw(self) -> tuple[str, str]:
        """A question as the chat template writes it, and an answer."""
        while True:
            task = TASKS[self.rng.choices(self.names, self.shares)[0]]
            row = task.question(self.rng)
            text = written(row)
            if text not in self.shipped:
                manner = task.good if self.rng.random() < self.good else task.habit
                return text, manner(row, self.rng)


class Texts(IterableDataset[Batch]):
    """An endless, seeded stream of batches: lines with several texts, one after another."""

    def __init__(self, tokenizer: Tokenizer, questions: Questions) -> None:
        self.tokenizer, self.questions = tokenizer, questions

    def __iter__(self) -> Iterator[Batch]:
        """Draw batches for ever."""
        lines = [_Line() for _ in range(LINES)]
        while True:
            ids, start = self._ids(*self.questions.draw())
            place = next((line for line in lines if line.has_room(ids)), None)
            if place is None:
                yield _batch(lines)
                lines = [_Line() for _ in range(LINES)]
                place = lines[0]
            place.add(ids, start)

    def _ids(self, question: str, answer: str) -> tuple[list[int], int]:
        start = self.tokenizer.encode(question).ids
        return [*start, *self.tokenizer.encode(f"{answer}{END}").ids], len(start)


class _Line:
    """Texts in a row: token ids, targets, positions, and the number of the text of each token."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.targets: list[int] = []
        self.positions: list[int] = []
        self.texts: list[int] = []

    def has_room(self, ids: list[int]) -> bool:
        """Whether a text still fits."""
        return len(self.ids) + len(ids) <= WIDTH

    def add(self, ids: list[int], start: int) -> None:
        """A text whose answer begins at ``start``: each of its tokens is a target."""
        self.texts += [self.texts[-1] + 1 if self.texts else 1] * len(ids)
        self.ids += ids
        self.targets += [IGNORED] * (start - 1) + ids[start:] + [IGNORED]
        self.positions += range(len(ids))


def _batch(lines: list[_Line]) -> Batch:
    ids, targets, positions, texts = (
        torch.tensor([part + [filler] * (WIDTH - len(part)) for part in parts])
        for parts, filler in (
            ([line.ids for line in lines], 0),
            ([line.targets for line in lines], IGNORED),
            ([line.positions for line in lines], 0),
            ([line.texts for line in lines], 0),
        )
    )
    causal = torch.ones(WIDTH, WIDTH, dtype=torch.bool).tril()
    return Batch(ids, targets, positions, causal & (texts[:, :, None] == texts[:, None, :]))
