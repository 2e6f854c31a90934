"""Does a statement open only as its signer wrote it, and only under the reader's trust?"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import msgspec
import pytest

from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, TESTER, TRUST, key
from undersigned.core.canonical import digest_bytes, encode
from undersigned.core.errors import EvidenceError, UndersignedError
from undersigned.evidence.entries import Entry
from undersigned.evidence.notes import encode64, sign_note
from undersigned.evidence.statements import (
    open_statement,
    pae,
    read_statement,
    sign_statement,
    state,
)
from undersigned.evidence.trust import Key, Trust, load_trust, parse_trust, write_trust

SYSTEM = digest_bytes(b"card")
STATEMENT = state("prereg", {"system": SYSTEM}, {"plan": SYSTEM, "system": SYSTEM})
ENVELOPE = sign_statement(STATEMENT, TESTER)
SECOND = key("lab-second", "tester")
OTHER = key("other-tester", "tester")


def trust_of(*keys: Key, **more: object) -> Trust:
    return msgspec.structs.replace(TRUST, keys=(*TRUST.keys, *keys), **more)


def key_of(signer: object, party: str) -> Key:
    return Key.of(signer.name, signer.public, party, roles=("tester",), predicates=("prereg",))


def edited(**changes: object) -> bytes:
    raw = json.loads(msgspec.json.encode(TRUST))
    raw["keys"][1].update(changes)
    return json.dumps(raw).encode()


def test_pae__example_of_the_specification__is_byte_exact() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_open_statement__signed_by_a_trusted_key__gives_statement_and_digest() -> None:
    opened = open_statement(ENVELOPE, TRUST, predicate="prereg")
    assert opened.statement == STATEMENT
    assert [signer.party for signer in opened.signers] == ["lab"]
    assert opened.digest == digest_bytes(ENVELOPE)


def test_open_statement__any_byte_flipped__is_refused() -> None:
    for at in range(len(ENVELOPE)):
        changed = ENVELOPE[:at] + bytes([ENVELOPE[at] ^ (1 << at % 8)]) + ENVELOPE[at + 1 :]
        with pytest.raises(EvidenceError):
            open_statement(changed, TRUST)


def resigned(payload: bytes) -> bytes:
    envelope = json.loads(ENVELOPE)
    envelope["payload"] = encode64(payload)
    envelope["signatures"][0]["sig"] = encode64(TESTER.sign(pae(envelope["payloadType"], payload)))
    return encode(envelope)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"plan"', b'"plan" '),
        (b'"plan"', b'"pl\\u0061n"'),
        (b"Statement/v1", b"Statement/v2"),
        (b"predicate:prereg:v1", b"predicate:prereg:v2"),
        (b'"_type"', b'"_typo"'),
        (b'"sha256"', b'"sha512"'),
        (b'"subject":[', b'"subject":[{"digest":{"sha256":"x"},"name":"n"},'),
    ],
)
def test_open_statement__validly_signed_but_malformed__is_refused(old: bytes, new: bytes) -> None:
    payload = encode(STATEMENT)
    assert old in payload
    with pytest.raises(EvidenceError, match=r"E-COR-00[23]|E-EVD-030"):
        open_statement(resigned(payload.replace(old, new, 1)), TRUST)


def test_open_statement__envelope_with_spaces_or_extra_fields__is_refused() -> None:
    for data in (ENVELOPE + b"\n", ENVELOPE[:-1] + b',"x":1}', b"[" * 10_000):
        with pytest.raises(EvidenceError, match=r"E-COR-00[23]"):
            open_statement(data, TRUST)


@pytest.mark.parametrize(
    ("trust", "arguments", "code"),
    [
        (msgspec.structs.replace(TRUST, keys=TRUST.keys[:1]), {}, "E-EVD-032"),
        (TRUST, {"predicate": "abandoned"}, "E-EVD-033"),
        (parse_trust(edited(roles=["owner"])), {}, "E-EVD-033"),
        (parse_trust(edited(predicates=["abandoned"])), {}, "E-EVD-033"),
        (trust_of(thresholds={"prereg": 2}), {}, "E-EVD-037"),
    ],
)
def test_open_statement__not_allowed__says_why(
    trust: Trust, arguments: dict[str, str], code: str
) -> None:
    with pytest.raises(EvidenceError, match=code):
        open_statement(ENVELOPE, trust, **arguments)


def test_open_statement__two_keys_of_one_party__are_one_voice() -> None:
    both = sign_statement(STATEMENT, TESTER, SECOND)
    with pytest.raises(EvidenceError, match=r"E-EVD-036"):
        open_statement(both, trust_of(key_of(SECOND, "lab")))
    pair = trust_of(key_of(OTHER, "institute"), thresholds={"prereg": 2})
    assert len(open_statement(sign_statement(STATEMENT, TESTER, OTHER), pair).signers) == 2


def test_open_statement__revoked_key__counts_only_below_its_position() -> None:
    revoked = msgspec.structs.replace(TRUST.keys[1], revoked_at=5)
    trust = msgspec.structs.replace(TRUST, keys=(TRUST.keys[0], revoked))
    open_statement(ENVELOPE, trust, position=4)
    for position in (5, None):
        with pytest.raises(EvidenceError, match=r"E-EVD-034"):
            open_statement(ENVELOPE, trust, position=position)


def test_open_statement__outside_the_keys_dates__is_refused() -> None:
    dated = msgspec.structs.replace(TRUST.keys[1], not_before="2026-01-01", not_after="2026-12-31")
    trust = msgspec.structs.replace(TRUST, keys=(TRUST.keys[0], dated))
    open_statement(ENVELOPE, trust, at=datetime.date(2026, 12, 31))
    for year in (2025, 2027):
        with pytest.raises(EvidenceError, match=r"E-EVD-035"):
            open_statement(ENVELOPE, trust, at=datetime.date(year, 6, 1))


def test_entry__of_an_envelope__names_digest_size_and_what_it_closes() -> None:
    closing = state("abandoned", {"s": SYSTEM}, {"refs": [{"name": "prereg", "digest": SYSTEM}]})
    data = sign_statement(closing, TESTER)
    entry = Entry.of(data, "term")
    assert (entry.digest, entry.size, entry.closes) == (digest_bytes(data), len(data), SYSTEM)
    assert Entry.of(ENVELOPE).closes == ""
    assert read_statement(data).refs()[0].digest == SYSTEM


def test_trust__written_and_read__is_the_same(tmp_path: Path) -> None:
    held = sign_note(f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", LOG_KEY)
    trust = trust_of(key_of(OTHER, "institute"), thresholds={"prereg": 2}, checkpoints=(held,))
    write_trust(tmp_path / "trust.json", trust)
    assert load_trust(tmp_path / "trust.json") == trust


UNUSABLE_TRUST = [
    (b"{", "E-EVD-040"),
    (b'{"schema":"undersigned.trust.v1","keys":[],"keys":[]}', "E-EVD-040"),
    (edited(unknown=1), "E-EVD-040"),
    (b'{"schema":"undersigned.trust.v1","keys":[],"thresholds":{"prereg":0}}', "E-EVD-040"),
    (b'{"schema":"undersigned.trust.v1","keys":[],"separate_roles":[["log","log"]]}', "E-EVD-040"),
    (edited(algorithm="rsa"), "E-EVD-040"),
    (edited(public="AAAA"), "E-EVD-040"),
    (edited(public=encode64(LOG_KEY.public)), "E-EVD-040"),
    (edited(name=ORIGIN), "E-EVD-040"),
    (edited(name="Has Space"), "E-EVD-040"),
    (edited(roles=[]), "E-EVD-040"),
    (edited(roles=["boss"]), "E-EVD-040"),
    (edited(roles=["log"]), "E-EVD-040"),
    (edited(not_before="2026-02-30"), "E-EVD-040"),
    (edited(revoked_at=-1), "E-EVD-040"),
    (edited(roles=["tester", "approver"]), "E-EVD-041"),
    (edited(roles=["witness"], origins=[ORIGIN]), "E-EVD-041"),
]


@pytest.mark.parametrize(("data", "code"), UNUSABLE_TRUST)
def test_trust__unusable__is_refused_with_its_code(data: bytes, code: str) -> None:
    with pytest.raises(EvidenceError, match=code):
        parse_trust(data)


def test_trust__held_checkpoint_of_an_untrusted_key__is_refused() -> None:
    forged = sign_note(f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", MALLORY)
    raw = json.loads(msgspec.json.encode(TRUST))
    raw["checkpoints"] = [forged]
    with pytest.raises(UndersignedError, match="E-EVD-003"):
        parse_trust(json.dumps(raw).encode())
