"""What does a call do to a world, and what must be recorded of it?

``step(stage, state, tool, values)`` runs a tool and computes, from the records it put and the
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
from typing import Literal, NamedTuple

import msgspec

from answerable.core.canonical import encode_trusted
from answerable.core.errors import AnswerableError
from answerable.events.stream import Effect, Label, Magnitude
from answerable.worlds.kit.records import (
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
from answerable.worlds.kit.tools import Change, Tool
from answerable.worlds.problems import INSTRUMENT_FAULT

Render = Callable[[Text], str]
"""Makes the words of a text, in its own locale or the scenario's."""


class Fault(NamedTuple):
    """A loud fault, once, at the first call of a tool.

    kind: ``timeout_before`` (nothing happened), ``timeout_after`` (it happened, the answer is
    lost), ``error`` (the service is unavailable), ``truncation`` (the answer is cut).
    """

    kind: Literal["timeout_before", "timeout_after", "error", "truncation"]
    tool: str


class Stepped(NamedTuple):
    """What came of a call. state: the world after it. ok: the agent was told that it worked.
    text: JSON that the agent sees. labels: of that text. effects: what changed or was shown."""

    state: World
    ok: bool
    text: str
    labels: tuple[Label, ...]
    effects: tuple[Effect, ...]


class InstrumentError(AnswerableError):
    """A tool or a generator raised an error of its own; whatever ran is invalid."""


SYSTEM = (Label("", "system"),)


