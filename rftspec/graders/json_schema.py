"""`json_schema`: whether the answer is JSON that a schema allows, in whole or by its paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rftspec.diagnostics import Collector, Diagnostic, DiagnosticError
from rftspec.graders.building import Builder, Interval, Settings, template_values
from rftspec.graders.output import parse_json
from rftspec.graders.schema_paths import Node, required_paths
from rftspec.graders.score import MISSING, Item, Sample, SampleGrader, Score
from rftspec.graders.texts import INPUT_SCHEMA, build_templates, value_of, variable_missing
from rftspec.sandbox.protocol import clean
from rftspec.template import MissingVariable, Template

MAX_CHARACTERS = 1_000_000
"""Of the text that is read as JSON."""

DOC = """\
Says whether a text is JSON that a JSON Schema (draft 2020-12) allows. The schema stands in the
spec (`schema`), in a file (`file`), or is that of `response.format` where neither is given. JSON is
strict: no `NaN`, nothing around it but white space, no fences. What is no JSON scores 0.

With `credit: all` the score is 1 for a valid answer, else 0. With `credit: paths` an answer that is
not valid earns the share of required paths that are right: each required property is a path, a
required object inside counts by its own required properties, a list is one path and right only as a
whole. A property that is missing counts as wrong with all that is required below it, one that the
schema forbids or that is wrong though it may be left out counts as one more wrong path, and one
that is right though it may be left out counts nothing, so that neither leaving out nor padding
pays. Where every path is right and the whole is not (too few properties, a wrong combination), the
whole counts as one more wrong path: only valid answers score 1.

An `input` that is one path and no text around it, such as `{{ item.record }}`, may lead to JSON
itself; a text that it leads to, such as `{{ sample.output_tools[0].function.arguments }}`, is
parsed.

Patterns in the schema are RE2's: others are refused, as are references (`$ref`) that lead out of
the schema. A path that leads nowhere is an `invalid_variable_error`, a text of more than 1,000,000
characters an `other_error`. A verdict that would take more than 50,000 steps is that the answer is
not valid.
"""

SCHEMA: Mapping[str, Any] = {
    "properties": {
        "input": INPUT_SCHEMA,
        "schema": {
            "type": "object",
            "x-open": True,
            "description": "The JSON Schema; default: the one in `response.format`.",
        },
        "file": {
            "type": "string",
            "description": "In place of `schema`: its file, relative to the spec.",
        },
        "credit": {
            "type": "string",
            "enum": ["all", "paths"],
            "default": "all",
            "description": "1 or 0 for the whole, or the share of required paths that are right.",
        },
    },
}


@dataclass(frozen=True, slots=True)
class JsonSchema(SampleGrader):
    """A schema and its paths, ready to grade."""

    input: Template
    schema: Node
    partial: bool
    range: Interval = (0.0, 1.0)

    def _score(self, sample: Sample, item: Item) -> Score:
        try:
            value = value_of(self.input, template_values(sample, item))
        except MissingVariable as missing:
            return variable_missing(missing)
        if isinstance(value, str):
            if len(value) > MAX_CHARACTERS:
                told = f"a text has {len(value):,} characters, over {MAX_CHARACTERS:,}"
                return Score(None, "other_error", told)
            value = parse_json(value)
        if value is MISSING:
            return Score(0.0, detail="not JSON")
        try:
            return self._verdict(value)
        except RecursionError:
            return Score(0.0, detail="nested too deeply")

    def _verdict(self, value: Any) -> Score:
        if self.schema.check(value):
            return Score(1.0)
        found = self.schema.tally(value)
        if not found.wrong:
            found.add_wrong("", 1, "is not valid")
        share = found.right / (found.right + found.wrong) if self.partial else 0.0
        return Score(share, detail=clean(", ".join(found.told)))


def build(settings: Settings, builder: Builder) -> JsonSchema:
    """The grader of its settings. Raises DiagnosticError with all that is wrong in them."""
    found = Collector()
    schema = settings.get("schema", builder.response_schema)
    node = None
    if schema is None:
        found.add(_no_schema(settings, builder))
    else:
        try:
            node = required_paths(schema)
        except ValueError as error:
            message = f"not a JSON Schema: {error}"
            found.add(builder.problem("E424", message, "schema" if "schema" in settings else None))
    partial = settings.get("credit", "all") == "paths"
    if partial and node is not None and not node.required:
        message = "the schema requires no property, so that there are no paths to give credit for"
        hint = "list names under `required`, or leave `credit` out"
        found.add(builder.problem("E422", message, "credit", hint=hint))
    templates: list[Template] = []
    try:
        templates = build_templates(settings, builder, "input")
    except DiagnosticError as error:
        found.extend(error.diagnostics)
    found.raise_errors()
    assert node is not None
    return JsonSchema(templates[0], node, partial)


def _no_schema(settings: Settings, builder: Builder) -> Diagnostic:
    if "file" in settings:
        return builder.problem("E424", f"the schema of `{settings['file']}` was not loaded", "file")
    message = "there is no schema: neither `schema` nor `file` is given"
    hint = "give one, or a `response.format` of type json_schema, whose schema is then used"
    return builder.problem("E424", message, hint=hint)
