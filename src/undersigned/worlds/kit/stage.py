"""What does a call do to a world, and what must be recorded of it?

``Stage.step(tool, values)`` runs a tool and computes, from the records it put and the
records it returned, every effect and every disclosure; an author can neither forget nor misstate
one. The agent sees JSON: the result's fields, with texts rendered on the way out.

Invariants:
- A state is never changed in place; a refused or failed call leaves it as it was.
- Each put gives one ``put`` effect with digests before and after; each labelled record that is
  returned gives one ``disclosed`` effect.
- A tool that raises anything but ``RefusedCallError`` is a fault of the instrument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec

from undersigned.core.canonical import Digest, encode_trusted
from undersigned.core.errors import UndersignedError
from undersigned.events.stream import Effect, Label, Magnitude
from undersigned.worlds.kit.records import (
    LOST,
    Base,
    Put,
    Receipt,
    Record,
    RefusedCallError,
    Text,
    World,
    labelled_fields,
    record_digest,
    text_fields,
)
from undersigned.worlds.kit.tools import Change, Tool
from undersigned.worlds.problems import INSTRUMENT_FAULT

T = TypeVar("T")

Render = Callable[[Text], str]
"""Makes the words of a text, in its own locale or the scenario's."""


Digests = dict[tuple[str, str], Digest]
"""Digests of records by table and id."""
Labels = tuple[Label, ...]
"""What is known of a text and its parts."""


class Fault(msgspec.Struct, frozen=True, gc=False):
    """A loud fault, once, at the first call of a tool.

    kind: ``timeout_before`` (nothing happened), ``timeout_after`` (it happened, the answer is
    lost), ``error`` (the service is unavailable), ``truncation`` (the answer is cut).
    """

    kind: Literal["timeout_before", "timeout_after", "error", "truncation"]
    tool: str


