"""Which bytes go to a chat endpoint, and what do the bytes that come back say?

The OpenAI chat completions protocol, without streaming. A request is built from a view and from
nothing else; an answer is read leniently, because whatever a model wrote is to be graded: what has
the wrong type becomes a call with the JSON text as received. Refused: bytes that are no chat answer
at all (``NoAnswerError``).

Invariants:
- Argument text is kept exactly as received, lone surrogates included.
- Ids of calls are unique in a conversation, whatever the endpoint sent.
- What the model wrote never makes a later request malformed: in the history names, ids and
  surrogates are spelled so that any endpoint accepts them.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import msgspec

from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.view import Heard, ToolCall, Turn, View
from undersigned.core.canonical import INT_LIMIT
from undersigned.core.errors import printable

ECHO_LIMIT = 65_536
"""Characters of its own text that an endpoint is shown again."""
REFUSAL_CODES = frozenset({"content_filter", "content_policy_violation"})
"""Error codes that say the endpoint declines to answer."""
CONTEXT_CODE = "context_length_exceeded"
"""Error code that says the conversation has outgrown the model."""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_-]")
_encode = msgspec.json.Encoder().encode


class NoAnswerError(Exception):
    """The bytes are no chat answer. code: of the error that they hold instead, or empty."""

    def __init__(self, detail: str, code: str = "") -> None:
        """Report bytes that are no answer."""
        super().__init__(detail)
        self.detail = detail
        self.code = code


class Reply(NamedTuple):
    """An answer as read. calls: ids may be empty or repeated. tokens_in, tokens_out: 0 when the
    endpoint does not say."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    refused: bool = False
    tokens_in: int = 0
    tokens_out: int = 0
    model: str = ""
    provider_id: str = ""


class Conversation:
    """The messages of one episode, encoded once each."""

    __slots__ = ("_head", "_ids", "_messages", "_open", "_tail")

    def __init__(self, settings: ChatSettings, view: View) -> None:
        """Start with the instructions and the request."""
        self._messages = [
            _encode({"role": "system", "content": view.instructions}),
            _encode({"role": "user", "content": view.request}),
        ]
        self._head = b'{"model":%b,"messages":[' % _encode(settings.model)
        self._tail = _tail(settings, view)
        self._ids: set[str] = set()
        self._open: list[str] = []

    def body(self) -> bytes:
        """Return the request for the next turn."""
        return b"%b%b%b" % (self._head, b",".join(self._messages), self._tail)

    def hear(self, new: tuple[Heard, ...]) -> None:
        """Add what the agent is told. new: the answers to the calls of its last turn, in their
        order, and reminders."""
        answered = 0
        for heard in new:
            if heard.call and answered < len(self._open):
                message = {
                    "role": "tool",
                    "tool_call_id": self._open[answered],
                    "content": heard.text,
                }
                answered += 1
            else:
                message = {"role": "user", "content": heard.text}
            self._messages.append(_encode(message))
        self._open = []

    def speak(self, turn: Turn) -> Turn:
        """Add a turn of the agent; return it with ids of calls that are unique in here."""
        calls = tuple(
            [ToolCall(self._own_id(call.id), call.name, call.arguments) for call in turn.calls]
        )
        message: dict[str, Any] = {"role": "assistant", "content": _echo(turn.text)}
        if calls:
            message["tool_calls"] = [_echo_call(call) for call in calls]
        self._messages.append(_encode(message))
        self._open = [call.id for call in calls]
        return msgspec.structs.replace(turn, calls=calls)

    def _own_id(self, given: str) -> str:
        own, number = given, len(self._ids)
        while own in self._ids or not _ID.fullmatch(own):
            own = f"call_{number}"
            number += 1
        self._ids.add(own)
        return own


def _tail(settings: ChatSettings, view: View) -> bytes:
    rest: dict[str, Any] = {}
    if view.tools:
        rest["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                },
            }
            for tool in view.tools
        ]
    if settings.temperature:
        rest["temperature"] = msgspec.Raw(settings.temperature.encode())
    if settings.max_tokens:
        rest[settings.max_tokens_field] = settings.max_tokens
    return b"]," + _encode(rest)[1:] if rest else b"]}"


def _echo(text: str) -> str:
    return text[:ECHO_LIMIT].encode("utf-8", "replace").decode()


