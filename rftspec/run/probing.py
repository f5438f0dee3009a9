"""A plan's graders tried on lazy answers, where that asks no model and no server."""

from __future__ import annotations

from rftspec.expr import merge_value_types
from rftspec.plan.model import Plan
from rftspec.plan.probe import Probe, asks, probe
from rftspec.run.rows import read_splits
from rftspec.run.scoring import open_graders


def probe_plan(plan: Plan) -> Probe | str:
    """What lazy answers earn on training rows; or why that was not tried."""
    asking = asks(plan.graders)
    if asking is not None:
        return f"not tried: `{asking}` asks a model; `rftspec grade SPEC --probe` does"
    rows = read_splits(plan.data, plan.seed)
    everything = (*rows.train, *rows.validation, *rows.test)
    with open_graders(plan, merge_value_types([row.item for row in everything])) as graders:
        return probe(
            graders,
            [row.item for row in rows.train],
            plan.response.format,
            gold=plan.data.gold,
            prompt=plan.data.prompt,
        )
