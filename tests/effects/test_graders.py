"""Every setting of the graders that need no other process changes the scores in the record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.effects.table import Effect, Part
from tests.effects.world import World, check

SHORT = {"train.steps": 1, "train.prompts_per_step": 1, "on_error.stop_above": 1}
TEXT = "{{ sample.output_text }}"


def grader(
    kind: str,
    setting: str,
    values: tuple[Any, ...],
    answers: tuple[str, ...],
    differs: tuple[Part, ...] = ("scores",),
    spec: dict[str, Any] | None = None,
    beside: dict[str, Any] | None = None,
    **settings: Any,
) -> Effect:
    """A row for a setting of a grader: `settings` are the grader's others, `spec` other fields."""
    given = {"type": kind, **settings}
    if "input" not in given and kind in ("string_check", "text_similarity"):
        given["input"] = TEXT
    return Effect(
        f"graders.{kind}.{setting}",
        values,
        differs,
        base={
            **SHORT,
            "graders": {kind: given},
            "train.samples_per_prompt": max(2, len(answers)),
            **(spec or {}),
        },
        beside={f"graders.{kind}.{name}": value for name, value in (beside or {}).items()},
        answers=answers,
    )


def passing(kind: str, answers: tuple[str, ...] = ("1", "no"), **settings: Any) -> Effect:
    """A row for `pass_threshold`, which every grader has: a rate of who passes is recorded."""
    spec = {"evaluate.samples": len(answers)}
    return grader(kind, "pass_threshold", (0.7, 0), answers, ("means",), spec, **settings)


CHECK = {"reference": "abc", "operation": "eq"}
STRING_CHECK = (
    grader("string_check", "input", ("{{ item.answer }}",), ("abc", "x"), **CHECK),
    grader("string_check", "reference", ("x", "q"), ("abc", "x"), **CHECK),
    grader("string_check", "operation", ("ne", "like", "ilike"), ("abc", "xabcx", "ABC"), **CHECK),
    passing("string_check", ("abc", "x"), **CHECK),
)

FOX = "the quick brown fox jumps over the lazy dog"
FOXES = (
    "A quick, brown FOX jumped over the lazy dog today",
    "the lazy dog jumps over the quick brown fox jumps",
    "fox",
    "jumps over the lazy dog, and the quick brown fox sleeps",
)
ALIKE: dict[str, Any] = {"reference": FOX, "evaluation_metric": "fuzzy_match"}
METRICS = (
    "bleu", "gleu", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
)  # fmt: skip
DOGS = ("dogs hog foxes dogs hog", "foxes dogs lazy hog hog", "fox lazy fox")
FUZZY = (
    "ratio", "partial_ratio", "token_ratio", "token_sort_ratio", "token_set_ratio",
    "partial_token_ratio", "partial_token_sort_ratio", "partial_token_set_ratio",
)  # fmt: skip
TEXT_SIMILARITY = (
    grader("text_similarity", "input", ("{{ item.question }}",), FOXES, **ALIKE),
    grader("text_similarity", "reference", ("fox",), FOXES, **ALIKE),
    grader("text_similarity", "evaluation_metric", METRICS, FOXES, **ALIKE),
    grader("text_similarity", "fuzzy", FUZZY, DOGS, **{**ALIKE, "reference": "dogs dog dog dog"}),
    grader(
        "text_similarity",
        "fuzzy",
        ("QRatio",),
        ("a", ""),
        **{**ALIKE, "reference": "", "fuzzy": "ratio"},
    ),
    grader(
        "text_similarity",
        "evaluation_metric",
        ("cosine",),
        FOXES,
        beside={"model": "./toy"},
        **ALIKE,
    ),
    grader(
        "text_similarity",
        "model",
        ("./other",),
        FOXES,
        model="./toy",
        **{**ALIKE, "evaluation_metric": "cosine"},
    ),
    grader("text_similarity", "process", (False,), FOXES, **ALIKE),
    passing("text_similarity", ("a quick brown fox", "cat"), **ALIKE),
)

