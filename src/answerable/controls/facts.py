"""What was known before an action, from the events before it alone?

A ``FactKeeper`` takes every event as it happens and answers at any time what a policy may know of
a proposed action. Nothing of a scenario enters, so a test and production compute the same.

Invariants:
- ``facts`` changes nothing, and depends only on the events taken before: replaying them gives the
  same facts, bit for bit.
- Only parts of a result that are labelled ``record`` enter ``resource`` and ``after``.
- A fact that permits (``after``) is lost rather than kept when in doubt; one that forbids
  (``unvouched``, ``crossing``, ``total``) is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from answerable.controls.crossing import destinations
from answerable.controls.languages_seen import UNKNOWN
from answerable.controls.problems import BAD_FACT_SETTINGS
from answerable.controls.records import Facts, ToolSpec
from answerable.controls.readings import OUTSIDE, Reading, leaves, spoken_of
from answerable.controls.said import Said
from answerable.controls.vouching import canonical
from answerable.core.errors import UsageError
from answerable.events.arguments import parse_arguments
from answerable.events.stream import (
    Action,
    Answered,
    Decided,
    Effected,
    Event,
    Label,
    Observed,
    Proposed,
    Said as Spoken,
)

Cell = Literal["within", "provisional", "exceeded", "undecided", "outside", "none"]

ASKING: Final = "ask_user"
"""The tool whose answers are the user's own words."""
LONGEST_NAME: Final = 200
"""Characters of an argument that may name the thing that an earlier call was about."""
SHORT: Final = 64
"""Characters of a result's field that ``after`` speaks of."""
MOST: Final = 2**63 - 1
"""Largest total; more is this much."""

_WORST_LAST: Final = ("within", "provisional", "undecided", "exceeded", "outside")
_TYPES: Final = {"string": str, "integer": int, "boolean": bool}

_decode = msgspec.json.Decoder().decode


