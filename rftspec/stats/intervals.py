"""Intervals for means over rows that come in clusters, and for paired differences of them.

Rows of one cluster (one gene, one patient) are not independent, so whole clusters are resampled.
With 30 clusters and more the interval is the studentised cluster bootstrap (Davison and Hinkley,
*Bootstrap Methods and their Application*, 1997, section 5.2.1; clusters as in Field and Welsh,
JRSS-B 69, 2007), whose coverage stays close to its level where the percentile bootstrap's falls
short; with fewer, Student's t over the clusters; with one, there is no interval to give.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEW_CLUSTERS = 30
"""Below this many clusters the interval is Student's t, and its words say that rows are few."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval; `low` and `high` are NaN where none can be given."""

    estimate: float
    low: float
    high: float
    n: int
    """Rows that entered."""
    clusters: int
    method: str
    level: float = 0.95

    @property
    def known(self) -> bool:
        """True when there is an interval at all."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def few(self) -> bool:
        """True when the clusters are too few for more than a rough interval."""
        return self.clusters < FEW_CLUSTERS

    @property
    def spans_zero(self) -> bool:
        """True when zero is inside the interval, or when there is none."""
        return not self.known or self.low <= 0.0 <= self.high

    @property
    def words(self) -> str:
        """A difference in words that follow the numbers."""
        if not self.known:
            return "too few rows to say"
        if self.spans_zero:
            return "no difference shown"
        return "higher" if self.estimate > 0 else "lower"

    def text(self, digits: int = 2, *, signed: bool = False) -> str:
        """The estimate and its interval: `0.31 (0.27 to 0.36)`."""
        sign = "+" if signed else ""
        shown = f"{self.estimate:{sign}.{digits}f}"
        if not self.known:
            return f"{shown} (too few rows for an interval)"
        return f"{shown} ({self.low:{sign}.{digits}f} to {self.high:{sign}.{digits}f})"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes null."""
        return {
            "estimate": _json(self.estimate),
            "low": _json(self.low),
            "high": _json(self.high),
            "n": self.n,
            "clusters": self.clusters,
            "method": self.method,
            "level": self.level,
        }


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Sums and sizes of the clusters: all that a mean over rows needs of them; shape [C]."""

    sums: Floats
    sizes: Floats

    @property
    def mean(self) -> float:
        return float(self.sums.sum() / self.sizes.sum())


def cluster_bootstrap(
    values: ArrayLike | Sequence[Sequence[float]],
    clusters: Sequence[Hashable],
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = 2000,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """The mean over rows of `values` (shape [rows], or samples per row), with its interval.

    `clusters[i]` is the cluster of row i. `bounds` is the range that the mean cannot leave, such
    as (0, 1) for a share. The same input and seed give the same interval. Raises ValueError for
    no rows, lengths that differ, or values that are not finite.
    """
    rows = row_means(values)
    if len(rows) == 0 or len(rows) != len(clusters):
        raise ValueError(f"{len(rows)} values for {len(clusters)} rows")
    if not np.isfinite(rows).all():
        raise ValueError("values must be finite: leave failed rows out and count them")
    grouped = _group(rows, clusters)
    low, high, method = _bounds(grouped, seed=seed, level=level, resamples=resamples)
    if bounds is not None and math.isfinite(low):
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(grouped.mean, low, high, len(rows), len(grouped.sums), method, level)


def paired_difference(
    after: ArrayLike | Sequence[Sequence[float]],
    before: ArrayLike | Sequence[Sequence[float]],
    clusters: Sequence[Hashable],
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """The mean over rows of `after − before`, paired row by row, clusters resampled whole."""
    first, second = row_means(after), row_means(before)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} rows cannot be paired with {len(second)}")
    return cluster_bootstrap(first - second, clusters, seed=seed, level=level, resamples=resamples)


def unpaired_difference(
    first: ArrayLike | Sequence[Sequence[float]],
    first_clusters: Sequence[Hashable],
    second: ArrayLike | Sequence[Sequence[float]],
    second_clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
) -> Interval:
    """The mean of `first` minus the mean of `second`, which are different rows.

    Welch's t over clusters: the standard errors are those of the two clustered means, the degrees
    of freedom Welch and Satterthwaite's (Biometrika 34, 1947).
    """
    from scipy.special import stdtrit

    sides = [
        _group(row_means(values), clusters)
        for values, clusters in ((first, first_clusters), (second, second_clusters))
    ]
    estimate = sides[0].mean - sides[1].mean
    counts = [len(side.sums) for side in sides]
    rows = int(sum(side.sizes.sum() for side in sides))
    if min(counts) < 2:
        return Interval(estimate, math.nan, math.nan, rows, sum(counts), "none: one cluster", level)
    parts = [float(_standard_errors(s.sums[None], s.sizes[None])[0]) ** 2 for s in sides]
    error = math.sqrt(sum(parts))
    spread = sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    freedom = error**4 / spread if spread else float(sum(counts) - 2)
    reach = float(stdtrit(freedom, 0.5 + level / 2)) * error
    low, high = estimate - reach, estimate + reach
    return Interval(estimate, low, high, rows, sum(counts), "Welch's t over clusters", level)


def row_means(values: ArrayLike | Sequence[Sequence[float]]) -> Floats:
    """One number per row: the value, or the mean of the row's samples; shape [rows]."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        found = values.astype(np.float64)
        return found if found.ndim == 1 else found.mean(axis=tuple(range(1, found.ndim)))
    rows: Any = values
    return np.array([np.mean(value) for value in rows], dtype=np.float64)


