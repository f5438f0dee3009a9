"""Plain YAML scalars as YAML 1.2's core schema reads them, and those that 1.1 reads otherwise.

PyYAML reads YAML 1.1: `1e-5` is text there, `no` is false and `010` is eight. A spec must mean one
thing to every reader, so what the two versions read differently is an error with a hint, except
numbers such as `1e-5`, which nobody means as text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NONFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_WORDS_11 = frozenset(
    form for word in ("yes", "no", "on", "off") for form in (word, word.title(), word.upper())
)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+\Z")
_RADIX = re.compile(r"[-+]?0([bB][01_]+|[xX][0-9a-fA-F_]+|o[0-7]+)\Z")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?\Z")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?\Z")

INT_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class ScalarProblem:
    """Why a plain scalar cannot be read: code, sentence and fix."""

    code: str
    message: str
    hint: str


def read_plain(text: str) -> tuple[Any, ScalarProblem | None]:
    """The value of a plain scalar, and what is wrong with it, if anything."""
    if text in _NULL:
        return None, None
    if text in _BOOL:
        return _BOOL[text], None
    if not (text[0] in "+-.0123456789" or text in _WORDS_11):
        return text, None
    problem = _ambiguous(text)
    if problem is not None:
        return text, problem
    return _read_number(text)


def _read_number(text: str) -> tuple[Any, ScalarProblem | None]:
    if _NONFINITE.match(text):
        return text, ScalarProblem(
            "E013", f"`{text}` is not a finite number", "write a finite number, or leave it out"
        )
    if _INT.match(text):
        # int() refuses thousands of digits, so the length is looked at first.
        if len(text) > 20 or not -INT_LIMIT <= int(text) < INT_LIMIT:
            return text, ScalarProblem(
                "E013", f"`{text[:24]}` does not fit in 64 bits", "write a smaller number"
            )
        return int(text), None
    if _FLOAT.match(text):
        value = float(text)
        if math.isinf(value):
            return text, ScalarProblem(
                "E013", f"`{text}` is too large for a number", "write a smaller number"
            )
        return value, None
    return text, None


def _ambiguous(text: str) -> ScalarProblem | None:
    """The problem of a scalar that YAML 1.1 and 1.2 read differently."""
    if text in _WORDS_11:
        meant = "true" if text.lower() in ("yes", "on") else "false"
        return _two_readings(text, f"write `{meant}`, or quote it: '{text}'")
    if _LEADING_ZERO.match(text):
        return _two_readings(
            text, f"write `{text.lstrip('+-').lstrip('0_') or '0'}`, or quote it: '{text}'"
        )
    if _RADIX.match(text) or _SEXAGESIMAL.match(text) or _UNDERSCORES.match(text):
        return _two_readings(text, f"write the number in plain decimal, or quote it: '{text}'")
    if _DATE.match(text):
        return _two_readings(text, f"quote it: '{text}'")
    return None


def _two_readings(text: str, hint: str) -> ScalarProblem:
    return ScalarProblem("E012", f"`{text}` means different things in YAML 1.1 and YAML 1.2", hint)
