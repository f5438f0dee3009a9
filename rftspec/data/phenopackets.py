"""Published case reports (GA4GH Phenopackets, schema 2) as rows of a data set.

Reads a phenopacket-store release archive, or a folder of JSON files, and writes ``train.jsonl``,
``validation.jsonl`` and ``test.jsonl`` with no gene in two of them. What is left out is counted
by reason.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from rftspec.data.case_report import CaseReport, case_row
from rftspec.data.packet import LeftOut, case_of_packet
from rftspec.diagnostics import Diagnostic, DiagnosticError

SPLITS = ("test", "validation", "train")
"""In the order in which genes are given out: the files that judge come first."""
MAX_PER_GENE = {"test": 6, "validation": 6, "train": 30}
"""A gene with more cases than this gives a seeded choice of them: no gene may fill a file alone."""


@dataclass(frozen=True)
class ImportSummary:
    """What an import read, wrote and left out.

    rows and genes are by split; left_out counts cases by reason, in words.
    """

    found: int
    rows: Mapping[str, int]
    genes: Mapping[str, int]
    left_out: Mapping[str, int]
    shortened: int
    """Cases written with fewer signs than published."""

    @property
    def kept(self) -> int:
        """Cases written to one of the files."""
        return sum(self.rows.values())


def import_phenopackets(
    archive: Path,
    out: Path,
    *,
    train: int,
    validation: int,
    test: int,
    seed: int,
    genes: Collection[str] | None = None,
) -> ImportSummary:
    """Write the three files into ``out`` and tell what was left out.

    ``genes`` restricts the cases to these genes. Raises DiagnosticError when the archive cannot be
    read or has too few cases or genes for three files; then nothing is written.
    """
    left_out: Counter[str] = Counter()
    cases: dict[str, list[CaseReport]] = {}
    shortened: set[str] = set()
    found = 0
    for name, raw in _packets(archive):
        found += 1
        try:
            case, cut = case_of_packet(name, raw, seed)
            _take(cases, case, genes)
            shortened.update([case.id] if cut else [])
        except LeftOut as reason:
            left_out[str(reason)] += 1
    wanted = {"test": test, "validation": validation, "train": train}
    chosen = _split(cases, wanted, seed, left_out)
    _check(archive, found, chosen)
    _write(out, chosen)
    return ImportSummary(
        found=found,
        rows={split: len(chosen[split]) for split in reversed(SPLITS)},
        genes={split: len({case.gene for case in chosen[split]}) for split in reversed(SPLITS)},
        left_out=dict(left_out.most_common()),
        shortened=sum(case.id in shortened for rows in chosen.values() for case in rows),
    )


def read_genes(path: Path) -> frozenset[str]:
    """Gene symbols of a text file, one a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and line[0] != "#")


def _packets(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every JSON file, in the order of their names."""
    try:
        if archive.is_dir():
            for path in sorted(archive.rglob("*.json")):
                yield path.relative_to(archive).as_posix(), path.read_bytes()
            return
        with zipfile.ZipFile(archive) as opened:
            for name in sorted(opened.namelist()):
                if name.endswith(".json"):
                    yield name, opened.read(name)
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise _unreadable(archive, error) from None


def _unreadable(archive: Path, error: Exception) -> DiagnosticError:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    message = f"cannot read the archive {archive}: {cause}"
    hint = "give a phenopacket-store release (all_phenopackets.zip) or a folder of JSON files"
    return DiagnosticError([Diagnostic("E230", message, hint=hint)])


def _take(
    cases: dict[str, list[CaseReport]], case: CaseReport, genes: Collection[str] | None
) -> None:
    if genes is not None and case.gene not in genes:
        raise LeftOut("a gene that was not asked for")
    others = cases.setdefault(case.gene, [])
    if any(
        (other.present, other.absent, other.sex, other.age)
        == (case.present, case.absent, case.sex, case.age)
        for other in others
    ):
        raise LeftOut("the same report as another case of its gene")
    others.append(case)


def _split(
    cases: dict[str, list[CaseReport]],
    wanted: Mapping[str, int],
    seed: int,
    left_out: Counter[str],
) -> dict[str, list[CaseReport]]:
    """Whole genes to the files, the judging files first; what does not fit is left out."""
    order = sorted(cases)
    Random(seed).shuffle(order)
    chosen: dict[str, list[CaseReport]] = {}
    for split in SPLITS:
        rows: list[CaseReport] = []
        most = MAX_PER_GENE[split]
        while order and len(rows) < wanted[split]:
            found = cases[order.pop()]
            picked = Random(f"{seed}-{found[0].gene}").sample(found, min(most, len(found)))
            left_out["beyond the cases one gene may give to a file"] += len(found) - len(picked)
            rows += picked
        left_out["more than the rows asked for"] += max(0, len(rows) - wanted[split])
        rows = rows[: wanted[split]]
        Random(f"{seed}-{split}").shuffle(rows)
        chosen[split] = rows
    left_out["more than the rows asked for"] += sum(len(cases[gene]) for gene in order)
    left_out += Counter()
    return chosen


def _check(archive: Path, found: int, chosen: Mapping[str, list[CaseReport]]) -> None:
    empty = [split for split in SPLITS if not chosen[split]]
    if not empty:
        return
    if not found:
        message, hint = f"no JSON file in {archive}", "is it a phenopacket-store release?"
    else:
        message = f"too few genes in {archive} to leave a row for {', '.join(empty)}"
        hint = "ask for fewer rows (--train, --validation, --test), or for more genes"
    raise DiagnosticError([Diagnostic("E231", message, hint=hint)])


def _write(out: Path, chosen: Mapping[str, list[CaseReport]]) -> None:
    """All files under temporary names first, then renamed: nothing half-written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for split in SPLITS:
            text = "".join(_line(case_row(case)) for case in chosen[split])
            (out / f".{split}.jsonl.new").write_text(text, encoding="utf-8")
        for split in SPLITS:
            (out / f".{split}.jsonl.new").replace(out / f"{split}.jsonl")
    except OSError as error:
        message = f"cannot write to {out}: {error.strerror}"
        diagnostic = Diagnostic("E232", message, hint="choose another folder with --out")
        raise DiagnosticError([diagnostic]) from None


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
