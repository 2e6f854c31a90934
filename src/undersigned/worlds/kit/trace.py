"""What did an episode do, as its events tell it?

Oracles read a ``Trace``. ``trace_of`` makes one from the events alone, so that an episode that has
just run, its bytes in a shard, and the log of a gate are graded by the same program, and no world
is run again for it.

What the events say of a call, and nothing else counts:

- ``proposed`` names the tool, the thing acted on and the argument text; the last ``decided`` tells
  whether the arguments were lowered before they ran;
- ``effected`` tells what it changed or disclosed;
- ``observed`` tells how it ended for the agent: whatever does not come from the machinery
  (provenance ``system``) is an answer of the tool, so the call worked. Of what the machinery says,
  a lost or cut answer is told by the codes that only the stage gives (``LOST``, ``truncated``).

Invariants:
- ``trace_of(events)`` and ``trace_of(parse_episode(episode_bytes(events)))`` are alike.
- A call whose end the events do not tell did not work, as far as the agent knows, and is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from undersigned.core.errors import EvidenceError
from undersigned.events.arguments import parse_arguments
from undersigned.events.problems import NOT_AN_EPISODE
from undersigned.events.stream import Decided, Effect, Effected, Event, Observed, Proposed
from undersigned.worlds.kit.common import Item, report
from undersigned.worlds.kit.records import LOST

_decode = msgspec.json.Decoder().decode


class Act(msgspec.Struct, frozen=True, gc=False):
    """One call that the agent made.

    tool, resource: as it was proposed. args: as it ran, or as proposed when it did not run; empty
    when they cannot be read. ok: the agent was told that it worked. lost: its answer was lost or
    cut. effects: what changed or was disclosed.
    """

    tool: str
    args: Mapping[str, object]
    resource: str
    ok: bool
    lost: bool
    effects: tuple[Effect, ...]


class Final(NamedTuple):
    """An irreversible effect and the number of the act that had it."""

    act: int
    effect: Effect


class Trace:
    """What an episode did, for oracles.

    acts: in order. report: items of the closing report, or None when there was none. final: the
    irreversible effects in order. undoable: the other writes. shown: the disclosures in order.
    memo: what a family worked out from the acts, so that several oracles need not.
    """

    __slots__ = ("acts", "final", "memo", "report", "shown", "undoable")

    def __init__(self, acts: Sequence[Act], report: Sequence[Item] | None = None) -> None:
        """Look at acts and a report."""
        self.acts = acts
        self.report = report
        self.final: list[Final] = []
        self.shown: list[Effect] = []
        self.undoable: list[Effect] = []
        self.memo: object = None
        for number, act in enumerate(acts):
            for e in act.effects:
                if e.kind == "disclosed":
                    self.shown.append(e)
                elif e.undoable:
                    self.undoable.append(e)
                else:
                    self.final.append(Final(number, e))

    def puts_before(self, act: int, table: str) -> list[Effect]:
        """Return the writes to a table in the acts before one."""
        return [
            e
            for earlier in self.acts[:act]
            for e in earlier.effects
            if e.table == table and e.kind == "put"
        ]


class _Told:
    """What the events tell of one call."""

    __slots__ = ("_act", "_args", "answer", "decided", "effects", "proposed")

    def __init__(self, proposed: Proposed) -> None:
        self.proposed = proposed
        self.decided: Decided | None = None
        self.effects: tuple[Effect, ...] = ()
        self.answer: Observed | None = None
        self._args: Mapping[str, object] | None = None
        self._act: Act | None = None

    def take(self, event: Event) -> None:
        """Take an event of the call."""
        self._act = None
        if type(event) is Observed:
            self.answer = event
        elif type(event) is Effected:
            self.effects += event.effects
        elif type(event) is Decided:
            self.decided = event

    def act(self) -> Act:
        """Return the call as an act."""
        if self._act is None:
            self._act = self._told()
        return self._act

    def _told(self) -> Act:
        action, answer = self.proposed.action, self.answer
        ok = lost = False
        if answer is None:
            lost = True
        elif answer.labels and answer.labels[0].provenance != "system":
            ok = True
        else:
            lost = is_lost(answer.text)
        return Act(action.tool, self._ran(), action.resource, ok, lost, self.effects)

    def _ran(self) -> Mapping[str, object]:
        args, decided = self._args, self.decided
        if args is None:
            action = self.proposed.action
            args = {} if action.undecodable else parse_arguments(action.args).values
            self._args = args
        if decided is not None and decided.decision == "narrow" and not decided.mode:
            return {**args, **decided.narrowed}
        return args


def is_lost(text: str) -> bool:
    """Tell whether what the machinery says of a call means that its answer was lost or cut.

    >>> is_lost('{"detail":"no answer was received","error":"timeout"}'), is_lost("[]")
    (True, False)
    """
    try:
        told: Any = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(told, dict) and (told.get("error") in LOST or "truncated" in told)


class TraceReader:
    """Reads events as they come; at any time it says what was done so far.

    What is known of a call is worked out once, so that reading on costs only what is new.
    """

    def __init__(self) -> None:
        """Start before the first event."""
        self._taken = 0
        self._told: list[_Told] = []
        self._calls: dict[str, _Told] = {}

    def read(self, events: Sequence[Event]) -> list[Act]:
        """Read on, and return what was done so far, in order of the proposals.

        events: all of them; those read before are not read again. Raises EvidenceError (E-EVT-001)
        for effects of a call that was never proposed: to pass over them could hide a harm.
        """
        for number in range(self._taken, len(events)):
            self._take(events[number])
        self._taken = len(events)
        return [each.act() for each in self._told]

    def _take(self, event: Event) -> None:
        kind = type(event)
        if kind is Proposed:
            self._calls[event.call] = made = _Told(event)  # type: ignore[union-attr, arg-type]
            self._told.append(made)
            return
        call = self._calls.get(getattr(event, "call", ""))
        if call is not None:
            call.take(event)
        elif kind is Effected:
            raise EvidenceError(NOT_AN_EPISODE, "effects of no proposed call", at=event.at)


def trace_of(events: Sequence[Event]) -> Trace:
    """Return what an episode did, from its events, whole or not.

    Decisions and answers of calls that were never proposed are passed over. Pure; linear in the
    events. Raises EvidenceError (E-EVT-001) for effects of such a call.
    """
    acts = TraceReader().read(events)
    return Trace(acts, _report(acts))


def _report(acts: Sequence[Act]) -> Sequence[Item] | None:
    """Return the items of the last report that was received, or None; one that no tool of ours
    would have received is none."""
    for act in reversed(acts):
        if act.ok and act.tool == report.name:
            try:
                return msgspec.convert(act.args.get("items"), list[Item])
            except msgspec.ValidationError:
                return None
    return None