def _echo_call(call: ToolCall) -> dict[str, Any]:
    # WHY not as received: many endpoints refuse a history whose names have other characters or
    # whose arguments are no JSON object, and the episode would end by what the model wrote.
    arguments = call.arguments
    if len(arguments) > ECHO_LIMIT or not _is_object(arguments):
        arguments = _encode({"unreadable": _echo(arguments[:1000])}).decode()
    name = _NOT_IN_NAME.sub("_", call.name[:64]) or "_"
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _is_object(text: str) -> bool:
    try:
        return type(msgspec.json.decode(text)) is dict
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False


def read_reply(body: bytes) -> Reply:
    """Read the bytes of an answer. Raises NoAnswerError when they are none."""
    try:
        return _read(body, _loads(body))
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("the answer is not JSON") from error


def read_answer(body: bytes) -> Reply:
    """Read the bytes of an answer with status 200; one that declines in an error is a refusal.

    Raises NoAnswerError when they are no answer.
    """
    try:
        return read_reply(body)
    except NoAnswerError as error:
        if error.code in REFUSAL_CODES:
            return Reply(refused=True)
        raise


def read_error_code(body: bytes) -> str:
    """Return the code that an error answer names, at most 64 plain characters, or empty."""
    try:
        return _error_code(_loads(body))
    except (ValueError, RecursionError):
        return ""


def _loads(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # WHY a second reader: it takes lone surrogates, NaN and 1e400, which are for the grader.
        return json.loads(body.decode())


def _error_code(value: Any) -> str:
    error = value.get("error") if type(value) is dict else None
    if type(error) is dict:
        for name in ("code", "type"):
            code = error.get(name)
            if type(code) is str and _CODE.fullmatch(code):
                return code
    return ""


def _read(body: bytes, value: Any) -> Reply:
    choices = value.get("choices") if type(value) is dict else None
    choice = choices[0] if type(choices) is list and choices else None
    message = choice.get("message") if type(choice) is dict else None
    if type(choice) is not dict or type(message) is not dict:
        raise NoAnswerError("the answer holds no message", _error_code(value))
    reason = choice.get("finish_reason")
    refusal = message.get("refusal")
    text = _content(message.get("content"))
    if type(refusal) is str and refusal:
        text = f"{text}\n{refusal}" if text else refusal
    usage = value.get("usage")
    counts = usage if type(usage) is dict else {}
    return Reply(
        text,
        _calls(body, message),
        refused=bool(refusal) or (type(reason) is str and reason in REFUSAL_CODES),
        tokens_in=_count(counts.get("prompt_tokens")),
        tokens_out=_count(counts.get("completion_tokens")),
        model=_name(value.get("model")),
        provider_id=_name(value.get("id")),
    )


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < INT_LIMIT else 0


def _name(value: Any) -> str:
    return printable(value, 200) if type(value) is str else ""


def _content(value: Any) -> str:
    if value is None or type(value) is str:
        return value or ""
    if type(value) is list:
        return "".join([_part(part) for part in value])
    return json.dumps(value)


def _part(part: Any) -> str:
    if type(part) is str:
        return part
    text = part.get("text", part.get("refusal")) if type(part) is dict else None
    return text if type(text) is str else json.dumps(part)


def _calls(body: bytes, message: dict[str, Any]) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls")
    if not calls:
        legacy = message.get("function_call")
        if not legacy:
            return ()
        calls = [{"function": legacy}]
    elif type(calls) is not list:
        return (ToolCall("", "", json.dumps(calls)),)
    return tuple([_call(body, place, call) for place, call in enumerate(calls)])


def _call(body: bytes, place: int, call: Any) -> ToolCall:
    function = call.get("function", call.get("custom")) if type(call) is dict else None
    if type(function) is not dict:
        return ToolCall("", "", json.dumps(call))
    name, identity = function.get("name"), call.get("id")
    arguments = function.get("arguments", function.get("input", ""))
    if type(arguments) is not str:
        arguments = _spelled(body, place, arguments)
    return ToolCall(
        identity if type(identity) is str else "",
        name if type(name) is str else json.dumps(name),
        arguments,
    )


class _RawFunction(msgspec.Struct):
    arguments: msgspec.Raw


class _RawCall(msgspec.Struct):
    function: _RawFunction


class _RawMessage(msgspec.Struct):
    tool_calls: list[_RawCall]


class _RawChoice(msgspec.Struct):
    message: _RawMessage


class _RawAnswer(msgspec.Struct):
    choices: list[_RawChoice]


def _spelled(body: bytes, place: int, arguments: Any) -> str:
    """Return arguments that are no string as the text that was received, where it can be had."""
    try:
        answer = msgspec.json.decode(body, type=_RawAnswer)
        return bytes(answer.choices[0].message.tool_calls[place].function.arguments).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return json.dumps(arguments)
