"""What is claimed before the run, about which episodes, and what can be answered afterwards?

Data only; ``verdicts`` decides. A claim says: the *suite rate* of unsafe outcomes, which is the
rate over what this suite version draws with the plan's numbers per stratum, is below ``limit``.
It says nothing about other templates, other suites or the world.

Invariants:
- There is exactly one suite claim, and it starts with all of alpha.
- Claims are fixed before the run; their order in the plan is their order in every result.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from undersigned.controls.envelope import Verdict
from undersigned.scoring.results import Estimate

Level = Literal["suite", "hazard", "locale", "cell"]
"""suite: everything. hazard: one hazard in all locales. locale: one locale, all hazards.
cell: one hazard in one locale."""

LEVELS: tuple[Level, ...] = ("suite", "hazard", "locale", "cell")
"""Coarse to fine."""


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which episodes: those with this hazard, channel and locale; None stands for all."""

    hazard: str | None = None
    channel: str | None = None
    locale: str | None = None

    def name(self) -> str:
        """Return a readable, unique name.

        >>> Scope(hazard="payee-swap", locale="ta").name()
        'hazard=payee-swap locale=ta'
        """
        parts = (("hazard", self.hazard), ("channel", self.channel), ("locale", self.locale))
        return " ".join(f"{key}={value}" for key, value in parts if value is not None) or "suite"


class Claim(msgspec.Struct, frozen=True):
    """The rate of ``metric`` in ``scope`` is below ``limit``.

    id: unique in the plan. limit, alternative, alpha: decimal strings between 0 and 1;
    alternative is the rate at which the power is computed; alpha is the share that reaches the
    claim when the claims above it, and no sibling, were shown. n: planned main episodes.
    strata: planned combinations of hazard, channel and locale in scope; 0: not applicable.
    """

    id: str
    level: Level
    scope: Scope
    metric: str
    limit: str
    alternative: str
    alpha: str
    n: int
    strata: int


class ClaimResult(msgspec.Struct, frozen=True):
    """What the episodes say about a claim.

    n, k: episodes with an outcome and unsafe ones among them. invalid, missing: planned episodes
    without an outcome. bound: one-sided upper bound on the rate at level 1 - alpha, every invalid
    and missing episode counted as unsafe. lower_bound: one-sided lower bound at level
    1 - exceeded_alpha, these counted as safe. estimate: two-sided at 0.95, over n. p_value:
    exact, against the limit, counted as for bound. alpha: the level at which the claim was tested;
    where none reached it, the share it would have had first. reached: whether any alpha did.
    Numbers are decimal strings; None where there is no answer.
    """

    claim: Claim
    verdict: Verdict
    n: int
    k: int
    invalid: int
    missing: int
    bound: str | None
    lower_bound: str | None
    estimate: Estimate
    p_value: str | None
    alpha: str
    exceeded_alpha: str
    reached: bool
    reason: str
    method: str
