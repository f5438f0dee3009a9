"""The floor of a reward is known before the run."""

import math

import pytest

from rftspec.expr import bounds, compile_expression
from rftspec.expr.types import BOOL, NUMBER, STRING, ListOf, OptionalOf, RecordOf

INF = math.inf
NAMES = {
    "u": NUMBER,
    "v": NUMBER,
    "w": NUMBER,
    "p": BOOL,
    "item": RecordOf({"x": NUMBER, "o": OptionalOf(NUMBER), "xs": ListOf(NUMBER), "s": STRING}),
}
RANGES = {"u": (0.0, 1.0), "v": (-2.0, 3.0), "item.x": (1.0, 4.0), "item.xs": (0.0, 2.0)}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("u", 0, 1),
        ("w", -INF, INF),
        ("1 - u", 0, 1),
        ("0.95 * u + 0.05 * u", 0, 1),
        ("u * v", -2, 3),
        ("v * v", -6, 9),
        ("u / item.x", 0, 1),
        ("u / v", -INF, INF),
        ("1 / u", 1, INF),
        ("-item.x", -4, -1),
        ("v % 3", 0, 3),
        ("clamp(w)", 0, 1),
        ("clamp(v, -1, 1)", -1, 1),
        ("min(u, v)", -2, 1),
        ("max(u, v)", 0, 3),
        ("abs(v)", 0, 3),
        ("floor(u + 0.5)", 0, 1),
        ("if p then u else v", -2, 3),
        ("gate(p, item.x)", 0, 4),
        ("item.o ?? 0", -INF, INF),
        ("rank_decay(rank_of(u, item.xs)) ?? 0", 0, 1),
        ("rank_decay(rank_of(u, item.xs)) ?? -1", -1, 1),
        ("rank_decay(u, first=5, second=2)", 0, 5),
        ("len(item.xs) * 0.1", 0, INF),
        ("len(top_k(item.xs, 3)) / 3", 0, 1),
        ("sum([u, u, v])", -6, 9),
        ("mean([u, v]) ?? 0", -2, 3),
        ("mean(item.xs) ?? 0", 0, 2),
        ("weighted_mean([u, 1], [1, 2])", 0, 1),
        ("max(item.xs) ?? 0", 0, 2),
        ("item.xs[0] ?? 5", 0, 5),
        ("safe_div(u, v, default=9)", -INF, INF),
        ("token_f1(item.s, 'a') + f1([u], item.xs)", 0, 2),
        ("sqrt(item.x)", 1, 2),
        ("number(u > 0.5)", 0, 1),
        ("u > 0.5", 0, 1),
        ("let d = 1 - u in d * d", 0, 1),
        ("w ^ 0.5", 0, INF),
        ("u ^ item.x", 0, 1),
        ("3", 3, 3),
    ],
)
def test_bounds_are_sharp_where_the_formula_tells(text, low, high):
    expression = compile_expression(text, NAMES, result="number_or_bool")
    assert bounds(expression, RANGES) == (low, high)


def test_functions_of_the_maths_library_are_widened_by_little():
    assert bounds(compile_expression("v ^ 2", NAMES), RANGES) == (0, pytest.approx(9, rel=1e-14))
    low, high = bounds(compile_expression("exp(u) + log(item.x)", NAMES), RANGES)
    assert low == pytest.approx(1, rel=1e-12)
    assert high == pytest.approx(math.e + math.log(4), rel=1e-12)
    assert low <= 1
    assert high >= math.e + math.log(4)


def test_a_mean_never_leaves_its_values():
    names = {"xs": ListOf(NUMBER)}
    expression = compile_expression("mean(xs) ?? 0", names)
    for count in range(1, 200):
        assert expression.evaluate({"xs": [0.1] * count}) == 0.1
