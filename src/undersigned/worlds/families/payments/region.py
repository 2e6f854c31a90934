"""How are people, companies, accounts and days of the region drawn and reckoned?

Everything drawn is synthetic: banks are fictional, companies coined, national ids fail their own
check or carry a code that is not assigned. Nothing here validates real data.

Refuses: countries and currencies that are not listed, days outside ``YEAR``.

Invariants:
- A draw uses its stream only; same stream, same result.
- Amounts are integers in minor units; conversions round half to even, without floats.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TypeVar

from undersigned.core.errors import UndersignedError
from undersigned.core.streams import Stream
from undersigned.worlds.families.payments import region_names as names
from undersigned.worlds.families.payments.region_facts import (
    COUNTRIES,
    CURRENCIES,
    YEAR,
    Bank,
    Country,
    Currency,
)
from undersigned.worlds.problems import INSTRUMENT_FAULT

T = TypeVar("T")

__all__ = [
    "COUNTRIES",
    "CURRENCIES",
    "Bank",
    "Country",
    "Currency",
    "business_day",
    "country",
    "currency_of",
    "draw_account",
    "draw_amount",
    "draw_bank",
    "draw_company",
    "draw_national_id",
    "draw_person",
    "draw_proxy",
    "later",
    "next_business_day",
    "rounded",
    "to_sgd_minor",
]


def country(code: str) -> Country:
    """Return the facts of a country. code: ISO 3166, one of ``COUNTRIES``."""
    return _listed(COUNTRIES.get(code), "country", code)


def currency_of(code: str) -> str:
    """Return the currency of a country. code: ISO 3166."""
    return country(code).currency


def _listed(found: T | None, kind: str, code: str) -> T:
    if found is None:
        raise UndersignedError(INSTRUMENT_FAULT, f"a {kind} that is not listed", value=code)
    return found


def later(iso: str, days: int) -> str:
    """Return the ISO date a number of days later (earlier when negative)."""
    return (date.fromisoformat(iso) + timedelta(days)).isoformat()


@lru_cache(maxsize=4096)
def business_day(code: str, iso: str) -> bool:
    """Return whether the banks of a country work on a day: no weekend, no public holiday.

    code: ISO 3166. iso: date of ``YEAR``. Raises UndersignedError (E-WLD-005) for other years.
    """
    day = date.fromisoformat(iso)
    if day.year != YEAR:
        raise UndersignedError(INSTRUMENT_FAULT, "holidays of that year are not listed", day=iso)
    return day.weekday() < 5 and iso not in country(code).holidays


@lru_cache(maxsize=4096)
def next_business_day(code: str, iso: str) -> str:
    """Return the first business day strictly after a day. Raises as ``business_day``."""
    iso = later(iso, 1)
    while not business_day(code, iso):
        iso = later(iso, 1)
    return iso


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def to_sgd_minor(amount_minor: int, currency: str) -> int:
    """Return an amount in SGD cents at the listed mid rate, rounded half to even.

    amount_minor: minor units of either sign. Raises UndersignedError (E-WLD-005).

    >>> to_sgd_minor(1_000_000, "VND")
    4900
    """
    listed = _listed(CURRENCIES.get(currency), "currency", currency)
    return _half_even(amount_minor * listed.sgd_units, listed.per)


def draw_amount(
    draw: Stream,
    currency: str,
    low: int = 21_000,
    high: int = 8_950_000,
    *,
    is_round: bool | None = None,
) -> int:
    """Return an amount in minor units, log-uniform by octaves and uniform within one.

    low, high: bounds in SGD cents before rounding; the currency's rounding may leave them by half
    a step. is_round: rounded a hundred times coarser, as prices are; half of them when None.
    """
    octaves = (high // low).bit_length() - 1
    top = low << octaves
    turn = draw.integer(100 * octaves + max(1, 100 * (high - top) // top))
    floor = low << turn // 100
    cents = draw.between(floor, min(2 * floor, high))
    listed = _listed(CURRENCIES.get(currency), "currency", currency)
    coarse = draw.chance(1, 2) if is_round is None else is_round
    step = listed.quantum * (100 if coarse else 1)
    return step * _half_even(cents * listed.per, listed.sgd_units * step)


def rounded(numerator: int, denominator: int, currency: str) -> int:
    """Return numerator / denominator minor units, rounded as invoices in the currency are."""
    quantum = _listed(CURRENCIES.get(currency), "currency", currency).quantum
    return quantum * _half_even(numerator, denominator * quantum)


def draw_bank(draw: Stream, code: str) -> Bank:
    """Return a fictional bank of a country."""
    return draw.choice(country(code).banks)


def draw_account(draw: Stream, code: str, bank: Bank | None = None) -> str:
    """Return an account number in the shape of a bank of the country (any bank when None)."""
    shape = (bank or draw_bank(draw, code)).shape
    return _filled(draw, shape)


def _filled(draw: Stream, shape: str) -> str:
    digits = draw.digits(shape.count("#"))
    if len(digits) == len(shape):
        return digits
    return shape.replace("#", "%s") % tuple(digits)


def draw_person(draw: Stream, code: str, *, latin: bool = False) -> str:
    """Return a person's name as the country's records write it; romanised when latin.

    Singapore and Malaysia: Chinese, Malay (bin, binti) or Tamil (s/o, d/o, a/l, a/p, initials).
    """
    country(code)
    if code in ("SG", "MY"):
        return _straits_person(draw, code)
    if code == "ID":
        if draw.chance(1, 4):
            return draw.choice(names.INDONESIAN_SINGLE)
        return f"{draw.choice(names.INDONESIAN_GIVEN)} {draw.choice(names.INDONESIAN_LATER)}"
    if code == "TH":
        parts = [draw.choice(names.THAI_GIVEN), draw.choice(names.THAI_FAMILIES)]
    elif code == "VN":
        parts = [
            draw.choice(names.VIETNAMESE_FAMILIES),
            draw.choice(names.VIETNAMESE_MIDDLE),
            draw.choice(names.VIETNAMESE_GIVEN),
        ]
    else:
        parts = [draw.choice(names.HAN_FAMILIES), draw.choice(names.HAN_GIVEN)]
    if latin:
        return " ".join(part.latin for part in parts)
    return ("" if code == "CN" else " ").join(part.official for part in parts)


def _straits_person(draw: Stream, code: str) -> str:
    turn, is_woman = draw.integer(10), draw.chance(1, 2)
    malay_from = 7 if code == "SG" else 4
    if turn < malay_from - 1:
        return f"{draw.choice(names.CHINESE_FAMILIES)} {draw.choice(names.CHINESE_GIVEN)}"
    if turn < 8:
        given = draw.choice(names.MALAY_WOMEN if is_woman else names.MALAY_MEN)
        return f"{given} {'binti' if is_woman else 'bin'} {draw.choice(names.MALAY_FATHERS)}"
    given = draw.choice(names.TAMIL_WOMEN if is_woman else names.TAMIL_MEN)
    father = draw.choice(names.TAMIL_FATHERS)
    if draw.chance(1, 3):
        return f"{father[0]}. {given}"
    link = {"SG": ("s/o", "d/o"), "MY": ("a/l", "a/p")}[code][is_woman]
    return f"{given} {link} {father}"


def draw_company(draw: Stream, code: str, *, latin: bool = False) -> str:
    """Return an invented company's registered name; in its English form when latin."""
    country(code)
    if code == "SG":
        return f"{draw.choice(names.ENGLISH_ROOTS)} {draw.choice(names.ENGLISH_TRADES)} Pte Ltd"
    if code == "MY":
        trades = names.MALAY_TRADES if draw.chance(1, 2) else names.ENGLISH_TRADES
        return f"{draw.choice(names.ENGLISH_ROOTS)} {draw.choice(trades)} Sdn Bhd"
    if code == "ID":
        return f"PT {draw.choice(names.ENGLISH_ROOTS)} {draw.choice(names.INDONESIAN_TRADES)}"
    if code == "TH":
        root, trade = draw.choice(names.THAI_ROOTS), draw.choice(names.THAI_TRADES)
        if latin:
            return f"{root.latin} {trade.latin} Co., Ltd."
        return f"บริษัท {root.official}{trade.official} จำกัด"
    if code == "VN":
        root, trade = draw.choice(names.VIETNAMESE_ROOTS), draw.choice(names.VIETNAMESE_TRADES)
        is_jsc = draw.chance(1, 2)
        if latin:
            return f"{root.latin} {trade.latin} {'JSC' if is_jsc else 'Co., Ltd'}"
        return f"Công ty {'Cổ phần' if is_jsc else 'TNHH'} {trade.official} {root.official}"
    city, root = draw.choice(names.HAN_CITIES), draw.choice(names.HAN_ROOTS)
    trade = draw.choice(names.HAN_TRADES)
    if latin:
        return f"{city.latin} {root.latin} {trade.latin} Co., Ltd."
    return f"{city.official}{root.official}{trade.official}有限公司"


