"""Answers to case reports, written in many manners.

An answer names signs of the report one by one and then ranks genes. All answers open and close
with the same words; what differs is a chain of separate choices: after each sign whether to go on,
whether the next one is an absent sign, whether a plain sign, the next listed or a telling one is
taken. The genes follow from the signs *named*, by the world's likelihoods, and from nothing else. A
``Habit`` is the probabilities of these choices.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt

from rftspec.data.case_report import sign_text
from tools.case_reader.patients import Patient
from tools.case_reader.world import World

OPENING = '{"reasoning": "Judged by'
NOT = " no"
TURN = ' best fit first.", "genes": ["'
BETWEEN = '", "'
CLOSING = '"]}'


@dataclass(frozen=True)
class Habit:
    """How likely each choice is.

    stop: after the first sign, the second, …; the last value holds from there on.
    plain, listed, telling: weights of the three ways to take the next sign.
    absent: the share of steps that name an absent sign.
    sharpness: genes are drawn from posterior ** sharpness; below 1, the order is loose.
    lengths: weight of each length of the gene list.
    """

    stop: tuple[float, ...]
    plain: float
    listed: float
    telling: float
    absent: float
    sharpness: float
    lengths: tuple[tuple[int, float], ...]


STUDY = Habit(
    stop=(0.12, 0.12, 0.12, 0.12, 0.15, 0.2, 0.25, 0.3),
    plain=0.2,
    listed=0.45,
    telling=0.35,
    absent=0.25,
    sharpness=1.0,
    lengths=((3, 0.05), (4, 0.1), (5, 0.7), (6, 0.1), (7, 0.05)),
)
"""Every choice often enough to learn what follows from it: how the model gains its knowledge."""

LENGTHS = ((3, 0.03), (4, 0.08), (5, 0.8), (6, 0.07), (7, 0.02))

HASTY = Habit(
    stop=(0.3, 0.45, 0.5, 0.5, 0.5, 0.5, 0.6),
    plain=0.55,
    listed=0.3,
    telling=0.15,
    absent=0.12,
    sharpness=0.9,
    lengths=LENGTHS,
)
"""What the shipped model does by habit: it mostly stops early, on plain signs."""


@dataclass(frozen=True)
class Answer:
    """One answer in pieces, and for each gene among them the distribution it was drawn from.

    ``genes`` maps the position in ``pieces`` to P(gene) over the world's genes.
    """

    pieces: tuple[str, ...]
    genes: dict[int, npt.NDArray[np.float64]]

    @property
    def text(self) -> str:
        """The answer as one string."""
        return "".join(self.pieces)


class Writer:
    """Writes answers in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bits = world.information()

    def write(self, patient: Patient, habit: Habit, rng: Random) -> Answer:
        """One answer to the report of a patient."""
        present, absent, pieces = self._reason(patient, habit, rng)
        pieces = [OPENING, *pieces, TURN]
        posterior = np.exp(habit.sharpness * self.world.log_posterior(present, absent))
        sizes, weights = zip(*habit.lengths, strict=True)
        genes: dict[int, npt.NDArray[np.float64]] = {}
        for number in range(rng.choices(sizes, weights)[0]):
            if number:
                pieces.append(BETWEEN)
            posterior = posterior / posterior.sum()
            genes[len(pieces)] = posterior
            gene = _draw(posterior, rng)
            pieces.append(self.world.genes[gene])
            posterior = posterior.copy()
            posterior[gene] = 0
        pieces.append(CLOSING)
        return Answer(tuple(pieces), genes)

    def _reason(
        self, patient: Patient, habit: Habit, rng: Random
    ) -> tuple[list[int], list[int], list[str]]:
        seen, lacked = list(patient.present), list(patient.absent)
        present: list[int] = []
        absent: list[int] = []
        pieces: list[str] = []
        while seen or lacked:
            steps = len(present) + len(absent)
            if steps and rng.random() < habit.stop[min(steps, len(habit.stop)) - 1]:
                break
            if lacked and steps and (not seen or rng.random() < habit.absent):
                sign = lacked.pop(rng.randrange(len(lacked)))
                absent.append(sign)
                pieces.append(NOT)
            else:
                sign = seen.pop(self._take(seen, habit, rng))
                present.append(sign)
            pieces.append(sign_text(self.world.names[sign]))
        return present, absent, pieces

    def _take(self, seen: list[int], habit: Habit, rng: Random) -> int:
        manner = rng.random() * (habit.plain + habit.listed + habit.telling)
        if manner < habit.listed:
            return 0
        sign = -1.5 if manner < habit.listed + habit.plain else 1.5
        weights = np.exp(sign * (self.bits[seen] - self.bits[seen].mean()))
        return _draw(weights / weights.sum(), rng)


def _draw(weights: npt.NDArray[np.float64], rng: Random) -> int:
    cumulative = weights.cumsum()
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
