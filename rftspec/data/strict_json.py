"""Strict JSON: one object, every key once, finite numbers of 64 bits, whole characters.

Small files are read by Python's own decoder with hooks. Large ones are read by orjson, which is
six times as fast but takes the last of two equal keys and turns integers beyond 64 bits into
floats; so each row is written anew and held against its text; where that differs, it is looked
through for both; and whatever is in doubt is read once more by the hooks, which decide and say
what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from rftspec.data.row import MAX_DEPTH, MAX_LINE_BYTES, RowError

ARRAY_HINT = "JSONL has one object in every line, without brackets and commas around them"
Parse = Callable[[bytes], dict[str, Any]]
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')
_INT64 = 2**63
_TEXTS = {str}
_SURE = 2**53
"""Numbers below it are the same to every reader."""


def parse_row(raw: bytes) -> dict[str, Any]:
    """A line's JSON object; raises RowError for anything that is not strict JSON."""
    if len(raw) > MAX_LINE_BYTES:
        raise RowError("E203", f"the row has more than {MAX_LINE_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError("E204", "the line is not UTF-8", error.start + 1, "save as UTF-8") from None
    return parse_text(text)


def parse_text(text: str) -> dict[str, Any]:
    """The JSON object that a text is. Raises RowError."""
    try:
        item = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise RowError("E203", *explain(text, error)) from None
    except RecursionError:
        raise RowError("E203", f"nested more than {MAX_DEPTH} deep") from None
    return check_object(item, text)


def check_object(item: Any, text: str) -> dict[str, Any]:
    """A decoded value, when it is an object that is strict JSON in the rest, too."""
    if not isinstance(item, dict):
        kind = "a list" if isinstance(item, list) else "a bare value"
        raise RowError("E203", f"a row must be a JSON object; this is {kind}", hint=ARRAY_HINT)
    if "\\u" in text and _SURROGATE.search(text) and has_lone_surrogate(item):
        raise RowError("E203", "half of a surrogate pair: no such character", hint="delete it")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise RowError("E203", f"nested more than {MAX_DEPTH} deep")
    return item


@lru_cache(maxsize=1)
def fast_parser() -> Parse:
    """`parse_row` for many rows: the same answers sooner, after a slower start."""
    # Its import takes as long as reading some thousand rows without it.
    import orjson

    loads, dumps, refused = orjson.loads, orjson.dumps, orjson.JSONDecodeError
    in_53_bits = orjson.OPT_STRICT_INTEGER

    def parse(raw: bytes) -> dict[str, Any]:
        if len(raw) <= MAX_LINE_BYTES:
            try:
                item = loads(raw)
                if type(item) is dict and (
                    _is_written_as(raw, dumps(item, None, in_53_bits))
                    or _has_each_key_once(item, raw)
                ):
                    return item
            except (refused, orjson.JSONEncodeError, _Unsure):
                pass
        return parse_row(raw)

    return parse


def _is_written_as(raw: bytes, written: bytes) -> bool:
    """True when a row, written anew, is the same but for spaces: then nothing of it was lost."""
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        return False
    return raw.translate(None, b" ") == written.translate(None, b" ")


class _Unsure(Exception):
    """The row may not be strict JSON: the slow decoder must look."""


def _has_each_key_once(item: dict[str, Any], raw: bytes) -> bool:
    """True when no key was dropped; False when one may have been.

    Every key, dropped or not, has one colon. Colons inside texts are the only others.
    """
    colons, keys = raw.count(b":"), _keys(item, 1)
    if colons == keys:
        return True
    # An escaped colon would be missing from the count of the text, and could hide a dropped key.
    return b"\\u" not in raw and colons == keys + _colons(item)


def _keys(value: Any, depth: int) -> int:
    """Keys of all objects in a value. Raises _Unsure at odd numbers and in the depths."""
    if depth > MAX_DEPTH:
        raise _Unsure
    count = 0
    children = value
    if type(value) is dict:
        count = len(value)
        children = value.values()
    if set(map(type, children)) == _TEXTS:
        return count
    for child in children:
        kind = type(child)
        if kind is dict or kind is list:
            count += _keys(child, depth + 1)
        elif (kind is int or kind is float) and not -_SURE < child < _SURE:
            raise _Unsure
    return count


def _colons(value: Any) -> int:
    if type(value) is str:
        return value.count(":")
    if type(value) is dict:
        return sum(map(_colons, value)) + sum(map(_colons, value.values()))
    return sum(map(_colons, value)) if type(value) is list else 0


def explain(text: str, error: json.JSONDecodeError) -> tuple[str, int, str | None]:
    """What is wrong with a text that is not JSON, at which column of its line, and a hint."""
    rest = text[error.pos : error.pos + 100].lstrip()
    start = text[:100].lstrip()
    if error.msg == "Extra data":
        return "more than one value in the line", error.colno, "one object in every line"
    if rest.startswith("'") or start.startswith("{'"):
        return "this is Python, not JSON", error.colno, 'use double quotes: {"a": "b"}'
    if start.startswith(("//", "#")):
        return "a comment is not JSON", error.colno, "delete the line"
    if rest.startswith(("}", "]")):
        return "a comma before the closing bracket", error.colno, "delete the comma"
    message = error.msg[:1].lower() + error.msg[1:]
    return f"this is not JSON: {message}", error.colno, None


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RowError("E205", f"the key `{key}` stands twice in one object")
            seen.add(key)
    return values


def _constant(name: str) -> Any:
    raise RowError("E203", f"{name} is not JSON", hint="write null, or leave the row out")


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_INT64 <= int(digits) < _INT64:
        raise RowError("E203", f"the number {digits[:24]} does not fit in 64 bits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise RowError("E203", f"the number {digits[:24]} is too large")
    return value


DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_constant=_constant,
    parse_int=_integer,
    parse_float=_number,
)


def has_lone_surrogate(value: Any) -> bool:
    """True when a text in a value has half a character in it."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _depth(text: str) -> int:
    deepest = depth = 0
    for match in _BRACKETS.finditer(text):
        if match.group(1):
            depth += 1
            deepest = max(deepest, depth)
        elif match.group(2):
            depth -= 1
    return deepest
