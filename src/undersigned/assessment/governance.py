"""Which controls stand between the system and the world, according to its card?

The policy is a Cedar file beside the card, or the suite's own; an operating envelope may lie beside
it. Both go into the dossier, their digests into the plan, so that what was tested is what anybody
can look at and enforce.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from undersigned.assessment.card import Card, ControlsWish
from undersigned.assessment.problems import PLAN_DIFFERS
from undersigned.controls.envelope import Envelope
from undersigned.core.canonical import decode, digest_bytes
from undersigned.core.errors import EvidenceError, UndersignedError, UsageError
from undersigned.core.files import read_file
from undersigned.core.problems import READ_FAILED
from undersigned.evidence.bundle import Bundle
from undersigned.worlds.family import Family

if TYPE_CHECKING:
    from undersigned.episodes.plan import Plan
    from undersigned.episodes.run_controls import Controls

FAMILY = "family"
"""What a card says instead of a path to have the suite's own policy."""
POLICY_FILE, ENVELOPE_FILE = "system/policy.cedar", "system/envelope.json"
"""Where a dossier holds the files of its controls."""


class ControlFiles(NamedTuple):
    """What a card's controls are made of. policy: Cedar text. envelope: bytes of an ``Envelope``,
    or empty."""

    policy: str = ""
    envelope: bytes = b""

    def envelope_digest(self) -> str:
        """Return what a plan says of the envelope."""
        return digest_bytes(self.envelope) if self.envelope else ""

    def listed(self) -> dict[str, bytes]:
        """Return the files of a dossier."""
        found = {POLICY_FILE: self.policy.encode()} if self.policy else {}
        return found | ({ENVELOPE_FILE: self.envelope} if self.envelope else {})


def control_files(card: Card, base: Path, family: Family) -> ControlFiles:
    """Read what a card's controls are made of; nothing without controls.

    base: folder of the card. Raises StorageError, UsageError (E-COR-005) for a file that is no
    text or a suite that has no policy.
    """
    wish = card.controls
    if wish is None:
        return ControlFiles()
    envelope = read_file(base / wish.envelope) if wish.envelope else b""
    if wish.policy == FAMILY:
        return ControlFiles(family_policy(family), envelope)
    try:
        return ControlFiles(read_file(base / wish.policy).decode(), envelope)
    except UnicodeDecodeError as error:
        raise UsageError(READ_FAILED, "the policy is no text", path=base / wish.policy) from error


def family_policy(family: Family) -> str:
    """Return the text of the policy that a family brings. Raises UsageError (E-COR-005)."""
    found = files("undersigned.worlds.families").joinpath(family.name, "policy.cedar")
    if not found.is_file():
        raise UsageError(READ_FAILED, "the suite has no policy of its own", path=str(found))
    return found.read_text(encoding="utf-8")


def open_controls(
    wish: ControlsWish | None, given: ControlFiles, family: Family
) -> Controls | None:
    """Load the controls of a card; None without any.

    Raises UsageError (E-CTL-...) for a policy that cannot be enforced or an unknown reviewer,
    EvidenceError (E-COR-002, E-COR-003) for an envelope that is none.
    """
    if wish is None:
        return None
    # WHY here: an ungoverned run loads no policy engine
    from undersigned.controls.policy import load_policy
    from undersigned.controls.reviewers import check_reviewer
    from undersigned.episodes.controlled import tool_specs
    from undersigned.episodes.run_controls import Controls

    check_reviewer(wish.reviewer)
    cells = decode(given.envelope, Envelope).languages() if given.envelope else None
    policy = load_policy(given.policy, tool_specs(family), ground_rule=wish.ground_rule)
    return Controls(policy, wish.reviewer, wish.mode, cells=cells)


def recorded_controls(
    wish: ControlsWish | None, bundle: Bundle, plan: Plan, family: Family
) -> Controls | None:
    """Load the controls of a dossier again.

    Raises EvidenceError (E-ASM-007) when card, files and plan do not belong together.
    """
    given = ControlFiles()
    try:
        if wish is not None:
            envelope = bundle.read(ENVELOPE_FILE) if wish.envelope else b""
            given = ControlFiles(bundle.read(POLICY_FILE).decode(), envelope)
        controls = open_controls(wish, given, family)
    except (UndersignedError, UnicodeDecodeError) as error:
        raise EvidenceError(
            PLAN_DIFFERS, "the controls cannot be loaded", file=POLICY_FILE, reason=error
        ) from error
    policy = controls.policy.digest if controls else ""
    if (policy, given.envelope_digest()) != (plan.policy, plan.envelope):
        raise EvidenceError(PLAN_DIFFERS, "the plan names other controls", file="plan.json")
    return controls
