"""Text: cleaning, splitting, searching, and JSON inside it."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from rftspec.expr import ranges
from rftspec.expr.library.shelf import COUNT, NOT_EMPTY, Shelf, check_length
from rftspec.expr.signature import CONSTANT, LINEAR

SHELF = Shelf("Text")

_SHORT, _MOST_ACCENTS = 500, 30
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([0-9]{1,9})\]")


@SHELF.define(
    "len(text: string) -> number",
    cost=CONSTANT,
    example='len("abc") == 3',
    bounds=ranges.NOT_NEGATIVE,
    finite=True,
)
def length(text: str) -> float:
    """The number of characters of a text."""
    return float(len(text))


@SHELF.define("lower(text: string) -> string", cost=LINEAR, example='lower("AbC") == "abc"')
def lower(text: str) -> str:
    """The text in lower case."""
    return text.lower()


@SHELF.define("upper(text: string) -> string", cost=LINEAR, example='upper("AbC") == "ABC"')
def upper(text: str) -> str:
    """The text in upper case."""
    return text.upper()


@SHELF.define(
    "casefold(text: string) -> string", cost=LINEAR, example='casefold("Straße") == "strasse"'
)
def casefold(text: str) -> str:
    """The text without regard to case, in any script: more than lower case."""
    return text.casefold()


@SHELF.define("strip(text: string) -> string", cost=LINEAR, example='strip("  a b ") == "a b"')
def strip(text: str) -> str:
    """The text without blanks and line ends around it."""
    return text.strip()


@SHELF.define(
    "normalize(text: string) -> string",
    cost=LINEAR,
    example='normalize(" The  ＣＡＴ ") == "the cat"',
)
def normalize(text: str) -> str:
    """The text as people compare it: NFKC, case folded, blanks collapsed and stripped."""
    folded = unicodedata.normalize("NFKC", stream_safe(text)).casefold()
    return " ".join(folded.split())


def stream_safe(text: str) -> str:
    """The text with at most 30 accents on a letter, so that normalising takes linear time.

    More are parted by U+034F, as the "Stream-Safe Text Format" of Unicode's Annex 15 has it:
    sorting the accents of one letter takes quadratic time, and an answer may hold any number.
    """
    if text.isascii() or len(text) < _SHORT:
        return text
    parts: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MOST_ACCENTS:
            parts.append("\u034f")
            run = 1
        parts.append(character)
    return "".join(parts)


@SHELF.define(
    "exact_match(a: string, b: string) -> bool",
    cost=LINEAR,
    example='exact_match(" Paris ", "paris")',
)
def exact_match(a: str, b: str) -> bool:
    """True when both texts are the same to `normalize`."""
    return normalize(a) == normalize(b)


@SHELF.define(
    "slice(text: string, start: number, end: number? = missing) -> string",
    cost=LINEAR,
    example='slice("abcdef", 1, 3) == "bc"',
    rules={"start": COUNT, "end": COUNT},
)
def slice_(text: str, start: float, end: float | None) -> str:
    """The characters from place `start`, counted from 0, up to `end` and without it."""
    last = len(text) if end is None else int(min(end, len(text)))
    return text[int(min(start, len(text))) : last]


@SHELF.define(
    "split(text: string, by: string) -> list[string]",
    cost=LINEAR,
    example='split("a,b", ",") == ["a", "b"]',
    rules={"by": NOT_EMPTY},
)
def split(text: str, by: str) -> list[str]:
    """The parts of the text between the separators."""
    return text.split(by)


@SHELF.define(
    "lines(text: string) -> list[string]", cost=LINEAR, example='lines("a\\n\\n b") == ["a", "b"]'
)
def lines(text: str) -> list[str]:
    """The lines of the text, stripped; empty ones are left out."""
    return [line for raw in text.splitlines() if (line := raw.strip())]


@SHELF.define(
    "words(text: string) -> list[string]", cost=LINEAR, example='words(" a  b ") == ["a", "b"]'
)
def words(text: str) -> list[str]:
    """The parts of the text between blanks."""
    return text.split()


@SHELF.define(
    "contains(text: string, part: string) -> bool", cost=LINEAR, example='contains("abc", "b")'
)
def contains(text: str, part: str) -> bool:
    """True when `part` stands somewhere in the text."""
    return part in text


@SHELF.define(
    "starts_with(text: string, part: string) -> bool",
    cost=LINEAR,
    example='starts_with("abc", "a")',
)
def starts_with(text: str, part: str) -> bool:
    """True when the text begins with `part`."""
    return text.startswith(part)


@SHELF.define(
    "ends_with(text: string, part: string) -> bool", cost=LINEAR, example='ends_with("abc", "c")'
)
def ends_with(text: str, part: str) -> bool:
    """True when the text ends with `part`."""
    return text.endswith(part)


@SHELF.define(
    "replace(text: string, old: string, new: string) -> string",
    cost=LINEAR,
    example='replace("a-b", "-", "+") == "a+b"',
    rules={"old": NOT_EMPTY},
)
def replace(text: str, old: str, new: str) -> str:
    """The text with every `old` in it replaced by `new`."""
    if len(new) > len(old):
        check_length(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


@SHELF.define(
    "concat(text: string, more: string...) -> string",
    cost=LINEAR,
    example='concat("a", "b") == "ab"',
)
def concat(*texts: str) -> str:
    """The texts one after another."""
    check_length(sum(map(len, texts)))
    return "".join(texts)


@SHELF.define(
    "join(texts: list[string], by: string) -> string",
    cost=LINEAR,
    example='join(["a", "b"], ", ") == "a, b"',
)
def join(texts: Sequence[str], by: str) -> str:
    """The texts of a list in one, with `by` between them."""
    check_length(sum(map(len, texts)) + len(by) * len(texts))
    return by.join(texts)


@SHELF.define(
    "count(text: string, part: string) -> number",
    cost=LINEAR,
    example='count("banana", "an") == 2',
    rules={"part": NOT_EMPTY},
    bounds=ranges.NOT_NEGATIVE,
)
def count(text: str, part: str) -> float:
    """How often `part` stands in the text, without overlaps."""
    return float(text.count(part))


@SHELF.define(
    "json(text: string) -> json?", cost=LINEAR, example="""(json('{"a": 1}').a ?? 0) == 1"""
)
def parse_json(text: str) -> Any:
    """The text read as strict JSON; missing when it is none, and for null."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None


@SHELF.define(
    "get(value: json, path: string) -> json?",
    cost=LINEAR,
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
