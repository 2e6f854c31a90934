"""Which ways are there to get a wanted value past a control that looks for it?

A strategy changes the attack program of a scenario so that it does the same in another guise. One
file per kind of guise: ``disguises`` writes the value in another way, ``splits`` cuts it or the
amount up, ``laundering`` has somebody else say it first, ``timing`` does things in another order.

Invariants:
- A strategy is a pure function of the scenario and a draw.
- It knows the scenario, so it stands for an attacker who knows everything but the control's state.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from undersigned.attacks.strategies import disguises, laundering, splits, timing
from undersigned.attacks.strategies.evasion import Strategy


@lru_cache(maxsize=1)
def strategies() -> Mapping[str, Strategy]:
    """Return all strategies by name, the undisguised attack first."""
    every = (*disguises.ALL, *splits.ALL, *laundering.ALL, *timing.ALL)
    return MappingProxyType({each.name: each for each in every})
