"""Are notes, checkpoints, keys and receipts read in exactly one way, the standard's?"""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, TESTER, TRUST, key
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.evidence import verify
from undersigned.evidence.notes import (
    COSIGNATURE,
    SIGNATURE_LIMIT,
    Checkpoint,
    Cosigned,
    Receipt,
    Verifier,
    cosign_checkpoint,
    encode64,
    keep_signatures,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_receipt,
    parse_verifier_key,
    sign_note,
    verifier_of,
    with_signatures,
)
from undersigned.evidence.trust import Key, Trust

# The published example of the signed note package of golang/mod (sumdb/note, BSD-3-Clause).
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZ"
    "InNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NOTE = sign_note(Checkpoint(ORIGIN, 7, b"r" * 32).text(), LOG_KEY)
KEYS = [verifier_of(LOG_KEY)]
PAIRS = [(LOG_KEY.name, LOG_KEY.public)]
WITNESS = key("witness.example/w1", "witness")
WITNESS_VERIFIER = verifier_of(WITNESS, COSIGNATURE)
TEXT = Checkpoint(ORIGIN, 7, b"r" * 32).text()
NOW = 1_795_000_000
COSIGNED = with_signatures(NOTE, cosign_checkpoint(TEXT, WITNESS, NOW))


def test_open_note__example_of_another_implementation__is_verified() -> None:
    verifier = parse_verifier_key(GO_KEY)
    assert verifier.text() == GO_KEY
    assert open_note(GO_NOTE, [verifier]).text.endswith("problem is.\n")
    assert verify.open_note(GO_NOTE, [(verifier.name, verifier.public)])[1] == ["PeterNeumann"]


def test_open_note__unknown_cosigner__is_ignored_and_a_known_one_is_counted() -> None:
    both = sign_note("text\n", LOG_KEY, MALLORY)
    assert [v.name for v in open_note(both, KEYS).verifiers] == [ORIGIN]
    known = [verifier_of(LOG_KEY), verifier_of(MALLORY)]
    assert len(open_note(both, known).verifiers) == 2


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + NOTE.rsplit("\n\n", 1)[1],
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("=\n", "\n"),
        NOTE + "— x AAAA\n",
        NOTE.replace("7\n", "8\n"),
        "\x00" + NOTE,
        "a" * 70_000 + NOTE,
    ],
)
def test_open_note__malformed_or_altered__is_refused_by_both_readers(note: str) -> None:
    with pytest.raises(EvidenceError, match=r"E-EVD-00[23]"):
        open_note(note, KEYS)
    with pytest.raises(verify.Refusal):
        verify.open_note(note, PAIRS)


def test_open_note__without_a_trusted_key__is_refused() -> None:
    with pytest.raises(EvidenceError, match=r"E-EVD-003"):
        open_note(NOTE, [verifier_of(TESTER)])


@given(st.data())
def test_open_note__any_character_changed__gives_the_same_text_or_a_refusal(
    data: st.DataObject,
) -> None:
    at = data.draw(st.integers(0, len(NOTE) - 1))
    new = data.draw(st.characters(codec="utf-8").filter(lambda c: c != NOTE[at]))
    changed = NOTE[:at] + new + NOTE[at + 1 :]
    with pytest.raises(EvidenceError):
        open_note(changed, KEYS)
    with pytest.raises(verify.Refusal):
        verify.open_note(changed, PAIRS)


@pytest.mark.parametrize(
    "text",
    [
        "o\n07\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 42 + "B=\n",
        "o\n1\nAAAA\n",
        "\n1\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "=\nextension\n",
        "o\n\u0661\n" + "A" * 43 + "=\n",
    ],
)
def test_checkpoint__malformed__is_refused_by_both_readers(text: str) -> None:
    with pytest.raises(EvidenceError, match=r"E-EVD-004"):
        parse_checkpoint(text)
    with pytest.raises(verify.Refusal):
        verify.verify_checkpoint(sign_note(text, LOG_KEY), PAIRS)


def test_checkpoint__of_another_log__is_refused() -> None:
    assert open_checkpoint(NOTE, KEYS, ORIGIN) == Checkpoint(ORIGIN, 7, b"r" * 32)
    with pytest.raises(EvidenceError, match=r"E-EVD-004"):
        open_checkpoint(NOTE, KEYS, "log.example/other")


@given(
    st.integers(0, 2**50), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary()
)
def test_receipt__any__is_read_back_as_written(
    index: int, hashes: list[bytes], extra: bytes
) -> None:
    receipt = Receipt(index, tuple(hashes), NOTE, extra)
    assert parse_receipt(receipt.text()) == receipt
    if not extra:
        assert verify.read_receipt(receipt.text()) == (index, hashes, NOTE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        NOTE,
        Receipt(1, (), NOTE).text().replace("@v1", "@v2"),
        Receipt(1, (), NOTE).text().replace("index 1", "index 01"),
        Receipt(1, (b"h" * 31,), NOTE).text(),
        Receipt(1, (), NOTE).text().replace("index 1\n", ""),
        Receipt(1, (b"h" * 32,) * 64, NOTE).text(),
    ],
)
def test_receipt__malformed__is_refused(text: str) -> None:
    with pytest.raises(EvidenceError, match=r"E-EVD-006"):
        parse_receipt(text)


