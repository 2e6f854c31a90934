"""What every scenario of the payments family may rely on in every one of its base worlds."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undersigned.core.errors import UndersignedError, UsageError
from undersigned.core.streams import Stream
from undersigned.languages.quantities import EXPONENTS
from undersigned.worlds.families.payments import bases, region, region_names
from undersigned.worlds.families.payments.state import Invoice, Payee
from undersigned.worlds.kit.records import Base, Text

NUMBERS = range(bases.BASES)
COUNTRIES = sorted(region.COUNTRIES)
codes = st.sampled_from(COUNTRIES)
keys = st.binary(min_size=32, max_size=32).map(Stream)


def rows(number, table):
    return list(bases.base(number).tables[table].values())


def days_before(number, at):
    return datetime.fromisoformat(bases.clock(number)) - datetime.fromisoformat(at)


def test_bases__all_numbers__have_50_to_500_records_and_differ():
    counts = [bases.base(n).count() for n in NUMBERS]
    assert min(counts) >= 50
    assert max(counts) <= 500
    assert len(set(counts)) > 20
    assert len({bases.base(n).digest for n in NUMBERS}) == bases.BASES


def test_base__drawn_in_another_process__has_the_same_digest():
    code = (
        "from undersigned.worlds.families.payments.bases import base, clock;"
        "print(base(17).digest, clock(17))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": "src", "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [bases.base(17).digest, bases.clock(17)]


@pytest.mark.parametrize("number", [-1, 64, 10**9])
def test_base__unknown_number__is_refused(number):
    with pytest.raises(UsageError, match="E-WLD-004"):
        bases.base(number)


@pytest.mark.parametrize("number", NUMBERS)
def test_base__every_reference__resolves_within_its_tenant(number):
    base = bases.base(number)
    tenants = {t.id: t for t in bases.tenants(number)}

    def find(table, id_, row):
        found = base.tables[table][id_]
        assert found.tenant == row.tenant
        return found

    for table in ("payees", "orders", "invoices", "documents", "payments", "screenings"):
        for row in rows(number, table):
            assert row.jurisdiction == tenants[row.tenant].country
            if table in ("orders", "invoices", "payments"):
                payee = find("payees", row.payee, row)
                assert row.currency == payee.currency
    for invoice in rows(number, "invoices"):
        assert find("orders", invoice.order, invoice).payee == invoice.payee
        scan = find("documents", invoice.document, invoice)
        assert (scan.kind, scan.about) == ("invoice", invoice.id)
    for document in rows(number, "documents"):
        find({"invoice": "invoices", "delivery": "orders"}[document.kind], document.about, document)
    for payment in rows(number, "payments"):
        assert payment.account == find("payees", payment.payee, payment).account
        about = {"invoice": "invoices", "refund": "payments", "salary": "payees"}[payment.purpose]
        find(about, payment.reference, payment)
        assert payment.drafted_by == tenants[payment.tenant].actor
        officers = tenants[payment.tenant].officers
        assert (payment.approved_by in officers) == (payment.status == "released")
    accounts = base.by("payees", "account")
    assert all(accounts[s.account][0].tenant == s.tenant for s in rows(number, "screenings"))


@pytest.mark.parametrize("number", NUMBERS)
def test_desks__every_tenant__offers_what_the_tasks_need(number):
    base = bases.base(number)
    assert len(bases.tenants(number)) in (3, 4)
    assert [desk.tenant for desk in bases.desks(number)] == list(bases.tenants(number))
    for desk in bases.desks(number):
        home = desk.tenant.country
        assert len(desk.tenant.officers) == len(set(desk.tenant.officers)) == 3
        assert desk.tenant.currency == region.currency_of(home)
        assert 6 <= len(desk.suppliers) <= 20
        assert 4 <= len(desk.employees) <= 10
        assert len({payee.country for payee in desk.abroad}) >= 2
        assert {payee.country for payee in desk.employees} == {home}
        assert set(desk.abroad) == {p for p in desk.suppliers if p.country != home}
        countries = [base.tables["payees"][i.payee].country for i in desk.open_matching[:3]]
        assert [code == home for code in countries] == [True, True, False]


def classify(base: Base, invoice: Invoice) -> str:
    order = base.tables["orders"][invoice.order]
    if invoice.status == "paid" or base.by("payments", "reference").get(invoice.id):
        return "paid or in hand"
    if order.delivered == order.ordered == invoice.amount:
        return "matching"
    if 0 < order.delivered < order.ordered == invoice.amount:
        return "partial"
    return "mismatched" if order.delivered == order.ordered < invoice.amount else "unexpected"


@pytest.mark.parametrize("number", NUMBERS)
def test_desks__invoices__are_listed_as_what_they_are_and_none_is_left_out(number):
    base = bases.base(number)
    for desk in bases.desks(number):
        kinds: dict[str, list[Invoice]] = {}
        for invoice in base.by("invoices", "tenant")[desk.tenant.id]:
            kinds.setdefault(classify(base, invoice), []).append(invoice)
        assert kinds.keys() == {"matching", "partial", "mismatched", "paid or in hand"}
        assert tuple(kinds["matching"]) == desk.open_matching
        assert tuple(kinds["partial"]) == desk.partial
        assert tuple(kinds["mismatched"]) == desk.mismatched
        assert len(desk.open_matching) >= 3
        assert len(desk.partial) >= 2
        assert len(desk.mismatched) >= 2


@pytest.mark.parametrize("number", NUMBERS)
def test_desks__released_payments__are_recent_or_old_and_were_not_refunded(number):
    base = bases.base(number)
    for desk in bases.desks(number):
        assert len(desk.recent_payments) >= 3
        assert len(desk.old_payments) >= 2
        for payment in desk.recent_payments:
            assert timedelta(0) < days_before(number, payment.released_at) <= timedelta(days=5)
        for payment in desk.old_payments:
            assert days_before(number, payment.released_at) > timedelta(days=30)
        for payment in desk.recent_payments + desk.old_payments:
            assert payment.status == "released"
            assert base.tables["invoices"][payment.reference].status == "paid"
            assert len(base.by("payments", "reference")[payment.reference]) == 1
            assert payment.id not in base.by("payments", "reference")
        kinds = Counter(base.tables["payees"][p.payee].kind for p in desk.recent_payments)
        assert kinds["customer"] >= 1
        assert kinds["supplier"] >= 2


@pytest.mark.parametrize("number", NUMBERS)
def test_base__times__are_past_business_days_and_the_clock_is_in_working_hours(number):
    now = bases.clock(number)
    countries = {t.id: t.country for t in bases.tenants(number)}
    assert re.fullmatch(r"2026-\d\d-\d\dT1[0-5]:[0-5]\d", now)
    assert all(region.business_day(code, now[:10]) for code in countries.values())
    happened = [(p.tenant, p.released_at) for p in rows(number, "payments") if p.released_at]
    happened += [(s.tenant, s.at) for s in rows(number, "screenings")]
    for tenant, at in happened:
        assert re.fullmatch(r"2026-\d\d-\d\dT(09|1[0-5]):[0-5]\d", at)
        assert at < now
        assert region.business_day(countries[tenant], at[:10])
    ages = [days_before(number, s.at).days for s in rows(number, "screenings")]
    assert min(ages) <= 5
    assert max(ages) >= 30
    assert all(region.business_day(countries[i.tenant], i.due) for i in rows(number, "invoices"))


@pytest.mark.parametrize("number", NUMBERS)
def test_base__identifying_values__are_unique_and_ids_leave_room_for_the_tools(number):
    payees = rows(number, "payees")
    for field in ("account", "proxy", "name", "contact", "national_id"):
        values = [re.sub(r"\W", "", getattr(p, field)) for p in payees if getattr(p, field)]
        assert len(values) == len(set(values)), field
    for table, prefix in {
        "payees": "PYE", "orders": "PO", "invoices": "INV", "documents": "DOC",
        "payments": "PAY", "screenings": "SCR",
    }.items():  # fmt: skip
        assert all(
            re.fullmatch(prefix + r"-\d{4}", id_) for id_ in bases.base(number).tables[table]
        )
    assert all(p.name.startswith("Staff ") == (p.kind == "employee") for p in payees)


@pytest.mark.parametrize("number", NUMBERS)
def test_base__amounts__are_plausible_and_rounded_as_the_currency_is(number):
    for invoice in rows(number, "invoices"):
        order = bases.base(number).tables["orders"][invoice.order]
        for amount in (invoice.amount, order.ordered, order.delivered):
            assert 20_000 <= region.to_sgd_minor(amount, invoice.currency) <= 9_000_000
            assert amount % region.CURRENCIES[invoice.currency].quantum == 0


def test_bases__amounts__spread_over_the_whole_range():
    everything = [i for n in NUMBERS for i in rows(n, "invoices") if i.status == "paid"]
    cents = [region.to_sgd_minor(i.amount, i.currency) for i in everything]
    for low in (20_000, 80_000, 320_000, 1_280_000):
        share = sum(low <= each < 4 * low for each in cents) / len(cents)
        assert 0.17 < share < 0.29  # two of 8.7 octaves each


@pytest.mark.parametrize("number", NUMBERS)
def test_base__rates__cover_all_pairs_and_agree_with_the_mid_rates(number):
    pairs = {(r.sells, r.buys): r for r in rows(number, "rates")}
    currencies = sorted(region.CURRENCIES)
    assert pairs.keys() == {(a, b) for a in currencies for b in currencies if a != b}
    for rate in pairs.values():
        sells, buys = region.CURRENCIES[rate.sells], region.CURRENCIES[rate.buys]
        mid = Fraction(sells.sgd_units, sells.per) / Fraction(buys.sgd_units, buys.per)
        assert abs(Fraction(rate.units, rate.per) / mid - 1) < Fraction(21, 1000)
        back = pairs[rate.buys, rate.sells]
        assert abs(Fraction(rate.units * back.units, rate.per * back.per) - 1) < Fraction(1, 10_000)
        assert "16:00" < rate.cut_off < "18:00"


MEMOS = {
    "memo-thanks": set(),
    "memo-goods": {"order"},
    "memo-deliver-to": {"order"},
    "memo-contact": {"name"},
    "doc-invoice": {"invoice", "payee", "amount", "due"},
    "doc-delivery": {"order", "amount"},
}


def test_bases__texts__name_known_messages_with_their_slots_and_the_records_own_values():
    seen = Counter()
    for number in NUMBERS:
        tables = bases.base(number).tables
        for text in [i.memo for i in rows(number, "invoices")] + [
            d.body for d in rows(number, "documents")
        ]:
            assert isinstance(text, Text)
            assert set(text.slots) == MEMOS[text.message]
            seen[text.message] += 1
        for invoice in rows(number, "invoices"):
            slots = tables["documents"][invoice.document].body.slots
            assert (slots["amount"].minor, slots["due"].iso) == (invoice.amount, invoice.due)
            assert slots["payee"] == tables["payees"][invoice.payee].name
    assert seen.keys() == MEMOS.keys()


def test_bases__all_numbers__use_every_country_and_proxies_where_there_is_a_scheme():
    payees: list[Payee] = [p for n in NUMBERS for p in rows(n, "payees")]
    assert {t.country for n in NUMBERS for t in bases.tenants(n)} == set(COUNTRIES)
    for code, facts in region.COUNTRIES.items():
        own = [p for p in payees if p.country == code]
        assert any(p.proxy for p in own) == bool(facts.proxy)
        assert {p.bank for p in own} == {bank.code for bank in facts.banks}


@given(keys, codes)
def test_draw_account__any_draw__has_the_shape_of_a_bank_of_the_country(draw, code):
    account = region.draw_account(draw, code)
    shapes = [bank.shape.replace("#", r"\d") for bank in region.country(code).banks]
    assert any(re.fullmatch(shape, account, re.ASCII) for shape in shapes)


def passes_check(code: str, value: str) -> bool:
    """Return whether a national id would pass its country's own check (computed independently)."""
    d = re.sub(r"\W", "", value)
    if code == "SG":
        total = sum(a * b for a, b in zip(map(int, d[1:8]), [2, 7, 6, 5, 4, 3, 2], strict=True))
        return "JZIHGFEDCBA"[(total + (4 if d[0] == "T" else 0)) % 11] == d[-1]
    if code == "TH":
        return str((11 - sum(int(d[i]) * (13 - i) for i in range(12)) % 11) % 10) == d[-1]
    if code == "CN":
        values = [10 if c == "X" else int(c) for c in d]
        return sum(v * pow(2, 17 - i, 11) for i, v in enumerate(values)) % 11 == 1
    place = {"MY": d[6:8], "ID": d[:2], "VN": d[:3]}[code]
    return place not in {"MY": "17 18 19 20", "ID": "98 99", "VN": "097 098 099"}[code].split()


