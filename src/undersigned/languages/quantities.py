"""How does each locale write an amount of money, a number and a day?

Amounts are integers in minor units with the exponents of ISO 4217; formatting follows the CLDR
patterns that Babel carries, from which affixes and separators are taken once per locale and
currency. No float and no rounding anywhere, so every integer of canonical JSON is exact.

Refuses: currencies without a listed exponent, days that are not in the proleptic Gregorian
calendar, years outside 0001 to 9999.

Invariants:
- ``format_money``, ``format_number`` and ``format_day`` write what Babel writes for the same
  value (see ``reference``).
- Whole rupiah are written without decimals, as Indonesian practice has it.
- Days are written with the month's name (CLDR ``long``), so day and month cannot be confused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from babel import Locale as BabelLocale
from babel.dates import format_date
from babel.numbers import NumberPattern, parse_pattern

from undersigned.core.errors import UsageError
from undersigned.languages.locales import locale
from undersigned.languages.problems import NOT_A_DAY, UNKNOWN_CURRENCY

_WITHOUT_MINOR_UNITS: Final = "JPY KRW VND"
_HUNDREDTHS: Final = (
    "AUD BND CHF CNY EUR GBP HKD IDR INR KHR LAK LKR MMK MYR NZD PHP SGD THB TWD USD"
)
EXPONENTS: Final = MappingProxyType(
    dict.fromkeys(_WITHOUT_MINOR_UNITS.split(), 0) | dict.fromkeys(_HUNDREDTHS.split(), 2)
)
"""Digits after the decimal point by currency code (ISO 4217, list one)."""


class Money(msgspec.Struct, frozen=True, tag="money", tag_field="kind"):
    """An amount. minor: integer minor units, of either sign. currency: ISO 4217 code."""

    minor: int
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]


class Day(msgspec.Struct, frozen=True, tag="day", tag_field="kind"):
    """A calendar day. iso: ``YYYY-MM-DD`` (ISO 8601)."""

    iso: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]


def exponent(currency: str) -> int:
    """Return how many decimal digits a currency has. Raises UsageError (E-LNG-008)."""
    found = EXPONENTS.get(currency)
    if found is None:
        raise UsageError(
            UNKNOWN_CURRENCY,
            "the currency is not listed",
            currency=currency,
            known=", ".join(sorted(EXPONENTS)),
        )
    return found


@lru_cache(maxsize=64)
def babel_locale(tag: str) -> BabelLocale:
    """Return Babel's data of a shipped locale. Raises UsageError (E-LNG-001)."""
    return BabelLocale.parse(locale(tag).babel)


@lru_cache(maxsize=512)
def money_pattern(tag: str, decimals: int) -> NumberPattern:
    """Return the locale's standard currency pattern with a fixed number of decimals."""
    pattern = parse_pattern(babel_locale(tag).currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    return pattern


def decimals_shown(money: Money) -> int:
    """Return how many decimals an amount is written with (0 for whole rupiah)."""
    decimals = exponent(money.currency)
    return 0 if money.currency == "IDR" and money.minor % 100 == 0 else decimals


def _grouped(tag: str) -> Callable[[int], str]:
    """Return the function that groups the digits of a non-negative integer."""
    locale_data = babel_locale(tag)
    separator: str = locale_data.number_symbols["latn"]["group"]
    first, further = locale_data.decimal_formats[None].grouping

    def by_three(number: int) -> str:
        return f"{number:,}".replace(",", separator)

    def uneven(number: int) -> str:
        digits = str(number)
        if len(digits) <= first:
            return digits
        head, tail = digits[:-first], digits[-first:]
        start = len(head) % further or further
        pairs = [head[:start], *(head[i : i + further] for i in range(start, len(head), further))]
        return separator.join([*pairs, tail])

    if not first == further == 3:
        return uneven
    return "{:,}".format if separator == "," else by_three


def _affixes(tag: str, currency: str, decimals: int, sign: int) -> tuple[str, str]:
    """Return what Babel writes before and after an amount of either sign."""
    pattern, data = money_pattern(tag, decimals), babel_locale(tag)
    point: str = data.number_symbols["latn"]["decimal"] if decimals else ""
    written: str = pattern.apply(7 * sign, data, currency=currency, currency_digits=False)
    before, after = written.split("7" + point + "0" * decimals)
    return before, after


def _writer_with(tag: str, currency: str, decimals: int) -> Callable[[int], str]:
    """Return the function that writes minor units of a currency with a number of decimals."""
    before, after = _affixes(tag, currency, decimals, 1)
    minus, after_minus = _affixes(tag, currency, decimals, -1)
    grouped = _grouped(tag)
    unit: int = 10 ** exponent(currency)
    point: str = babel_locale(tag).number_symbols["latn"]["decimal"]
    shown = [f"{point}{rest:0{decimals}d}" if decimals else "" for rest in range(unit)]
    rests, minus_rests = [each + after for each in shown], [each + after_minus for each in shown]

    def write(minor: int) -> str:
        if minor >= 0:
            whole, rest = divmod(minor, unit)
            return before + grouped(whole) + rests[rest]
        whole, rest = divmod(-minor, unit)
        return minus + grouped(whole) + minus_rests[rest]

    return write


@lru_cache(maxsize=512)
def _amount_writer(tag: str, currency: str) -> Callable[[int], str]:
    """Return the function that writes minor units of a currency as a locale does."""
    usual = _writer_with(tag, currency, exponent(currency))
    if currency != "IDR":
        return usual
    whole = _writer_with(tag, currency, 0)
    return lambda minor: usual(minor) if minor % 100 else whole(minor)


def format_money(tag: str, money: Money) -> str:
    """Write an amount as a locale does, to the minor unit.

    Raises UsageError: E-LNG-001 unknown locale, E-LNG-008 unknown currency.

    >>> format_money("id", Money(125000000, "IDR"))
    'Rp1.250.000'
    """
    return _amount_writer(tag, money.currency)(money.minor)


@lru_cache(maxsize=64)
def number_writer(tag: str) -> Callable[[int], str]:
    """Return the function that writes integers as a locale does, with its digit grouping."""
    grouped = _grouped(tag)
    minus: str = babel_locale(tag).number_symbols["latn"]["minusSign"]

    def write(number: int) -> str:
        return grouped(number) if number >= 0 else minus + grouped(-number)

    return write


def format_number(tag: str, number: int) -> str:
    """Write an integer as a locale does. Raises UsageError (E-LNG-001)."""
    return number_writer(tag)(number)


def parse_day(day: Day) -> date:
    """Return the date of a day. Raises UsageError (E-LNG-009) when there is no such day."""
    iso = day.iso
    if len(iso) != 10 or iso[4] != "-" or iso[7] != "-":
        raise UsageError(NOT_A_DAY, "the day is not of the form YYYY-MM-DD", day=iso)
    try:
        return date.fromisoformat(iso)
    except ValueError as error:
        raise UsageError(NOT_A_DAY, "the day does not exist", day=iso, reason=error) from error


@lru_cache(maxsize=8192)
def _day_text(tag: str, iso: str) -> str:
    return format_date(parse_day(Day(iso)), format="long", locale=babel_locale(tag))


def format_day(tag: str, day: Day) -> str:
    """Write a day as a locale does, with the month's name.

    Raises UsageError: E-LNG-001 unknown locale, E-LNG-009 no such day.

    >>> format_day("vi", Day("2026-11-03"))
    '3 tháng 11, 2026'
    """
    return _day_text(tag, day.iso)
