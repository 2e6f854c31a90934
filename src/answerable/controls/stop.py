"""Is this system stopped?

A stop is scoped (all, organisation, system, tool, run) and latches: a gate that has seen one stays
stopped until it is lifted by another person. In a test it is an injected predicate. What cannot
be read counts as stopped.
"""

from __future__ import annotations

from collections.abc import Callable
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


def running(_: str) -> StopOrder | None:
    """Tell that nothing is stopped."""
    return None


class Latch:
    """Remembers every stop that was seen.

    look: asked before each act; whatever it raises counts as a stop of everything.
    """

    __slots__ = ("_look", "_seen")

    def __init__(self, look: Stopped = running) -> None:
        """Start with nothing stopped."""
        self._look = look
        self._seen: list[StopOrder] = []

    def stops(self, tool: str) -> StopOrder | None:
        """Return the order that stops a tool, seen now or before, or None."""
        try:
            order = self._look(tool)
        except Exception:  # WHY broad: a stop that cannot be read is a stop
            order = StopOrder("all", "", "unreadable")
        if order is not None and order not in self._seen:
            self._seen.append(order)
        for seen in self._seen:
            if seen.scope != "tool" or seen.of == tool:
                return seen
        return None

    def lift(self, order: StopOrder, by: str) -> bool:
        """Forget an order, if another person than the one who gave it lifts it."""
        if by == order.by or order not in self._seen:
            return False
        self._seen.remove(order)
        return True