@pytest.mark.parametrize(
    ("code", "valid"),
    [("SG", "S0000001I"), ("TH", "3-1006-00445-63-5"), ("CN", "11010519491231002X"),
     ("MY", "900101-14-1234"), ("ID", "3171010101900001"), ("VN", "001090000001")],
)  # fmt: skip
def test_national_id_check__a_well_formed_number__would_pass(code, valid):
    assert passes_check(code, valid)


@given(keys, codes)
def test_draw_national_id__any_draw__has_the_layout_and_fails_the_countrys_check(draw, code):
    value = region.draw_national_id(draw, code)
    layout = {
        "SG": r"[ST]\d{7}[A-JZ]", "MY": r"\d{6}-\d\d-\d{4}", "TH": r"\d-\d{4}-\d{5}-\d\d-\d",
        "ID": r"\d{16}", "VN": r"\d{12}", "CN": r"\d{17}[\dX]",
    }[code]  # fmt: skip
    assert re.fullmatch(layout, value, re.ASCII)
    assert not passes_check(code, value)


@given(keys, codes, st.booleans())
def test_draw_proxy__any_draw__is_of_the_countrys_scheme(draw, code, is_company):
    value = region.draw_proxy(draw, code, is_company=is_company)
    person, company = {
        "SG": (r"\+65 [89]\d{3} \d{4}", r"(19|20)\d{7}X"),
        "MY": (r"\+60 1\d-\d{3} \d{4}", r"(19|20)\d\d09\d{6}"),
        "TH": (r"\+66 8\d \d{3} \d{4}", r"0995\d{9}"),
        "ID": (r"\+62 8\d\d \d{4} \d{4}", r"bayar\d{4}@usaha\.example"),
        "VN": (r"\+84 9\d \d{7}", r"VQX\d{6}"),
        "CN": ("", ""),
    }[code]
    assert re.fullmatch(company if is_company else person, value, re.ASCII)


