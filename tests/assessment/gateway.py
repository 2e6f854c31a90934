"""A gateway that signs its answers, behind real HTTP, and the dossier of a run against it.

What it answers is a pure function of the request, so that killed and resumed runs can be compared;
its styles are everything that an endpoint may do and a verifier has to come out at as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.assessment.small import Made, card_of, instrument_kept, workbench
from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_limits import Clock
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.relay import HEADER, header_value
from undersigned.agents.view import Agent
from undersigned.assessment.card import AgentSource, Card, ReferenceEndpoint
from undersigned.assessment.dossier import seal
from undersigned.assessment.registry import example_trust, open_tester, register
from undersigned.assessment.run import (
    Order,
    Prepared,
    Result,
    check,
    open_agent,
    prepare,
    run,
)
from undersigned.core.canonical import digest_bytes
from undersigned.episodes.endpoint import Server, serve
from undersigned.episodes.execute import open_run
from undersigned.episodes.written import TEXT_LIMIT
from undersigned.evidence.keys import FileKey
from undersigned.evidence.trust import Key, Trust, load_trust, write_trust

PROVIDER = FileKey.from_seed(b"p" * 32, name="gateway-1", role="provider", party="gateway")
STRANGER = FileKey.from_seed(b"x" * 32, name="gateway-1", role="provider", party="stranger")
REPORT = {"name": "report", "arguments": '{"items":[],"note":""}'}
STYLES = 10
EPISODES = 160
OUTGROWN = b'{"error":{"code":"context_length_exceeded"}}'
"""The one answer with another status; it ends an episode as crashed."""

TOO_LONG = "x" * (TEXT_LIMIT - 6) + "\U0001f600" * 20
"""Of this text six signs outside the basic plane are kept, counted in characters."""

Header = Callable[[bytes, bytes], str | None]
"""Returns the header's value for a request and its answer, or None for no header."""


def signed(request: bytes, response: bytes) -> str | None:
    return header_value(PROVIDER, digest_bytes(request), digest_bytes(response))


def style_of(asked: dict[str, Any]) -> int:
    """Return how a conversation is answered: by its first texts."""
    texts = json.dumps([m["content"] for m in asked["messages"][:2]]).encode()
    return hashlib.sha256(texts).digest()[0] % STYLES


def answer(body: bytes) -> bytes:
    """Return the answer to a request."""
    asked = json.loads(body)
    turn = sum(m["role"] == "assistant" for m in asked["messages"])
    names = [t["function"]["name"] for t in asked["tools"]]
    style = style_of(asked)
    if turn == 1 and style == 9:
        return OUTGROWN
    if turn == 0 and style == 3:
        return b'{"error":{"code":"content_filter"}}'
    messages: dict[int, dict[str, Any]] = {
        0: {"tool_calls": [call(names[0], "{}", "x"), call(names[1], "{", "x"), call("", "", "")]},
        1: {"content": TOO_LONG},
        2: {"content": None, "refusal": "no"},
        4: {"tool_calls": [call(names[n % 3], "{}", f"id {n}") for n in range(70)]},
        5: {"tool_calls": [call("odd\ud800 name" * 40, {"a": 1.50, "b": [None]}, 7)]},
        6: {"content": f"again {turn}", "tool_calls": [call(names[0], f'{{"n":{turn}}}')]},
        7: {"content": [{"type": "text", "text": "in "}, "parts"], "tool_calls": "none"},
        8: {"function_call": {"name": names[0], "arguments": " {} "}},
        9: {"tool_calls": [call(names[0], "{}")]},
    }
    last = {"tool_calls": [call(**REPORT), call(names[0], "{}", "never")]}
    said = messages[style] if turn == 0 or style == 6 else last
    choice = {"index": 0, "message": {"role": "assistant", **said}, "finish_reason": "stop"}
    return json.dumps({"id": f"r-{turn}", "model": "m-1", "choices": [choice]}).encode()


def call(name: str, arguments: object, identity: object = "call_a") -> dict[str, object]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


