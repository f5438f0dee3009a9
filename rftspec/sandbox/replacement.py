"""The replacements of `re.sub`: text with `\\1`, `\\g<name>` and escapes, taken apart once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rftspec.sandbox.patterns import PatternError

_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "f": "\f", "v": "\v", "b": "\b", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a pattern: how many, and the numbers of those with names."""

    count: int
    index: Mapping[str, int]


def parse_replacement(template: Any, groups: Groups) -> list[str | int]:
    """The parts of a replacement: texts, and the numbers of groups. Raises PatternError."""
    if type(template) is not str:
        raise TypeError(f"a replacement is text or a function, not {type(template).__name__}")
    out: list[str | int] = []
    at = 0
    while (slash := template.find("\\", at)) >= 0:
        out.append(template[at:slash])
        part, at = _reference(template, slash, groups)
        out.append(part)
    out.append(template[at:])
    return out


def _reference(template: str, slash: int, groups: Groups) -> tuple[str | int, int]:
    """What an escape stands for, and where it ends."""
    char = template[slash + 1 : slash + 2]
    if char in _SIMPLE:
        return _SIMPLE[char], slash + 2
    if char == "g":
        end = template.find(">", slash)
        if template[slash + 2 : slash + 3] != "<" or end < 0:
            raise PatternError("missing <, or an unterminated name", template, slash)
        return _group(template[slash + 3 : end], groups), end + 1
    if char.isascii() and char.isdigit():
        return _number(template, slash, groups)
    if not char or (char.isascii() and char.isalpha()):
        raise PatternError(f"bad escape \\{char}", template, slash)
    return template[slash : slash + 2], slash + 2


def _number(template: str, slash: int, groups: Groups) -> tuple[str | int, int]:
    """`\\1` to `\\99`, or a character by its octal number."""
    digits = template[slash + 1 : slash + 4]
    octal = next((i for i, d in enumerate(digits) if d not in "01234567"), len(digits))
    if digits[0] == "0" or octal == 3:
        length = min(octal, 3)
        return chr(int(digits[:length], 8) & 0xFF), slash + 1 + length
    length = 2 if digits[1:2].isascii() and digits[1:2].isdigit() else 1
    return _group(digits[:length], groups), slash + 1 + length


def _group(name: str, groups: Groups) -> int:
    number = int(name) if name.isascii() and name.isdigit() else groups.index.get(name, -1)
    if not 0 <= number <= groups.count:
        raise PatternError(f"invalid group reference {name}")
    return number
