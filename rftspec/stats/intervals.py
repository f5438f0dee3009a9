"""Intervals for means over rows that come in clusters, and for paired differences of them.

Rows of one cluster (one gene, one patient) are not independent, so whole clusters are resampled.
With 30 clusters and more the interval is the studentised cluster bootstrap (Davison and Hinkley,
*Bootstrap Methods and their Application*, 1997, section 5.2.1; clusters as in Field and Welsh,
JRSS-B 69, 2007), whose coverage stays close to its level where the percentile bootstrap's falls
short; with fewer, Student's t over the clusters; with one, there is no interval to give. Clusters
that are all alike have no spread to measure: a share of 0 or 1 gets the exact binomial bound over
clusters (Clopper and Pearson, Biometrika 26, 1934), and fewer than six say nothing of a mean.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rftspec.stats.rare import is_rare, sign_flip_p, wilson

FEW_CLUSTERS = 30
"""Below this many clusters the interval is Student's t, and its words say that rows are few."""

ALIKE_CLUSTERS = 6
"""Fewer clusters that are all alike say nothing: six heads in a row are the first with p < 0.05."""

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
    if _alike(grouped):
        low, high, method = _alike_bounds(grouped, bounds, level)
    elif _is_rare(grouped, bounds):
        low, high = wilson(grouped.mean, _error(grouped), len(grouped.sums), level)
        method = "Wilson over clusters: few events"
    else:
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
    moves = first - second
    found = cluster_bootstrap(moves, clusters, seed=seed, level=level, resamples=resamples)
    exact = sign_flip_p(_group(moves, clusters).sums, seed)
    if exact is None or exact < 1 - level or found.spans_zero:
        return found
    # few rows differ, and equal models would differ so as often as not to say otherwise
    low, high = min(found.low, 0.0), max(found.high, 0.0)
    method = f"{found.method}, as far as zero by the sign-flip test"
    return replace(found, low=low, high=high, method=method)


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


def p_of_zero(
    values: ArrayLike | Sequence[Sequence[float]],
    clusters: Sequence[Hashable],
    *,
    seed: int = 0,
    resamples: int = 2000,
) -> float:
    """Two-sided p of "the mean difference over rows is zero", by the way of `paired_difference`.

    It is below 0.05 exactly where the 95 % interval of the same seed leaves zero out. NaN where
    there is no interval; never less than 1 / `resamples`.
    """
    grouped = _group(row_means(values), clusters)
    exact = sign_flip_p(grouped.sums, seed) or 0.0
    return max(_p_of_zero(grouped, seed=seed, resamples=resamples), exact)


def _p_of_zero(grouped: _Clusters, *, seed: int, resamples: int) -> float:
    count = len(grouped.sums)
    if _alike(grouped):
        if abs(grouped.mean) <= 1e-12:
            return 1.0
        return math.nan if count < ALIKE_CLUSTERS else float(2.0 ** (1 - count))
    if count < 2:
        return math.nan
    pivot = grouped.mean / _error(grouped)
    if count < FEW_CLUSTERS:
        from scipy.special import stdtr

        return float(2 * stdtr(count - 1, -abs(pivot)))
    pivots = np.sort(_pivots(grouped, seed, resamples))
    # the inverse of np.quantile's interpolation, so that p and interval agree at every level
    below = float(np.interp(pivot, pivots, np.linspace(0, 1, len(pivots))))
    return max(2 * min(below, 1 - below), 1 / resamples)


def standard_error(
    values: ArrayLike | Sequence[Sequence[float]], clusters: Sequence[Hashable]
) -> float:
    """The linearised standard error of the mean over rows, clusters as units; NaN for one."""
    grouped = _group(row_means(values), clusters)
    return _error(grouped) if len(grouped.sums) > 1 else math.nan


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


def _error(grouped: _Clusters) -> float:
    return float(_standard_errors(grouped.sums[None], grouped.sizes[None])[0])


def _is_rare(grouped: _Clusters, bounds: tuple[float, float] | None) -> bool:
    """True for a share of which hardly anything passes, or hardly anything fails."""
    if bounds != (0.0, 1.0) or len(grouped.sums) < 2:
        return False
    return is_rare(grouped.mean, _error(grouped))


def _alike(grouped: _Clusters) -> bool:
    """True when the means of all clusters (of two and more) are the same number."""
    if len(grouped.sums) < 2:
        return False
    return _error(grouped) <= 1e-12 * max(1.0, abs(grouped.mean))


def _alike_bounds(
    grouped: _Clusters, bounds: tuple[float, float] | None, level: float
) -> tuple[float, float, str]:
    """The interval where nothing varies: exact for a share of 0 or 1, else a point, or none."""
    count, mean = len(grouped.sums), grouped.mean
    reach = ((1 - level) / 2) ** (1 / count)
    exact = "exact binomial over clusters: all are alike"
    if bounds == (0.0, 1.0) and mean in bounds:
        return (0.0, 1 - reach, exact) if mean == 0.0 else (reach, 1.0, exact)
    if count < ALIKE_CLUSTERS and mean != 0.0:
        return math.nan, math.nan, "none: few clusters, all alike"
    return mean, mean, "none needed: no variation between clusters"


def _bounds(
    grouped: _Clusters, *, seed: int, level: float, resamples: int
) -> tuple[float, float, str]:
    """The interval's ends and the name of its method."""
    count = len(grouped.sums)
    if count < 2:
        return math.nan, math.nan, "none: one cluster"
    error = _error(grouped)
    if count < FEW_CLUSTERS:
        from scipy.special import stdtrit  # scipy.stats has it too, and takes a second to import

        reach = float(stdtrit(count - 1, 0.5 + level / 2)) * error
        return grouped.mean - reach, grouped.mean + reach, "t over clusters"
    pivots = _pivots(grouped, seed, resamples)
    # basic property of the studentised bootstrap: the upper pivot gives the lower end
    lower, upper = np.quantile(pivots, [0.5 - level / 2, 0.5 + level / 2])
    return (
        grouped.mean - float(upper) * error,
        grouped.mean - float(lower) * error,
        "studentised cluster bootstrap",
    )


def _pivots(grouped: _Clusters, seed: int, resamples: int) -> Floats:
    """(resampled mean − mean) / its standard error, for each resample that varies; shape [R]."""
    count = len(grouped.sums)
    generator = np.random.Generator(np.random.PCG64(seed))
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
