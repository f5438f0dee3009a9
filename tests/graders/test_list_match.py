"""list_match: each metric by its definition, repetitions, likeness, and bounds."""

from __future__ import annotations

import json
import math
import time
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from rftspec.graders.list_metrics import METRICS, matching
from rftspec.graders.score import Sample
from tests.graders.grading import built, problems, score


def value(found: Any, wanted: Any, metric: str = "f1", **more: Any) -> float | None:
    text = found if isinstance(found, str) else json.dumps(found)
    made = {"type": "list_match", "reference": "{{ item.xs }}", "metric": metric, **more}
    return score(made, text, {"xs": wanted}).value


@pytest.mark.parametrize(
    ("metric", "found", "wanted", "expected"),
    [
        ("f1", ["a", "b"], ["b", "c", "d"], 2 * 1 / 5),
        ("precision", ["a", "b"], ["b", "c", "d"], 1 / 2),
        ("recall", ["a", "b"], ["b", "c", "d"], 1 / 3),
        ("jaccard", ["a", "b"], ["b", "c", "d"], 1 / 4),
        ("exact", ["a", "b"], ["a", "b"], 1),
        ("exact", ["b", "a"], ["a", "b"], 0),
        ("lcs", ["a", "x", "b", "c"], ["a", "b", "c"], 6 / 7),
        ("lcs", ["a", "x", "a", "b"], ["x", "a"], 4 / 6),
        ("lcs", ["c", "b", "a"], ["a", "b", "c"], 2 / 6),
        ("kendall", ["a", "b", "c"], ["a", "b", "c"], 1),
        ("kendall", ["c", "b", "a"], ["a", "b", "c"], 0),
        ("kendall", ["a", "c", "b"], ["a", "b", "c"], 2 / 3),
        ("kendall", ["a", "c"], ["a", "b", "c"], 1 / 3),
        ("kendall", ["x", "a"], ["a"], 1),
        ("kendall", ["x"], ["a"], 0),
        ("ndcg", ["x", "a"], ["a"], 1 / math.log2(3)),
        ("ndcg", ["a", "b"], ["b", "a"], 1),
        ("ndcg", ["a", "x", "b"], ["a", "b"], 1.5 / (1 + 1 / math.log2(3))),
    ],
)
def test_each_metric_is_what_it_says(
    metric: str, found: list[str], wanted: list[str], expected: float
) -> None:
    assert value(found, wanted, metric) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_empty_lists_agree_with_each_other_only(metric: str) -> None:
    assert value([], [], metric) == 1.0
    assert value(["a"], [], metric) == 0.0
    assert value([], ["a"], metric) == 0.0
    assert value([], ["a", "b"], metric) == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_equal_lists_agree_wholly(metric: str) -> None:
    for xs in (["a"], ["a", "b", "c"], ["a", "a", "b"], [1, None, {"x": [1]}, "1"]):
        assert value(xs, xs, metric) == 1.0


def test_kendall_is_that_of_scipy_for_permutations() -> None:
    wanted = list("abcde")
    for found in permutations(wanted):
        tau = kendalltau([wanted.index(x) for x in found], range(5)).statistic
        assert value(list(found), wanted, "kendall") == pytest.approx((tau + 1) / 2, abs=1e-12)


def test_repeats_count_unless_they_are_ignored() -> None:
    assert value(["a", "a", "a"], ["a", "b"]) == pytest.approx(2 / 5)
    assert value(["a", "a", "a"], ["a", "b"], repeats="ignore") == pytest.approx(2 / 3)
    assert value(["a"], ["a", "a"], "recall") == 0.5
    assert value(["a", "a"], ["a", "a"]) == 1.0


@pytest.mark.parametrize("metric", ["f1", "precision", "jaccard", "lcs", "ndcg"])
def test_saying_the_right_thing_again_never_pays(metric: str) -> None:
    once = value(["a", "x"], ["a", "b"], metric)
    again = value(["a", "x", "a", "a"], ["a", "b"], metric)
    assert once is not None
    assert again is not None
    assert again <= once


def test_elements_are_compared_as_json() -> None:
    assert value([1, "a", None], [1.0, "a", None]) == 1.0
    assert value(["1"], [1]) == 0.0
    assert value([True], [1]) == 0.0
    assert value([{"a": 1, "b": 2}], [{"b": 2, "a": 1}]) == 1.0


def test_normalize_compares_texts_as_people_do() -> None:
    assert value(["  ＡＢＣ  d "], ["abc d"], normalize=True) == 1.0
    assert value(["ABC"], ["abc"]) == 0.0


def test_at_least_takes_texts_that_are_alike() -> None:
    found, wanted = ["marfan syndrom", "gout"], ["marfan syndrome", "lupus"]
    assert value(found, wanted) == 0.0
    assert value(found, wanted, at_least=0.9) == 0.5
    assert value(found, wanted, at_least=1.0) == 0.0
    assert value([1, "a"], [1, "a"], at_least=0.5) == 1.0