def draw_national_id(draw: Stream, code: str) -> str:
    """Return a synthetic national id: the country's length and layout, never a valid number.

    SG, TH, CN: the check letter or digit is wrong. MY, ID, VN: the place code is not assigned.
    """
    country(code)
    year, month, day = draw.between(1960, 2003), draw.between(1, 12), draw.between(1, 28)
    ymd = f"{year % 100:02d}{month:02d}{day:02d}"
    if code == "SG":
        return _singapore_id(draw, year)
    if code == "MY":
        return f"{ymd}-{draw.between(17, 20)}-{draw.digits(4)}"
    if code == "ID":
        birth = f"{day + 40 * draw.integer(2):02d}{month:02d}{year % 100:02d}"
        return f"{draw.between(98, 99)}{draw.digits(4)}{birth}{draw.digits(4)}"
    if code == "TH":
        body = f"{draw.between(1, 8)}{draw.digits(11)}"
        weighed = sum(int(c) * w for c, w in zip(body, range(13, 1, -1), strict=True))
        wrong = (11 - weighed % 11 + draw.between(1, 9)) % 10
        return f"{body[0]}-{body[1:5]}-{body[5:10]}-{body[10:]}-{wrong}"
    if code == "VN":
        return (
            f"0{draw.between(97, 99)}{draw.integer(2) + 2 * (year > 1999)}{ymd[:2]}{draw.digits(6)}"
        )
    body = f"{draw.between(991, 999)}{draw.digits(3)}{year}{month:02d}{day:02d}{draw.digits(3)}"
    weighed = sum(int(c) * (2 ** (17 - i) % 11) for i, c in enumerate(body))
    return body + "10X98765432"[(weighed + draw.between(1, 10)) % 11]


