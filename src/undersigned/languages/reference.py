"""What do ``fluent.runtime`` and Babel say a message is, independently of the compiled form?

The second opinion on ``compiled`` and ``quantities``: message by ``fluent.runtime``, amounts by
Babel on exact decimals. About a hundred times slower, and limited as ``fluent.runtime`` is (no
slot above 2,500 characters); meant for checking, never for rendering a scenario.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from babel import Locale as BabelLocale
from babel.dates import format_date
from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import FluentType

from undersigned.languages.compiled import Slot
from undersigned.languages.locales import locale
from undersigned.languages.quantities import (
    Day,
    Money,
    decimals_shown,
    exponent,
    money_pattern,
    parse_day,
)


class _FluentMoney(FluentType):
    def __init__(self, money: Money) -> None:
        self.money = money

    def format(self, locale: BabelLocale) -> str:
        money = self.money
        amount = Decimal(money.minor).scaleb(-exponent(money.currency))
        pattern = money_pattern(str(locale).replace("_", "-"), decimals_shown(money))
        text: str = pattern.apply(amount, locale, currency=money.currency, currency_digits=False)
        return text


class _FluentDay(FluentType):
    def __init__(self, day: Day) -> None:
        self.day = day

    def format(self, locale: BabelLocale) -> str:
        return format_date(parse_day(self.day), format="long", locale=locale)


def _native(value: Slot) -> object:
    if isinstance(value, Money):
        return _FluentMoney(value)
    return _FluentDay(value) if isinstance(value, Day) else value


def render(source: str, tag: str, message: str, slots: Mapping[str, Slot]) -> str:
    """Render a message of a Fluent source as ``fluent.runtime`` does.

    Raises ExceptionGroup of whatever ``fluent.runtime`` reports, which it would otherwise only
    write into the text; KeyError for a message without text or not in the source.
    """
    same = {name: lambda value: value for name in ("MONEY", "DATE")}
    bundle = FluentBundle([locale(tag).babel], functions=same, use_isolating=False)
    bundle.add_resource(FluentResource(source))
    pattern = bundle.get_message(message).value
    if pattern is None:
        raise KeyError(message)
    text, errors = bundle.format_pattern(pattern, {k: _native(v) for k, v in slots.items()})
    if errors:
        raise ExceptionGroup(f"fluent.runtime reports errors in {message}", errors)
    return str(text)
