"""Sets: how much two lists, or the words of two texts, have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rftspec.expr import ranges
from rftspec.expr.library.lists import keys
from rftspec.expr.library.shelf import Shelf
from rftspec.expr.signature import LINEAR

SHELF = Shelf("Sets")

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


@SHELF.define(
    "jaccard(a: list[S], b: list[S]) -> number",
    cost=LINEAR,
    example="jaccard([1, 2], [2, 3, 4]) == 0.25",
    bounds=ranges.UNIT,
    finite=True,
)
def jaccard(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The share of common elements among all; 1 when both lists are empty."""
    x, y = set(keys(a)), set(keys(b))
    return len(x & y) / len(x | y) if x or y else 1.0


@SHELF.define(
    "precision(found: list[S], wanted: list[S]) -> number",
    cost=LINEAR,
    example="precision([1, 2], [2, 3]) == 0.5",
    bounds=ranges.UNIT,
    finite=True,
)
def precision(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The share of the found that is wanted; nothing found counts 1 if nothing is wanted."""
    return _share(set(keys(found)), set(keys(wanted)), of_found=True)


@SHELF.define(
    "recall(found: list[S], wanted: list[S]) -> number",
    cost=LINEAR,
    example="recall([1, 2], [2]) == 1",
    bounds=ranges.UNIT,
    finite=True,
)
def recall(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The share of the wanted that is found; nothing wanted counts 1 if nothing is found."""
    return _share(set(keys(found)), set(keys(wanted)), of_found=False)


@SHELF.define(
    "f1(found: list[S], wanted: list[S]) -> number",
    cost=LINEAR,
    example="f1([1, 2], [2]) == 2 / 3",
    bounds=ranges.UNIT,
    finite=True,
)
def f1(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The harmonic mean of precision and recall; repetitions do not count."""
    a, b = set(keys(found)), set(keys(wanted))
    return 2.0 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


@SHELF.define(
    "overlap(a: list[S], b: list[S]) -> number",
    cost=LINEAR,
    example="overlap([1, 2], [2, 3, 4]) == 0.5",
    bounds=ranges.UNIT,
    finite=True,
)
def overlap(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Common elements by the smaller list's number of elements; 1 only if both are empty, else 0.

    A list that is part of the other one scores 1, however short: for what a list leaves out, take
    `f1` or `recall`.
    """
    x, y = set(keys(a)), set(keys(b))
    if not x or not y:
        return float(x == y)
    return len(x & y) / min(len(x), len(y))


@SHELF.define(
    "token_f1(a: string, b: string) -> number",
    cost=LINEAR,
    example='token_f1("The cat sat.", "a cat") == 2 / 3',
    bounds=ranges.UNIT,
    finite=True,
)
def token_f1(a: str, b: str) -> float:
    """F1 over the words of two texts as SQuAD counts it: case, punctuation, articles left out."""
    x, y = _squad_words(a), _squad_words(b)
    if not x or not y:
        return float(x == y)
    return 2.0 * (x & y).total() / (x.total() + y.total())


def _share(found: set[Any], wanted: set[Any], *, of_found: bool) -> float:
    counted = found if of_found else wanted
    if not counted:
        return float(found == wanted)
    return len(found & wanted) / len(counted)


def _squad_words(text: str) -> Counter[str]:
    plain = text.lower().translate(_PUNCTUATION)
    return Counter(_ARTICLE.sub(" ", plain).split())
