"""Bytes → text: UTF-8 only, and no character that a reader cannot see or that YAML reads oddly."""

from __future__ import annotations

import re
import unicodedata

from rftspec.diagnostics import Collector, Diagnostic, Span

MAX_BYTES = 1024 * 1024
_BOMS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Controls, and what takes no room or turns the line around. A joiner (U+200C, U+200D) stays: some
scripts and emoji are not written without."""
_BREAKS = re.compile(r"\r\n|\n|\r")
_SHOWN = 20


def decode(raw: bytes, file: str, collector: Collector) -> str | None:
    """The text of a spec's bytes; None when it cannot be read as text at all."""
    first = Span(file, 1, 1, 1, 2)
    if len(raw) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES:,} bytes, the limit of a spec"
        collector.add(Diagnostic("E003", message, first, "keep data in data files"))
        return None
    for bom, name in _BOMS:
        if raw.startswith(bom):
            hint = "save it as UTF-8"
            collector.add(Diagnostic("E001", f"the file is {name}, not UTF-8", first, hint))
            return None
    if b"\0" in raw[:2] and raw.count(b"\0") >= len(raw) // 3:
        hint = "save it as UTF-8"
        collector.add(Diagnostic("E001", "the file is UTF-16 or UTF-32, not UTF-8", first, hint))
        return None
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, column = _place(before, len(before))
        span = Span(file, line, column, line, column + 1)
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        collector.add(Diagnostic("E001", message, span, "save the file as UTF-8"))
        return None
    return text if _check_characters(text, file, collector) else None


def describe_character(character: str) -> str:
    """A character by code point and name: `U+202E (RIGHT-TO-LEFT OVERRIDE)`."""
    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} ({name})"


def odd_character(text: str) -> str | None:
    """The first character of a name that nobody can see or that breaks the line, described."""
    found = _FORBIDDEN.search(text) or _BREAKS.search(text)
    return describe_character(found.group()[0]) if found else None


def _check_characters(text: str, file: str, collector: Collector) -> bool:
    found = False
    lines: list[str] = []
    for count, match in enumerate(_FORBIDDEN.finditer(text)):
        found = True
        if count >= _SHOWN:
            break
        line, column = _place(text, match.start())
        span = Span(file, line, column, line, column + 1)
        lines = lines or _BREAKS.split(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
        snippet = lines[line - 1]
        message = f"the character {describe_character(match.group())} is not allowed in a spec"
        hint = "delete it, or write it as an escape in double quotes"
        collector.add(Diagnostic("E002", message, span, hint, snippet=snippet))
    return not found


def _place(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1, of an index into a text."""
    line, start = 1, 0
    for match in _BREAKS.finditer(text, 0, index):
        line, start = line + 1, match.end()
    return line, index - start + 1
