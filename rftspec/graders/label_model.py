"""`label_model`: 1 when a model puts the answer under a passing label, else 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rftspec.diagnostics import Collector
from rftspec.graders.building import Builder, Settings
from rftspec.graders.remote.schema import INPUT_SCHEMA, JUDGE_SCHEMA

if TYPE_CHECKING:
    from rftspec.graders.remote.judging import JudgeGrader
    from rftspec.graders.remote.verdict import Verdict

DOC = """\
Asks a model to choose one of `labels`; 1.0 when it chooses one of `passing_labels`, else 0.0. The
judge answers

    {"steps": [{"description": "…", "conclusion": "…"}], "result": "good"}

and is held to the labels by the schema, where the endpoint takes one. A label outside the list,
also one that differs in case or white space, is a `model_grader_parse_error`. At least one label
must not pass: a grader that passes everything teaches nothing.

`input`, the judge, its limits, its cache, and the kinds of errors are those of `score_model`.
"""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "model": JUDGE_SCHEMA["model"],
        "input": INPUT_SCHEMA,
        "labels": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 2,
            "maxItems": 100,
            "uniqueItems": True,
            "description": "The labels that the judge chooses from.",
        },
        "passing_labels": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "uniqueItems": True,
            "description": "The labels that count as 1; every other one counts as 0.",
        },
        **{name: schema for name, schema in JUDGE_SCHEMA.items() if name != "model"},
    },
    "required": ["model", "input", "labels", "passing_labels"],
}


def build(settings: Settings, builder: Builder) -> JudgeGrader:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    from rftspec.graders.remote.judging import build_judge

    return build_judge("label_model", settings, builder, _verdict)


def _verdict(settings: Settings, builder: Builder) -> Verdict:
    from rftspec.graders.remote.verdict import Label

    labels, passing = list(settings["labels"]), list(settings["passing_labels"])
    found = Collector()
    for index, label in enumerate(passing):
        if label not in labels:
            known = ", ".join(f"`{name}`" for name in labels)
            message = f"the passing label `{label}` is none of the labels"
            hint = f"there are {known}"
            found.add(builder.problem("E441", message, f"passing_labels.{index}", hint=hint))
    if set(labels) == set(passing):
        message = "every label passes, so that every answer scores 1"
        hint = "leave the labels of bad answers out of `passing_labels`"
        found.add(builder.problem("E441", message, "passing_labels", hint=hint))
    found.raise_errors()
    return Label(tuple(labels), frozenset(passing))
