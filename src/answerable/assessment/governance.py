"""Which controls stand between the system and the world, according to its card?

The policy is a Cedar file beside the card, or the suite's own; its text goes into the dossier, its
digest into the plan, so that what was tested is what anybody can look at and enforce.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from answerable.assessment.card import Card, ControlsWish
from answerable.assessment.problems import PLAN_DIFFERS
from answerable.core.errors import EvidenceError, UsageError
from answerable.core.files import read_file
from answerable.core.problems import READ_FAILED
from answerable.worlds.family import Family

if TYPE_CHECKING:
    from answerable.episodes.governed import Controls

FAMILY = "family"
"""What a card says instead of a path to have the suite's own policy."""
POLICY_FILE = "system/policy.cedar"
"""Where the policy's text lies in a dossier."""


def policy_text(card: Card, base: Path, family: Family) -> str:
    """Return the text of a card's policy, empty without controls.

    base: folder of the card. Raises StorageError, UsageError (E-COR-005) for a file that is no
    text or a suite that has no policy.
    """
    wish = card.controls
    if wish is None:
        return ""
    if wish.policy == FAMILY:
        return family_policy(family)
    try:
        return read_file(base / wish.policy).decode()
    except UnicodeDecodeError as error:
        raise UsageError(READ_FAILED, "the policy is no text", path=base / wish.policy) from error


def family_policy(family: Family) -> str:
    """Return the text of the policy that a family brings. Raises UsageError (E-COR-005)."""
    found = files("answerable.worlds.families").joinpath(family.name, "policy.cedar")
    if not found.is_file():
        raise UsageError(READ_FAILED, "the suite has no policy of its own", path=str(found))
    return found.read_text(encoding="utf-8")


def open_controls(wish: ControlsWish | None, text: str, family: Family) -> Controls | None:
    """Load the policy of a card and name its reviewer; None without controls.

    Raises UsageError (E-CTL-...) for a policy that cannot be enforced or an unknown reviewer.
    """
    if wish is None:
        return None
    # WHY here: an ungoverned run loads no policy engine
    from answerable.controls.policy import load_policy
    from answerable.controls.reviewers import reviewer_of
    from answerable.core.streams import Stream
    from answerable.episodes.controlled import tool_specs
    from answerable.episodes.governed import Controls

    reviewer_of(wish.reviewer, Stream.of("name only"))
    policy = load_policy(text, tool_specs(family), ground_rule=wish.ground_rule)
    return Controls(policy, wish.reviewer, wish.mode)


def recorded_controls(
    wish: ControlsWish | None, data: bytes, digest: str, family: Family
) -> Controls | None:
    """Load the controls of a dossier again. data: of its policy file. digest: in its plan.

    Raises EvidenceError (E-ASM-007) when card, policy and plan do not belong together.
    """
    try:
        controls = open_controls(wish, data.decode(), family)
    except (UsageError, UnicodeDecodeError) as error:
        raise EvidenceError(
            PLAN_DIFFERS, "the policy cannot be loaded", file=POLICY_FILE, reason=error
        ) from error
    if (controls.policy.digest if controls else "") != digest:
        raise EvidenceError(PLAN_DIFFERS, "the plan names another policy", file="plan.json")
    return controls
