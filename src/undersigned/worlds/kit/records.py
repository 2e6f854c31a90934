"""What is a world made of, and what is known about each of its fields?

A ``Record`` is an immutable row; its annotations say once who wrote a field and which class of
data it holds. A ``World`` is an immutable base shared by many scenarios, plus a small overlay of
records that were put since. ``put`` gives a new world; nothing is changed in place.

Invariants:
- Base worlds are never written to; an overlay holds only what a scenario or a tool put.
- Labels belong to types (``Memo``, ``NationalId``), so a field cannot lose them by being copied.
- A record class with a bare ``str`` field is refused: its author must say what the text is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from undersigned.core.canonical import Digest, encode_trusted
from undersigned.core.canonical import digest_bytes as digest_of_bytes
from undersigned.core.errors import UsageError
from undersigned.events.stream import Provenance
from undersigned.languages.texts import Slot
from undersigned.worlds.problems import BAD_FAMILY


class Mark(NamedTuple):
    """What an annotation says of a field. provenance: who wrote it. data_class: ``personal``,
    ``confidential`` or empty."""

    provenance: Provenance
    data_class: str


third_party = Mark("third_party", "")
"""An outsider wrote this text."""
personal = Mark("record", "personal")
"""Personal data of a natural person."""
confidential = Mark("record", "confidential")
"""Business data that only its tenant and the parties to it may see."""
plain = Mark("record", "")
"""A code, id, status or date of the house: no free text, no protected class."""


class Text(msgspec.Struct, frozen=True, gc=False):
    """A text that is rendered when somebody reads it.

    message: Fluent id. slots: its typed values. locale: BCP 47 tag, or empty for the scenario's.
    """

    message: str
    slots: Mapping[str, Slot] = {}
    locale: str = ""


Code = Annotated[str, plain]
"""An identifier, status, country, currency, account number or date."""
Memo = Annotated[str | Text, third_party]
"""Free text that came from outside."""
Name = Annotated[str, plain]
"""The name of an organisation."""
PersonName = Annotated[str, personal]
"""The name of a natural person."""
NationalId = Annotated[str, personal]
"""A national identity number (synthetic)."""
Minor = Annotated[int, msgspec.Meta(ge=-(2**53) + 1, le=2**53 - 1)]
"""An amount in integer minor units of a currency."""


class FieldInfo(NamedTuple):
    """A labelled field of a record class. name: of the field. mark: what is known of it."""

    name: str
    mark: Mark


@dataclass_transform(frozen_default=True, kw_only_default=True)
class _RecordMeta(msgspec.StructMeta):
    def __new__(
        mcls, name: str, bases: tuple[type, ...], space: dict[str, object], **options: Any
    ) -> type:
        table = options.pop("table", "")
        amount = options.pop("amount", "")
        outbound = options.pop("outbound", False)
        options.setdefault("frozen", True)
        options.setdefault("kw_only", True)
        options.setdefault("gc", False)
        cls: type = super().__new__(mcls, name, bases, space, **options)
        cls.table = table or getattr(cls, "table", "")  # type: ignore[attr-defined]
        cls.amount_field = amount or getattr(cls, "amount_field", "")  # type: ignore[attr-defined]
        cls.outbound = outbound or getattr(cls, "outbound", False)  # type: ignore[attr-defined]
        return cls


class Receipt(msgspec.Struct, metaclass=_RecordMeta):
    """What a tool returns when it is not a table record; its text fields carry marks too."""

    table: ClassVar[str] = ""
    amount_field: ClassVar[str] = ""
    outbound: ClassVar[bool] = False

    def but(self, **changes: object) -> Self:
        """Return a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


class Record(Receipt):
    """A row of a table.

    ``class Payment(Record, table="payments", amount="amount")`` names its table and the field that
    an irreversible effect counts as magnitude (its currency stands in ``currency``);
    ``outbound=True`` says that what is put leaves the house.
    id: unique in its table. tenant: whose record it is. jurisdiction: ISO 3166 country it is held
    under.
    """

    id: Code
    tenant: Code
    jurisdiction: Code


