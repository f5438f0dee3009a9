"""Paired comparisons agree with scipy and statsmodels, and say no more than the rows can show."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from rftspec.stats.intervals import cluster_bootstrap, p_of_zero
from rftspec.stats.paired import detectable, holm, mcnemar, paired, pass_at_k
from rftspec.stats.rare import sign_flip_p


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (6, 0), (9, 3), (14, 14), (40, 21)])
def test_mcnemar_is_the_exact_one_of_statsmodels(gained, lost):
    table = [[10, lost], [gained, 25]]
    assert mcnemar(gained, lost) == pytest.approx(their_mcnemar(table, exact=True).pvalue)


def test_flips_of_plain_passes_are_counted_and_shares_of_answers_are_not():
    found = paired([1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], "abcd")
    assert found.mcnemar is not None
    assert (found.mcnemar.only_after, found.mcnemar.only_before) == (2, 1)
    assert paired([0.5, 1.0], [0.0, 1.0], "ab").mcnemar is None


def test_holm_is_that_of_statsmodels_and_leaves_unknown_ones_out():
    values = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.5, "e": 0.0004}
    theirs = multipletests(list(values.values()), method="holm")[1]
    assert list(holm(values).values()) == pytest.approx(list(theirs))
    with_unknown = holm({**values, "unknown": math.nan})
    assert math.isnan(with_unknown.pop("unknown"))
    assert with_unknown == holm(values)


@pytest.mark.parametrize("rows", [6, 29, 30, 200])
def test_detectable_difference_is_that_of_statsmodels(rows):
    moves = np.random.default_rng(rows).normal(0.1, 0.7, rows)
    theirs = TTestPower().solve_power(nobs=rows, alpha=0.05, power=0.8) * moves.std(ddof=1)
    assert detectable(moves, range(rows)) == pytest.approx(theirs, rel=1e-4)


def test_detectable_difference_is_found_four_times_of_five():
    generator = np.random.default_rng(11)
    moves = generator.normal(0, 1, 60)
    size = detectable(moves / moves.std(ddof=1), range(60))
    draws = generator.normal(size, 1, (400, 60))
    shown = sum(scipy_stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05)
    assert 0.74 <= shown / 400 <= 0.86


@pytest.mark.parametrize("rows", [12, 40, 90])
def test_p_and_interval_never_contradict_each_other(rows):
    generator = np.random.default_rng(rows)
    for trial in range(150):
        moves = generator.normal(0.25, 1, rows)
        interval = cluster_bootstrap(moves, range(rows), seed=trial, resamples=400)
        p = p_of_zero(moves, range(rows), seed=trial, resamples=400)
        assert (p < 0.05) == (not interval.spans_zero)


def test_p_of_few_clusters_is_the_t_test_of_scipy():
    moves = np.random.default_rng(1).normal(0.3, 1, 17)
    theirs = scipy_stats.ttest_1samp(moves, 0).pvalue
    assert p_of_zero(moves, range(17)) == pytest.approx(theirs)


def test_p_of_many_rows_is_near_the_permutation_test_of_scipy():
    moves = np.random.default_rng(3).normal(0.15, 1, 120)
    theirs = scipy_stats.permutation_test(
        (moves,), lambda x, axis: x.mean(axis=axis), permutation_type="samples",
        rng=np.random.default_rng(0), vectorized=True,
    ).pvalue  # fmt: skip
    assert p_of_zero(moves, range(120)) == pytest.approx(theirs, abs=0.02)


def test_five_rows_that_all_rose_say_nothing_and_six_do():
    five = paired([1.0] * 5, [0.0] * 5, range(5))
    assert five.interval.words == "too few rows to say"
    assert math.isnan(five.p)
    six = paired([1.0] * 6, [0.0] * 6, range(6))
    assert six.interval.words == "higher"
    assert six.p == pytest.approx(scipy_stats.binomtest(6, 6).pvalue)


def test_no_row_that_moved_is_no_difference():
    found = paired([0.5] * 40, [0.5] * 40, range(40))
    assert (found.wins, found.ties, found.losses) == (0, 40, 0)
    assert found.interval.words == "no difference shown"
    assert found.p == 1.0


def test_share_of_rows_that_all_pass_has_the_exact_bound():
    found = cluster_bootstrap([1.0] * 50, range(50), bounds=(0, 1))
    theirs = scipy_stats.binomtest(50, 50).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((theirs.low, 1.0))


@pytest.mark.parametrize(("passed", "samples", "k"), [(0, 4, 2), (1, 4, 2), (3, 8, 4), (5, 6, 6)])
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_pass(passed, samples, k):
    answers = [True] * passed + [False] * (samples - passed)
    subsets = list(combinations(answers, k))
    assert pass_at_k(passed, samples, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_more_than_there_are_samples_is_refused():
    with pytest.raises(ValueError, match="pass@5"):
        pass_at_k(1, 4, 5)


def test_few_rows_that_differ_are_judged_by_mcnemar():
    for gained in range(1, 9):
        after = [1.0] * gained + [0.0] * (100 - gained)
        found = paired(after, [0.0] * 100, range(100))
        assert found.p == pytest.approx(max(scipy_stats.binomtest(gained, gained).pvalue, 1 / 2000))
        assert found.interval.words == ("higher" if gained >= 6 else "no difference shown")


def test_sign_flip_test_is_the_permutation_test_of_scipy():
    moved = np.random.default_rng(8).normal(0.3, 1, 20)
    sums = np.concatenate([moved, np.zeros(80)])
    theirs = scipy_stats.permutation_test(
        (moved,), lambda x, axis: x.sum(axis=axis), permutation_type="samples",
        rng=np.random.default_rng(0), vectorized=True,
    ).pvalue  # fmt: skip
    assert sign_flip_p(sums, 0) == pytest.approx(theirs, abs=0.02)
    assert sign_flip_p(moved, 0) is None  # all differ: the interval's own p serves


@pytest.mark.parametrize("passes", [1, 3, 7])
def test_rare_share_has_the_interval_of_wilson(passes):
    values = [1.0] * passes + [0.0] * (100 - passes)
    found = cluster_bootstrap(values, range(100), bounds=(0, 1))
    theirs = proportion_confint(passes, 99, method="wilson")
    assert found.method.startswith("Wilson")
    assert (found.low, found.high) == pytest.approx(theirs, abs=0.003)
