"""Is a signed answer kept as it was received, and nothing else, and never the key?"""

from __future__ import annotations

import json

import pytest

from tests.agents.wire import KEY, http, one_turn, turn_of, wire
from undersigned.agents.relay import (
    HEADER,
    RESPONSE_LIMIT,
    Signed,
    header_value,
    holds_secret,
    is_relayed,
    read_header,
    relay_of,
    response_of,
    signed_bytes,
)
from undersigned.agents.view import Relay, Turn
from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import EvidenceError
from undersigned.episodes.attempts import turn_from_text, turn_to_text
from undersigned.evidence.keys import FileKey
from undersigned.evidence.notes import encode64

PROVIDER = FileKey.from_seed(b"p" * 32, name="gateway-1", role="provider", party="gateway")
SIGNATURE = encode64(b"s" * 64)
GOOD = f"{HEADER}: gateway-1 {SIGNATURE}"


def body(text: str = "done", **more: object) -> bytes:
    return json.dumps({"choices": [{"message": {"content": text}}], **more}).encode()


async def relay_from(answer: bytes, *headers: str, status: int = 200) -> Relay | None:
    turn = await turn_of(http(answer, status, *headers))
    assert turn.usage is not None
    return turn.usage.relay


def test_signed_bytes__are_the_pre_authentication_encoding_of_both_digests() -> None:
    request, response = digest_bytes(b"q"), digest_bytes(b"a")
    payload = f'{{"request":"{request}","response":"{response}"}}'.encode()
    kind = b"application/vnd.undersigned.relay+json"
    whole = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    assert signed_bytes(request, response) == whole


async def test_chat__signed_answer__is_kept_byte_for_byte_and_holds() -> None:
    answer = body("done ครับ", id="r-1")
    async with wire(http(answer)) as (spoken, url):
        await one_turn(url)
        request = spoken.requests[0].partition(b"\r\n\r\n")[2]
    value = header_value(PROVIDER, digest_bytes(request), digest_bytes(answer))
    relay = await relay_from(answer, f"{HEADER.lower()}: {value}")
    assert relay is not None
    assert (relay.key, response_of(relay)) == ("gateway-1", answer)
    assert is_relayed(PROVIDER.public, relay.signature, request, answer)
    for other_request, other_answer in ((request + b" ", answer), (request, answer + b" ")):
        assert not is_relayed(PROVIDER.public, relay.signature, other_request, other_answer)


async def test_chat__signed_answer__changes_no_byte_that_is_sent_and_nothing_else_of_the_turn() -> (
    None
):
    turns, sent = [], []
    for headers in ((), (GOOD,)):
        async with wire(http(body(), 200, *headers)) as (spoken, url):
            turns.append(await one_turn(url))
            sent.append(spoken.requests[0].replace(url.split("/")[2].encode(), b"host"))
    assert sent[0] == sent[1]
    assert b"relay" not in sent[0].lower()
    plain, signed = turns
    assert (plain.text, plain.calls, plain.refused) == (signed.text, signed.calls, signed.refused)
    assert plain.usage is not None
    assert signed.usage is not None
    assert plain.usage.relay is None
    assert signed.usage.relay == Relay("gateway-1", SIGNATURE, encode64(body()))


async def test_chat__refusal_with_status_200__is_kept_and_one_with_another_status_is_not() -> None:
    declined = b'{"error":{"code":"content_filter"}}'
    assert await relay_from(declined, GOOD) == Relay("gateway-1", SIGNATURE, encode64(declined))
    assert await relay_from(declined, GOOD, status=400) is None


async def test_chat__retried__keeps_the_answer_that_was_taken() -> None:
    other = f"{HEADER}: other-key {SIGNATURE}"
    turn = await turn_of(
        http(b"not JSON", 200, other), http(b"busy", 503, other), http(body(), 200, GOOD), retries=2
    )
    assert turn.usage is not None
    assert turn.usage.relay == Relay("gateway-1", SIGNATURE, encode64(body()))


GARBAGE = [
    "", " ", "gateway-1", SIGNATURE, f"gateway-1  {SIGNATURE}", f"gateway-1 {SIGNATURE} x",
    f"Gateway {SIGNATURE}", f"../x {SIGNATURE}", f"a+b {SIGNATURE}", f"{'k' * 129} {SIGNATURE}",
    f"gateway-1 {SIGNATURE[:-4]}", f"gateway-1 {SIGNATURE}AAAA", f"gateway-1 {SIGNATURE[:-3]}B==",
    "gateway-1 " + encode64(b"s" * 63), "gateway-1 " + encode64(b"s" * 65), "gateway-1 !!!!",
    f"gateway-1\t{SIGNATURE}", f"\xe9 {SIGNATURE}", "gateway-1 " + "\xe9" * 88, "x" * 5000,
    f"gateway-1 {SIGNATURE},gateway-1 {SIGNATURE}",
]  # fmt: skip


