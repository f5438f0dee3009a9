"""How much text a metric takes: above it there is an error and no score, so that nothing hangs."""

from __future__ import annotations

MAX_CHARACTERS = 200_000
"""Of each text, for every metric."""
MAX_FUZZY_PRODUCT = 10_000_000_000
"""length × length, for fuzzy functions that compare whole texts."""
MAX_PARTIAL_PRODUCT = 100_000_000_000
"""longer × shorter², for those that look for the best place of the shorter in the longer."""
MAX_ROUGE_L_PRODUCT = 1_000_000_000
"""tokens × tokens."""
MAX_METEOR_PRODUCT = 4_000_000
"""words × words; nltk before 3.10 compares each with each."""


class TooLong(Exception):
    """The texts are over a limit; the message says which."""


def need(cost: int, limit: int, what: str) -> None:
    """Refuse what costs more than its limit. Raises TooLong."""
    if cost > limit:
        raise TooLong(f"the texts are too long: {what} is {cost:,}, over {limit:,}")


def need_characters(*texts: str) -> None:
    """Refuse a text with too many characters. Raises TooLong."""
    longest = max(map(len, texts))
    if longest > MAX_CHARACTERS:
        raise TooLong(f"a text has {longest:,} characters, over {MAX_CHARACTERS:,}")
