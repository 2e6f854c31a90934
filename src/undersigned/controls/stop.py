"""Is this system stopped?

A stop is scoped (all, organisation, system, tool, run) and latches: a gate that has seen one stays
stopped until it is lifted by another person. In a test it is an injected predicate. What cannot
be read counts as stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Literal, NamedTuple

Scope = Literal["all", "organisation", "system", "tool", "run"]


class StopOrder(NamedTuple):
    """An order to stop. scope, of: what is stopped, for example ``tool`` and its name; ``of`` is
    empty for ``all``. by: who gave it."""

    scope: Scope
    of: str
    by: str


Stopped = Callable[[str], StopOrder | None]
"""Tells, for a tool's name, whether an order stops it now."""


UNREADABLE = StopOrder("all", "", "unreadable")
"""Stands for an order that cannot be read."""


def running(_: str) -> StopOrder | None:
    """Tell that nothing is stopped."""
    return None


class Latch:
    """Remembers every stop that was seen, for any number of threads.

    look: asked before each act; whatever it raises, or returns instead of an order, counts as a
    stop of everything.
    """

    __slots__ = ("_guard", "_look", "_seen")

    def __init__(self, look: Stopped = running) -> None:
        """Start with nothing stopped."""
        self._look = look
        self._guard = Lock()
        self._seen: tuple[StopOrder, ...] = ()

    def stops(self, tool: str) -> StopOrder | None:
        """Return the order that stops a tool, seen now or before, or None."""
        try:
            order = self._look(tool)
        except Exception:  # WHY broad: a stop that cannot be read is a stop
            order = UNREADABLE
        if order is not None:
            self._latch(order if _is_sound(order) else UNREADABLE)
        for seen in self._seen:
            if seen.scope != "tool" or seen.of == tool:
                return seen
        return None

    def lift(self, order: StopOrder, by: str) -> bool:
        """Forget an order, if another person than the one who gave it lifts it. by: who does."""
        with self._guard:
            if not by.strip() or _person(by) == _person(order.by) or order not in self._seen:
                return False
            self._seen = tuple([seen for seen in self._seen if seen != order])
            return True

    def _latch(self, order: StopOrder) -> None:
        with self._guard:
            if order not in self._seen:
                self._seen = (*self._seen, order)


def _is_sound(order: object) -> bool:
    """Tell whether this is an order; anything else that came back cannot be read."""
    return type(order) is StopOrder and not any(type(part) is not str for part in order)


def _person(name: str) -> str:
    return " ".join(name.split()).casefold()
