"""Do recorded events give their recorded decisions again?

``redecide`` reads the events of an episode, or of a gate's log, in order. It decides on each
proposed action from the events before it alone, as the gate did, and compares. Nothing runs.

Invariants:
- What a gate recorded, whatever its reviewer answered, comes out the same.
- A denial of the gate's own (``stopped``, ``in-doubt``, ``gate-error``, ``changed-while-waiting``)
  depends on more than the events; it can only be stricter, and is taken as recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from undersigned.controls.decide import decide
from undersigned.controls.facts import FactKeeper
from undersigned.controls.policy import Policy
from undersigned.controls.proposals import Waiting, approved, still_holds
from undersigned.controls.records import (
    CHANGED,
    GATE_ERROR,
    IN_DOUBT,
    REJECTED,
    STOPPED,
    UNANSWERED,
    Decision,
    Facts,
    Narrowing,
)
from undersigned.events.arguments import parse_arguments
from undersigned.events.stream import Answered, Decided, Event, Proposed


class Mismatch(NamedTuple):
    """A recorded decision that the events do not give again. at: its event. again: what they
    give."""

    at: int
    call: str
    recorded: Decision
    again: Decision


def redecide(events: Iterable[Event], policy: Policy, keeper: FactKeeper) -> Iterator[Mismatch]:
    """Decide everything again from the events alone; yield what differs from what is recorded.

    keeper: fresh, with the settings of the gate's own.
    """
    again = _Again(policy, keeper)
    for event in events:
        found = again.take(event)
        if found is not None:
            yield found


class _Open:
    """A proposal that is not decided for good. asked, facts: when a person was asked, and what was
    known then. answer: of that person."""

    __slots__ = ("action", "answer", "asked", "facts", "waiting")

    def __init__(self, event: Proposed) -> None:
        self.action = event.action
        self.waiting = Waiting(parse_arguments(event.action.args).values)
        self.waiting.events.append(event)
        self.asked: Decision | None = None
        self.facts: Facts | None = None
        self.answer = ""


class _Again:
    """Decides again, event by event, as the gate did."""

    def __init__(self, policy: Policy, keeper: FactKeeper) -> None:
        self.policy = policy
        self.keeper = keeper
        self.open: dict[str, _Open] = {}

    def take(self, event: Event) -> Mismatch | None:
        kind = type(event)
        if kind is Proposed:
            self.open[event.call] = _Open(event)  # type: ignore[union-attr, arg-type]
            return None
        found = self.open.get(getattr(event, "call", ""))
        if found is not None and kind in (Decided, Answered):
            found.waiting.events.append(event)
            if kind is Decided:
                return self._decided(event, found)  # type: ignore[arg-type]
            found.answer = event.answer  # type: ignore[union-attr]
            return None
        self.keeper.observe(event)
        if kind is not Decided:
            return None
        # WHY an error: what was decided for good can only be denied after all
        recorded = _recorded(event)  # type: ignore[arg-type]
        expected = Decision("deny", self.policy.digest, (STOPPED,))
        return None if _is_own(recorded) else _mismatch(event, recorded, expected)  # type: ignore[arg-type]

    def _decided(self, event: Decided, found: _Open) -> Mismatch | None:
        recorded = _recorded(event)
        action, args = found.action, found.waiting.args
        facts = self.keeper.facts(action, args, self.policy.wanted(action.tool))
        expected = decide(self.policy, action, args, facts)
        if found.asked is not None:
            expected = self._after(found, expected, facts)
        if expected.kind == "ask" and event.decision == "ask" and event.mode == "":
            found.asked, found.facts = expected, facts
        else:
            found.waiting.tell(self.keeper.observe)
            del self.open[event.call]
        same = recorded == expected or _is_own(recorded)
        return None if same else _mismatch(event, recorded, expected)

    def _after(self, found: _Open, again: Decision, facts: Facts) -> Decision:
        """Return what an answer makes of a decision to ask."""
        if found.answer != "approve":
            reason = REJECTED if found.answer == "reject" else UNANSWERED
            return Decision("deny", self.policy.digest, (reason,))
        if found.asked == again and still_holds(found.facts, facts):
            return approved(again)
        return Decision("deny", self.policy.digest, (CHANGED,))


def _recorded(event: Decided) -> Decision:
    narrowed = tuple([Narrowing(name, limit) for name, limit in event.narrowed.items()])
    return Decision(event.decision, event.policy, event.reasons, narrowed)  # type: ignore[arg-type]


def _is_own(decision: Decision) -> bool:
    """Tell whether this is a denial of the gate's own."""
    own = (GATE_ERROR, STOPPED, IN_DOUBT, CHANGED)
    return decision.kind == "deny" and len(decision.reasons) == 1 and decision.reasons[0] in own


def _mismatch(event: Decided, recorded: Decision, again: Decision) -> Mismatch:
    return Mismatch(event.at, event.call, recorded, again)
