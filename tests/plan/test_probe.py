"""Probes: what lazy answers earn, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rftspec.expr import merge_value_types
from rftspec.graders.grading import GraderSet
from rftspec.plan.gold import candidates, given_gold, instance
from rftspec.plan.probe import Probe, asks, probe
from rftspec.plan.probe_findings import CODES, findings

FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "ranking",
        "schema": {
            "type": "object",
            "properties": {
                "why": {"type": "string"},
                "genes": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["why", "genes"],
        },
    },
}
RANK = "rank_decay(rank_of(item.gene, sample.output_json.genes), first=1.0, second=0.7) ?? 0"


def rows(genes: str = "ABCDEFGH") -> list[dict[str, Any]]:
    return [
        {"messages": [{"role": "user", "content": f"case {i}: which gene?"}], "gene": f"GENE{g}"}
        for i, g in enumerate(genes)
    ]


def tried(
    expression: str,
    items: list[dict[str, Any]] | None = None,
    form: Any = FORM,
    **more: Any,
) -> Probe:
    items = items or rows()
    graders = {"g": {"type": "expression", "expression": expression, "range": [0, 1]}}
    with GraderSet.from_json(graders, "g", {}, merge_value_types(items), form) as made:
        return probe(made, items, form, **more)


def codes(found: Probe) -> set[str]:
    return {one.code for one in findings(found)}


def test_a_sound_grader_has_no_findings() -> None:
    found = tried(RANK)
    assert codes(found) == set()
    assert found.gold is not None
    assert found.gold.told == "item.gene in `genes`"
    gold, empty = found.of("gold"), found.of("empty")
    assert gold is not None
    assert gold.mean == 1.0
    assert empty is not None
    assert empty.mean == 0.0


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        # any JSON of the right form is paid in full
        ("if has(sample.output_json) then 1 else 0", "E602"),
        # the place in the list does not matter: listing everything is as good as knowing
        ("if has(rank_of(item.gene, sample.output_json.genes)) then 1 else 0", "W607"),
        # most of the reward is for the form
        (f"0.3 * ({RANK}) + (if has(sample.output_json) then 0.7 else 0)", "W604"),
        # full marks cannot be reached
        (f"0.8 * ({RANK})", "W603"),
        # a mention anywhere in the text is paid, whatever the form
        ("if contains(sample.output_text, item.gene) then 1 else 0", "W608"),
    ],
)  # fmt: skip
def test_a_lenient_grader_is_found_out(expression: str, code: str) -> None:
    assert code in codes(tried(expression))


def test_a_grader_that_fails_on_the_right_answer_is_an_error() -> None:
    expression = (
        f"({RANK}) / (1 - (if has(rank_of(item.gene, sample.output_json.genes)) then 1 else 0))"
    )
    found = tried(expression, gold={"why": "x", "genes": ["{{ item.gene }}"]})
    assert "E601" in codes(found)


def test_one_answer_for_most_rows_is_told() -> None:
    found = tried(RANK, rows("AAAAAB"))
    assert {"W610", "W604"} <= codes(found)
    assert found.commonest == ("GENEA", pytest.approx(5 / 6))


def test_rows_whose_fields_earn_nothing_ask_for_a_gold_answer() -> None:
    items = [{**row, "gene": "?"} for row in rows()]
    assert "W609" in codes(tried("if sample.output_text == 'secret' then 1 else 0", items))


def test_the_gold_answer_of_the_spec_wins_over_the_search() -> None:
    found = tried(RANK, gold={"why": "it fits", "genes": ["OTHER", "{{ item.gene }}"]})
    assert found.gold is not None
    assert found.gold.told == "data.gold"
    gold = found.of("gold")
    assert gold is not None
    assert gold.mean == pytest.approx(0.7)
    assert "W603" in codes(found)


def test_chance_in_a_grader_is_found() -> None:
    class Dice:
        reward_range = (0.0, 1.0)

        def __init__(self) -> None:
            self.calls = 0

        def grade(self, samples: Any, items: Any) -> Any:
            from rftspec.graders.score import Graded

            self.calls += 1
            return [Graded(0.5 + 0.01 * self.calls) for _ in samples]

    found = probe(Dice(), rows(), FORM)
    assert "W606" in codes(found)
    assert "gold" in found.differing


def test_rows_are_spread_over_the_split() -> None:
    many = [{"messages": [{"role": "user", "content": "?"}], "gene": f"G{i}"} for i in range(100)]
    assert tried(RANK, many, rows=5).rows == (0, 20, 40, 60, 80)


def test_text_answers_are_probed_too() -> None:
    exact = "if sample.output_text == item.gene then 1 else 0"
    found = tried(exact, form=None)
    assert codes(found) == set()
    assert found.of("empty form") is None
    everything = found.of("every candidate")
    assert everything is not None
    assert "GENEA, GENEB" in everything.example


def test_the_lists_of_candidates_do_not_favour_the_rows_own() -> None:
    found = tried(RANK)
    everything = found.of("every candidate")
    assert everything is not None
    assert everything.rewards[0] == 1.0  # GENEA is first by its name
    assert all(r == pytest.approx(0.7**i, abs=1e-6) for i, r in enumerate(everything.rewards))


def test_graders_that_ask_a_model_are_named() -> None:
    multi = {"type": "multi", "graders": {"b": {"type": "score_model"}}}
    assert asks({"a": {"type": "python"}, "m": multi}) == "m.b"
    assert asks({"s": {"type": "text_similarity", "evaluation_metric": "cosine"}}) == "s"
    assert asks({"s": {"type": "text_similarity", "evaluation_metric": "bleu"}}) is None


def test_every_code_of_a_finding_is_raised_by_something() -> None:
    import inspect

    from rftspec.plan import probe_findings

    source = inspect.getsource(probe_findings).split("LAZY =")[1]
    assert all(f'"{code}"' in source for code in CODES)


def test_gold_of_a_template_keeps_lists_and_numbers_as_they_are() -> None:
    item = {"names": ["a", "b"], "n": 3}
    made = given_gold(
        {"list": ["x", "{{ item.names }}"], "n": "{{ item.n }}", "t": "n={{ item.n }}"}
    )
    assert json.loads(made.text(item) or "") == {"list": ["x", "a", "b"], "n": 3, "t": "n=3"}
    assert made.is_list
    assert given_gold("{{ item.n }} apples").text(item) == "3 apples"
    assert given_gold("{{ item.other }}").text(item) is None


def golds(form: Any, item: dict[str, Any]) -> Iterator[str | None]:
    return (g.text(item) for g in candidates([item], form))


def test_candidates_fill_each_place_that_a_field_fits() -> None:
    form = {
        "type": "json_schema",
        "json_schema": {
            "schema": {
                "type": "object",
                "properties": {
                    "count": {"type": "integer"},
                    "label": {"enum": ["x"], "type": "string"},
                },
                "required": ["count", "label"],
            }
        },
    }
    found = [json.loads(text or "null") for text in golds(form, {"count": 7, "label": "y"})]
    assert {"count": 7, "label": "y"} in found
    assert {"count": 7, "label": "x"} in found


def test_an_instance_is_valid_against_its_schema() -> None:
    from jsonschema import Draft202012Validator

    schema = {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": "array", "minItems": 2, "items": {"type": "number", "minimum": 3}},
            "c": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
            "d": {"const": 4},
        },
        "required": ["a", "b", "c", "d"],
        "additionalProperties": False,
    }
    Draft202012Validator(schema).validate(instance(schema))
