"""Arithmetic: the hosted product's eight functions, and what scores need besides."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rftspec.expr import ranges
from rftspec.expr.errors import DomainError
from rftspec.expr.library.shelf import COUNT, NOT_NEGATIVE, POSITIVE, Shelf
from rftspec.expr.ranges import Range
from rftspec.expr.signature import CONSTANT, LINEAR

SHELF = Shelf("Numbers")


def _least(*args: Range) -> Range:
    return Range(min(a.low for a in args), min(a.high for a in args))


def _greatest(*args: Range) -> Range:
    return Range(max(a.low for a in args), max(a.high for a in args))


@SHELF.define(
    "min(x: number, more: number...) -> number",
    finite=True,
    cost=LINEAR,
    example="min(3, 1, 2) == 1",
    lifting=False,
    bounds=_least,
)
def least(*values: float) -> float:
    """The least of the numbers."""
    return min(values)


@SHELF.define(
    "min(xs: list[number]) -> number?",
    cost=LINEAR,
    example="(min([3, 1, 2]) ?? 0) == 1",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def least_of(values: Sequence[float]) -> float | None:
    """The least number of a list; missing when the list is empty."""
    return min(values) if values else None


@SHELF.define(
    "max(x: number, more: number...) -> number",
    finite=True,
    cost=LINEAR,
    example="max(3, 1, 2) == 3",
    lifting=False,
    bounds=_greatest,
)
def greatest(*values: float) -> float:
    """The greatest of the numbers."""
    return max(values)


@SHELF.define(
    "max(xs: list[number]) -> number?",
    cost=LINEAR,
    example="(max([3, 1, 2]) ?? 0) == 3",
    bounds=lambda xs: Range(xs.low, xs.high),
)
def greatest_of(values: Sequence[float]) -> float | None:
    """The greatest number of a list; missing when the list is empty."""
    return max(values) if values else None


def _abs_bounds(x: Range) -> Range:
    if x.low >= 0:
        return x
    return ranges.negate(x) if x.high <= 0 else Range(0.0, max(-x.low, x.high))


@SHELF.define(
    "abs(x: number) -> number",
    finite=True,
    cost=CONSTANT,
    example="abs(-2) == 2",
    lifting=False,
    bounds=_abs_bounds,
)
def absolute(x: float) -> float:
    """The number without its sign."""
    return abs(x)


def _floor(x: float) -> float:
    return x if math.isinf(x) else float(math.floor(x))


def _ceil(x: float) -> float:
    return x if math.isinf(x) else float(math.ceil(x))


@SHELF.define(
    "floor(x: number) -> number",
    finite=True,
    cost=CONSTANT,
    example="floor(2.7) == 2",
    lifting=False,
    bounds=lambda x: Range(_floor(x.low), _floor(x.high)),
)
def floor(x: float) -> float:
    """The greatest whole number that is not above `x`."""
    return float(math.floor(x))


@SHELF.define(
    "ceil(x: number) -> number",
    finite=True,
    cost=CONSTANT,
    example="ceil(2.1) == 3",
    lifting=False,
    bounds=lambda x: Range(_ceil(x.low), _ceil(x.high)),
)
def ceil(x: float) -> float:
    """The least whole number that is not below `x`."""
    return float(math.ceil(x))


@SHELF.define(
    "round(x: number, digits: number = 0) -> number",
    finite=True,
    cost=CONSTANT,
    example="round(2.345, digits=1) == 2.3",
    rules={"digits": COUNT},
    lifting=False,
    bounds=lambda x, digits: Range(_floor(x.low), _ceil(x.high)),
)
def round_(x: float, digits: float) -> float:
    """The nearest number with so many decimals; a half goes to the even neighbour."""
    return float(round(x, min(int(digits), 400)))


def _clamp_bounds(x: Range, low: Range, high: Range) -> Range:
    least = min(max(x.low, low.low), high.low)
    return Range(max(least, low.low), min(max(x.high, low.high), high.high))


@SHELF.define(
    "clamp(x: number, low: number = 0, high: number = 1) -> number",
    finite=True,
    cost=CONSTANT,
    example="clamp(1.2) == 1",
    lifting=False,
    bounds=_clamp_bounds,
)
def clamp(x: float, low: float, high: float) -> float:
    """`x`, or the nearer end where it lies outside [low, high]."""
    if low > high:
        raise DomainError(f"clamp's low end {low:g} lies above its high end {high:g}")
    return min(max(x, low), high)


@SHELF.define(
    "exp(x: number) -> number",
    finite=True,
    cost=CONSTANT,
    example="exp(0) == 1",
    lifting=False,
    bounds=lambda x: ranges.monotone(math.exp, x.low, x.high),
)
def exp(x: float) -> float:
    """The power e ^ `x`; no value above 709, where it would exceed every number."""
    return math.exp(x)


@SHELF.define(
    "sqrt(x: number) -> number",
    finite=True,
    cost=CONSTANT,
    example="sqrt(9) == 3",
    rules={"x": NOT_NEGATIVE},
    lifting=False,
    bounds=lambda x: Range(math.sqrt(max(x.low, 0.0)), math.sqrt(max(x.high, 0.0))),
)
def sqrt(x: float) -> float:
    """The square root; no value below 0."""
    return math.sqrt(x)


@SHELF.define(
    "pow(x: number, y: number) -> number",
    cost=CONSTANT,
    example="pow(2, 10) == 1024",
    lifting=False,
    bounds=ranges.power,
)
def pow_(x: float, y: float) -> float:
    """`x ^ y`."""
    return math.pow(x, y)


def _log_bounds(x: Range) -> Range:
    low = -ranges.INF if x.low <= 0 else math.log(x.low)
    high = -ranges.INF if x.high <= 0 else math.log(x.high)
    return ranges.monotone(float, low, high)


@SHELF.define(
    "log(x: number) -> number",
    finite=True,
    cost=CONSTANT,
    example="log(1) == 0",
    rules={"x": POSITIVE},
    lifting=False,
    bounds=_log_bounds,
)
def log(x: float) -> float:
    """The natural logarithm; no value at 0 and below."""
    return math.log(x)


@SHELF.define(
    "close(a: number, b: number, tolerance: number = 0.000000001) -> bool",
    cost=CONSTANT,
    example="close(0.1 + 0.2, 0.3)",
    rules={"tolerance": NOT_NEGATIVE},
)
def close(a: float, b: float, tolerance: float) -> bool:
    """True when `a` and `b` differ by `tolerance` at most."""
    return abs(a - b) <= tolerance


@SHELF.define(
    "safe_div(a: number, b: number, default: number = 0) -> number",
    cost=CONSTANT,
    example="safe_div(1, 0, default=0.5) == 0.5",
    bounds=lambda a, b, default: ranges.hull([ranges.divide(a, b), default]),
)
def safe_div(a: float, b: float, default: float) -> float:
    """`a / b`, and `default` where `b` is 0."""
    return default if b == 0 else a / b


@SHELF.define(
    "gate(condition: bool, x: number) -> number",
    finite=True,
    cost=CONSTANT,
    example="gate(2 > 1, 0.5) == 0.5",
    bounds=lambda condition, x: Range(min(x.low, 0.0), max(x.high, 0.0)),
)
def gate(condition: bool, x: float) -> float:
    """`x` where the condition holds, else 0."""
    return x if condition else 0.0


@SHELF.define(
    "number(condition: bool) -> number",
    finite=True,
    cost=CONSTANT,
    example="number(2 > 1) == 1",
    bounds=ranges.UNIT,
)
def number(condition: bool) -> float:
    """1 for true, 0 for false."""
    return 1.0 if condition else 0.0


@SHELF.define(
    "weighted_mean(values: list[number], weights: list[number]) -> number",
    cost=LINEAR,
    example="weighted_mean([1, 0], [3, 1]) == 0.75",
    bounds=lambda values, weights: Range(values.low, values.high),
)
def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """The mean of the values, each counted by its weight; weights are 0 or more, not all 0."""
    if len(values) != len(weights):
        raise DomainError(f"{len(values)} values have {len(weights)} weights")
    if any(weight < 0 for weight in weights):
        raise DomainError("a weight is negative")
    whole = math.fsum(weights)
    if whole == 0:
        raise DomainError("the weights sum to 0")
    products = (value * weight for value, weight in zip(values, weights, strict=True))
    # rounding must not carry a mean outside its values: the reward's floor is computed from them
    return min(max(math.fsum(products) / whole, min(values)), max(values))


@SHELF.define("has(x: T?) -> bool", cost=CONSTANT, example="not has(first([]))", lifting=False)
def has(x: object) -> bool:
    """True when the value is not missing."""
    return x is not None
