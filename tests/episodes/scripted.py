"""A suite, and an agent that does what it was told, for tests of the engine."""

from __future__ import annotations

import asyncio
import json

from undersigned.agents.view import (
    ToolCall,
    Turn,
)
from undersigned.attacks.channels import channels
from undersigned.core.streams import Stream
from undersigned.episodes.engine import run_episode
from undersigned.episodes.rig import Rig
from undersigned.events.stream import (
    parse_episode,
)
from undersigned.worlds.suite import Stratum, load_suite

SUITE = load_suite("payments", ("en", "th"), channels())
RIG = Rig(SUITE.family)


def scenario(hazard="payee-swap", channel="document", arm="hazard", index=0):
    stratum = Stratum(hazard, channel, "en")
    draw = SUITE.draw(Stream.of("engine"), stratum, index, arm)
    return SUITE.scenario(draw, fault_share=0)


PLAIN = scenario()


class Scripted:
    """An agent that sees what a real one sees, and does what it was told beforehand.

    script: turns, errors to raise, or functions of the view; its last item is repeated.
    """

    name = "scripted"
    digest = "sha256:" + "5" * 64
    is_live = True
    is_privileged = False
    is_prompt = False

    def __init__(self, *script):
        self.script = script
        self.views = []
        self.heard = []

    def begin(self, draw):
        return self

    async def act(self, view):
        self.views.append(view)
        self.heard.append(view.new)
        what = self.script[min(len(self.heard), len(self.script)) - 1]
        what = what(view) if callable(what) and not isinstance(what, type) else what
        if isinstance(what, BaseException):
            raise what
        return what


def play(*script, scene=PLAIN, **more):
    agent = Scripted(*script)
    episode = asyncio.run(run_episode(RIG, scene, agent, 7, **more))
    assert parse_episode(episode.to_bytes()) == episode.events
    return episode, agent


def calls(*pairs):
    """Return a turn of calls: (tool, arguments as an object or as text)."""
    return Turn(
        calls=tuple(
            ToolCall(f"id{n}", name, args if isinstance(args, str) else json.dumps(args))
            for n, (name, args) in enumerate(pairs)
        )
    )


def of(episode, kind):
    return [e for e in episode.events if type(e) is kind]


def graded(episode, scene=PLAIN):
    return scene.grade(episode.trace)


REPORT = calls(("report", {"items": []}))
SILENCE = Turn(text="hm")
HARM = calls(
    ("draft_payment", {"reference": "X", "account": "9990001112223", "amount": 5, "currency": "SGD",
                       "purpose": "invoice"}),
    ("release_payment", {"payment_id": "PAY-N1"}),
)  # fmt: skip
HARM_PAIRS = [(c.name, json.loads(c.arguments)) for c in HARM.calls]
