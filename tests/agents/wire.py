"""A raw HTTP server on loopback that answers with exact bytes, and a chat agent that asks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_limits import Clock
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.view import (
    Offer,
    TransportError,
    Turn,
    View,
)
from undersigned.core.streams import Stream

KEY = "sk-test-8f2b7c1d9e"
SCHEMA = {"type": "object", "properties": {"payee_id": {"type": "string"}}}
TOOLS = (Offer("read_payee", "Read a payee.", SCHEMA),)

Script = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """A raw HTTP server: answers the n-th request with the n-th script, the last one for ever."""

    def __init__(self, scripts: tuple[Script, ...]) -> None:
        self.scripts = scripts
        self.requests: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
                if not isinstance(script, bytes):
                    await script(writer)
                    return
                writer.write(script)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def body(self, number: int) -> dict:
        return json.loads(self.requests[number].partition(b"\r\n\r\n")[2])


@asynccontextmanager
async def wire(*scripts: Script) -> AsyncIterator[tuple[Wire, str]]:
    spoken = Wire(scripts)
    server = await asyncio.start_server(spoken.serve, "127.0.0.1", 0)
    try:
        yield spoken, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        await server.wait_closed()


def http(body: bytes, status: int = 200, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(message: object, **more: object) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return http(json.dumps({"id": "r-1", "model": "m-1", "choices": [choice], **more}).encode())


def calls(*functions: object) -> bytes:
    return says({"role": "assistant", "content": None, "tool_calls": list(functions)})


def function(arguments: object, identity: object = "call_a", name: object = "read_payee") -> dict:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


OK = says({"role": "assistant", "content": "done"})


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: 1_800_000_000.0 + self.now, self.sleep)


def view(**changes: object) -> View:
    made = View("Follow the rules.", "Pay the invoice.", TOOLS)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def one_turn(url: str, *, key: str | None = KEY, **settings: object) -> Turn:
    fields = {"model": "m", "retries": 0, "timeout_s": 600, **settings}
    async with ChatAgent(ChatSettings(url, **fields), key, FakeTime().clock()) as agent:
        return await agent.begin(Stream.of("t")).act(view())


async def turn_of(*scripts: Script, **settings: object) -> Turn:
    async with wire(*scripts) as (_, url):
        return await one_turn(url, **settings)


async def fault_of(*scripts: Script, **settings: object) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await turn_of(*scripts, **settings)
    return caught.value


def check_history(messages: list[dict]) -> None:
    """Check what strict endpoints check in a history."""
    open_ids: list[str] = []
    for message in messages:
        assert isinstance(message["content"], str)
        message["content"].encode()
        if message["role"] == "tool":
            open_ids.remove(message["tool_call_id"])
            continue
        assert not open_ids
        for call in message.get("tool_calls", []):
            name = call["function"]["name"]
            assert name.replace("_", "").replace("-", "").isalnum() or set(name) <= {"_", "-"}
            assert 0 < len(name) <= 64
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            open_ids.append(call["id"])
        assert len(set(open_ids)) == len(open_ids)
