"""Reading what a model wrote, as far as a report needs to: JSON, and how long its lists are."""

from __future__ import annotations

import json
from typing import Any


def parse_answer(text: str) -> Any:
    """The text as strict JSON, or None where it is not; a JSON null is None too."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def list_lengths(text: str) -> dict[str, int]:
    """The length of every list at the top of a JSON answer, by its key."""
    value = parse_answer(text)
    if not isinstance(value, dict):
        return {}
    return {str(key): len(found) for key, found in value.items() if isinstance(found, list)}


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
