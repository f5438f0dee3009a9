"""One phenopacket as a case report, or the reason why it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from random import Random
from typing import Any

from rftspec.data.case_report import CaseReport, case_prompt

FEWEST_PRESENT = 2
MOST_PRESENT = 16
MOST_ABSENT = 12
"""A longer report keeps a seeded choice of its signs, in their order: prompts stay readable."""

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T.*)?")
_ONSETS = (
    (28 / 365.25, "Neonatal onset"),
    (1.0, "Infantile onset"),
    (5.0, "Childhood onset"),
    (16.0, "Juvenile onset"),
    (40.0, "Young adult onset"),
    (60.0, "Middle age onset"),
    (999.0, "Late onset"),
)
"""Upper ages in years of HPO's onset classes (HP:0003674)."""


class LeftOut(Exception):
    """The packet is no usable case; the text says why, in words that can be counted."""


def case_of_packet(name: str, raw: bytes, seed: int) -> tuple[CaseReport, bool]:
    """The case in a phenopacket's bytes, and whether it had to be shortened.

    Raises LeftOut with the reason.
    """
    packet = _parse(raw)
    try:
        case = _case(name, packet)
    except (KeyError, TypeError, AttributeError, IndexError):
        raise LeftOut("not a phenopacket of schema 2") from None
    if len(case.present) < FEWEST_PRESENT:
        raise LeftOut("fewer than two signs present")
    rng = Random(f"{seed}-{case.id}")
    present = _shorten(case.present, MOST_PRESENT, rng)
    absent = _shorten(case.absent, MOST_ABSENT, rng)
    short = CaseReport(
        case.id, case.gene, case.disease, case.sex, case.age, case.onset, present, absent
    )
    if re.search(rf"\b{re.escape(case.gene)}\b", case_prompt(short), re.IGNORECASE):
        raise LeftOut("its signs name the gene")
    return short, (present, absent) != (case.present, case.absent)


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        packet = json.loads(raw)
    except (ValueError, RecursionError):
        raise LeftOut("not valid JSON") from None
    if not isinstance(packet, dict) or "phenotypicFeatures" not in packet:
        raise LeftOut("not a phenopacket of schema 2")
    return packet


def _case(name: str, packet: dict[str, Any]) -> CaseReport:
    genes = sorted(set(_genes(packet)))
    if not genes:
        raise LeftOut("no causative gene")
    if len(genes) > 1:
        raise LeftOut("more than one causative gene")
    features = [feature for feature in packet["phenotypicFeatures"] if "type" in feature]
    present = _labels(features, excluded=False)
    absent = [label for label in _labels(features, excluded=True) if label not in present]
    subject = packet.get("subject", {})
    sex = str(subject.get("sex", "")).lower()
    return CaseReport(
        id=str(packet.get("id") or PurePosixPath(name).stem),
        gene=genes[0],
        disease=_disease(packet),
        sex=sex if sex in ("female", "male") else None,
        age=_age(subject.get("timeAtLastEncounter", {})),
        onset=_onset(packet.get("diseases", [])),
        present=tuple(present),
        absent=tuple(absent),
    )


def _genes(packet: dict[str, Any]) -> Iterator[str]:
    for interpretation in packet.get("interpretations", []):
        for genomic in interpretation.get("diagnosis", {}).get("genomicInterpretations", []):
            variant = genomic.get("variantInterpretation", {}).get("variationDescriptor", {})
            context = variant.get("geneContext") or genomic.get("gene") or {}
            if context.get("symbol"):
                yield str(context["symbol"])


def _disease(packet: dict[str, Any]) -> str:
    for interpretation in packet.get("interpretations", []):
        label = interpretation.get("diagnosis", {}).get("disease", {}).get("label")
        if label:
            return str(label)
    return ""


def _labels(features: list[dict[str, Any]], *, excluded: bool) -> list[str]:
    labels = (
        " ".join(str(feature["type"]["label"]).replace(";", ",").split())
        for feature in features
        if bool(feature.get("excluded")) is excluded
    )
    return list(dict.fromkeys(label for label in labels if label))


def _shorten(signs: tuple[str, ...], most: int, rng: Random) -> tuple[str, ...]:
    if len(signs) <= most:
        return signs
    return tuple(signs[place] for place in sorted(rng.sample(range(len(signs)), most)))


def _years(duration: str) -> float | None:
    match = _DURATION.fullmatch(duration)
    if match is None:
        return None
    years, months, weeks, days = (int(part or 0) for part in match.groups())
    return years + months / 12 + weeks / 52.18 + days / 365.25


def _age(time: dict[str, Any]) -> str | None:
    """An age as a report says it: ``newborn``, ``5 months``, ``1 year``, ``6 years``."""
    years = _years(str(time.get("age", {}).get("iso8601duration", "")) or "-")
    if years is None:
        return None
    months = int(years * 12 + 1e-6)
    if months < 1:
        return "newborn"
    number, unit = (months, "month") if months < 24 and months != 12 else (int(years), "year")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _onset(diseases: list[dict[str, Any]]) -> str | None:
    onset: dict[str, Any] = next(
        (disease["onset"] for disease in diseases if disease.get("onset")), {}
    )
    if "ontologyClass" in onset:
        return str(onset["ontologyClass"]["label"])
    if "gestationalAge" in onset:
        return "Antenatal onset"
    years = _years(str(onset.get("age", {}).get("iso8601duration", "")) or "-")
    if years is None:
        return None
    return next(name for upper, name in _ONSETS if years < upper)
