"""What schema and loader owe each other, for one document."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.plan.compile import compile_plan
from rftspec.spec.load import load_spec
from rftspec.spec.schema import spec_schema
from tests.spec.samples import SAMPLES

NO_PLACE = frozenset({"E506"})
"""Codes that may stand without a place: they are about several fields at once."""


@cache
def validator() -> Any:
    """The schema, compiled by jsonschema."""
    return jsonschema.Draft202012Validator(spec_schema())


@cache
def complete_spec() -> Mapping[str, Any]:
    """A valid spec with a grader of every kind that needs nothing beside it."""
    spec: dict[str, Any] = yaml.safe_load((SAMPLES / "ranking.yaml").read_text("utf-8"))
    text, gene = "{{ sample.output_text }}", "{{ item.gene }}"
    ask = {"model": "m", "input": [{"role": "user", "content": text}], "base_url": "http://h/v1"}
    spec["graders"] |= {
        "says": {"type": "string_check", "input": text, "reference": gene, "operation": "like"},
        "alike": {
            "type": "text_similarity", "input": text, "reference": gene,
            "evaluation_metric": "fuzzy_match", "fuzzy": "ratio", "process": False,
        },
        "number": {"type": "number_match", "reference": "12", "read": "last", "units": {"mg": 1}},
        "valid": {"type": "json_schema", "schema": {"type": "object"}, "pass_threshold": 0.5},
        "same": {"type": "list_match", "reference": gene, "split": "lines", "top": 2},
        "judged": {"type": "score_model", "range": [0, 5], "sampling_params": {"seed": 1}, **ask},
        "labelled": {"type": "label_model", "labels": ["x", "y"], "passing_labels": ["x"], **ask},
        "posted": {"type": "endpoint", "url": "http://h/s", "headers": {"X-A": "b"}},
        "both": {
            "type": "multi", "calculate_output": "a",
            "graders": {"a": {"type": "expression", "expression": "1", "range": [0, 1]}},
        },
    }  # fmt: skip
    return spec


class Disagreement(AssertionError):
    """Schema and loader do not say the same of a document."""


def _load(path: Path) -> tuple[Sequence[Diagnostic] | None, float]:
    """What is said against a document, None if nothing; and the seconds that it took."""
    started = time.process_time()
    try:
        compile_plan(load_spec(path, sandbox=None))
    except DiagnosticError as error:
        return error.diagnostics, time.process_time() - started
    return None, time.process_time() - started


def check_agreement(spec: Any, folder: Path, *, seconds: float = 1.0) -> str:
    """Load a document and hold the loader to the schema; gives `accepted` or the first code.

    What the loader accepts, the schema accepts; what it refuses, it refuses with a code and a
    place; either within a second.
    """
    path = folder / "generated.yaml"
    path.write_text(json.dumps(spec, ensure_ascii=False), "utf-8")
    found, spent = _load(path)
    if spent > seconds:  # the first spec that asks for a library imports it, too
        found, spent = _load(path)
    if spent > seconds:
        raise Disagreement(f"loading took {spent:.1f} s")
    if found is None:
        wrong = list(validator().iter_errors(spec))
        if wrong:
            raise Disagreement(f"the loader accepts what the schema refuses: {wrong[0].message}")
        return "accepted"
    errors = [one for one in found if one.severity == "error"]
    if not errors:
        raise Disagreement(f"refused without an error: {found}")
    for one in found:
        if one.span is None and one.code not in NO_PLACE:
            raise Disagreement(f"{one.code} has no place: {one.message}")
    return errors[0].code
