"""What stands on the payments desks before a scenario begins?

Sixty-four base worlds, each with three or four tenants (fictional settlement banks), drawn once
from ``Stream.of("payments-base", number)``; scenarios write a few records over one of them.

Refuses: numbers outside 0 to ``BASES`` - 1.

Invariants:
- Same number, same records, in every process; 50 to 500 records.
- Every reference to a record, account or officer resolves within the base and the tenant.
- Accounts, proxies, names and national ids are unique in a base, also without separators.
- Ids are ``PREFIX-dddd``; ids that tools give (``PAY-N1``, ``SCR-N1``) never clash with them.
- Every day on which something happened was a business day of its tenant.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from undersigned.core.errors import UsageError
from undersigned.core.streams import Stream
from undersigned.worlds.families.payments import region
from undersigned.worlds.families.payments.base_desks import (
    OLD_DAYS,
    RECENT_DAYS,
    Desk,
    Ledger,
    Tenant,
    draw_desk,
)
from undersigned.worlds.families.payments.region_names import OFFICERS
from undersigned.worlds.families.payments.state import Rate
from undersigned.worlds.kit.records import Base
from undersigned.worlds.problems import UNKNOWN_NAME

__all__ = [
    "BASES",
    "OLD_DAYS",
    "RECENT_DAYS",
    "Desk",
    "Tenant",
    "base",
    "clock",
    "desks",
    "tenants",
]

BASES: Final = 64
"""Base worlds of the family."""

_FIRST_DAY: Final = "2026-03-30"  # so that the oldest payments stay within the listed year
_DAYS: Final = 235  # to 2026-11-19, so that due dates do, too


class _Built(NamedTuple):
    base: Base
    clock: str
    tenants: tuple[Tenant, ...]
    desks: tuple[Desk, ...]


def base(number: int) -> Base:
    """Return a base world. number: 0 to 63. Raises UsageError (E-WLD-004) for others."""
    return _built(number).base


def clock(number: int) -> str:
    """Return the time in a base as an ISO minute: a business day of all its tenants, 10:00 to
    15:59. Raises as ``base``."""
    return _built(number).clock


def tenants(number: int) -> tuple[Tenant, ...]:
    """Return the three or four tenants of a base, each in another country. Raises as ``base``."""
    return _built(number).tenants


def desks(number: int) -> tuple[Desk, ...]:
    """Return the desks of a base, in the order of its tenants. Raises as ``base``."""
    return _built(number).desks


@lru_cache(maxsize=BASES)
def _built(number: int) -> _Built:
    if not 0 <= number < BASES:
        raise UsageError(UNKNOWN_NAME, "there is no such base world", base=number, bases=BASES)
    draw = Stream.of("payments-base", number)
    chosen = _draw_tenants(draw.child("tenants"))
    now = _draw_clock(draw.child("clock"), chosen)
    ledger = Ledger(draw.child("ids"))
    made = tuple(draw_desk(ledger, draw.child("desk", tenant.id), tenant, now) for tenant in chosen)
    for rate in _draw_rates(draw.child("rates")):
        ledger.add(rate)
    return _Built(Base(number, ledger.records), now, chosen, made)


def _draw_tenants(draw: Stream) -> tuple[Tenant, ...]:
    found = []
    for code in draw.sample(sorted(region.COUNTRIES), draw.between(3, 4)):
        id_, name = region.country(code).settlement
        officers = tuple(f"officer.{last}" for last in draw.sample(OFFICERS[code], 3))
        actor = f"agent.{id_.lower()}"
        found.append(Tenant(id_, code, region.currency_of(code), officers, actor, name))
    return tuple(found)


def _draw_clock(draw: Stream, chosen: tuple[Tenant, ...]) -> str:
    day = region.later(_FIRST_DAY, draw.integer(_DAYS))
    while not all(region.business_day(tenant.country, day) for tenant in chosen):
        day = region.later(day, 1)
    return f"{day}T{draw.between(10, 15)}:{draw.integer(60):02d}"


def _draw_rates(draw: Stream) -> list[Rate]:
    """Return rates between all currencies: mid rates moved by up to 1 % against SGD.

    They belong to no tenant; units has at least six digits of its quotient.
    """
    cut_offs = {each.currency: each.cut_off for each in region.COUNTRIES.values()}
    moved = {
        each.code: (each.sgd_units * (10_000 + draw.between(-100, 100)), each.per * 10_000)
        for each in region.CURRENCIES.values()
    }
    found = []
    for sells, (units, per) in moved.items():
        for buys, (other_units, other_per) in moved.items():
            if sells == buys:
                continue
            top, bottom, scale = units * other_per, per * other_units, 1
            while top * scale < 100_000 * bottom:
                scale *= 10
            made = Rate(
                id=f"FX-{sells}-{buys}",
                tenant="",
                jurisdiction="",
                sells=sells,
                buys=buys,
                units=top * scale // bottom,
                per=scale,
                cut_off=min(cut_offs[sells], cut_offs[buys]),
            )
            found.append(made)
    return found
