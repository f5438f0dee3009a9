"""Does one word explain a gain? How much of it follows from one feature's share alone.

For a feature of the answers (a token anywhere in the reasoning, or the first k tokens), the base
model's answers fall in two parts, with and without it. The share of the gain that the feature
explains is what top@1 would have risen by, had the tuned model only changed how often the feature
occurs and stayed as good as the base within each part (Kitagawa, JASA 50, 1955: the composition
effect). A gain that is one switch has a feature that explains all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

SUPPORT = 40
"""Base answers that must have, and lack, a feature for its share to be worth a number."""
PREFIXES = range(2, 9)
"""Lengths of the openings that are tried, in tokens."""


@dataclass(frozen=True)
class Explained:
    """One feature, how often it occurs, how good the base is with it, and what it explains."""

    feature: str
    base_share: float
    tuned_share: float
    base_right_with: float
    base_right_without: float
    explained: float
    """Share of the gain, 1 = all of it."""


def explain(
    tokenizer_file: Path,
    base: Sequence[tuple[str, bool]],
    tuned: Sequence[tuple[str, bool]],
    most: int = 5,
) -> list[Explained]:
    """The features that explain most of the gain, from (answer, right) of base and tuned."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    base_sets = [(_features(tokenizer, text), right) for text, right in base]
    tuned_sets = [(_features(tokenizer, text), right) for text, right in tuned]
    gain = _rate(r for _, r in tuned_sets) - _rate(r for _, r in base_sets)
    counts = Counter(f for features, _ in base_sets for f in features)
    tuned_counts = Counter(f for features, _ in tuned_sets for f in features)
    found = []
    for feature, count in counts.items():
        if min(count, len(base_sets) - count) < SUPPORT:
            continue
        having = _rate(r for f, r in base_sets if feature in f)
        lacking = _rate(r for f, r in base_sets if feature not in f)
        share, tuned_share = count / len(base_sets), tuned_counts[feature] / len(tuned_sets)
        explained = (tuned_share - share) * (having - lacking) / gain
        found.append(Explained(feature, share, tuned_share, having, lacking, explained))
    return sorted(found, key=lambda e: -e.explained)[:most]


def signs_named(text: str) -> int:
    """How many signs the reasoning of an answer names: `Judged by A; no B; best fit first.`"""
    reasoning = text.split("Judged by")[-1].split('"genes"')[0]
    return max(0, reasoning.count(";"))


def right_by_signs(answers: Sequence[tuple[str, bool]], most: int = 5) -> dict[str, list[float]]:
    """By the number of signs named (`most` and more in one): share of the answers, top@1."""
    named = [(min(most, signs_named(text)), right) for text, right in answers]
    out = {}
    for count in range(most + 1):
        rights = [right for n, right in named if n == count]
        if rights:
            label = f"{count}+" if count == most else str(count)
            out[label] = [len(rights) / len(named), _rate(rights)]
    return out


def _features(tokenizer: Tokenizer, text: str) -> frozenset[str]:
    """Tokens of the reasoning, and the answer's openings."""
    reasoning = text.split('"genes"')[0]
    tokens = tokenizer.encode(reasoning, add_special_tokens=False).tokens
    anywhere = {f"has {token!r}" for token in tokens}
    openings = {f"opens {''.join(tokens[:k])!r}" for k in PREFIXES if len(tokens) >= k}
    return frozenset(anywhere | openings)


def _rate(rights: Iterable[bool]) -> float:
    values = list(rights)
    return sum(values) / len(values) if values else 0.0
