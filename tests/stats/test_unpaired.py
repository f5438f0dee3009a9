"""The interval of a difference between means of different rows."""

from __future__ import annotations

import numpy as np
import pytest

from rftspec.stats.intervals import unpaired_difference


def draw(rng: np.random.Generator, clusters: int, size: int, mean: float) -> tuple[list, list]:
    effects = rng.normal(mean, 1.0, clusters)
    values = [float(rng.normal(effect, 0.5)) for effect in effects for _ in range(size)]
    return values, [c for c in range(clusters) for _ in range(size)]


def test_it_covers_the_truth_as_often_as_it_says_though_rows_of_a_cluster_are_alike() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(600):
        found = unpaired_difference(*draw(rng, 12, 8, 0.3), *draw(rng, 30, 3, 0.0))
        hits += found.low <= 0.3 <= found.high
    assert 0.92 <= hits / 600 <= 0.98


def test_the_estimate_is_the_difference_of_the_means_over_rows() -> None:
    found = unpaired_difference([1.0, 1.0, 4.0], "aab", [0.0, 1.0], "xy")
    assert found.estimate == pytest.approx(2.0 - 0.5)


def test_one_cluster_gives_no_interval() -> None:
    assert not unpaired_difference([1.0, 2.0], "aa", [0.0, 1.0], "xy").known
