"""Does an episode come out the same beside others, whoever acts in them?"""

from __future__ import annotations

import asyncio
from itertools import islice, pairwise

import pytest

from answerable.agents.roster import reference_agent, roster
from answerable.agents.view import Agent, Turn, View
from answerable.core.streams import Stream
from answerable.episodes.abreast import GROUP, Starting, run_group, run_groups
from answerable.episodes.engine import run_episode
from answerable.episodes.rig import Rig
from benchmarks.runs import main_draws, suite

RIG = Rig(suite().family)


class Waiting:
    """Acts like a reference agent, but waits before each turn. order: of all turns taken so."""

    is_live = False
    is_privileged = True
    is_prompt = False

    def __init__(self, like: Agent, order: list[int]) -> None:
        self.name, self.digest = like.name, like.digest
        self._like, self._order = like, order

    def begin(self, draw: Stream) -> Waiting:
        self._actor = self._like.begin(draw)
        return self

    async def act(self, view: View) -> Turn:
        await asyncio.sleep(0)
        self._order.append(view.turn)
        return await self._actor.act(view)


def starting(*players: Agent) -> list[Starting]:
    scenarios = [suite().scenario(draw) for draw in islice(main_draws(), len(players))]
    pairs = zip(scenarios, players, strict=True)
    return [Starting(at, each, player) for at, (each, player) in enumerate(pairs)]


def alone(group: list[Starting]) -> list[bytes]:
    ran = [asyncio.run(run_episode(RIG, each.scenario, each.player, each.number)) for each in group]
    return [episode.to_bytes() for episode in ran]


def test_run_group__of_unlike_agents__gives_the_bytes_of_each_alone() -> None:
    group = starting(*[agent for agent in roster().values() for _ in range(2)])
    beside = asyncio.run(run_group(RIG, group))
    assert [episode.to_bytes() for episode in beside] == alone(group)
    assert {episode.reason for episode in beside} >= {"reported", "crashed", "stalled", "no_report"}


def test_run_group__some_agents_wait__these_run_one_after_the_other_and_all_keep_their_places() -> (
    None
):
    order: list[int] = []
    prompt = reference_agent("follower")
    group = starting(*[prompt if at % 3 else Waiting(prompt, order) for at in range(12)])
    beside = asyncio.run(run_group(RIG, group))
    assert [episode.to_bytes() for episode in beside] == alone(starting(*[prompt] * 12))
    assert order.count(0) == 4
    assert all(later in (0, turn + 1) for turn, later in pairwise(order))


def test_run_group__a_scenario_is_unfit_for_its_agent__the_others_go_on() -> None:
    group = starting(*[reference_agent("follower")] * 3)
    unfit = group[1]._replace(player=_Unable())
    first, middle, last = asyncio.run(run_group(RIG, [group[0], unfit, group[2]]))
    assert (middle.reason, middle.turns) == ("crashed", 0)
    assert [first.to_bytes(), last.to_bytes()] == alone([group[0], group[2]])


class _Unable:
    """Cannot even start."""

    name = "unable"
    digest = reference_agent("follower").digest
    is_live = False
    is_privileged = False
    is_prompt = True

    def begin(self, draw: Stream) -> Waiting:
        raise LookupError("no weights")


def test_run_group__our_own_machinery_fails__the_error_is_raised() -> None:
    group = starting(*[reference_agent("follower")] * 2)
    broken = group[1]._replace(scenario=None)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        asyncio.run(run_group(RIG, [group[0], broken]))


def test_run_groups__more_than_a_group__gives_all_in_order() -> None:
    group = starting(*[reference_agent("honest-plain")] * (GROUP + 3))
    ran = asyncio.run(run_groups(RIG, group))
    assert [episode.lines[0].episode for episode in ran] == list(range(GROUP + 3))  # type: ignore[union-attr]
