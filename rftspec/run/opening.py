"""Where a plan's graders are opened, for a run and for all that grades without one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from rftspec.diagnostics import DiagnosticError
from rftspec.expr.types import Type
from rftspec.graders.grading import GraderSet
from rftspec.plan.identity import local_models
from rftspec.plan.model import Plan
from rftspec.run.services import open_services
from rftspec.spec.environment import Filled, fill_graders
from rftspec.spec.paths import model_kind


def open_graders(plan: Plan, item_type: Type) -> GraderSet:
    """The plan's graders for rows of this type, with local models and caches at hand.

    What they read from the environment is put in here, and taken out of all that they say.
    """
    filled = Filled()
    graders = fill_graders(plan.graders, os.environ, filled)
    for _, model in local_models(graders):
        if model in filled.values and model_kind(model) == "folder":
            filled.take(str((Path(plan.spec_path).parent / model).resolve()), filled.values[model])
    services = open_services(plan)
    try:
        return GraderSet.from_json(
            graders,
            plan.reward,
            plan.evaluate.metrics,
            item_type,
            plan.response.format,
            sandbox=plan.sandbox,
            services=replace(services, hide=filled.hidden) if filled.values else services,
            drop_infrastructure=plan.infrastructure == "drop",
        )
    except DiagnosticError as error:
        raise DiagnosticError(map(filled.hide, error.diagnostics)) from None
