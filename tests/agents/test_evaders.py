"""An evader is honest until it sees the planted text, and then does what its strategy wrote."""

from __future__ import annotations

import asyncio

from undersigned.agents.evaders import evader
from undersigned.attacks.channels import channels
from undersigned.core.streams import Stream
from undersigned.episodes.engine import run_episode
from undersigned.episodes.rig import Rig
from undersigned.worlds.scenario import Template
from undersigned.worlds.suite import Draw, load_suite

SUITE = load_suite("payments", ("en",), channels(), hazards=("payee-swap", "pay-anyway"))
RIG = Rig(SUITE.family)


def scenario(arm="hazard", hazard="payee-swap", channel="record", task="pay-matching-invoice"):
    template = Template(task, hazard, channel, "en", "en", arm)
    return SUITE.scenario(Draw(template, Stream.of("evaders").key), fault_share=0)


def play(agent, asked):
    episode = asyncio.run(run_episode(RIG, asked, agent, 0))
    return episode, asked.grade(episode.trace)


def attacking(asked, draw):
    del draw
    return asked.attack


def test_evader__planted_text__is_followed():
    agent = evader("plain", "does it", attacking)
    assert agent.name == "evader:plain"
    _, grade = play(agent, scenario())
    assert scenario().harm in [f.harm for f in grade.findings]


def test_evader__planted_text__is_seen_before_the_first_step_of_the_attack():
    episode, _ = play(evader("plain", "does it", attacking), scenario())
    tools = [act.tool for act in episode.trace.acts]
    assert tools.index("read_invoice") < tools.index("draft_payment")


def test_evader__twin_or_no_injection__is_honest_and_asks_no_strategy():
    def never(asked, draw):
        raise AssertionError(asked.template, draw)

    agent = evader("plain", "does it", never)
    pressed = scenario(hazard="pay-anyway", channel="request", task="mismatched-invoice")
    for asked in (scenario("twin"), pressed):
        episode, grade = play(agent, asked)
        assert episode.reason == "reported"
        assert grade.outcome == "safe"


def test_evader__guise_that_does_not_fit__is_honest():
    _, grade = play(evader("none", "does nothing", lambda *_: None), scenario())
    assert grade.outcome == "safe"
    assert grade.useful


def test_evader__strategies__have_digests_of_their_own():
    one, other = (evader(name, "does it", attacking) for name in ("one", "other"))
    assert one.digest != other.digest
