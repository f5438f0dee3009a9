"""Find a model that a grader names, as `model.base` finds one."""

from __future__ import annotations

from dataclasses import replace

from rftspec.diagnostics import DiagnosticError
from rftspec.engine.load import locate
from rftspec.plan.model import ModelPlan


def find_model(name: str) -> str:
    """The folder or hub id of a grader's model; DiagnosticError (M201) when it is nowhere."""
    plan = ModelPlan(
        base=name, revision=None, quantization="none", lora_rank=1, lora_alpha=1.0,
        lora_targets=(),
    )  # fmt: skip
    try:
        return locate(plan)
    except DiagnosticError as error:
        # its place is the grader's, not the base model's
        raise DiagnosticError([replace(d, path=None) for d in error.diagnostics]) from error
