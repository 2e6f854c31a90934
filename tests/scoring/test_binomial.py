"""The exact methods agree with scipy's own, and their promises hold in seeded simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from undersigned.scoring.binomial import (
    at_most_p_value,
    cdf,
    clopper_pearson,
    is_in_upper_tail,
    largest_passing,
    lower_bound,
    mcnemar,
    paired_difference,
    power,
    smallest_n,
    upper_bound,
    zero_failure_n,
)


@settings(max_examples=200)
@given(st.integers(1, 3000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_clopper_pearson__any_counts__agrees_with_scipy(n: int, part: float, level: float) -> None:
    k = round(part * n)
    peer = binomtest(k, n).proportion_ci(confidence_level=level, method="exact")
    assert clopper_pearson(k, n, level) == pytest.approx((peer.low, peer.high), abs=1e-9)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar__any_discordant_counts__is_the_binomial_test_at_one_half(b: int, c: int) -> None:
    expected = binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 400), st.floats(0, 1), st.floats(0.005, 0.5), st.floats(0.0001, 0.1))
def test_upper_bound__against_the_test__is_under_the_limit_exactly_when_the_test_rejects(
    n: int, part: float, limit: float, alpha: float
) -> None:
    k = round(part * n)
    p_value = at_most_p_value(k, n, limit)
    if abs(p_value - alpha) > 1e-9:
        assert (upper_bound(k, n, alpha) < limit) == (p_value < alpha)


def test_hoeffdings_condition__limit_at_most_half__never_withholds_a_rejection() -> None:
    for n, limit in itertools.product(range(1, 200), (0.01, 0.05, 0.2, 0.5)):
        k = int(n * limit)  # the smallest k for which the condition fails is above n limit - 1
        if k + 1 > n * limit:
            assert cdf(k, n, limit) > 0.1


def test_stratified_sample__unequal_rates__tail_is_at_most_the_binomial_one() -> None:
    rates = [0.0] * 50 + [0.02] * 30 + [0.22] * 20  # mean 0.05 over 100 episodes
    exact = np.array([1.0])
    for p in rates:
        exact = np.convolve(exact, [1 - p, p])
    for k in range(4):
        assert exact[: k + 1].sum() <= at_most_p_value(k, 100, 0.05)


def test_upper_tail__a_lone_event_in_two_unlike_trials__beats_the_binomial() -> None:
    mean, rates = 0.02, (0.04, 0.0)
    assert sum(rates) > 1 - cdf(0, 2, mean)  # so Clopper-Pearson would be too sure of itself
    assert lower_bound(1, 2, 0.05) > mean
    assert not is_in_upper_tail(1, 2, mean)
    assert is_in_upper_tail(2, 2, mean)


def test_zero_failure_rule__limits_of_the_report__are_the_known_numbers() -> None:
    numbers = [zero_failure_n(limit, 0.05) for limit in (0.1, 0.05, 0.01, 0.001)]
    assert numbers == [29, 59, 299, 2995]
    assert upper_bound(0, 59, 0.05) < 0.05 < upper_bound(0, 58, 0.05)


@pytest.mark.parametrize(("limit", "target"), [(0.05, 0.8), (0.05, 0.99), (0.2, 0.9), (0.01, 0.5)])
def test_smallest_n__against_a_plain_scan__is_the_first_with_the_power(
    limit: float, target: float
) -> None:
    scan = next(n for n in range(1, 3000) if power(n, limit, limit / 5, 0.05) >= target)
    assert smallest_n(limit, limit / 5, 0.05, target) == scan


def test_largest_passing__one_more_event__no_longer_passes() -> None:
    k = largest_passing(300, 0.05, 0.05)
    assert at_most_p_value(k, 300, 0.05) <= 0.05 < at_most_p_value(k + 1, 300, 0.05)
    assert largest_passing(58, 0.05, 0.05) == -1
    assert largest_passing(59, 0.05, 0.05) == 0


def test_clopper_pearson__any_rate__covers_at_least_its_level() -> None:
    for n, p in itertools.product((20, 60, 200), (0.001, 0.01, 0.05, 0.3, 0.5)):
        k = np.arange(n + 1)
        inside = [lo <= p <= hi for lo, hi in (clopper_pearson(int(x), n, 0.95) for x in k)]
        weights = np.diff([0.0] + [cdf(int(x), n, p) for x in k])
        assert weights[inside].sum() >= 0.95


def test_paired_difference__simulated_pairs__covers_about_its_level() -> None:
    random = np.random.default_rng(7)
    for both, here, there in ((0.01, 0.02, 0.01), (0.0, 0.08, 0.01), (0.3, 0.1, 0.2)):
        draws = random.multinomial(120, [both, here, there, 1 - both - here - there], size=1500)
        found = (paired_difference(int(d[1]), int(d[2]), 120, 0.95) for d in draws)
        covered = np.mean([low <= here - there <= high for low, high in found])
        assert 0.93 <= covered <= 0.995


def test_paired_difference__sides_exchanged__is_mirrored() -> None:
    low, high = paired_difference(9, 2, 80, 0.95)
    again = paired_difference(2, 9, 80, 0.95)
    assert (-high, -low) == pytest.approx(again, abs=1e-9)
    assert low < 7 / 80 < high
    no_difference = paired_difference(0, 0, 80, 0.95)
    assert no_difference.low < 0 < no_difference.high


def test_bounds__no_event_and_nothing_but_events__are_exactly_the_ends() -> None:
    assert lower_bound(0, 10, 0.05) == 0.0
    assert upper_bound(10, 10, 0.05) == 1.0
