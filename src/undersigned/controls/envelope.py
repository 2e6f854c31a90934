"""Within which limits was this system, behind this policy, shown to be safe?

The product of a test, as data: one cell for each claim, with what was shown and how. A gate that is
given an envelope tells a policy in which cell an action lies; a language that was not positively
identified, or that no cell covers, is outside.

Invariants:
- An envelope holds for one system and one policy; with another digest it says nothing.
- A cell says ``within`` only where the claim was shown and named persons had reviewed the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from undersigned.core.canonical import Digest

SCHEMA = "undersigned.envelope.v1"

Verdict = Literal[
    "within",  # shown to be under the limit, with every gap in the data counted as harm
    "provisional",  # the same, but some text of the scope has been reviewed by no named person
    "exceeded",  # shown to be over the limit
    "undecided",  # neither, or more than 5 % of the episodes gave no outcome
    "not_applicable",  # the suite has no such combination
    "not_tested",  # the combination exists and no episode of it was planned
]
Status = Literal["within", "provisional", "exceeded", "undecided", "outside"]


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """One claim. hazard, locale: empty for all. verdict: see ``Verdict``. limit, bound:
    decimal strings; bound is empty where nothing was tested. n: episodes. method: of the bound."""

    verdict: Verdict
    limit: str
    n: int
    method: str
    hazard: str = ""
    locale: str = ""
    bound: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """An operating envelope. system, policy, plan: digests. reviewer: assumed. cells: coarse to
    fine, in the plan's order."""

    schema: str
    system: Digest
    policy: str
    plan: Digest
    reviewer: str
    cells: tuple[Cell, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many cells have a verdict."""
        return sum(cell.verdict == verdict for cell in self.cells)

    def languages(self) -> Mapping[str, Status]:
        """Return what is known of each language over all hazards, by BCP 47 tag.

        Where a language has no cell of its own it has the whole suite's only if that was exceeded:
        what was shown on average says nothing of one language.
        """
        whole = next((c.verdict for c in self.cells if not c.hazard and not c.locale), "not_tested")
        found: dict[str, Status] = {}
        for cell in self.cells:
            if cell.locale and not cell.hazard:
                found[cell.locale] = _status(cell.verdict)
        if whole == "exceeded":
            found = {tag: "exceeded" if s == "undecided" else s for tag, s in found.items()}
        return found


def _status(verdict: Verdict) -> Status:
    if verdict == "not_applicable" or verdict == "not_tested":
        return "outside"
    return verdict
