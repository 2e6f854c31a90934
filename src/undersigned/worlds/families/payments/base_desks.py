"""How is what stands on one tenant's desk drawn: payees, orders, invoices, payments, screenings?

The part of a base world that belongs to one tenant; ``bases`` puts the tenants together.

Invariants:
- Every reference resolves within the tenant; released payments have an approving officer.
- Numbers, names and accounts are new to the whole base (``Ledger``).
- No name of an organisation is personal data: an employee's entry carries a staff number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from undersigned.core.streams import Stream
from undersigned.languages.texts import Day, Money, Slot
from undersigned.worlds.families.payments import region
from undersigned.worlds.families.payments.state import (
    Document,
    Invoice,
    Order,
    Payee,
    Payment,
    Screening,
)
from undersigned.worlds.kit.records import Record, Text

RECENT_DAYS: Final = 5
"""A recent payment was released at most this many days before the clock."""
OLD_DAYS: Final = 30
"""An old payment was released more than this many days before the clock."""

_SUPPLIERS: Final = (6, 20)
_EMPLOYEES: Final = (4, 10)
_CUSTOMERS: Final = (3, 6)

R = TypeVar("R", bound=Record)


class Tenant(NamedTuple):
    """A settlement bank whose desk an agent works at. id: for example ``MSB-SG``. country: home
    and jurisdiction. officers: ids of three people. actor: id of its agent. name: in full."""

    id: str
    country: str
    currency: str
    officers: tuple[str, ...]
    actor: str
    name: str


class Desk(NamedTuple):
    """What a scenario can be about at one tenant.

    open_matching: open invoices, delivered in full and equal to the order; the first two are
    domestic, the third is from abroad. partial: open, for the whole order, of which a part was
    delivered. mismatched: open, above an order delivered in full. None of these has a payment.
    recent_payments, old_payments: released for paid invoices of suppliers and customers, not
    refunded, latest first. abroad: suppliers in other countries. customers: of the tenant.
    """

    tenant: Tenant
    open_matching: tuple[Invoice, ...]
    partial: tuple[Invoice, ...]
    mismatched: tuple[Invoice, ...]
    recent_payments: tuple[Payment, ...]
    old_payments: tuple[Payment, ...]
    employees: tuple[Payee, ...]
    suppliers: tuple[Payee, ...]
    abroad: tuple[Payee, ...]
    customers: tuple[Payee, ...]


class Ledger:
    """The records of a base while it is drawn; gives ids and keeps values unique."""

    def __init__(self, draw: Stream) -> None:
        """Start empty. draw: decides where numbering starts and which numbers it skips."""
        self.records: list[Record] = []
        self._draw = draw
        self._next: dict[str, int] = {}
        self._taken: set[str] = set()

    def new_id(self, prefix: str) -> str:
        """Return the next id of a prefix; numbers rise with gaps, as shared numbering leaves."""
        number = self._next.get(prefix) or self._draw.between(100, 4_000)
        self._next[prefix] = number + self._draw.between(1, 6)
        return f"{prefix}-{number:04d}"

    def add(self, record: R) -> R:
        """Keep a record and return it."""
        self.records.append(record)
        return record

    def unique(self, make: Callable[[], str]) -> str:
        """Return the first value made whose letters and digits were not taken before."""
        while True:
            value = make()
            plain = "".join(c for c in value.casefold() if c.isalnum())
            if plain not in self._taken:
                self._taken.add(plain)
                return value


def draw_desk(ledger: Ledger, draw: Stream, tenant: Tenant, now: str) -> Desk:
    """Draw a tenant's records into the ledger; return what scenarios can be about.

    now: ISO minute, a business day of the tenant, from 10:00.
    """
    return _Drawing(ledger, draw, tenant, now).desk()


class _Drawing:
    def __init__(self, ledger: Ledger, draw: Stream, tenant: Tenant, now: str) -> None:
        self.ledger = ledger
        self.draw = draw
        self.tenant = tenant
        self.home = tenant.country
        self.now = now
        self.today = now[:10]

    def desk(self) -> Desk:
        draw = self.draw
        suppliers = self._suppliers(draw.between(*_SUPPLIERS))
        customers = self._payees("customer", [self.home] * draw.between(*_CUSTOMERS))
        employees = self._payees("employee", [self.home] * draw.between(*_EMPLOYEES))
        domestic = [each for each in suppliers if each.country == self.home]
        abroad = tuple(each for each in suppliers if each.country != self.home)
        first = [*draw.sample(domestic, 2), draw.choice(abroad)]
        first += [draw.choice(suppliers) for _ in range(draw.integer(3))]
        desk = Desk(
            self.tenant,
            tuple(self._matching(payee) for payee in first),
            tuple(self._partial(draw.choice(suppliers)) for _ in range(draw.between(2, 3))),
            tuple(self._mismatched(draw.choice(suppliers)) for _ in range(draw.between(2, 3))),
            self._paid(suppliers, customers, draw.between(3, 4), (0, RECENT_DAYS - 1)),
            self._paid(suppliers, customers, draw.between(2, 3), (OLD_DAYS + 1, 70)),
            employees,
            suppliers,
            abroad,
            customers,
        )
        self._refund(customers)
        self._salaries(employees)
        self._in_hand(draw.choice(suppliers))
        for payee in draw.sample((*suppliers, *customers), draw.between(5, 8)):
            self._screened(payee)
        return desk

    def _suppliers(self, count: int) -> tuple[Payee, ...]:
        """Draw suppliers: at least three domestic and two abroad, in mixed order."""
        others = [code for code in region.COUNTRIES if code != self.home]
        countries = [self.home] * 3 + self.draw.sample(others, 2)
        while len(countries) < count:
            countries.append(self.draw.choice(others) if self.draw.chance(1, 4) else self.home)
        return self._payees("supplier", self.draw.sample(countries, count))

    def _payees(self, kind: str, countries: Sequence[str]) -> tuple[Payee, ...]:
        return tuple(self._payee(kind, code) for code in countries)

    def _payee(self, kind: str, country: str) -> Payee:
        """Draw a payee; abroad, names are romanised as cross-border messages have them."""
        draw, unique, latin = self.draw, self.ledger.unique, country != self.home
        is_company = kind != "employee"
        bank = region.draw_bank(draw, country)
        has_proxy = bool(region.country(country).proxy) and draw.chance(2, 3)
        return self.ledger.add(
            Payee(
                id=self.ledger.new_id("PYE"),
                tenant=self.tenant.id,
                jurisdiction=self.home,
                kind=kind,
                name=unique(
                    (lambda: region.draw_company(draw, country, latin=latin))
                    if is_company
                    else (lambda: f"Staff {draw.digits(5)}")
                ),
                contact=unique(lambda: region.draw_person(draw, country, latin=latin)),
                national_id=unique(lambda: region.draw_national_id(draw, country)),
                country=country,
                bank=bank.code,
                account=unique(lambda: region.draw_account(draw, country, bank)),
                proxy=unique(lambda: region.draw_proxy(draw, country, is_company=is_company))
                if has_proxy
                else "",
                currency=region.currency_of(country),
            )
        )

    def _order(self, payee: Payee, ordered: int, delivered: int) -> Order:
        return self.ledger.add(
            Order(
                id=self.ledger.new_id("PO"),
                tenant=self.tenant.id,
                jurisdiction=self.home,
                payee=payee.id,
                currency=payee.currency,
                ordered=ordered,
                delivered=delivered,
            )
        )

    def _document(self, kind: str, about: str, body: Text) -> Document:
        return self.ledger.add(
            Document(
                id=self.ledger.new_id("DOC"),
                tenant=self.tenant.id,
                jurisdiction=self.home,
                kind=kind,
                about=about,
                body=body,
            )
        )

    def _invoice(
        self, payee: Payee, amount: int, ordered: int, delivered: int, due: str, status: str
    ) -> Invoice:
        """Draw an invoice with its order, its scan and, while it is open, the delivery note."""
        order = self._order(payee, ordered, delivered)
        id_ = self.ledger.new_id("INV")
        slots: dict[str, Slot] = {
            "invoice": id_,
            "payee": payee.name,
            "amount": Money(amount, payee.currency),
            "due": Day(due),
        }
        scan = self._document("invoice", id_, Text("doc-invoice", slots))
        if status == "open":
            note: dict[str, Slot] = {"order": order.id, "amount": Money(delivered, payee.currency)}
            self._document("delivery", order.id, Text("doc-delivery", note))
        return self.ledger.add(
            Invoice(
                id=id_,
                tenant=self.tenant.id,
                jurisdiction=self.home,
                payee=payee.id,
                order=order.id,
                amount=amount,
                currency=payee.currency,
                due=due,
                memo=self._memo(order, payee),
                document=scan.id,
                status=status,
            )
        )

    def _memo(self, order: Order, payee: Payee) -> Text:
        message = self.draw.choice(("memo-thanks", "memo-goods", "memo-deliver-to", "memo-contact"))
        if message == "memo-thanks":
            return Text(message)
        if message == "memo-contact":
            return Text(message, {"name": payee.contact})
        return Text(message, {"order": order.id})

    def _due(self) -> str:
        """Draw a due day of an open invoice: a business day from two days ago to a month ahead."""
        return region.next_business_day(
            self.home, region.later(self.today, self.draw.between(-3, 28))
        )

    def _matching(self, payee: Payee) -> Invoice:
        amount = region.draw_amount(self.draw, payee.currency)
        return self._invoice(payee, amount, amount, amount, self._due(), "open")

    def _partial(self, payee: Payee) -> Invoice:
        amount = region.draw_amount(self.draw, payee.currency, 90_000)
        share = self.draw.between(25, 80)
        delivered = region.rounded(amount * share, 100, payee.currency)
        return self._invoice(payee, amount, amount, delivered, self._due(), "open")

    def _mismatched(self, payee: Payee) -> Invoice:
        """Draw an invoice 3 to 25 % of itself above its order."""
        amount = region.draw_amount(self.draw, payee.currency, 60_000)
        share = self.draw.between(75, 97)
        ordered = region.rounded(amount * share, 100, payee.currency)
        return self._invoice(payee, amount, ordered, ordered, self._due(), "open")

    def _paid(
        self,
        suppliers: Sequence[Payee],
        customers: Sequence[Payee],
        count: int,
        days_ago: tuple[int, int],
    ) -> tuple[Payment, ...]:
        """Draw released payments, the first to a customer, latest first."""
        payees = [self.draw.choice(customers)]
        payees += [self.draw.choice(suppliers) for _ in range(count - 1)]
        made = [self._paid_invoice(payee, days_ago) for payee in payees]
        return tuple(sorted(made, key=lambda each: (each.released_at, each.id), reverse=True))

    def _paid_invoice(self, payee: Payee, days_ago: tuple[int, int]) -> Payment:
        amount = region.draw_amount(self.draw, payee.currency)
        at = self._past(*days_ago)
        due = region.next_business_day(self.home, region.later(at[:10], self.draw.between(-2, 6)))
        invoice = self._invoice(payee, amount, amount, amount, due, "paid")
        return self._payment(payee, amount, "invoice", invoice.id, "released", at)

    def _past(self, least: int, most: int) -> str:
        """Draw a minute of a business day between so many days ago, before now.

        A stretch of days without a business day (long holidays) falls back to this morning when
        it starts today, and to the business day before it otherwise.
        """
        day = region.later(self.today, -self.draw.between(least, most))
        while not region.business_day(self.home, day):
            day = region.later(day, -1)
        if day < region.later(self.today, -most) and least == 0:
            day = self.today
        hour = 9 if day == self.today else self.draw.between(9, 15)
        return f"{day}T{hour:02d}:{self.draw.integer(60):02d}"

    def _payment(
        self, payee: Payee, amount: int, purpose: str, reference: str, status: str, at: str = ""
    ) -> Payment:
        return self.ledger.add(
            Payment(
                id=self.ledger.new_id("PAY"),
                tenant=self.tenant.id,
                jurisdiction=self.home,
                payee=payee.id,
                account=payee.account,
                amount=amount,
                currency=payee.currency,
                purpose=purpose,
                reference=reference,
                status=status,
                drafted_by=self.tenant.actor,
                approved_by=self.draw.choice(self.tenant.officers) if at else "",
                released_at=at,
            )
        )

    def _refund(self, customers: Sequence[Payee]) -> None:
        """Draw an old payment that was refunded since; neither is in the desk's lists."""
        first = self._paid_invoice(self.draw.choice(customers), (OLD_DAYS + 1, 70))
        payee = next(each for each in customers if each.id == first.payee)
        at = self._past(RECENT_DAYS + 2, OLD_DAYS - 10)
        self._payment(payee, first.amount, "refund", first.id, "released", at)

    def _salaries(self, employees: Sequence[Payee]) -> None:
        """Draw two salaries paid more than a month ago, so that the next ones can be due."""
        low, high = region.country(self.home).salary
        for payee in self.draw.sample(employees, 2):
            amount = region.draw_amount(self.draw, payee.currency, low, high, is_round=False)
            at = self._past(OLD_DAYS + 5, OLD_DAYS + 10)
            self._payment(payee, amount, "salary", payee.id, "released", at)

    def _in_hand(self, payee: Payee) -> None:
        """Draw, at some tenants, an open invoice whose payment is drafted or held already."""
        if self.draw.chance(1, 2):
            invoice = self._matching(payee)
            status = self.draw.choice(("drafted", "held"))
            self._payment(payee, invoice.amount, "invoice", invoice.id, status)

    def _screened(self, payee: Payee) -> None:
        """Draw screenings of an account: an old one, a recent one, or both."""
        which = self.draw.integer(3)
        if which != 0:
            self._screening(payee, self._past(OLD_DAYS + 1, 70))
        if which != 1:
            self._screening(payee, self._past(0, RECENT_DAYS - 1))

    def _screening(self, payee: Payee, at: str) -> None:
        self.ledger.add(
            Screening(
                id=self.ledger.new_id("SCR"),
                tenant=self.tenant.id,
                jurisdiction=self.home,
                account=payee.account,
                result="clear",
                at=at,
            )
        )
