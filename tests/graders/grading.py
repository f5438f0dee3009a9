"""One grader, one answer, one row: its score, as a spec would have it graded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.expr.types import JSON
from rftspec.graders.building import Builder
from rftspec.graders.grading import sample_type
from rftspec.graders.kinds import build_graders
from rftspec.graders.score import Grader, Sample, Score
from rftspec.graders.services import Services

ANYTHING = JSON


def built(settings: Mapping[str, Any], services: Services | None = None) -> Grader:
    """The grader of its settings over rows of any shape."""
    return build_graders({"g": settings}, _builder(services))["g"]


def score(
    settings: Mapping[str, Any],
    answer: Sample | str,
    row: Mapping[str, Any] | None = None,
    services: Services | None = None,
) -> Score:
    """What it says of one answer."""
    sample = Sample(answer) if isinstance(answer, str) else answer
    return built(settings, services).grade([sample], [row or {}])[0]


def problems(settings: Mapping[str, Any]) -> list[Diagnostic]:
    """What is wrong with the settings."""
    with pytest.raises(DiagnosticError) as caught:
        built(settings)
    return list(caught.value.diagnostics)


def warnings(settings: Mapping[str, Any]) -> list[Diagnostic]:
    """What is no error in the settings, and still said."""
    builder = _builder(None)
    build_graders({"g": settings}, builder)
    return list(builder.warnings)


def _builder(services: Services | None) -> Builder:
    return Builder(ANYTHING, sample_type(None), None, services=services or Services())
