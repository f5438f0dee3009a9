"""Graders tried on lazy answers to the rows of a plan."""

from __future__ import annotations

from collections.abc import Sequence

from rftspec.plan import probe as probes
from rftspec.plan.model import Plan
from rftspec.plan.probe import Graders, Probe, probe
from rftspec.run.rows import Row


def probe_rows(
    plan: Plan, rows: Sequence[Row], graders: Graders, *, most: int = probes.ROWS
) -> Probe:
    """What lazy answers earn on at most this many of the rows."""
    return probe(
        graders,
        [row.item for row in rows],
        plan.response.format,
        gold=plan.data.gold,
        prompt=plan.data.prompt,
        rows=most,
    )
