"""How does a plan become shards, with one process, and after a kill?

Shards are written in order, each whole or not at all. After a kill the shards that are there are
replayed, which compares every byte, and the rest is run. Live agents are run several episodes at a
time; their attempts and turns are durable, so that no started episode is started again.

Invariants:
- The same plan and a reference agent give the same bytes, killed or not.
- A live attempt is recorded before its first turn; a turn before its calls run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from undersigned.agents.tape import TapeAgent, recorded_of
from undersigned.agents.view import Agent, Turn
from undersigned.core.canonical import encode
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.core.files import read_file, write_file
from undersigned.episodes.abreast import Starting, grouped, run_group
from undersigned.episodes.attempts import Attempt, Attempts, Line, open_attempts, turn_to_text
from undersigned.episodes.engine import run_episode
from undersigned.episodes.episode import Episode
from undersigned.episodes.memory import collector_at_rest
from undersigned.episodes.plan import SHARD_SIZE, Item, Plan, items
from undersigned.episodes.problems import BAD_SHARD, NOT_RESUMABLE, OTHER_PLAN, RUN_EXISTS
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls
from undersigned.episodes.shards import read_shard, shard_name, write_shard
from undersigned.events.stream import parse_episode
from undersigned.worlds.kit.stage import guarded
from undersigned.worlds.scenario import Scenario
from undersigned.worlds.suite import Draw, Suite

NOTHING_KNOWN: Mapping[int, Attempt] = MappingProxyType({})


class Ran(NamedTuple):
    """An episode that ran or was replayed."""

    item: Item
    scenario: Scenario
    episode: Episode


OnRan = Callable[[Ran], None]
"""Called once for each episode, in order of number within a shard."""
Prepare = Callable[[Rig, Scenario], Awaitable[None]]
"""Called before a live episode starts; hands a reference endpoint its scenario."""


class Bench(NamedTuple):
    """What runs a plan. concurrency: live episodes at a time. prepare: see ``Prepare``. controls:
    what stands between agent and world."""

    plan: Plan
    suite: Suite
    rig: Rig
    agent: Agent | TapeAgent
    concurrency: int = 8
    prepare: Prepare | None = None
    controls: Controls | None = None

    def scenario(self, item: Item) -> Scenario:
        """Make the scenario of an item."""
        draw = Draw(item.template, item.seed)
        return guarded(lambda: self.suite.scenario(draw), "a draw")

    def scenarios(self, group: Sequence[Item]) -> list[Scenario]:
        """Make the scenarios of some items."""
        draws = [Draw(item.template, item.seed) for item in group]
        return guarded(lambda: self.suite.scenarios(draws), "a draw")

    def player(self, item: Item) -> Agent:
        """Return who acts in an episode: the agent, or its tape of this episode."""
        agent = self.agent
        return agent.for_episode(item.number) if isinstance(agent, TapeAgent) else agent

    def is_live(self) -> bool:
        """Tell whether turns cost something and cannot be repeated."""
        return not isinstance(self.agent, TapeAgent) and self.agent.is_live


def open_run(folder: Path, plan: Plan, *, resume: bool) -> None:
    """Claim a folder for the run of a plan.

    Raises UsageError: E-EPI-005 when a run is there and ``resume`` is False, E-EPI-002 when it
    is of another plan, E-EPI-003 when there is nothing to resume.
    """
    path = folder / "plan.json"
    if path.exists():
        if read_file(path) != encode(plan):
            raise UsageError(OTHER_PLAN, "the folder holds another plan's run", path=folder)
        if not resume:
            raise UsageError(RUN_EXISTS, "an unfinished run is already there", path=folder)
    elif resume:
        raise UsageError(NOT_RESUMABLE, "there is no unfinished run", path=folder)
    else:
        write_file(path, encode(plan))


async def execute(bench: Bench, folder: Path, on_ran: OnRan, *, nonce: str = "") -> None:
    """Run what is missing of a plan and replay what is there.

    folder: where shards and attempts lie. on_ran: takes every episode, replayed ones too. nonce:
    the challenge, if the plan has one. Raises StorageError when something cannot be written or
    read; whatever was written before stays.
    """
    planned = list(items(bench.plan, bench.suite, nonce))
    attempts = open_attempts(folder / "attempts.jsonl") if bench.is_live() else None
    try:
        for number, start in enumerate(range(0, len(planned), SHARD_SIZE)):
            batch = planned[start : start + SHARD_SIZE]
            if (folder / f"{shard_name(number)}.jsonl.zst").exists():
                await replay_shard(bench, folder, number, batch, on_ran, attempts)
            elif attempts is None:
                write_shard(folder, number, await _run_steadily(bench, batch, on_ran))
            else:
                done = await _run_together(bench, batch, attempts)
                for ran in done:
                    on_ran(ran)
                write_shard(folder, number, [ran.episode.to_bytes() for ran in done])
    finally:
        if attempts is not None:
            attempts.close()


async def _run_steadily(bench: Bench, batch: Sequence[Item], on_ran: OnRan) -> list[bytes]:
    """Run episodes group by group and return their bytes; none is kept."""
    data: list[bytes] = []
    with collector_at_rest():
        for group in grouped(batch):
            data += await _data_of(bench, group, on_ran)
    return data


async def _data_of(bench: Bench, group: Sequence[Item], on_ran: OnRan) -> list[bytes]:
    """Run a group and return its episodes' bytes."""
    done = await _run_group(bench, group, [bench.player(item) for item in group])
    data = [ran.episode.to_bytes() for ran in done]
    for ran in done:
        on_ran(ran)
    return data


