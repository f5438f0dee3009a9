"""A case report as a prompt, and as a row of a data set in OpenAI's RFT format.

One rendering for simulated patients and for published cases, so that a model sees both in the same
form. The gene and the disease are fields of the row and never part of the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

INSTRUCTION = (
    "\nWhich gene causes this? Answer with JSON: your reasoning, then genes, most likely first."
)
PRESENT = "\nPresent:"
ABSENT = "\nAbsent:"


@dataclass(frozen=True)
class CaseReport:
    """One patient: who, since when, signs seen, signs looked for and not seen, and the answer."""

    id: str
    gene: str
    disease: str
    sex: str | None
    age: str | None
    onset: str | None
    present: tuple[str, ...]
    absent: tuple[str, ...]


def sign_text(label: str) -> str:
    """A sign as it stands in prompts and answers: a space before it, a semicolon after it."""
    return f" {label};"


def patient_line(case: CaseReport) -> str:
    """The first line of a prompt: ``female, 6 years, infantile onset.``"""
    onset = case.onset.lower() if case.onset else None
    parts = [case.sex or "sex not stated", case.age, onset]
    return ", ".join(part for part in parts if part) + "."


def case_prompt(case: CaseReport) -> str:
    """The whole prompt: patient, signs present, signs absent, instruction."""
    lines = [patient_line(case), PRESENT, *map(sign_text, case.present)]
    if case.absent:
        lines += [ABSENT, *map(sign_text, case.absent)]
    return "".join([*lines, INSTRUCTION])


def case_row(case: CaseReport) -> dict[str, Any]:
    """The row of a data set: ``messages`` for the model, the rest for graders and slices."""
    return {
        "messages": [{"role": "user", "content": case_prompt(case)}],
        "id": case.id,
        "gene": case.gene,
        "disease": case.disease,
        "onset": case.onset,
        "sex": case.sex,
    }
