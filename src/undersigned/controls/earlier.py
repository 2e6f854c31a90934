"""What did the agent do before, on the same thing and towards the same sink?

Invariants:
- Intents count: an irreversible action adds to the total of its sink from its proposal on, unless
  it was denied, rejected, or waited for an approval that never came.
- Of several answers of one tool about one thing, only the latest speaks; when a later call was
  left without an answer, none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from undersigned.controls.offered import Offered, value_at
from undersigned.controls.readings import told_of
from undersigned.controls.vouching import canonical
from undersigned.events.stream import Effect, Label

LONGEST_NAME: Final = 200
"""Characters of an argument that may name the thing that an earlier call was about."""
MOST: Final = 2**63 - 1
"""Largest total; more is this much."""


class Intent(msgspec.Struct, frozen=True, gc=False):
    """What an irreversible action moves. sink: canonical. thing: id of the record that holds sink
    and amount, empty when the arguments do."""

    sink: str
    currency: str
    amount: int
    thing: str


def intent_of(
    tool: Offered | None, args: Mapping[str, object], resource: Mapping[str, object] | None
) -> Intent | None:
    """Return what an action would move, or None when it moves nothing or that is not known."""
    if tool is None or tool.spec.kind != "irreversible" or not tool.spec.amount:
        return None
    spec, fields = tool.spec, resource or {}
    sink = value_at(spec.sink, args, fields)
    amount = value_at(spec.amount, args, fields)
    currency = value_at(spec.currency, args, fields)
    if type(sink) is not str or type(amount) is not int or type(currency) is not str:
        return None
    is_held = spec.amount.startswith("resource.") and spec.sink.startswith("resource.")
    thing = str(args.get(spec.resource, "")) if is_held else ""
    return Intent(canonical(sink), currency, max(0, amount), thing)


class Call(msgspec.Struct, eq=False, gc=False):
    """A proposed call. tool: its name. resource: canonical name of the thing acted on. is_barred:
    it was denied, rejected, or nobody approved it."""

    tool: str
    resource: str
    intent: Intent | None
    is_barred: bool = False
    has_effect: bool = False


class _Answer(msgspec.Struct, eq=False, gc=False):
    """An answer of a tool. at: its event. tells: what ``after`` may say of it, once asked."""

    at: int
    value: object
    labels: tuple[Label, ...]
    tells: tuple[str, ...] | None = None


class Earlier:
    """The calls of one episode so far."""

    __slots__ = ("_answers", "_calls", "_intents", "_tools")

    def __init__(self, tools: Mapping[str, Offered]) -> None:
        """Start with none. tools: by name."""
        self._tools = tools
        self._calls: dict[str, Call] = {}
        self._intents: dict[tuple[str, str], list[Call]] = {}
        self._answers: dict[str, dict[str, _Answer]] = {}

    def get(self, call: str) -> Call | None:
        """Return a call by id."""
        return self._calls.get(call)

    def propose(self, id_: str, tool: str, thing: object, intent: Intent | None) -> None:
        """Take a proposed call. thing: the argument that names what it acts on, if it has one."""
        key = canonical(thing) if type(thing) is str else ""
        call = self._calls[id_] = Call(tool, key, intent)
        if intent is not None:
            self._intents.setdefault((intent.sink, intent.currency), []).append(call)

    def bar(self, id_: str) -> None:
        """Take note that a call was not let through."""
        call = self._calls.get(id_)
        if call is not None:
            call.is_barred = True

    def carry_out(self, call: Call, effect: Effect) -> None:
        """Take an effect of a call; what moved counts even where the intent was not known."""
        call.has_effect = True
        moved = effect.magnitude
        if moved is not None and not effect.undoable and call.intent is None:
            intent = call.intent = Intent(canonical(effect.sink), moved.unit, moved.amount, "")
            self._intents.setdefault((intent.sink, intent.currency), []).append(call)

    def answer(self, call: Call, at: int, value: object, labels: tuple[Label, ...]) -> None:
        """Take the answer to a call."""
        self._answers.setdefault(call.tool, {})[call.resource] = _Answer(at, value, labels)

    def forget(self, call: Call) -> None:
        """Take note that a call was left without an answer: what its tool would say now of this
        thing is not known."""
        if not call.is_barred:
            self._answers.get(call.tool, {}).pop(call.resource, None)

    def total(self, own: Intent) -> int:
        """Return what went or was meant to go to the same sink, an action included.

        own: what the action moves. WHY a thing counts once until something came of it: asking again
        for the release of a payment whose first release had no effect is no second payment.
        """
        total = own.amount
        counted = {(own.thing, own.amount)} if own.thing else set()
        for call in self._intents.get((own.sink, own.currency), ()):
            intent = call.intent
            if call.is_barred or intent is None:
                continue
            if intent.thing and not call.has_effect:
                if (intent.thing, intent.amount) in counted:
                    continue
                counted.add((intent.thing, intent.amount))
            total += intent.amount
        return min(total, MOST)

    def after(
        self, tool: str, args: Mapping[str, object], resource: Mapping[str, object] | None
    ) -> tuple[str, ...]:
        """Return what the latest calls of other tools on the same thing answered, sorted.

        WHY by name first: when the action has an argument or field of the name by which the earlier
        call named its thing, that one alone is compared. A screening of some other account, put
        into a reference, is then no screening of the account that the money goes to.
        """
        values = {**resource, **args} if resource else args
        everything: set[str] | None = None
        found: set[str] = set()
        for name, answers in self._answers.items():
            if name == tool:
                continue
            known = self._tools.get(name)
            field = known.spec.resource if known is not None else ""
            if field and field in values:
                keys = _names((values[field],))
            else:
                if everything is None:
                    everything = _names(values.values())
                keys = everything
            same = [answers[key] for key in keys if key in answers]
            if same:
                last = same[0] if len(same) == 1 else max(same, key=lambda answer: answer.at)
                if last.tells is None:
                    last.tells = told_of(name, last.value, last.labels)
                found.update(last.tells)
        return tuple(sorted(found))


def _names(values: Iterable[object]) -> set[str]:
    """Return the canonical forms of the strings that may name a thing."""
    found = {canonical(v) for v in values if type(v) is str and 0 < len(v) <= LONGEST_NAME}
    found.discard("")
    return found
