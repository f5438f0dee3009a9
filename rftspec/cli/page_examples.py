"""Examples on the pages of `rftspec explain`, each of which a test tries.

Where the thing itself says one (a function's example, a field's default), it is taken from there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

SECTIONS: Mapping[str, Any] = {
    "model": {"base": "builtin:case-reader"},
    "model.lora": {"rank": 16},
    "data": {"train": "data/train.jsonl", "validation": "data/validation.jsonl"},
    "response": {"max_tokens": 96},
    "response.format.json_schema": {"name": "answer", "schema": {"type": "object"}},
    "response.format.json_schema.name": "answer",
    "response.format.json_schema.description": "Genes, the likeliest first",
    "response.format.json_schema.strict": True,
    "response.format.json_schema.schema": {"type": "object"},
    "response.format.name": "answer",
    "response.format.strict": True,
    "response.format.schema": {"type": "object"},
    "graders": {
        "exact": {
            "type": "string_check",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.gene }}",
            "operation": "eq",
        }
    },
    "on_error": {"stop_above": 0.05},
    "train": {"steps": 60},
    "evaluate": {"every": 20},
    "evaluate.references": {"elsewhere": {"outputs": "data/outputs.jsonl"}},
    "meta": {"author": "R. Fisher", "ticket": 12},
}
"""Values of fields whose declaration gives none that could be shown."""

GRADERS: Mapping[str, str] = {
    "string_check": """\
exact:
  type: string_check
  input: "{{ sample.output_text }}"
  reference: "{{ item.answer }}"
  operation: eq
""",
    "text_similarity": """\
near:
  type: text_similarity
  input: "{{ sample.output_text }}"
  reference: "{{ item.answer }}"
  evaluation_metric: rouge_l
""",
    "number_match": """\
right:
  type: number_match
  reference: "{{ item.answer }}"
  read: last
  relative: 0.01
""",
    "json_schema": """\
shape:
  type: json_schema
  credit: paths
  schema:
    type: object
    properties:
      name: { type: string, minLength: 1 }
      age: { type: integer, minimum: 0 }
      address:
        type: object
        properties: { street: { type: string }, zip: { type: string, pattern: "^[0-9]{5}$" } }
        required: [street, zip]
    required: [name, age, address]
    additionalProperties: false
""",
    "list_match": """\
codes:
  type: list_match
  input: "{{ sample.output_json.codes }}"
  reference: "{{ item.codes }}"
  metric: f1
  normalize: true
""",
    "expression": """\
rank:
  type: expression
  expression: rank_decay(rank_of(item.gene, sample.output_json.genes), first=1.0, second=0.7) ?? 0
  range: [0, 1]
""",
    "python": """\
concise:
  type: python
  source: |
    def grade(sample, item):
        words = sample["output_text"].split()
        return max(0.0, 1.0 - len(words) / item["most"])
""",
    "multi": """\
both:
  type: multi
  graders:
    exact: { type: string_check, input: "{{ sample.output_text }}", \
reference: "{{ item.answer }}", operation: eq }
    near: { type: string_check, input: "{{ sample.output_text }}", \
reference: "{{ item.answer }}", operation: ilike }
  calculate_output: 0.75 * exact + 0.25 * near
""",
    "score_model": """\
quality:
  type: score_model
  model: gpt-4.1-mini-2025-04-14
  input:
    - role: user
      content: |
        Compare the answer with the reference: 1 for the same meaning, 0.5 for a part of it, else 0.
        Reference: {{ item.answer }}
        Answer: {{ sample.output_text }}
  range: [0, 1]
""",
    "label_model": """\
tone:
  type: label_model
  model: gpt-4.1-mini-2025-04-14
  input:
    - { role: user, content: "Classify the tone of this answer: {{ sample.output_text }}" }
  labels: [polite, neutral, rude]
  passing_labels: [polite, neutral]
""",
    "endpoint": """\
tests_pass:
  type: endpoint
  url: http://localhost:8000/run-tests
  range: [0, 1]
""",
}
"""One grader of each kind, as it stands under `graders:`; the first on its page in docs/graders."""

_HOLES = {"{grader}": "rank", "{metric}": "top@1", "{error}": "python_grader_runtime_error"}
_VALUES: Mapping[str, float] = {
    "bytes": 1_900_000_000,
    "count": 3,
    "groups": 5,
    "s": 4.2,
    "tokens": 41.5,
    "tokens/s": 910.0,
    "nats": 0.012,
    "nats per token": 0.31,
    "1": 0.001,
}
"""A value of each unit; the others are shares, scores and rewards."""


def field_example(path: str, field: Mapping[str, Any]) -> Any:
    """A value that a field takes: its own example, its default, or one of its words."""
    if path in SECTIONS:
        return SECTIONS[path]
    if field.get("examples"):
        return field["examples"][0]
    if field.get("default") not in (None, [], {}):
        return field["default"]
    return next((word for word in field.get("enum", ())), None)


def as_yaml(path: str, value: Any) -> str:
    """The field as it stands in a spec, under the sections that it is in."""
    import yaml

    *above, name = path.split(".")
    lines = [f"{'  ' * depth}{section}:" for depth, section in enumerate(above)]
    text = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=88)
    return "\n".join(lines + ["  " * len(above) + line for line in text.rstrip().split("\n")])


def metric_example(name: str, unit: str, stream: str) -> str:
    """A line of the record that has the metric."""
    full = re.sub(r"\{[a-z]+\}", lambda hole: _HOLES[hole.group()], name)
    value = _VALUES.get(unit, 0.41)
    if stream == "timings":
        return json.dumps({"phase": "train", "step": 12, full: value})
    if "valid_" in full:
        where = {"model": "step-20", "split": "validation", "step": 20}
        return json.dumps({"event": "evaluation", **where, "metrics": {_measured(full): value}})
    return json.dumps({"event": "step", "step": 12, "metrics": {full: value}})


def _measured(name: str) -> str:
    """The name inside an evaluation, which says apart which split it is of: `valid_` goes."""
    if name.startswith("metrics/"):
        return name.removeprefix("metrics/").removesuffix("/valid_mean")
    short = name.replace("valid_", "").replace("reward_std", "std")
    return "reward" if short == "reward_mean" else short.removesuffix("/reward_mean")


def indented(lines: Sequence[str] | str) -> str:
    """A block of four spaces, as pages have it."""
    found = lines.strip("\n").split("\n") if isinstance(lines, str) else lines
    return "\n".join(f"    {line}".rstrip() for line in found)
