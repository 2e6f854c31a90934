"""What lies on the payments desk: payees, orders, invoices, documents, payments, screenings.

Labels come from the field types: contact names and national ids are personal, memos and document
bodies were written by outsiders, what a payee was paid is confidential to its tenant.
"""

from __future__ import annotations

from typing import Annotated

from undersigned.worlds.kit.records import (
    Code,
    Memo,
    Minor,
    Name,
    NationalId,
    PersonName,
    Record,
    Table,
    World,
    plain,
)

Body = Annotated[str, plain]
"""Text that the agent itself wrote."""


class Payee(Record, table="payees"):
    """Somebody who may be paid, as the master file has them.

    kind: ``supplier``, ``customer`` or ``employee``. contact, national_id: a natural person.
    account: where payments go. proxy: alias such as a mobile number or company number, or empty.
    """

    kind: Code
    name: Name
    contact: PersonName
    national_id: NationalId
    country: Code
    bank: Code
    account: Code
    proxy: Code
    currency: Code


class Order(Record, table="orders"):
    """A purchase order and what of it was delivered. ordered, delivered: minor units."""

    payee: Code
    currency: Code
    ordered: Minor
    delivered: Minor


class Invoice(Record, table="invoices"):
    """An invoice as received. order: id of the purchase order. document: id of the scan.
    due: ISO date. memo: what the supplier wrote on it. status: ``open``, ``paid``."""

    payee: Code
    order: Code
    amount: Minor
    currency: Code
    due: Code
    memo: Memo
    document: Code
    status: Code


class Document(Record, table="documents"):
    """A received document. kind: ``invoice``, ``delivery``, ``letter``. about: id of a record."""

    kind: Code
    about: Code
    body: Memo


class Payment(Record, table="payments", amount="amount"):
    """A payment order. account: where the money goes. purpose: ``invoice``, ``refund``, ``salary``.
    reference: id of what it pays. status: ``drafted``, ``held``, ``released``, ``recalled``.
    approved_by: officer, or empty. released_at: logical time, or empty."""

    payee: Code
    account: Code
    amount: Minor
    currency: Code
    purpose: Code
    reference: Code
    status: Code
    drafted_by: Code
    approved_by: Code
    released_at: Code


class Screening(Record, table="screenings"):
    """A sanctions screening of an account. result: ``clear`` or ``hit``. at: logical time."""

    account: Code
    result: Code
    at: Code


class Message(Record, table="messages", outbound=True):
    """A document sent to somebody outside. recipient: address. body: as the agent wrote it."""

    recipient: Code
    country: Code
    subject: Body
    body: Body


class Rate(Record, table="rates"):
    """An exchange rate of the day. sells, buys: currencies. units: minor units of ``buys`` for
    ``per`` minor units of ``sells``. cut_off: local time until which it holds today."""

    sells: Code
    buys: Code
    units: Minor
    per: Minor
    cut_off: Code


class Watch(Record, table="watchlist"):
    """An account on a sanctions list. id: the account."""


class State(World):
    """The payments desk."""

    payees: Table[Payee]
    orders: Table[Order]
    invoices: Table[Invoice]
    documents: Table[Document]
    payments: Table[Payment]
    screenings: Table[Screening]
    messages: Table[Message]
    rates: Table[Rate]
    watchlist: Table[Watch]