class Stepped(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What came of a call. state: the world after it. ok: the agent was told that it worked.
    text: JSON that the agent sees. labels: of that text. effects: what changed or was shown."""

    state: World
    ok: bool
    text: str
    labels: Labels
    effects: tuple[Effect, ...]


class InstrumentError(UndersignedError):
    """A tool or a generator raised an error of its own; whatever ran is invalid."""


SYSTEM: Labels = (Label("", "system"),)
TIMEOUT, UNAVAILABLE = LOST

_convert = msgspec.convert
_values_of = msgspec.structs.astuple
_fields_of = msgspec.structs.asdict
_replace = msgspec.structs.replace


class Stage:
    """A world in motion: what calls have made of it so far.

    tools: by name. state: the world now, settled. render: makes the words of texts. fault: what
    goes wrong once, at the first call of its tool; None when nothing does, or it is over.
    """

    __slots__ = ("_digests", "fault", "render", "state", "tools")

    def __init__(
        self, tools: Mapping[str, Tool], state: World, render: Render, fault: Fault | None = None
    ) -> None:
        """Start from a settled world."""
        self.tools = tools
        self.state = state
        self.render = render
        self.fault = fault
        # WHY kept: of a record that a call put, the digest before the next put is known
        self._digests: Digests = {}

    def step(self, name: str, values: Mapping[str, object]) -> Stepped:
        """Carry out one call and stand in the world after it.

        values: parsed arguments. Raises InstrumentError (E-WLD-005) when the tool itself is
        broken; whatever the agent does wrong is an answer to the agent.
        """
        fault = self.fault
        if fault is not None:
            if fault.tool == name:
                self.fault = None
            else:
                fault = None
        done = self._run(name, values, fault, self._digests)
        self.state = done.state
        return done

    def trial(self, name: str, values: Mapping[str, object]) -> Stepped:
        """Return what would come of a call, were it carried out without a fault; nothing changes.
        Raises as ``step``."""
        return self._run(name, values, None, None)

    def _run(
        self,
        name: str,
        values: Mapping[str, object],
        fault: Fault | None,
        digests: Digests | None,
    ) -> Stepped:
        state, tool = self.state, self.tools.get(name)
        if tool is None:
            return refused(state, "unknown_tool", "no tool of this name is offered")
        try:
            arguments = _values_of(_convert(values, tool.arguments))
        except (msgspec.ValidationError, TypeError, OverflowError) as error:
            return refused(state, "invalid_arguments", _short(str(error)))
        if fault is not None and fault.kind in ("timeout_before", "error"):
            code = TIMEOUT if fault.kind == "timeout_before" else UNAVAILABLE
            return refused(state, code, "no answer was received")
        try:
            returned = tool.run(state, *arguments)
        except RefusedCallError as error:
            return refused(state, error.code, error.detail)
        except Exception as error:  # WHY broad: any other error is the instrument's own fault
            raise InstrumentError(
                INSTRUMENT_FAULT, "a tool raised an error", tool=name, error=type(error).__name__
            ) from error
        if type(returned) is not Change:
            shown = _show(returned, state, self.render)  # type: ignore[arg-type]
            return _told(fault, state, *shown)
        text, labels, disclosed = _show(returned.result, state, self.render)
        base, state = state.base, returned.state
        effects = tuple([_put_effect(tool, put, base, digests) for put in state.puts])
        return _told(fault, state.settled(), text, labels, effects + disclosed)


def _told(
    fault: Fault | None, state: World, text: str, labels: Labels, effects: tuple[Effect, ...]
) -> Stepped:
    """Return the outcome of a call that ran, spoilt by its fault if it has one."""
    if fault is None:
        return Stepped(state, True, text, labels, effects)
    if fault.kind == "timeout_after":
        # WHY: what was never received was not disclosed
        effects = tuple([e for e in effects if e.kind != "disclosed"])
        return Stepped(state, False, _error(TIMEOUT, "no answer was received"), SYSTEM, effects)
    cut = {"truncated": True, "partial": text[: max(8, len(text) // 3)]}
    return Stepped(state, False, encode_trusted(cut).decode(), SYSTEM, effects)


def guarded(make: Callable[[], T], what: str) -> T:
    """Return what the instrument's own code makes. Raises InstrumentError (E-WLD-005) when it fails
    with anything but an error of ours."""
    try:
        return make()
    except UndersignedError:
        raise
    except Exception as error:  # WHY broad: any other error is the instrument's own fault
        raise InstrumentError(
            INSTRUMENT_FAULT, f"{what} raised an error", error=type(error).__name__
        ) from error


def refused(state: World, code: str, detail: str) -> Stepped:
    """Return the outcome of a call that did nothing. code, detail: what the agent is told."""
    return Stepped(state, False, _error(code, detail), SYSTEM, ())


def _error(code: str, detail: str) -> str:
    return encode_trusted({"error": code, "detail": detail}).decode()


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200]


class _Shape(msgspec.Struct, frozen=True, gc=False):
    """What is fixed about a class of records or receipts.

    fields: in order. texts: those that may hold a ``Text``. is_list: it has ``items``, which are
    records. is_record: it is a table's row. classes: data classes of its fields. labels: of a
    result that belongs to nobody. record: the class itself, as a table names it.
    """

    fields: tuple[str, ...]
    texts: tuple[str, ...]
    is_list: bool
    is_record: bool
    classes: tuple[str, ...]
    labels: Labels


@lru_cache(maxsize=256)
def _shape(cls: type[Receipt]) -> _Shape:
    marks = labelled_fields(cls)
    return _Shape(
        cls.__struct_fields__,
        text_fields(cls),
        "items" in cls.__struct_fields__,
        issubclass(cls, Record),
        tuple(sorted({info.mark.data_class for info in marks if info.mark.data_class})),
        _labels(cls, "", "", ""),
    )


@lru_cache(maxsize=8192)
def _labels(cls: type[Receipt], tenant: str, jurisdiction: str, prefix: str) -> Labels:
    whole = Label(prefix.rstrip("."), "record", "", tenant, jurisdiction)
    return (
        whole,
        *[
            Label(prefix + name, mark.provenance, mark.data_class, tenant, jurisdiction)
            for name, mark in labelled_fields(cls)
        ],
    )


def _put_effect(tool: Tool, put: Put, base: Base, digests: Digests | None) -> Effect:
    after, before = put.after, put.before
    cls = type(after)
    then, now = "", record_digest(after)
    key = (cls.table, after.id)
    if before is not None:
        then = (digests.get(key) if digests else None) or base.digest_of(before)
    if digests is not None:
        digests[key] = now
    table, amount = cls.table, cls.amount_field
    sink_table, sink_field = tool.sink
    final = tool.kind == "irreversible"
    return Effect(
        "sent" if cls.outbound else "put",
        table,
        after.id,
        then,
        now,
        _changed(after, before),
        getattr(after, sink_field) if table == sink_table else "",
        after.tenant,
        after.jurisdiction,
        (),
        Magnitude(after.currency, getattr(after, amount)) if final and amount else None,  # type: ignore[attr-defined]
        not final,
    )


def _changed(after: Record, before: Record | None) -> dict[str, str | int]:
    """Return the new values of changed fields; of a text, its message."""
    shape = _shape(type(after))
    if before is None:
        changed = _fields_of(after)
    else:
        old = _values_of(before)
        changed = {
            name: value
            for name, value, stood in zip(shape.fields, _values_of(after), old, strict=True)
            if value != stood
        }
    for name in shape.texts:
        value = changed.get(name)
        if type(value) is Text:
            changed[name] = value.message
    return changed


_Shown = tuple[str, Labels, tuple[Effect, ...]]
"""The JSON of a result, the labels of its fields, and what it discloses."""


def _show(result: Receipt, state: World, render: Render) -> _Shown:
    """Show a result to the agent."""
    cls = type(result)
    shape = _shape(cls)
    if shape.is_list:
        return _show_list(result, shape, state.tenant, render)
    if not shape.is_record:
        if shape.texts:
            result = rendered(result, shape.texts, render)
        return encode_trusted(result).decode(), shape.labels, ()
    record: Record = result  # type: ignore[assignment]
    base, tenant = state.base, state.tenant
    # INVARIANT: a base keeps its records, so their ids stay their own, and a key keeps its renderer
    key = (id(record), tenant, render if shape.texts else None)
    shown: _Shown | None = base.shown.get(key)
    if shown is not None:
        return shown
    told = rendered(record, shape.texts, render) if shape.texts else record
    labels = _labels(cls, record.tenant, record.jurisdiction, "")
    effects = _disclosed(record, shape, tenant)
    if not base.holds(record):
        return encode_trusted(told).decode(), labels, effects
    shown = encode_trusted(told).decode(), labels, effects
    base.keep_shown(key, shown)
    return shown


def _show_list(result: Receipt, shape: _Shape, tenant: str, render: Render) -> _Shown:
    if shape.texts:
        result = rendered(result, shape.texts, render)
    items: tuple[Record, ...] = result.items  # type: ignore[attr-defined]
    if not items:
        return encode_trusted(result).decode(), shape.labels, ()
    effects: tuple[Effect, ...] = ()
    owned = []
    has_texts = False
    for item in items:
        inner = _shape(type(item))
        owned.append((type(item), item.tenant, item.jurisdiction))
        effects += _disclosed(item, inner, tenant)
        has_texts = has_texts or bool(inner.texts)
    if has_texts:
        told = tuple([rendered(item, _shape(type(item)).texts, render) for item in items])
        result = result.but(items=told)
    return encode_trusted(result).decode(), _list_labels(type(result), *owned), effects


@lru_cache(maxsize=8192)
def _list_labels(cls: type[Receipt], *owned: tuple[type[Record], str, str]) -> Labels:
    """Return the labels of a list. owned: of each item its class, tenant and jurisdiction."""
    found = _shape(cls).labels
    for number, each in enumerate(owned):
        found += _labels(*each, f"items.{number}.")
    return found


def rendered(result: Receipt, fields: tuple[str, ...], render: Render) -> Receipt:
    """Return a result with its texts turned into words."""
    changes = {}
    for field in fields:
        value = getattr(result, field)
        if type(value) is Text:
            changes[field] = render(value)
    return _replace(result, **changes) if changes else result


def _disclosed(record: Record, shape: _Shape, tenant: str) -> tuple[Effect, ...]:
    if not record.tenant or (not shape.classes and record.tenant == tenant):
        return ()
    return (
        Effect(
            "disclosed", record.table, record.id, "", "", {}, "agent", record.tenant,
            record.jurisdiction, shape.classes, None, False,
        ),
    )  # fmt: skip
