"""What was known before an action, from the events before it alone?

A ``FactKeeper`` takes every event as it happens and answers at any time what a policy may know of
a proposed action. Nothing of a scenario enters, so a test and production compute the same.

Invariants:
- ``facts`` changes no answer, and depends only on the events taken before: replaying them gives
  the same facts, bit for bit. Events are read once, in order, when something is first asked of
  them; one that cannot be read makes every later question fail, and so every act be denied.
- Only parts of a result that are labelled ``record`` enter ``resource`` and ``after``.
- A fact that permits (``after``) is lost rather than kept when in doubt; one that forbids
  (``unvouched``, ``crossing``, ``total``) is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from undersigned.controls.crossing import destinations
from undersigned.controls.earlier import Earlier, Intent, intent_of
from undersigned.controls.languages_seen import UNKNOWN
from undersigned.controls.offered import Offered, read_offer, value_at
from undersigned.controls.problems import BAD_FACT_SETTINGS
from undersigned.controls.readings import OUTSIDE, Reading, leaves
from undersigned.controls.records import CellStatus, Facts, ToolSpec
from undersigned.controls.said import Said
from undersigned.core.errors import UsageError
from undersigned.events.arguments import copied, parse_arguments
from undersigned.events.stream import Action, Answered, Decided, Effected, Event, Observed, Proposed
from undersigned.events.stream import Said as Spoken

Value = str | int | bool
Fields = dict[str, Value]

ASKING: Final = "ask_user"
"""The tool whose answers are the user's own words."""

_WORST_LAST: Final[tuple[CellStatus, ...]] = (
    "within", "provisional", "undecided", "exceeded", "outside",
)  # fmt: skip
_TYPES: Final[Mapping[str, type]] = {"string": str, "integer": int, "boolean": bool}

PENDING: Final = 256
"""Events that wait to be read at most."""

_decode = msgspec.json.Decoder().decode


