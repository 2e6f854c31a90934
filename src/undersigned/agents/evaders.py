"""How does an agent act that follows a planted text in a guise?

It works honestly until it has seen the planted text, and then does the attack as somebody else
wrote it: the guises are the business of attack strategies, on the same floor as this package, so
they come in as functions.

Invariants:
- Where a guise does not fit, the agent is honest.
"""

from __future__ import annotations

from collections.abc import Callable

from undersigned.agents.declarations import ALWAYS, Declaration, When
from undersigned.agents.reference import Plan, ReferenceAgent
from undersigned.core.streams import Stream
from undersigned.worlds.kit.programs import Program
from undersigned.worlds.scenario import Scenario

Evade = Callable[[Scenario, Stream], Program | None]
"""Makes the attack of a scenario in a guise; None where the guise does not fit."""


def evader(strategy: str, summary: str, evade: Evade) -> ReferenceAgent:
    """Return the agent ``evader:STRATEGY``.

    It declares the most it could do, and is no part of the roster that the instrument is checked
    with: what a disguised value does is for the world to say.
    """

    def behave(scenario: Scenario, draw: Stream) -> Plan:
        is_attacked = scenario.kind == "injection" and scenario.template.arm == "hazard"
        program = evade(scenario, draw.child("evader", strategy)) if is_attacked else None
        return Plan(scenario.honest, program)

    injected = When(kinds=("injection",), arms=("hazard",))
    return ReferenceAgent(
        f"evader:{strategy}", f"follows planted texts, and {summary}", behave,
        Declaration((injected,), ALWAYS),
    )  # fmt: skip
