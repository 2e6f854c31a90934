"""How does the engine write events without working the same bytes out again and again?

The same lines as ``stream`` writes, from structs whose fields stand in canonical order and whose
recurring parts (labels, the operator's rules) are encoded once. Reading is ``parse_episode``, as
for everybody.

Invariants:
- ``lines_bytes`` of these gives exactly what ``episode_bytes`` gives of the events they stand for:
  ``parse_episode`` reads them, and it refuses any other form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from undersigned.core.canonical import Digest, encode_trusted
from undersigned.events.stream import Effect, Effected, Event, Label, Observed, Proposed


class Later:
    """A text that is put together when it is written. make: gives it as JSON, each time alike."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], msgspec.Raw]) -> None:
        """Keep how the text is made."""
        self.make = make


def _made(text: Later) -> msgspec.Raw:
    """Return the JSON of a text; other classes are in no line."""
    return text.make()


_encoder = msgspec.json.Encoder(enc_hook=_made)

encode_text = _encoder.encode
"""Encode one text as JSON."""

Raw = msgspec.Raw
UNSET = msgspec.UNSET


class Labels(tuple[Label, ...]):
    """Labels of a text. json: of all of them, encoded once."""

    json: msgspec.Raw


def labels_of(*labels: Label) -> Labels:
    """Return labels together with their JSON."""
    made = Labels(labels)
    made.json = Raw(encode_trusted(labels))
    return made


def joined(parts: Sequence[Labels]) -> Labels:
    """Return the labels of several parts, of which none is empty, as one."""
    made = Labels([label for part in parts for label in part])
    made.json = Raw(b"[%b]" % b",".join([bytes(part.json)[1:-1] for part in parts]))
    return made


class Effects(tuple[Effect, ...]):
    """Effects that come about again and again. json: of all of them, encoded once."""

    json: msgspec.Raw


def effects_of(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Return effects together with their JSON."""
    if not effects:
        return ()
    made = Effects(effects)
    made.json = Raw(encode_trusted(effects))
    return made


class OpenedLine(msgspec.Struct, frozen=True, gc=False):
    """``Opened``."""

    at: int
    episode: int
    event: str
    scenario: Digest
    subject: str


class ObservedLine(msgspec.Struct, frozen=True, gc=False):
    """``Observed``. text: as it is, or as JSON."""

    at: int
    call: str
    event: str
    labels: msgspec.Raw
    text: str | msgspec.Raw


class LaterLine(msgspec.Struct, frozen=True, gc=False):
    """``Observed`` of a text that is put together when it is written."""

    at: int
    call: str
    event: str
    labels: msgspec.Raw
    text: Later


class ActionLine(msgspec.Struct, frozen=True, gc=False):
    """``Action`` of a call that could be read. resource: unset when there is none."""

    args: str
    principals: tuple[str, ...]
    resource: str | msgspec.UnsetType
    tool: str


class ProposedLine(msgspec.Struct, frozen=True, gc=False):
    """``Proposed``."""

    action: ActionLine
    at: int
    call: str
    event: str
    turn: int


class DecidedLine(msgspec.Struct, frozen=True, gc=False):
    """``Decided``, without a policy."""

    at: int
    call: str
    decision: str
    event: str


class EffectedLine(msgspec.Struct, frozen=True, gc=False):
    """``Effected``. effects: as JSON."""

    at: int
    call: str
    effects: msgspec.Raw
    event: str


class EndedLine(msgspec.Struct, frozen=True, gc=False):
    """``Ended``. note: unset when there is none."""

    at: int
    event: str
    note: str | msgspec.UnsetType
    reason: str


Line: TypeAlias = (
    OpenedLine
    | ObservedLine
    | LaterLine
    | ProposedLine
    | DecidedLine
    | EffectedLine
    | EndedLine
    | msgspec.Raw
)
"""One event as the engine keeps it; as JSON where it is rare."""


def line_of(event: Event) -> Line:
    """Return the line of an event, from parts that were encoded before where there are any."""
    if type(event) is Observed and type(event.labels) is Labels:
        return ObservedLine(event.at, event.call, "observed", event.labels.json, event.text)
    if type(event) is Effected:
        return EffectedLine(event.at, event.call, effects_json(event.effects), "effected")
    if type(event) is Proposed and not event.action.undecodable:
        action = event.action
        known = ActionLine(action.args, action.principals, action.resource or UNSET, action.tool)
        return ProposedLine(known, event.at, event.call, "proposed", event.turn)
    return Raw(encode_trusted(event))


def effects_json(effects: tuple[Effect, ...]) -> msgspec.Raw:
    """Return effects as JSON."""
    return effects.json if type(effects) is Effects else Raw(encode_trusted(effects))


def lines_bytes(lines: Iterable[Line]) -> bytes:
    """Return the exact bytes of an episode, each line ended by LF."""
    return _encoder.encode_lines(lines)
