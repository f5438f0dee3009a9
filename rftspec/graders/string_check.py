"""`string_check`: 1 when a text compares with another as asked, else 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rftspec.graders.building import Builder, Interval, Settings, template_values
from rftspec.graders.score import Item, Sample, SampleGrader, Score
from rftspec.graders.texts import build_templates, variable_missing
from rftspec.sandbox.protocol import clean
from rftspec.template import MissingVariable, Template

DOC = """\
Compares two texts; 1.0 when the comparison holds, else 0.0. `input` and `reference` are templates:
text with `{{ item.x }}` and `{{ sample.y }}` in it. Nothing is trimmed.

| operation | holds when |
|---|---|
| `eq` | input and reference are equal |
| `ne` | they are not equal |
| `like` | the input contains the reference |
| `ilike` | the input contains the reference, upper and lower case alike |

A path that leads nowhere is an `invalid_variable_error`: the sample has no score, whatever the
operation.
"""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "input": {
            "type": "string",
            "description": "The text to look at, a template such as `{{ sample.output_text }}`.",
        },
        "reference": {
            "type": "string",
            "description": "The text to compare with, a template such as `{{ item.answer }}`.",
        },
        "operation": {
            "type": "string",
            "enum": ["eq", "ne", "like", "ilike"],
            "x-meant": {
                "neq": "did you mean `ne`?",
                "!=": "did you mean `ne`?",
                "==": "did you mean `eq`?",
                "equals": "did you mean `eq`?",
                "contains": "did you mean `like`? The input then contains the reference.",
                "starts_with": "write `type: expression` with "
                "`number(starts_with(sample.output_text, item.…))`.",
            },
            "description": "Equal, not equal, contains, contains in any case.",
        },
    },
    "required": ["input", "reference", "operation"],
}

OPERATIONS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda text, reference: text == reference,
    "ne": lambda text, reference: text != reference,
    "like": lambda text, reference: reference in text,
    "ilike": lambda text, reference: reference.casefold() in text.casefold(),
}
_FAILED = {"eq": "is not", "ne": "is", "like": "does not contain", "ilike": "does not contain"}
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class StringCheck(SampleGrader):
    """A string check, ready to grade."""

    input: Template
    reference: Template
    operation: str
    range: Interval = (0.0, 1.0)

    def _score(self, sample: Sample, item: Item) -> Score:
        values = template_values(sample, item)
        try:
            text, reference = self.input.render(values), self.reference.render(values)
        except MissingVariable as missing:
            return variable_missing(missing)
        if OPERATIONS[self.operation](text, reference):
            return Score(1.0)
        shown = [clean(t, _SHOWN) for t in (text, reference)]
        return Score(0.0, detail=f'"{shown[0]}" {_FAILED[self.operation]} "{shown[1]}"')


def build(settings: Settings, builder: Builder) -> StringCheck:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    text, reference = build_templates(settings, builder, "input", "reference")
    return StringCheck(text, reference, settings["operation"])
