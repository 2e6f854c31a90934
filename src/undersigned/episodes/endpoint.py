"""How is a reference agent met over real HTTP, like any chat endpoint?

A server on 127.0.0.1 speaks the OpenAI chat completions protocol for one reference agent. Such an
agent needs its scenario, which no chat request may carry; the test hands it over beforehand on a
private channel (``POST /private/scenario``), keyed by a random token. The conversation that then
starts with the scenario's texts is given to it. An agent that crashes answers 500, one that stalls
answers nothing. With a provider's key every answer is signed (``agents.relay``).

Refuses: streaming (400), a conversation that was not announced (404), a wrong token (401), a
scenario whose texts differ from the installed version's (422), a second scenario with the same
texts before the first was taken up (409, ask again).

Invariants:
- A request that is repeated, because its answer was lost, gets the same answer and no new turn.
- Only 127.0.0.1 is bound; the token stands in no log, answer or chat request.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from undersigned.agents.problems import SERVE_REFUSED
from undersigned.agents.relay import HEADER, header_value
from undersigned.agents.view import Agent, StalledError, Turn
from undersigned.attacks.channels import channels
from undersigned.core.canonical import Digest, digest_bytes
from undersigned.core.errors import UndersignedError, UsageError
from undersigned.episodes.conversations import (
    BadMessagesError,
    ClashError,
    Conversation,
    Conversations,
    UnknownConversationError,
    read_messages,
)
from undersigned.episodes.reference_line import PRIVATE_PATH, TOKEN_HEADER, Announcement
from undersigned.episodes.rig import Rig
from undersigned.evidence.keys import Signer
from undersigned.worlds.family import load_family
from undersigned.worlds.scenario import Recipe, Scenario, assemble

HOST = "127.0.0.1"
REQUEST_LIMIT = 64 << 20
"""Bytes of a request that are read."""
CHARACTERS_A_TOKEN = 4
"""Rough measure for the usage that the endpoint states."""

_announcement = msgspec.json.Decoder(Announcement, strict=True)


class Server:
    """A running reference endpoint. url: base address for a card. token: of the private channel."""

    def __init__(
        self, runner: web.AppRunner, port: int, token: str, closing: asyncio.Event
    ) -> None:
        """Hold what is running. Made by ``serve`` only."""
        self.url = f"http://{HOST}:{port}/v1"
        self.token = token
        self._runner = runner
        self._closing = closing

    async def close(self) -> None:
        """Stop, and end every conversation."""
        self._closing.set()
        await self._runner.cleanup()


async def serve(
    agent: Agent,
    port: int = 0,
    *,
    token: str = "",
    relay_key: Signer | None = None,
    clock: Callable[[], float] = time.monotonic,
    new_id: Callable[[], str] = secrets.token_hex,
) -> Server:
    """Start an endpoint for a reference agent.

    port: 0 for any free one. token: of the private channel, random when empty. relay_key:
    signs every answer, none when None. clock: monotonic seconds. new_id: makes unguessable ids.
    Raises UsageError (E-AGT-006) when the agent is no
    reference agent or the port cannot be had.
    """
    if not agent.is_privileged:
        raise UsageError(SERVE_REFUSED, "only reference agents are served", agent=agent.name)
    closing = asyncio.Event()
    secret = token or secrets.token_urlsafe(32)
    desk = _Desk(agent, secret, relay_key, Conversations(clock), closing, new_id)
    app = web.Application(client_max_size=REQUEST_LIMIT)
    app.router.add_post("/v1/chat/completions", desk.complete)
    app.router.add_get("/v1/models", desk.models)
    app.router.add_post(PRIVATE_PATH, desk.announce)
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0, handle_signals=False
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        raise UsageError(
            SERVE_REFUSED, "the port cannot be had", port=port, reason=error.strerror
        ) from error
    return Server(runner, runner.addresses[0][1], secret, closing)


class _Desk:
    """Answers the requests of one endpoint."""

    def __init__(
        self,
        agent: Agent,
        token: str,
        relay_key: Signer | None,
        conversations: Conversations,
        closing: asyncio.Event,
        new_id: Callable[[], str],
    ) -> None:
        self._agent = agent
        self._token = token.encode()
        self._relay_key = relay_key
        self._conversations = conversations
        self._closing = closing
        self._new_id = new_id

    async def models(self, _: web.Request) -> web.Response:
        """List the one model."""
        model = {"id": self._agent.name, "object": "model", "created": 0, "owned_by": "undersigned"}
        return web.json_response({"object": "list", "data": [model]})

    async def announce(self, request: web.Request) -> web.Response:
        """Take a scenario over the private channel."""
        given = request.headers.get(TOKEN_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._token):
            return _error(401, "the token is wrong", "bad_token")
        try:
            announced = _announcement.decode(await request.read())
            rig, scenario = _scenario(announced)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
            return _error(400, str(error)[:300], "bad_scenario")
        except UndersignedError as error:
            return _error(422, error.what, error.code)
        texts = announced.instructions, announced.request
        try:
            self._conversations.announce(Conversation(self._agent, rig, scenario, *texts))
        except ClashError:
            return _error(409, "another conversation starts with these texts", "ask_again")
        return web.json_response({"announced": True})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat request."""
        body = await request.read()
        request_digest = digest_bytes(body)
        try:
            asked = json.loads(body)
            if type(asked) is not dict:
                return _error(400, "the request is not an object", "bad_request")
            if asked.get("stream"):
                return _error(400, "streaming is not offered; leave out stream", "no_streaming")
            messages = read_messages(asked.get("messages"))
            conversation = self._conversations.find(messages, request_digest)
            async with conversation.lock:
                if conversation.last_request != request_digest:
                    turn = await self._turn(conversation, messages)
                    conversation.last_answer = _completion(self._agent.name, turn, body)
                    conversation.last_request = request_digest
                    self._conversations.answered(conversation, messages, turn.text)
                return self._answer(request_digest, conversation.last_answer)
        except BadMessagesError as error:
            return _error(400, str(error), "bad_messages")
        except (ValueError, RecursionError):
            return _error(400, "the request is not JSON", "bad_request")
        except UnknownConversationError:
            return _error(404, "no scenario was handed over for this conversation", "unknown")
        except StalledError:
            await self._closing.wait()
            return _error(503, "the endpoint is closing", "closing")
        except _AgentCrashError as error:
            return _error(500, str(error), "agent_crashed")

    def _answer(self, request: Digest, body: bytes) -> web.Response:
        headers = {}
        if self._relay_key is not None:
            headers[HEADER] = header_value(self._relay_key, request, digest_bytes(body))
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def _turn(self, conversation: Conversation, messages: list[Any]) -> Turn:
        # WHY gather: it hands over whatever the agent raises as a value, as its crash.
        done = await asyncio.gather(
            conversation.turn(messages, self._new_call_id), return_exceptions=True
        )
        outcome = done[0]
        if isinstance(outcome, Turn):
            return outcome
        if isinstance(outcome, BadMessagesError | StalledError):
            raise outcome
        raise _AgentCrashError(type(outcome).__name__)

    def _new_call_id(self) -> str:
        return f"call_{self._new_id()}"


