"""Does a run that was killed, anywhere and often, become the bytes of one that was not?"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from undersigned.agents.roster import reference_agent
from undersigned.agents.view import Agent, ToolCall, TransportError, Turn, Usage, View
from undersigned.assessment.card import AgentSource, Card, Owner
from undersigned.assessment.run import Order, Prepared, prepare
from undersigned.core.canonical import Digest
from undersigned.core.errors import EvidenceError, StorageError, UndersignedError, UsageError
from undersigned.core.streams import Stream
from undersigned.episodes import abreast as module
from undersigned.episodes.episode import Run
from undersigned.episodes.execute import Bench, Ran, execute, open_run
from undersigned.episodes.plan import SHARD_SIZE
from undersigned.episodes.problems import NOT_RESUMABLE
from undersigned.episodes.shards import shard_name, write_shard

BUDGET = 520
"""Two whole shards and a part of one."""
CARD = Card("c", "1", Owner("A", "b"), AgentSource(reference="follower"), locales=("th",))


@lru_cache(maxsize=1)
def prepared() -> Prepared:
    return prepare(Order(CARD, str(BUDGET), label="log-0"), Path())


def bench(agent: Agent, concurrency: int = 8) -> Bench:
    return Bench(prepared().plan, prepared().suite, prepared().rig, agent, concurrency)


def run(folder: Path, agent: Agent, concurrency: int = 8) -> list[Ran]:
    ran: list[Ran] = []
    asyncio.run(execute(bench(agent, concurrency), folder, ran.append))
    return ran


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((folder / "episodes").iterdir())}


def in_child(step: object) -> int:
    """Run a step in a child process and return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            step()  # type: ignore[operator]
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(9)
    return os.waitpid(child, 0)[1]


def killed_at(folder: Path, number: int, agent: Agent) -> None:
    """Run in a child that is killed the moment it starts an episode."""

    def deadly(rig, scenario, at, *more):  # type: ignore[no-untyped-def]
        if at == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return Run(rig, scenario, at, *more)

    def step() -> None:
        module.Run = deadly  # type: ignore[assignment,misc]  # in the child only
        run(folder, agent)

    assert os.WTERMSIG(in_child(step)) == signal.SIGKILL


