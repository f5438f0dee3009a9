"""Text: cleaning, splitting, searching; numbers and JSON inside it."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from rftspec.expr import ranges
from rftspec.expr.library.shelf import NOT_EMPTY, Shelf, check_length

SHELF = Shelf("Text")

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([0-9]{1,9})\]")


@SHELF.define(
    "len(text: string) -> number",
    example='len("abc") == 3',
    bounds=ranges.NOT_NEGATIVE,
    finite=True,
)
def length(text: str) -> float:
    """The number of characters of a text."""
    return float(len(text))


@SHELF.define("lower(text: string) -> string", example='lower("AbC") == "abc"')
def lower(text: str) -> str:
    """The text in lower case."""
    return text.lower()


@SHELF.define("upper(text: string) -> string", example='upper("AbC") == "ABC"')
def upper(text: str) -> str:
    """The text in upper case."""
    return text.upper()


@SHELF.define("strip(text: string) -> string", example='strip("  a b ") == "a b"')
def strip(text: str) -> str:
    """The text without blanks and line ends around it."""
    return text.strip()


@SHELF.define(
    "normalize(text: string) -> string", example='normalize(" The  ＣＡＴ ") == "the cat"'
)
def normalize(text: str) -> str:
    """The text as people compare it: NFKC, case folded, blanks collapsed and stripped."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split())


@SHELF.define(
    "split(text: string, by: string) -> list[string]",
    example='split("a,b", ",") == ["a", "b"]',
    rules={"by": NOT_EMPTY},
)
def split(text: str, by: str) -> list[str]:
    """The parts of the text between the separators."""
    return text.split(by)


@SHELF.define("lines(text: string) -> list[string]", example='lines("a\\n\\n b") == ["a", "b"]')
def lines(text: str) -> list[str]:
    """The lines of the text, stripped; empty ones are left out."""
    return [line for raw in text.splitlines() if (line := raw.strip())]


@SHELF.define("words(text: string) -> list[string]", example='words(" a  b ") == ["a", "b"]')
def words(text: str) -> list[str]:
    """The parts of the text between blanks."""
    return text.split()


@SHELF.define("contains(text: string, part: string) -> bool", example='contains("abc", "b")')
def contains(text: str, part: str) -> bool:
    """True when `part` stands somewhere in the text."""
    return part in text


@SHELF.define("starts_with(text: string, part: string) -> bool", example='starts_with("abc", "a")')
def starts_with(text: str, part: str) -> bool:
    """True when the text begins with `part`."""
    return text.startswith(part)


@SHELF.define("ends_with(text: string, part: string) -> bool", example='ends_with("abc", "c")')
def ends_with(text: str, part: str) -> bool:
    """True when the text ends with `part`."""
    return text.endswith(part)


@SHELF.define(
    "replace(text: string, old: string, new: string) -> string",
    example='replace("a-b", "-", "+") == "a+b"',
    rules={"old": NOT_EMPTY},
)
def replace(text: str, old: str, new: str) -> str:
    """The text with every `old` in it replaced by `new`."""
    if len(new) > len(old):
        check_length(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


@SHELF.define("concat(text: string, more: string...) -> string", example='concat("a", "b") == "ab"')
def concat(*texts: str) -> str:
    """The texts one after another."""
    check_length(sum(map(len, texts)))
    return "".join(texts)


@SHELF.define(
    "join(texts: list[string], by: string) -> string", example='join(["a", "b"], ", ") == "a, b"'
)
def join(texts: Sequence[str], by: str) -> str:
    """The texts of a list in one, with `by` between them."""
    check_length(sum(map(len, texts)) + len(by) * len(texts))
    return by.join(texts)


@SHELF.define(
    "count(text: string, part: string) -> number",
    example='count("banana", "an") == 2',
    rules={"part": NOT_EMPTY},
    bounds=ranges.NOT_NEGATIVE,
)
def count(text: str, part: str) -> float:
    """How often `part` stands in the text, without overlaps."""
    return float(text.count(part))


@SHELF.define("to_number(text: string) -> number?", example='(to_number(" -1.5 ") ?? 0) == -1.5')
def to_number(text: str) -> float | None:
    """The number that the whole text is; missing when it is none, or too large."""
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped) is None:
        return None
    value = float(stripped)
    return value if math.isfinite(value) else None


@SHELF.define("json(text: string) -> json?", example="""(json('{"a": 1}').a ?? 0) == 1""")
def parse_json(text: str) -> Any:
    """The text read as strict JSON; missing when it is none, and for null."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None


@SHELF.define(
    "get(value: json, path: string) -> json?",
    example="""(get(json('{"a": [{"b": 2}]}'), "a[0].b") ?? 0) == 2""",
)
def get(value: Any, path: str) -> Any:
    """The value at a path such as `a.b[0]`; missing when there is none."""
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return None
        key: Any = step[1] if step[1] is not None else int(step[2])
        if isinstance(key, str) and isinstance(value, dict):
            value = value.get(key)
        elif isinstance(key, int) and isinstance(value, list) and key < len(value):
            value = value[key]
        else:
            return None
        at = step.end()
    return value


def _refuse(word: str) -> float:
    raise ValueError(word)


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(word)
    return value