@lru_cache(maxsize=256)
def labelled_fields(cls: type[Receipt]) -> tuple[FieldInfo, ...]:
    """Return the fields of a record class whose mark is not plain.

    Raises UsageError (E-WLD-001) when a text field carries no mark, or a field's name is reserved.
    """
    found = []
    for name, hint in get_type_hints(cls, include_extras=True).items():
        if get_origin(hint) is ClassVar or name in ("table", "amount_field", "outbound"):
            continue
        if name in RESERVED:
            raise UsageError(
                BAD_FAMILY, "a field bears a name of the stage", record=cls.__name__, field=name
            )
        mark = _mark_of(cls, name, hint)
        if mark is not None and mark != plain:
            found.append(FieldInfo(name, mark))
    return tuple(found)


@lru_cache(maxsize=256)
def text_fields(cls: type[Receipt]) -> tuple[str, ...]:
    """Return the fields of a record class that may hold a ``Text``."""
    hints = get_type_hints(cls)
    return tuple(n for n in cls.__struct_fields__ if Text in get_args(hints[n]))


def _mark_of(cls: type, name: str, hint: object) -> Mark | None:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        for mark in marks:
            if isinstance(mark, Mark):
                return mark
        hint = inner
    if hint is str or str in get_args(hint):
        raise UsageError(
            BAD_FAMILY, "a text field does not say what it holds", record=cls.__name__, field=name
        )
    return None


def record_digest(record: Receipt) -> Digest:
    """Return the digest of a record's canonical bytes."""
    return Digest("sha256:" + sha256(encode_trusted(record)).hexdigest())


R = TypeVar("R", bound=Record)

RESERVED = ("error", "truncated")
"""Fields by which an agent knows that a call was refused or its answer cut."""
LOST = ("timeout", "unavailable")
"""Codes by which the stage says that an answer was lost; no tool refuses with one."""
SHOWN_LIMIT = 1024
"""Records of a base of which is kept what they look like when they are read."""


class Base:
    """The immutable records that many scenarios share, with look-up indexes built on first use.

    tables: record by id, by table. digest: of all records, in order of table and id. shown: what
    was worked out of records of this base when they were read, for whoever reads them next.
    """

    __slots__ = ("_digests", "_indexes", "digest", "number", "shown", "tables")

    def __init__(self, number: int, records: Iterable[Record]) -> None:
        """Build a base. number: its place among the family's bases."""
        self.number = number
        self.tables: dict[str, dict[str, Record]] = {}
        for record in records:
            self.tables.setdefault(record.table, {})[record.id] = record
        self._indexes: dict[tuple[str, str], dict[object, tuple[Record, ...]]] = {}
        self.shown: dict[Hashable, Any] = {}
        self._digests = {
            (table, id_): record_digest(record)
            for table in sorted(self.tables)
            for id_, record in sorted(self.tables[table].items())
        }
        rows = [[table, found] for (table, _), found in self._digests.items()]
        self.digest = digest_of_bytes(encode_trusted(rows))

    def holds(self, record: Record) -> bool:
        """Tell whether this very record is one of the base's own."""
        rows = self.tables.get(record.table)
        return rows is not None and rows.get(record.id) is record

    def digest_of(self, record: Record) -> Digest:
        """Return the digest of a record, which is kept for the base's own."""
        own = self.holds(record)
        return self._digests[record.table, record.id] if own else record_digest(record)

    def keep_shown(self, key: Hashable, shown: object) -> None:
        """Keep what one of the base's own records looks like, up to a limit."""
        if len(self.shown) >= SHOWN_LIMIT:
            self.shown.clear()
        self.shown[key] = shown

    def by(self, table: str, field: str) -> Mapping[object, tuple[Record, ...]]:
        """Return the records of a table grouped by the value of a field."""
        index = self._indexes.get((table, field))
        if index is None:
            grouped: dict[object, list[Record]] = {}
            for record in self.tables.get(table, {}).values():
                grouped.setdefault(getattr(record, field), []).append(record)
            index = {value: tuple(rows) for value, rows in grouped.items()}
            self._indexes[table, field] = index
        return index

    def count(self) -> int:
        """Return the number of records in all tables."""
        return sum(len(rows) for rows in self.tables.values())


class Put(msgspec.Struct, frozen=True, gc=False):
    """A record that was written. before: what stood there, or None. after: what stands now."""

    before: Record | None
    after: Record


_new = object.__new__


