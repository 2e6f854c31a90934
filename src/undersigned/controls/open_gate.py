"""What stands in a gate's place where no policy decides?

An ``OpenGate`` takes what a ``gate.Gate`` takes and records what it records, so that an episode
runs the same with controls and without. It lets everything pass and says so: each proposal is
decided as ``no policy``. It knows no policy, keeper, reviewer or stop, and needs none of their
packages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from undersigned.controls.proposals import Args, Passed, Proposal, Record, Waiting
from undersigned.controls.records import Decision
from undersigned.core.canonical import Digest
from undersigned.events.stream import Action, Decided, Event, Proposed

T = TypeVar("T")

NOTHING_SAID = Decision("allow", Digest(""))
"""What is handed on where nothing was decided: there was nothing to lower and nobody to ask."""


class OpenGate:
    """Lets everything pass. For one episode, in one thread."""

    __slots__ = ("_record",)

    def __init__(self, record: Record) -> None:
        """Make a gate. record: where events go."""
        self._record = record

    def note(self, make: Callable[..., Event], *args: object) -> None:
        """Record an event that is no proposal. make: from its number and the arguments that
        follow."""
        record = self._record
        record.append(make(len(record), *args))

    def unread(self, turn: int, call: str, action: Action) -> None:
        """Record an action that cannot be read and will not run."""
        self.note(Proposed, turn, call, action)
        self.note(Decided, call, "no policy")

    def propose(self, turn: int, call: str, action: Action, args: Args) -> Proposal:
        """Record a proposed action, and that nothing decided on it."""
        self.unread(turn, call, action)
        return Proposal(call, action, args, Waiting(args), "", NOTHING_SAID)

    def carry_out(
        self, proposal: Proposal, run: Callable[[Args], T], settle: Callable[[T], None]
    ) -> Passed[T]:
        """Run a proposed action. run: carries it out. settle: records the outcome. Raises whatever
        these two raise."""
        outcome = run(proposal.lowered)
        settle(outcome)
        return Passed("", NOTHING_SAID, proposal.lowered, outcome)
