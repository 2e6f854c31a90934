"""Does an episode come out the same beside others, and does whatever it waits for come about?"""

from __future__ import annotations

import asyncio
from itertools import islice

import pytest

from answerable.agents.roster import reference_agent
from answerable.episodes.abreast import Starting, abreast, pause, run_group
from answerable.episodes.engine import run_episode
from answerable.episodes.rig import Rig
from benchmarks.runs import main_draws, suite


def test_run_group__of_unlike_episodes__gives_the_bytes_of_each_alone() -> None:
    rig, agent = Rig(suite().family), reference_agent("follower")
    scenarios = [suite().scenario(draw) for draw in islice(main_draws(), 40)]
    group = [Starting(number, scenario, agent) for number, scenario in enumerate(scenarios)]
    beside = asyncio.run(run_group(rig, group))
    alone = [asyncio.run(run_episode(rig, s, agent, number)) for number, s in enumerate(scenarios)]
    assert [e.to_bytes() for e in beside] == [e.to_bytes() for e in alone]


async def _turns(name: str, count: int, seen: list[str]) -> str:
    for number in range(count):
        await pause()
        seen.append(f"{name}{number}")
    return name


def test_abreast__coroutines_that_pause__take_turns_and_keep_their_places() -> None:
    seen: list[str] = []

    async def both() -> list[str]:
        return await abreast([_turns("a", 2, seen), _turns("b", 1, seen)])

    assert asyncio.run(both()) == ["a", "b"]
    assert seen == ["a0", "b0", "a1"]


def test_abreast__one_waits_outside__it_is_waited_for_and_may_run_out_of_time() -> None:
    async def waits(limit_s: float) -> str:
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.sleep(0.01)
        except TimeoutError:
            return "late"
        return "in time"

    async def both() -> list[str]:
        return await abreast([waits(0.001), waits(10.0)])

    assert asyncio.run(both()) == ["late", "in time"]


def test_abreast__one_raises__it_is_raised_and_the_others_are_closed() -> None:
    closed: list[str] = []

    async def lasting() -> None:
        try:
            while True:
                await pause()
        finally:
            closed.append("lasting")

    async def failing() -> None:
        await pause()
        raise LookupError("broken")

    async def both() -> list[None]:
        return await abreast([lasting(), failing()])

    with pytest.raises(LookupError, match="broken"):
        asyncio.run(both())
    assert closed == ["lasting"]
