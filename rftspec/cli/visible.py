"""Foreign text made safe for a terminal: control, escape and bidi characters become visible.

Model output and file contents may hold anything. Nothing that came from outside is written to a
terminal before it went through `visible`.
"""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SHORT = {"\t": " ", "\n": "⏎", "\r": "␍"}


def visible(text: str, *, keep_newlines: bool = False) -> str:
    """The text with every unsafe character escaped as `\\x1b` or `\\u202e`.

    Newlines become `⏎` (one line stays one line) unless `keep_newlines`.
    """
    if text.isascii() and text.isprintable():
        return text
    out = []
    for char in text:
        if char == "\n" and keep_newlines:
            out.append(char)
        elif unicodedata.category(char) in _UNSAFE:
            out.append(_SHORT.get(char) or _escape(char))
        else:
            out.append(char)
    return "".join(out)


def inert_json(text: str) -> str:
    """JSON whose strings hold nothing that a terminal obeys: such characters become `\\u202e`."""
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return "".join(
        _json_escape(char) if char not in "\n\t" and unicodedata.category(char) in _UNSAFE else char
        for char in text
    )


def width(text: str) -> int:
    """Columns that safe text takes in a terminal: wide letters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def clip(text: str, columns: int) -> str:
    """Safe text cut to at most `columns`, with `…` where something was left out."""
    if width(text) <= columns:
        return text
    out, used = [], 0
    for char in text:
        used += _char_width(char)
        if used > columns - 1:
            break
        out.append(char)
    return "".join(out) + "…"


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