def step(
    tools: Mapping[str, Tool],
    state: World,
    name: str,
    values: Mapping[str, object],
    render: Render,
    fault: Fault | None = None,
) -> Stepped:
    """Run one call.

    tools: by name. state: a settled world. values: parsed arguments. render: for texts. fault:
    what goes wrong with this very call, if anything. Raises InstrumentError (E-WLD-005) when the
    tool itself is broken; whatever the agent does wrong is an answer to the agent.
    """
    tool = tools.get(name)
    if tool is None:
        return refused(state, "unknown_tool", "no tool of this name is offered")
    try:
        arguments = msgspec.convert(values, tool.arguments, strict=True)
    except (msgspec.ValidationError, TypeError, OverflowError) as error:
        return refused(state, "invalid_arguments", _short(str(error)))
    if fault is not None and fault.kind in ("timeout_before", "error"):
        code = "timeout" if fault.kind == "timeout_before" else "unavailable"
        return refused(state, code, "no answer was received")
    try:
        returned = tool.run(state, *msgspec.structs.astuple(arguments))
    except RefusedCallError as error:
        return refused(state, error.code, error.detail)
    except Exception as error:  # WHY broad: any other error is the instrument's own fault
        raise InstrumentError(
            INSTRUMENT_FAULT, "a tool raised an error", tool=name, error=repr(error)
        ) from error
    if type(returned) is Change:
        after, result = returned
        effects = tuple([_put_effect(tool, put) for put in after.puts])
        after = after.settled()
    else:
        after, result, effects = state, returned, ()  # type: ignore[assignment]
    shown, labels, disclosures = _show(result, state.tenant, render)
    effects = effects + disclosures
    if fault is not None:
        if fault.kind == "timeout_after":
            return Stepped(after, False, _error("timeout", "no answer was received"), SYSTEM, effects)
        cut = {"truncated": True, "partial": shown[: max(8, len(shown) // 3)]}
        return Stepped(after, False, encode_trusted(cut).decode(), SYSTEM, effects)
    return Stepped(after, True, shown, labels, effects)


def refused(state: World, code: str, detail: str) -> Stepped:
    """Return the outcome of a call that did nothing. code, detail: what the agent is told."""
    return Stepped(state, False, _error(code, detail), SYSTEM, ())


def _error(code: str, detail: str) -> str:
    return encode_trusted({"error": code, "detail": detail}).decode()


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200]


def _put_effect(tool: Tool, put: Put) -> Effect:
    after, before = put.after, put.before
    changed: dict[str, str | int] = {}
    for field in after.__struct_fields__:
        value = getattr(after, field)
        if before is not None and getattr(before, field) == value:
            continue
        if type(value) is Text:
            value = value.message
        if type(value) is str or type(value) is int:
            changed[field] = value
    table, field = tool.sink
    final = tool.kind == "irreversible"
    amount = after.amount_field
    return Effect(
        kind="sent" if after.outbound else "put",
        table=after.table,
        id=after.id,
        before="" if before is None else record_digest(before),
        after=record_digest(after),
        changed=changed,
        sink=getattr(after, field) if table == after.table else "",
        tenant=after.tenant,
        jurisdiction=after.jurisdiction,
        magnitude=Magnitude(after.currency, getattr(after, amount)) if final and amount else None,  # type: ignore[attr-defined]
        undoable=not final,
    )


class _Shape(NamedTuple):
    """What is fixed about a result class: fields with texts, and fields with records in them."""

    texts: tuple[str, ...]
    lists: tuple[str, ...]
    classes: tuple[str, ...]


@lru_cache(maxsize=256)
def _shape(cls: type[Receipt]) -> _Shape:
    marks = labelled_fields(cls)
    lists = tuple(n for n in cls.__struct_fields__ if n == "items")
    classes = tuple(sorted({info.mark.data_class for info in marks if info.mark.data_class}))
    return _Shape(text_fields(cls), lists, classes)


@lru_cache(maxsize=8192)
def _labels(cls: type[Receipt], tenant: str, jurisdiction: str, prefix: str) -> tuple[Label, ...]:
    whole = Label(prefix.rstrip("."), "record", "", tenant, jurisdiction)
    return (
        whole,
        *[
            Label(prefix + name, mark.provenance, mark.data_class, tenant, jurisdiction)
            for name, mark in labelled_fields(cls)
        ],
    )


class _Shown(NamedTuple):
    text: str
    labels: tuple[Label, ...]
    effects: tuple[Effect, ...]


def _show(result: Receipt, tenant: str, render: Render) -> _Shown:
    """Return the JSON of a result, the labels of its fields, and what it discloses."""
    shape = _shape(type(result))
    if shape.texts:
        result = rendered(result, shape.texts, render)
    if not shape.lists:
        text = encode_trusted(result).decode()
        if isinstance(result, Record):
            labels = _labels(type(result), result.tenant, result.jurisdiction, "")
            return _Shown(text, labels, _disclosed(result, shape, tenant))
        return _Shown(text, _labels(type(result), "", "", ""), ())
    items = result.items  # type: ignore[attr-defined]
    labels = _labels(type(result), "", "", "")
    effects: tuple[Effect, ...] = ()
    shown = []
    for number, item in enumerate(items):
        inner = _shape(type(item))
        labels += _labels(type(item), item.tenant, item.jurisdiction, f"items.{number}.")
        effects += _disclosed(item, inner, tenant)
        shown.append(rendered(item, inner.texts, render) if inner.texts else item)
    text = encode_trusted(result.but(items=tuple(shown))).decode()
    return _Shown(text, labels, effects)


def rendered(result: Receipt, fields: tuple[str, ...], render: Render) -> Receipt:
    """Return a result with its texts turned into words."""
    changes = {}
    for field in fields:
        value = getattr(result, field)
        if type(value) is Text:
            changes[field] = render(value)
    return result.but(**changes) if changes else result


def _disclosed(record: Record, shape: _Shape, tenant: str) -> tuple[Effect, ...]:
    if not record.tenant or (not shape.classes and record.tenant == tenant):
        return ()
    return (
        Effect(
            kind="disclosed",
            table=record.table,
            id=record.id,
            sink="agent",
            tenant=record.tenant,
            jurisdiction=record.jurisdiction,
            data_classes=shape.classes,
            undoable=False,
        ),
    )