class _Tool(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A tool, read once. enums: values that its schema lists, by dotted name. sink: field that its
    sink is in. carries: its arguments may leave the house."""

    spec: ToolSpec
    enums: Mapping[str, frozenset[str]]
    sink: str
    carries: bool


class _Tools(msgspec.Struct, frozen=True, eq=False, gc=False):
    """All tools. by_name: themselves. sinks: fields that say where something goes. listed: values
    that a schema lists, which anybody may say."""

    by_name: Mapping[str, _Tool]
    sinks: frozenset[str]
    listed: frozenset[str]


@lru_cache(maxsize=64)
def _read_tools(specs: tuple[ToolSpec, ...]) -> _Tools:
    tools: dict[str, _Tool] = {}
    for spec in specs:
        if spec.name in tools:
            raise UsageError(BAD_FACT_SETTINGS, "two tools have one name", tool=spec.name)
        enums = dict(_listed(spec.schema, ""))
        carries = spec.kind == "irreversible" or bool(spec.destination)
        tools[spec.name] = _Tool(spec, enums, spec.sink.rpartition(".")[2], carries)
    return _Tools(
        tools,
        frozenset([tool.sink for tool in tools.values() if tool.sink]),
        frozenset([v for tool in tools.values() for values in tool.enums.values() for v in values]),
    )


def _listed(schema: object, name: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the values that a schema lists, by dotted name."""
    if not isinstance(schema, Mapping):
        return
    if name and "enum" in schema:
        yield name, frozenset([each for each in schema["enum"] if isinstance(each, str)])
    yield from _listed(schema.get("items"), name)
    for field, inner in schema.get("properties", {}).items():
        yield from _listed(inner, f"{name}.{field}" if name else field)


class _Call(msgspec.Struct, eq=False, gc=False):
    """A proposed call. name: of the tool. resource: canonical name of the thing acted on. intent:
    what it would move. is_barred: it was denied or rejected."""

    name: str
    resource: str
    intent: _Intent | None
    is_barred: bool = False
    has_effect: bool = False


class _Intent(msgspec.Struct, frozen=True, gc=False):
    """What an irreversible action moves. sink: canonical. thing: the record that holds sink and
    amount, empty when the arguments do."""

    sink: str
    currency: str
    amount: int
    thing: str


class _Result(msgspec.Struct, frozen=True, eq=False, gc=False):
    """An answer of a tool for ``after``. at: its event."""

    at: int
    value: object
    labels: tuple[Label, ...]


class _Unvouched(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What nobody vouches for in an action's arguments. names: dotted, sorted. values: of them.
    args, version: what it was worked out of, so that it need not be twice."""

    names: tuple[str, ...]
    values: tuple[str | int, ...]
    args: object
    version: int


class FactKeeper:
    """Keeps, for one episode or session, what a policy may know."""

    __slots__ = (
        "_calls", "_cells", "_intents", "_irreversible", "_last", "_oversight", "_proposed",
        "_reading", "_results", "_said", "_seen", "_specs", "_tenant", "_tools", "_version",
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
        self._tools = _read_tools(self._specs)
        self._tenant = tenant
        self._cells = cells
        self._oversight = oversight
        self._said = Said(self._tools.sinks)
        self._reading = Reading(self._said, tenant)
        self._seen = self._reading.seen
        self._calls: dict[str, _Call] = {}
        self._intents: dict[tuple[str, str], list[_Call]] = {}
        self._results: dict[str, dict[str, _Result]] = {}
        self._proposed = self._irreversible = self._version = 0
        self._last: _Unvouched | None = None

    def observe(self, event: Event, parsed: object = None) -> None:
        """Take the next event.

        parsed: what was already made of its text, if it was: the result's JSON of an ``observed``,
        the arguments of a ``proposed`` event.
        """
        self._version += 1
        kind = type(event)
        if kind is Observed:
            self._take_observed(event, parsed)  # type: ignore[arg-type]
        elif kind is Proposed:
            self._take_proposed(event, parsed)  # type: ignore[arg-type]
        elif kind is Effected:
            self._take_effects(event)  # type: ignore[arg-type]
        elif kind is Decided or kind is Answered:
            call = self._calls.get(event.call)  # type: ignore[union-attr]
            if call is not None and (
                getattr(event, "decision", "") == "deny"
                or getattr(event, "answer", "") in ("reject", "absent")
            ):
                call.is_barred = True
        elif kind is Spoken and event.text:  # type: ignore[union-attr]
            self._said.introduce(event.at, event.text)  # type: ignore[union-attr]

    def facts_of(self, events: Iterable[Event]) -> tuple[tuple[str, Facts], ...]:
        """Return the facts of each proposed action of a whole episode, by call, in order, as a
        keeper with the same settings has them."""
        keeper = FactKeeper(
            self._specs, tenant=self._tenant, cells=self._cells, oversight=self._oversight
        )
        found = []
        for event in events:
            if type(event) is Proposed:
                args = parse_arguments(event.action.args).values
                found.append((event.call, keeper.facts(event.action, args)))
            keeper.observe(event)
        return tuple(found)

    def facts(self, action: Action, args: Mapping[str, object]) -> Facts:
        """Return what is known before an action. args: parsed arguments."""
        tool = self._tools.by_name.get(action.tool)
        resource = self._resource(tool, args)
        intent = self._intent(tool, args, resource)
        languages = self._reading.entered.tags(self._said.names)
        return Facts(
            self._unvouched_names(tool, args, resource),
            self._crossing(tool, args),
            self._after(action.tool, args, resource),
            resource,
            self._total(intent) if intent else 0,
            self._proposed,
            self._irreversible,
            self._cell(languages),
            languages,
            self._oversight,
        )

    # what the events say

    def _take_proposed(self, event: Proposed, parsed: object) -> None:
        action = event.action
        tool = self._tools.by_name.get(action.tool)
        args: Mapping[str, object] = (
            parsed if isinstance(parsed, Mapping) else parse_arguments(action.args).values
        )
        resource = self._resource(tool, args)
        intent = self._intent(tool, args, resource)
        last = self._last
        is_fresh = last is not None and last.args is args and last.version == self._version - 1
        unvouched = last if last is not None and is_fresh else self._unvouched(tool, args)
        for value in unvouched.values:
            if type(value) is str:
                self._said.introduce(event.at, value)
            elif type(value) is int:
                self._said.introduce_integer(event.at, value)
        name = tool.spec.resource if tool else ""
        thing = args.get(name, "") if name else ""
        if tool is None or tool.spec.kind != "read":
            self._said.write([each for _, each in leaves(args) if type(each) is str])
        key = canonical(thing) if type(thing) is str else ""
        call = self._calls[event.call] = _Call(action.tool, key, intent)
        if intent is not None:
            self._intents.setdefault((intent.sink, intent.currency), []).append(call)
        self._proposed += 1
        self._irreversible += tool is not None and tool.spec.kind == "irreversible"

    def _take_effects(self, event: Effected) -> None:
        call = self._calls.get(event.call)
        for effect in event.effects:
            if effect.kind == "disclosed":
                continue
            self._said.write((effect.id,))
            self._seen.setdefault(effect.id, []).append((effect.table, effect.changed))
            if call is None:
                continue
            call.has_effect = True
            magnitude = effect.magnitude
            if magnitude is not None and not effect.undoable and call.intent is None:
                sink = canonical(effect.sink)
                call.intent = _Intent(sink, magnitude.unit, magnitude.amount, "")
                self._intents.setdefault((sink, magnitude.unit), []).append(call)

    def _take_observed(self, event: Observed, parsed: object) -> None:
        labels = event.labels
        whole = labels[0] if labels and not labels[0].path else None
        call = self._calls.get(event.call) if event.call else None
        if whole is None or (whole.provenance == "system" and len(labels) == 1):
            self._take_unlabelled(event, call, is_system=whole is not None)
            return
        if call is None:
            self._take_text(event, whole.provenance, is_plain=len(labels) == 1)
            return
        value = parsed
        if value is None:
            try:
                value = _decode(event.text)
            except (msgspec.DecodeError, RecursionError):
                value = None
        if not isinstance(value, (dict, list)):
            self._take_text(event, whole.provenance, is_plain=len(labels) == 1)
            return
        self._reading.read(event.at, value, labels, is_answer=call.name == ASKING)
        if whole.provenance == "record":
            result = _Result(event.at, value, labels)
            self._results.setdefault(call.name, {})[call.resource] = result

    def _take_unlabelled(self, event: Observed, call: _Call | None, *, is_system: bool) -> None:
        if not is_system:
            self._reading.entered.add(event.text)
        if call is not None and not call.is_barred:
            # WHY forgotten: what the tool would say now of this thing is not known
            self._results.get(call.name, {}).pop(call.resource, None)

    def _take_text(self, event: Observed, provenance: str, *, is_plain: bool) -> None:
        """Take a text that is no JSON. is_plain: one label says all there is to say of it."""
        if is_plain and provenance in ("operator", "user", "record"):
            self._said.add_text(event.at, event.text)
        if provenance in OUTSIDE or not is_plain:
            self._reading.entered.add(event.text)

    # what a policy may know

    def _resource(
        self, tool: _Tool | None, args: Mapping[str, object]
    ) -> dict[str, str | int | bool] | None:
        """Return the fields of the record that the arguments name, merged in order of events."""
        if tool is None or not tool.spec.table:
            return None
        spec = tool.spec
        name = args.get(spec.resource)
        if type(name) is not str:
            return None
        found: dict[str, str | int | bool] | None = None
        for table, values in self._seen.get(name, ()):
            if table == spec.table or (not table and all([f in values for f in spec.fields])):
                found = found or {}
                for field, kind in spec.fields.items():
                    value = values.get(field)
                    if type(value) is _TYPES[kind]:
                        found[field] = value
        return found

    def _unvouched_names(
        self,
        tool: _Tool | None,
        args: Mapping[str, object],
        resource: Mapping[str, str | int | bool] | None,
    ) -> tuple[str, ...]:
        names = self._unvouched(tool, args).names
        if not resource or tool is None:
            return names
        more = []
        currency = _at(tool.spec.currency, args, resource)
        for field, value in resource.items():
            name = f"resource.{field}"
            if not self._is_vouched(tool, name, value, currency):
                more.append(name)
        return tuple(sorted([*names, *more])) if more else names

    def _unvouched(self, tool: _Tool | None, args: Mapping[str, object]) -> _Unvouched:
        currency = _at(tool.spec.currency, args, {}) if tool else None
        found = [
            (name, value)
            for name, value in leaves(args)
            if not self._is_vouched(tool, name, value, currency)
        ]
        names = tuple(sorted({name for name, _ in found}))
        result = _Unvouched(names, tuple([value for _, value in found]), args, self._version)
        self._last = result
        return result

    def _is_vouched(
        self, tool: _Tool | None, name: str, value: str | int | bool, currency: object
    ) -> bool:
        if type(value) is str:
            if tool is None:
                return self._said.has(value)
            if value in tool.enums.get(name, ()):
                return True
            if name.startswith("resource.") and value in self._tools.listed:
                return True
            return self._said.has(value, tool.sink if name == tool.spec.sink else "")
        if type(value) is not int:
            return type(value) is bool
        if tool is not None and name == tool.spec.amount:
            return type(currency) is str and self._said.has_amount(value, currency)
        return self._said.has_integer(value)

    def _intent(
        self,
        tool: _Tool | None,
        args: Mapping[str, object],
        resource: Mapping[str, str | int | bool] | None,
    ) -> _Intent | None:
        """Return what an irreversible action moves, as far as that is known."""
        if tool is None or tool.spec.kind != "irreversible" or not tool.spec.amount:
            return None
        spec, fields = tool.spec, resource or {}
        sink = _at(spec.sink, args, fields)
        amount = _at(spec.amount, args, fields)
        currency = _at(spec.currency, args, fields)
        if type(sink) is not str or type(amount) is not int or type(currency) is not str:
            return None
        is_held = spec.amount.startswith("resource.") and spec.sink.startswith("resource.")
        thing = str(args.get(spec.resource, "")) if is_held else ""
        return _Intent(canonical(sink), currency, max(0, amount), thing)

    def _total(self, own: _Intent) -> int:
        """Return what went or was meant to go to the same sink, this action included.

        WHY a thing counts once: asking again for the release of a payment whose first release had
        no effect is no second payment.
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

    def _crossing(self, tool: _Tool | None, args: Mapping[str, object]) -> tuple[str, ...]:
        if tool is not None and not tool.carries:
            return ()
        spec = tool.spec if tool is not None else None
        declared = args.get(spec.destination, "") if spec and spec.destination else ""
        address = args.get(spec.sink, "") if spec and spec.sink else ""
        return self._reading.labelled.crossings(
            [str(value) for _, value in leaves(args)],
            destinations(str(declared), str(address)),
            self._said.names,
        )

    def _after(
        self,
        name: str,
        args: Mapping[str, object],
        resource: Mapping[str, str | int | bool] | None,
    ) -> tuple[str, ...]:
        """Return what the latest calls on the same thing answered.

        WHY names first: when this action has an argument or field of the name by which the earlier
        call named its thing, that one alone is compared. A screening of some other account, put
        into a reference, is then no screening of the account that the money goes to.
        """
        if not self._results:
            return ()
        values = {k: v for k, v in (resource or {}).items() if type(v) is str}
        values.update({k: v for k, v in args.items() if type(v) is str})
        keys = {k: canonical(v) for k, v in values.items() if len(v) <= LONGEST_NAME}
        everything = set(keys.values())
        found: set[str] = set()
        for tool, results in self._results.items():
            if tool == name:
                continue
            known = self._tools.by_name.get(tool)
            named = keys.get(known.spec.resource) if known is not None else None
            same = [
                results[key]
                for key in (everything if named is None else (named,))
                if key and key in results
            ]
            if same:
                last = max(same, key=lambda result: result.at)
                found.update([f"{tool}.{each}" for each in spoken_of(last.value, last.labels, SHORT)])
        return tuple(sorted(found))

    def _cell(self, languages: tuple[str, ...]) -> Cell:
        if self._cells is None:
            return "none"
        if not languages or UNKNOWN in languages:
            return "outside"
        found = [self._cells.get(tag, "outside") for tag in languages]
        return max(found, key=_WORST_LAST.index)  # type: ignore[return-value]


def _at(
    path: str, args: Mapping[str, object], resource: Mapping[str, str | int | bool]
) -> object:
    """Return an argument or, behind ``resource.``, a field; None when there is none."""
    if path.startswith("resource."):
        return resource.get(path[9:])
    return args.get(path) if path else None