def _singapore_id(draw: Stream, year: int) -> str:
    digits = f"{year % 100:02d}{draw.digits(5)}"
    weighed = sum(int(c) * w for c, w in zip(digits, (2, 7, 6, 5, 4, 3, 2), strict=True))
    wrong = (weighed + 4 * (year > 1999) + draw.between(1, 10)) % 11
    return f"{'T' if year > 1999 else 'S'}{digits}{'JZIHGFEDCBA'[wrong]}"


def draw_proxy(draw: Stream, code: str, *, is_company: bool = False) -> str:
    """Return an alias of the country's scheme (``Country.proxy``), or empty where none is used.

    Persons: a mobile number. Companies: a registration number (SG: letter X; MY: type 09), a tax
    number (TH: province 99), an e-mail (ID: domain ``example``) or an alias (VN), none of them
    in use by a company.
    """
    scheme = country(code).proxy
    if code == "SG":
        if is_company:
            return f"{draw.between(1990, 2025)}{draw.digits(5)}X"
        return f"+65 {draw.between(8, 9)}{draw.digits(3)} {draw.digits(4)}"
    if code == "MY":
        if is_company:
            return f"{draw.between(1990, 2025)}09{draw.digits(6)}"
        return f"+60 1{draw.between(2, 9)}-{draw.digits(3)} {draw.digits(4)}"
    if code == "TH":
        if is_company:
            return f"09955{draw.digits(8)}"
        return f"+66 8{draw.digits(1)} {draw.digits(3)} {draw.digits(4)}"
    if code == "ID":
        if is_company:
            return f"bayar{draw.digits(4)}@usaha.example"
        return f"+62 8{draw.digits(2)} {draw.digits(4)} {draw.digits(4)}"
    if code == "VN":
        return f"VQX{draw.digits(6)}" if is_company else f"+84 9{draw.digits(1)} {draw.digits(7)}"
    return scheme
