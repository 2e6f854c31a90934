"""A small world that tests of the kit share: parcels on a shelf, some of them another shop's."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from undersigned.worlds.kit.common import Answers, answer_records
from undersigned.worlds.kit.records import (
    Base,
    Code,
    Memo,
    Minor,
    PersonName,
    Receipt,
    Record,
    RefusedCallError,
    Table,
    Text,
    World,
    confidential,
    plain,
)
from undersigned.worlds.kit.stage import Fault, Stage, Stepped
from undersigned.worlds.kit.tools import Change, Lookup, Tool, irreversible, read, tool, write


class Parcel(Record, table="parcels", amount="value"):
    """A parcel. status: ``kept``, ``sent``."""

    owner: PersonName
    value: Minor
    currency: Code
    price: Annotated[str, confidential]
    memo: Memo
    status: Code


class Bin(Record, table="bins"):
    """A place on the shelf, of which nothing is protected."""

    row: Code


class Letter(Record, table="letters", outbound=True):
    """A letter that leaves the shop."""

    to: Code
    body: Annotated[str, plain]


class Parcels(Receipt):
    """Parcels that were found."""

    items: tuple[Parcel, ...]


class Gone(Receipt):
    """A parcel that was sent."""

    parcel_id: Code


class Shelf(World):
    """The shop's shelf."""

    parcels: Table[Parcel]
    bins: Table[Bin]
    letters: Table[Letter]


def _sent_already(_: object, result: Any) -> dict[str, Any] | None:
    return {"parcel_id": result["id"]} if result.get("status") == "sent" else None


@tool(read, resource="parcel_id")
def look(state: Shelf, parcel_id: str) -> Parcel:
    """Look at a parcel.

    parcel_id: which one.
    """
    return state.parcels.get(parcel_id)


@tool(read)
def find(state: Shelf, status: str) -> Parcels:
    """Find parcels.

    status: of those that are wanted.
    """
    return Parcels(items=state.parcels.find("status", status))


@tool(read, resource="bin_id")
def see_bin(state: Shelf, bin_id: str) -> Bin:
    """See a place.

    bin_id: which one.
    """
    return state.bins.get(bin_id)


@tool(write, resource="parcel_id")
def reprice(state: Shelf, parcel_id: str, value: Minor, note: str = "") -> Change:
    """Give a parcel another value.

    parcel_id: which one.
    value: in cents.
    note: why.
    """
    parcel = state.parcels.get(parcel_id, status="kept")
    return Change(state.put(parcel.but(value=value)), Gone(parcel_id=parcel_id))


@tool(
    irreversible,
    sink="parcels.owner",
    resource="parcel_id",
    lookup=Lookup("look", lambda args: {"parcel_id": args["parcel_id"]}, _sent_already),
)
def send(state: Shelf, parcel_id: str) -> Change:
    """Send a parcel off.

    parcel_id: which one.
    """
    parcel = state.parcels.get(parcel_id, status="kept")
    return Change(state.put(parcel.but(status="sent")), Gone(parcel_id=parcel_id))


@tool(irreversible, sink="letters.to")
def post(state: Shelf, to: str, body: str) -> Change:
    """Post a letter.

    to: country code.
    body: what it says.
    """
    letter = Letter(
        id=f"L{state.next_number('letters')}",
        tenant=state.tenant,
        jurisdiction=to,
        to=to,
        body=body,
    )
    return Change(state.put(letter), Gone(parcel_id=letter.id))


@tool(read)
def broken(state: Shelf) -> Gone:
    """Fail, as no tool should."""
    raise ZeroDivisionError("a fault of the tool")


@tool(write)
def moody(state: Shelf) -> Change:
    """Put something and then refuse."""
    state.put(Bin(id="B9", tenant="shop", jurisdiction="", row="9"))
    raise RefusedCallError("closed", "the shop is closed")


TOOLS: dict[str, Tool] = {
    t.name: t.tool for t in (look, find, see_bin, reprice, send, post, broken, moody)
}


def parcel(id_: str, tenant: str = "shop", memo: str | Text = "with care", **more: Any) -> Parcel:
    """Return a parcel."""
    fields = {"owner": f"Owner of {id_}", "value": 500, "currency": "SGD", "price": "12.50"} | more
    return Parcel(
        id=id_, tenant=tenant, jurisdiction="SG", memo=memo, **{"status": "kept"} | fields
    )


BASE = Base(
    1,
    [
        parcel("P1"),
        parcel("P2", memo=Text("hello", {"name": "you"}, "th")),
        parcel("P3", tenant="rival"),
        Bin(id="B1", tenant="shop", jurisdiction="SG", row="1"),
        Bin(id="B2", tenant="rival", jurisdiction="SG", row="2"),
        Bin(id="B3", tenant="", jurisdiction="", row="3"),
    ],
)


def shelf() -> Shelf:
    """Return the shelf at the start."""
    state = Shelf(BASE, clock="2026-03-02T10:15", tenant="shop", actor="agent.shop")
    return state.put(*answer_records(Answers())).settled()


def render(text: Text) -> str:
    """Render a text as its parts."""
    return f"<{text.message}|{text.locale}|{sorted(text.slots.items())}>"


def run(state: Shelf, name: str, fault: Fault | None = None, **args: object) -> Stepped:
    """Run one call."""
    return Stage(TOOLS, state, render, fault).step(name, args)


def but(thing: Any, **changes: Any) -> Any:
    """Return a named tuple or struct with some fields changed."""
    if isinstance(thing, msgspec.Struct):
        return msgspec.structs.replace(thing, **changes)
    return thing._replace(**changes)
