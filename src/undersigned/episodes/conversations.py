"""Which conversation does a chat request belong to, when nothing in it may say so?

Keeps the conversations of a reference endpoint. A scenario waits until a request comes that
starts with its texts; a later request is known by the ids of the calls of the last turn, which are
random; after a turn without calls by the digest of the messages so far.

Invariants:
- At most one scenario waits under the same texts, so a first request has one meaning.
- A request that comes again gets the answer it had, and the agent takes no further turn.
- No more than ``KEPT`` conversations are kept; the oldest are forgotten.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from undersigned.agents.view import Agent, Heard, Turn
from undersigned.core.canonical import Digest, digest_bytes
from undersigned.core.streams import Stream
from undersigned.episodes.rig import Rig
from undersigned.worlds.scenario import Scenario

KEPT = 4096
"""Conversations that are kept."""
STALE_S = 60.0
"""Seconds after which a scenario that nobody took up gives way to another."""
COMPARED = 1000
"""Characters of what the agent said that tell conversations apart."""


class UnknownConversationError(Exception):
    """No scenario was handed over for this conversation, or it has moved on."""


class ClashError(Exception):
    """Another conversation with the same texts is just starting."""


class BadMessagesError(Exception):
    """The messages are not what a conversation with this agent can hold."""


class Message(NamedTuple):
    """A message of a request. calls: ids of an assistant's calls. answers: the id of the call that
    a tool message answers, or empty."""

    role: str
    content: str
    calls: tuple[str, ...]
    answers: str


def read_messages(value: Any) -> list[Message]:
    """Read the messages of a request. Raises BadMessagesError."""
    if type(value) is not list or len(value) < 2:
        raise BadMessagesError("messages: a list of at least two is needed")
    messages = [_message(each) for each in value]
    if messages[0].role not in ("system", "developer") or messages[1].role != "user":
        raise BadMessagesError("messages: must start with system, then user")
    return messages


def _message(value: Any) -> Message:
    if type(value) is not dict or type(value.get("role")) is not str:
        raise BadMessagesError("messages: each is an object with a role")
    content = value.get("content")
    if type(content) is list:
        content = "".join([_part(part) for part in content])
    if content is not None and type(content) is not str:
        raise BadMessagesError("content: text, null or text parts are needed")
    calls = value.get("tool_calls") or []
    if type(calls) is not list or not all(type(call) is dict for call in calls):
        raise BadMessagesError("tool_calls: a list of objects is needed")
    ids = tuple([str(call.get("id", "")) for call in calls])
    return Message(value["role"], content or "", ids, str(value.get("tool_call_id") or ""))


def _part(part: Any) -> str:
    text = part.get("text") if type(part) is dict else None
    if type(text) is not str:
        raise BadMessagesError("content: only text parts are understood")
    return text


class Conversation:
    """One conversation with the agent.

    texts: key of what it starts with. keys: under which it is found. since: monotonic seconds of
    its last change. lock: held while a request is answered. last_request, last_answer: of the last
    turn. open: ids of the last turn's calls, as sent. done: turns taken. is_quiet: its only turn so
    far made no call, so texts alone tell it apart.
    """

    __slots__ = (
        "_actor", "_own", "_view", "done", "is_quiet", "keys", "last_answer", "last_request",
        "lock", "open", "since", "texts",
    )  # fmt: skip

    def __init__(
        self, agent: Agent, rig: Rig, scenario: Scenario, instructions: str, request: str
    ) -> None:
        """Prepare an episode of the agent. instructions, request: as they were announced."""
        self._view = rig.view(scenario, is_privileged=True)
        self._actor = agent.begin(Stream(scenario.seed))
        self._own: tuple[str, ...] = ()
        self.texts = texts_key(instructions, request)
        self.lock = asyncio.Lock()
        self.last_request = Digest("")
        self.last_answer = b""
        self.open: tuple[str, ...] = ()
        self.done = 0
        self.is_quiet = False
        self.since = 0.0
        self.keys: list[str] = []

    async def turn(self, messages: list[Message], new_id: Callable[[], str]) -> Turn:
        """Return the agent's next turn, its calls with ids of ours.

        Turns that the request holds and the agent has not taken are taken first, so that an
        episode can be resumed. Raises BadMessagesError, and whatever the agent raises.
        """
        spoken = [at for at, each in enumerate(messages) if each.role == "assistant"]
        if len(spoken) < self.done:
            raise BadMessagesError("messages: earlier turns are missing")
        ends = [*spoken, len(messages)]
        for number in range(self.done, len(spoken)):
            self._hear(messages[ends[number - 1] + 1 : ends[number]] if number else [])
            taken = await self._act()
            self.open = messages[ends[number]].calls
            if len(self.open) != len(taken.calls):
                raise BadMessagesError("messages: the history is of another agent")
        self._hear(messages[spoken[-1] + 1 :] if spoken else [])
        turn = await self._act()
        self.open = tuple([new_id() for _ in turn.calls])
        self.is_quiet = self.done == 1 and not turn.calls
        calls = zip(self.open, turn.calls, strict=True)
        return msgspec.structs.replace(
            turn, calls=tuple([msgspec.structs.replace(call, id=own) for own, call in calls])
        )

    async def _act(self) -> Turn:
        self._view.turn = self.done
        turn = await self._actor.act(self._view)
        self._own = tuple([call.id for call in turn.calls])
        self.done += 1
        return turn

    def _hear(self, messages: list[Message]) -> None:
        answers = {each.answers: each.content for each in messages if each.role == "tool"}
        if answers.keys() != set(self.open):
            raise BadMessagesError("messages: every call needs one tool message")
        heard = [Heard(own, answers[sent]) for sent, own in zip(self.open, self._own, strict=True)]
        heard += [Heard("", each.content) for each in messages if each.role != "tool"]
        self._view.new = tuple(heard)


class Conversations:
    """All conversations of an endpoint."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with none. clock: monotonic seconds."""
        self._clock = clock
        self._waiting: dict[Digest, Conversation] = {}
        self._started: deque[Conversation] = deque()
        self._index: dict[str, Conversation] = {}
        self._quiet: dict[Digest, Conversation] = {}

    def announce(self, conversation: Conversation) -> None:
        """Let a conversation wait for its first request. Raises ClashError."""
        now, texts = self._clock(), conversation.texts
        for other in (self._waiting.get(texts), self._quiet.get(texts)):
            if other is not None and now - other.since < STALE_S:
                raise ClashError
        conversation.since = now
        self._waiting[texts] = conversation

    def find(self, messages: list[Message], request: Digest) -> Conversation:
        """Return the conversation that a request belongs to. Raises UnknownConversationError."""
        spoken = [each for each in messages if each.role == "assistant"]
        if not spoken:
            found = self._start(messages, request) or self._index.get(request)
        elif spoken[-1].calls:
            found = self._index.get(spoken[-1].calls[0]) or self._start(messages, request)
        else:
            found = self._index.get(history_key(messages)) or self._start(messages, request)
        if found is None:
            raise UnknownConversationError
        return found

    def _start(self, messages: list[Message], request: Digest) -> Conversation | None:
        texts = texts_key(messages[0].content, messages[1].content)
        found = self._waiting.pop(texts, None)
        if found is not None:
            self._note(found, request)
            self._started.append(found)
            if len(self._started) > KEPT:
                self._forget(self._started.popleft())
        return found

    def answered(self, conversation: Conversation, messages: list[Message], text: str) -> None:
        """Take note of a turn that was sent. text: what the agent said in it."""
        conversation.since = self._clock()
        for sent in conversation.open:
            self._note(conversation, sent)
        if not conversation.open:
            said = Message("assistant", text, (), "")
            self._note(conversation, history_key([*messages, said]))
        if conversation.is_quiet:
            self._quiet[conversation.texts] = conversation
        elif self._quiet.get(conversation.texts) is conversation:
            del self._quiet[conversation.texts]

    def _note(self, conversation: Conversation, key: str) -> None:
        self._index[key] = conversation
        conversation.keys.append(key)

    def _forget(self, conversation: Conversation) -> None:
        for key in conversation.keys:
            if self._index.get(key) is conversation:
                del self._index[key]
        if self._quiet.get(conversation.texts) is conversation:
            del self._quiet[conversation.texts]


def texts_key(instructions: str, request: str) -> Digest:
    """Return the digest of the texts that a conversation starts with."""
    return digest_bytes(msgspec.json.encode([instructions, request]))


def history_key(messages: list[Message]) -> Digest:
    """Return the digest of a history up to the agent's last turn, as clients send it back."""
    last = max(at for at, each in enumerate(messages) if each.role == "assistant")
    rows = [
        (m.role, m.content.encode("utf-8", "replace").decode()[:COMPARED], m.calls, m.answers)
        for m in messages[: last + 1]
    ]
    return digest_bytes(msgspec.json.encode(rows))
