"""Intervals cover what they say, pair what they should, and admit when rows are few."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from rftspec.stats.intervals import Interval, cluster_bootstrap, paired_difference


def clustered_rows(generator, clusters=60, per_cluster=3):
    """Binary outcomes whose chance is a property of their cluster; the true mean is 0.3."""
    chance = np.repeat(generator.beta(1.5, 3.5, size=clusters), per_cluster)
    names = np.repeat(np.arange(clusters), per_cluster)
    return (generator.random(len(chance)) < chance).astype(float), names.tolist()


def test_intervals_cover_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(20240)
    hits = 0
    for trial in range(400):
        values, names = clustered_rows(generator)
        interval = cluster_bootstrap(values, names, seed=trial, resamples=500)
        hits += interval.low <= 0.3 <= interval.high
    assert 0.92 <= hits / 400 <= 0.98


def test_ignoring_clusters_would_cover_too_seldom():
    generator = np.random.default_rng(20240)
    hits = 0
    for trial in range(200):
        chance = np.repeat(generator.beta(0.5, 1.2, size=40), 10)
        values = (generator.random(400) < chance).astype(float)
        interval = cluster_bootstrap(values, range(400), seed=trial, resamples=300)
        hits += interval.low <= 0.5 / 1.7 <= interval.high
    assert hits / 200 < 0.85


def test_equal_models_are_seldom_called_different():
    generator = np.random.default_rng(7)
    different = 0
    for trial in range(300):
        first, names = clustered_rows(generator)
        shift = generator.normal(0, 0.4, size=len(first))
        interval = paired_difference(first + shift, first, names, seed=trial, resamples=400)
        different += not interval.spans_zero
    assert different / 300 <= 0.085


def test_few_clusters_give_the_t_interval_of_scipy():
    values = [0.1, 0.4, 0.35, 0.8, 0.2, 0.55]
    interval = cluster_bootstrap(values, list("abcdef"))
    low, high = scipy_stats.t.interval(0.95, 5, loc=np.mean(values), scale=scipy_stats.sem(values))
    assert interval.few
    assert interval.method == "t over clusters"
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_many_equal_sized_clusters_agree_with_scipy_to_a_hundredth():
    generator = np.random.default_rng(3)
    values = generator.normal(0.5, 0.2, size=200)
    ours = cluster_bootstrap(values, range(200), seed=1)
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, method="BCa", rng=np.random.default_rng(1), n_resamples=4000
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.005)
    assert ours.high == pytest.approx(theirs.high, abs=0.005)


def test_one_cluster_gives_no_interval_and_says_so():
    interval = cluster_bootstrap([0.2, 0.4], ["a", "a"])
    assert math.isnan(interval.low)
    assert interval.words == "too few rows to say"
    assert interval.to_json()["low"] is None


def test_rows_that_do_not_vary_are_told_so():
    interval = cluster_bootstrap([1.0] * 40, range(40))
    assert (interval.low, interval.high) == (1.0, 1.0)
    assert "no variation" in interval.method


def test_pairing_narrows_the_interval_of_a_difference():
    generator = np.random.default_rng(5)
    hard = generator.random(100)
    before, after = hard, hard + generator.normal(0.1, 0.02, size=100)
    paired = paired_difference(after, before, range(100))
    alone = cluster_bootstrap(after, range(100))
    assert paired.high - paired.low < (alone.high - alone.low) / 5
    assert paired.words == "higher"


def test_samples_of_a_row_enter_as_their_mean():
    lists = [[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]] * 12
    assert cluster_bootstrap(lists, range(36)) == cluster_bootstrap([0.5, 1.0, 0.0] * 12, range(36))


def test_bounds_hold_a_share_inside_its_range():
    values = [0.4] + [0.0] * 59
    assert cluster_bootstrap(values, range(60), bounds=(0, 0.9)).low == 0.0


def test_the_same_seed_gives_the_same_interval():
    values = np.linspace(0, 1, 50) ** 2
    assert cluster_bootstrap(values, range(50), seed=4) == cluster_bootstrap(
        values, range(50), seed=4
    )


@pytest.mark.parametrize("bad", [[], [math.nan] * 3])
def test_rows_that_cannot_be_averaged_are_refused(bad):
    with pytest.raises(ValueError, match=r"finite|0 values"):
        cluster_bootstrap(bad, ["a"] * len(bad))


def test_words_follow_the_numbers():
    spanning = Interval(0.1, -0.1, 0.3, 10, 10, "t")
    assert spanning.words == "no difference shown"
    assert Interval(-0.2, -0.3, -0.1, 10, 10, "t").words == "lower"
    assert spanning.text(signed=True) == "+0.10 (-0.10 to +0.30)"
