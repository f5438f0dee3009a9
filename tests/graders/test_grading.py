"""Grading: an error never pays, and every failure says which grader it was and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftspec.diagnostics import DiagnosticError
from rftspec.expr.types import NUMBER, STRING, ListOf, OptionalOf, RecordOf
from rftspec.graders.grading import GraderSet, check_graders, read_output
from rftspec.graders.score import Graded, Sample

ITEM = RecordOf({"gene": STRING, "weight": NUMBER, "note": OptionalOf(STRING)})
GENES = RecordOf({"genes": ListOf(STRING)})
FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "schema": {
            "type": "object",
            "properties": {"genes": {"type": "array", "items": {"type": "string"}}},
            "required": ["genes"],
        }
    },
}
RANK = {
    "type": "expression",
    "expression": "rank_decay(rank_of(item.gene, sample.output_json.genes), 1.0, 0.5) ?? 0",
}
PYTHON = {
    "type": "python",
    "source": (
        "def grade(sample, item):\n"
        "    text = sample['output_text']\n"
        "    if text == 'raise':\n        raise ValueError('no such thing')\n"
        "    if text == 'loop':\n        while True:\n            pass\n"
        "    if text == 'memory':\n        return len('a' * 10 ** 10)\n"
        "    if text == 'nan':\n        return float('nan')\n"
        "    if text == 'none':\n        return None\n"
        "    if text == 'far':\n        return 7\n"
        "    return 1.0\n"
    ),
    "file": "graders/penalty.py",
}
ROW = {"gene": "B", "weight": 2.0}


def make(
    graders: Mapping[str, Any], reward: str, metrics: Mapping[str, str] | None = None
) -> GraderSet:
    return GraderSet.from_json(graders, reward, metrics or {}, ITEM, FORMAT)


def grade(made: GraderSet, *texts: str, row: Mapping[str, Any] = ROW) -> list[Graded]:
    samples = [read_output(text, FORMAT) for text in texts]
    return made.grade(samples, [row] * len(samples))


@pytest.fixture(scope="module")
def penalised() -> Iterator[GraderSet]:
    with make({"penalty": PYTHON, "rank": RANK}, "1 - penalty") as made:
        yield made


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("raise", "python_grader_runtime_error", "graders/penalty.py:4: ValueError: no such thing"),
        ("loop", "python_grader_runtime_error", "time"),
        ("memory", "python_grader_runtime_error", "over a limit"),
        ("nan", "other_error", "nan is not a score"),
        ("none", "other_error", "None (no return?)"),
        ("far", "other_error", "7 is outside the range [0, 1]"),
    ],
)
def test_failed_penalty_does_not_read_as_zero(
    penalised: GraderSet, text: str, kind: str, word: str
) -> None:
    (graded,) = grade(penalised, text)
    assert graded.reward == penalised.reward_range[0] == 0.0
    assert (graded.error, graded.error_grader) == (kind, "penalty")
    assert word in (graded.error_detail or "")
    assert graded.scores["penalty"].value is None
    assert graded.scores["penalty"].error == kind


def test_failure_beside_it_leaves_a_sample_alone(penalised: GraderSet) -> None:
    rewards = [g.reward for g in grade(penalised, "fine", "raise", "fine", "far")]
    assert rewards == [0.0, 0.0, 0.0, 0.0]
    errors = [g.error for g in grade(penalised, "fine", "raise", "fine", "far")]
    assert errors == [None, "python_grader_runtime_error", None, "other_error"]


def test_failure_of_a_grader_that_the_reward_does_not_use_costs_nothing() -> None:
    with make({"penalty": PYTHON, "rank": RANK}, "rank", {"m": "penalty"}) as made:
        (graded,) = grade(made, '{"genes": ["B"]}')
        assert (graded.reward, graded.error, graded.metrics["m"]) == (1.0, None, 1.0)
        (graded,) = grade(made, "raise")
        assert (graded.reward, graded.error, graded.metrics["m"]) == (0.0, None, None)


def test_reward_that_has_no_value_gives_the_floor() -> None:
    with make({"rank": RANK}, "clamp(1 / (item.weight - 2), -3, 3) + rank") as made:
        (graded,) = grade(made, '{"genes": ["B"]}')
        assert made.reward_range == (-3.0, 4.0)
        assert graded.reward == -3.0
        assert graded.error == "formula_parse_error"
        assert graded.error_grader is None
        assert graded.error_detail


def test_metrics_count_a_bool_as_one_or_zero_and_a_failure_as_none() -> None:
    metrics = {
        "top@1": "(rank_of(item.gene, sample.output_json.genes) ?? 0) == 1",
        "found": "has(rank_of(item.gene, sample.output_json.genes))",
        "ratio": "1 / (item.weight - 2)",
    }
    with make({"rank": RANK}, "rank", metrics) as made:
        first, second, third = grade(made, '{"genes": ["B"]}', '{"genes": ["A", "B"]}', "no")
    assert first.metrics == {"top@1": 1.0, "found": 1.0, "ratio": None}
    assert second.metrics == {"top@1": 0.0, "found": 1.0, "ratio": None}
    assert third.metrics == {"top@1": 0.0, "found": 0.0, "ratio": None}
    assert [g.reward for g in (first, second, third)] == [1.0, 0.5, 0.0]


@settings(max_examples=50, deadline=None)
@given(
    weights=st.lists(st.floats(-5, 5), min_size=2, max_size=2),
    failing=st.sampled_from(["missing", "range"]),
)
def test_no_formula_lets_a_failure_pay_more_than_any_success(
    weights: list[float], failing: str
) -> None:
    broken = {"type": "string_check", "input": "{{ item.note }}", "reference": "x"}
    graders = {
        "a": {**broken, "operation": "ne"}
        if failing == "missing"
        else {"type": "expression", "expression": "item.weight", "range": [0, 1]},
        "b": RANK,
    }
    x, y = (f"({w!r})" if "e" not in repr(w) else "0" for w in weights)
    with make(graders, f"{x} * a + {y} * b + a * b") as made:
        (graded,) = grade(made, '{"genes": ["B"]}')
    assert graded.error is not None
    assert graded.reward == made.reward_range[0]


def test_grading_is_a_function_of_sample_and_row() -> None:
    with make({"rank": RANK, "penalty": PYTHON}, "0.5 * rank + 0.5 * penalty") as made:
        texts = ['{"genes": ["A", "B"]}', "raise", "nope"] * 40
        assert grade(made, *texts) == grade(made, *texts)


def test_reward_without_a_lowest_value_is_refused_and_says_which_grader() -> None:
    graders = {"w": {"type": "expression", "expression": "item.weight"}}
    with pytest.raises(DiagnosticError) as caught:
        make(graders, "w")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E407"
    assert "range: [low, high]` in w" in (diagnostic.hint or "")


def codes(graders: Mapping[str, Any], reward: str, **options: Any) -> list[tuple[str, str | None]]:
    found, interval = check_graders(graders, reward, {}, ITEM, FORMAT, **options)
    assert (interval is None) == any(d.severity == "error" for d in found)
    return [(d.code, d.path) for d in found]


STRING_CHECK = {
    "type": "string_check",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.gene }}",
    "operation": "eq",
}


def test_sound_graders_have_nothing_to_say() -> None:
    assert codes({"rank": RANK, "same": STRING_CHECK}, "0.5 * rank + 0.5 * same") == []


@pytest.mark.parametrize(
    ("graders", "reward", "expected"),
    [
        ({"a": {**STRING_CHECK, "input": "{{ item.gen }}"}}, "a", ("E401", "graders.a.input")),
        ({"a": {**RANK, "range": [1, 0]}}, "a", ("E402", "graders.a.range")),
        ({"a": {"type": "python", "source": "x = 1"}}, "a", ("E403", "graders.a.source")),
        ({"a": {"type": "nope"}}, "1", ("E405", "graders.a.type")),
        ({"min": RANK}, "1", ("E406", "graders.min")),
        ({"item": RANK}, "1", ("E406", "graders.item")),
        ({"a-b": RANK}, "1", ("E406", "graders.a-b")),
        ({"if": RANK}, "1", ("E406", "graders.if")),
        ({"a": RANK, "b": RANK}, "a", ("E408", "graders.b")),
        ({"a": RANK}, "0.5", ("E409", "reward")),
        (
            {"m": {"type": "multi", "graders": {"x": {"type": "string_check"}},
                   "calculate_output": "x"}},
            "m",
            ("E411", "graders.m.graders.x"),
        ),
    ],
)  # fmt: skip
def test_each_mistake_has_its_code_and_path(
    graders: dict[str, Any], reward: str, expected: tuple[str, str]
) -> None:
    assert expected in codes(graders, reward)


def test_everything_wrong_is_told_at_once() -> None:
    graders = {
        "a": {**STRING_CHECK, "input": "{{ item.gen }}", "reference": "{{ x"},
        "b": {"type": "python", "source": "import os\nimport socket\ndef grade(s, i): pass"},
    }
    told = [code for code, _ in codes(graders, "a + nope")]
    assert told.count("E401") == 2
    assert told.count("E403") == 2
    assert any(code.startswith("E3") for code in told)


def test_output_json_without_a_json_format_is_warned_of() -> None:
    found, _ = check_graders({"rank": RANK}, "rank", {}, ITEM, None)
    assert [(d.code, d.severity) for d in found if d.code == "E410"] == [("E410", "warning")]


def test_unsandboxed_check_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rftspec.sandbox.pool.Pool._spawn", lambda self: pytest.fail("started"))
    assert codes({"a": PYTHON}, "a", sandbox=None) == []


def test_output_that_is_not_json_is_missing_for_graders() -> None:
    sample = read_output("nope", FORMAT)
    assert sample == Sample("nope")
    assert sample.to_json()["output_json"] is None


def test_a_comparison_that_a_graders_range_decides_is_warned_of() -> None:
    found, _ = check_graders({"rank": RANK}, "if rank > 1 then 1 else rank", {}, ITEM, FORMAT)
    [told] = [d for d in found if d.path == "reward"]
    assert told.severity == "warning"
    assert "rank > 1" in f"{told.message} {told.snippet}"
    fine, _ = check_graders({"rank": RANK}, "if rank > 0.5 then 1 else rank", {}, ITEM, FORMAT)
    assert not [d for d in fine if d.path == "reward"]
