"""Simulated patients: the signs that a report of one would name.

A patient of a gene has one of its diseases; has each of the disease's signs with its annotated
frequency; the report names some of these, a few of them imprecisely (as an ancestor), a few signs
that have nothing to do with the disease, and signs looked for and not found, chosen to tell the
disease from others like it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from rftspec.data.case_report import CaseReport
from tools.case_reader.world import IMPRECISE, UNRELATED, Disease, World

PRESENT = (5, 9)
ABSENT = (2, 5)
"""Fewest and most signs of a shipped report."""
LOOK_ALIKES = 6
_AGES = (
    ("late", 62, 80),
    ("middle", 45, 70),
    ("young adult", 18, 45),
    ("adult", 25, 65),
    ("juvenile", 8, 30),
    ("childhood", 4, 20),
    ("infantile", 1, 15),
    ("", 0, 12),
)
"""Youngest and oldest patient by a word of the onset; the last line is for every other onset."""
NO_ONSET = (1, 25)


@dataclass(frozen=True)
class Patient:
    """One simulated patient; signs are numbers of the world's signs."""

    gene: str
    disease: Disease
    sex: str
    age_years: int
    onset: str | None
    present: tuple[int, ...]
    absent: tuple[int, ...]


class Clinic:
    """Draws patients of a world from a random stream."""

    def __init__(
        self,
        world: World,
        present: tuple[int, int] = PRESENT,
        absent: tuple[int, int] = ABSENT,
    ) -> None:
        self.world = world
        self.numbers_of_signs = (present, absent)
        self.index = {gene: number for number, gene in enumerate(world.genes)}
        self._background = world.background.cumsum().tolist()
        self._annotated = np.zeros(len(world.terms), dtype=bool)
        for disease in (each for diseases in world.diseases.values() for each in diseases):
            self._annotated[[sign for sign, share in disease.signs.items() if share > 0.2]] = True
        self._above = [self._all_above(term) for term in range(len(world.terms))]

    def _all_above(self, term: int) -> frozenset[int]:
        parents = self.world.parents[term]
        return frozenset({term}).union(*(self._all_above(parent) for parent in parents))

    def see(self, gene: str, rng: Random) -> Patient:
        """Draw one patient of a gene."""
        disease = rng.choice(self.world.diseases[gene])
        true = self._signs_of(disease, rng)
        present = self._reported(true, rng)
        absent = self._absent(self.index[gene], true, present, rng)
        onset = rng.choice(disease.onsets) if disease.onsets else None
        sex = "male" if rng.random() < (0.85 if disease.x_linked else 0.5) else "female"
        age = rng.randint(*_age_range(onset))
        return Patient(gene, disease, sex, age, onset, tuple(present), tuple(absent))

    def _signs_of(self, disease: Disease, rng: Random) -> list[int]:
        signs = [term for term, share in disease.signs.items() if rng.random() < share]
        others = [term for term in disease.signs if term not in signs]
        while len(signs) < PRESENT[0] and others:
            signs.append(others.pop(rng.randrange(len(others))))
        return signs

    def _reported(self, true: list[int], rng: Random) -> list[int]:
        wanted = rng.randint(*self.numbers_of_signs[0])
        plain = self.world.plainness
        pool = sorted(true, key=lambda sign: rng.random() ** (1 / plain[sign]))
        present: list[int] = []
        while len(present) < wanted:
            if rng.random() < UNRELATED or not pool:
                sign = self._unrelated(rng)
            else:
                sign = pool.pop()
                if rng.random() < IMPRECISE and self.world.parents[sign]:
                    sign = rng.choice(self.world.parents[sign])
            if sign not in present:
                present.append(sign)
        return present

    def _unrelated(self, rng: Random) -> int:
        """A sign drawn as often as it is seen in the whole world."""
        return int(np.searchsorted(self._background, rng.random() * self._background[-1]))

    def _absent(self, gene: int, true: list[int], present: list[int], rng: Random) -> list[int]:
        has = self.world.has
        posterior = self.world.log_posterior(present, [])
        ranked = [int(other) for other in np.argsort(-posterior, kind="stable") if other != gene]
        telling = has[ranked[:LOOK_ALIKES]].max(axis=0) - has[gene]
        excluded = set().union(*(self._above[sign] for sign in (*true, *present)))
        candidates = [
            int(sign)
            for sign in np.flatnonzero((telling > 0.3) & (has[gene] < 0.2) & self._annotated)
            if sign not in excluded
        ]
        low, high = self.numbers_of_signs[1]
        wanted = rng.randint(low, high)
        absent = rng.sample(candidates, min(wanted, len(candidates)))
        while len(absent) < low:
            sign = self._unrelated(rng)
            if sign not in excluded and sign not in absent:
                absent.append(sign)
        return absent


def case_of(world: World, patient: Patient, identifier: str) -> CaseReport:
    """The patient as a case report."""
    return CaseReport(
        id=identifier,
        gene=patient.gene,
        disease=patient.disease.name,
        sex=patient.sex,
        age=age_words(patient.age_years),
        onset=patient.onset,
        present=tuple(world.names[sign] for sign in patient.present),
        absent=tuple(world.names[sign] for sign in patient.absent),
    )


def _age_range(onset: str | None) -> tuple[int, int]:
    if onset is None:
        return NO_ONSET
    return next((low, high) for word, low, high in _AGES if word in onset.lower())


def age_words(years: int) -> str:
    """An age as a report says it."""
    if years == 0:
        return "newborn"
    return "1 year" if years == 1 else f"{years} years"
