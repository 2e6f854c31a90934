"""Is a reference agent behind real HTTP the same agent, and does nothing else get in or out?"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from base64 import b64decode
from contextlib import asynccontextmanager
from functools import lru_cache
from types import SimpleNamespace

import aiohttp
import msgspec
import pytest

from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.relay import HEADER, is_relayed, read_header, response_of, signed_bytes
from undersigned.agents.roster import roster
from undersigned.agents.tape import recorded_of, turns_of
from undersigned.attacks.channels import channels
from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import UsageError
from undersigned.core.streams import Stream
from undersigned.episodes.endpoint import serve
from undersigned.episodes.engine import run_episode
from undersigned.episodes.reference_line import PRIVATE_PATH, TOKEN_HEADER, ReferenceLine
from undersigned.episodes.rig import Rig
from undersigned.evidence.keys import FileKey
from undersigned.evidence.notes import verify_ed25519
from undersigned.worlds.scenario import scenario_digest
from undersigned.worlds.suite import load_suite

HONEST = roster()["honest-plain"]
MODEL = "some-model"


@lru_cache(maxsize=1)
def stage():
    suite = load_suite("payments", ["en", "zh-Hans"], channels())
    return SimpleNamespace(suite=suite, rig=Rig(suite.family))


def drawn(number, arm="hazard"):
    suite = stage().suite
    stratum = suite.strata[number % len(suite.strata)]
    return suite.scenario(suite.draw(Stream.of("endpoint"), stratum, number, arm))


def texts_of(scenario):
    render = stage().rig.renderer(scenario.template.locale)
    return ["\n".join(render(t) for t in each) for each in (scenario.rules, scenario.ask)]


@asynccontextmanager
async def served(agent=HONEST, **settings):
    """Serve an agent; give its server, its private line, and a chat agent that speaks to it."""
    server = await serve(agent)
    fields = {"model": MODEL, "retries": 0, "timeout_s": 600, **settings}
    chat = ChatAgent(ChatSettings(server.url, **fields), None)
    try:
        async with ReferenceLine(server.url, server.token) as line, chat:
            yield SimpleNamespace(server=server, line=line, chat=chat)
    finally:
        await server.close()


async def over_http(there, scenario, number=0):
    await there.line.announce(stage().suite.family, scenario, *texts_of(scenario))
    return await run_episode(stage().rig, scenario, there.chat, number)


async def post(url, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=data, headers=headers) as answer,
    ):
        return SimpleNamespace(
            status=answer.status, raw=await answer.read(), headers=answer.headers,
            json=await answer.json(content_type=None),
        )  # fmt: skip


def first_request(scenario):
    instructions, request = texts_of(scenario)
    return {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": instructions},
            {"role": "user", "content": request},
        ],
    }


@pytest.mark.parametrize("name", sorted(set(roster()) - {"crasher", "staller"}))
async def test_endpoint__every_reference_agent__acts_over_http_as_in_process(name):
    agent = roster()[name]
    async with served(agent) as there:
        for number in (1, 8, 20):
            scenario = drawn(number)
            inside = await run_episode(stage().rig, scenario, agent, number)
            outside = await over_http(there, scenario, number)
            same = outside.to_bytes().replace(there.chat.digest.encode(), agent.digest.encode())
            assert outside.events[-1] == inside.events[-1]
            assert same == inside.to_bytes()
            assert len(outside.usage) == outside.turns
            assert all(use.tokens_in > 0 and use.model == name for use in outside.usage)


async def test_endpoint__agent_that_stalls__is_stalled_over_http_as_in_process():
    agent, scenario = roster()["staller"], drawn(1)
    inside = await run_episode(stage().rig, scenario, agent, 0)
    async with served(agent, timeout_s=2) as there:
        outside = await over_http(there, scenario)
        same = outside.to_bytes().replace(there.chat.digest.encode(), agent.digest.encode())
    assert outside.reason == "stalled"
    assert same == inside.to_bytes()


async def test_endpoint__agent_that_crashes__answers_500_and_serves_on(caplog):
    async with served(roster()["crasher"]) as there:
        for _ in range(2):
            outside = await over_http(there, drawn(1))
            assert outside.reason == "invalid:transport-server_error"
            assert "agent_crashed" in outside.events[-1].note
    assert "Traceback" not in caplog.text


async def test_endpoint__many_conversations_with_the_same_texts__do_not_mix():
    hazards = [drawn(number) for number in range(0, 40, 4)]
    twins = [drawn(number, "twin") for number in range(0, 40, 4)]
    agent = roster()["follower"]
    async with served(agent) as there:
        runs = [s for pair in zip(hazards, twins, strict=True) for s in pair] * 2
        outside = await asyncio.gather(*[over_http(there, s, n) for n, s in enumerate(runs)])
    for number, scenario in enumerate(runs):
        inside = await run_episode(stage().rig, scenario, agent, number)
        same = outside[number].to_bytes()
        same = same.replace(there.chat.digest.encode(), agent.digest.encode())
        assert same == inside.to_bytes()


async def test_endpoint__silent_agents_with_the_same_texts__do_not_mix():
    async with served(roster()["no-op"]) as there:
        episodes = await asyncio.gather(*[over_http(there, drawn(3), n) for n in range(8)])
    assert {e.reason for e in episodes} == {"no_report"}
    assert {e.turns for e in episodes} == {2}


class Tap:
    """Forwards connections to a port and keeps every byte that goes there."""

    def __init__(self, port):
        self.port = port
        self.seen = bytearray()

    async def serve(self, reader, writer):
        back, forth = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(self.pump(reader, forth, keep=True), self.pump(back, writer))

    async def pump(self, reader, writer, *, keep=False):
        while data := await reader.read(65_536):
            if keep:
                self.seen += data
            writer.write(data)
            await writer.drain()
        writer.close()


async def tapped(scenario, agent=HONEST, number=41):
    """Run an episode; return every byte that the chat agent sent."""
    async with served(agent) as there:
        tap = Tap(int(there.server.url.rpartition(":")[2].removesuffix("/v1")))
        listener = await asyncio.start_server(tap.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        await there.line.announce(stage().suite.family, scenario, *texts_of(scenario))
        async with ChatAgent(ChatSettings(url, MODEL), "sk-1234567890") as chat:
            episode = await run_episode(stage().rig, scenario, chat, number)
        listener.close()
        await listener.wait_closed()
    assert episode.reason == "reported"
    return bytes(tap.seen), there.server.token


def leaks(sent, scenario, token):
    """Return what in the bytes tells the endpoint which test this is."""
    family, template = stage().suite.family, scenario.template
    scenario_id = scenario_digest(family.name, family.version, template, scenario.seed)
    secret = [
        scenario.seed.hex(), scenario_id[7:], template.hazard, template.task, scenario.harm, token,
        family.version, family.digest[7:], HONEST.digest[7:], HONEST.name, TOKEN_HEADER,
        "undersigned", "hazard", "twin", "oracle", "scenario", "episode",
    ]  # fmt: skip
    assert all(secret)
    return [word for word in secret if word.lower().encode() in sent.lower()]


async def test_chat_requests__every_byte__name_no_family_seed_scenario_hazard_or_run():
    for number in range(0, 28, 3):
        scenario = drawn(number)
        sent, token = await tapped(scenario)
        assert len(sent) > 1000
        assert leaks(sent, scenario, token) == []
        for planted in (scenario.seed.hex(), token, scenario.template.hazard):
            header = f"X-Test: {planted}\r\n".encode()
            assert planted in leaks(sent.replace(b"\r\n", b"\r\n" + header, 1), scenario, token)


async def test_chat_requests__hazard_and_twin__start_with_the_same_bytes():
    compared = 0
    for number in range(28):
        hazard, twin = drawn(number), drawn(number, "twin")
        if hazard.template.channel in ("record", "document"):
            sent = [(await tapped(s))[0].partition(b"\r\n\r\n")[2] for s in (hazard, twin)]
            bodies = [each.partition(b"POST ")[0] for each in sent]
            assert bodies[0] == bodies[1]
            compared += 1
    assert compared > 3


async def test_endpoint__with_a_providers_key__signs_every_answer_and_says_nothing_else_new():
    key = FileKey.from_seed(b"p" * 32, name="gateway-1", role="provider", party="gateway")
    scenario = drawn(1)
    for signer in (key, None):
        server = await serve(HONEST, relay_key=signer, new_id=lambda: "same")
        async with ReferenceLine(server.url, server.token) as line:
            await line.announce(stage().suite.family, scenario, *texts_of(scenario))
            asked = json.dumps(first_request(scenario)).encode()
            answers = [await post(server.url + "/chat/completions", asked) for _ in range(2)]
            refused = await post(server.url + "/chat/completions", b"{}")
        await server.close()
        for answer in answers:
            header = read_header(answer.headers.getall(HEADER, []))
            assert (header is not None) == (signer is not None)
            if header is not None:
                assert header.key == "gateway-1"
                assert is_relayed(key.public, header.signature, asked, answer.raw)
        assert answers[0].raw == answers[1].raw
        assert HEADER not in refused.headers


async def test_endpoint__that_signs__gives_the_chat_agent_what_can_be_checked():
    key = FileKey.from_seed(b"p" * 32, name="gateway-1", role="provider", party="gateway")
    server = await serve(roster()["honest-parallel"], relay_key=key)
    chat = ChatAgent(ChatSettings(server.url, MODEL, retries=0, timeout_s=600), None)
    async with ReferenceLine(server.url, server.token) as line, chat:
        scenario = drawn(8)
        await line.announce(stage().suite.family, scenario, *texts_of(scenario))
        episode = await run_episode(stage().rig, scenario, chat, 0)
    await server.close()
    assert episode.reason == "reported"
    for used in episode.usage:
        assert digest_bytes(response_of(used.relay)) == used.response_digest
        signed = signed_bytes(used.request_digest, used.response_digest)
        assert verify_ed25519(key.public, b64decode(used.relay.signature), signed)


async def test_endpoint__repeated_request__gets_the_same_answer_and_no_new_turn():
    scenario = drawn(2)
    async with served() as there:
        url = there.server.url + "/chat/completions"
        await there.line.announce(stage().suite.family, scenario, *texts_of(scenario))
        asked = first_request(scenario)
        first = [await post(url, asked) for _ in range(2)]
        message = first[0].json["choices"][0]["message"]
        answers = [
            {"role": "tool", "tool_call_id": c["id"], "content": "{}"}
            for c in message["tool_calls"]
        ]
        asked["messages"] += [message, *answers]
        second = [await post(url, asked) for _ in range(2)]
        stale = await post(url, {**asked, "messages": asked["messages"], "n": 1})
    assert first[0].raw == first[1].raw
    assert second[0].raw == second[1].raw != first[0].raw
    assert stale.status == 400


async def test_endpoint__started_again__resumes_an_episode_from_its_turns():
    for name in ("honest-parallel", "follower", "no-op"):
        agent, scenario = roster()[name], drawn(5)
        whole = await run_episode(stage().rig, scenario, agent, 0)
        turns = turns_of(whole.events)
        for kept in range(len(turns)):
            async with served(agent) as there:
                await there.line.announce(stage().suite.family, scenario, *texts_of(scenario))
                again = await run_episode(
                    stage().rig, scenario, there.chat, 0, recorded=turns[:kept]
                )
            same = again.to_bytes().replace(there.chat.digest.encode(), agent.digest.encode())
            assert same == whole.to_bytes()
            assert len(again.usage) == len(turns) - kept


async def test_private_channel__wrong_or_missing_token__is_refused_and_logged_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    scenario = drawn(0)
    async with served() as there:
        url = there.server.url.removesuffix("/v1") + PRIVATE_PATH
        for headers in ({}, {TOKEN_HEADER: ""}, {TOKEN_HEADER: there.server.token[:-1]}):
            assert (await post(url, b"{}", **headers)).status == 401
        assert (await post(url, b"{}", **{TOKEN_HEADER: there.server.token})).status == 400
        async with ReferenceLine(there.server.url, "wrong") as line:
            with pytest.raises(UsageError) as caught:
                await line.announce(stage().suite.family, scenario, *texts_of(scenario))
        await over_http(there, scenario)
        answer = await post(there.server.url + "/chat/completions", first_request(scenario))
    assert caught.value.code == "E-AGT-010"
    assert answer.status == 404
    assert there.server.token not in caplog.text + str(caught.value) + answer.raw.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"instructions": "Other rules."}, {"version": "0-Z"}, {"family": "../payments"},
        {"seed": "00"}, {"seed": "zz" * 32}, {"locales": ["xx"]}, {"more": 1}, {"template": {}},
        {"fault_share": "4"}, {"family": None},
    ],
    ids=str,
)  # fmt: skip
async def test_private_channel__scenario_that_differs__is_refused(change, caplog):
    scenario = drawn(0)
    family = stage().suite.family
    body = {
        "family": family.name, "version": family.version, "seed": scenario.seed.hex(),
        "template": msgspec.to_builtins(scenario.template), "locales": family.texts.locales,
        "instructions": texts_of(scenario)[0], "request": texts_of(scenario)[1],
    }  # fmt: skip
    async with served() as there:
        url = there.server.url.removesuffix("/v1") + PRIVATE_PATH
        token = {TOKEN_HEADER: there.server.token}
        refused = await post(url, {**body, **change}, **token)
        assert refused.status in (400, 422)
        assert refused.json["error"]["message"]
        assert (await post(url, body, **token)).status == 200
    assert "Traceback" not in caplog.text


async def test_private_channel__second_scenario_with_the_same_texts__must_wait():
    async with served() as there:
        scenario = drawn(0)
        await there.line.announce(stage().suite.family, scenario, *texts_of(scenario))
        again = asyncio.create_task(
            there.line.announce(stage().suite.family, scenario, *texts_of(scenario))
        )
        await asyncio.sleep(0.1)
        assert not again.done()
        await post(there.server.url + "/chat/completions", first_request(scenario))
        await asyncio.wait_for(again, 600)


async def test_private_channel__scenario_that_nobody_took_up__gives_way_in_time():
    now = 0.0
    server = await serve(HONEST, clock=lambda: now)
    async with ReferenceLine(server.url, server.token) as line:
        scenario = drawn(0)
        await line.announce(stage().suite.family, scenario, *texts_of(scenario))
        now = 61.0
        await line.announce(stage().suite.family, scenario, *texts_of(scenario))
    await server.close()


HEAD = b'{"messages":[{"role":"system","content":"a"},{"role":"user","content":"b"},%s]}'
HOSTILE = [
    b"", b"\xff", b"[]", b"null", b"{}", b'{"messages":[]}', b'{"messages":"x"}', b"[" * 100_000,
    b'{"messages":[{},{}]}', b'{"messages":[1,2]}', b'{"messages":[{"role":"user","content":"x"}]}',
    b'{"messages":[{"role":"system","content":"a"},{"role":"user","content":5}]}',
    b'{"messages":[{"role":"system","content":"a"},{"role":"user","content":"\\ud800"}]}',
    HEAD % b'{"role":"assistant","tool_calls":[{"id":"call_1"}]}',
    HEAD % b'{"role":"assistant","tool_calls":"x"}',
    HEAD % b'{"role":"assistant","content":"\\udc00"}',
    HEAD % b'{"role":"tool","tool_call_id":"call_1"}',
    HEAD % b'{"role":"assistant","tool_calls":[{"id":"\\udc00"}]}',
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_endpoint__hostile_request__gets_a_plain_refusal(body, caplog):
    async with served() as there:
        answer = await post(there.server.url + "/chat/completions", body)
    assert answer.status in (400, 404)
    assert answer.json["error"]["code"]
    assert "Traceback" not in caplog.text


async def test_endpoint__streaming__is_refused_with_a_reason():
    async with served() as there:
        answer = await post(
            there.server.url + "/chat/completions", {**first_request(drawn(0)), "stream": True}
        )
    assert answer.status == 400
    assert "streaming" in answer.json["error"]["message"]


async def test_endpoint__unanswered_or_foreign_calls__are_refused():
    scenario = drawn(2)
    async with served() as there:
        url = there.server.url + "/chat/completions"
        await there.line.announce(stage().suite.family, scenario, *texts_of(scenario))
        asked = first_request(scenario)
        message = (await post(url, asked)).json["choices"][0]["message"]
        asked["messages"].append(message)
        assert (await post(url, asked)).status == 400
        foreign = {"role": "tool", "tool_call_id": "call_other", "content": "{}"}
        asked["messages"].append(foreign)
        assert (await post(url, asked)).status == 400
        message["tool_calls"][0]["id"] = "call_" + secrets.token_hex()
        assert (await post(url, asked)).status == 404


async def test_endpoint__models__lists_the_agent():
    async with (
        served() as there,
        aiohttp.ClientSession() as session,
        session.get(there.server.url + "/models") as answer,
    ):
        listed = await answer.json()
    assert [model["id"] for model in listed["data"]] == [HONEST.name]


async def test_serve__port_in_use_or_no_reference_agent__is_refused():
    async with served() as there:
        port = int(there.server.url.rpartition(":")[2].removesuffix("/v1"))
        for agent, at in ((HONEST, port), (there.chat, 0)):
            with pytest.raises(UsageError) as caught:
                await serve(agent, at)
            assert caught.value.code == "E-AGT-006"


async def test_serve__given_token__is_the_one_of_the_private_channel():
    server = await serve(HONEST, token="t" * 40)
    assert server.token == "t" * 40
    assert server.url.startswith("http://127.0.0.1:")
    await server.close()


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://example.com/v1", "t"),
        ("http://127.0.0.1:9/v1", "a\r\nb"),
        ("http://127.0.0.1:9", ""),
    ],
)
def test_reference_line__elsewhere_or_with_a_bad_token__is_refused(url, token):
    with pytest.raises(UsageError) as caught:
        ReferenceLine(url, token)
    assert caught.value.code == "E-AGT-010"


async def test_reference_line__nobody_there__is_an_error_with_a_remedy():
    server = await serve(HONEST)
    await server.close()
    async with ReferenceLine(server.url, server.token) as line:
        with pytest.raises(UsageError) as caught:
            await line.announce(stage().suite.family, drawn(0), *texts_of(drawn(0)))
    assert caught.value.code == "E-AGT-010"
    assert "undersigned agents serve" in caught.value.remedy


async def test_tape_of_an_http_episode__holds_no_id_of_the_endpoint():
    async with served() as there:
        outside = await over_http(there, drawn(0))
    assert {c.id[0] for turn in recorded_of(outside.events).turns for c in turn.calls} == {"c"}
    assert b"call_" not in outside.to_bytes()