def _group(rows: Floats, clusters: Sequence[Hashable]) -> _Clusters:
    index: dict[Hashable, int] = {}
    codes = np.array([index.setdefault(cluster, len(index)) for cluster in clusters])
    sums = np.bincount(codes, weights=rows, minlength=len(index)).astype(np.float64)
    sizes = np.bincount(codes, minlength=len(index)).astype(np.float64)
    return _Clusters(sums, sizes)


def _bounds(
    grouped: _Clusters, *, seed: int, level: float, resamples: int
) -> tuple[float, float, str]:
    """The interval's ends and the name of its method."""
    count = len(grouped.sums)
    if count < 2:
        return math.nan, math.nan, "none: one cluster"
    error = float(_standard_errors(grouped.sums[None], grouped.sizes[None])[0])
    if error <= 1e-12 * max(1.0, abs(grouped.mean)):
        return grouped.mean, grouped.mean, "none needed: no variation between clusters"
    if count < FEW_CLUSTERS:
        from scipy.special import stdtrit  # scipy.stats has it too, and takes a second to import

        reach = float(stdtrit(count - 1, 0.5 + level / 2)) * error
        return grouped.mean - reach, grouped.mean + reach, "t over clusters"
    pivots = _pivots(grouped, np.random.Generator(np.random.PCG64(seed)), resamples)
    # basic property of the studentised bootstrap: the upper pivot gives the lower end
    lower, upper = np.quantile(pivots, [0.5 - level / 2, 0.5 + level / 2])
    return (
        grouped.mean - float(upper) * error,
        grouped.mean - float(lower) * error,
        "studentised cluster bootstrap",
    )


def _pivots(grouped: _Clusters, generator: np.random.Generator, resamples: int) -> Floats:
    """(resampled mean − mean) / its standard error, for each resample that varies; shape [R]."""
    count = len(grouped.sums)
    chosen = generator.integers(0, count, size=(resamples, count))
    drawn_sums, drawn_sizes = grouped.sums[chosen], grouped.sizes[chosen]
    means = drawn_sums.sum(axis=1) / drawn_sizes.sum(axis=1)
    errors = _standard_errors(drawn_sums, drawn_sizes)
    varied = errors > 1e-12 * np.maximum(1.0, np.abs(means))
    if not varied.any():
        return np.zeros(1)
    pivots: Floats = (means[varied] - grouped.mean) / errors[varied]
    return pivots


def _standard_errors(drawn_sums: Floats, drawn_sizes: Floats) -> Floats:
    """Standard errors of Σ sums / Σ sizes, linearised, clusters as units; [R, C] to [R]."""
    count = drawn_sums.shape[1]
    total = drawn_sizes.sum(axis=1)
    means = drawn_sums.sum(axis=1) / total
    residuals = drawn_sums - means[:, None] * drawn_sizes
    variance = (residuals**2).sum(axis=1) * count / (count - 1)
    errors: Floats = np.sqrt(variance) / total
    return errors


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None
