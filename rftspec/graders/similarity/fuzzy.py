"""`fuzzy_match`: rapidfuzz's functions, within a limit of what they may cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rftspec.graders.similarity.limits import (
    MAX_FUZZY_PRODUCT,
    MAX_PARTIAL_PRODUCT,
    need,
)

FUNCTIONS = (
    "WRatio",
    "QRatio",
    "ratio",
    "partial_ratio",
    "token_ratio",
    "token_sort_ratio",
    "token_set_ratio",
    "partial_token_ratio",
    "partial_token_sort_ratio",
    "partial_token_set_ratio",
)
"""Of rapidfuzz.fuzz."""
_WEIGHTED_IS_PARTIAL_FROM = 1.5


def fuzzy(function: str, process: bool) -> Callable[[str, str], float]:
    """A function of rapidfuzz.fuzz over 100, after default_process where `process` is set."""
    from rapidfuzz import fuzz, utils

    compare: Callable[..., Any] = getattr(fuzz, function)

    def metric(text: str, reference: str) -> float:
        if process:
            text, reference = utils.default_process(text), utils.default_process(reference)
        _need_affordable(function, len(text), len(reference))
        return float(compare(text, reference)) / 100.0

    return metric


def _need_affordable(function: str, a: int, b: int) -> None:
    shorter, longer = sorted((a, b))
    need(longer * shorter, MAX_FUZZY_PRODUCT, "length × length")
    weighted = function == "WRatio" and longer >= _WEIGHTED_IS_PARTIAL_FROM * shorter
    if weighted or function.startswith("partial"):
        need(longer * shorter**2, MAX_PARTIAL_PRODUCT, "longer × shorter²")