def test_likeness_matches_each_element_once_and_as_many_as_possible() -> None:
    assert value(["abcd", "abcd"], ["abcd"], at_least=0.7) == pytest.approx(2 / 3)
    # the first could take either, the second only one of them
    assert value(["abcx", "abcd"], ["abcd", "abxx"], at_least=0.75) == 1.0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), unique=True, max_size=4), max_size=5))
def test_matching_is_the_largest(near: list[list[int]]) -> None:
    def best(i: int, used: frozenset[int]) -> int:
        if i == len(near):
            return 0
        taken = [1 + best(i + 1, used | {r}) for r in near[i] if r not in used]
        return max([best(i + 1, used), *taken])

    found = matching(near, 6)
    rights = [r for r in found if r is not None]
    assert len(rights) == len(set(rights)) == best(0, frozenset())
    assert all(r is None or r in near[i] for i, r in enumerate(found))


def test_split_reads_lines_and_commas() -> None:
    lines = "\n- a \n* b\n\n1. c\n2) d\n"
    assert value(lines, ["a", "b", "c", "d"], "exact", split="lines") == 1.0
    assert value(" a, b ,,c", ["a", "b", "c"], "exact", split="commas") == 1.0
    assert value("a, b", "b,a", split="commas") == 1.0
    assert value("-1\n2.5", ["-1", "2.5"], "exact", split="lines") == 1.0


def test_top_counts_the_first_elements_only() -> None:
    assert value(["a", "x", "b"], ["a", "b"], "recall") == 1.0
    assert value(["a", "x", "b"], ["a", "b"], "recall", top=2) == 0.5


@pytest.mark.parametrize("text", ["", "a, b", '{"a": 1}', "7", "null", "[1, 2", "[NaN]"])
def test_answer_that_is_no_list_scores_zero(text: str) -> None:
    assert value(text, []) == 0.0


@pytest.mark.parametrize("wanted", ["a", 7, {"a": 1}, None])
def test_reference_that_is_no_list_is_an_error(wanted: Any) -> None:
    made = {"type": "list_match", "reference": "{{ item.xs }}"}
    assert score(made, "[]", {"xs": wanted}).error == "other_error"
    assert score(made, "[]", {}).error == "invalid_variable_error"


def test_detail_counts_both() -> None:
    made = {"type": "list_match", "reference": "{{ item.xs }}"}
    assert score(made, '["a"]', {"xs": ["b", "c"]}).detail == "1 found, 2 wanted"
    assert score(made, "a", {"xs": []}).detail == "not a list"


def test_top_with_exact_is_refused() -> None:
    [found] = problems({"type": "list_match", "reference": "[]", "metric": "exact", "top": 3})
    assert (found.code, found.path) == ("E422", "graders.g.top")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (json.dumps(list(range(10_001))), {}),
        (json.dumps(["a"] * 500), {"at_least": 0.5}),
        (json.dumps(["a" * 20_000] * 10), {"at_least": 0.5}),
        ("a," * 500_001, {"split": "commas"}),
    ],
    ids=["elements", "pairs", "characters", "text"],
)
def test_list_over_a_limit_has_no_score(text: str, more: dict[str, Any]) -> None:
    made = {"type": "list_match", "reference": "{{ item.xs }}", **more}
    row = {"xs": ["a" * 1000] * 100}
    found = score(made, text, row)
    assert (found.value, found.error) == (None, "other_error")


@pytest.mark.parametrize("metric", METRICS)
def test_longest_lists_are_compared_in_seconds(metric: str) -> None:
    made = built({"type": "list_match", "reference": "{{ item.xs }}", "metric": metric})
    row = {"xs": list(range(10_000))}
    started = time.perf_counter()
    for found in (list(range(10_000))[::-1], ["a"] * 10_000):
        assert made.grade([Sample(json.dumps(found))], [row])[0].value is not None
    assert time.perf_counter() - started < 15


def test_worst_case_of_likeness_takes_seconds() -> None:
    made = {"type": "list_match", "reference": "{{ item.xs }}", "at_least": 0.5}
    wanted = ["a" * (i + 1) for i in range(199)] + ["b"]
    started = time.perf_counter()
    found = score(made, json.dumps(["a" * (i % 50 + 1) for i in range(200)]), {"xs": wanted})
    assert found.value is not None
    assert time.perf_counter() - started < 15


ELEMENTS = st.lists(st.sampled_from("abcd"), max_size=6)


@settings(max_examples=200, deadline=None)
@given(ELEMENTS, ELEMENTS, st.sampled_from(sorted(METRICS)))
def test_scores_stay_in_range_and_full_marks_mean_agreement(
    found: list[str], wanted: list[str], metric: str
) -> None:
    got = value(found, wanted, metric)
    assert got is not None
    assert 0.0 <= got <= 1.0
    if metric in ("f1", "jaccard"):
        assert (got == 1.0) == (sorted(found) == sorted(wanted))
    if metric in ("exact", "lcs"):
        assert (got == 1.0) == (found == wanted)
