"""Does a new policy let more pass than the old one, on actions that were recorded?

Wider, from least to most: denied, asked, lowered, allowed. Between two decisions of one kind the
one that lowers less is the wider.

Invariant: a comparison speaks of the actions that were given, and of no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from undersigned.controls.decide import decide
from undersigned.controls.policy import Policy
from undersigned.controls.records import Decision, Facts
from undersigned.events.stream import Action

_WIDTH = {"deny": 0, "ask": 1, "narrow": 2, "allow": 3}


class Recorded(NamedTuple):
    """An action as it was put to a policy. args: its strict parse."""

    action: Action
    args: Mapping[str, object]
    facts: Facts


class Change(msgspec.Struct, frozen=True):
    """A decision that is no longer the same. number: of the action, from 1. wider: more passes."""

    number: int
    tool: str
    before: Decision
    after: Decision
    wider: bool


def changes(old: Policy, new: Policy, actions: Iterable[Recorded]) -> tuple[Change, ...]:
    """Return the actions that two policies decide differently, in their order."""
    found = []
    for number, (action, args, facts) in enumerate(actions, 1):
        before = decide(old, action, args, facts)
        after = decide(new, action, args, facts)
        if _said(before) != _said(after):
            wider = is_wider(before, after)
            found.append(Change(number, action.tool, before, after, wider))
    return tuple(found)


def is_wider(before: Decision, after: Decision) -> bool:
    """Tell whether a decision lets more pass than another."""
    old, new = _WIDTH[before.kind], _WIDTH[after.kind]
    if old != new:
        return new > old
    limits = {each.argument: each.limit for each in after.narrowed}
    return any(
        each.argument not in limits or limits[each.argument] > each.limit
        for each in before.narrowed
    )


def _said(decision: Decision) -> tuple[object, ...]:
    return decision.kind, decision.reasons, decision.narrowed
