"""What happened, in which order, as bytes that any reader gets alike?

One canonical JSON line per event, tagged by ``event``, numbered by ``at`` from 0. Time is logical:
wall time, tokens and cost live beside the events, in measurements.

Invariants:
- An episode starts with ``opened``, ends with ``ended`` and holds neither elsewhere.
- ``at`` counts 0, 1, 2, ... within an episode.
- ``observed``, ``decided``, ``answered`` and ``effected`` name the ``call`` that they belong to,
  which was proposed before, once; only what is shown without a call names none.
- An answer to a call is labelled: without a label nobody could tell who speaks.
- A model's arguments are kept as the text that was received; undecodable output is base64 with a
  reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from undersigned.core.canonical import Digest, encode, encode_lines
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.events.problems import NOT_AN_EPISODE

Provenance = Literal[
    "operator", "user", "record", "third_party", "tool_metadata", "memory", "peer", "system"
]
"""Who wrote a text: the operator (rules), the user (request and answers), a record of the house,
an outsider (inside a record or document), whoever described a tool, the agent's memory, another
agent, or the machinery itself (reminders, tool errors)."""


class Label(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is known of a part of an observed text.

    path: field in the JSON result (``items.0.memo``), empty for the whole text. provenance: who
    wrote it. data_class: ``personal``, ``confidential`` or empty for neither. tenant: whose data.
    jurisdiction: ISO 3166 country it is held under.
    """

    path: str
    provenance: Provenance
    data_class: str = ""
    tenant: str = ""
    jurisdiction: str = ""