class _AgentCrashError(Exception):
    """The agent raised; the text names the type."""


def _scenario(announced: Announcement) -> tuple[Rig, Scenario]:
    """Make the announced scenario. Raises UsageError, ValueError."""
    seed = bytes.fromhex(announced.seed)
    if len(seed) != 32:
        raise ValueError("the seed is not 32 bytes")
    template = announced.template
    family = load_family(announced.family, announced.locales)
    task, hazard = family.task(template.task), family.hazard(template.hazard)
    channel = channels().get(template.channel)
    if channel is not None and not channel.fits(task.slots):
        raise ValueError("the channel does not fit the task")
    recipe = Recipe(template, seed, task, hazard, channel)
    scenario = assemble((recipe,), fault_share=announced.fault_share)[0]
    rig = Rig(family)
    words = rig.instructions(scenario), rig.request(scenario)
    if words != (announced.instructions, announced.request) or family.version != announced.version:
        raise UsageError(SERVE_REFUSED, "the texts differ: another version is installed here")
    return rig, scenario


def _completion(model: str, turn: Turn, request: bytes) -> bytes:
    said = None if turn.calls and not turn.text else turn.text
    message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": None}
    if turn.refused:
        message |= {"content": None, "refusal": turn.text}
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.calls
        ]
    written = len(turn.text) + sum([len(call.name) + len(call.arguments) for call in turn.calls])
    tokens_in, tokens_out = len(request) // CHARACTERS_A_TOKEN, written // CHARACTERS_A_TOKEN
    finish = "tool_calls" if turn.calls else "stop"
    # WHY json and not msgspec: lone surrogates must go through as escapes.
    return json.dumps(
        {
            "id": f"chatcmpl-{digest_bytes(request)[7:31]}",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
            },
        }
    ).encode()


def _error(status: int, detail: str, code: str) -> web.Response:
    error = {"message": detail, "type": "invalid_request_error", "code": code}
    return web.json_response({"error": error}, status=status)
