"""A plan looked at from all sides before it runs: rows, graders, lengths, memory, time, gates.

No torch. Rows are read once; what only a model can tell is read from what `plan --measure` wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Diagnostic
from rftspec.expr import merge_value_types
from rftspec.plan.calibration import calibrate
from rftspec.plan.device import Device, find_device
from rftspec.plan.estimate import Needs, estimate
from rftspec.plan.gates import Evidence, Gate, gates
from rftspec.plan.gold import Gold, given_gold
from rftspec.plan.lengths import GOLD_ROWS, Lengths, Ruler, measure_lengths
from rftspec.plan.machine import ModelShape, shape_of
from rftspec.plan.measurement import Measurement, read_measurement
from rftspec.plan.memory import Prompts
from rftspec.plan.model import Plan
from rftspec.plan.model_files import files_of
from rftspec.plan.probe import Probe, asks, commonest, probe
from rftspec.plan.probe_findings import findings
from rftspec.plan.survey import Survey, survey
from rftspec.run.opening import open_graders
from rftspec.run.rows import Row, shuffle_answers
from rftspec.sandbox.protocol import Layer


@dataclass(frozen=True, slots=True)
class Preflight:
    """All that was found; no errors means that the run can begin."""

    plan: Plan
    probe: Probe | str
    lengths: Lengths
    needs: Needs
    measurement: Measurement | None
    gates: tuple[Gate, ...]
    findings: tuple[Diagnostic, ...]
    layers: tuple[Layer, ...]
    """Of the sandbox that Python graders run in; empty where there are none, or none were tried."""

    @property
    def has_errors(self) -> bool:
        """Whether something must be mended first."""
        return any(one.severity == "error" for one in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, beside the plan's own."""
        return {
            "probe": self.probe.to_json() if isinstance(self.probe, Probe) else None,
            "lengths": self.lengths.to_json(),
            "needs": self.needs.to_json(),
            "measurement": None if self.measurement is None else self.measurement.to_json(),
            "gates": [gate.to_json() for gate in self.gates],
            "sandbox": [
                {"name": one.name, "active": one.active, "note": one.note} for one in self.layers
            ],
            "findings": [one.to_json() for one in self.findings],
        }


def preflight(plan: Plan, measured: Measurement | None = None) -> Preflight:
    """Look at a plan; `measured` is what was measured just now.

    Raises DiagnosticError where its files are not what they were.
    """
    found = survey(plan)
    items = train_items(plan, found)
    probed, layers = _probe(plan, found, items)
    gold = gold_of(plan, probed)
    told = findings(probed) if isinstance(probed, Probe) else []
    shape, device = known_shape(plan), find_device(plan.device)
    context = None if shape is None else shape.context
    lengths, too_long = measure_lengths(plan, found, Ruler(plan), _gold_texts(gold, items), context)
    needs = estimate(
        plan, shape, device, Prompts(lengths.mean, lengths.longest), calibrate(plan, device)
    )
    measurement = measured or read_measurement(plan, device)
    common = probed.commonest if isinstance(probed, Probe) else commonest(gold, items)
    evidence = Evidence(
        plan, probed, common, [*told, *too_long], lengths, context, needs, measurement
    )
    made, more = gates(evidence)
    every = sorted([*too_long, *told, *more], key=lambda one: one.severity != "error")
    return Preflight(plan, probed, lengths, needs, measurement, made, tuple(every), layers)


def known_shape(plan: Plan) -> ModelShape | None:
    """The base model's shape: from its config where that is on this machine, else from its name."""
    return shape_of(plan.model.base, files_of(plan.model.base, plan.model.revision))


def known_device(plan: Plan) -> Device:
    """The device that the plan would run on here."""
    return find_device(plan.device)


def train_items(plan: Plan, found: Survey) -> list[Mapping[str, Any]]:
    """The training rows as graders see them: dealt out anew where the plan is a control."""
    rows = [Row("train", row.index, row.item, row.messages) for row in found.train.rows]
    if plan.data.control == "shuffled-answers":
        field = next(iter(plan.data.disjoint), None)
        rows = shuffle_answers(rows, seed=plan.seed, field=field)
    return [row.item for row in rows]


def gold_of(plan: Plan, probed: Probe | str) -> Gold | None:
    """The perfect answer: as the spec gives it, or as the probe found it."""
    if isinstance(probed, Probe):
        return probed.gold
    return None if plan.data.gold is None else given_gold(plan.data.gold)


def _probe(
    plan: Plan, found: Survey, items: Sequence[Mapping[str, Any]]
) -> tuple[Probe | str, tuple[Layer, ...]]:
    """What lazy answers earn on training rows, or why that was not tried; the sandbox's layers."""
    asking = asks(plan.graders)
    if asking is not None:
        return f"not tried: `{asking}` asks a model; `rftspec grade SPEC --probe` does", ()
    with open_graders(plan, merge_value_types(found.forms)) as graders:
        tried = probe(
            graders, items, plan.response.format, gold=plan.data.gold, prompt=plan.data.prompt
        )
        return tried, graders.sandbox_layers() if _has_python(plan.graders) else ()


def _has_python(graders: Mapping[str, Any]) -> bool:
    return any(
        settings.get("type") == "python" or _has_python(settings.get("graders") or {})
        for settings in graders.values()
    )


def _gold_texts(gold: Gold | None, items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Gold answers of rows spread over the split."""
    if gold is None or not items:
        return []
    wanted = min(len(items), GOLD_ROWS)
    texts = (gold.text(items[n * len(items) // wanted]) for n in range(wanted))
    return [text for text in texts if text is not None]