@pytest.mark.parametrize(
    "text", ["", "a+b", GO_KEY[:-1], GO_KEY.replace("c7", "c8"), "x+" + GO_KEY]
)
def test_verifier_key__malformed__is_refused(text: str) -> None:
    with pytest.raises(EvidenceError, match=r"E-EVD-005"):
        parse_verifier_key(text)


def line_of(raw: bytes, name: str = WITNESS.name) -> str:
    return f"— {name} {base64.b64encode(raw).decode()}\n"


def test_cosignature__bytes__are_those_of_an_independent_computation() -> None:
    seed = hashlib.sha256(WITNESS.name.encode()).digest()
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(WITNESS.name.encode() + b"\n\x04" + public).digest()[:4]
    root = base64.b64encode(b"r" * 32).decode()
    message = f"cosignature/v1\ntime 1795000000\nlog.example/tests\n7\n{root}\n".encode()
    raw = key_id + bytes.fromhex("000000006afd86c0") + private.sign(message)
    assert int.from_bytes(raw[4:12], "big") == NOW
    assert cosign_checkpoint(TEXT, WITNESS, NOW) == line_of(raw)
    vkey = base64.b64encode(b"\x04" + public).decode()
    assert WITNESS_VERIFIER.text() == f"witness.example/w1+{key_id.hex()}+{vkey}"
    assert parse_verifier_key(WITNESS_VERIFIER.text()) == WITNESS_VERIFIER


def test_open_note__log_and_cosigner_known__are_told_apart() -> None:
    opened = open_note(COSIGNED, [*KEYS, WITNESS_VERIFIER])
    assert opened.text == TEXT
    assert opened.verifiers == tuple(KEYS)
    assert opened.cosigned == (Cosigned(WITNESS_VERIFIER, NOW),)
    assert open_note(COSIGNED, KEYS).cosigned == ()


def test_open_checkpoint__cosignature_without_the_logs_signature__is_refused() -> None:
    alone = TEXT + "\n" + cosign_checkpoint(TEXT, WITNESS, NOW)
    assert open_note(alone, [WITNESS_VERIFIER]).verifiers == ()
    for known in ([WITNESS_VERIFIER], [*KEYS, WITNESS_VERIFIER]):
        with pytest.raises(EvidenceError, match="E-EVD-003"):
            open_checkpoint(alone, known, ORIGIN)
    assert open_checkpoint(COSIGNED, [*KEYS, WITNESS_VERIFIER], ORIGIN).size == 7


def test_open_note__plain_signature_by_a_cosigners_key__does_not_count() -> None:
    plain = sign_note(TEXT, WITNESS)
    with pytest.raises(EvidenceError, match="E-EVD-003"):
        open_note(plain, [WITNESS_VERIFIER])
    raw = base64.b64decode(plain.split()[-1])
    relabelled = TEXT + "\n" + line_of(WITNESS_VERIFIER.key_id + bytes(8) + raw[4:])
    with pytest.raises(EvidenceError, match="E-EVD-003"):
        open_note(relabelled, [WITNESS_VERIFIER])


def raw_cosignature(time: int) -> bytes:
    """Return a cosignature that is right in all but perhaps its time."""
    signed = WITNESS.sign(f"cosignature/v1\ntime {time}\n{TEXT}".encode())
    return WITNESS_VERIFIER.key_id + time.to_bytes(8, "big") + signed


@pytest.mark.parametrize(
    ("raw", "is_good"),
    [
        (raw_cosignature(0), True),
        (raw_cosignature(2**63 - 1), True),
        (raw_cosignature(2**63), False),
        (raw_cosignature(NOW)[:-1], False),
        (raw_cosignature(NOW) + b"\x00", False),
        (raw_cosignature(NOW)[:12], False),
        (raw_cosignature(NOW)[:5], False),
        (WITNESS_VERIFIER.key_id + (NOW + 1).to_bytes(8, "big") + raw_cosignature(NOW)[12:], False),
    ],
)
def test_open_note__cosignature_of_a_known_key__is_exact_or_refuses_the_note(
    raw: bytes, is_good: bool
) -> None:
    note = NOTE + line_of(raw)
    known = [*KEYS, WITNESS_VERIFIER]
    if is_good:
        assert open_note(note, known).cosigned[0].time == int.from_bytes(raw[4:12], "big")
    else:
        with pytest.raises(EvidenceError, match="E-EVD-003"):
            open_note(note, known)
    assert open_checkpoint(note, KEYS, ORIGIN).size == 7, "unknown cosigners are ignored"


