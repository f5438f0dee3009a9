"""Do 95 % intervals hold the truth 95 times in 100? Made-up experiments, beside the usual ways.

    python bench/intervals.py                     also writes bench/results/intervals.json
    python bench/intervals.py --experiments 100   fewer, for a first look; writes nothing

There are 1,000 experiments of 100 rows in each world. `ours` is `rftspec.stats.intervals`;
`normal` is the mean ± 1.96 standard errors over rows, `scipy BCa` is `scipy.stats.bootstrap` over
rows: neither knows of clusters. The seed and the worlds were fixed before the first look.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rftspec.stats.intervals import cluster_bootstrap
from rftspec.stats.paired import paired

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "intervals.json"
SEED = 20261122
ROWS = 100
RESAMPLES = 2000

Floats = NDArray[np.float64]
Generator = np.random.Generator
Drawn = tuple[Floats, NDArray[np.int64], float]
"""Values by row, the cluster of each row, and the true mean."""


def shares(generator: Generator) -> Drawn:
    """Each row passes or fails; three in ten pass."""
    return (generator.random(ROWS) < 0.3).astype(float), np.arange(ROWS), 0.3


def rare(generator: Generator) -> Drawn:
    """Each row passes or fails; one in twenty passes."""
    return (generator.random(ROWS) < 0.05).astype(float), np.arange(ROWS), 0.05


def four_answers(generator: Generator) -> Drawn:
    """The mean of four answers to rows of different ease."""
    ease = generator.beta(0.6, 1.4, ROWS)
    return generator.binomial(4, ease) / 4, np.arange(ROWS), 0.3


def decaying(generator: Generator) -> Drawn:
    """A reward of 1 for the first place, 0.7 for the second …, 0 beyond the sixth: skewed."""
    ranks = generator.geometric(0.25, ROWS)
    chances = 0.25 * 0.75 ** np.arange(6)
    truth = float((chances * 0.7 ** np.arange(6)).sum())
    return np.where(ranks <= 6, 0.7 ** (ranks - 1.0), 0.0), np.arange(ROWS), truth


def clustered(generator: Generator) -> Drawn:
    """Rows of forty genes, one to four of each, whose ease is the gene's."""
    genes = np.repeat(np.arange(40), generator.permutation(np.repeat([1, 2, 3, 4], 10)))
    ease = generator.beta(1.5, 3.5, 40)[genes]
    return (generator.random(ROWS) < ease).astype(float), genes, 0.3


def few_clusters(generator: Generator) -> Drawn:
    """Five rows of each of twenty genes, four answers a row."""
    genes = np.repeat(np.arange(20), 5)
    ease = generator.beta(3, 7, 20)[genes]
    return generator.binomial(4, ease) / 4, genes, 0.3


WORLDS: tuple[Callable[[Generator], Drawn], ...] = (
    shares, four_answers, decaying, clustered, few_clusters, rare,
)  # fmt: skip
GAINS = (0.0, 0.1)
FLIPS = (0.02, 0.05, 0.1, 0.2)


def main() -> None:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=1000)
    count = parser.parse_args().experiments
    print(f"{count} experiments of {ROWS} rows; share of 95 % intervals that hold the truth\n")
    print(f"{'world':<24}{'ours':>8}{'normal':>8}{'scipy BCa':>11}")
    told = {
        "experiments": count,
        "rows": ROWS,
        "seed": SEED,
        "coverage": {},
        "flips": {},
        "differences": {},
    }
    for world in WORLDS:
        found = coverage(world, count)
        told["coverage"][world.__name__] = found  # type: ignore[index]
        print(f"{world.__name__:<24}" + "".join(f"{100 * v:>8.1f}" for v in found.values()))
    print(f"\n{'equal models that differ':<28}{'called different':>18}")
    for share in FLIPS:
        wrong = flips(share, count)
        told["flips"][str(share)] = wrong  # type: ignore[index]
        print(f"{f'on {share:.0%} of rows':<28}{100 * wrong:>18.1f}")
    print(f"\n{'two models, gain':<24}{'covered':>9}{'called different':>18}")
    for gain in GAINS:
        found = differences(gain, count)
        told["differences"][str(gain)] = found  # type: ignore[index]
        print(f"{gain:<24}{100 * found['covered']:>9.1f}{100 * found['different']:>18.1f}")
    if count >= 1000:
        RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def coverage(world: Callable[[Generator], Drawn], count: int) -> dict[str, float]:
    """The share of intervals that hold the truth, by way of making them."""
    generator = np.random.default_rng(SEED)
    hits = {"ours": 0, "normal": 0, "scipy BCa": 0}
    for trial in range(count):
        values, clusters, truth = world(generator)
        share = (0.0, 1.0)
        found = cluster_bootstrap(values, clusters.tolist(), seed=trial, bounds=share)
        hits["ours"] += found.low <= truth <= found.high
        reach = 1.96 * values.std(ddof=1) / np.sqrt(ROWS)
        hits["normal"] += abs(values.mean() - truth) <= reach
        hits["scipy BCa"] += _bca(values, truth, trial)
    return {name: hit / count for name, hit in hits.items()}


def _bca(values: Floats, truth: float, seed: int) -> bool:
    from scipy.stats import bootstrap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that are all alike have no BCa interval
        found = bootstrap(
            (values,), np.mean, n_resamples=RESAMPLES, rng=np.random.default_rng(seed)
        ).confidence_interval
    return bool(found.low <= truth <= found.high)


def differences(gain: float, count: int) -> dict[str, float]:
    """Two models on the same rows, four answers each; a gain is that share of the room left."""
    generator = np.random.default_rng(SEED)
    covered = different = 0
    for trial in range(count):
        ease = generator.beta(0.6, 1.4, ROWS)
        better = ease + gain * (1 - ease)
        before, after = generator.binomial(4, ease) / 4, generator.binomial(4, better) / 4
        found = paired(after.tolist(), before.tolist(), range(ROWS), seed=trial).interval
        covered += found.low <= gain * 0.7 <= found.high  # the mean of 1 − ease is 0.7
        different += not found.spans_zero
    return {"covered": covered / count, "different": different / count}


def flips(share: float, count: int) -> float:
    """How often two equal models are called different that pass and fail apart on few rows."""
    generator = np.random.default_rng(SEED)
    different = 0
    for trial in range(count):
        drawn = generator.random(ROWS)
        after = (drawn < share / 2).astype(float)
        before = ((drawn >= share / 2) & (drawn < share)).astype(float)
        found = paired(after.tolist(), before.tolist(), range(ROWS), seed=trial).interval
        different += not found.spans_zero
    return different / count


if __name__ == "__main__":
    main()
