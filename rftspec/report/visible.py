"""Foreign text made safe to look at: nothing invisible, nothing that reorders the line."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Control, bidirectional, zero-width characters and lone surrogates as `⟨U+202E⟩`."""
    return _ODD.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text.replace("\r\n", "\n"))


def finalize(value: Any) -> Any:
    """For jinja: every text that a template puts out is made visible; markup of ours is left."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return "" if value is None else value
