"""Two models on the same rows: the difference, who wins, how sure, and what could be found at all.

All of it treats the clusters as units, as the intervals do. Holm's correction is *Scand. J.
Statist.* 6 (1979); McNemar's exact test is the sign test on the rows that differ (Psychometrika 12,
1947), and takes rows as independent.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rftspec.stats.intervals import (
    Floats,
    Interval,
    p_of_zero,
    paired_difference,
    row_means,
    standard_error,
)

TIE = 1e-9
"""Differences up to this are no difference: what is left of a mean's rounding."""
POWER = 0.8


@dataclass(frozen=True, slots=True)
class McNemar:
    """Rows that pass in one model only, and the exact p of their imbalance."""

    only_after: int
    only_before: int
    p: float


@dataclass(frozen=True, slots=True)
class Paired:
    """One metric of two models on the same rows."""

    before: float
    after: float
    interval: Interval
    """Of `after − before`."""
    p: float
    """Two-sided; NaN where there is no interval."""
    wins: int
    ties: int
    losses: int
    detectable: float
    """The smallest true difference that 4 of 5 such comparisons would show; NaN if unknown."""
    mcnemar: McNemar | None
    """Where every row is a plain pass or fail."""


def paired(
    after: Sequence[float],
    before: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Paired:
    """Compare two models row by row; `after[i]` and `before[i]` are of one row (its mean).

    Raises ValueError for no rows, lengths that differ, or values that are not finite.
    """
    first, second = row_means(after), row_means(before)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} rows cannot be paired with {len(second)}")
    moves = first - second
    interval = paired_difference(first, second, clusters, seed=seed, level=level)
    binary = bool(np.isin(first, (0.0, 1.0)).all() and np.isin(second, (0.0, 1.0)).all())
    return Paired(
        before=float(second.mean()),
        after=float(first.mean()),
        interval=interval,
        p=p_of_zero(moves, clusters, seed=seed),
        wins=int((moves > TIE).sum()),
        ties=int((np.abs(moves) <= TIE).sum()),
        losses=int((moves < -TIE).sum()),
        detectable=detectable(moves, clusters, level=level),
        mcnemar=_mcnemar(first, second) if binary else None,
    )


def mcnemar(only_after: int, only_before: int) -> float:
    """The exact two-sided p that rows flip one way as readily as the other; 1 for no flips."""
    from scipy.special import bdtr

    flips = only_after + only_before
    if flips == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(only_after, only_before), flips, 0.5)))


def _mcnemar(after: Floats, before: Floats) -> McNemar:
    gained, lost = int((after > before).sum()), int((after < before).sum())
    return McNemar(gained, lost, mcnemar(gained, lost))


def detectable(
    moves: Sequence[float] | Floats,
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    power: float = POWER,
) -> float:
    """The smallest true mean that a two-sided t-test over these clusters would show this often.

    The spread is that of the differences at hand. NaN where they do not vary, or of one cluster.
    """
    error = standard_error(moves, clusters)
    if not error > 0:
        return math.nan
    return error * _noncentrality(len(set(clusters)) - 1, level, power)


def _noncentrality(freedom: int, level: float, power: float) -> float:
    """How many standard errors a mean must be from zero to be shown with this power."""
    from scipy.special import nctdtr, stdtrit

    critical = float(stdtrit(freedom, 0.5 + level / 2))
    low, high = 0.0, 200.0
    for _ in range(60):
        middle = (low + high) / 2
        shown = 1 - nctdtr(freedom, middle, critical) + nctdtr(freedom, middle, -critical)
        low, high = (middle, high) if shown < power else (low, middle)
    return high


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for having asked several questions; NaN stays NaN and is not counted."""
    known = sorted((p, name) for name, p in values.items() if not math.isnan(p))
    corrected, highest = dict(values), 0.0
    for place, (p, name) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - place)))
        corrected[name] = highest
    return corrected


def pass_at_k(passed: int, samples: int, k: int) -> float:
    """The chance that one of `k` samples passes, when `passed` of `samples` did.

    The unbiased estimate 1 − C(n − c, k) / C(n, k) of arXiv:2107.03374; raises ValueError for a
    `k` of more than there are samples.
    """
    if not 0 < k <= samples or not 0 <= passed <= samples:
        raise ValueError(f"pass@{k} of {passed} in {samples} samples")
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)
