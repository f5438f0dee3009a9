"""No function takes longer than it declares, whatever text or list a model may write."""

import contextlib
import time

import pytest

from rftspec.expr import EvalError, compile_expression, patterns
from rftspec.expr.functions import FUNCTIONS
from rftspec.expr.library.fuzzy import MAX_CELLS
from rftspec.expr.patterns import MAX_WORK, compile_pattern
from rftspec.expr.signature import CONSTANT, LINEAR, PATTERN, SORTING
from rftspec.expr.types import BOOL, JSON, NUMBER, STRING, ListOf, strip_optional

OVERLOADS = [way for function in FUNCTIONS.values() for way in function.overloads]
LARGE, SECONDS = 100_000, 2.0
"""Characters of a text, elements of a list: more than any answer has; and time for all machines."""

_HASH = 2**61 - 1
TEXTS = {
    "one letter": "a" * LARGE,
    "words": "the cat, " * (LARGE // 9),
    "numbers": "1,234.5% " * (LARGE // 9),
    "digits": "1" * LARGE,
    "brackets": "[" * LARGE,
    "accents": "a" + "\u0300\u0327" * (LARGE // 2) + "é" * LARGE,
    "a lone surrogate": "\ud800" + "b" * LARGE,
}
LISTS = {
    "number": {
        "rising": [float(i) for i in range(LARGE)],
        "equal": [1.0] * LARGE,
        "of one hash": [_HASH * i for i in range(LARGE)],
    },
    "string": {"many": [f"x{i}" for i in range(LARGE)], "long": ["a" * 1000] * (LARGE // 1000)},
    "bool": {"many": [True] * LARGE},
}


def _values(type_, kind):
    """Large values of a type for an implementation, by what they are."""
    inner = strip_optional(type_)
    if inner == STRING:
        return TEXTS
    if inner == PATTERN:
        return {"a pattern": compile_pattern(r"(\w+)[ ,]|[^b]*b|.")}
    if inner in (NUMBER, BOOL, JSON):
        return {"small": {NUMBER: 1.0, BOOL: True, JSON: {"a": [1]}}[inner]}
    if inner.name.startswith("list["):
        name = inner.name[5:-1]
        return LISTS[kind if name in ("S", "T") else name]
    return {"one": {"number": 1.0, "string": "zz", "bool": True}[kind]}


def _worst(way):
    """The longest time of a call with large arguments, all alike or all the same."""
    is_open = any(p.type.name in ("S", "T", "list[S]", "list[T]") for p in way.parameters)
    kinds = LISTS if is_open else ["string"]
    worst = 0.0
    for kind in kinds:
        columns = [_values(p.type, kind) for p in way.parameters]
        for place in range(max(map(len, columns))):
            given = [list(column.values())[place % len(column)] for column in columns]
            started = time.perf_counter()
            with contextlib.suppress(ValueError, ArithmeticError):  # no value: an answer too
                way.implementation(*given)
            worst = max(worst, time.perf_counter() - started)
    return worst


@pytest.mark.parametrize("way", OVERLOADS, ids=lambda way: way.signature)
def test_call_with_large_arguments_ends_soon(way):
    assert _worst(way) < SECONDS


@pytest.mark.parametrize("way", OVERLOADS, ids=lambda way: way.signature)
def test_cost_is_declared_as_a_growth_or_as_a_product_with_a_limit(way):
    assert way.cost in (CONSTANT, LINEAR, SORTING) or way.cost.limit is not None
    has_size = any(
        strip_optional(p.type) not in (NUMBER, BOOL) and p.type.name not in ("T", "T?")
        for p in way.parameters
    )
    takes_all = has_size or way.parameters[-1].variadic
    looks_at_one = way.name in ("first", "last", "nth", "len")
    assert (way.cost == CONSTANT) == (not takes_all or looks_at_one)


@pytest.mark.parametrize("pattern", [r"a[^b]*b|a", r"[ab]*a[ab]{900}c|a|b", ".{1000}b|a"])
@pytest.mark.parametrize("function", ["regex_count", "regex_find_all", "regex_replace"])
def test_pattern_over_its_limit_fails_before_its_time(pattern, function, monkeypatch):
    # a twentieth of the real limit, so that this test takes a twentieth of its time
    monkeypatch.setattr(patterns, "MAX_WORK", MAX_WORK // 20)
    more = ', "x"' if function == "regex_replace" else ""
    expression = compile_expression(
        f"{function}(t, r'{pattern}'{more})", {"t": STRING}, result="any"
    )
    started = time.perf_counter()
    with pytest.raises(EvalError, match="too long for this pattern") as raised:
        expression.evaluate({"t": "a" * 50_000})
    assert raised.value.reason == "domain"
    assert time.perf_counter() - started < SECONDS


def test_lone_surrogates_are_matched_as_a_replacement_and_kept_in_what_is_found():
    text = "\ud800 a1 \udfff"
    for call, wanted in {
        'regex_match(t, "a1")': True,
        'regex_match(t, "^\ufffd")': True,
        'regex_find(t, "^. .")': "\ud800 a",
        'regex_find_all(t, r"[^\\s\\w]")': ["\ud800", "\udfff"],
        'regex_count(t, ".")': 6.0,
        'regex_replace(t, "a1", "")': "\ud800  \udfff",
        "edit_distance(t, t)": 0.0,
        "fuzzy_ratio(t, t)": 1.0,
        "normalize(t)": text,
        "last_number(t)": None,
    }.items():
        expression = compile_expression(call, {"t": STRING}, result="any")
        assert expression.evaluate({"t": text}) == wanted
        assert expression.evaluate_by_walking({"t": text}) == wanted


def test_pattern_that_backtracks_elsewhere_is_linear():
    expression = compile_expression('number(regex_match(t, "(a+)+$"))', {"t": STRING})
    started = time.perf_counter()
    assert expression.evaluate({"t": "a" * 1_000_000 + "b"}) == 0
    assert time.perf_counter() - started < SECONDS


def test_texts_too_long_to_be_compared_have_no_value():
    for call in ("edit_ratio(t, t)", "fuzzy_ratio(t, t)", "fuzzy_rank_of(t, [t, t]) ?? 0"):
        expression = compile_expression(call, {"t": STRING})
        with pytest.raises(EvalError, match="too long to be compared"):
            expression.evaluate({"t": "a" * (int(MAX_CELLS**0.5) + 1)})


def test_numbers_made_to_collide_cost_no_more_than_others():
    names = {"xs": ListOf(NUMBER)}
    expression = compile_expression("len(unique(xs)) + dup_count(xs) + f1(xs, xs)", names)
    xs = [_HASH * place for place in range(20_000)]
    started = time.perf_counter()
    assert expression.evaluate({"xs": xs}) == 20_001
    assert time.perf_counter() - started < 1


def test_values_nested_too_deep_to_be_compared_are_an_error_with_a_place():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    names = {"xs": ListOf(JSON), "ys": ListOf(JSON)}
    expression = compile_expression("number(xs == ys)", names)
    other = []
    for _ in range(100_000):
        other = [other]
    for evaluate in (expression.evaluate, expression.evaluate_by_walking):
        with pytest.raises(EvalError, match="nested too deep"):
            evaluate({"xs": deep, "ys": other})
    while deep:  # taken apart by hand: its end would be recursive too
        deep, other = deep[0], other[0]
