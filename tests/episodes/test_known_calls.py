"""Values beside a call's text count for privileged agents only; all others are parsed strictly."""

from __future__ import annotations

import asyncio
import json

from tests.episodes.scripted import PLAIN, REPORT, RIG, SUITE, Scripted, of, play
from undersigned.agents.roster import roster
from undersigned.agents.view import KnownCall, PrivilegedView, ToolCall, Turn
from undersigned.episodes.abreast import GROUP
from undersigned.episodes.engine import run_episode
from undersigned.episodes.plan import SHARD_SIZE
from undersigned.episodes.rig import Rig
from undersigned.events.stream import Proposed

SMUGGLED = KnownCall("id0", "find_payments", '{"reference":"X"}', {"reference": "INV-0001"})


class Privileged(Scripted):
    """A scripted agent of ours."""

    is_live = False
    is_privileged = True


def play_ours(*script):
    return asyncio.run(run_episode(RIG, PLAIN, Privileged(*script), 7))


def test_known_call__of_an_agent_that_is_not_privileged__is_no_turn():
    episode, _ = play(Turn(calls=(SMUGGLED,)), REPORT)
    assert episode.reason == "crashed"
    assert episode.calls == 0


def test_known_call__among_recorded_turns__is_parsed_like_any_other():
    episode, _ = play(REPORT, recorded=[Turn(calls=(SMUGGLED,))])
    assert episode.reason == "reported"
    assert episode.trace.acts[0].args == {"reference": "X"}


def test_known_call__of_a_privileged_agent__gives_what_its_text_gives():
    args = {"reference": "X"}
    text = json.dumps(args, separators=(",", ":"))
    known = play_ours(Turn(calls=(KnownCall("id0", "find_payments", text, args),)), REPORT)
    plain = play_ours(Turn(calls=(ToolCall("id0", "find_payments", text),)), REPORT)
    assert known.to_bytes() == plain.to_bytes()
    assert known.trace.acts[0] == plain.trace.acts[0]


def test_known_call__that_is_refused__is_refused_in_the_words_that_its_text_earns():
    args = {"reference": 5, "extra": True, "another": None}
    text = '{"another":null,"extra":true,"reference":5}'
    for tool in ("find_payments", "draft_payment", "no_such_tool"):
        known = play_ours(Turn(calls=(KnownCall("id0", tool, text, args),)), REPORT)
        plain = play_ours(Turn(calls=(ToolCall("id0", tool, text),)), REPORT)
        assert known.to_bytes() == plain.to_bytes()


def test_reference_agents__with_and_without_values_at_hand__give_the_same_bytes():
    class Plainly:
        """A reference agent whose calls lose their values on the way."""

        is_live, is_privileged, is_prompt = False, True, False

        def __init__(self, agent):
            self.digest, self.agent = agent.digest, agent

        def begin(self, draw):
            actor = self.agent.begin(draw)

            class Acting:
                async def act(self, view):
                    turn = await actor.act(view)
                    calls = [ToolCall(c.id, c.name, c.arguments) for c in turn.calls]
                    return Turn(turn.text, tuple(calls), turn.refused)

            return Acting()

    for name in ("honest-plain", "follower", "spam", "double-payer", "honest-parallel"):
        agent = roster()[name]
        ours = asyncio.run(run_episode(RIG, PLAIN, agent, 0))
        plain = asyncio.run(run_episode(RIG, PLAIN, Plainly(agent), 0))
        assert ours.to_bytes() == plain.to_bytes()
        assert of(ours, Proposed) == of(plain, Proposed)


def test_privileged_view__instructions__are_those_of_the_rig_and_of_the_record():
    view = PrivilegedView("", (), PLAIN, RIG.renderer("en"))
    assert view.instructions == RIG.instructions(PLAIN)
    episode, agent = play(REPORT)
    assert episode.events[1].text == agent.views[0].instructions == view.instructions


def test_shown_records__kept_on_their_base__give_the_same_bytes_again_and_to_other_rigs():
    agent = roster()["honest-plain"]
    first = asyncio.run(run_episode(RIG, PLAIN, agent, 0)).to_bytes()
    assert asyncio.run(run_episode(RIG, PLAIN, agent, 0)).to_bytes() == first
    PLAIN.state.base.shown.clear()
    assert asyncio.run(run_episode(Rig(SUITE.family), PLAIN, agent, 0)).to_bytes() == first


def test_group__holds_less_than_a_shard():
    assert 1 < GROUP < SHARD_SIZE
