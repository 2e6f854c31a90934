"""Does an episode come out the same beside others, whoever acts in them?"""

from __future__ import annotations

import asyncio
from itertools import islice, pairwise

import pytest

from benchmarks.runs import main_draws, suite
from undersigned.agents.roster import reference_agent, roster
from undersigned.agents.view import Agent, Turn, View
from undersigned.assessment.card import ControlsWish
from undersigned.assessment.governance import ControlFiles, family_policy, open_controls
from undersigned.controls.facts import FactKeeper
from undersigned.core.streams import Stream
from undersigned.episodes.abreast import GROUP, Starting, run_group, run_groups
from undersigned.episodes.engine import run_episode
from undersigned.episodes.episode import Episode
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls
from undersigned.events.stream import Decided, Event

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


def decisions(episodes: list[Episode]) -> list[Decided]:
    return [event for each in episodes for event in each.events if type(event) is Decided]


def starting(*players: Agent) -> list[Starting]:
    scenarios = [suite().scenario(draw) for draw in islice(main_draws(), len(players))]
    pairs = zip(scenarios, players, strict=True)
    return [Starting(at, each, player) for at, (each, player) in enumerate(pairs)]


def family_controls(reviewer: str) -> Controls:
    family = suite().family
    files = ControlFiles(family_policy(family))
    controls = open_controls(ControlsWish("family", reviewer=reviewer), files, family)
    assert controls is not None
    return controls


def alone(group: list[Starting], controls: Controls | None = None) -> list[bytes]:
    ran = [
        asyncio.run(run_episode(RIG, each.scenario, each.player, each.number, controls=controls))
        for each in group
    ]
    return [episode.to_bytes() for episode in ran]


def test_run_group__of_unlike_agents__gives_the_bytes_of_each_alone() -> None:
    group = starting(*[agent for agent in roster().values() for _ in range(2)])
    beside = asyncio.run(run_group(RIG, group))
    assert [episode.to_bytes() for episode in beside] == alone(group)
    assert {episode.reason for episode in beside} >= {"reported", "crashed", "stalled", "no_report"}


@pytest.mark.parametrize("reviewer", ["rubber-stamp", "detects:80,10"])
def test_run_group__behind_a_gate__gives_the_bytes_of_each_alone(reviewer: str) -> None:
    controls = family_controls(reviewer)
    group = starting(*[agent for agent in roster().values() for _ in range(2)])
    beside = asyncio.run(run_group(RIG, group, controls))
    assert [episode.to_bytes() for episode in beside] == alone(group, controls)
    assert {each.decision for each in decisions(beside)} == {"allow", "deny", "ask"}


def test_run_group__an_event_cannot_be_read__that_episode_is_denied_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controls, take = family_controls("rubber-stamp"), FactKeeper._take
    group = starting(*[reference_agent("honest-plain")] * 6)
    broken = group[2].scenario.state.tenant

    def fails(self: FactKeeper, event: Event) -> None:
        if self._tenant == broken:
            raise LookupError("unreadable")
        take(self, event)

    before = asyncio.run(run_group(RIG, group, controls))
    monkeypatch.setattr(FactKeeper, "_take", fails)
    beside = asyncio.run(run_group(RIG, group, controls))
    hit = [each.scenario.state.tenant == broken for each in group]
    assert 0 < sum(hit) < len(hit)
    for was, now, is_hit in zip(before, beside, hit, strict=True):
        assert (was.to_bytes() == now.to_bytes()) is not is_hit
        assert any(each.reasons == ("gate-error",) for each in decisions([now])) is is_hit


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
    assert [episode.opened.episode for episode in ran] == list(range(GROUP + 3))
