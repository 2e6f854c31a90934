"""How fast are episodes simulated, generated, verified, and how much memory does a run take?

Everything goes through the functions that ``answerable test`` and ``answerable verify`` use.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from answerable.agents.roster import reference_agent
from answerable.assessment.card import AgentSource, Card, ControlsWish, Owner
from answerable.assessment.dossier import Dossier, seal
from answerable.assessment.governance import ControlFiles, family_policy, open_controls
from answerable.assessment.grading import graded
from answerable.assessment.instrument import Instrument, check_instrument
from answerable.assessment.registry import open_tester, register
from answerable.assessment.run import Order, Prepared, prepare, run
from answerable.assessment.verification import regrade
from answerable.attacks.channels import channels
from answerable.controls.slices import Judgement
from answerable.core.streams import Stream
from answerable.episodes.abreast import Starting, grouped, run_abreast, run_group
from answerable.episodes.execute import Bench, Ran, execute, open_run, replay
from answerable.episodes.governed import Controls
from answerable.episodes.memory import collector_at_rest
from answerable.episodes.plan import SHARD_SIZE, Item
from answerable.episodes.rig import Rig
from answerable.episodes.shards import Shard, make_shard, read_shard
from answerable.languages.locales import LOCALES
from answerable.scoring.outcomes import Graded
from answerable.worlds.admission import grade_scenario
from answerable.worlds.suite import Draw, Suite, load_suite
from benchmarks.bare import bare_episodes, bare_read, bare_scenarios
from benchmarks.measure import PATHS, Probe, Row, Setup, cpu_rate

HONEST = "honest-plain"
CALLS = 5
"""Calls of the honest episode that is timed, with the closing report."""
MIX_CALLS = 7.5
"""Calls of an honest episode of the suite's mix, on average."""
MIX_TARGET = round(8000 * CALLS / MIX_CALLS)
"""Episodes of the suite's mix that make as many calls as 8,000 of five calls."""
MEBI = 1 << 20


@lru_cache(maxsize=1)
def suite() -> Suite:
    """Return the payments suite in all locales."""
    return load_suite("payments", tuple(LOCALES), channels())


@lru_cache(maxsize=1)
def rig() -> Rig:
    """Return what all rows run their episodes with: what it keeps of the base worlds is what it
    would keep in a long run."""
    return Rig(suite().family)


def card(agent: str = HONEST) -> Card:
    """Return a card of a reference agent."""
    return Card("benchmark", "1", Owner("Benchmark", "none"), AgentSource(reference=agent))


def main_draws() -> Iterator[Draw]:
    """Yield draws of the main sample, round by round over the strata, without end."""
    made, root, index = suite(), Stream.of("benchmark"), 0
    while True:
        for stratum in made.strata:
            yield made.draw(root, stratum, index)
        index += 1


@lru_cache(maxsize=2)
def five_call_draws(count: int, fault_share: int = 0) -> list[Draw]:
    """Return different draws in which the honest agent makes five calls and nothing fails, after
    all that were tried have run, been written and graded as in a long run. fault_share: as the
    suite takes it."""
    made, agent = suite(), reference_agent(HONEST)
    found: list[Draw] = []
    for group in batched(islice(main_draws(), 200 * count), SHARD_SIZE):
        scenarios = made.scenarios(group, fault_share=fault_share)
        starting = [Starting(0, scenario, agent) for scenario in scenarios]
        for draw, each, episode in zip(group, starting, run_abreast(rig(), starting), strict=True):
            episode.to_bytes()
            grade_scenario(each.scenario, episode.trace)
            if (episode.calls, episode.reason, each.scenario.fault) == (CALLS, "reported", None):
                found.append(draw)
        if len(found) >= count:
            return found[:count]
    raise RuntimeError(f"only {len(found)} honest episodes of {CALLS} calls were drawn")


def fresh_turns(setup: Setup, fault_share: int = 0) -> list[list[Draw]]:
    """Return draws for each turn and one turn to warm up, so that none is timed twice: what is kept
    of a scenario that was seen before helps no real run."""
    size = setup.pick(2, 4) * SHARD_SIZE
    draws = five_call_draws((setup.repeats + 1) * size, fault_share)
    return [draws[at : at + size] for at in range(0, len(draws), size)]


def batched(many: Iterable[Draw], size: int) -> Iterator[list[Draw]]:
    """Yield lists of so many; the last may be shorter."""
    rest = iter(many)
    while part := list(islice(rest, size)):
        yield part


STAGES = ("generate", "run", "write", "grade", "leaves and shard")


