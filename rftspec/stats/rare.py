"""Where events are few: shares near 0 or 1, and pairs of which hardly any differ.

The bootstrap then sees too little of the tail: its intervals are too short, and of two equal models
that differ on three rows it calls one better far too often (three flips one way are a quarter of
all outcomes). A share gets Wilson's interval with the effective number of answers (Wilson, JASA 22,
1927; Korn and Graubard, *Survey Methodology* 24, 1998), a difference the sign-flip test at zero,
which is exact for two equal models and is McNemar's where rows pass or fail.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FEW_EVENTS = 10
"""Effective passes (or failures) below which a share gets Wilson's interval."""
FEW_MOVED = 30
"""Clusters that differ at all below which a difference is held against the sign-flip test."""
_FLIPS = 4000
_ALL = 12
"""Up to this many clusters all flips are tried."""


def is_rare(mean: float, error: float) -> bool:
    """Whether a share's passes or failures are fewer than `FEW_EVENTS`, effectively."""
    return 0.0 < mean < 1.0 and _effective(mean, error) * min(mean, 1 - mean) < FEW_EVENTS


def wilson(mean: float, error: float, clusters: int, level: float) -> tuple[float, float]:
    """Wilson's interval of a share, with as many answers as would give this standard error."""
    from scipy.special import stdtrit

    answers = _effective(mean, error)
    t = float(stdtrit(clusters - 1, 0.5 + level / 2))
    scale = 1 + t * t / answers
    middle = (mean + t * t / (2 * answers)) / scale
    reach = t / scale * math.sqrt(mean * (1 - mean) / answers + (t / (2 * answers)) ** 2)
    return middle - reach, middle + reach


def _effective(mean: float, error: float) -> float:
    return mean * (1 - mean) / error**2


def sign_flip_p(sums: NDArray[np.float64], seed: int) -> float | None:
    """Two-sided p of "no difference", from giving each cluster's sum either sign; shape [C].

    None where enough clusters differ, or all do: the interval's own p serves there.
    """
    moved = sums[np.abs(sums) > 1e-12]
    if not len(moved) < min(FEW_MOVED, len(sums)):
        return None
    total = abs(moved.sum()) - 1e-9
    if len(moved) <= _ALL:
        signs = 1 - 2 * ((np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))) & 1)
        return float((np.abs(signs @ moved) >= total).mean())
    generator = np.random.Generator(np.random.PCG64(seed))
    signs = generator.integers(0, 2, size=(_FLIPS, len(moved))) * 2 - 1
    return float(((np.abs(signs @ moved) >= total).sum() + 1) / (_FLIPS + 1))
