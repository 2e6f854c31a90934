"""What does a chat call cost this process, with everything that is kept of it?

The endpoint runs in a process of its own and plays turns that a reference agent took beforehand,
so each conversation goes the way that a real one would. Timed is the CPU of this process only:
request, answer, durable attempt, world, events, grade.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp import web

from benchmarks.measure import PATHS, Probe, Row, Setup
from benchmarks.runs import HONEST, main_draws, suite
from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.chat_wire import Conversation
from undersigned.agents.roster import reference_agent
from undersigned.agents.tape import turns_of
from undersigned.agents.view import Turn
from undersigned.episodes.attempts import Line, open_attempts, turn_to_text
from undersigned.episodes.engine import run_episode
from undersigned.episodes.rig import Rig
from undersigned.worlds.scenario import Scenario

CONCURRENCY = 8


class Played(NamedTuple):
    """A conversation that is played. scenario; first: body of its first request."""

    scenario: Scenario
    first: bytes


class Script(NamedTuple):
    """What is played. calls: requests of all conversations. answers: bodies, by conversation."""

    played: list[Played]
    calls: int
    answers: dict[str, list[bytes]]


def key_of(instructions: str, request: str) -> str:
    """Return what tells conversations apart."""
    return sha256(f"{instructions}\0{request}".encode()).hexdigest()


def answer_body(turn: Turn, number: int) -> bytes:
    """Return a chat completion that holds a turn."""
    calls = [
        {
            "id": f"call_{number}_{place}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for place, call in enumerate(turn.calls)
    ]
    message = {"role": "assistant", "content": turn.text or None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 3000, "completion_tokens": 60, "total_tokens": 3060}
    whole = {"id": f"r-{number}", "model": "played", "choices": [choice], "usage": usage}
    return json.dumps(whole).encode()


async def write_script(count: int, settings: ChatSettings) -> Script:
    """Let a reference agent go through scenarios whose texts differ, and keep its turns."""
    made, rig, agent = suite(), Rig(suite().family), reference_agent(HONEST)
    played: list[Played] = []
    answers: dict[str, list[bytes]] = {}
    calls = 0
    for draw in islice(main_draws(), 20 * count):
        scenario = made.scenario(draw)
        view = rig.view(scenario)
        key = key_of(view.instructions, view.request)
        if key in answers or scenario.notes:
            continue
        turns = turns_of((await run_episode(rig, scenario, agent, 0)).events)
        answers[key] = [answer_body(turn, number) for number, turn in enumerate(turns)]
        calls += len(turns)
        played.append(Played(scenario, Conversation(settings, view).body()))
        if len(played) == count:
            return Script(played, calls, answers)
    raise RuntimeError("too few scenarios with texts of their own were drawn")


async def play(answers: dict[str, list[bytes]]) -> None:
    """Serve the played conversations until the process is ended; prints its port first."""

    async def complete(request: web.Request) -> web.Response:
        messages: list[dict[str, Any]] = json.loads(await request.read())["messages"]
        spoken = sum(message["role"] == "assistant" for message in messages)
        body = answers[key_of(messages[0]["content"], messages[1]["content"])][spoken]
        return web.Response(body=body, content_type="application/json")

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


async def converse(script: Script, settings: ChatSettings, folder: Path) -> None:
    """Run every episode through the chat agent, with durable attempts, and grade it."""
    rig = Rig(suite().family)
    attempts = open_attempts(folder / f"attempts-{time.monotonic_ns()}.jsonl")
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(agent: ChatAgent, number: int, scenario: Scenario) -> None:
        async with gate:
            await attempts.record(Line(number, started=True))

            async def on_turn(_: int, turn: Turn) -> None:
                await attempts.record(Line(number, turn=turn_to_text(turn)))

            episode = await run_episode(rig, scenario, agent, number, on_turn=on_turn)
            if episode.reason != "reported":
                raise RuntimeError(f"an episode ended otherwise: {episode.reason}")
            await attempts.record(Line(number, ended=episode.reason))
            scenario.grade(episode.trace)
            episode.to_bytes()

    async with ChatAgent(settings, None) as agent:
        await asyncio.gather(*(one(agent, i, p.scenario) for i, p in enumerate(script.played)))
    attempts.close()


async def post_bare(url: str, bodies: Sequence[bytes], count: int) -> None:
    """Send first requests and decode the answers, with nothing around it."""
    gate = asyncio.Semaphore(CONCURRENCY)
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def one(body: bytes) -> None:
            async with gate, session.post(f"{url}/chat/completions", data=body) as response:
                json.loads(await response.read())

        await asyncio.gather(*(one(bodies[i % len(bodies)]) for i in range(count)))


def chat_calls(setup: Setup) -> Probe:
    """Time chat calls in episodes against an endpoint in another process."""
    named = ChatSettings("http://127.0.0.1:1/v1", "played")
    script = asyncio.run(write_script(setup.pick(40, 200), named))
    scratch = Path(tempfile.mkdtemp(dir=setup.folder))
    path = scratch / "script.json"
    path.write_bytes(msgspec.json.encode(script.answers))
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.chat", path], stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": PATHS},
    )  # fmt: skip

    def close() -> None:
        server.terminate()
        server.communicate()
        shutil.rmtree(scratch)

    port = server.stdout.readline().strip().decode() if server.stdout else ""
    if not port:
        close()
        raise RuntimeError("the played endpoint did not start")
    url = f"http://127.0.0.1:{port}/v1"
    settings = ChatSettings(url, "played")
    bodies = [each.first for each in script.played]

    def ours() -> float:
        began = time.process_time()
        asyncio.run(converse(script, settings, scratch))
        return 1000 * (time.process_time() - began) / script.calls

    def floor() -> float:
        began = time.process_time()
        asyncio.run(post_bare(url, bodies, script.calls))
        return 1000 * (time.process_time() - began) / script.calls

    return Probe(ours, floor, close)


ROWS = (
    Row("chat", "one call to a chat endpoint, with evidence", "ms CPU", "less", 1.5,
        "bare aiohttp loop, the same first requests", chat_calls),
)  # fmt: skip

if __name__ == "__main__":
    held = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=dict[str, list[bytes]])
    asyncio.run(play(held))
