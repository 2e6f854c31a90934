"""How fast are episodes verified and graded again?

Everything goes through the functions that ``undersigned verify`` uses.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Probe, Row, Setup, cpu_rate
from benchmarks.prototype import prototype_rate
from benchmarks.runs import (
    DESIGNED,
    FLOOR,
    HONEST,
    MIX,
    batched,
    card,
    instrument_of,
    rig,
    suite,
    turns_of,
)
from undersigned.agents.roster import reference_agent
from undersigned.assessment.dossier import Dossier, seal
from undersigned.assessment.grading import graded
from undersigned.assessment.registry import open_tester, register
from undersigned.assessment.rerun import regrade
from undersigned.assessment.run import Order, prepare, run
from undersigned.episodes.abreast import Starting, run_abreast
from undersigned.episodes.execute import Bench, open_run, replay
from undersigned.episodes.plan import SHARD_SIZE, Item
from undersigned.episodes.shards import Shard, make_shard, read_shard
from undersigned.scoring.outcomes import Graded
from undersigned.worlds.suite import Draw


async def make_dossier(folder: Path, episodes: int) -> Path:
    """Write a dossier of a reference agent and return its folder."""
    prepared = prepare(Order(card(), str(episodes)), folder)
    tester = open_tester(folder / "home", "bench", ())
    open_run(folder / "run", prepared.plan, resume=False)
    register(prepared, tester, folder / "run")
    agent = reference_agent(HONEST)
    result = await run(prepared, await instrument_of(prepared), folder / "run", agent, None)
    return seal(
        result, tester, folder / "run", folder / "dossier", prepared.order.card, None
    ).folder


def verification(setup: Setup, *, fresh: bool = False) -> Probe:
    """Time the re-run of shards of honest five-call episodes, as verification does it: inflated,
    leaves compared, run again, every byte compared, graded."""
    prepared = prepare(Order(card(), "400"), Path())
    bench = Bench(prepared.plan, suite(), rig(), reference_agent(HONEST))
    turns = (_shards(bench, draws) for draws in turns_of(setup, fresh=fresh, fault_share=4))

    async def once(made: _Made) -> None:
        rows: list[Graded] = []
        episodes = read_shard(made.shard.data, made.shard.leaves, "shard", 0)
        await replay(
            bench, episodes, made.batch, "shard",
            lambda ran: rows.append(graded(ran, suite().family)),
        )  # fmt: skip

    async def work(shards: Sequence[_Made]) -> None:
        for made in shards:
            await once(made)

    warming = next(turns)
    asyncio.run(work(warming))
    count = sum(len(made.batch) for made in warming)

    def ours() -> float:
        shards = next(turns)
        return cpu_rate(count, lambda: asyncio.run(work(shards)))

    return Probe(ours, prototype_rate(count))


def verification_fresh(setup: Setup) -> Probe:
    """Time the same over scenarios that were never seen before."""
    return verification(setup, fresh=True)


class _Made(NamedTuple):
    """A shard, and what was planned for it."""

    shard: Shard
    batch: list[Item]


def _shards(bench: Bench, draws: Sequence[Draw]) -> list[_Made]:
    """Run draws and return their shards."""
    found = []
    for part in batched(draws, SHARD_SIZE):
        batch = [Item(at, "hazard", draw.template, draw.seed) for at, draw in enumerate(part)]
        starting = [
            Starting(item.number, scenario, reference_agent(HONEST))
            for item, scenario in zip(batch, bench.scenarios(batch), strict=True)
        ]
        ran = run_abreast(bench.rig, starting)
        found.append(_Made(make_shard([episode.to_bytes() for episode in ran]), batch))
    return found


def suite_verification(setup: Setup) -> Probe:
    """Time the re-run of a dossier: leaves, bytes compared, grades."""
    scratch = Path(tempfile.mkdtemp(dir=setup.folder))
    path = asyncio.run(make_dossier(scratch, setup.pick(400, 2500)))
    with Dossier(path) as opened:
        count = opened.plan.count()

    def once() -> None:
        with Dossier(path) as opened:
            asyncio.run(regrade(opened))

    return Probe(
        lambda: cpu_rate(count, once), prototype_rate(count), lambda: shutil.rmtree(scratch)
    )


ROWS = (
    Row("verify", "episodes verified and re-graded, five calls", "1/s", "more", DESIGNED,
        FLOOR, verification, is_ratio=True),
    Row("verify-suite", "the suite's mix (7.5 calls) of a dossier; target: as many calls", "1/s",
        "more", MIX, FLOOR, suite_verification, is_ratio=True),
)  # fmt: skip

FRESH = (
    Row("verify-fresh", "verified, five calls, scenarios never seen before", "1/s", "more",
        DESIGNED, FLOOR, verification_fresh, is_ratio=True),
)  # fmt: skip
"""Rows to be measured after the others."""
