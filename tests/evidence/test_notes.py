"""Are notes, checkpoints, keys and receipts read in exactly one way, the standard's?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerable.core.errors import EvidenceError
from answerable.evidence import verify
from answerable.evidence.notes import (
    Checkpoint,
    Receipt,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_receipt,
    parse_verifier_key,
    sign_note,
    verifier_of,
)
from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, TESTER

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
