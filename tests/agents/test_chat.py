"""What does a chat agent send, and what does it make of what a model wrote?

The endpoint is a real server on loopback that is given the exact bytes to answer with.
"""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from tests.agents.wire import (
    KEY,
    OK,
    SCHEMA,
    calls,
    check_history,
    fault_of,
    function,
    http,
    one_turn,
    says,
    turn_of,
    view,
    wire,
)
from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.view import Heard, ToolCall, Turn, View
from undersigned.core.canonical import digest_bytes
from undersigned.core.streams import Stream


async def test_chat__plain_answer__is_a_turn_with_its_usage():
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    async with wire(says({"content": "hello"}, usage=usage)) as (spoken, url):
        turn = await one_turn(url)
    assert (turn.text, turn.calls, turn.refused) == ("hello", (), False)
    assert (turn.usage.tokens_in, turn.usage.tokens_out, turn.usage.requests) == (12, 3, 1)
    assert (turn.usage.model, turn.usage.provider_id) == ("m-1", "r-1")
    sent = spoken.requests[0].partition(b"\r\n\r\n")[2]
    received = says({"content": "hello"}, usage=usage).partition(b"\r\n\r\n")[2]
    assert turn.usage.request_digest == digest_bytes(sent)
    assert turn.usage.response_digest == digest_bytes(received)


async def test_chat__whole_exchange__is_what_the_protocol_asks_for():
    first = calls(function('{"payee_id": "P-1"}'), function('{"payee_id": "P-2"}', "call_b"))
    async with wire(first, OK) as (spoken, url):
        settings = ChatSettings(url, "m", temperature="0.70", max_tokens=99)
        async with ChatAgent(settings, KEY) as agent:
            actor = agent.begin(Stream.of("t"))
            seen = view()
            turn = await actor.act(seen)
            seen.new = (Heard("call_a", '{"a":1}'), Heard("call_b", '{"b":2}'), Heard("", "Go on."))
            await actor.act(seen)
    assert [c.arguments for c in turn.calls] == ['{"payee_id": "P-1"}', '{"payee_id": "P-2"}']
    assert b'"temperature":0.70' in spoken.requests[1]
    assert spoken.connections == 1
    asked = spoken.body(1)
    assert asked["max_tokens"] == 99
    assert asked["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "read_payee", "description": "Read a payee.", "parameters": SCHEMA,
            },
        }
    ]  # fmt: skip
    assert asked["messages"] == [
        {"role": "system", "content": "Follow the rules."},
        {"role": "user", "content": "Pay the invoice."},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                function('{"payee_id": "P-1"}'), function('{"payee_id": "P-2"}', "call_b"),
            ],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": '{"a":1}'},
        {"role": "tool", "tool_call_id": "call_b", "content": '{"b":2}'},
        {"role": "user", "content": "Go on."},
    ]  # fmt: skip


async def test_chat__replayed_turns__give_the_same_next_request():
    turn = Turn("thinking", (ToolCall("call_a", "read_payee", '{"payee_id": "P-1"}'),))
    heard = (Heard("call_a", '{"a":1}'),)
    answer = says({"content": "thinking", "tool_calls": [function('{"payee_id": "P-1"}')]})
    bodies = []
    for replay in (False, True):
        async with wire(*([OK] if replay else [answer, OK])) as (spoken, url):
            async with ChatAgent(ChatSettings(url, "m"), None) as agent:
                actor = agent.begin(Stream.of("t"))
                if replay:
                    actor.replayed(view(), turn)
                else:
                    await actor.act(view())
                await actor.act(view(new=heard))
            bodies.append(spoken.body(-1))
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None, "refusal": "I cannot help."}, "I cannot help."),
        ({"content": "Well.", "refusal": "No."}, "Well.\nNo."),
        ({"content": [{"type": "refusal", "refusal": "no"}], "refusal": True}, "no"),
    ],
)
async def test_chat__refusal__is_apart_from_failure(message, text):
    turn = await turn_of(says(message))
    assert (turn.refused, turn.text) == (True, text)


async def test_chat__content_filter__is_a_refusal_whatever_the_status():
    choice = {"message": {"content": ""}, "finish_reason": "content_filter"}
    filtered = http(json.dumps({"choices": [choice]}).encode())
    declined = b'{"error":{"code":"content_filter","message":"x"}}'
    for answer in (filtered, http(declined, 400), http(declined, 200)):
        assert (await turn_of(answer)).refused


async def test_chat__length__is_no_refusal():
    choice = {"message": {"content": "cut sh"}, "finish_reason": "length"}
    turn = await turn_of(http(json.dumps({"choices": [choice]}).encode()))
    assert (turn.text, turn.refused) == ("cut sh", False)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ('{"a": NaN}', '{"a": NaN}'),
        ('{"a": 1e400}', '{"a": 1e400}'),
        ("\ud800", "\ud800"),
        ('{"a": "\ud800"}', '{"a": "\ud800"}'),
        ("\x1b[2J\x00<b>", "\x1b[2J\x00<b>"),
        ("[" * 5000, "[" * 5000),
        ("x" * 2_000_000, "x" * 2_000_000),
        (None, "null"),
        (7, "7"),
        ({"a": [1, 2]}, '{"a": [1, 2]}'),
    ],
    ids=range(10),
)
async def test_chat__hostile_arguments__reach_the_grader_as_received(arguments, kept):
    turn = await turn_of(calls(function(arguments)))
    assert turn.calls[0].arguments == kept


