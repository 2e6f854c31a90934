"""What stands between an agent and the world, and do its events give its decisions again?

The same gate as in front of real tools, with the world as what it guards: its events are the
episode's, its facts come from these alone, its reviewer is the scripted one of the plan. An
episode behind it is a ``guarded.GovernedRun``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

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
from undersigned.controls.stop import Stopped, running
from undersigned.events.arguments import parse_arguments
from undersigned.events.lines import (
    Line,
    ProposedLine,
    lines_bytes,
)
from undersigned.events.stream import (
    Answered,
    Decided,
    Event,
    Proposed,
    parse_events,
)

if TYPE_CHECKING:
    from undersigned.controls.facts import FactKeeper
    from undersigned.controls.gate import Mode
    from undersigned.controls.policy import Policy

UNSET = msgspec.UNSET


class Controls(NamedTuple):
    """What stands between an agent and the world. reviewer: name, as in the plan. mode: of the
    gate. stopped: an injected stop. cells: status of the operating envelope by language, or None
    without one."""

    policy: Policy
    reviewer: str
    mode: Mode = "enforce"
    stopped: Stopped = running
    cells: Mapping[str, str] | None = None


def rulings(lines: Iterable[Line]) -> list[Event]:
    """Return what was proposed, and what a gate decided and a reviewer answered, in order.

    WHY not all events: these are short, and the texts that were observed are long.
    """
    told = parse_events(lines_bytes([x for x in lines if type(x) in (ProposedLine, msgspec.Raw)]))
    return [event for event in told if type(event) in (Proposed, Decided, Answered)]


class Mismatch(NamedTuple):
    """A recorded decision that the events do not give again. at: its event. again: what they
    give."""

    at: int
    call: str
    recorded: Decision
    again: Decision


def redecide(
    events: Iterable[Event],
    policy: Policy,
    *,
    tenant: str,
    oversight: int = -1,
    cells: Mapping[str, str] | None = None,
) -> list[Mismatch]:
    """Decide everything again from the events alone; return what differs from what is recorded.

    tenant, oversight, cells: as the gate's keeper had them. A denial of the gate's own
    (``stopped``, ``in-doubt``, ``gate-error``, ``changed-while-waiting``) depends on more than the
    events; it can only be stricter and is taken as recorded.
    """
    from undersigned.controls.facts import FactKeeper

    tools = tuple(policy.tools.values())
    keeper = FactKeeper(tools, tenant=tenant, cells=cells, oversight=oversight)
    again = _Again(policy, keeper)
    return [found for event in events if (found := again.take(event)) is not None]


class _Open:
    """A proposal that is not decided for good. asked, facts: when a person was asked, and what was
    known then. answer: of that person."""

    __slots__ = ("action", "answer", "asked", "facts", "waiting")

    def __init__(self, event: Proposed) -> None:
        from undersigned.controls.proposals import Waiting

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
        from undersigned.controls.decide import decide

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
        from undersigned.controls.proposals import approved, still_holds

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
