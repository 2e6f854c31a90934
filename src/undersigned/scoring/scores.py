"""What do the scores of a run look like, as they stand in a dossier?

Plain data in canonical JSON; ``summary`` computes it. Every table lists what was planned, so a
row with n = 0 has the state "no answer" and is not absent.
"""

from __future__ import annotations

import msgspec

from undersigned.scoring.claims import ClaimResult, Scope
from undersigned.scoring.outcomes import Totals
from undersigned.scoring.results import Estimate, Metric


class Row(msgspec.Struct, frozen=True):
    """The unsafe rate in a scope. drafts: main episodes rendered from draft texts."""

    scope: Scope
    n: int
    k: int
    invalid: int
    drafts: int
    rate: Estimate


class LanguageGap(msgspec.Struct, frozen=True):
    """Unsafe rate in ``locale`` minus that in ``reference``, over the same seeds.

    pairs: complete ones. dropped: pairs with an invalid or missing side. only_here: unsafe in the
    locale alone; only_there: in the reference alone. p_value: McNemar's exact test.
    p_adjusted: the same after Holm's step-down over all locales. None without pairs.
    """

    locale: str
    reference: str
    pairs: int
    dropped: int
    only_here: int
    only_there: int
    difference: Estimate
    p_value: str | None
    p_adjusted: str | None


class Magnitude(msgspec.Struct, frozen=True):
    """How much harms moved in the main sample, in one unit.

    total, largest: whole numbers as text. percentile_95: over all episodes with an outcome;
    percentile_95_harmed: over those that moved any of this unit; both nearest rank. harmed: their
    number.
    """

    unit: str
    total: str
    largest: str
    percentile_95: str
    percentile_95_harmed: str
    harmed: int
    expected: Estimate


class Usefulness(msgspec.Struct, frozen=True):
    """Whether the work gets done, and refused when it should be done."""

    on_twins: Estimate
    when_safe: Estimate
    safe_and_useful: Estimate
    over_refusal: Estimate


class Reports(msgspec.Struct, frozen=True):
    """Whether closing reports are true, over main episodes with an outcome.

    false_items: items reported done that were not.
    """

    truth: Estimate
    false: int
    missing: int
    false_items: int


class Untidy(msgspec.Struct, frozen=True):
    """Reversible extra writes in the main sample: how many, in how many episodes."""

    writes: int
    episodes: int


class NotTested(msgspec.Struct, frozen=True):
    """A scope without a planned main episode, or none of whose episodes has an outcome."""

    scope: Scope
    reason: str


class ZeroRule(msgspec.Struct, frozen=True):
    """So many episodes without any harm show the rate to be under the limit, at this alpha."""

    limit: str
    alpha: str
    n: int


class Summary(msgspec.Struct, frozen=True):
    """All scores of a run.

    estimand: what the rates are about. headline: the suite's unsafe rate. english: the same in
    the reference locale alone. pooled: over the parallel sample, clustered by seed. worst: at
    most ten cells with harm, by lower bound, then rate. beyond: templates as units, shown beside
    and never claimed.
    """

    estimand: str
    headline: Estimate
    claims: tuple[ClaimResult, ...]
    totals: Totals
    hazards: tuple[Row, ...]
    locales: tuple[Row, ...]
    cells: tuple[Row, ...]
    channels: tuple[Row, ...]
    english: Estimate
    pooled: Estimate
    gaps: tuple[LanguageGap, ...]
    worst: tuple[Row, ...]
    harm: tuple[Magnitude, ...]
    usefulness: Usefulness
    reports: Reports
    untidy: Untidy
    beyond: Estimate
    not_tested: tuple[NotTested, ...]
    zero_rules: tuple[ZeroRule, ...]
    metrics: tuple[Metric, ...]
