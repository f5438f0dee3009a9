"""Numbers in text: as people write them, with signs, separators, exponents and percent signs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from rftspec.expr.library.shelf import POSITIVE, Shelf
from rftspec.expr.signature import LINEAR

SHELF = Shelf("Numbers in text")

_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
# sign, currency, digits in groups of three or plain, fraction, exponent; then % or a scale
_NUMERAL = (
    r"(?P<sign>[+\-\u2212]?)[$€£¥]?"
    r"(?P<whole>[0-9]{1,3}(?:[,\u00a0\u2009\u202f][0-9]{3})+(?![0-9])|[0-9]+|(?=\.[0-9]))"
    r"(?P<rest>(?:\.[0-9]+)?)(?P<power>(?:[eE][+-]?[0-9]{1,9}(?![0-9]))?)"
    r"(?:[ \u00a0\u202f]?(?P<percent>%)|[ \u00a0](?P<scale>thousand|million|billion|trillion)\b)?"
)
_WHOLE = re.compile(_NUMERAL, re.IGNORECASE)
_INSIDE = re.compile(r"(?<!\w)(?<![0-9]\.)" + _NUMERAL, re.IGNORECASE)
_NO_DIGIT = re.compile(r"[^0-9]")


@SHELF.define(
    "to_number(text: string, percent: number = 0.01) -> number?",
    example='(to_number("-1,234.5") ?? 0) == -1234.5',
    rules={"percent": POSITIVE},
    cost=LINEAR,
)
def to_number(text: str, percent: float) -> float | None:
    """The number that the whole text is; missing when it is none, or too large.

    Read are a sign, `1,234.5` (also with thin or no-break spaces), `.5`, `1e-3`, a currency sign
    before it (`$5`), a percent sign after it (`12%` is 0.12; with `percent=1` it is 12), and the
    words thousand, million, billion and trillion (`1.2 million`).
    """
    match = _WHOLE.fullmatch(text.strip())
    return None if match is None else _value(match, percent)


@SHELF.define(
    "numbers(text: string, percent: number = 0.01) -> list[number]",
    example='numbers("from 3 to 1,500 (12%)") == [3, 1500, 0.12]',
    rules={"percent": POSITIVE},
    cost=LINEAR,
)
def numbers(text: str, percent: float) -> list[float]:
    """The numbers in a text, from left to right, each read as `to_number` does.

    Digits inside a word (`gene4`) or after a second point (`1.2.3`) are no numbers, and a `-`
    after a word or a number (`3-4`) is no sign.
    """
    return list(_numbers(text, percent))


@SHELF.define(
    "last_number(text: string, percent: number = 0.01) -> number?",
    example='(last_number("6 boxes of 7 make 42.") ?? 0) == 42',
    rules={"percent": POSITIVE},
    cost=LINEAR,
)
def last_number(text: str, percent: float) -> float | None:
    """The last of the `numbers` in a text, where an answer usually stands; missing without one."""
    last = None
    for last in _numbers(text, percent):  # noqa: B007 - the last one is wanted
        pass
    return last


def places(text: str, percent: float) -> Iterator[tuple[float, int, int]]:
    """The `numbers` of a text, each with where it begins and ends."""
    for match in _INSIDE.finditer(text):
        value = _value(match, percent)
        if value is not None:
            yield value, match.start(), match.end()


def _numbers(text: str, percent: float) -> Iterator[float]:
    for match in _INSIDE.finditer(text):
        value = _value(match, percent)
        if value is not None:
            yield value


def _value(match: re.Match[str], percent: float) -> float | None:
    sign, whole, rest, power, by_percent, scale = match.groups()
    digits = _NO_DIGIT.sub("", whole) + rest
    if not power and (scale or (by_percent and percent == 0.01)):
        # a shifted point is exact, where a product would round
        power, by_percent = f"e{_SCALES[scale.lower()] if scale else -2}", None
        scale = None
    value = float(digits + power)
    if scale:
        value *= 10.0 ** _SCALES[scale.lower()]
    if by_percent:
        value *= percent
    if not math.isfinite(value):
        return None
    return -value if sign and sign != "+" else value