@given(keys, codes)
def test_draw_names__romanised__are_ascii(draw, code):
    assert region.draw_person(draw, code, latin=True).isascii()
    assert region.draw_company(draw, code, latin=True).isascii()


def test_draw_names__official__are_in_the_script_of_the_countrys_records():
    draw = Stream.of("names")
    scripts = {"TH": r"[\u0e00-\u0e7f ]+", "CN": r"[\u4e00-\u9fff]+"}
    for code, script in scripts.items():
        for _ in range(50):
            assert re.fullmatch(script, region.draw_person(draw, code))
            assert re.fullmatch(script, region.draw_company(draw, code))
    persons = " ".join(region.draw_person(draw, "MY") for _ in range(200))
    assert all(f" {link} " in persons for link in ("bin", "binti", "a/l", "a/p"))
    assert any(" " not in region.draw_person(draw, "ID") for _ in range(50))


def test_names__every_tuple__repeats_nothing_and_officers_are_of_one_country():
    for name in dir(region_names):
        value = getattr(region_names, name)
        if isinstance(value, tuple):
            assert len(set(value)) == len(value), name
    officers = [last for lasts in region_names.OFFICERS.values() for last in lasts]
    assert len(set(officers)) == len(officers)


def test_business_day__weekends_and_holidays__are_none():
    assert not region.business_day("SG", "2026-02-17")  # Chinese New Year
    assert not region.business_day("TH", "2026-04-13")  # Songkran
    assert not region.business_day("ID", "2026-08-17")  # Independence Day
    assert not region.business_day("VN", "2026-10-03")  # a Saturday
    assert region.business_day("MY", "2026-04-13")
    assert region.next_business_day("CN", "2026-09-30") == "2026-10-08"
    assert region.next_business_day("MY", "2026-07-01") == "2026-07-02"


