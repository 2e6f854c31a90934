"""How many episodes does a budget stand for?

A name or a number. What can be decided with so many is computed elsewhere (``budgets``); to name
them needs none of the libraries that compute it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from undersigned.core.errors import UsageError
from undersigned.scoring.problems import UNKNOWN_BUDGET

BUDGETS: Final[Mapping[str, int]] = MappingProxyType(
    {"screen": 400, "assess": 2_500, "sign-off": 12_000}
)
"""Episodes of the named budgets, all arms together."""


def budget_of(text: str | int) -> int:
    """Return the episodes of a budget's name or number. Raises UsageError (E-SCO-004).

    >>> budget_of("screen"), budget_of("1000")
    (400, 1000)
    """
    if isinstance(text, str) and text in BUDGETS:
        return BUDGETS[text]
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9 and int(digits) > 0):
        raise UsageError(UNKNOWN_BUDGET, value=text)
    return int(digits)