def test_open_note__one_key_twice__is_refused_under_one_name_or_two() -> None:
    later = cosign_checkpoint(TEXT, WITNESS, NOW + 1)
    with pytest.raises(EvidenceError, match="E-EVD-002"):
        open_note(COSIGNED + later, [*KEYS, WITNESS_VERIFIER])
    other = Verifier("witness.example/w2", WITNESS.public, COSIGNATURE)
    raw = other.key_id + raw_cosignature(NOW)[4:]
    both = COSIGNED + line_of(raw, other.name)
    assert len(open_note(both, [*KEYS, other]).cosigned) == 1
    with pytest.raises(EvidenceError, match="E-EVD-002"):
        open_note(both, [*KEYS, WITNESS_VERIFIER, other])


@given(st.data())
def test_open_note__any_character_of_a_cosigned_note_changed__is_refused(
    data: st.DataObject,
) -> None:
    at = data.draw(st.integers(0, len(COSIGNED) - 1))
    new = data.draw(st.characters(codec="utf-8").filter(lambda c: c != COSIGNED[at]))
    changed = COSIGNED[:at] + new + COSIGNED[at + 1 :]
    try:
        opened = open_note(changed, [*KEYS, WITNESS_VERIFIER])
    except EvidenceError:
        return
    assert opened.text == TEXT
    assert len(opened.verifiers) + len(opened.cosigned) == 1, "a key's name or id was changed"


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**50), st.binary(min_size=32, max_size=32))
def test_cosign_checkpoint__any_time_and_checkpoint__is_read_back(
    time: int, size: int, root: bytes
) -> None:
    text = Checkpoint(ORIGIN, size, root).text()
    note = with_signatures(sign_note(text, LOG_KEY), cosign_checkpoint(text, WITNESS, time))
    assert open_note(note, [WITNESS_VERIFIER]).cosigned == (Cosigned(WITNESS_VERIFIER, time),)
    assert open_checkpoint(note, KEYS, ORIGIN) == Checkpoint(ORIGIN, size, root)
    assert parse_receipt(Receipt(0, (), note).text()).checkpoint == note


@pytest.mark.parametrize("time", [-1, 2**63])
def test_cosign_checkpoint__impossible_time__is_refused(time: int) -> None:
    with pytest.raises(UsageError, match="E-EVD-060"):
        cosign_checkpoint(TEXT, WITNESS, time)


@pytest.mark.parametrize("text", ["", "text\n", TEXT[:-1], TEXT + "extension\n", "\x00" + TEXT])
def test_cosign_checkpoint__no_checkpoint__is_refused(text: str) -> None:
    with pytest.raises(EvidenceError, match=r"E-EVD-00[24]"):
        cosign_checkpoint(text, WITNESS, NOW)


def test_with_signatures__lines_there_already__are_added_once() -> None:
    second = cosign_checkpoint(TEXT, key("witness.example/w2", "witness"), NOW)
    again = cosign_checkpoint(TEXT, WITNESS, NOW + 5)
    grown = with_signatures(COSIGNED, [again, second, second])
    assert grown == COSIGNED + second
    assert with_signatures(grown, second + again) == grown
    assert with_signatures(COSIGNED, []) == COSIGNED


@pytest.mark.parametrize(
    "lines",
    [
        cosign_checkpoint(TEXT, WITNESS, NOW)[:-1],
        "\n",
        "— x AAAA\n",
        "- x AAAAAAAA\n",
        "text\n\n— x AAAAAAAA\n",
        "".join(f"— w{i} AAAAAAAA\n" for i in range(SIGNATURE_LIMIT)),
    ],
)
def test_with_signatures__what_would_spoil_the_note__is_refused(lines: str) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-002"):
        with_signatures(NOTE, lines)


def test_keep_signatures__lines_of_others__are_dropped() -> None:
    crowded = with_signatures(COSIGNED, ["— stranger AAAAAAAA\n"])
    assert keep_signatures(crowded, KEYS) == NOTE
    assert keep_signatures(crowded, [*KEYS, WITNESS_VERIFIER]) == COSIGNED


@pytest.mark.parametrize("kind", [b"", b"\x00", b"\x02", b"\x06"])
def test_verifier_key__of_another_kind__is_refused(kind: bytes) -> None:
    text = Verifier("w", WITNESS.public, kind).text()
    with pytest.raises(EvidenceError, match="E-EVD-005"):
        parse_verifier_key(text)


def test_trust_verifiers__witness_role__are_cosigners() -> None:
    entry = Key.of(WITNESS.name, WITNESS.public, "institute", roles=("witness",), origins=(ORIGIN,))
    trust = Trust(TRUST.schema, (*TRUST.keys, entry))
    assert trust.verifiers(ORIGIN, "witness") == (WITNESS_VERIFIER,)
    assert trust.verifiers(ORIGIN) == tuple(KEYS)
    assert trust.verifiers("log.example/other", "witness") == ()
    assert encode64(WITNESS_VERIFIER.public) == entry.public


def test_parse_verifier_key__name_that_is_no_unicode__is_refused() -> None:
    text = Verifier("log.example", b"k" * 32).text().replace("log", "l\udcefg")
    with pytest.raises(EvidenceError, match="E-EVD-005"):
        parse_verifier_key(text)
