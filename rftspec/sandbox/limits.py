"""Bounded versions of the operations that could grow without bound in one step of C code.

They exist for good messages and for systems without a memory limit; the safety itself comes from
the limit on the address space and the parent's kill. Each raises LimitExceeded, a MemoryError
that a script cannot outlive.
"""

from __future__ import annotations

import _string  # type: ignore[import-not-found,unused-ignore]  # what string.Formatter is made of
import math
import operator
import re
from collections import deque
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from rftspec.sandbox.rendering import PLAIN, shown, shown_in_ascii, text_of, without_addresses

MAX_TEXT = 10_000_000
MAX_ITEMS = 10_000_000
MAX_INT_BITS = 65_536
MAX_WIDTH = 999
MAX_DIGITS = 400
MAX_SPEC = 200

_SEQUENCES = frozenset({str, bytes, list, tuple, deque})
_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": shown, "s": text_of, "a": shown_in_ascii}
_PERCENT = re.compile(r"%(?:\([^)]*\))?([^a-zA-Z%]*)")


class LimitExceeded(MemoryError):
    """A script asked for something larger than any grader needs."""


def table(names: str, **bounded: Callable[..., Any]) -> dict[str, Any]:
    """A row of an allow-list: None for the real attribute, or a function that stands in."""
    return dict.fromkeys(names.split()) | bounded


def mul(left: Any, right: Any) -> Any:
    """`left * right`, with the size of the product looked at first."""
    if type(left) is float or type(right) is float:
        return left * right
    if isinstance(left, int) and isinstance(right, int):
        _bits(left.bit_length() + right.bit_length())
    elif type(left) in _SEQUENCES and isinstance(right, int):
        _items(len(left) * right)
    elif type(right) in _SEQUENCES and isinstance(left, int):
        _items(len(right) * left)
    return left * right


def power(base: Any, exponent: Any, modulus: Any = None) -> Any:
    """`base ** exponent`, integers of at most MAX_INT_BITS."""
    if isinstance(base, int) and isinstance(exponent, int):
        if modulus is None:
            _bits(base.bit_length() * max(exponent, 0) if abs(base) > 1 else 0)
        else:
            _bits(exponent.bit_length())
    elif type(base) is Fraction and isinstance(exponent, int):
        _bits(max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent))
    return pow(base, exponent) if modulus is None else pow(base, exponent, modulus)


def shift_left(value: Any, count: Any) -> Any:
    """`value << count`, integers of at most MAX_INT_BITS."""
    if isinstance(value, int) and isinstance(count, int):
        _bits(value.bit_length() + count)
    return value << count


def modulo(left: Any, right: Any) -> Any:
    """`left % right`; a %-format's widths and precisions are written out and at most 999."""
    if isinstance(left, str | bytes):
        text = left if isinstance(left, str) else left.decode("latin-1")
        for field in _PERCENT.findall(text):
            _width(field)
        made = left % right
        parts = right if type(right) is tuple else (right,)
        if isinstance(made, str) and not all(type(part) in PLAIN for part in parts):
            return without_addresses(made)
        return made
    return left % right


def round_to(number: Any, digits: Any = None) -> Any:
    """`round(number, digits)` with at most 400 digits."""
    if isinstance(digits, int) and abs(digits) > MAX_DIGITS:
        raise LimitExceeded(f"round to {MAX_DIGITS} digits at most")
    return round(number) if digits is None else round(number, digits)


def format_value(value: Any, spec: str = "") -> str:
    """`format(value, spec)` with a width and precision of at most 999."""
    if type(spec) is not str:
        raise TypeError("a format specification is text")
    if not spec:
        return text_of(value)
    if len(spec) > MAX_SPEC:
        raise LimitExceeded(f"a format specification of over {MAX_SPEC} characters")
    _width(spec)
    return format(value, spec)


def format_text(template: str, /, *args: Any, **kwargs: Any) -> str:
    """`template.format(…)` without attributes, items or nested fields."""
    parts: list[str] = []
    automatic = 0
    for literal, field, spec, conversion in _string.formatter_parser(_text(template)):
        parts.append(literal)
        if field is None:
            continue
        if field == "":
            field, automatic = str(automatic), automatic + 1
        first, rest = _string.formatter_field_name_split(field)
        if any(True for _ in rest) or "{" in spec:
            raise ValueError("format fields are plain names or numbers here: {0}, {name:.2f}")
        value = args[first] if isinstance(first, int) else kwargs[first]
        if conversion:
            value = _CONVERSIONS[conversion](value)
        parts.append(format_value(value, spec))
    return "".join(parts)


