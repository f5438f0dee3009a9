"""Choose the world's genes: those with the most published cases in a phenopacket-store archive.

    python -m tools.case_reader.choose_world all_phenopackets.zip

writes ``world.json``: the genes of each split, and the publications that the archive's case reports come
from, whose rows in phenotype.hpoa are left out of the world so that these cases test it fairly.
"""

from __future__ import annotations

import json
import random
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from tools.case_reader.hpo import load
from tools.case_reader.world import CHOICE, disease_profiles, eligible_diseases

SIZES = {"test": 44, "validation": 26, "train": 90}
SEED = 7


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


def main() -> None:
    """Write world.json."""
    cases, publications = read_archive(Path(sys.argv[1]))
    hpo = load()
    profiles = disease_profiles(hpo, frozenset(publications))
    ranked = sorted(cases, key=lambda gene: (-cases[gene], gene))
    usable = [gene for gene in ranked if eligible_diseases(hpo, profiles, gene)]
    chosen = sorted(usable[: sum(SIZES.values())])
    random.Random(SEED).shuffle(chosen)
    genes: dict[str, list[str]] = {}
    for split, size in SIZES.items():
        genes[split], chosen = sorted(chosen[:size]), chosen[size:]
    out = {
        "about": "Genes of the rare-disease task and publications left out; see choose_world.py",
        "hpo": hpo.version,
        "genes": genes,
        "left_out_publications": sorted(publications),
    }
    CHOICE.write_text(json.dumps(out, indent=0) + "\n", encoding="utf-8")
    print(f"{CHOICE}: {sum(SIZES.values())} genes, {len(publications)} publications left out")


if __name__ == "__main__":
    main()
