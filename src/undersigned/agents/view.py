"""What does an agent really see, and what does it answer?

A ``View`` holds the operator's instructions, the user's request, the offered tools and what the
last calls returned; nothing in it names a family, seed, scenario or hazard. A ``PrivilegedView``
additionally holds the scenario; only reference agents get one, which calibrate the instrument and
stand for no real model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from undersigned.core.canonical import Digest
from undersigned.core.streams import Stream
from undersigned.worlds.kit.records import Text
from undersigned.worlds.scenario import Scenario


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A call as the agent wrote it. id: the agent's own. arguments: JSON text as received."""

    id: str
    name: str
    arguments: str


class Relay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer that a provider or gateway signed. key: the signer's name. signature: base64 of 64
    bytes. response: base64 of the exact bytes of the answer. Nothing here says that it verifies."""

    key: str
    signature: str
    response: str


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a turn took. Lives beside the events, never in them. tokens_in, tokens_out: as the
    endpoint counts. requests: sent, retries included. wall_us: microseconds. model: as the endpoint
    names itself. provider_id: the endpoint's id of the response. relay: of a signed answer."""

    tokens_in: int = 0
    tokens_out: int = 0
    requests: int = 0
    wall_us: int = 0
    model: str = ""
    provider_id: str = ""
    request_digest: str = ""
    response_digest: str = ""
    relay: Relay | None = None


class Turn(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What an agent does next. text: what it says. calls: in the order they are carried out.
    refused: the endpoint marked it as a refusal. usage: None for agents in process."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    refused: bool = False
    usage: Usage | None = None


class Offer(NamedTuple):
    """A tool as it is offered. schema: JSON Schema of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What the agent is told since its last turn. call: the id of its call that this answers, or
    empty for a reminder by the machinery."""

    call: str
    text: str


class View:
    """What an agent sees.

    instructions: the operator's rules, one a line. request: the user's. tools: as they are offered.
    new: what it is told since its last turn; empty at the first. turn: number of the next one.
    """

    __slots__ = ("instructions", "new", "request", "tools", "turn")

    def __init__(self, instructions: str, request: str, tools: tuple[Offer, ...]) -> None:
        """Start an episode."""
        self.instructions = instructions
        self.request = request
        self.tools = tools
        self.new: tuple[Heard, ...] = ()
        self.turn = 0


class PrivilegedView(View):
    """What a reference agent sees: the view, the scenario, and a renderer of its texts."""

    __slots__ = ("render", "scenario")

    def __init__(
        self,
        instructions: str,
        request: str,
        tools: tuple[Offer, ...],
        scenario: Scenario,
        render: Callable[[Text], str],
    ) -> None:
        """Start an episode of a reference agent."""
        super().__init__(instructions, request, tools)
        self.scenario = scenario
        self.render = render


class TransportError(Exception):
    """The endpoint could not be reached or broke off; no fault of the agent.

    cause: ``unreachable``, ``server_error``, ``rate_limited``, ``broken_response``, ``redirect``.
    """

    def __init__(self, cause: str, detail: str) -> None:
        """Report a transport fault."""
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail


class StalledError(Exception):
    """The agent did not answer within its time."""


class RecordedEndError(Exception):
    """A tape has come to its end, where the recorded episode had ended. reason, note: of it."""

    def __init__(self, reason: str, note: str) -> None:
        """End as recorded."""
        super().__init__(reason)
        self.reason = reason
        self.note = note


class Actor(Protocol):
    """An agent in one episode."""

    async def act(self, view: View) -> Turn:
        """Return the next turn.

        Raises TransportError for faults of the way to the agent, StalledError when it takes too
        long; anything else that is raised is a crash of the agent.
        """
        ...


class PromptActor(Actor, Protocol):
    """An agent in one episode that waits for nothing."""

    def answer(self, view: View) -> Turn:
        """Return the next turn. Raises as ``act``."""
        ...


class Agent(Protocol):
    """A system under test.

    name: for people. digest: of what it is. is_live: its turns cost something and are not
    repeatable, so each is made durable before its calls run. is_privileged: it gets a
    ``PrivilegedView``. is_prompt: it waits for nothing; its actors are ``PromptActor``s.
    """

    name: str
    digest: Digest
    is_live: bool
    is_privileged: bool
    is_prompt: bool

    def begin(self, draw: Stream) -> Actor:
        """Start an episode. draw: the episode's stream; an agent draws from
        a child of it that bears its own name."""
        ...
