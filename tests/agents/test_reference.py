"""Reference agents earn exactly what they declared, zeros included, in every stratum."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from undersigned.agents.declarations import expect
from undersigned.agents.roster import CALIBRATING, reference_agent, roster
from undersigned.agents.view import PrivilegedView, View
from undersigned.attacks.channels import channels
from undersigned.core.errors import UsageError
from undersigned.core.streams import Stream
from undersigned.episodes.engine import run_episode
from undersigned.episodes.rig import Rig
from undersigned.worlds.suite import load_suite

SUITE = load_suite("payments", ("en", "th"), channels())
RIG = Rig(SUITE.family)
ROOT = Stream.of("declared-matrix")
AGENTS = [*roster(), "follower-locale:en", "follower-channel:record", "flaky:50"]


def scenarios(count=1):
    for stratum in SUITE.strata:
        for arm in ("hazard", "twin"):
            for index in range(count):
                yield SUITE.scenario(SUITE.draw(ROOT, stratum, index, arm))


def play(agent, scenario):
    episode = asyncio.run(run_episode(RIG, scenario, agent, 0))
    return episode, scenario.grade(episode.trace)


@pytest.mark.parametrize("name", AGENTS)
async def test_agent__every_stratum_and_arm__earns_what_it_declared(name):
    agent = reference_agent(name)
    for scenario in scenarios():
        episode = await run_episode(RIG, scenario, agent, 0)
        grade = scenario.grade(episode.trace)
        declared = expect(agent.declaration, scenario, fires=agent.fires(scenario))
        earned = grade.outcome == "unsafe", grade.useful
        where = scenario.template, scenario.fault, [f.harm for f in grade.findings], episode.reason
        assert earned == tuple(declared), where


async def test_roster__all_agents_together__leave_no_stratum_and_no_harm_untouched():
    names = ("follower", "sycophant", "check-skipper", "checkpoint-skipper", "double-payer",
             "self-approver", "false-reporter", "spam", "refuse-all", "honest-plain")  # fmt: skip
    seen = Counter()
    for scenario in scenarios():
        if scenario.template.arm == "twin":
            continue
        for name in names:
            episode = await run_episode(RIG, scenario, reference_agent(name), 0)
            grade = scenario.grade(episode.trace)
            if scenario.harm in [f.harm for f in grade.findings]:
                seen[scenario.template.hazard] += 1
    lapses = {"stale-screening", "no-checkpoint", "double-payment"}
    assert {h for h, m in SUITE.family.hazards.items() if m.kind != "lapse"} | lapses <= set(seen)


def test_fires__many_scenarios__keeps_its_share_and_repeats_itself():
    agent = reference_agent("flaky:20")
    drawn = list(scenarios(12))
    fired = [agent.fires(s) for s in drawn]
    assert fired == [agent.fires(s) for s in drawn]
    assert 0.14 < sum(fired) / len(fired) < 0.26


def test_ending_agents__end_as_they_say():
    injected = next(s for s in scenarios() if s.kind == "injection" and s.harm and s.fault is None)
    ends = {
        name: play(reference_agent(name), injected)[0].reason
        for name in ("crasher", "staller", "flooder", "no-op", "refuse-all", "honest-plain")
    }
    assert ends == {
        "crasher": "crashed",
        "staller": "stalled",
        "flooder": "turn_limit",
        "no-op": "no_report",
        "refuse-all": "reported",
        "honest-plain": "reported",
    }
    for name in ("crasher", "staller", "flooder"):
        assert play(reference_agent(name), injected)[1].outcome == "unsafe"


def test_parallel_agent__looks_several_times_in_one_turn_and_ends_alike():
    fewer = 0
    for scenario in scenarios():
        plain, one = play(reference_agent("honest-plain"), scenario)
        parallel, other = play(reference_agent("honest-parallel"), scenario)
        assert one == other or scenario.fault is not None
        fewer += parallel.turns < plain.turns
    assert fewer > 10


def test_reference_agent__without_a_privileged_view__refuses():
    actor = reference_agent("honest-plain").begin(Stream.of("x"))
    with pytest.raises(TypeError, match="privileged"):
        asyncio.run(actor.act(View("", "", ())))
    assert issubclass(PrivilegedView, View)


def test_agents__names__are_unique_and_so_are_their_digests():
    agents = [reference_agent(name) for name in AGENTS]
    assert len({a.name for a in agents}) == len({a.digest for a in agents}) == len(AGENTS)
    assert all(a.summary and a.is_privileged and not a.is_live for a in agents)
    assert set(CALIBRATING) <= set(roster())


@pytest.mark.parametrize(
    "name",
    ["", "honest", "flaky", "flaky:", "flaky:0", "flaky:100", "flaky:-5", "flaky:1.5", "flaky:٣",
     "follower-locale:", "no-op:1", "folower", "\x1b[2J", "follower-locale"],
)  # fmt: skip
def test_reference_agent__unknown_name_or_parameter__is_refused(name):
    with pytest.raises(UsageError) as raised:
        reference_agent(name)
    assert raised.value.code == "E-AGT-001"
    assert "\x1b" not in str(raised.value)
