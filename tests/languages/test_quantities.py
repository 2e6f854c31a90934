"""Amounts, numbers and days: exact, and as Babel writes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from hypothesis import given
from hypothesis import strategies as st

from undersigned.core.canonical import decode, encode
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.languages.locales import LOCALES
from undersigned.languages.quantities import (
    EXPONENTS,
    Day,
    Money,
    exponent,
    format_day,
    format_money,
    format_number,
)

TAGS = st.sampled_from(list(LOCALES))
MINOR = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)


CLDR_DIGITS_DIFFER = {"LAK", "MMK", "IDR"}
"""Currencies for which Babel writes another number of decimals than ISO 4217 lists, or we do."""


@given(TAGS, MINOR, st.sampled_from(sorted(EXPONENTS.keys() - CLDR_DIGITS_DIFFER)))
def test_format_money__any_amount__is_what_babel_writes(tag: str, minor: int, code: str) -> None:
    amount = Decimal(minor).scaleb(-exponent(code))
    expected = format_currency(amount, code, locale=LOCALES[tag].babel)
    assert format_money(tag, Money(minor, code)) == expected


@given(TAGS, MINOR)
def test_format_money__rupiah__have_decimals_only_when_not_whole(tag: str, minor: int) -> None:
    whole, rest = divmod(abs(minor), 100)
    written = format_money(tag, Money(minor, "IDR"))
    digits = "".join(c for c in written if c.isdigit())
    assert digits == (f"{whole}{rest:02d}" if rest else str(whole))
    assert ("-" in written) == (minor < 0)


def test_format_money__beyond_decimal_precision__loses_no_digit() -> None:
    digits = "".join(c for c in format_money("ta", Money(10**60 + 7, "SGD")) if c.isdigit())
    assert digits == str(10**60 + 7)


def test_format_money__each_locale__is_written_its_own_way() -> None:
    amount = Money(123456789, "SGD")
    written = {tag: format_money(tag, amount) for tag in LOCALES}
    assert written == {
        "en": "SGD1,234,567.89",
        "zh-Hans": "SGD1,234,567.89",
        "ms": "SGD1,234,567.89",
        "ta": "SGD12,34,567.89",
        "id": "SGD1.234.567,89",
        "th": "SGD1,234,567.89",
        "vi": "1.234.567,89\u00a0SGD",
    }


def test_format_money__own_currencies__have_own_symbols_and_exponents() -> None:
    assert format_money("id", Money(125000000, "IDR")) == "Rp1.250.000"
    assert format_money("id", Money(125000050, "IDR")) == "Rp1.250.000,50"
    assert format_money("vi", Money(-1250000, "VND")) == "-1.250.000\u00a0₫"
    assert format_money("zh-Hans", Money(-5, "CNY")) == "-¥0.05"
    assert format_money("en", Money(1250, "JPY")) == "¥1,250"


@given(TAGS, st.integers(min_value=-(10**24), max_value=10**24))
def test_format_number__any_integer__is_what_babel_writes(tag: str, number: int) -> None:
    assert format_number(tag, number) == format_decimal(number, locale=LOCALES[tag].babel)


@given(TAGS, st.dates())
def test_format_day__any_day__is_what_babel_writes(tag: str, day: date) -> None:
    expected = format_date(day, format="long", locale=LOCALES[tag].babel)
    assert format_day(tag, Day(day.isoformat())) == expected


@pytest.mark.parametrize(
    "iso", ["2026-02-29", "20261103", "2026-W01-1", "2026-11-3", "", "٢٠٢٦-١١-٠٣", "0000-01-01"]
)
def test_format_day__no_such_day__is_refused(iso: str) -> None:
    with pytest.raises(UsageError, match="E-LNG-009"):
        format_day("en", Day(iso))


@pytest.mark.parametrize("code", ["XXX", "sgd", "", "SGD\u200b"])
def test_format_money__unknown_currency__is_refused(code: str) -> None:
    with pytest.raises(UsageError, match="E-LNG-008"):
        format_money("en", Money(1, code))


@given(MINOR, st.sampled_from(sorted(EXPONENTS)), st.dates())
def test_quantities__as_evidence__round_trip(minor: int, code: str, day: date) -> None:
    slots = {"amount": Money(minor, code), "on": Day(day.isoformat()), "n": minor, "s": code}
    assert decode(encode(slots), dict[str, Money | Day | int | str]) == slots


@pytest.mark.parametrize("text", ['{"iso":"3.11.2026","kind":"day"}', '{"iso":"","kind":"day"}'])
def test_day__as_evidence_of_another_form__is_not_decoded(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Day)
    with pytest.raises(EvidenceError):
        decode(text.encode(), Day)
