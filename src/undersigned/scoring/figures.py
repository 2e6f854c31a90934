"""How is a computed number written down so that the text never claims more than was computed?

Decimal strings of fixed length. Values are rounded half to even, bounds outward: lower bounds
and significance levels down, upper bounds and p-values up.

Invariants:
- A bound is first moved outward by ``NUMERIC_MARGIN`` (relative above one), more than the error
  of the special functions used, so that an error of theirs cannot turn outward into inward.
- No exponent, no negative zero, always the stated number of places.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from undersigned.core.errors import UsageError
from undersigned.scoring.problems import BAD_QUANTITY

PLACES = 6
"""Decimal places of estimates and their bounds."""

FINE_PLACES = 9
"""Decimal places of p-values and significance levels, which graphs split many times."""

NUMERIC_MARGIN = 1e-12

_DECIMAL = re.compile(r"0?\.[0-9]{1,12}")


def nearest(value: Fraction | float, places: int = PLACES) -> str:
    """Return a value rounded half to even.

    >>> nearest(Fraction(1, 3))
    '0.333333'
    """
    return _text(round(Fraction(value) * 10**places), places)


def downward(value: float, places: int = PLACES) -> str:
    """Return a lower bound, never above the exact one. value: finite."""
    return _text(math.floor(Fraction(value - _margin(value)) * 10**places), places)


def upward(value: float, places: int = PLACES) -> str:
    """Return an upper bound, never below the exact one. value: finite."""
    return _text(math.ceil(Fraction(value + _margin(value)) * 10**places), places)


def low_rate(value: float) -> str:
    """Return a lower bound on a rate, at least 0.

    >>> low_rate(0.0), low_rate(0.0123456789)
    ('0.000000', '0.012345')
    """
    return downward(value) if value > NUMERIC_MARGIN else _text(0, PLACES)


def high_rate(value: float) -> str:
    """Return an upper bound on a rate, at most 1."""
    return upward(value) if value < 1 - 1e-6 else _text(10**PLACES, PLACES)


def probability(value: float) -> str:
    """Return a p-value, rounded up and at most 1."""
    return upward(value, FINE_PLACES) if value < 1 - 1e-9 else _text(10**FINE_PLACES, FINE_PLACES)


def share_of_alpha(value: float) -> str:
    """Return a significance level that sums and products of shares gave, rounded down.

    The margin is added here: it makes up for the rounding of the sums, so that 0.05 reached in
    parts is 0.05 again.
    """
    return _text(math.floor(Fraction(value + NUMERIC_MARGIN) * 10**FINE_PLACES), FINE_PLACES)


def in_unit_interval(name: str, text: str) -> float:
    """Return a decimal string strictly between 0 and 1 as a number.

    name: what it is, for the error. Raises UsageError (E-SCO-003).
    """
    if not _DECIMAL.fullmatch(text) or not 0 < float(text) < 1:
        raise UsageError(
            BAD_QUANTITY, "a quantity is not a decimal between 0 and 1", name=name, value=text
        )
    return float(text)


def _margin(value: float) -> float:
    return NUMERIC_MARGIN * max(1.0, abs(value))


def _text(units: int, places: int) -> str:
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
