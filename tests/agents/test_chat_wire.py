"""Whatever bytes come back: is it a reply or no answer, and is the next request always sound?"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agents.wire import check_history
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.chat_wire import (
    Conversation,
    NoAnswerError,
    Reply,
    read_error_code,
    read_reply,
)
from undersigned.agents.view import Heard, ToolCall, Turn, View

any_text = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)
functions = values | st.fixed_dictionaries(
    {}, optional={"name": values, "arguments": values, "input": values}
)
tool_calls = values | st.lists(
    values | st.fixed_dictionaries({}, optional={"id": values, "function": functions}), max_size=3
)
messages = values | st.fixed_dictionaries(
    {},
    optional={
        "content": values,
        "refusal": values,
        "tool_calls": tool_calls,
        "function_call": functions,
    },
)
choices = values | st.lists(
    st.fixed_dictionaries({"message": messages}, optional={"finish_reason": values}), max_size=2
)
answers = values | st.fixed_dictionaries(
    {"choices": choices},
    optional={"usage": values, "model": values, "id": values, "error": values},
)


def read_or_none(body: bytes) -> Reply | None:
    try:
        return read_reply(body)
    except NoAnswerError:
        return None


@given(st.binary(max_size=60))
def test_reply__any_bytes__are_a_reply_or_no_answer(body):
    read_or_none(body)
    assert type(read_error_code(body)) is str


@given(answers)
def test_reply__any_json__is_a_reply_of_text_or_no_answer(value):
    reply = read_or_none(json.dumps(value).encode())
    read_error_code(json.dumps(value).encode())
    if reply is None:
        return
    assert type(reply.text) is str
    assert type(reply.refused) is bool
    assert 0 <= reply.tokens_in < 2**53
    for call in reply.calls:
        assert {type(call.id), type(call.name), type(call.arguments)} == {str}


@given(st.lists(any_text, max_size=3), any_text)
def test_reply__arguments_and_text__come_through_exactly(arguments, text):
    calls = [{"id": "i", "function": {"name": "f", "arguments": each}} for each in arguments]
    message = {"content": text, "tool_calls": calls}
    reply = read_reply(json.dumps({"choices": [{"message": message}]}).encode())
    assert reply.text == "".join(json.loads(json.dumps(text)))
    assert [c.arguments for c in reply.calls] == [json.loads(json.dumps(a)) for a in arguments]


turns = st.builds(
    Turn,
    any_text,
    st.lists(st.builds(ToolCall, any_text, any_text, any_text), max_size=4).map(tuple),
)


@given(st.lists(turns, max_size=5))
def test_conversation__whatever_was_said__stays_one_that_strict_endpoints_accept(said):
    conversation = Conversation(ChatSettings("https://h", "m"), View("i", "r", ()))
    ids = []
    for turn in said:
        own = conversation.speak(turn)
        assert [(c.name, c.arguments) for c in own.calls] == [
            (c.name, c.arguments) for c in turn.calls
        ]
        ids += [c.id for c in own.calls]
        conversation.hear((*[Heard(c.id, "{}") for c in own.calls], Heard("", "Go on.")))
        body = json.loads(conversation.body())
        assert set(body) == {"model", "messages"}
        check_history(body["messages"])
    assert len(set(ids)) == len(ids)


@given(st.lists(turns, min_size=1, max_size=4))
def test_conversation__recorded_turns_with_any_ids__are_answered_in_order(said):
    conversation = Conversation(ChatSettings("https://h", "m"), View("i", "r", ()))
    for turn in said:
        conversation.speak(turn)
        heard = tuple(Heard(c.id or "c", str(n)) for n, c in enumerate(turn.calls))
        conversation.hear(heard)
    body = json.loads(conversation.body())
    check_history(body["messages"])
    sent = iter(body["messages"])
    for message in sent:
        for place, call in enumerate(message.get("tool_calls", [])):
            answer = next(sent)
            assert (answer["tool_call_id"], answer["content"]) == (call["id"], str(place))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":{"code":"a_b"}}', "a_b"),
        (b'{"error":{"type":"t","code":null}}', "t"),
        (b'{"error":{"code":429}}', ""),
        (b'{"error":{"code":"two words \\u001b[2J"}}', ""),
        (b'{"error":"text"}', ""),
        (b"<html>", ""),
        (b"[" * 100_000, ""),
    ],
    ids=range(7),
)
def test_error_code__plain_or_nothing(body, code):
    assert read_error_code(body) == code