class World:
    """A base with an overlay: the state that tools read and write.

    A family subclasses it and annotates its tables: ``invoices: Table[Invoice]``.
    base: shared records. overlay: records put since, by (table, id). clock: logical time as
    ISO date and minute, ``2026-03-02T10:15``. tenant, actor: for whom and as whom the agent acts.
    puts: what was written since the world was last settled.
    """

    __slots__ = ("actor", "base", "clock", "overlay", "puts", "tenant")

    def __init__(
        self,
        base: Base,
        *,
        clock: str,
        tenant: str,
        actor: str,
        overlay: dict[tuple[str, str], Record] | None = None,
        puts: tuple[Put, ...] = (),
    ) -> None:
        """Start from a base and an overlay."""
        self.base = base
        self.clock = clock
        self.tenant = tenant
        self.actor = actor
        self.overlay = overlay if overlay is not None else {}
        self.puts = puts

    def __init_subclass__(cls) -> None:
        """Turn each ``name: Table[R]`` annotation into a table of that name."""
        for name, hint in get_type_hints(cls).items():
            if get_origin(hint) is Table:
                setattr(cls, name, _TableSlot(get_args(hint)[0].table))

    def put(self, *records: Record) -> Self:
        """Return a world in which these records stand."""
        overlay, puts = self.overlay.copy(), self.puts
        for record in records:
            table, id_ = key = (record.table, record.id)
            before = overlay.get(key)
            if before is None:
                rows = self.base.tables.get(table)
                before = None if rows is None else rows.get(id_)
            overlay[key] = record
            puts = (*puts, Put(before, record))
        return self._with(overlay, puts)

    def over(self, *records: Record) -> Self:
        """Return a settled world in which these records stand from the start."""
        overlay = self.overlay.copy()
        for record in records:
            overlay[record.table, record.id] = record
        return self._with(overlay, ())

    def settled(self) -> Self:
        """Return the same world with no puts outstanding."""
        return self._with(self.overlay, ()) if self.puts else self

    def _with(self, overlay: dict[tuple[str, str], Record], puts: tuple[Put, ...]) -> Self:
        new = _new(type(self))
        new.base = self.base
        new.clock = self.clock
        new.tenant = self.tenant
        new.actor = self.actor
        new.overlay = overlay
        new.puts = puts
        return new

    def record(self, table: str, id_: str) -> Record | None:
        """Return a record by table and id, or None."""
        found = self.overlay.get((table, id_))
        if found is None:
            rows = self.base.tables.get(table)
            return None if rows is None else rows.get(id_)
        return found

    def next_number(self, table: str) -> int:
        """Return the number that the next new record of a table gets, from 1."""
        return 1 + len([1 for name, _ in self.overlay if name == table])


class RefusedCallError(Exception):
    """A tool refuses a call; the agent sees the code and detail as the call's result.

    code: stable word, for example ``not_found``. detail: one English sentence without values.
    """

    def __init__(self, code: str, detail: str) -> None:
        """Refuse with a code and a detail. Raises UsageError (E-WLD-001) for a code of ``LOST``."""
        if code in LOST:
            raise UsageError(BAD_FAMILY, "a refusal bears a code of the stage", code=code)
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Table(msgspec.Struct, Generic[R], frozen=True, eq=False, gc=False):
    """The records of one table, as a world sees them. table: its name."""

    world: World
    table: str

    def get(self, id_: str, **where: object) -> R:
        """Return the record with this id and these field values.

        Raises RefusedCallError (``not_found``, ``wrong_state``), which the agent sees.
        """
        record = self.world.record(self.table, id_)
        if record is None:
            raise RefusedCallError("not_found", f"there is no such record in {self.table}")
        for field, value in where.items():
            if getattr(record, field) != value:
                raise RefusedCallError("wrong_state", f"{field} is not as this call needs it")
        return record  # type: ignore[return-value]

    def find(self, field: str, value: object) -> tuple[R, ...]:
        """Return the records whose field has this value: base records first, then new ones."""
        overlay, table = self.world.overlay, self.table
        rows = self.world.base.by(table, field).get(value, ())
        if rows:
            rows = tuple([row for row in rows if (table, row.id) not in overlay])
        new = [
            row
            for (name, _), row in overlay.items()
            if name == table and getattr(row, field) == value
        ]
        return (*rows, *new)  # type: ignore[arg-type]


class _TableSlot:
    """Gives ``world.invoices``."""

    __slots__ = ("table",)

    def __init__(self, table: str) -> None:
        self.table = table

    def __get__(self, world: World, owner: type) -> Table[Record]:
        return Table(world, self.table)