@pytest.mark.parametrize("code", COUNTRIES)
def test_holidays__every_country__are_days_of_the_year_and_leave_enough_business_days(code):
    holidays = region.country(code).holidays
    assert all(date.fromisoformat(day).year == 2026 for day in holidays)
    year = [(date(2026, 1, 1) + timedelta(n)).isoformat() for n in range(365)]
    assert 235 <= sum(region.business_day(code, day) for day in year) <= 254


@pytest.mark.parametrize(
    "ask",
    [
        lambda: region.business_day("SG", "2027-01-04"),
        lambda: region.business_day("XX", "2026-01-05"),
        lambda: region.draw_account(Stream.of(1), "XX"),
        lambda: region.draw_person(Stream.of(1), "XX"),
        lambda: region.draw_company(Stream.of(1), "XX"),
        lambda: region.draw_national_id(Stream.of(1), "XX"),
        lambda: region.draw_proxy(Stream.of(1), "XX"),
        lambda: region.to_sgd_minor(1, "XXX"),
    ],
)
def test_region__what_is_not_listed__is_refused(ask):
    with pytest.raises(UndersignedError, match="E-WLD-005"):
        ask()


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(region.CURRENCIES)))
def test_to_sgd_minor__any_amount__is_the_exact_ratio_rounded_half_even(amount, currency):
    listed = region.CURRENCIES[currency]
    exact = round(Fraction(amount * listed.sgd_units, listed.per))  # Python rounds half to even
    assert region.to_sgd_minor(amount, currency) == exact
    assert currency in EXPONENTS


@given(
    keys, st.sampled_from(sorted(region.CURRENCIES)), st.integers(500, 10**6), st.integers(1, 500)
)
def test_draw_amount__any_bounds__stays_within_them_but_for_rounding(draw, currency, low, factor):
    amount = region.draw_amount(draw, currency, low, low * factor, is_round=False)
    step = region.to_sgd_minor(region.CURRENCIES[currency].quantum, currency) + 1
    assert low - step <= region.to_sgd_minor(amount, currency) <= low * factor + step
