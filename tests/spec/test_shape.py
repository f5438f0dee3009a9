"""The structure check and the JSON Schema: one declaration, two readers that agree."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftspec.diagnostics import Collector
from rftspec.spec.fields import build
from rftspec.spec.model import Spec
from rftspec.spec.schema import spec_schema
from rftspec.spec.shape import check_shape
from rftspec.spec.suggest import did_you_mean, distance
from rftspec.spec.yaml_reader import parse_text
from tests.spec.samples import SAMPLES

SAMPLE: dict[str, Any] = yaml.safe_load((SAMPLES / "ranking.yaml").read_text())


def _accepts(value: Any) -> bool:
    """Whether the structure check accepts a JSON value (which is YAML, too)."""
    text = json.dumps(value, ensure_ascii=False)
    document = parse_text(text, Path("s.yaml"), "s.yaml", Collector())
    if document.collector.has_errors or document.root is None:
        return False
    found = Collector()
    check_shape(document.root, spec_schema(), found)
    return not found.has_errors


def test_schema_is_a_json_schema_and_accepts_the_sample() -> None:
    jsonschema.Draft202012Validator.check_schema(spec_schema())
    jsonschema.validate(SAMPLE, spec_schema())
    assert _accepts(SAMPLE)


def test_every_field_has_a_description_and_every_default_its_reason_or_is_plain() -> None:
    def visit(schema: dict[str, Any], path: str) -> None:
        for name, inner in schema.get("properties", {}).items():
            if inner.get("description") is None:
                raise AssertionError(f"{path}{name} has no description")
            if inner.get("default") not in (None, [], {}, "auto"):
                assert "x-reason" in inner, f"{path}{name}"
            if name not in ("format", "prompt", "graders"):
                visit(inner, f"{path}{name}.")

    visit(spec_schema(), "")


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 600)
    | st.floats(-2, 200, allow_nan=False).filter(lambda value: not float(value).is_integer())
    | st.sampled_from(["", "auto", "nf4", "none", "item.gene", "grpo", "cpu", "x", "a b", "json"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "split", "by", "x-note", "rank", "a"]), inner)
    ),
    max_leaves=4,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _paths(inner, (*path, index))
    return found


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_structure_check_agrees_with_jsonschema_on_spoiled_specs(data: st.DataObject) -> None:
    spec = copy.deepcopy(SAMPLE)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([p for p in _paths(spec) if p]))
        parent = spec
        for key in path[:-1]:
            parent = parent[key]
        action = data.draw(st.sampled_from(["replace", "delete", "add"]))
        if action == "replace":
            parent[path[-1]] = data.draw(VALUES)
        elif action == "delete":
            del parent[path[-1]]
        elif isinstance(parent, dict):
            names = ["epochs", "learning_rate", "kl", "note", "x-mine", "stepz", "source", "seed"]
            parent[data.draw(st.sampled_from(names))] = data.draw(VALUES)
    validator = jsonschema.Draft202012Validator(spec_schema())
    assert _accepts(spec) == validator.is_valid(spec), list(validator.iter_errors(spec))


def test_accepted_values_build_a_spec_with_the_declared_types() -> None:
    spec = build(Spec, SAMPLE)
    assert spec.train.steps == 4
    assert spec.model.lora.rank == 16
    assert spec.data.disjoint == ("item.gene",)
    assert spec.evaluate.references["elsewhere"].outputs == "ranking/outputs.jsonl"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("trian", "train"),
        ("Steps", "steps"),
        ("max-steps", "steps"),
        ("learning-rate", "learning_rate"),
        ("qqq", None),
    ],
)
def test_misspelt_key_is_met_with_what_was_meant(typed: str, meant: str | None) -> None:
    known = ["train", "steps", "learning_rate", "samples_per_prompt", "seed"]
    hint = did_you_mean(typed, known)
    assert (hint is None) if meant is None else (hint is not None and f"`{meant}`" in hint)


def test_swapped_neighbours_are_one_step_apart() -> None:
    assert distance("trian", "train") == 1
    assert distance("kitten", "sitting", limit=9) == 3


def _numbers(schema: dict[str, Any], path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, inner in schema.get("properties", {}).items():
        if name == "graders":
            continue
        if {"minimum", "maximum", "exclusiveMinimum"} & inner.keys():
            found.append(((*path, name), inner))
        found += _numbers(inner, (*path, name))
    return found


@pytest.mark.parametrize(
    ("path", "schema"), _numbers(spec_schema(), ()), ids=lambda value: str(value)[:40]
)
def test_bounds_of_a_number_belong_to_it_or_not_as_the_schema_says(
    path: tuple[str, ...], schema: dict[str, Any]
) -> None:
    for bound in ("minimum", "maximum", "exclusiveMinimum"):
        for change in (-1, 0, 1) if bound in schema else ():
            spec = copy.deepcopy(SAMPLE)
            parent = spec
            for name in path[:-1]:
                inner = parent.get(name)
                parent[name] = inner if isinstance(inner, dict) else {"split": 1}
                parent = parent[name]
            parent[path[-1]] = schema[bound] + change
            validator = jsonschema.Draft202012Validator(spec_schema())
            assert _accepts(spec) == validator.is_valid(spec), (path, parent[path[-1]])
