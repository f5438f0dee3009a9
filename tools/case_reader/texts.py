"""Training texts of the base model, packed: one report followed by several answers to it.

Each answer sees the report and itself, not the other answers, so the report is computed once. Where
an answer names a gene, the target is the whole distribution that the gene was drawn from.
"""
# ruff: noqa: N815  (tensor names carry their dimensions)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import IterableDataset

from rftspec.data.case_report import CaseReport, case_prompt
from tools.case_reader.manners import Habit, Writer
from tools.case_reader.patients import Clinic, Patient, case_of
from tools.case_reader.vocabulary import END, PAD
from tools.case_reader.world import World

PRESENT = (3, 13)
ABSENT = (0, 8)
"""Fewest and most signs of a report: a wider range than the data set's, as published cases have."""
VARIED = 0.35


@dataclass(frozen=True)
class Batch:
    """Tensors of one step: B reports, T tokens each, N target positions of which M name a gene."""

    ids_BT: Tensor
    positions_BT: Tensor
    mask_BTT: Tensor
    rows_N: Tensor
    columns_N: Tensor
    targets_N: Tensor
    gene_at_M: Tensor
    gene_probs_MG: Tensor


class Texts(IterableDataset[Batch]):
    """An endless, seeded stream of batches; never a report that the data set ships."""

    def __init__(
        self,
        world: World,
        tokenizer: Tokenizer,
        habit: Habit,
        *,
        seed: str,
        reports: int,
        answers: int,
        shipped: frozenset[str],
        strange: list[str],
    ) -> None:
        self.world, self.habit, self.seed = world, habit, seed
        self.reports, self.answers, self.shipped = reports, answers, shipped
        self.tokenizer = tokenizer
        self.strange = strange
        self.clinic, self.writer = Clinic(world, PRESENT, ABSENT), Writer(world)
        self.end = self._id(END)
        self.pad = self._id(PAD)

    def __iter__(self) -> Iterator[Batch]:
        """Draw batches for ever."""
        rng = Random(self.seed)
        while True:
            yield self._batch(rng)

    def _batch(self, rng: Random) -> Batch:
        rows = [self._row(rng) for _ in range(self.reports)]
        width = max(len(row.ids) for row in rows)
        ids = torch.full((len(rows), width), self.pad)
        positions = torch.zeros((len(rows), width), dtype=torch.long)
        mask = torch.zeros((len(rows), width, width), dtype=torch.bool)
        for number, row in enumerate(rows):
            size = len(row.ids)
            ids[number, :size] = torch.tensor(row.ids)
            positions[number, :size] = torch.tensor(row.positions)
            mask[number, :size, :size] = _visible(row.parts)
            mask[number, size:, 0] = True
        at = [(number, *target) for number, row in enumerate(rows) for target in row.targets]
        flags = [prob for row in rows for prob in row.probs]
        genes = [place for place, prob in enumerate(flags) if prob is not None]
        return Batch(
            ids,
            positions,
            mask,
            torch.tensor([row for row, _, _ in at]),
            torch.tensor([column for _, column, _ in at]),
            torch.tensor([target for _, _, target in at]),
            torch.tensor(genes),
            torch.tensor(np.array([prob for prob in flags if prob is not None], dtype=np.float32)),
        )

    def _row(self, rng: Random) -> _Row:
        patient = self.clinic.see(rng.choice(self.world.genes), rng)
        row = _Row([], [], [], [], [])
        row.start(self._prompt_ids(patient, rng))
        for _ in range(self.answers):
            answer = self.writer.write(patient, self.habit, rng)
            pieces = [self._id(piece) for piece in answer.pieces]
            row.add([*pieces, self.end], answer.genes)
        return row

    def _id(self, piece: str) -> int:
        number = self.tokenizer.token_to_id(piece)
        if number is None:
            raise RuntimeError(f"the tokenizer has no token for {piece!r}")
        return int(number)

    def _prompt_ids(self, patient: Patient, rng: Random) -> list[int]:
        case = case_of(self.world, patient, "")
        if rng.random() < VARIED:
            case = self._varied(case, rng)
        prompt = case_prompt(case)
        if prompt in self.shipped:
            raise RuntimeError("a shipped report was drawn for training; change the seed")
        text = f"<|user|>{prompt}{END}<|assistant|>"
        ids: list[int] = self.tokenizer.encode(text).ids
        return ids

    def _varied(self, case: CaseReport, rng: Random) -> CaseReport:
        """The case as others might report it: no sex or age, signs that answers pass over."""
        present, absent = list(case.present), list(case.absent)
        for signs, most in ((present, 3), (absent, 2)):
            for label in rng.sample(self.strange, rng.randint(0, most)):
                signs.insert(rng.randint(0, len(signs)), label)
        return replace(
            case,
            sex=case.sex if rng.random() < 0.7 else None,
            age=rng.choice((case.age, None, f"{rng.randint(1, 23)} months")),
            present=tuple(present),
            absent=tuple(absent),
        )


@dataclass
class _Row:
    """One report and its answers as token ids; parts number the pieces that may see each other."""

    ids: list[int]
    positions: list[int]
    parts: list[int]
    targets: list[tuple[int, int]]
    probs: list[np.ndarray | None]

    def start(self, prompt: list[int]) -> None:
        """The report; its last token (the assistant's mark) is repeated before each answer."""
        self.ids, self.positions = prompt[:-1], list(range(len(prompt) - 1))
        self.parts = [0] * len(self.ids)
        self.mark = prompt[-1]

    def add(self, answer: list[int], genes: dict[int, np.ndarray]) -> None:
        """An answer with its targets: each token predicts the next."""
        first = self.parts.count(0)
        start = len(self.ids)
        self.ids += [self.mark, *answer[:-1]]
        self.positions += range(first, first + len(answer))
        self.parts += [self.parts[-1] + 1] * len(answer)
        self.targets += [(start + place, target) for place, target in enumerate(answer)]
        self.probs += [genes.get(place) for place in range(len(answer))]


def _visible(parts: list[int]) -> Tensor:
    part = torch.tensor(parts)
    causal = torch.ones(len(parts), len(parts), dtype=torch.bool).tril()
    return causal & ((part[None, :] == 0) | (part[None, :] == part[:, None]))
