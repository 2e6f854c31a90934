"""How is a quantity estimated from episodes, with which interval, and when is there no answer?

Independent episodes: exact Clopper-Pearson. Rates pooled over locales of one seed: the effective
sample size of Korn and Graubard 1998 (Survey Methodology 24, 193-201) in the exact interval.
Means of clusters: Student's t. Pairs: Tango's score interval and McNemar's exact test.

Invariants:
- n = 0 is the state "no answer" with no value, never 0.
- Bounds are decimal strings rounded outward; a rate's bounds stay within 0 and 1.
- A sample without any variation never gets an interval without width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from undersigned.scoring.binomial import (
    clopper_pearson,
    mcnemar,
    paired_difference,
    t_quantile,
)
from undersigned.scoring.figures import (
    downward,
    high_rate,
    in_unit_interval,
    low_rate,
    nearest,
    probability,
    upward,
)
from undersigned.scoring.results import Estimate, State, metric

CLOPPER_PEARSON = "Clopper-Pearson, exact, equal tails"
POOLED = "Clopper-Pearson at the effective size (Korn-Graubard), clusters by seed"
STUDENT = "Student t over clusters"
NO_SPREAD = "no variation between clusters: Clopper-Pearson over clusters"
TANGO = "Tango score interval, paired"
NONE = "none"

TEMPLATES_NEEDED = 20
"""Templates below which nothing is said beyond them."""


class Share(NamedTuple):
    """k of the n episodes of a cluster count."""

    k: int
    n: int


class Gap(NamedTuple):
    """A paired difference and its exact two-sided p-value (decimal string; None without pairs)."""

    difference: Estimate
    p_value: str | None


def rate(name: str, k: int, n: int, level: str = "0.95") -> Estimate:
    """Estimate a rate from independent episodes.

    name: metric. level: two-sided, decimal string. Raises UsageError (E-SCO-003).

    >>> rate("unsafe-rate", 0, 59).high
    '0.060609'
    """
    if n == 0:
        return unanswered(name, level)
    low, high = clopper_pearson(k, n, in_unit_interval("level", level))
    value = nearest(Fraction(k, n))
    return _estimate(name, value, n, k, n, low_rate(low), high_rate(high), level, CLOPPER_PEARSON)


def pooled_rate(name: str, clusters: Sequence[Share], level: str = "0.95") -> Estimate:
    """Estimate a rate over episodes that come in clusters (the locales of one seed).

    The variance is that of a ratio of cluster totals; n* = p (1 - p) / variance, times the
    squared ratio of t quantiles at n - 1 and clusters - 1, takes the place of n, at most n.
    """
    clusters = [share for share in clusters if share.n]
    n, k, size = sum(c.n for c in clusters), sum(c.k for c in clusters), len(clusters)
    if size < 2:
        return unanswered(name, level, n, k, size)
    confidence, p = in_unit_interval("level", level), k / n
    spread = math.fsum((c.k - p * c.n) ** 2 for c in clusters)
    if spread <= 1e-9:
        low, high = clopper_pearson(p * size, size, confidence)
        method = NO_SPREAD
    else:
        tail = (1 + confidence) / 2
        ratio = t_quantile(tail, n - 1) / t_quantile(tail, size - 1)
        variance = size / (size - 1) * spread / n**2
        effective = min(float(n), p * (1 - p) / variance * ratio**2)
        low, high = clopper_pearson(p * effective, effective, confidence)
        method = POOLED
    value = nearest(Fraction(k, n))
    return _estimate(name, value, n, k, size, low_rate(low), high_rate(high), level, method)


def template_rate(name: str, templates: Sequence[Share], level: str = "0.95") -> Estimate:
    """Estimate the mean over templates of the rate within one; templates are the units.

    Not estimable below ``TEMPLATES_NEEDED``. Shown beside a claim, never claimed.
    """
    templates = [share for share in templates if share.n]
    n, k, size = sum(t.n for t in templates), sum(t.k for t in templates), len(templates)
    if size < TEMPLATES_NEEDED:
        return unanswered(name, level, n, k, size)
    rates = [Fraction(t.k, t.n) for t in templates]
    mean = sum(rates, Fraction(0)) / size
    confidence = in_unit_interval("level", level)
    half = _half_width([float(r) for r in rates], float(mean), confidence)
    if half == 0:
        low, high = clopper_pearson(float(mean) * size, size, confidence)
        method = NO_SPREAD
    else:
        low, high = float(mean) - half, float(mean) + half
        method = STUDENT
    return _estimate(name, nearest(mean), n, k, size, low_rate(low), high_rate(high), level, method)


def mean_amount(name: str, unit: str, amounts: Sequence[int], level: str = "0.95") -> Estimate:
    """Estimate a mean amount per independent episode; amounts: 0 or more, one per episode.

    A t interval, its lower bound at least 0. Few large amounts make its upper bound too low, so
    the tail is printed beside it.
    """
    n = len(amounts)
    if n < 2:
        return unanswered(name, level, n, None, n, unit)
    mean = Fraction(sum(amounts), n)
    half = _half_width(amounts, float(mean), in_unit_interval("level", level))
    low, high = downward(max(0.0, float(mean) - half)), upward(float(mean) + half)
    low = "0.000000" if low.startswith("-") else low
    return _estimate(name, nearest(mean), n, None, n, low, high, level, STUDENT, unit)


def paired_gap(
    name: str, only_first: int, only_second: int, pairs: int, level: str = "0.95"
) -> Gap:
    """Estimate rate(first) - rate(second) from pairs.

    only_first, only_second: pairs in which one side alone counts.
    """
    if pairs == 0:
        return Gap(unanswered(name, level), None)
    confidence = in_unit_interval("level", level)
    low, high = paired_difference(only_first, only_second, pairs, confidence)
    value = nearest(Fraction(only_first - only_second, pairs))
    bounds = downward(max(-1.0, low)), upward(min(1.0, high))
    low_text = "-1.000000" if low <= -1 + 1e-9 else bounds[0]
    high_text = "1.000000" if high >= 1 - 1e-9 else bounds[1]
    found = _estimate(name, value, pairs, None, pairs, low_text, high_text, level, TANGO)
    return Gap(found, probability(mcnemar(only_first, only_second)))


def unanswered(
    name: str, level: str, n: int = 0, k: int | None = 0, clusters: int = 0, unit: str = ""
) -> Estimate:
    """Return the estimate of a quantity that has none: no episodes, or too few clusters."""
    state: State = "not estimable" if n else "no answer"
    about = metric(name)
    return Estimate(
        name, state, None, unit or about.unit, n, k, clusters, None, None, level, NONE,
        about.direction,
    )  # fmt: skip


def _estimate(
    name: str,
    value: str,
    n: int,
    k: int | None,
    clusters: int,
    low: str,
    high: str,
    level: str,
    method: str,
    unit: str = "",
) -> Estimate:
    about = metric(name)
    return Estimate(
        metric=name,
        state="estimated",
        value=value,
        unit=unit or about.unit,
        n=n,
        k=k,
        clusters=clusters,
        low=low,
        high=high,
        level=level,
        method=method,
        direction=about.direction,
    )


def _half_width(values: Sequence[float], mean: float, confidence: float) -> float:
    size = len(values)
    spread = math.fsum((value - mean) ** 2 for value in values)
    error = math.sqrt(spread / (size - 1) / size)
    return t_quantile((1 + confidence) / 2, size - 1) * error
