"""How does an OpenAI-compatible chat endpoint take part as an agent?

Builds each request from the view alone, keeps the conversation, and turns each answer into a
``Turn``. What the model wrote is graded; what happened on the way is a TransportError.

Invariants:
- Nothing of a family, seed, scenario, hazard or run goes to the endpoint.
- The key is in no turn, usage, digest or error; where an endpoint repeats it, it is taken out, and
  what a provider signed of that answer is not kept.
- A recorded turn can be fed back without a request, so that an episode can be resumed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType

import msgspec

from undersigned.agents.chat_limits import Clock
from undersigned.agents.chat_line import Answer, Line
from undersigned.agents.chat_settings import ChatSettings, check_settings
from undersigned.agents.chat_wire import Conversation
from undersigned.agents.relay import relay_of
from undersigned.agents.view import ToolCall, Turn, Usage, View
from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import AccessDeniedError
from undersigned.core.streams import Stream

REDACTED = "[key]"
"""Stands where an endpoint repeated the key."""
REDACT_FROM = 8
"""Characters a key must have to be taken out; shorter ones, which local servers take, would also
be found in ordinary words."""


class ChatAgent:
    """A chat endpoint as a system under test. Use as an async context, or ``open`` and ``close``.

    is_live: its turns cost something and are not repeatable.
    """

    is_live = True
    is_prompt = False
    is_privileged = False

    def __init__(self, settings: ChatSettings, key: str | None, clock: Clock | None = None) -> None:
        """Prepare; nothing is sent. key: from ``check_key``. clock: the machine's own when None.
        Raises UsageError (E-AGT-005, E-AGT-008) for settings that cannot be used."""
        check_settings(settings)
        self.settings = settings
        self.name = settings.model
        self.digest = settings.digest()
        self._secret = key if key is not None and len(key) >= REDACT_FROM else None
        self.line = Line(settings, key, clock or Clock(time.monotonic, time.time, asyncio.sleep))

    async def open(self) -> None:
        """Make the session."""
        await self.line.open()

    async def close(self) -> None:
        """Close the session and its connections."""
        await self.line.close()

    async def __aenter__(self) -> ChatAgent:
        """Open."""
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    @property
    def refusal(self) -> AccessDeniedError | None:
        """Return why the endpoint will answer no request of this card (E-AGT-007), or None."""
        return self.line.refusal

    def begin(self, draw: Stream) -> ChatActor:
        """Start an episode. draw: spreads the waits between tries. Raises RuntimeError when the
        agent is not open."""
        if not self.line.is_open:
            raise RuntimeError("the chat agent is not open")
        return ChatActor(self.settings, partial(self._ask, draw.child("retry")))

    async def _ask(self, draw: Stream, request: bytes) -> Turn:
        """Send a request and return the turn that its answer holds. draw: spreads the waits."""
        return self.turn(await self.line.ask(request, draw), request)

    def turn(self, answer: Answer, request: bytes) -> Turn:
        """Return the turn that an answer holds, without the key. request: the bytes sent."""
        reply, clean = answer.reply, self._without_key
        usage = Usage(
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            requests=answer.requests,
            wall_us=answer.wall_us,
            model=clean(reply.model),
            provider_id=clean(reply.provider_id),
            request_digest=digest_bytes(request),
            response_digest=answer.response_digest,
        )
        calls = tuple(
            [ToolCall(clean(c.id), clean(c.name), clean(c.arguments)) for c in reply.calls]
        )
        turn = Turn(clean(reply.text), calls, reply.refused, usage)
        # WHY compared: a key in several parts of an answer shows only once they are put together.
        if answer.signed is None or (turn.text, turn.calls) != (reply.text, reply.calls):
            return turn
        relay = relay_of(answer.signed, answer.body, self._secret)
        return msgspec.structs.replace(turn, usage=msgspec.structs.replace(usage, relay=relay))

    def _without_key(self, text: str) -> str:
        return text if self._secret is None else text.replace(self._secret, REDACTED)


Ask = Callable[[bytes], Awaitable[Turn]]
"""Takes the exact bytes of a request and returns the turn that its answer holds."""


class ChatActor:
    """A chat endpoint in one episode: keeps the conversation, whoever gives the answers."""

    __slots__ = ("_ask", "_conversation", "_settings")

    def __init__(self, settings: ChatSettings, ask: Ask) -> None:
        """Start. ask: gives an answer, or raises as ``act`` does."""
        self._settings = settings
        self._ask = ask
        self._conversation: Conversation | None = None

    async def act(self, view: View) -> Turn:
        """Ask for the next turn.

        Raises TransportError, StalledError, and ContextExceededError when the conversation has
        outgrown the model.
        """
        conversation = self._told(view)
        return conversation.speak(await self._ask(conversation.body()))

    def replayed(self, view: View, turn: Turn) -> None:
        """Take a recorded turn into the conversation, without a request."""
        self._told(view).speak(turn)

    def _told(self, view: View) -> Conversation:
        if self._conversation is None:
            self._conversation = Conversation(self._settings, view)
        self._conversation.hear(view.new)
        return self._conversation