def five_calls(setup: Setup, controls: Controls | None = None) -> Probe:
    """Time generation, run, grade, bytes, leaf and shard of honest five-call episodes."""
    made, agent = suite(), reference_agent(HONEST)
    turns = iter(fresh_turns(setup))
    warming = next(turns)
    count = len(warming)
    spent = dict.fromkeys(STAGES, 0.0)

    def mark(stage: str, since: float) -> float:
        now = time.process_time()
        spent[stage] += now - since
        return now

    async def data_of(group: Sequence[Draw], first: int) -> list[bytes]:
        at = time.process_time()
        scenarios = made.scenarios(group, fault_share=0)
        at = mark("generate", at)
        starting = [
            Starting(number, scenario, agent) for number, scenario in enumerate(scenarios, first)
        ]
        ran = await run_group(rig(), starting, controls)
        at = mark("run", at)
        data = [episode.to_bytes() for episode in ran]
        at = mark("write", at)
        for scenario, episode in zip(scenarios, ran, strict=True):
            grade_scenario(scenario, episode.trace)
        mark("grade", at)
        return data

    async def work(draws: Sequence[Draw]) -> None:
        spent.update(dict.fromkeys(STAGES, 0.0))
        for shard in batched(draws, SHARD_SIZE):
            data: list[bytes] = []
            with collector_at_rest():
                for group in grouped(shard):  # as ``execute`` does
                    data += await data_of(group, len(data))
            at = time.process_time()
            make_shard(data)
            mark("leaves and shard", at)

    def note() -> str:
        told = ", ".join(f"{stage} {spent[stage] / count * 1e6:.0f}" for stage in STAGES)
        if controls is None:
            return f"last turn, us an episode: {told}"
        kept = sum(len(part.kept) for part in controls.policy.slices.values())
        put = f"{kept} different questions were" if kept else "every question was"
        return f"last turn, us an episode: {told}; {put} put to Cedar"

    asyncio.run(work(warming))
    return Probe(
        lambda: cpu_rate(count, partial(asyncio.run, work(next(turns)))),
        lambda: cpu_rate(count, lambda: bare_episodes(count)),
        note=note,
    )


def _controls() -> Controls:
    """Return the family's policy, with a rubber stamp that approves."""
    family = suite().family
    controls = open_controls(ControlsWish("family"), ControlFiles(family_policy(family)), family)
    if controls is None:
        raise RuntimeError("there are no controls")
    return controls


def governed_calls(setup: Setup) -> Probe:
    """Time the same behind the family's policy, Cedar deciding, verdicts kept by question."""
    return five_calls(setup, _controls())


class _Forgetful(dict[object, Judgement]):
    """Keeps nothing."""

    def __setitem__(self, _: object, __: Judgement) -> None:
        pass


def governed_anew(setup: Setup) -> Probe:
    """Time the same with every question of every call put to Cedar, whether it is new or not."""
    controls = _controls()
    slices = {
        name: msgspec.structs.replace(part, kept=_Forgetful())
        for name, part in controls.policy.slices.items()
    }
    policy = msgspec.structs.replace(controls.policy, slices=slices)
    return five_calls(setup, controls._replace(policy=policy))


def suite_mix(setup: Setup) -> Probe:
    """Time the run of a plan, as ``answerable test`` runs it, with graded rows."""
    prepared = prepare(Order(card(), str(setup.pick(400, 4000))), Path())
    count = prepared.plan.count()
    bench = Bench(prepared.plan, prepared.suite, prepared.rig, reference_agent(HONEST))

    def once() -> None:
        with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
            rows = []

            def on_ran(ran: Ran) -> None:
                rows.append(graded(ran, prepared.suite.family))

            asyncio.run(execute(bench, Path(folder), on_ran))

    return Probe(
        lambda: cpu_rate(count, once), lambda: cpu_rate(count, lambda: bare_episodes(count))
    )


def generation(setup: Setup) -> Probe:
    """Time making scenarios of the main sample's draws; bases are made once, before."""
    made = suite()
    draws = list(islice(main_draws(), setup.pick(2000, 20000)))

    def work() -> None:
        for group in grouped(draws):  # as ``execute`` does
            made.scenarios(group)

    work()
    count = len(draws)
    return Probe(
        lambda: cpu_rate(count, work), lambda: cpu_rate(count, lambda: bare_scenarios(count))
    )


async def _instrument(prepared: Prepared) -> Instrument:
    """Check with one agent only: what is timed here does not depend on the check."""
    return await check_instrument(prepared.suite, prepared.rig, agents=(reference_agent(HONEST),))


