"""A plan's graders tried on lazy answers, where that asks no model and no server."""

from __future__ import annotations

from collections.abc import Sequence

from rftspec.plan import probe as probes
from rftspec.plan.model import Plan
from rftspec.plan.probe import Graders, Probe, asks, probe
from rftspec.run.rows import Row, read_splits
from rftspec.run.scoring import open_graders


def probe_plan(plan: Plan) -> Probe | str:
    """What lazy answers earn on training rows; or why that was not tried."""
    asking = asks(plan.graders)
    if asking is not None:
        return f"not tried: `{asking}` asks a model; `rftspec grade SPEC --probe` does"
    rows = read_splits(plan.data, plan.seed)
    with open_graders(plan, rows.item_type) as graders:
        return probe_rows(plan, rows.train, graders)


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
