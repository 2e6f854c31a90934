"""How fast are episodes simulated and scenarios generated, and how much memory does a run take?

Everything goes through the functions that ``undersigned test`` uses.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice, repeat
from pathlib import Path

import msgspec

from benchmarks.bare import bare_scenarios
from benchmarks.measure import PATHS, Probe, Row, Setup, cpu_rate
from benchmarks.prototype import cedar, prototype_rate
from undersigned.agents.roster import reference_agent
from undersigned.assessment.card import AgentSource, Card, ControlsWish, Owner
from undersigned.assessment.governance import ControlFiles, family_policy, open_controls
from undersigned.assessment.grading import graded
from undersigned.assessment.instrument import Instrument, check_instrument
from undersigned.assessment.run import Order, Prepared, prepare, run
from undersigned.attacks.channels import channels
from undersigned.controls.slices import Judgement
from undersigned.core.streams import Stream
from undersigned.episodes.abreast import Starting, grouped, run_abreast, run_group
from undersigned.episodes.execute import Bench, Ran, execute, open_run
from undersigned.episodes.memory import collector_at_rest
from undersigned.episodes.plan import SHARD_SIZE
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls
from undersigned.episodes.shards import make_shard
from undersigned.languages.locales import LOCALES
from undersigned.worlds.suite import Draw, Suite, load_suite

HONEST = "honest-plain"
CALLS = 5
"""Calls of the honest episode that is timed, with the closing report."""
MIX_CALLS = 7.5
"""Calls of an honest episode of the suite's mix, on average."""
DESIGNED, GOVERNED = 8000 / 32000, 3000 / 4500
"""What the design asks of an episode, without and with Cedar, over what its prototype did."""
MIX = DESIGNED * CALLS / MIX_CALLS
"""The same for as many calls in episodes of the suite's mix."""
FLOOR = "a bare prototype of an episode"
CEDAR_FLOOR = f"{FLOOR}, Cedar asked at each call"
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


@lru_cache(maxsize=4)
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
            each.scenario.grade(episode.trace)
            if (episode.calls, episode.reason, each.scenario.fault) == (CALLS, "reported", None):
                found.append(draw)
        if len(found) >= count:
            return found[:count]
    raise RuntimeError(f"only {len(found)} honest episodes of {CALLS} calls were drawn")


def turns_of(setup: Setup, *, fresh: bool, fault_share: int = 0) -> Iterator[list[Draw]]:
    """Yield the draws of a turn to warm up, then of each turn.

    fresh: none is timed twice, as in a real run, in which nothing that was kept of a scenario helps
    and its records come from memory; else one shard's over and over, as the floors do.
    """
    if not fresh:
        yield from repeat(five_call_draws(SHARD_SIZE, fault_share) * setup.pick(2, 12))
    size = setup.pick(2, 4) * SHARD_SIZE
    yield from batched(five_call_draws((setup.repeats + 1) * size, fault_share), size)


def batched(many: Iterable[Draw], size: int) -> Iterator[list[Draw]]:
    """Yield lists of so many; the last may be shorter."""
    rest = iter(many)
    while part := list(islice(rest, size)):
        yield part


STAGES = ("generate", "run", "write", "grade", "leaves and shard")


def five_calls(setup: Setup, controls: Controls | None = None, *, fresh: bool = False) -> Probe:
    """Time generation, run, grade, bytes, leaf and shard of honest five-call episodes."""
    made, agent = suite(), reference_agent(HONEST)
    turns = turns_of(setup, fresh=fresh)
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
            scenario.grade(episode.trace)
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
    allow = None if controls is None else cedar()
    return Probe(
        lambda: cpu_rate(count, partial(asyncio.run, work(next(turns)))),
        prototype_rate(count, allow),
        note=note,
    )


def fresh_calls(setup: Setup) -> Probe:
    """Time the same over scenarios that were never seen before."""
    return five_calls(setup, fresh=True)


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


def governed_fresh(setup: Setup) -> Probe:
    """Time the same over scenarios that were never seen before."""
    return five_calls(setup, _controls(), fresh=True)


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
    """Time the run of a plan, as ``undersigned test`` runs it, with graded rows."""
    prepared = prepare(Order(card(), str(setup.pick(400, 4000))), Path())
    count = prepared.plan.count()
    bench = Bench(prepared.plan, prepared.suite, prepared.rig, reference_agent(HONEST))

    def once() -> None:
        with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
            rows = []

            def on_ran(ran: Ran) -> None:
                rows.append(graded(ran, prepared.suite.family))

            asyncio.run(execute(bench, Path(folder), on_ran))

    return Probe(lambda: cpu_rate(count, once), prototype_rate(count))


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


async def instrument_of(prepared: Prepared) -> Instrument:
    """Check with one agent only: what is timed here does not depend on the check."""
    return await check_instrument(prepared.suite, prepared.rig, agents=(reference_agent(HONEST),))


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def run_in_memory(episodes: int, folder: Path) -> dict[str, float]:
    """Run a plan through the assessment and return its memory in MiB: at the start, the growth
    until its end, and the peak of the process."""
    prepared = prepare(Order(card(), str(episodes)), folder)
    instrument = await instrument_of(prepared)
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
    Row("episode", "simulated episodes, five calls, evidence on", "1/s", "more", DESIGNED,
        FLOOR, five_calls, is_ratio=True),
    Row("governed", "the same behind the desk's policy", "1/s", "more", GOVERNED,
        CEDAR_FLOOR, governed_calls, is_ratio=True),
    Row("governed-all", "the same, no verdict kept: each question put to Cedar anew", "1/s", "more",
        None, CEDAR_FLOOR, governed_anew),
    Row("suite", "the suite's mix (7.5 calls) as test runs it; target: as many calls", "1/s",
        "more", MIX, FLOOR, suite_mix, is_ratio=True),
    Row("generate", "scenarios generated", "1/s", "more", 30_000,
        "twenty sha256 draws into a dict", generation),
    Row("memory", "peak memory of a run, 10^5 episodes (--quick: fewer)", "MiB", "less", 300,
        "", memory_peak),
)  # fmt: skip

FRESH = (
    Row("episode-fresh", "episodes of five calls, scenarios never seen before", "1/s", "more",
        DESIGNED, FLOOR, fresh_calls, is_ratio=True),
    Row("governed-fresh", "behind the policy, scenarios never seen before", "1/s", "more",
        None, CEDAR_FLOOR, governed_fresh),
)  # fmt: skip
"""Rows that fill the memory first, as a long run does; to be measured after the others."""

if __name__ == "__main__":
    print(json.dumps(asyncio.run(run_in_memory(int(sys.argv[1]), Path(sys.argv[2])))))