TWELVE = {"reference": "12"}
NUMBER_MATCH = (
    grader("number_match", "input", ("{{ item.answer }}",), ("12", "x"), **TWELVE),
    grader("number_match", "reference", ("13",), ("12", "13"), **TWELVE),
    grader("number_match", "read", ("first", "last"), ("12", "12 or 13", "13 or 12"), **TWELVE),
    grader("number_match", "read", ("after",), ("12", "# 12 or 13"), beside={"marker": "#"},
           **TWELVE),
    grader("number_match", "marker", ("=",), ("# 12 = 13", "= 12 # 13"), read="after",
           **{**TWELVE, "marker": "#"}),
    grader("number_match", "tolerance", (1, 2), ("13", "14"), **TWELVE),
    grader("number_match", "relative", (0.1, 0.2), ("13", "14"), **TWELVE),
    grader("number_match", "zero_at", (0.5, 1), ("13", "14"), **TWELVE),
    grader("number_match", "percent", ("number",), ("12%", "12"), **TWELVE),
    grader("number_match", "units", ({"": 1, "kg": 1}, {"kg": 12}), ("12 kg", "1 kg", "12"),
           **TWELVE),
    passing("number_match", ("12", "13"), **TWELVE),
)  # fmt: skip

PERSON = {
    "type": "object",
    "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
    "required": ["a", "b"],
}
PEOPLE = ('{"a": 1, "b": 2}', '{"a": 1}', "[]")
JSON_SCHEMA = (
    grader("json_schema", "input", ("{{ item.answer }}",), PEOPLE, schema=PERSON),
    grader("json_schema", "schema", ({**PERSON, "required": ["a"]},), PEOPLE, schema=PERSON),
    grader("json_schema", "file", ("list.json",), PEOPLE, file="person.json"),
    grader("json_schema", "credit", ("paths",), PEOPLE, schema=PERSON),
    passing("json_schema", PEOPLE, schema=PERSON),
)

ABC = {"reference": '["a", "b", "c"]'}
LISTS = ('["a", "b", "x"]', '["c", "b", "a", "a"]', '["a"]', '["b", "q", "a", "r", "s"]')
LIST_METRICS = ("precision", "recall", "jaccard", "exact", "lcs", "kendall", "ndcg")
LIST_MATCH = (
    grader("list_match", "input", ("{{ item.answer }}",), LISTS, **ABC),
    grader("list_match", "reference", ('["b"]',), LISTS, **ABC),
    grader("list_match", "metric", LIST_METRICS, LISTS, **ABC),
    grader("list_match", "split", ("lines", "commas"), ('["a"]', "a\nb", "a,b"), reference="a,b"),
    grader("list_match", "top", (1, 2), LISTS, **ABC),
    grader("list_match", "repeats", ("ignore",), LISTS, **ABC),
    grader("list_match", "normalize", (True,), ('["A", " b"]', "[]"), **ABC),
    grader("list_match", "at_least", (0.5, 0.9), ('["blue-birt"]', '["bluebird"]'),
           reference='["blue bird"]'),
    passing("list_match", LISTS, **ABC),
)  # fmt: skip

LENGTH = {"expression": "len(sample.output_text)"}
EXPRESSION = (
    grader("expression", "expression", ("2 * len(sample.output_text)",), ("a", "bb"), **LENGTH),
    grader("expression", "range", ([0, 1], [0, 2]), ("a", "bb", "ccc"), **LENGTH),
    passing("expression", ("", "bb"), **LENGTH),
)

ONE = "def grade(sample, item):\n    return len(sample['output_text']) / 2\n"
ODD = ONE.replace("/ 2", "% 2")
SLOW = "def grade(sample, item):\n    return sum(i for i in range(400000)) > 0\n"
PYTHON = (
    grader("python", "source", (ODD,), ("a", "bb"), source=ONE),
    grader("python", "file", ("odd.py",), ("a", "bb"), file="half.py"),
    grader("python", "range", ([0, 0.5], [0, 2]), ("a", "bb", "ccc"), source=ONE),
    grader("python", "timeout_s", (0.001,), ("a", "b"), source=SLOW),
    passing("python", ("", "bb"), source=ONE),
)

INSIDE = {"graders": {"short": {"type": "expression", "expression": "len(sample.output_text)"}}}
OTHER = {"short": {"type": "expression", "expression": "len(sample.output_text) % 2"}}
MULTI = (
    grader("multi", "graders", (OTHER,), ("aa", "bbb"), calculate_output="short", **INSIDE),
    grader("multi", "calculate_output", ("2 * short",), ("a", "b"), **INSIDE,
           calculate_output="short"),
    passing("multi", ("", "bb"), calculate_output="short", **INSIDE),
)  # fmt: skip

TABLE = (
    *STRING_CHECK,
    *TEXT_SIMILARITY,
    *NUMBER_MATCH,
    *JSON_SCHEMA,
    *LIST_MATCH,
    *EXPRESSION,
    *PYTHON,
    *MULTI,
)


@pytest.mark.parametrize("effect", TABLE, ids=str)
def test_changing_a_setting_changes_the_scores(world: World, effect: Effect) -> None:
    check(world, effect)
