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

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from undersigned.events.arguments import parse_arguments
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

    __slots__ = ("answer", "decided", "effects", "proposed")

    def __init__(self, proposed: Proposed) -> None:
        self.proposed = proposed
        self.decided: Decided | None = None
        self.effects: tuple[Effect, ...] = ()
        self.answer: Observed | None = None

    def act(self) -> Act:
        """Return the call as an act."""
        action, answer = self.proposed.action, self.answer
        ok = lost = False
        if answer is None:
            lost = True
        elif answer.labels and answer.labels[0].provenance != "system":
            ok = True
        else:
            lost = is_lost(answer.text)
        return Act(action.tool, self._args(), action.resource, ok, lost, self.effects)

    def _args(self) -> Mapping[str, object]:
        action, decided = self.proposed.action, self.decided
        if action.undecodable:
            return {}
        args = parse_arguments(action.args).values
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


def trace_of(events: Iterable[Event]) -> Trace:
    """Return what an episode did, from its events, whole or not.

    Events of calls that were never proposed are passed over. Pure; linear in the events.
    """
    told: list[_Told] = []
    calls: dict[str, _Told] = {}
    for event in events:
        kind = type(event)
        if kind is Proposed:
            calls[event.call] = made = _Told(event)  # type: ignore[union-attr, arg-type]
            told.append(made)
            continue
        call = calls.get(getattr(event, "call", ""))
        if call is None:
            continue
        if kind is Observed:
            call.answer = event  # type: ignore[assignment]
        elif kind is Effected:
            call.effects += event.effects  # type: ignore[union-attr]
        elif kind is Decided:
            call.decided = event  # type: ignore[assignment]
    acts = [each.act() for each in told]
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