@pytest.mark.parametrize(
    "raw",
    ['{"a":1, "a":2}', '{"n": 1.10}', '{"n": 1e400}', '{"n":  123456789012345678901234567890}'],
)
async def test_chat__arguments_that_are_no_string__keep_their_exact_spelling(raw):
    body = json.dumps({"choices": [{"message": {"tool_calls": [function("MARK")]}}]})
    turn = await turn_of(http(body.replace('"MARK"', raw).encode()))
    assert turn.calls[0].arguments == raw


@pytest.mark.parametrize(
    "broken",
    ["text", 5, {"function": "f"}, {"function": None}, [], None, {"function": {"name": ["x"]}}],
    ids=range(7),
)
async def test_chat__malformed_call__is_a_call_to_grade_and_the_next_request_is_sound(broken):
    async with (
        wire(calls(broken, function("{}")), OK) as (spoken, url),
        ChatAgent(ChatSettings(url, "m"), None) as agent,
    ):
        actor = agent.begin(Stream.of("t"))
        turn = await actor.act(view())
        assert len(turn.calls) == 2
        await actor.act(view(new=tuple(Heard(c.id, "{}") for c in turn.calls)))
    check_history(spoken.body(1)["messages"])


async def test_chat__missing_repeated_and_hostile_ids__are_replaced_by_unique_ones():
    first = calls(*[function("{}", i) for i in ("x", "x", "", None, "a b", "\ud800", "y" * 500)])
    second = calls(function("not json", "x", "\x1b rm -rf \ud800"), function("[1]", "call_2", ""))
    async with (
        wire(first, second, OK) as (spoken, url),
        ChatAgent(ChatSettings(url, "m"), None) as agent,
    ):
        actor = agent.begin(Stream.of("t"))
        seen = view()
        ids = []
        for _ in range(2):
            turn = await actor.act(seen)
            ids += [c.id for c in turn.calls]
            seen.new = tuple(Heard(c.id, "{}") for c in turn.calls)
        await actor.act(seen)
    assert len(set(ids)) == len(ids) == 9
    assert ids[0] == "x"
    check_history(spoken.body(2)["messages"])


async def test_chat__huge_text_with_surrogates__is_kept_whole_and_echoed_short():
    text = "\ud800" + "x" * 300_000
    async with (
        wire(says({"content": text}), OK) as (spoken, url),
        ChatAgent(ChatSettings(url, "m"), None) as agent,
    ):
        actor = agent.begin(Stream.of("t"))
        turn = await actor.act(view())
        await actor.act(view(new=(Heard("", "Go on."),)))
    assert turn.text == text
    assert len(spoken.requests[1]) < 70_000
    check_history(spoken.body(1)["messages"])


async def test_chat__legacy_function_call__is_a_call():
    turn = await turn_of(says({"content": None, "function_call": {"name": "f", "arguments": "{}"}}))
    assert [(c.name, c.arguments) for c in turn.calls] == [("f", "{}")]


async def test_chat__endpoint_that_repeats_the_key__gets_it_into_no_record(caplog):
    caplog.set_level(logging.DEBUG)
    message = {
        "content": f"your key is {KEY}",
        "tool_calls": [function(json.dumps({"a": KEY}), KEY, f"f-{KEY}")],
    }
    turn = await turn_of(says(message, id=f"r-{KEY}", model=KEY))
    fault = await fault_of(http(json.dumps({"error": {"code": KEY}}).encode(), 400))
    assert KEY not in repr(turn) + repr(fault) + fault.detail + caplog.text
    assert turn.text == "your key is [key]"


async def test_chat__request__carries_the_key_once_and_nothing_that_names_the_tester():
    async with wire(OK) as (spoken, url):
        await one_turn(url)
    head, _, body = spoken.requests[0].partition(b"\r\n\r\n")
    assert head.count(KEY.encode()) == 1
    assert f"Authorization: Bearer {KEY}".encode() in head
    assert KEY.encode() not in body
    assert b"undersigned" not in spoken.requests[0].lower()
    assert set(json.loads(body)) == {"model", "messages", "tools"}


async def test_chat__environment_proxy_and_netrc__are_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    async with wire(OK) as (spoken, url):
        assert (await one_turn(url, key=None)).text == "done"
    assert b"Authorization" not in spoken.requests[0]


async def test_chat__cookie__is_not_sent_back():
    async with (
        wire(http(OK.partition(b"\r\n\r\n")[2], 200, "Set-Cookie: episode=7"), OK) as (
            spoken,
            url,
        ),
        ChatAgent(ChatSettings(url, "m"), None) as agent,
    ):
        for _ in range(2):
            await agent.begin(Stream.of("t")).act(view())
    assert b"cookie" not in spoken.requests[1].lower()


async def test_chat__agent_that_is_not_open__begins_nothing():
    agent = ChatAgent(ChatSettings("http://127.0.0.1:9/v1", "m"), None)
    with pytest.raises(RuntimeError):
        agent.begin(Stream.of("t"))


async def test_chat__many_at_once__keep_their_conversations_apart():
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                asked = json.loads(await reader.readexactly(length))
                await asyncio.sleep(0.001)
                writer.write(says({"content": asked["messages"][1]["content"]}))
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with ChatAgent(ChatSettings(url, "m"), None) as agent:
        views = [View("i", f"request {n}", ()) for n in range(50)]
        turns = await asyncio.gather(
            *[agent.begin(Stream.of(n)).act(v) for n, v in enumerate(views)]
        )
    assert [t.text for t in turns] == [v.request for v in views]
    server.close()
    await server.wait_closed()


async def test_chat__request_of_many_megabytes__is_sent_whole():
    async with wire(OK) as (spoken, url), ChatAgent(ChatSettings(url, "m"), None) as agent:
        await agent.begin(Stream.of("t")).act(View("i", "x" * 3_000_000, ()))
    assert len(spoken.body(0)["messages"][1]["content"]) == 3_000_000
