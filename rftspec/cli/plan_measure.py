"""`rftspec plan --measure`: a small real sample of the base model, for the gates and the times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rftspec.cli import console
from rftspec.cli.visible import visible
from rftspec.plan.quantities import bytes_told, percent, seconds_told

if TYPE_CHECKING:
    from rftspec.plan.measurement import Measurement
    from rftspec.plan.model import Plan


def measure(plan: Plan) -> Measurement:
    """Load the model, sample, grade, and keep what was found; says what it does on the way.

    Raises DiagnosticError where the model or the data is not to be had.
    """
    from rftspec.plan.cache import cache_folder
    from rftspec.run.measure_base import measure_base

    found = measure_base(plan, say=lambda text: console.remark(f"{visible(text)} …"))
    console.remark(
        f"measured {found.completions} answers: {found.answer_tokens:.0f} tokens on average, "
        f"{percent(found.truncated)} cut off; sampling {found.sampling_rate:,.0f} and learning "
        f"{found.learning_rate:,.0f} tokens a second; opening {seconds_told(found.opening)}; "
        f"{bytes_told(found.peak_memory)}\n"
    )
    if cache_folder() is None:
        console.remark("RFTSPEC_CACHE is off, so the measurement is not kept\n")
    return found