@lru_cache(maxsize=1)
def unkilled() -> dict[str, bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        ran = run(Path(name), reference_agent("follower"))
        assert [r.item.number for r in ran] == list(range(BUDGET))
        return files(Path(name))


def test_execute__killed_at_every_50th_episode__gives_the_same_bytes(tmp_path: Path) -> None:
    agent = reference_agent("follower")
    for number in range(0, BUDGET, 50):
        killed_at(tmp_path, number, agent)
        whole = number // SHARD_SIZE
        assert len(list(tmp_path.glob("episodes/*.zst"))) == whole
    ran = run(tmp_path, agent)
    assert [r.item.number for r in ran] == list(range(BUDGET))
    assert files(tmp_path) == unkilled()


def test_execute__killed_between_leaves_and_data__gives_the_same_bytes(tmp_path: Path) -> None:
    agent = reference_agent("follower")
    run(tmp_path, agent)
    (tmp_path / f"{shard_name(1)}.jsonl.zst").unlink()
    (tmp_path / f"{shard_name(1)}.leaves").write_bytes(b"from another try")
    (tmp_path / "episodes" / ".shard-00001.jsonl.zst.1.part").write_bytes(b"torn")
    run(tmp_path, agent)
    (tmp_path / "episodes" / ".shard-00001.jsonl.zst.1.part").unlink()
    assert files(tmp_path) == unkilled()


def test_execute__shard_altered_between__is_refused_and_kept(tmp_path: Path) -> None:
    agent = reference_agent("follower")
    run(tmp_path, agent)
    other = [r.episode.to_bytes() for r in run(tmp_path, agent)[:SHARD_SIZE]]
    other[7], other[8] = other[8], other[7]
    write_shard(tmp_path, 0, other)
    before = files(tmp_path)
    with pytest.raises(EvidenceError) as caught:
        run(tmp_path, agent)
    assert (caught.value.code, caught.value.fields["episode"]) == ("E-EPI-001", "7")
    write_shard(tmp_path, 0, other[:-1])
    with pytest.raises(EvidenceError, match="another number of episodes"):
        run(tmp_path, agent)
    write_shard(tmp_path, 0, other)
    assert files(tmp_path) == before


def test_open_run__every_wrong_moment__has_its_code(tmp_path: Path) -> None:
    plan = prepared().plan
    other = prepare(Order(CARD, str(BUDGET), label="log-1"), Path()).plan

    def code(planned: object, *, resume: bool) -> str:
        with pytest.raises(UsageError) as caught:
            open_run(tmp_path / "run", planned, resume=resume)  # type: ignore[arg-type]
        return caught.value.code

    assert code(plan, resume=True) == "E-EPI-003"
    open_run(tmp_path / "run", plan, resume=False)
    assert code(plan, resume=False) == "E-EPI-005"
    assert code(other, resume=True) == "E-EPI-002"
    assert code(other, resume=False) == "E-EPI-002"
    open_run(tmp_path / "run", plan, resume=True)


class Live:
    """An agent that costs something: each time it is asked, it writes down episode and turn.

    Of five episodes one breaks off, one stalls with a long message and one crashes.
    """

    name = "live"
    digest = Digest("sha256:" + "7" * 64)
    is_live = True
    is_privileged = False
    is_prompt = False

    def __init__(self, asked: Path, kill_at: int = -1, long: int = 3) -> None:
        self.asked = asked
        self.kill_at = kill_at
        self.long = long
        self.count = 0

    def begin(self, draw: Stream) -> LiveActor:
        return LiveActor(self, draw.key.hex())


class LiveActor:
    def __init__(self, agent: Live, key: str) -> None:
        self.agent = agent
        self.key = key

    async def act(self, view: View) -> Turn:
        agent = self.agent
        agent.count += 1
        number = agent.count
        with agent.asked.open("a") as file:
            file.write(f"{self.key} {view.turn}\n")
        await asyncio.sleep(0)
        if number == agent.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        kind = int(self.key[:4], 16) % 5
        if view.turn == 2 and kind < 2:
            if kind == 0:
                raise TransportError("server_error", "busy \x1b[31m")
            raise RuntimeError("crash \u202e" * agent.long)
        usage = Usage(tokens_in=view.turn + 1, tokens_out=1)
        turns = (
            Turn("thinking", (ToolCall("x", "no_such_tool", "{}"),), usage=usage),
            Turn("\ud800", usage=usage),
            Turn("", (ToolCall("y", "report", '{"items":[],"note":""}'),), usage=usage),
        )
        return turns[view.turn]


def measured(ran: list[Ran]) -> list[tuple[int, list[Usage]]]:
    return [(r.item.number, r.episode.usage) for r in ran]


def test_execute__live_agent_killed_often__is_asked_no_recorded_turn_twice(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", Live(tmp_path / "plain-asked"))
    asked, folder = tmp_path / "asked", tmp_path / "killed"
    durable: Counter[tuple[int, int]] = Counter()
    for kill_at in (1, 40, 300, 2, 333, 250):
        signalled = in_child(lambda n=kill_at: run(folder, Live(asked, n)))
        assert os.WTERMSIG(signalled) == signal.SIGKILL
        durable = recorded(folder)
    ran = run(folder, Live(asked))
    assert files(folder) == files(tmp_path / "plain")
    assert recorded(folder) >= durable
    assert set(recorded(folder).values()) == {1}
    starts = [line for line in lines(folder) if line.get("started")]
    assert len({line["episode"] for line in starts}) == BUDGET
    # An episode that a kill interrupted is taken up again, and that is counted.
    assert BUDGET <= len(starts) <= BUDGET + 6 * 8
    # Turns in flight at the kill were never acknowledged; at most those are asked for again.
    asked_for = Counter(asked.read_text().splitlines())
    plain_asked = Counter((tmp_path / "plain-asked").read_text().splitlines())
    assert set(asked_for) == set(plain_asked)
    again = sum(asked_for.values()) - sum(plain_asked.values())
    assert again <= 6 * 8
    assert measured(ran) == measured(plain)


def lines(folder: Path) -> list[dict[str, object]]:
    data = (folder / "attempts.jsonl").read_bytes()
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def recorded(folder: Path) -> Counter[tuple[int, int]]:
    """Return how often each turn (episode, number) is recorded, numbers counted per episode."""
    seen: Counter[int] = Counter()
    turns: Counter[tuple[int, int]] = Counter()
    for line in lines(folder):
        if "turn" in line:
            number = int(str(line["episode"]))
            turns[number, seen[number]] += 1
            seen[number] += 1
    return turns


def test_execute__live_agent_with_any_concurrency__gives_the_same_bytes(tmp_path: Path) -> None:
    run(tmp_path / "one", Live(tmp_path / "asked"), 1)
    run(tmp_path / "many", Live(tmp_path / "asked"), 200)
    assert files(tmp_path / "one") == files(tmp_path / "many")


def test_execute__live_attempts_torn_in_the_middle__are_refused_before_any_call(
    tmp_path: Path,
) -> None:
    run(tmp_path, Live(tmp_path / "asked"))
    path = tmp_path / "attempts.jsonl"
    kept = path.read_bytes().split(b"\n")
    kept[2] = kept[2][:-3]
    path.write_bytes(b"\n".join(kept))
    calls = (tmp_path / "asked").read_text()
    with pytest.raises(StorageError) as caught:
        run(tmp_path, Live(tmp_path / "asked"))
    assert (caught.value.code, caught.value.fields["line"]) == ("E-EPI-004", "3")
    assert (tmp_path / "asked").read_text() == calls


def test_execute__live_run_finished__is_replayed_without_a_call(tmp_path: Path) -> None:
    one = run(tmp_path, Live(tmp_path / "asked"))
    calls = (tmp_path / "asked").read_text()
    again = run(tmp_path, Live(tmp_path / "asked"))
    assert (tmp_path / "asked").read_text() == calls
    assert measured(again) == measured(one)
    assert [r.episode.to_bytes() for r in again] == [r.episode.to_bytes() for r in one]


def test_execute__live_agent_ends_with_a_long_note__is_replayed_to_the_same_bytes(
    tmp_path: Path,
) -> None:
    run(tmp_path, Live(tmp_path / "asked", long=90))
    run(tmp_path, Live(tmp_path / "asked", long=90))


def test_execute__prepare_fails__stops_and_leaves_what_was_recorded(tmp_path: Path) -> None:
    async def announce(*_: object) -> None:
        raise StorageError(NOT_RESUMABLE, "the line is down")

    async def go() -> None:
        broken = bench(Live(tmp_path / "asked"))._replace(prepare=announce)
        await execute(broken, tmp_path, lambda _: None)

    with pytest.raises(UndersignedError, match="the line is down"):
        asyncio.run(go())
    assert not (tmp_path / "asked").exists()
    assert all(line.get("started") for line in lines(tmp_path))
    run(tmp_path, Live(tmp_path / "asked"))