def join(separator: str, parts: Iterable[str]) -> str:
    """`separator.join(parts)` of at most MAX_TEXT characters."""
    listed = list(parts)
    total = len(_text(separator)) * len(listed)
    for part in listed:
        total += len(_text(part))
    _characters(total)
    return separator.join(listed)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """`text.replace(old, new, count)` of at most MAX_TEXT characters."""
    if len(_text(new)) > len(_text(old)):
        found = len(text) + 1 if not old else text.count(old)
        if count >= 0:
            found = min(found, count)
        _characters(len(text) + found * (len(new) - len(old)))
    return text.replace(old, new, count)


def expandtabs(text: str, tabsize: int = 8) -> str:
    """`text.expandtabs(tabsize)` of at most MAX_TEXT characters."""
    _characters(len(text) + text.count("\t") * max(tabsize, 0))
    return text.expandtabs(tabsize)


def padded(method: Callable[..., str]) -> Callable[..., str]:
    """`center`, `ljust`, `rjust` or `zfill` to at most MAX_TEXT characters."""

    def pad(text: str, width: int, *fill: str) -> str:
        _characters(width)
        return method(text, width, *fill)

    return pad


def encode(text: str, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    """`text.encode(encoding)` in one of the encodings that need no look-up of modules."""
    if encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "ascii", "latin-1"):
        raise LookupError("the encodings offered are utf-8, ascii and latin-1")
    return text.encode(encoding, errors)


def decode(data: bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    """`data.decode(encoding)` in one of the encodings that need no look-up of modules."""
    if encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "ascii", "latin-1"):
        raise LookupError("the encodings offered are utf-8, ascii and latin-1")
    return data.decode(encoding, errors)


def factorial(number: int) -> int:
    """`math.factorial` up to 5,000."""
    if number > 5000:
        raise LimitExceeded("factorial of 5,000 at most")
    return math.factorial(number)


def comb(count: int, chosen: int) -> int:
    """`math.comb` of at most MAX_INT_BITS items."""
    _bits(count)
    return math.comb(count, chosen)


def perm(count: int, chosen: int | None = None) -> int:
    """`math.perm` with a result of at most MAX_INT_BITS."""
    _bits(count.bit_length() * (count if chosen is None else chosen))
    return math.perm(count, chosen)


def lcm(*numbers: int) -> int:
    """`math.lcm` with a result of at most MAX_INT_BITS."""
    result = 1
    for number in numbers:
        result = math.lcm(result, number)
        _bits(result.bit_length())
    return result


def prod(numbers: Iterable[Any], *, start: Any = 1) -> Any:
    """`math.prod`, each product bounded as `*` is."""
    result = start
    for number in numbers:
        result = mul(result, number)
    return result


IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": mul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": modulo,
    "**=": power,
    "<<=": shift_left,
    ">>=": operator.irshift,
    "|=": operator.ior,
    "&=": operator.iand,
    "^=": operator.ixor,
}
"""What `n += v` and its kin do."""


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"expected text, not {type(value).__name__}")
    return value


def _bits(count: int) -> None:
    if count > MAX_INT_BITS:
        raise LimitExceeded(f"an integer of over {MAX_INT_BITS:,} bits")


def _items(count: int) -> None:
    if count > MAX_ITEMS:
        raise LimitExceeded(f"a sequence of over {MAX_ITEMS:,} items")


def _characters(count: int) -> None:
    if count > MAX_TEXT:
        raise LimitExceeded(f"a text of over {MAX_TEXT:,} characters")


def _width(spec: str) -> None:
    if "*" in spec.lstrip("*"):
        raise LimitExceeded("a width or precision from an argument is not offered")
    for run in re.findall(r"[0-9]+", spec):
        if int(run[:9]) > MAX_WIDTH:
            raise LimitExceeded(f"a width or precision over {MAX_WIDTH}")
