"""When may the next request be sent, and how long is waited before it is sent again?

Token bucket for the pace, exponential back-off with jitter between tries, Retry-After (RFC 9110,
section 10.2.3) up to a cap.

Invariants:
- A place in the queue is taken without waiting in between, so requests keep their order.
- No answer of an endpoint makes a wait longer than ``WAIT_LIMIT_S``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from undersigned.core.streams import Stream

WAIT_LIMIT_S = 60.0
"""Longest wait before another try, whatever the endpoint asks for."""
BACKOFF_S = 0.5
"""Wait before the first repetition, doubled with each further one."""
BACKOFF_LIMIT_S = 30.0

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


class Clock(NamedTuple):
    """The time, as an argument. monotonic: seconds from an arbitrary start. wall: seconds since
    1970. sleep: waits for seconds."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Pace:
    """Spaces requests evenly; at most one second's worth of them starts at once."""

    __slots__ = ("_burst", "_clock", "_free", "_held", "_interval")

    def __init__(self, per_minute: int, clock: Clock) -> None:
        """Start a pace. per_minute: requests in 60 seconds; 0 for no limit."""
        self._clock = clock
        self._interval = 60.0 / per_minute if per_minute else 0.0
        self._burst = max(1, per_minute // 60)
        self._free = float("-inf")
        self._held = float("-inf")

    async def wait(self) -> None:
        """Wait until the next request may be sent."""
        now = self._clock.monotonic()
        free = max(self._free, now)
        self._free = free + self._interval
        start = max(free - (self._burst - 1) * self._interval, self._held)
        if start > now:
            await self._clock.sleep(start - now)

    def hold(self, seconds: float) -> None:
        """Let nobody start for some seconds: the endpoint has asked for it."""
        self._held = max(self._held, self._clock.monotonic() + min(seconds, WAIT_LIMIT_S))


def backoff(attempt: int, draw: Stream, asked: float | None) -> float:
    """Return the seconds to wait after a failed try.

    attempt: 0 after the first. draw: spreads the waits of many. asked: what the endpoint asked
    for, or None. Between the half and the whole of a doubling wait, but no less than was asked.
    """
    longest = min(BACKOFF_S * 2.0 ** min(attempt, 16), BACKOFF_LIMIT_S)
    jittered = longest * (512 + draw.integer(513)) / 1024
    return min(max(jittered, asked or 0.0), WAIT_LIMIT_S)


def retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """Return the seconds that an answer asks to wait, 0 or more; None when it asks for nothing.

    headers: looked up by ``Retry-After``: seconds, or a date. wall: now, seconds since 1970.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - wall)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