class Action(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A call that the agent wants carried out.

    principals: who acts, outermost last (agent, then whom it acts for). tool: name. args: the
    received JSON text, byte for byte; when it is not Unicode, empty and ``args_base64`` holds it.
    undecodable: why the text could not be parsed, else empty. resource: id of the thing acted on.
    """

    principals: tuple[str, ...]
    tool: str
    args: str
    resource: str = ""
    args_base64: str = ""
    undecodable: str = ""


class Magnitude(msgspec.Struct, frozen=True, gc=False):
    """How much an effect moved. unit: currency code, ``records`` or ``persons``; amount: minor
    units of the currency, or a count."""

    unit: str
    amount: int


class Effect(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing that changed or was disclosed.

    kind: ``put`` (a record was written), ``disclosed`` (labelled fields of a record were shown),
    ``sent`` (text left for a sink). table, id: the record. before, after: digests of the record,
    empty when it did not exist. changed: new values of changed fields, as text or integers. sink:
    where it went. tenant, jurisdiction: of the record, or of the sink for ``sent``. data_classes:
    of what was disclosed. undoable: False when no offered tool can take it back.
    """

    kind: Literal["put", "disclosed", "sent"]
    table: str
    id: str
    before: str = ""
    after: str = ""
    changed: dict[str, str | int] = {}
    sink: str = ""
    tenant: str = ""
    jurisdiction: str = ""
    data_classes: tuple[str, ...] = ()
    magnitude: Magnitude | None = None
    undoable: bool = True


class Opened(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="opened"):
    """An episode begins. episode: its number in the plan. scenario: digest of what generates it.
    subject: the system's digest."""

    at: int
    episode: int
    scenario: Digest
    subject: str


class Observed(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="observed"):
    """The agent was shown a text. call: the call it answers, or empty for instructions."""

    at: int
    call: str
    text: str
    labels: tuple[Label, ...]


class Proposed(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="proposed"):
    """The agent proposed an action. turn: number of the agent's turn, from 0."""

    at: int
    turn: int
    call: str
    action: Action


class Decided(
    msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="event", tag="decided"
):
    """A decision was made on a proposed action; of several on one call the last one counts.

    policy: digest, or empty with ``no policy``. reasons: ids of the rules that decided. narrowed:
    arguments that were lowered, with the value they then had. mode: ``observe`` when the gate only
    watches, and the decision blocked nothing.
    """

    at: int
    call: str
    decision: Literal["no policy", "allow", "deny", "ask", "narrow"]
    policy: str = ""
    reasons: tuple[str, ...] = ()
    narrowed: dict[str, int] = {}
    mode: Literal["", "observe"] = ""


class Answered(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="answered"):
    """A reviewer answered a request for approval."""

    at: int
    call: str
    reviewer: str
    answer: Literal["approve", "reject", "absent"]


class Effected(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="effected"):
    """An action was carried out, with these effects."""

    at: int
    call: str
    effects: tuple[Effect, ...]


class Said(
    msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="event", tag="said"
):
    """The agent said something outside a call, or took a turn without a call. turn: its number,
    from 0. text_base64: the bytes, when they are no Unicode. refused: the endpoint marked it as a
    refusal."""

    at: int
    turn: int
    text: str
    text_base64: str = ""
    refused: bool = False


class Ended(
    msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="event", tag="ended"
):
    """The episode ended. reason: ``reported``, ``no_report``, ``turn_limit``, ``crashed``,
    ``stalled``, or ``invalid:<cause>`` for a fault of the machinery. note: a short explanation."""

    at: int
    reason: str
    note: str = ""


Event = Opened | Observed | Proposed | Decided | Answered | Effected | Said | Ended

_decoder = msgspec.json.Decoder(Event)


def episode_bytes(events: Iterable[Event]) -> bytes:
    """Return the exact bytes of an episode: one canonical line per event, each ended by LF."""
    return encode_lines(events)


def parse_episode(data: bytes) -> list[Event]:
    """Read an episode strictly.

    data: exactly the bytes that ``episode_bytes`` would write. Raises EvidenceError (E-EVT-001)
    for anything else: torn or extra lines, other spacing, unknown fields, wrong order of ``at``.
    """
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise EvidenceError(NOT_AN_EPISODE, "the last line is torn")
    try:
        events = [_decoder.decode(line) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(NOT_AN_EPISODE, "a line is no event", reason=error) from error
    check_order(events)
    try:
        same = all(encode(event) == line for event, line in zip(events, lines, strict=True))
    except UsageError as error:
        raise EvidenceError(NOT_AN_EPISODE, "outside the profile", reason=error.what) from error
    if not same:
        raise EvidenceError(NOT_AN_EPISODE, "the lines are not in canonical form")
    return events


def check_order(events: Sequence[Event]) -> None:
    """Check that events form one whole episode. Raises EvidenceError (E-EVT-001)."""
    if len(events) < 2 or type(events[0]) is not Opened or type(events[-1]) is not Ended:
        raise EvidenceError(NOT_AN_EPISODE, "an episode must start opened and end ended")
    proposed: set[str] = set()
    for number, event in enumerate(events):
        if event.at != number:
            raise EvidenceError(NOT_AN_EPISODE, "events are out of order", at=event.at)
        if 0 < number < len(events) - 1 and type(event) in (Opened, Ended):
            raise EvidenceError(NOT_AN_EPISODE, "two episodes are run together", at=event.at)
        _check_call(event, proposed)


def _check_call(event: Event, proposed: set[str]) -> None:
    """Check that an event belongs to a call that was proposed, once. proposed: so far."""
    if type(event) is Proposed:
        if event.call in proposed:
            raise EvidenceError(NOT_AN_EPISODE, "a call is proposed twice", at=event.at)
        proposed.add(event.call)
    elif type(event) in (Decided, Answered, Effected) or (type(event) is Observed and event.call):
        if event.call not in proposed:  # type: ignore[union-attr]
            raise EvidenceError(NOT_AN_EPISODE, "an event of no proposed call", at=event.at)
        if type(event) is Observed and not event.labels:
            raise EvidenceError(NOT_AN_EPISODE, "an answer of nobody", at=event.at)


def split_episodes(data: bytes) -> list[bytes]:
    """Split a shard's uncompressed bytes into the bytes of its episodes.

    Raises EvidenceError (E-EVT-001) when the shard does not consist of whole episodes.
    """
    episodes: list[bytes] = []
    start = seek = 0
    while start < len(data):
        mark = data.find(b'"event":"ended"', seek)
        end = data.find(b"\n", mark) + 1 if mark >= 0 else 0
        if not end:
            raise EvidenceError(NOT_AN_EPISODE, "the shard ends inside an episode")
        seek = end
        # WHY looked at: the marker may also stand inside a string; only a line that decodes as
        # Ended closes an episode. A line is looked at once, so this is linear.
        if _is_end(data[data.rfind(b"\n", start, mark) + 1 or start : end]):
            episodes.append(data[start:end])
            start = end
    return episodes


def _is_end(line: bytes) -> bool:
    try:
        return type(_decoder.decode(line)) is Ended
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
