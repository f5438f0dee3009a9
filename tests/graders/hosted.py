"""The table of hosted graders: each entry loaded as a spec, and graded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rftspec.diagnostics import Diagnostic, DiagnosticError
from rftspec.expr.types import merge_value_types
from rftspec.graders.grading import GraderSet, read_output
from rftspec.graders.score import Sample, Score
from rftspec.spec.load import Loaded, load_spec

TABLE = Path(__file__).resolve().parents[1] / "cases" / "hosted_graders.yaml"
JSON_FORMAT = {"type": "json_object"}
PROMPTS = ("What is the capital of Norway?", "Name three primes above a hundred.")
VERDICTS = ("score", "error", "builds", "refused")


@cache
def entries() -> tuple[Mapping[str, Any], ...]:
    """The table, in its order."""
    return tuple(yaml.safe_load(TABLE.read_text("utf-8")))


def verdict(entry: Mapping[str, Any]) -> str:
    """What becomes of the grader: one of VERDICTS."""
    if "refused" in entry:
        return "refused"
    return next(kind for kind in VERDICTS if kind in entry)


def key(grader: Mapping[str, Any]) -> str:
    """What the grader is called in the spec: its hosted name, where that can be a variable."""
    name = grader.get("name", "")
    return name if name.isidentifier() else "my_grader"


def load(
    entry: Mapping[str, Any], grader: Mapping[str, Any], folder: Path
) -> tuple[Loaded | None, Sequence[Diagnostic]]:
    """The grader in a spec whose rows are the entry's item: the spec, and all that is said."""
    rows = [
        {"messages": [{"role": "user", "content": prompt}], "id": n, **entry["item"]}
        for n, prompt in enumerate(PROMPTS)
    ]
    for name, row in zip(("train", "validation"), rows, strict=True):
        (folder / f"{name}.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    spec: dict[str, Any] = {
        "version": 1,
        "name": "hosted",
        "model": {"base": "builtin:case-reader"},
        "data": {"train": "train.jsonl", "validation": "validation.jsonl"},
        "graders": {key(grader): dict(grader)},
        "reward": f"clamp({key(grader)}, 0, 5)",
    }
    if entry.get("response") == "json":
        spec["response"] = {"format": JSON_FORMAT}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True), "utf-8")
    try:
        loaded = load_spec(path)
    except DiagnosticError as error:
        return None, error.diagnostics
    return loaded, loaded.diagnostics


def score(
    entry: Mapping[str, Any], loaded: Loaded, typed_by: Mapping[str, Any] | None = None
) -> Score:
    """What the loaded grader says of the entry's sample; types are those of another row, if any."""
    given = entry["sample"]
    text = given if isinstance(given, str) else given["text"]
    format_ = JSON_FORMAT if entry.get("response") == "json" else None
    sample = read_output(text, format_)
    if not isinstance(given, str):
        sample = Sample(text, sample.output_json, given["tools"])
    item = {"messages": [{"role": "user", "content": PROMPTS[0]}], "id": 0, **entry["item"]}
    [name] = loaded.graders
    type_ = merge_value_types([{**item, **(typed_by or {})}])
    with GraderSet.from_json(loaded.graders, f"clamp({name}, 0, 5)", {}, type_, format_) as made:
        return made.grade([sample], [item])[0].scores[name]
