"""Keys and tokens: read from the environment, and kept out of everything that is written or shown.

A spec names environment variables. Their values live in memory only, and what a server says is
cleared of them before it becomes part of a score, the cache or a log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from rftspec.sandbox.protocol import clean

HIDDEN = "[key]"
_SHAPES = re.compile(
    r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{4,}|\b(?:sk|pk|rk|hf|gsk|xai)[-_][A-Za-z0-9_*-]{6,}"
)
_SHORTEST = 4


def value_of(variable: str) -> str | None:
    """An environment variable's value; None when it is not set or empty."""
    return os.environ.get(variable, "").strip() or None


class Redactor:
    """Takes known secrets, and whatever looks like a key, out of texts."""

    def __init__(self, secrets: Iterable[str | None]) -> None:
        from urllib.parse import quote

        known: set[str] = set()
        for secret in secrets:
            if secret is None:
                continue
            # a header such as `Bearer abc` is also echoed without its first word
            for part in (secret, *secret.split()):
                if len(part) >= _SHORTEST:
                    known.update({part, quote(part, safe="")})
        self._known = sorted(known, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text with every secret replaced."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _SHAPES.sub(HIDDEN, text)

    def detail(self, text: str) -> str:
        """A stranger's text as the detail of a score: without secrets, one line, capped."""
        return clean(self.hide(text[:4000]))
