"""Choose the world's genes: those with the most published cases in a phenopacket-store archive.

    python -m tools.case_reader.choose_world all_phenopackets.zip

writes ``world.json``: the genes of each split, and the publications that the archive's case reports
come from, whose rows in phenotype.hpoa are left out of the world so that these cases test it
fairly. Genes are dealt to the splits evenly by how hard they are to find (``ease``), so that the
splits differ by chance only.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tools.case_reader.hpo import load
from tools.case_reader.manners import HASTY, STUDY, Writer
from tools.case_reader.patients import Clinic
from tools.case_reader.world import (
    CHOICE,
    Choice,
    build,
    disease_profiles,
    eligible_diseases,
)

SIZES = {"test": 44, "validation": 26, "train": 90}
SEED = 7
PATIENTS = 25
"""Simulated patients a gene, to tell how easy it is."""
BLOCK = 8
"""Genes of like ease that are shuffled together before they are dealt."""


def read_archive(path: Path) -> tuple[Counter[str], set[str]]:
    """Cases per gene (one gene, two or more signs) and the publications they come from."""
    cases: Counter[str] = Counter()
    publications: set[str] = set()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".json"):
                packet = json.loads(archive.read(name))
                references = packet["metaData"].get("externalReferences", [])
                publications.update(str(reference["id"]) for reference in references)
                genes = _genes(packet)
                features = packet.get("phenotypicFeatures", [])
                if len(genes) == 1 and sum(not f.get("excluded") for f in features) >= 2:
                    cases.update(genes)
    return cases, publications


def _genes(packet: dict[str, Any]) -> set[str]:
    return {
        genomic["variantInterpretation"]["variationDescriptor"]["geneContext"]["symbol"]
        for interpretation in packet.get("interpretations", [])
        for genomic in interpretation["diagnosis"].get("genomicInterpretations", [])
        if "geneContext" in genomic.get("variantInterpretation", {}).get("variationDescriptor", {})
    }


def ease(clinic: Clinic, writer: Writer, gene: str) -> float:
    """How often a gene's patients have it ranked first by the likelihoods, no model involved.

    The mean over simulated patients of P(gene) given the signs that a hasty answer names, and given
    those that a study answer names.
    """
    rng = Random(f"{SEED}-{gene}")
    number = clinic.index[gene]
    found = 0.0
    for _ in range(PATIENTS):
        patient = clinic.see(gene, rng)
        for habit in (HASTY, STUDY):
            first = next(iter(writer.write(patient, habit, rng).genes.values()))
            found += float(first[number]) / (2 * PATIENTS)
    return found


def deal(genes: list[str]) -> dict[str, list[str]]:
    """Genes, easiest first, to the splits: each block of neighbours is shuffled and shared out."""
    rng = Random(SEED)
    blocks = [genes[start : start + BLOCK] for start in range(0, len(genes), BLOCK)]
    order = [gene for block in blocks for gene in rng.sample(block, len(block))]
    dealt: dict[str, list[str]] = {split: [] for split in SIZES}
    for count, gene in enumerate(order, start=1):
        behind = {
            split: size * count / len(genes) - len(dealt[split]) for split, size in SIZES.items()
        }
        dealt[max(behind, key=lambda split: behind[split])].append(gene)
    return {split: sorted(found) for split, found in dealt.items()}


def main() -> None:
    """Write world.json."""
    cases, publications = read_archive(Path(sys.argv[1]))
    hpo = load()
    profiles = disease_profiles(hpo, frozenset(publications))
    ranked = sorted(cases, key=lambda gene: (-cases[gene], gene))
    usable = [gene for gene in ranked if eligible_diseases(hpo, profiles, gene)]
    chosen = sorted(usable[: sum(SIZES.values())])
    world = build(hpo, Choice({"train": chosen}, frozenset(publications)))
    clinic, writer = Clinic(world), Writer(world)
    easiest = sorted(chosen, key=lambda gene: (-ease(clinic, writer, gene), gene))
    out = {
        "about": "Genes of the rare-disease task and publications left out; see choose_world.py",
        "hpo": hpo.version,
        "genes": deal(easiest),
        "left_out_publications": sorted(publications),
    }
    CHOICE.write_text(json.dumps(out, indent=0) + "\n", encoding="utf-8")
    print(f"{CHOICE}: {len(chosen)} genes, {len(publications)} publications left out")


if __name__ == "__main__":
    main()