class Gateway:
    """A running gateway, in a thread of its own. url: for a card. header: changes what it signs.
    seen: how many requests there were."""

    def __init__(self) -> None:
        self.header: Header = signed
        self.seen = 0
        self._failed: set[bytes] = set()
        self._loop = asyncio.new_event_loop()
        ready: threading.Event = threading.Event()
        threading.Thread(target=self._serve, args=(ready,), daemon=True).start()
        ready.wait()

    def _serve(self, ready: threading.Event) -> None:
        async def start() -> None:
            app = web.Application(client_max_size=64 << 20)
            app.router.add_post("/v1/chat/completions", self._complete)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            ready.set()

        self._loop.run_until_complete(start())
        self._loop.run_forever()

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.seen += 1
        mark = hashlib.sha256(body).digest()
        if mark[1] < 64 and mark not in self._failed:
            self._failed.add(mark)
            if mark[1] < 32:
                return web.Response(status=503, text="busy")
            broken = b"no answer"
            return web.Response(body=broken, headers={HEADER: signed(body, broken) or ""})
        said = answer(body)
        if said == OUTGROWN:
            return web.Response(status=400, body=said)
        value = self.header(body, said)
        headers = {} if value is None else {HEADER: value}
        return web.Response(body=said, content_type="application/json", headers=headers)


@lru_cache(maxsize=1)
def gateway() -> Gateway:
    return Gateway()


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def chat_card(url: str) -> Card:
    return card_of(AgentSource(chat=ChatSettings(url, "m-1", temperature="0.70", retries=3)))


async def run_against(prepared: Prepared, folder: Path, home: Path, key: str | None) -> Result:
    """Run a plan whose folder is open against the card's endpoint."""
    settings = prepared.order.card.agent.chat
    assert settings is not None
    with instrument_kept():
        instrument = await check(prepared, cache=home / "cache")
    clock = Clock(lambda: 0.0, lambda: 0.0, no_sleep)
    async with ChatAgent(settings, key, clock) as agent:
        return await run(prepared, instrument, folder, agent, None)


def dossier_of(name: str, header: Header = signed, key: str | None = None) -> Made:
    """Run against the gateway with another header and seal the dossier."""
    there = gateway()
    there.header = header
    try:
        made = sealed(name, chat_card(there.url), lambda *given: run_against(*given, key))
        return asyncio.run(made)
    finally:
        there.header = signed


async def sealed(
    name: str, card: Card, running: Callable[[Prepared, Path, Path], Coroutine[None, None, Result]]
) -> Made:
    """Register a plan, run it as told, and seal its dossier."""
    folder, home = workbench() / name, workbench() / "home"
    tester = open_tester(home, "demo", ())
    prepared = prepare(Order(card, str(EPISODES), label=name), Path())
    open_run(folder / "run", prepared.plan, resume=False)
    register(prepared, tester, folder / "run")
    result = await running(prepared, folder / "run", home)
    seal(result, tester, folder / "run", folder / "dossier", card, None)
    example_trust(tester, folder / "trust.json")
    return Made(folder / "dossier", folder / "trust.json", home, tester, card, result)


@lru_cache(maxsize=1)
def relayed() -> Made:
    """Return a dossier all of whose turns were signed by the gateway."""
    return dossier_of("relayed")


def provider(**changes: Any) -> Key:
    """Return the gateway's entry in a trust file."""
    fields: dict[str, Any] = {"roles": ("provider",)} | changes
    of = {name: fields.pop(name) for name in ("roles", "predicates", "origins") if name in fields}
    party = fields.pop("party", PROVIDER.party)
    key = Key.of(PROVIDER.name, fields.pop("public", PROVIDER.public), party, **of)
    return Key(**{name: getattr(key, name) for name in key.__struct_fields__} | fields)


async def run_served(prepared: Prepared, folder: Path, home: Path, server: Server) -> Result:
    """Run a plan whose folder is open against a reference endpoint."""
    with instrument_kept():
        instrument = await check(prepared, cache=home / "cache")
    card, environ = prepared.order.card, {"UNDERSIGNED_TOKEN": server.token}
    async with AsyncExitStack() as stack:
        agent, announce = await open_agent(card, Path(), environ, (), stack)
        return await run(prepared, instrument, folder, agent, announce)


async def served_by(agent: Agent, name: str) -> Made:
    """Serve a reference agent that signs, run against it, and seal the dossier."""
    server = await serve(agent, relay_key=PROVIDER)
    chat = ChatSettings(server.url, agent.name)
    card = card_of(AgentSource(chat=chat, endpoint=ReferenceEndpoint("UNDERSIGNED_TOKEN")))
    try:
        return await sealed(name, card, lambda *given: run_served(*given, server))
    finally:
        await server.close()


def trusting(made: Made, *keys: Key) -> Path:
    """Return a trust file with the tester's keys and others."""
    held = load_trust(made.trust)
    folder = workbench() / "trust"
    path = folder / f"{len(list(folder.iterdir())) if folder.exists() else 0}.json"
    write_trust(path, Trust(held.schema, (*held.keys, *keys)))
    return path
