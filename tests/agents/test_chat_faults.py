"""What becomes of a turn when the endpoint stalls, breaks off, talks nonsense, or says no?"""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from tests.agents.wire import KEY, OK, FakeTime, fault_of, http, one_turn, turn_of, view, wire
from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_line import SIZE_LIMIT, ContextExceededError
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.view import StalledError, TransportError
from undersigned.core.errors import AccessDeniedError
from undersigned.core.streams import Stream


@pytest.mark.parametrize(
    ("status", "cause", "requests"),
    [
        (400, "server_error", 1), (401, "server_error", 1), (403, "server_error", 1),
        (404, "server_error", 1), (429, "rate_limited", 4), (500, "server_error", 4),
        (503, "server_error", 4), (301, "redirect", 1), (307, "redirect", 1), (204, None, 1),
    ],
)  # fmt: skip
async def test_chat__status_for_ever__ends_as_a_cause_of_the_closed_list(status, cause, requests):
    location = "Location: http://127.0.0.1:9/stolen"
    async with wire(http(b"", status, location)) as (spoken, url):
        with pytest.raises(TransportError) as caught:
            await one_turn(url, retries=3)
    assert caught.value.cause == (cause or "broken_response")
    assert caught.value.detail == f"HTTP {status}"
    assert len(spoken.requests) == requests


@pytest.mark.parametrize("status", [408, 429, 500, 502, 529])
async def test_chat__passing_fault__is_repeated_with_growing_waits(status):
    time = FakeTime()
    async with (
        wire(http(b"{}", status), http(b"<html>", status), OK) as (spoken, url),
        ChatAgent(ChatSettings(url, "m", retries=2), None, time.clock()) as agent,
    ):
        turn = await agent.begin(Stream.of("t")).act(view())
    assert (turn.text, turn.usage.requests) == ("done", 3)
    assert (
        spoken.requests[0].partition(b"\r\n\r\n")[2] == spoken.requests[2].partition(b"\r\n\r\n")[2]
    )
    assert 0.25 <= time.slept[0] <= 0.5
    assert 0.5 <= time.slept[1] <= 1.0
    assert turn.usage.wall_us == int(sum(time.slept) * 1_000_000)


@pytest.mark.parametrize(
    ("asked", "waited"), [("7", 7.0), ("0.9", 0.9), ("86400", 60.0), ("1e400", None), ("-5", None)]
)
async def test_chat__retry_after__is_heeded_up_to_a_cap(asked, waited):
    time = FakeTime()
    async with (
        wire(http(b"", 429, f"Retry-After: {asked}"), OK) as (_, url),
        ChatAgent(ChatSettings(url, "m"), None, time.clock()) as agent,
    ):
        await agent.begin(Stream.of("t")).act(view())
    total = sum(time.slept)
    assert total == pytest.approx(waited) if waited else 0.25 <= total <= 0.5


@pytest.mark.parametrize(
    "garbage",
    [
        b"", b"<html><script>alert(1)</script></html>", b"\x1b[2J\x00\xff\xfe", b"[]", b"null",
        b'"choices"', b"{}", b'{"choices":[]}', b'{"choices":[{}]}', b'{"choices":{"message":{}}}',
        b'{"choices":[{"message":"hi"}]}', b'{"choices":[{"message":{"content":"cut',
        b"[" * 100_000,
        b'{"choices":[{"message":{"content":"\xff"}}]}',
        b'data: {"choices":[]}\n\ndata: [DONE]\n\n',
        b'{"choices":[{"message":{"content":' + b"9" * 5000 + b"}}]}",
    ],
    ids=range(16),
)  # fmt: skip
async def test_chat__what_is_no_answer__is_a_broken_response_after_retries(garbage):
    async with wire(http(garbage)) as (spoken, url):
        with pytest.raises(TransportError) as caught:
            await one_turn(url, retries=1)
    assert caught.value.cause == "broken_response"
    assert len(spoken.requests) == 2


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close without a word."""


async def break_off(writer: asyncio.StreamWriter) -> None:
    writer.write(http(b"x" * 1000)[:200])
    await writer.drain()


async def break_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"cho\r\nzz\r\n')
    await writer.drain()


async def talk_nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    await writer.drain()


async def header_flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n")
    await writer.drain()


async def bad_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(http(b"not gzip at all", 200, "Content-Encoding: gzip"))
    await writer.drain()


@pytest.mark.parametrize(
    "script", [hang_up, break_off, break_chunks, talk_nonsense, header_flood, bad_gzip]
)
async def test_chat__connection_that_breaks__is_a_broken_response_and_may_recover(script):
    assert (await fault_of(script, retries=1)).cause == "broken_response"
    assert (await turn_of(script, OK, retries=1)).text == "done"


async def test_chat__random_bytes_on_the_wire__never_raise_anything_else():
    draw = random.Random(7)
    starts = [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n",
        OK[:90],
    ]
    for _ in range(60):
        noise = draw.choice(starts) + draw.randbytes(draw.randrange(200)) + b"\r\n\r\n"

        async def speak(writer: asyncio.StreamWriter, noise: bytes = noise) -> None:
            writer.write(noise)
            await writer.drain()

        assert (await fault_of(speak)).cause in ("broken_response", "server_error", "redirect")


async def test_chat__nobody_listens__is_unreachable():
    async with wire(OK) as (_, url):
        pass
    with pytest.raises(TransportError) as caught:
        await one_turn(url, retries=1)
    assert caught.value.cause == "unreachable"


async def test_chat__plain_http_where_tls_is_expected__is_unreachable():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a greeting in TLS as servers of plain HTTP do."""
        await reader.read(1)
        writer.write(http(b"", 400))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TransportError) as caught:
            await one_turn(f"https://127.0.0.1:{port}/v1")
    assert caught.value.cause == "unreachable"


@pytest.mark.parametrize("first", [b"", OK[:-5], b"HTTP/1.1 200 OK\r\n"])
async def test_chat__endpoint_that_stalls__is_the_agents_own_time_out(first):
    over = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await over.wait()

    async with wire(stall) as (spoken, url):
        with pytest.raises(StalledError):
            await one_turn(url, timeout_s=1, retries=5)
        over.set()
    assert len(spoken.requests) == 1


async def test_chat__endless_stream__is_cut_at_the_cap():
    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with_size = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        for _ in range(SIZE_LIMIT // 65_536 + 50):
            writer.write(with_size)
            await writer.drain()

    fault = await fault_of(pour, retries=3)
    assert fault.cause == "broken_response"
    assert str(SIZE_LIMIT) in fault.detail


async def test_chat__context_exceeded__is_the_agents_own_end():
    body = b'{"error":{"code":"context_length_exceeded","message":"too long"}}'
    with pytest.raises(ContextExceededError):
        await turn_of(http(body, 400))


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "invalid_api_key"), (404, "model_not_found"), (429, "insufficient_quota")],
)
async def test_chat__endpoint_that_refuses_the_card__says_so_with_a_remedy(status, code):
    body = json.dumps({"error": {"code": code, "message": f"key {KEY} is bad"}}).encode()
    async with (
        wire(http(body, status)) as (spoken, url),
        ChatAgent(ChatSettings(url, "m"), KEY) as agent,
    ):
        with pytest.raises(TransportError) as caught:
            await agent.begin(Stream.of("t")).act(view())
    assert isinstance(agent.refusal, AccessDeniedError)
    assert agent.refusal.code == "E-AGT-007"
    assert len(spoken.requests) == 1
    assert KEY not in f"{caught.value} {caught.value.detail} {agent.refusal}"
