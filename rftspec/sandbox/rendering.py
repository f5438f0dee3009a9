"""Values as text, the same in every run: the addresses that Python shows of functions are left out.

`str` of a function or an iterator tells where it lies in memory, which differs from run to run: a
reward could hang on it. So `str`, `repr`, `ascii`, `format`, f-strings and `%` go through here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
PLAIN = frozenset({str, int, float, bool, type(None), complex, Fraction})
"""Types whose text has no address in it."""


def text_of(value: Any) -> str:
    """`str(value)`."""
    return str(value) if type(value) in PLAIN else without_addresses(str(value))


def shown(value: Any) -> str:
    """`repr(value)`."""
    return repr(value) if type(value) in PLAIN else without_addresses(repr(value))


def shown_in_ascii(value: Any) -> str:
    """`ascii(value)`."""
    return shown(value).encode("ascii", "backslashreplace").decode("ascii")


def without_addresses(text: str) -> str:
    """The text, `<function f at 0x7f…>` as `<function f>`."""
    return _ADDRESS.sub("", text) if " at 0x" in text else text


_CONVERSIONS: dict[int, Callable[[Any], str]] = {
    -1: text_of,
    ord("s"): text_of,
    ord("r"): shown,
    ord("a"): shown_in_ascii,
}


def field(value: Any, conversion: int = -1, spec: str = "") -> str:
    """The text of an f-string's field.

    With a format too: a date's own formatting imports modules, which only trusted frames can.
    """
    if spec:
        return format(value if conversion < 0 else _CONVERSIONS[conversion](value), spec)
    return value if type(value) is str and conversion < 0 else _CONVERSIONS[conversion](value)


class _TextMeta(type):
    """Makes `Text` answer as `str` does."""

    def __call__(cls, *args: Any, **kwargs: Any) -> str:
        if len(args) == 1 and not kwargs:
            return text_of(args[0])
        return str(*args, **kwargs)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, str)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return kind is cls or issubclass(kind, str)

    def __repr__(cls) -> str:
        return "<class 'str'>"


class Text(metaclass=_TextMeta):
    """What `str` is in a script: makes text without addresses, and is the type of text."""

    __slots__ = ()
