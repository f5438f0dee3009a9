"""Texts that graders compare: their templates, built together and rendered for a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftspec.diagnostics import Collector, DiagnosticError
from rftspec.graders.building import Builder, Settings
from rftspec.graders.score import Score
from rftspec.sandbox.protocol import clean
from rftspec.template import MissingVariable, Template, look_up

ANSWER = "{{ sample.output_text }}"
"""What a grader looks at unless it is told otherwise."""

INPUT_SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "default": ANSWER,
    "description": "The text to look at, a template.",
}
REFERENCE_SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "description": "What it should be, a template such as `{{ item.answer }}`.",
}


def build_templates(settings: Settings, builder: Builder, *names: str) -> list[Template]:
    """The templates of these settings; `input` may be left out where the schema says so.

    Raises DiagnosticError with all that is wrong in any of them.
    """
    found = Collector()
    built: list[Template] = []
    for name in names:
        try:
            built.append(builder.template(settings.get(name, ANSWER), name))
        except DiagnosticError as error:
            found.extend(error.diagnostics)
    found.raise_errors()
    return built


def value_of(template: Template, values: Mapping[str, Any]) -> Any:
    """What a template gives: the value itself where it is one path and no text around it.

    Raises MissingVariable.
    """
    if len(template.parts) == 1 and not isinstance(template.parts[0], str):
        return look_up(template.parts[0], values)
    return template.render(values)


def variable_missing(missing: MissingVariable) -> Score:
    """The score of a sample for which a path leads nowhere."""
    return Score(None, "invalid_variable_error", clean(str(missing)))
