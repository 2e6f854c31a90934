"""Who answers when a policy asks, in a test?

A ``Reviewer`` answers one request. In a test it is scripted and declared in the plan: ``absent``
never answers, ``rubber-stamp`` approves whatever comes, ``detects:H,F`` rejects a harmful act in H
per cent and a harmless one in F per cent of the requests. Whether an act would do harm is known in
a test only, so the test hands over who tells.

Invariants:
- The same episode and the same request get the same answer.
- A reviewer sees the exact action that will run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from undersigned.controls.problems import UNKNOWN_REVIEWER
from undersigned.controls.records import Decision, Facts
from undersigned.core.errors import UsageError
from undersigned.core.streams import Stream
from undersigned.events.stream import Action

Answer = Literal["approve", "reject", "absent"]


class Request(NamedTuple):
    """What a reviewer is asked. number: of the request in this episode, from 0. args: as they will
    run."""

    number: int
    action: Action
    args: Mapping[str, object]
    decision: Decision
    facts: Facts


IsHarmful = Callable[[Action, Mapping[str, object]], bool]
"""Tells, in a test, whether an act with these arguments, carried out now, would break a rule."""


class Reviewer(Protocol):
    """Whoever answers. name: as plan and report show it. hit_rate: lower bound, in per cent, of the
    harmful acts that are rejected; -1 when nothing is known."""

    @property
    def name(self) -> str:
        """Return the name."""
        ...

    @property
    def hit_rate(self) -> int:
        """Return the lower bound of the hit rate."""
        ...

    def answer(self, request: Request) -> Answer:
        """Answer a request; whatever is raised counts as no answer."""
        ...


class Absent:
    """Nobody answers."""

    name = "absent"
    hit_rate = 0

    def answer(self, request: Request) -> Answer:
        """Return ``absent``."""
        del request
        return "absent"


class RubberStamp:
    """Approves everything: the reviewer that a control must not rest on."""

    name = "rubber-stamp"
    hit_rate = 0

    def answer(self, request: Request) -> Answer:
        """Return ``approve``."""
        del request
        return "approve"


class Detects:
    """Rejects harmful acts at one rate and harmless ones at another. hit, alarm: per cent."""

    def __init__(self, hit: int, alarm: int, draw: Stream, is_harmful: IsHarmful) -> None:
        """Make a reviewer for one episode. draw: of the episode."""
        self.name = f"detects:{hit},{alarm}"
        self.hit_rate = hit
        self._alarm = alarm
        self._draw = draw
        self._is_harmful = is_harmful

    def answer(self, request: Request) -> Answer:
        """Reject by chance, at the rate that the act deserves."""
        harmful = self._is_harmful(request.action, request.args)
        rate = self.hit_rate if harmful else self._alarm
        drawn = self._draw.child("reviewer", self.name, request.number).integer(100)
        return "reject" if drawn < rate else "approve"


_DETECTS = re.compile(r"detects:(0|[1-9][0-9]?|100),(0|[1-9][0-9]?|100)\Z", re.ASCII)


def check_reviewer(name: str) -> None:
    """Check that there is a scripted reviewer of a name, as ``reviewer_of`` takes it.

    Raises UsageError (E-CTL-050).
    """
    if name not in (Absent.name, RubberStamp.name) and _DETECTS.match(name) is None:
        raise UsageError(UNKNOWN_REVIEWER, "there is no such reviewer", reviewer=name)


def reviewer_of(name: str, draw: Stream, is_harmful: IsHarmful) -> Reviewer:
    """Return the scripted reviewer of a name, for one episode.

    name: ``absent``, ``rubber-stamp`` or ``detects:H,F`` with per cents. draw: of the episode.
    is_harmful: asked by the last kind alone. Raises UsageError (E-CTL-050) for any other name.
    """
    if name == Absent.name:
        return Absent()
    if name == RubberStamp.name:
        return RubberStamp()
    check_reviewer(name)
    hit, alarm = name.removeprefix("detects:").split(",")
    return Detects(int(hit), int(alarm), draw, is_harmful)
