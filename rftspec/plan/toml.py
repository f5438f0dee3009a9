"""Writing TOML: dotted keys, one a line, in their order; Python's own tomllib reads it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\f": "\\f", "\r": "\\r"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def write_toml(values: Mapping[tuple[str, ...], Any]) -> str:
    """A table of scalars and lists by dotted names; what shares its first part is one paragraph."""
    lines: list[str] = []
    before: str | None = None
    for name, value in values.items():
        paragraph = name[0] if len(name) > 1 else ""
        if before is not None and paragraph != before:
            lines.append("")
        before = paragraph
        lines.append(f"{'.'.join(map(_key, name))} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _key(part: str) -> str:
    return part if _BARE.fullmatch(part) else _quoted(part)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    text = str(value)
    return _quoted(text) if "\n" not in text else f'"""\n{_escaped(text)}"""'


def _quoted(text: str) -> str:
    escaped = _escaped(text).replace("\n", "\\n")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """The text with everything escaped but line breaks."""
    for sign, escape in _ESCAPES.items():
        text = text.replace(sign, escape)
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
