"""How is a number, an amount or a hostile text written for people?

Numbers arrive as the decimal strings of the scores and are only written, never worked with: a
percentage moves the decimal point and keeps two places, a lower bound rounded down and an upper
one up. What is no plain decimal is shown as it stands.

Invariants:
- No text can act where it is shown: control, bidi, zero-width and private-use characters become
  ``\\u{hex}``; line ends and no-break spaces stay.
- A cut text says how long it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Final, Literal

from undersigned.core.errors import printable
from undersigned.languages.quantities import EXPONENTS

Side = Literal["value", "low", "high"]

NAME_LIMIT = 120
"""Characters of a name that are shown."""
TEXT_LIMIT = 1_500
"""Characters of a longer text that are shown."""

_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_KEPT = re.compile("([\n\u00a0\u202f]+)")
_HUNDREDTH = Decimal("0.01")
_ROUNDING: Final = MappingProxyType(
    {"value": ROUND_HALF_EVEN, "low": ROUND_FLOOR, "high": ROUND_CEILING}
)
_SYMBOLS: Final = MappingProxyType({"SGD": "S$", "USD": "US$", "EUR": "€", "GBP": "£"})
_ONE: Final = MappingProxyType({"records": "record", "persons": "person"})
NO_VALUE = "no answer"


def visible(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return a text that cannot act where it is shown, cut with a count.

    limit: characters that are shown. Line ends stay, CR LF becomes LF.

    >>> visible("a\\u202eb\\n\\x1b[2J")
    'a\\\\u{202e}b\\n\\\\u{1b}[2J'
    """
    raw = text[: limit + 1].replace("\r\n", "\n")[:limit]
    shown = raw if raw.isprintable() else "".join(_harmless(raw))
    return shown if len(text) <= limit else f"{shown} … (cut: {number(len(text))} characters)"


def _harmless(text: str) -> Iterator[str]:
    for place, part in enumerate(_KEPT.split(text)):
        yield part if place % 2 or part.isprintable() else printable(part, len(part))


def name(text: str) -> str:
    """Return a name on one line, at most ``NAME_LIMIT`` characters of it."""
    return visible(text.replace("\n", "\\n"), NAME_LIMIT)


def number(value: int) -> str:
    """Return a whole number with thousands set apart.

    >>> number(12345)
    '12,345'
    """
    return f"{value:,}"


def is_decimal(text: str | None) -> bool:
    """Tell whether a text is a plain decimal of at most 20 digits on each side."""
    return text is not None and _DECIMAL.fullmatch(text) is not None


def percent(text: str | None, side: Side = "value") -> str:
    """Return a share as a percentage.

    text: decimal string, or None for no answer. side: which way to round.

    >>> percent("0.103127"), percent("0.088206", "low"), percent("0.05"), percent(None)
    ('10.31 %', '8.82 %', '5 %', 'no answer')
    """
    if text is None:
        return NO_VALUE
    if not is_decimal(text):
        return name(text)
    exact = Decimal(text) * 100
    places = exact.quantize(_HUNDREDTH, rounding=_ROUNDING[side])
    if exact and not places:
        return "under 0.01 %" if exact > 0 else "above -0.01 %"
    # WHY: whole percentages are limits, 0 and 100; there the places would only look exact
    whole = places == places.to_integral_value() == exact
    return f"{places:.0f} %" if whole else f"{places:f} %"


def tenths(text: str) -> str:
    """Return a decimal with one place.

    >>> tenths("67.661692"), tenths("0.000000"), tenths("0.040000")
    ('67.7', '0', 'under 0.1')
    """
    if not is_decimal(text):
        return name(text)
    exact = Decimal(text)
    places = exact.quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)
    if exact and not places:
        return "under 0.1"
    return f"{places:f}" if exact else "0"


def points(text: str | None, side: Side = "value") -> str:
    """Return a difference of shares in percentage points, with its sign.

    >>> points("0.7183"), points("-0.051328", "low"), points("0.000000")
    ('+71.83', '-5.14', '0')
    """
    if text is None or not is_decimal(text):
        return percent(text, side)
    exact = (Decimal(text) * 100).quantize(_HUNDREDTH, rounding=_ROUNDING[side])
    if exact == exact.to_integral_value():
        return f"{exact:+.0f}" if exact else "0"
    return f"{exact:+f}"


def probability(text: str | None) -> str:
    """Return a p-value, rounded up to four places.

    >>> probability("0.056561628"), probability("0.000000001"), probability("1.000000000")
    ('0.0566', 'under 0.0001', '1')
    """
    if text is None or not is_decimal(text):
        return percent(text)
    exact = Decimal(text)
    if exact < Decimal("0.0001"):
        return "under 0.0001"
    return f"{exact.quantize(Decimal('0.0001'), rounding=ROUND_CEILING).normalize():f}"


def amount(text: str, unit: str) -> str:
    """Return an amount in words: money with its currency, anything else with its unit.

    text: decimal string, in minor units for a currency.

    >>> amount("1234567", "SGD"), amount("72", "records"), amount("500", "VND")
    ('S$ 12,345.67', '72 records', 'VND 500')
    """
    if not is_decimal(text):
        return f"{name(text)} {name(unit)}"
    exact = Decimal(text)
    places = EXPONENTS.get(unit)
    if places is None:
        shown = f"{exact:,.4f}".rstrip("0").rstrip(".") if "." in text else f"{exact:,f}"
        noun = _ONE.get(unit, unit) if shown == "1" else unit
        return f"{shown} {name(noun)}"
    return f"{_SYMBOLS.get(unit, unit)} {exact.scaleb(-places):,.{places}f}"


def short(digest: str) -> str:
    """Return the beginning of a digest, for places where the whole one stands nearby."""
    return name(digest.removeprefix("sha256:")[:12])
