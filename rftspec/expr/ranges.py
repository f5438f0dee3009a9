"""Intervals of numbers, and the arithmetic on them that `bounds` is made of.

Every operation is sound: whatever numbers lie in the operands, the result of the floating-point
operation, where it has one, lies in the interval returned. Endpoints are computed by the same
operation, whose rounding keeps order; where the maths library does not promise that
(`exp log ^`), the interval is widened by a few units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

INF = math.inf


class Range(NamedTuple):
    """Every number of a value lies in [low, high]; a list has shortest to longest elements."""

    low: float = -INF
    high: float = INF
    shortest: float = 0
    longest: float = INF


ANYTHING = Range()
UNIT = Range(0.0, 1.0)
NOT_NEGATIVE = Range(0.0, INF)


def hull(ranges: Iterable[Range]) -> Range:
    """The smallest range that holds all of these."""
    low, high, shortest, longest = zip(*ranges, strict=True)
    return Range(min(low), max(high), min(shortest), max(longest))


def add(a: Range, b: Range) -> Range:
    """The sum a + b."""
    return Range(_known(a.low + b.low, -INF), _known(a.high + b.high, INF))


def subtract(a: Range, b: Range) -> Range:
    """The difference a - b."""
    return Range(_known(a.low - b.high, -INF), _known(a.high - b.low, INF))


def negate(a: Range) -> Range:
    """The negative -a."""
    return Range(-a.high, -a.low)


def multiply(a: Range, b: Range) -> Range:
    """The product a · b; an end that is infinite times zero is zero, as no value is infinite."""
    ends = [_times(x, y) for x in a[:2] for y in b[:2]]
    return Range(min(ends), max(ends))


def divide(a: Range, b: Range) -> Range:
    """The quotient a / b for b other than zero."""
    if b.low > 0 or b.high < 0:
        ends = [_over(x, y) for x in a[:2] for y in b[:2]]
        return Range(min(ends), max(ends))
    low, high = INF, -INF
    if b.high > 0:  # divisors from just above zero up to b.high
        positive = _by_positive(a, b.high)
        low, high = min(low, positive.low), max(high, positive.high)
    if b.low < 0:
        negative = negate(_by_positive(a, -b.low))
        low, high = min(low, negative.low), max(high, negative.high)
    return Range(low, high) if low <= high else ANYTHING


def modulo(a: Range, b: Range) -> Range:
    """The remainder a % b, which has the sign of b."""
    del a
    return Range(min(b.low, 0.0), max(b.high, 0.0))


def power(a: Range, b: Range) -> Range:
    """The power a ^ b."""
    if a.low < 0 and b.low == b.high and b.low % 1 != 0:
        # a negative number has no such power, so only the others count
        return power(Range(0.0, max(a.high, 0.0)), b)
    if a.low < 0:
        return ANYTHING if b.low != b.high else _whole_power(a, b.low)
    ends = [_raise(x, y) for x in a[:2] for y in b[:2]]
    exact = a.low == a.high and b.low == b.high
    if b.low <= 0 <= b.high:
        ends.append(1.0)
    low, high = min(ends), max(ends)
    if not exact:
        low, high = _down(low), _up(high)
    if a.high <= 1 and b.low >= 0:
        high = min(high, 1.0)
    return Range(max(low, 0.0), high)


def _whole_power(a: Range, exponent: float) -> Range:
    if exponent % 2 == 0 and exponent >= 0:
        size = max(abs(a.low), abs(a.high))
        inner = 0.0 if a.low <= 0 <= a.high else min(abs(a.low), abs(a.high))
        low = 1.0 if exponent == 0 else _down(_raise(inner, exponent))
        return Range(max(low, 0.0), _up(_raise(size, exponent)))
    if exponent % 2 == 1 and exponent >= 0:
        ends = [math.copysign(_raise(abs(x), exponent), x) for x in a[:2]]
        return Range(_down(ends[0]), _up(ends[1]))
    return ANYTHING


def monotone(function: Callable[[float], float], low: float, high: float) -> Range:
    """The image of an increasing function, by its ends, widened."""
    return Range(_down(_safely(function, low)), _up(_safely(function, high)))


def total(a: Range) -> Range:
    """The sum of a list."""
    return Range(
        _known(min(_times(a.low, a.shortest), _times(a.low, a.longest)), -INF),
        _known(max(_times(a.high, a.shortest), _times(a.high, a.longest)), INF),
    )


def _known(value: float, otherwise: float) -> float:
    return otherwise if math.isnan(value) else value


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def _over(x: float, y: float) -> float:
    if math.isinf(y):
        return 0.0 if not math.isinf(x) else math.copysign(INF, x) * math.copysign(1, y)
    return x / y


def _by_positive(a: Range, divisor: float) -> Range:
    low = -INF if a.low < 0 else _over(a.low, divisor)
    high = INF if a.high > 0 else _over(a.high, divisor)
    return Range(low, high)


def _raise(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (OverflowError, ValueError):
        return INF


def _safely(function: Callable[[float], float], x: float) -> float:
    try:
        return function(x)
    except OverflowError:
        return INF


def _down(x: float) -> float:
    return x if x == 0 or math.isinf(x) else x - 4 * math.ulp(x)


def _up(x: float) -> float:
    return x if math.isinf(x) else x + 4 * math.ulp(x)