async def _run_group(bench: Bench, group: Sequence[Item], players: Sequence[Agent]) -> list[Ran]:
    """Make the scenarios of a few episodes, then run these side by side."""
    starting = [
        Starting(item.number, scenario, player)
        for item, scenario, player in zip(group, bench.scenarios(group), players, strict=True)
    ]
    episodes = await run_group(bench.rig, starting, bench.controls)
    return [
        Ran(item, each.scenario, episode)
        for item, each, episode in zip(group, starting, episodes, strict=True)
    ]


async def _run_together(bench: Bench, batch: Sequence[Item], attempts: Attempts) -> Sequence[Ran]:
    """Run live episodes, several at a time."""
    gate = asyncio.Semaphore(bench.concurrency)

    async def one(item: Item) -> Ran:
        async with gate:
            return await _run_live(bench, item, attempts)

    tasks = [asyncio.ensure_future(one(item)) for item in batch]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _run_live(bench: Bench, item: Item, attempts: Attempts) -> Ran:
    """Run, continue or replay a live episode."""
    scenario = bench.scenario(item)
    known = attempts.known.get(item.number)
    if known is not None and known.ended:
        tape = TapeAgent(bench.agent.name, bench.agent.digest, {item.number: known.recorded()})
        player = tape.for_episode(item.number)
        episode = await run_episode(
            bench.rig, scenario, player, item.number, controls=bench.controls
        )
        return Ran(item, scenario, episode)
    # WHY also when it goes on: how often an episode was taken up is part of what is told of it.
    await attempts.record(Line(item.number, started=True))
    if bench.prepare is not None:
        await bench.prepare(bench.rig, scenario)

    async def on_turn(_: int, turn: Turn) -> None:
        await attempts.record(Line(item.number, turn=turn_to_text(turn)))

    episode = await run_episode(
        bench.rig, scenario, bench.player(item), item.number,
        controls=bench.controls, on_turn=on_turn, recorded=known.turns if known is not None else (),
    )  # fmt: skip
    refusal = getattr(bench.agent, "refusal", None)
    if refusal is not None and episode.reason.startswith("invalid:"):
        raise refusal  # WHY not recorded as ended: once the refusal is remedied, it goes on here
    await attempts.record(Line(item.number, ended=episode.reason, note=episode.ended.note))
    return Ran(item, scenario, episode)


async def replay_shard(
    bench: Bench,
    folder: Path,
    number: int,
    batch: Sequence[Item],
    on_ran: OnRan,
    attempts: Attempts | None = None,
) -> None:
    """Replay a shard of the run folder and compare every byte. attempts: of live agents, for what
    their turns took. Raises as ``replay``."""
    name = shard_name(number)
    data = read_file(folder / f"{name}.jsonl.zst")
    leaves = read_file(folder / f"{name}.leaves")
    episodes = read_shard(data, leaves, f"{name}.jsonl.zst", batch[0].number)
    known = attempts.known if attempts is not None else {}
    await replay(bench, episodes, batch, f"{name}.jsonl.zst", on_ran, known)


async def replay(
    bench: Bench,
    episodes: Sequence[bytes],
    batch: Sequence[Item],
    name: str,
    on_ran: OnRan,
    known: Mapping[int, Attempt] = NOTHING_KNOWN,
) -> None:
    """Run episodes again from what is recorded, and compare every byte.

    A reference agent acts again; of any other the recorded turns are played. name: file, for
    errors. on_ran: takes each episode. known: attempts, played instead, for they also hold what
    each turn took. Raises EvidenceError (E-EPI-001) for the first episode that comes out otherwise.
    """
    if len(episodes) != len(batch):
        raise EvidenceError(
            BAD_SHARD, "a shard has another number of episodes than the plan", file=name,
            planned=len(batch), found=len(episodes),
        )  # fmt: skip
    with collector_at_rest():
        for group, recorded in zip(grouped(batch), grouped(episodes), strict=True):
            for ran in await _same(bench, group, recorded, name, known):
                on_ran(ran)


async def _same(
    bench: Bench,
    group: Sequence[Item],
    recorded: Sequence[bytes],
    name: str,
    known: Mapping[int, Attempt],
) -> list[Ran]:
    """Run a group again and return its episodes. Raises as ``replay``."""
    agent = bench.agent
    if not isinstance(agent, TapeAgent) and agent.is_privileged:
        players: Sequence[Agent] = [agent] * len(group)
    else:
        players = [
            _tape(agent, item.number, data, known)
            for item, data in zip(group, recorded, strict=True)
        ]
    done = await _run_group(bench, group, players)
    for ran, data in zip(done, recorded, strict=True):
        if ran.episode.to_bytes() != data:
            raise EvidenceError(
                BAD_SHARD, "an episode comes out otherwise when it is run again", file=name,
                episode=ran.item.number,
            )  # fmt: skip
    return done


def _tape(
    agent: Agent | TapeAgent, number: int, data: bytes, known: Mapping[int, Attempt]
) -> Agent:
    """Return who plays the recorded turns of an episode again."""
    attempt = known.get(number)
    if attempt is not None and attempt.ended:
        recorded = attempt.recorded()
    else:
        recorded = recorded_of(parse_episode(data))
    return TapeAgent(agent.name, agent.digest, {number: recorded}).for_episode(number)
