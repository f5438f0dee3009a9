"""Values of nested fields, and how they are compared between splits."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any


def value_at(item: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value of a nested field, None where it is missing."""
    value: Any = item
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def fold(value: Any) -> str:
    """A value as it is compared between splits: case, space and width make no difference."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())
