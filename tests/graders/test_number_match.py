"""number_match: what is read, what is near enough, and that nothing unreadable pays."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftspec.graders.score import Sample
from tests.graders.grading import built, problems, score


def value(answer: Any, wanted: Any, **more: Any) -> float | None:
    made = {"type": "number_match", "reference": "{{ item.n }}", **more}
    return score(made, answer, {"n": wanted}).value


@pytest.mark.parametrize(
    ("answer", "wanted", "score_"),
    [
        ("42", 42, 1.0),
        (" 42.0 \n", 42, 1.0),
        ("1,234.5", "1234.5", 1.0),
        ("-3", 3, 0.0),
        ("12%", 0.12, 1.0),
        ("1.2 million", 1_200_000, 1.0),
        ("$5", 5, 1.0),
        ("42 apples", 42, 0.0),
        ("the answer is 42", 42, 0.0),
        ("forty-two", 42, 0.0),
        ("", 42, 0.0),
        ("NaN", 42, 0.0),
        ("inf", 42, 0.0),
        ("1e999", 42, 0.0),
        ("42", "42", 1.0),
    ],
)
def test_whole_text_must_be_the_number(answer: str, wanted: Any, score_: float) -> None:
    assert value(answer, wanted) == score_


@pytest.mark.parametrize(
    ("read", "found"),
    [("first", 6.0), ("last", 42.0), ("after", 13.0)],
)
def test_read_says_which_number_counts(read: str, found: float) -> None:
    text = "6 of 7. #### 12 #### 13 or\nrather 42."
    more = {"read": read, **({"marker": "####"} if read == "after" else {})}
    assert [value(text, n, **more) for n in (6, 12, 13, 42)] == [
        float(n == found) for n in (6, 12, 13, 42)
    ]


def test_marker_that_is_not_there_is_no_answer() -> None:
    assert value("42", 42, read="after", marker="####") == 0.0
    assert value("42 ####", 42, read="after", marker="####") == 0.0


def test_percent_sign_is_read_as_asked() -> None:
    assert value("12%", 12, percent="number") == 1.0
    assert value("12%", 12) == 0.0
    assert value("12 %", "12 %", percent="number") == 1.0


@pytest.mark.parametrize(
    ("answer", "more", "score_"),
    [
        ("10.4", {"tolerance": 0.5}, 1.0),
        ("10.5", {"tolerance": 0.5}, 1.0),
        ("10.6", {"tolerance": 0.5}, 0.0),
        ("10.9", {"relative": 0.1}, 1.0),
        ("11.1", {"relative": 0.1}, 0.0),
        ("10.9", {"relative": 0.01, "tolerance": 1}, 1.0),
        ("10.1", {}, 0.0),
    ],
)
def test_tolerance_is_the_larger_of_both(answer: str, more: dict[str, Any], score_: float) -> None:
    assert value(answer, 10, **more) == score_


def test_partial_credit_falls_in_a_straight_line() -> None:
    more = {"relative": 0.1, "zero_at": 0.5}
    answers = ["10", "11", "12", "13", "14", "15", "16", "8", "-10"]
    wanted = [1, 1, 0.75, 0.5, 0.25, 0, 0, 0.75, 0]
    assert [value(a, 10, **more) for a in answers] == pytest.approx(wanted)
    assert value("-12", -10, **more) == pytest.approx(0.75)


def test_reference_of_zero_has_no_partial_credit() -> None:
    assert value("0.001", 0, zero_at=0.5) == 0.0
    assert value("0", 0, zero_at=0.5) == 1.0


UNITS = {"mg": 0.001, "g": 1, "kg": 1000, "µg": 1e-6, "°C": 1}


@pytest.mark.parametrize(
    ("answer", "score_"),
    [
        ("5 g", 1.0),
        ("5000 mg", 1.0),
        ("0.005kg", 1.0),
        ("5", 0.0),
        ("5 grams", 0.0),
        ("5 lb", 0.0),
        ("5 g of it", 0.0),
    ],
)
def test_units_scale_what_they_follow(answer: str, score_: float) -> None:
    assert value(answer, 5, units=UNITS, relative=1e-12) == score_


def test_units_in_running_text_pick_the_numbers_that_have_one() -> None:
    text = "Of 12 tablets (5000 mg) she took 3 grams, no 4."
    more = {"units": UNITS, "relative": 1e-12}
    assert value(text, 5, read="last", **more) == 1.0
    assert value(text, 12, read="first", **more) == 0.0
    assert value(text, 4, read="last", units={**UNITS, "": 1}) == 1.0


def test_unit_of_the_reference_counts_too() -> None:
    assert value("5 g", "5000 mg", units=UNITS, relative=1e-12) == 1.0
    assert value("5 g", "5", units=UNITS) == 1.0


def test_json_number_needs_no_text() -> None:
    call = {"function": {"total": 7, "ok": True, "list": [7], "big": 10**400}}
    sample = Sample("", output_tools=[call])

    def of(name: str, **more: Any) -> float | None:
        path = "{{ sample.output_tools[0].function." + name + " }}"
        return value(sample, 7, input=path, **more)

    assert of("total") == 1.0
    assert of("ok") == of("list") == of("big") == 0.0
    assert of("total", units=UNITS) == 0.0
    assert of("total", units={**UNITS, "": 1}) == 1.0


@pytest.mark.parametrize("wanted", ["seven", None, [7], True, 10**400, "1e999"])
def test_reference_that_is_no_number_is_an_error(wanted: Any) -> None:
    made = {"type": "number_match", "reference": "{{ item.n }}"}
    found = score(made, "7", {"n": wanted})
    assert (found.value, found.error) == (None, "other_error")


def test_path_that_leads_nowhere_is_an_error() -> None:
    made = {"type": "number_match", "reference": "{{ item.n }}"}
    assert score(made, "7", {}).error == "invalid_variable_error"


def test_detail_says_what_was_read() -> None:
    made = {"type": "number_match", "reference": "{{ item.n }}", "read": "last"}
    assert score(made, "so 6, or 7.5", {"n": 7}).detail == "7.5, not 7"
    assert score(made, "none", {"n": 7}).detail == "no number in the answer"


@pytest.mark.parametrize("text", ["1" * 999_999, "1," * 499_999, "1 " * 499_999, ".1" * 499_999])
@pytest.mark.parametrize("read", ["whole", "last", "first"])
def test_long_answers_are_read_in_seconds(text: str, read: str) -> None:
    started = time.perf_counter()
    assert value(text, 7, read=read) == 0.0
    assert time.perf_counter() - started < 10


def test_answer_of_megabytes_has_no_score() -> None:
    found = score({"type": "number_match", "reference": "7", "read": "last"}, "7 " * 500_001)
    assert (found.value, found.error) == (None, "other_error")


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"read": "after"}, "read"),
        ({"marker": "x"}, "marker"),
        ({"marker": "x", "read": "last"}, "marker"),
        ({"relative": 0.1, "zero_at": 0.1}, "zero_at"),
    ],
)
def test_settings_that_do_not_fit_are_refused(more: dict[str, Any], name: str) -> None:
    [found] = problems({"type": "number_match", "reference": "7", **more})
    assert (found.code, found.path) == ("E422", f"graders.g.{name}")


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS, st.floats(0, 10), st.floats(0, 10), st.none() | st.floats(11, 1e300))
def test_score_is_never_out_of_range_and_nearer_is_never_worse(
    a: float, wanted: float, tolerance: float, relative: float, zero_at: float | None
) -> None:
    more = {"tolerance": tolerance, "relative": relative}
    more |= {} if zero_at is None else {"zero_at": zero_at}
    made = built({"type": "number_match", "reference": "{{ item.n }}", **more})
    half = a / 2 + wanted / 2
    scores = made.grade(
        [Sample(repr(a)), Sample(repr(half))], [{"n": json.loads(repr(wanted))}] * 2
    )
    far, near = (s.value for s in scores)
    assert far is not None
    assert near is not None
    assert 0.0 <= far <= near + 1e-9 <= 1.0 + 1e-9