@pytest.mark.parametrize("value", GARBAGE)
def test_read_header__malformed__is_as_none(value: str) -> None:
    assert read_header([value]) is None
    assert read_header([f"gateway-1 {SIGNATURE}"]) == Signed("gateway-1", SIGNATURE)


@pytest.mark.parametrize("value", [v for v in GARBAGE if v.isascii()])
async def test_chat__garbage_in_the_header__is_a_turn_that_is_not_relayed(value: str) -> None:
    turn = await turn_of(http(body("still"), 200, f"{HEADER}: {value}"))
    assert turn.text == "still"
    assert turn.usage is not None
    assert turn.usage.relay is None


async def test_chat__header_missing_or_twice__is_a_turn_that_is_not_relayed() -> None:
    assert read_header([]) is None
    assert await relay_from(body()) is None
    assert await relay_from(body(), GOOD, GOOD) is None


ESCAPED = KEY.replace("s", r"\u0073")
TWICE = json.dumps(json.dumps({"a": 1})[:-1])[1:-1] + ESCAPED.replace("\\", "\\\\")


@pytest.mark.parametrize(
    "answer",
    [
        body(f"my key is {KEY}"),
        body(echo={"authorization": f"Bearer {KEY}"}),
        body(**{KEY: 1}),
        body().replace(b"done", ESCAPED.encode()),
        body().replace(b'"choices"', b'"x":"' + ESCAPED.encode() + b'","x":1,"choices"'),
        body().replace(b'"choices"', b'"x":"' + TWICE.encode() + b'","choices"'),
        json.dumps({"choices": [{"message": {"content": [KEY[:6], KEY[6:]]}}]}).encode(),
        body(x="\\" * 100_000),
    ],
    ids=["text", "echo", "name", "escaped", "hidden-double", "nested", "in-parts", "too-nested"],
)
async def test_chat__answer_that_holds_the_key__is_not_kept(answer: bytes) -> None:
    turn = await turn_of(http(answer, 200, GOOD))
    assert turn.usage is not None
    assert turn.usage.relay is None
    assert KEY not in turn_to_text(turn)


async def test_chat__key_as_the_signers_name__is_not_kept() -> None:
    assert read_header([f"{KEY} {SIGNATURE}"]) is not None
    assert await relay_from(body(), f"{HEADER}: {KEY} {SIGNATURE}") is None
    assert await relay_from(body(), f"{HEADER}: x-{KEY} {SIGNATURE}") is None


async def test_chat__endless_escapes__are_given_up_in_time() -> None:
    chain = r"\u005c" + "u005c" * 100_000
    assert holds_secret(f'{{"x":"{chain}"}}'.encode(), KEY)


def test_holds_secret__ordinary_answers__do_not() -> None:
    for text in ("done", 'a "quoted" \\ path', json.dumps({"a": json.dumps({"b": "\ud800"})})):
        assert not holds_secret(body(text), KEY)


async def test_chat__too_long_answer__is_a_turn_that_is_not_relayed() -> None:
    fits = body("x" * (RESPONSE_LIMIT - len(body(""))))
    assert len(fits) == RESPONSE_LIMIT
    assert relay_of(Signed("k", SIGNATURE), fits, KEY) is not None
    turn = await turn_of(http(fits + b" ", 200, GOOD))
    assert turn.text.startswith("xxx")
    assert turn.usage is not None
    assert turn.usage.relay is None


async def test_chat__turn_with_its_relay__survives_in_the_file_of_attempts() -> None:
    turn = await turn_of(http(body("\ud800 ครับ"), 200, GOOD))
    kept = turn_to_text(turn)
    assert turn_from_text(kept) == turn
    assert type(turn_from_text(kept)) is Turn


@pytest.mark.parametrize(
    "relay",
    [
        Relay("Gateway", SIGNATURE, ""),
        Relay("gateway-1", SIGNATURE[:-4], ""),
        Relay("gateway-1", SIGNATURE, "!"),
        Relay("gateway-1", SIGNATURE, "QQ"),
        Relay("gateway-1", SIGNATURE, encode64(b" " * (RESPONSE_LIMIT + 1))),
    ],
    ids=["name", "signature", "base64", "padding", "size"],
)
def test_response_of__malformed__is_refused(relay: Relay) -> None:
    with pytest.raises(EvidenceError) as caught:
        response_of(relay)
    assert caught.value.code == "E-AGT-012"
