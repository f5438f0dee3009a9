"""The facade of `rapidfuzz`: its scorers on texts, with their cost bounded before they start.

The library's own objects are never seen: results are numbers, tuples and lists. Its C code does
not look at signals, so the work is bounded here and the kernel's timer stands behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from rapidfuzz import distance, fuzz, process
from rapidfuzz import utils as _preparing

from rftspec.sandbox import limits

MAX_CELLS = 200_000_000
"""The product of the lengths of two texts: about a second's work for the slowest scorer."""
MAX_CHOICES = 100_000

Processor = Callable[[Any], Any] | None
_FUZZ = (
    "ratio partial_ratio token_sort_ratio token_set_ratio token_ratio partial_token_sort_ratio "
    "partial_token_set_ratio partial_token_ratio WRatio QRatio"
)
_DISTANCES = "Levenshtein DamerauLevenshtein OSA Indel Hamming Jaro JaroWinkler LCSseq"
_MEASURES = "distance similarity normalized_distance normalized_similarity"
_ORIGINALS: dict[Any, Callable[..., Any]] = {}


def default_process(text: str) -> str:
    """`utils.default_process`: lower case, letters and digits only, no space around."""
    return str(_preparing.default_process(_text(text)))


def _text(value: Any) -> Any:
    if value is not None and type(value) is not str:
        raise TypeError(f"rapidfuzz compares texts here, not {type(value).__name__}")
    return value


def _bounded(left: Any, right: Any) -> None:
    if len(_text(left) or "") * len(_text(right) or "") > MAX_CELLS:
        raise limits.LimitExceeded("two texts too long to be compared")


def _scorer(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def score(s1: Any, s2: Any, *, processor: Processor = None, **options: Any) -> Any:
        if processor is not None:
            s1 = s1 if s1 is None else processor(s1)
            s2 = s2 if s2 is None else processor(s2)
        _bounded(s1, s2)
        return original(s1, s2, **options)

    score.__name__ = score.__qualname__ = name
    _ORIGINALS[score] = original
    return score


def _choices(choices: Any) -> Any:
    if isinstance(choices, Mapping):
        return {key: _text(value) for key, value in islice(choices.items(), MAX_CHOICES)}
    return [_text(value) for value in islice(choices, MAX_CHOICES)]


def _bounded_choices(query: Any, choices: Any, processor: Processor) -> Any:
    """The choices as texts; the work of comparing them with the query is bounded."""
    listed = _choices(choices)
    values = listed.values() if isinstance(listed, dict) else listed
    total = sum(len(value or "") for value in values)
    if processor is not None and processor is not default_process:
        # an unknown function may make texts longer: the library calls it again, on the same
        total = sum(len(_text(processor(value)) or "") for value in values if value is not None)
    if len(_text(query) or "") * total > MAX_CELLS:
        raise limits.LimitExceeded("too much text to be compared")
    return listed


_RATIO = _scorer(fuzz.ratio, "ratio")
_WRATIO = _scorer(fuzz.WRatio, "WRatio")


def extract_one(
    query: str,
    choices: Any,
    *,
    scorer: Any = _WRATIO,
    processor: Processor = None,
    score_cutoff: float | None = None,
) -> Any:
    """`process.extractOne`: (choice, score, index or key), None when there is none."""
    return process.extractOne(
        query,
        _bounded_choices(query, choices, processor),
        scorer=_ORIGINALS.get(scorer, scorer),
        processor=processor,
        score_cutoff=score_cutoff,
    )


def extract(
    query: str,
    choices: Any,
    *,
    scorer: Any = _WRATIO,
    processor: Processor = None,
    limit: int | None = 5,
    score_cutoff: float | None = None,
) -> list[Any]:
    """`process.extract`: the best choices, the best first."""
    return process.extract(
        query,
        _bounded_choices(query, choices, processor),
        scorer=_ORIGINALS.get(scorer, scorer),
        processor=processor,
        limit=limit,
        score_cutoff=score_cutoff,
    )


def _measures(name: str) -> dict[str, Any]:
    module = getattr(distance, name)
    return {m: _scorer(getattr(module, m), m) for m in _MEASURES.split()}


_SCORERS = {
    name: {"ratio": _RATIO, "WRatio": _WRATIO}.get(name) or _scorer(getattr(fuzz, name), name)
    for name in _FUZZ.split()
}
FACADES: dict[str, dict[str, Any]] = {
    "rapidfuzz.fuzz": _SCORERS,
    "rapidfuzz.process": {"extract": extract, "extractOne": extract_one},
    "rapidfuzz.utils": {"default_process": default_process},
    **{f"rapidfuzz.distance.{name}": _measures(name) for name in _DISTANCES.split()},
}
"""What `import rapidfuzz` and its parts give; `rapidfuzz` and `.distance` hold the parts."""

ATTRIBUTES: dict[type, dict[str, Any]] = {}
CLASS_ATTRIBUTES: dict[type, dict[str, Any]] = {}
EXCEPTIONS: tuple[type[BaseException], ...] = ()
