"""Which rates are compatible with k events in n independent trials, and how surely?

Numbers in, numbers out; writing them down is for ``figures``. Tails and their inverses come from
scipy.special's regularised incomplete beta function.

Sources: Clopper and Pearson 1934 (exact interval); Wilson 1927 (score interval, only to draw);
McNemar 1947 in its exact binomial form; Tango 1998, Statistics in Medicine 17, 891-908 (score
interval for a difference of paired proportions).

A stratified sample is a sum of independent Bernoulli trials that are not identical. Hoeffding
1956 (Annals of Mathematical Statistics 27, 713-721): with mean rate p over n trials,
P(X <= c) is at most the binomial tail when c <= n p - 1, and P(X >= c) when c >= n p + 1. So
the exact binomial test and bounds for the mean rate stay conservative in the tails where they
decide; ``at_most_p_value`` and ``is_in_upper_tail`` keep them from being used elsewhere.

Invariants:
- 0 <= k <= n, n >= 1, 0 < alpha < 1 are the caller's; n = 0 has no answer and is not asked here.
- No bound is ever inside the exact one by more than the error of the special functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

from scipy.special import bdtr, betainccinv, betaincinv, stdtrit


class Interval(NamedTuple):
    """A closed interval."""

    low: float
    high: float


def cdf(k: int, n: int, rate: float) -> float:
    """Return P(X <= k) of the binomial distribution."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else float(bdtr(k, n, rate))


def lower_bound(k: float, n: float, alpha: float) -> float:
    """Return the one-sided lower Clopper-Pearson bound: P(X >= k) is alpha there.

    k, n: counts, or effective (fractional) ones.
    """
    return 0.0 if k <= 0 else float(betaincinv(k, n - k + 1, alpha))


def upper_bound(k: float, n: float, alpha: float) -> float:
    """Return the one-sided upper Clopper-Pearson bound: P(X <= k) is alpha there."""
    return 1.0 if k >= n else float(betainccinv(k + 1, n - k, alpha))


def clopper_pearson(k: float, n: float, level: float) -> Interval:
    """Return the exact two-sided interval with equal tails. level: for example 0.95."""
    alpha = (1 - level) / 2
    return Interval(lower_bound(k, n, alpha), upper_bound(k, n, alpha))


def at_most_p_value(k: int, n: int, limit: float) -> float:
    """Return the exact p-value P(X <= k) against "the rate is at least limit".

    1 where Hoeffding's condition k <= n limit - 1 does not hold; there the tail is not small
    for any limit up to one half.
    """
    return cdf(k, n, limit) if k + 1 <= n * limit else 1.0


def is_in_upper_tail(k: int, n: int, limit: float) -> bool:
    """Say whether Hoeffding's condition holds above the limit: k >= n limit + 1.

    It fails for a lone event in very few trials, whose exact lower bound would be above a small
    limit only if all trials had one rate.
    """
    return k - 1 >= n * limit


def largest_passing(n: int, limit: float, alpha: float) -> int:
    """Return the largest k that shows the rate to be under the limit; -1 when none does."""
    low, high = -1, n
    while low + 1 < high:
        middle = (low + high) // 2
        if at_most_p_value(middle, n, limit) <= alpha:
            low = middle
        else:
            high = middle
    return low


def power(n: int, limit: float, alternative: float, alpha: float) -> float:
    """Return the probability of showing "under the limit" when the rate is the alternative."""
    return cdf(largest_passing(n, limit, alpha), n, alternative) if n else 0.0


def zero_failure_n(limit: float, alpha: float) -> int:
    """Return the smallest n in which no event at all shows the rate to be under the limit.

    >>> zero_failure_n(0.05, 0.05), zero_failure_n(0.01, 0.05)
    (59, 299)
    """
    n = max(1, math.ceil(math.log(alpha) / math.log1p(-limit)) - 1)
    while math.exp(n * math.log1p(-limit)) > alpha:
        n += 1
    return n


def smallest_n(limit: float, alternative: float, alpha: float, target: float) -> int:
    """Return the smallest n whose power reaches the target. alternative: below limit.

    For a fixed number c of tolerated events the power falls with n, so only the first n that
    tolerates c can be the answer; c rises until one reaches the target.
    """
    n, tolerated = zero_failure_n(limit, alpha), 0
    while True:
        n = _first_n(tolerated, n, limit, alpha)
        if cdf(tolerated, n, alternative) >= target:
            return n
        tolerated += 1


def _first_n(tolerated: int, start: int, limit: float, alpha: float) -> int:
    def passes(n: int) -> bool:
        return at_most_p_value(tolerated, n, limit) <= alpha

    high = start
    while not passes(high):
        high *= 2
    low = start - 1
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of McNemar's test from the two discordant counts."""
    discordant = only_first + only_second
    return min(1.0, 2 * cdf(min(only_first, only_second), discordant, 0.5)) if discordant else 1.0


def paired_difference(only_first: int, only_second: int, pairs: int, level: float) -> Interval:
    """Return Tango's score interval for rate(first) - rate(second) over pairs.

    only_first, only_second: discordant pairs. pairs: all of them, at least 1.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    seen = (only_first - only_second) / pairs
    high = _root(lambda d: _tango(only_first, only_second, pairs, d) + z, seen, 1.0)
    low = -_root(lambda d: _tango(only_second, only_first, pairs, d) + z, -seen, 1.0)
    return Interval(low, high)


def _tango(b: int, c: int, n: int, difference: float) -> float:
    """Return the score statistic; b, c: discordant counts; falls as difference rises."""
    if difference >= 1.0:
        return 0.0 if b == n else -math.inf
    first = (2 * n - b + c) * difference - b - c
    last = -c * difference * (1 - difference)
    nuisance = (math.sqrt(max(0.0, first * first - 8 * n * last)) - first) / (4 * n)
    variance = n * (2 * nuisance + difference * (1 - difference))
    distance = b - c - n * difference
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(0.0, distance)


def t_quantile(probability: float, freedom: int) -> float:
    """Return the quantile of Student's t distribution."""
    return float(stdtrit(freedom, probability))


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Return where a falling function crosses 0 between low and high, to machine precision."""
    if falling(high) >= 0:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high