async def make_dossier(folder: Path, episodes: int) -> Path:
    """Write a dossier of a reference agent and return its folder."""
    prepared = prepare(Order(card(), str(episodes)), folder)
    tester = open_tester(folder / "home", "bench", ())
    open_run(folder / "run", prepared.plan, resume=False)
    register(prepared, tester, folder / "run")
    agent = reference_agent(HONEST)
    result = await run(prepared, await _instrument(prepared), folder / "run", agent, None)
    return seal(
        result, tester, folder / "run", folder / "dossier", prepared.order.card, None
    ).folder


def verification(setup: Setup) -> Probe:
    """Time the re-run of shards of honest five-call episodes, as verification does it: inflated,
    leaves compared, run again, every byte compared, graded."""
    prepared = prepare(Order(card(), "400"), Path())
    bench = Bench(prepared.plan, suite(), rig(), reference_agent(HONEST))
    turns = iter([_shards(bench, draws) for draws in fresh_turns(setup, fault_share=4)])

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
    return Probe(
        lambda: cpu_rate(count, partial(asyncio.run, work(next(turns)))),
        lambda: cpu_rate(count, lambda: bare_read([made.shard.data for made in warming])),
    )


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
    shards = [each.read_bytes() for each in sorted((path / "episodes").glob("*.zst"))]

    def once() -> None:
        with Dossier(path) as opened:
            asyncio.run(regrade(opened))

    return Probe(
        lambda: cpu_rate(count, once),
        lambda: cpu_rate(count, lambda: bare_read(shards)),
        lambda: shutil.rmtree(scratch),
    )


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def run_in_memory(episodes: int, folder: Path) -> dict[str, float]:
    """Run a plan through the assessment and return its memory in MiB: at the start, the growth
    until its end, and the peak of the process."""
    prepared = prepare(Order(card(), str(episodes)), folder)
    instrument = await _instrument(prepared)
    open_run(folder / "run", prepared.plan, resume=False)
    start, began = resident(), time.process_time()
    await run(prepared, instrument, folder / "run", reference_agent(HONEST), None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "start": start / MEBI,
        "growth": (resident() - start) / MEBI,
        "peak": peak / MEBI,
        "cpu_s": time.process_time() - began,
    }


def memory_peak(setup: Setup) -> Probe:
    """Measure the peak of a long run, once: memory does not vary from run to run as time does."""
    episodes = setup.pick(2000, 100_000)

    @lru_cache(maxsize=1)
    def child() -> dict[str, float]:
        with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.runs", str(episodes), folder],
                env={**os.environ, "PYTHONPATH": PATHS},
                check=True,
                capture_output=True,
            )
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def note() -> str:
        seen = child()
        rate = episodes / seen["cpu_s"]
        return (
            f"{episodes:,} episodes; grew by {seen['growth']:.0f} MiB from "
            f"{seen['start']:.0f} MiB; {rate:,.0f} episodes/s CPU, run, grade and scores"
        )

    return Probe(lambda: child()["peak"], note=note)


ROWS = (
    Row("episode", "simulated episodes, five calls, evidence on", "1/s", "more", 8000,
        "five dict calls, JSON lines, sha256, zstd", five_calls),
    Row("governed", "the same behind the desk's policy", "1/s", "more", 3000,
        "five dict calls, JSON lines, sha256, zstd", governed_calls),
    Row("governed-all", "the same, each question put to Cedar anew", "1/s", "more", 3000,
        "five dict calls, JSON lines, sha256, zstd", governed_anew),
    Row("suite", "the suite's mix (7.5 calls) as test runs it; target: as many calls", "1/s",
        "more", MIX_TARGET, "five dict calls, JSON lines, sha256, zstd", suite_mix),
    Row("generate", "scenarios generated", "1/s", "more", 30_000,
        "twenty sha256 draws into a dict", generation),
    Row("verify", "episodes verified and re-graded, five calls", "1/s", "more", 8000,
        "decompress, sha256, decode each line", verification),
    Row("verify-suite", "the suite's mix (7.5 calls) of a dossier; target: as many calls", "1/s",
        "more", MIX_TARGET, "decompress, sha256, decode each line", suite_verification),
    Row("memory", "peak memory of a run, 10^5 episodes (--quick: fewer)", "MiB", "less", 300,
        "", memory_peak),
)  # fmt: skip

if __name__ == "__main__":
    print(json.dumps(asyncio.run(run_in_memory(int(sys.argv[1]), Path(sys.argv[2])))))
