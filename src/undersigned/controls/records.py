"""Which facts, decisions and tools does a control speak of?

The nouns of this floor as plain data. A ``ToolSpec`` says what a policy can be written over;
``Facts`` are what was known from the events before an action; a ``Decision`` is what a policy made
of both.

Invariants:
- ``Facts`` hold plain values only, so that a recorded stream gives the same ones again.
- ``asked``, ``narrowed`` and ``denied`` are never told apart by a text, only by ``Decision.kind``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from undersigned.core.canonical import Digest

ToolClass = Literal["read", "write", "irreversible"]
FieldType = Literal["string", "integer", "boolean"]
CellStatus = Literal["within", "provisional", "exceeded", "undecided", "outside", "none"]
"""Where an action lies in the operating envelope; ``none`` without one."""


GATE_ERROR, STOPPED, IN_DOUBT = "gate-error", "stopped", "in-doubt"
CHANGED, REJECTED, UNANSWERED = "changed-while-waiting", "rejected", "unanswered"
GATE_REASONS = (GATE_ERROR, STOPPED, IN_DOUBT, CHANGED, REJECTED, UNANSWERED)
"""Reasons of the gate itself, as ``decided`` events hold them."""


class ToolSpec(msgspec.Struct, frozen=True, eq=False):
    """A tool as controls see it.

    name: as the agent calls it. kind: its class. schema: JSON Schema of its arguments. resource:
    argument that names the thing acted on, or empty. table: table of which ``resource`` names a
    record, or empty. fields: types of that record's fields, as far as a policy may speak of them.
    sink: argument or, behind ``resource.``, field that says where it goes, or empty. amount,
    currency: the same for what an irreversible act moves. destination: argument that names the
    country it goes to, or empty.
    """

    name: str
    kind: ToolClass
    schema: Mapping[str, Any]
    resource: str = ""
    table: str = ""
    fields: Mapping[str, FieldType] = {}
    sink: str = ""
    amount: str = ""
    currency: str = ""
    destination: str = ""


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was known before an action, from the events before it alone.

    unvouched: names of arguments, and ``resource.<field>``, whose value no operator, user or record
    said as a whole. crossing: ``border``, ``tenant``: labelled data that would leave its country or
    tenant with this action. after: ``tool.field=value`` of the latest calls on the same thing, for
    example ``screen_payee.result=clear``. resource: fields of the thing acted on, as far as known;
    None when it was never seen. total: minor units that went, or were meant to go, to the same sink
    in the same currency, this action included. calls, irreversible: actions proposed before this
    one. cell: of the operating envelope, ``outside`` when language or script is not identified.
    languages: of what entered, as BCP 47 tags, sorted. oversight: lower bound of the reviewers' hit
    rate in per cent, -1 when nothing is known.
    """

    unvouched: tuple[str, ...] = ()
    crossing: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    resource: Mapping[str, str | int | bool] | None = None
    total: int = 0
    calls: int = 0
    irreversible: int = 0
    cell: CellStatus = "none"
    languages: tuple[str, ...] = ()
    oversight: int = -1


class Narrowing(msgspec.Struct, frozen=True):
    """An argument that was lowered. argument: name. limit: the value that it has now."""

    argument: str
    limit: int


class Alternative(msgspec.Struct, frozen=True):
    """What a forbid offers instead of denying. narrowing: what to lower; None to ask a person."""

    narrowing: Narrowing | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a policy says of an action.

    kind: ``allow``, ``deny``, ``ask`` (a person must approve), ``narrow`` (allowed with lowered
    arguments). policy: its digest. reasons: ``@id`` of the rules that decided, sorted; or a code of
    the machinery (``request-invalid``, ``rule-error``, ``unknown-tool``, ``fact-missing``,
    ``no-permit``) or ``ground-rule``. narrowed: what was lowered; with ``ask``, a person is asked
    about the action as lowered; empty for ``allow`` and ``deny``.
    """

    kind: Literal["allow", "deny", "ask", "narrow"]
    policy: Digest
    reasons: tuple[str, ...] = ()
    narrowed: tuple[Narrowing, ...] = ()
