"""What is a proposed action, from its proposal to its run, and where is it recorded?

Values that a gate, and whoever decides again from the events, hands around; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from undersigned.controls.records import Decision, Facts, Narrowing
from undersigned.events.stream import Action, Event

T = TypeVar("T")

Args = Mapping[str, object]
Because = Literal["", "denied", "rejected", "unanswered", "stopped"]
"""Why an act did not run, as the agent is told: a rule forbids it, a person rejected it, nobody
answered, or the system is stopped."""


class Record(Protocol):
    """Where a gate's events go; a list is one. ``append`` makes an event durable before it returns,
    or raises; ``len`` is the number of the next event."""

    def append(self, event: Event, /) -> None:
        """Record the next event."""
        ...

    def __len__(self) -> int:
        """Return how many events are recorded."""
        ...


class Passed(NamedTuple, Generic[T]):
    """What came of a proposal. because: empty when it ran. decision: the last one. args: as they
    ran. outcome: of the run, or None."""

    because: Because
    decision: Decision
    args: Args
    outcome: T | None


class Waiting:
    """Events of a proposal that the keeper does not know yet. args: parsed. is_recorded: the
    proposal itself is. asked: number of the request to a person, from 0, or None."""

    __slots__ = ("args", "asked", "events", "is_recorded")

    def __init__(self, args: Args) -> None:
        """Hold nothing back yet."""
        self.args = args
        self.events: list[Event] = []
        self.asked: int | None = None
        self.is_recorded = False

    def tell(self, show: Callable[[Event], None]) -> None:
        """Show everything to a keeper, each event once, also when it fails in between."""
        while self.events:
            show(self.events.pop(0))


class Proposal:
    """A proposed action that was decided on. lowered: arguments as they will run. waiting: what
    belongs to it. because: empty when it may run. decision: the last one. is_spent: it was carried
    out."""

    __slots__ = ("action", "because", "call", "decision", "is_spent", "lowered", "waiting")

    def __init__(
        self,
        call: str,
        action: Action,
        lowered: Args,
        waiting: Waiting,
        because: Because,
        decision: Decision,
    ) -> None:
        """Keep what was decided."""
        self.call = call
        self.action = action
        self.lowered = lowered
        self.waiting = waiting
        self.because = because
        self.decision = decision
        self.is_spent = False

    @property
    def narrowed(self) -> tuple[Narrowing, ...]:
        """Return what was lowered in the arguments that run; nothing where a gate only observes."""
        return self.decision.narrowed if self.lowered is not self.waiting.args else ()

    @property
    def was_asked(self) -> bool:
        """Tell whether a person was asked about it."""
        return self.waiting.asked is not None


def lowered(args: Args, decision: Decision) -> Args:
    """Return the arguments as a decision lets them run."""
    if not decision.narrowed:
        return args
    return {**args, **{item.argument: item.limit for item in decision.narrowed}}


def approved(asked: Decision) -> Decision:
    """Return what a decision to ask becomes once a person has approved."""
    kind: Literal["allow", "narrow"] = "narrow" if asked.narrowed else "allow"
    return Decision(kind, asked.policy, asked.reasons, asked.narrowed)


def still_holds(before: Facts | None, after: Facts | None) -> bool:
    """Tell whether what a person was shown of an act still holds. Other acts may have been
    proposed meanwhile, as long as they do not touch this one."""
    if before is None or after is None:
        return before is after
    return (
        before.resource == after.resource
        and before.total == after.total
        and before.unvouched == after.unvouched
        and before.crossing == after.crossing
        and before.after == after.after
    )
