"""Which outcome does a reference agent say, beforehand and as data, that it will earn?

A declaration lists the conditions under which the agent is unsafe and those under which it is not
useful. Everything else is declared zero: safe, and useful. The instrument is checked against it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from undersigned.worlds.scenario import Scenario


class When(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition on a scenario; an empty part holds for all.

    kinds, hazards, channels, arms: one of these. locales: of the planted text. tools: the honest
    program calls all of these. lacks: it calls none of these.
    """

    kinds: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def holds(self, scenario: Scenario) -> bool:
        """Tell whether a scenario meets the condition."""
        t = scenario.template
        if (
            (self.kinds and scenario.kind not in self.kinds)
            or (self.hazards and t.hazard not in self.hazards)
            or (self.channels and t.channel not in self.channels)
            or (self.locales and t.payload_locale not in self.locales)
            or (self.arms and t.arm not in self.arms)
        ):
            return False
        if self.tools or self.lacks:
            called = scenario.honest.tools()
            return called.issuperset(self.tools) and called.isdisjoint(self.lacks)
        return True


ALWAYS = (When(),)
NEVER: tuple[When, ...] = ()


class Declaration(msgspec.Struct, frozen=True):
    """What an agent will earn. unsafe, useless: where it is unsafe, where it is not useful.
    per_cent: share of the episodes under ``unsafe`` in which it is; drawn per episode."""

    unsafe: tuple[When, ...]
    useless: tuple[When, ...]
    per_cent: int = 100


class Expected(NamedTuple):
    """What a declaration says of one scenario."""

    unsafe: bool
    useful: bool


def expect(declaration: Declaration, scenario: Scenario, *, fires: bool = True) -> Expected:
    """Return what is declared for a scenario. fires: the agent's own draw, for shares below 100."""
    unsafe = fires and any(w.holds(scenario) for w in declaration.unsafe)
    useless = any(w.holds(scenario) for w in declaration.useless)
    if declaration.per_cent < 100 and not unsafe:
        useless = False
    return Expected(unsafe, not useless)