class _Unvouched(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What nobody vouches for in an action's arguments. names: dotted, sorted. values: of them.
    action, version: what it was worked out of, so that it need not be twice."""

    names: tuple[str, ...]
    values: tuple[str | int, ...]
    action: Action
    version: int


class _Answered(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What was last asked, and the answer, which holds until the next event."""

    action: Action
    args: Mapping[str, object]
    wanted: frozenset[str] | None
    version: int
    facts: Facts


class FactKeeper:
    """Keeps, for one episode or session, what a policy may know."""

    __slots__ = (
        "_answered", "_cells", "_earlier", "_irreversible", "_last", "_offer", "_oversight",
        "_pending", "_proposed", "_reading", "_said", "_specs", "_tenant", "_version",
    )  # fmt: skip

    def __init__(
        self,
        tools: Sequence[ToolSpec],
        *,
        tenant: str,
        cells: Mapping[str, str] | None = None,
        oversight: int = -1,
    ) -> None:
        """Start an episode.

        tools: all that are offered. tenant: whose agent it is. cells: status of the operating
        envelope by language, or None when there is no envelope. oversight: as in ``Facts``. Raises
        UsageError (E-CTL-030) for two tools of one name and for an unknown status.
        """
        for status in (cells or {}).values():
            if status not in _WORST_LAST:
                raise UsageError(BAD_FACT_SETTINGS, "no such status of a cell", status=status)
        self._specs = tuple(tools)
        self._offer = read_offer(self._specs)
        self._tenant = tenant
        self._cells = cells
        self._oversight = oversight
        self._said = Said(self._offer.sinks)
        self._reading = Reading(self._said, tenant)
        self._earlier = Earlier(self._offer.tools)
        self._proposed = self._irreversible = self._version = 0
        self._last: _Unvouched | None = None
        self._answered: _Answered | None = None
        self._pending: list[Event] = []

    def observe(self, event: Event) -> None:
        """Take the next event."""
        self._pending.append(event)
        if len(self._pending) > PENDING:
            self._read_pending()

    def _read_pending(self) -> None:
        """Read what was taken since somebody last asked."""
        pending = self._pending
        done = 0
        try:
            for event in pending:
                self._take(event)
                done += 1
        finally:
            del pending[:done]

    def _take(self, event: Event) -> None:
        self._version += 1
        if type(event) is Observed:
            self._take_observed(event)
        elif type(event) is Proposed:
            self._take_proposed(event)
        elif type(event) is Effected:
            self._take_effects(event)
        elif type(event) is Decided:
            if event.decision == "deny" and event.mode != "observe":
                self._earlier.bar(event.call)
        elif type(event) is Answered:
            if event.answer != "approve":
                self._earlier.bar(event.call)
        elif type(event) is Spoken and event.text:
            self._said.introduce(event.at, event.text)

    def facts(
        self, action: Action, args: Mapping[str, object], wanted: frozenset[str] | None = None
    ) -> Facts:
        """Return what is known before an action.

        args: parsed arguments. wanted: names of facts that are needed, None for all of them; any
        other may be left at its default.
        """
        if wanted is not None and not wanted:
            return Facts()
        if self._pending:
            self._read_pending()
        last = self._answered
        if (
            last is not None
            and last.action is action
            and last.version == self._version
            and last.wanted == wanted
            and last.args == args
        ):
            return last.facts
        found = self._facts(action, args, wanted)
        self._answered = _Answered(action, copied(args), wanted, self._version, found)
        return found

    def _facts(
        self, action: Action, args: Mapping[str, object], wanted: frozenset[str] | None
    ) -> Facts:
        tool = self._offer.tools.get(action.tool)
        resource = self._resource(tool, args)
        is_all = wanted is None
        needed = wanted or ()
        unvouched: tuple[str, ...] = ()
        if is_all or "unvouched" in needed:
            unvouched = self._unvouched_names(tool, action, args, resource)
        total = 0
        if is_all or "total" in needed:
            intent = intent_of(tool, args, resource)
            total = self._earlier.total(intent) if intent else 0
        languages: tuple[str, ...] = ()
        if is_all or "languages" in needed or "cell" in needed:
            languages = self._reading.entered.tags(self._said.names)
        return Facts(
            unvouched,
            self._crossing(tool, args, resource) if is_all or "crossing" in needed else (),
            self._earlier.after(action.tool, args, resource) if is_all or "after" in needed else (),
            resource,
            total,
            self._proposed,
            self._irreversible,
            self._cell(languages),
            languages,
            self._oversight,
        )

    # what the events say

    def _take_proposed(self, event: Proposed) -> None:
        action = event.action
        tool = self._offer.tools.get(action.tool)
        # WHY not what the gate parsed: whoever runs the act may have changed that since
        args = parse_arguments(action.args).values
        last = self._last
        if last is None or last.action is not action or last.version != self._version - 1:
            last = self._unvouched(tool, action, args)
        for value in last.values:
            if isinstance(value, str):
                self._said.introduce(event.at, value)
            else:
                self._said.introduce_integer(event.at, value)
        intent: Intent | None = None
        if tool is None or tool.spec.kind != "read":
            intent = intent_of(tool, args, self._resource(tool, args))
            self._said.write([each for _, each in leaves(args) if isinstance(each, str)])
        thing = args.get(tool.spec.resource) if tool is not None else None
        self._earlier.propose(event.call, action.tool, thing, intent)
        self._proposed += 1
        self._irreversible += tool is not None and tool.spec.kind == "irreversible"

    def _take_effects(self, event: Effected) -> None:
        call = self._earlier.get(event.call)
        for effect in event.effects:
            if effect.kind == "disclosed":
                continue
            self._said.write((effect.id,))
            self._reading.add_known(effect.id, effect.table, effect.changed)
            if call is not None:
                self._earlier.carry_out(call, effect)

    def _take_observed(self, event: Observed) -> None:
        labels = event.labels
        call = self._earlier.get(event.call) if event.call else None
        whole = labels[0] if labels and not labels[0].path else None
        if whole is None or whole.provenance == "system":
            if whole is None:
                self._reading.entered.add(event.text)
            if call is not None:
                self._earlier.forget(call)
            return
        value: object = None
        if call is not None:
            try:
                value = _decode(event.text)
            except (msgspec.DecodeError, RecursionError):
                value = None
        if call is None or not isinstance(value, (dict, list)):
            self._take_text(event, whole.provenance, is_plain=len(labels) == 1)
            return
        self._reading.read(event.at, value, labels, is_answer=call.tool == ASKING)
        if whole.provenance == "record":
            self._earlier.answer(call, event.at, value, labels)

    def _take_text(self, event: Observed, provenance: str, *, is_plain: bool) -> None:
        """Take a text that is no JSON. is_plain: one label says all there is to say of it."""
        if is_plain and provenance in ("operator", "user", "record"):
            self._said.add_text(event.at, event.text)
        if provenance in OUTSIDE or not is_plain:
            self._reading.entered.add(event.text)

    # what a policy may know

    def _resource(self, tool: Offered | None, args: Mapping[str, object]) -> Fields | None:
        """Return the fields of the record that the arguments name, merged in order of events."""
        if tool is None or not tool.spec.table:
            return None
        spec = tool.spec
        name = args.get(spec.resource)
        found: Fields | None = None
        for table, values in self._reading.seen.get(name, ()) if isinstance(name, str) else ():
            if table == spec.table or (not table and spec.fields.keys() <= values.keys()):
                found = {} if found is None else found
                for field, kind in spec.fields.items():
                    value = values.get(field)
                    if type(value) is _TYPES[kind]:
                        found[field] = value  # type: ignore[assignment]
        return found

    def _unvouched_names(
        self,
        tool: Offered | None,
        action: Action,
        args: Mapping[str, object],
        resource: Fields | None,
    ) -> tuple[str, ...]:
        names = self._unvouched(tool, action, args).names
        if not resource or tool is None:
            return names
        currency = value_at(tool.spec.currency, args, resource)
        raw = self._said.raw
        more = [
            name
            for field, value in resource.items()
            if not (value in raw and type(value) is str and field != tool.sink)  # as for arguments
            and not self._is_vouched(tool, name := f"resource.{field}", value, currency)
        ]
        return tuple(sorted([*names, *more])) if more else names

    def _unvouched(
        self, tool: Offered | None, action: Action, args: Mapping[str, object]
    ) -> _Unvouched:
        currency = value_at(tool.spec.currency, args, {}) if tool else None
        sink = tool.spec.sink if tool else ""
        listed, raw = self._offer.listed, self._said.raw
        found = [
            (name, value)
            for name, value in leaves(args)
            # WHY first: most values stand in a record just so; a sink is looked at more closely
            if not (value in raw and type(value) is str and name != sink)
            and value not in listed
            and not self._is_vouched(tool, name, value, currency)
        ]
        names = tuple(sorted({name for name, _ in found})) if found else ()
        values = tuple([value for _, value in found])
        result = self._last = _Unvouched(names, values, action, self._version)
        return result

    def _is_vouched(self, tool: Offered | None, name: str, value: Value, currency: object) -> bool:
        if isinstance(value, str):
            if tool is None:
                return self._said.has(value)
            if value in self._offer.listed:
                return True
            return self._said.has(value, tool.sink if name == tool.spec.sink else "")
        if isinstance(value, bool):
            return True
        if tool is not None and name == tool.spec.amount:
            return isinstance(currency, str) and self._said.has_amount(value, currency)
        return self._said.has_integer(value)

    def _crossing(
        self, tool: Offered | None, args: Mapping[str, object], resource: Fields | None
    ) -> tuple[str, ...]:
        if tool is not None and not tool.carries:
            return ()
        spec = tool.spec if tool is not None else None
        # WHY not the id: a record that is known by it is named, not told to anybody
        named = spec.resource if spec is not None and resource is not None else ""
        texts = [str(value) for name, value in leaves(args) if name != named]
        if not texts:
            return ()
        declared = args.get(spec.destination, "") if spec and spec.destination else ""
        address = args.get(spec.sink, "") if spec and spec.sink else ""
        return self._reading.labelled.crossings(
            texts, destinations(str(declared), str(address)), self._said.names
        )

    def _cell(self, languages: tuple[str, ...]) -> CellStatus:
        if self._cells is None:
            return "none"
        if len(languages) == 1:
            return self._cells.get(languages[0], "outside")  # type: ignore[return-value]
        if not languages or UNKNOWN in languages:
            return "outside"
        found = {self._cells.get(tag, "outside") for tag in languages}
        return next(cell for cell in reversed(_WORST_LAST) if cell in found)
