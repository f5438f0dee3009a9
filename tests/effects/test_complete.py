"""Every field of the spec has an effect test, and every choice of a field is tried."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rftspec.graders.kinds import KINDS
from rftspec.spec.schema import spec_schema
from tests.effects.table import Effect
from tests.effects.world import BASE, changed

ROOT = Path(__file__).resolve().parents[2]
TABLES = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
ELSEWHERE: Mapping[str, str] = {
    "data.gold": "tests/plan/test_probe.py::test_the_gold_answer_of_the_spec_wins_over_the_search",
    "evaluate.references.*.note": (
        "tests/effects/test_evaluate.py::test_the_note_of_a_reference_stands_in_the_report"
    ),
    "train.correction": (
        "tests/engine/test_algorithms.py::test_a_sampler_that_differs_is_corrected_and_counted"
    ),
    "graders.endpoint.rate_limit": (
        "tests/graders/test_endpoint.py::test_rate_limit_holds_over_all_requests"
    ),
    **{
        f"graders.{kind}.concurrency": (
            "tests/effects/test_judges.py::test_so_many_questions_are_asked_at_the_same_time"
        )
        for kind in ("score_model", "label_model", "endpoint")
    },
}
"""Fields whose effect is observed otherwise, each with the test that does."""
CHOICES_ELSEWHERE: Mapping[tuple[str, str], str] = {
    ("device", "auto"): "tests/effects/test_run_fields.py::test_auto_is_the_gpu_if_there_is_one",
    ("graders.text_similarity.evaluation_metric", "meteor"): (
        "tests/graders/test_text_similarity.py::test_meteor_reads_wordnet_from_the_folder_in_nltk_data"
    ),
}
"""The same for single choices of a field."""
LABELS: Mapping[str, str] = {
    "version": "one value is allowed",
    "meta": "anything, never read",
    "graders.python.image_tag": "the hosted product's image of packages",
    **{
        f"graders.{kind}.name": "the hosted product's name; the key names a grader"
        for kind in KINDS
    },
    **{
        f"response.format.{name}": "OpenAI's; a label, which no model here is told"
        for name in (
            "json_schema.name",
            "json_schema.description",
            "json_schema.strict",
            "name",
            "strict",
        )
    },
}
"""Fields that are to have none, each with the reason."""


def fields_of(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field that takes a value, with its schema; `*` stands for the names of a mapping."""
    if path == "graders":
        for kind, variant in schema["additionalProperties"]["x-variants"].items():
            for name, inner in variant["properties"].items():
                if name == "sampling_params":
                    yield from fields_of(inner, f"graders.{kind}.{name}")
                elif name != "type":
                    yield f"graders.{kind}.{name}", inner
        return
    inside = dict(schema.get("properties", {}))
    if isinstance(schema.get("additionalProperties"), Mapping):
        inside["*"] = schema["additionalProperties"]
    if path and (not inside or schema.get("type") != "object"):
        yield path, schema
    for name, inner in inside.items():
        yield from fields_of(inner, f"{path}.{name}".lstrip("."))


FIELDS = dict(fields_of(spec_schema()))


def effects() -> list[Effect]:
    """The rows of all tables."""
    modules = [importlib.import_module(f"tests.effects.{name}") for name in TABLES]
    return [row for module in modules for row in getattr(module, "TABLE", ())]


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_has_an_effect_test(path: str) -> None:
    tried = {row.field for row in effects()}
    homes = [path in tried, path in ELSEWHERE, path in LABELS]
    assert sum(homes) == 1, f"give `{path}` a row in a table of tests/effects (see table.py)"


@pytest.mark.parametrize("path", [path for path, schema in FIELDS.items() if "enum" in schema])
def test_every_choice_of_a_field_is_tried(path: str) -> None:
    tried = {choice for field, choice in CHOICES_ELSEWHERE if field == path}
    leaf = path.rpartition(".")[2]
    for row in effects():
        if row.field == path:
            before = at(changed(BASE, row.base), row.place)
            given = (*row.values, FIELDS[path].get("default") if before is None else before)
            tried |= {v[leaf] if isinstance(v, Mapping) else v for v in given}
    assert path in ELSEWHERE or tried >= set(FIELDS[path]["enum"]) - {None}, path


def test_rows_and_exceptions_name_fields_that_exist() -> None:
    named = [row.field for row in effects()] + [*ELSEWHERE, *LABELS]
    assert set(named) <= FIELDS.keys()


@pytest.mark.parametrize("place", sorted({*ELSEWHERE.values(), *CHOICES_ELSEWHERE.values()}))
def test_effects_that_are_observed_otherwise_have_their_test(place: str) -> None:
    file, _, name = place.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text("utf-8")


def at(spec: Any, path: str) -> Any:
    """The value at a dotted path, None where there is none."""
    for name in path.split("."):
        spec = spec.get(name) if isinstance(spec, Mapping) else None
    return spec
