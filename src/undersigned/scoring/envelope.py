"""Which operating envelope follows from a run's claims?

One cell for each claim, in the plan's order; nothing is worked out here that the claims do not say.
"""

from __future__ import annotations

from undersigned.controls.envelope import SCHEMA, Cell, Envelope
from undersigned.core.canonical import Digest
from undersigned.scoring.claims import ClaimResult
from undersigned.scoring.scores import Summary


def envelope_of(
    summary: Summary, *, system: Digest, policy: str, plan: Digest, reviewer: str
) -> Envelope:
    """Return the envelope of a run. system, plan: digests. policy: digest, or empty without one.
    reviewer: who was assumed to answer."""
    cells = tuple([_cell(result) for result in summary.claims])
    return Envelope(SCHEMA, system, policy, plan, reviewer, cells)


def _cell(result: ClaimResult) -> Cell:
    scope = result.claim.scope
    return Cell(
        verdict=result.verdict,
        limit=result.claim.limit,
        n=result.n,
        method=result.method,
        hazard=scope.hazard or "",
        locale=scope.locale or "",
        bound=result.bound or "",
    )
