"""What was stated, about which things, and who signed it?

in-toto Statement v1 in a DSSE v1 envelope. An envelope's digest is the SHA-256 of its bytes, so a
statement has one digest, and later statements name earlier ones by it under ``refs``. Refuses
envelopes and payloads that are not canonical, other payload types, unknown fields, signatures of
keys that the trust file does not know, and two signatures of one party.

Invariants:
- The signature covers the payload type and every payload byte (DSSE pre-authentication encoding).
- ``open_statement`` returns only signers whose key the trust file allows this predicate.
- Times inside a predicate are what the signer claims.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import msgspec

from undersigned.core.canonical import Digest, decode, digest_bytes, encode
from undersigned.core.errors import EvidenceError
from undersigned.evidence.keys import Signer
from undersigned.evidence.notes import decode64, encode64, verify_ed25519
from undersigned.evidence.problems import (
    BAD_SIGNATURE,
    BAD_STATEMENT,
    BELOW_THRESHOLD,
    NOT_ALLOWED,
    SAME_PARTY_TWICE,
)
from undersigned.evidence.trust import Key, Trust

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATES = ("prereg", "eval-result", "abandoned")
"""prereg: what will be tested, before it is. eval-result: what came out. abandoned: a registered
plan that was given up, with its reason. Each is signed by a tester."""

ENVELOPE_LIMIT = 4 << 20
"""Bytes of an envelope that are accepted."""


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A thing that a statement is about. digest: ``{"sha256": 64 hexadecimal digits}``."""

    name: str
    digest: dict[str, str]


class Ref(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An earlier statement. name: what it is here. digest: of its envelope bytes."""

    name: str
    digest: Digest


class Statement(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"type_": "_type", "predicate_type": "predicateType"},
):
    """An in-toto Statement v1. predicate: canonical JSON object, its meaning known above."""

    type_: str
    subject: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]

    @property
    def name(self) -> str:
        """Return the predicate's short name, for example ``prereg``."""
        return self.predicate_type.split(":")[3]

    def refs(self) -> tuple[Ref, ...]:
        """Return the earlier statements that the predicate names. Raises E-EVD-030."""
        try:
            return msgspec.convert(self.predicate.get("refs", []), tuple[Ref, ...])
        except msgspec.ValidationError as error:
            raise EvidenceError(BAD_STATEMENT, "refs are malformed", reason=error) from error


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signature of an envelope. keyid: the key's name. sig: base64."""

    keyid: str
    sig: str


class Envelope(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"payload_type": "payloadType"},
):
    """A DSSE v1 envelope."""

    payload: str
    payload_type: str
    signatures: tuple[Signature, ...]


class Opened(msgspec.Struct, frozen=True):
    """A verified statement. signers: its keys in order. digest: of the envelope's bytes."""

    statement: Statement
    signers: tuple[Key, ...]
    digest: Digest


def predicate_uri(name: str) -> str:
    """Return the type URI of a predicate: ``urn:undersigned:predicate:<name>:v1``."""
    return f"urn:undersigned:predicate:{name}:v1"


def state(name: str, subjects: Mapping[str, Digest], predicate: Mapping[str, object]) -> Statement:
    """Return a statement. name: of the predicate. subjects: digest by name, at least one."""
    listed = tuple(
        Subject(subject, {"sha256": digest.removeprefix("sha256:")})
        for subject, digest in subjects.items()
    )
    statement = Statement(STATEMENT_TYPE, listed, predicate_uri(name), dict(predicate))
    _check_statement(statement)
    return statement


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the DSSE pre-authentication encoding, the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_statement(statement: Statement, *signers: Signer) -> bytes:
    """Return the canonical envelope bytes, signed by each signer (one for each party)."""
    _check_statement(statement)
    payload = encode(statement)
    signed = pae(PAYLOAD_TYPE, payload)
    signatures = tuple(Signature(s.name, encode64(s.sign(signed))) for s in signers)
    return encode(Envelope(encode64(payload), PAYLOAD_TYPE, signatures))


def read_statement(data: bytes) -> Statement:
    """Read the statement of an envelope without checking signatures.

    For what one has just signed or will check later; never a reason to believe it. Raises
    EvidenceError (E-COR-002, E-COR-003, E-EVD-030).
    """
    return _read(data)[1]


def predicate_type(data: bytes) -> str:
    """Return the type URI that an envelope's statement bears, whether or not it is known here.

    Nothing else is checked. Raises EvidenceError (E-COR-002, E-COR-003, E-EVD-030).
    """
    return _decode(data)[1].predicate_type


def open_statement(
    data: bytes,
    trust: Trust,
    *,
    predicate: str | None = None,
    position: int | None = None,
    at: datetime.date | None = None,
) -> Opened:
    """Verify an envelope against a trust file.

    data: envelope bytes. predicate: the short name that it must have. position: its index in
    the log; needed for keys that are revoked at a position. at: the claimed date, checked
    against the keys' validity when given. Raises EvidenceError with the failing rule's code.
    """
    envelope, statement, payload = _read(data)
    if predicate is not None and statement.name != predicate:
        raise EvidenceError(NOT_ALLOWED, "another predicate was expected", got=statement.name)
    signed = pae(envelope.payload_type, payload)
    signers: list[Key] = []
    for signature in envelope.signatures:
        key = trust.key_for(
            signature.keyid,
            predicate=statement.name,
            role="tester" if statement.name in PREDICATES else None,
            position=position,
            at=at,
        )
        raw = decode64(signature.sig, BAD_STATEMENT)
        if not verify_ed25519(key.public_bytes, raw, signed):
            raise EvidenceError(BAD_SIGNATURE, "a signature is wrong", keyid=signature.keyid)
        if any(key.party == other.party for other in signers):
            raise EvidenceError(SAME_PARTY_TWICE, "a party has signed twice", party=key.party)
        signers.append(key)
    needed = trust.threshold(statement.name)
    if len(signers) < needed:
        raise EvidenceError(BELOW_THRESHOLD, "too few have signed", have=len(signers), need=needed)
    return Opened(statement, tuple(signers), digest_bytes(data))


def _read(data: bytes) -> tuple[Envelope, Statement, bytes]:
    envelope, statement, payload = _decode(data)
    _check_statement(statement)
    return envelope, statement, payload


def _decode(data: bytes) -> tuple[Envelope, Statement, bytes]:
    if len(data) > ENVELOPE_LIMIT:
        raise EvidenceError(BAD_STATEMENT, "an envelope is too big", size=len(data))
    envelope = decode(data, Envelope)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise EvidenceError(BAD_STATEMENT, "a payload type is wrong", value=envelope.payload_type)
    payload = decode64(envelope.payload, BAD_STATEMENT)
    return envelope, decode(payload, Statement), payload


def _check_statement(statement: Statement) -> None:
    if statement.type_ != STATEMENT_TYPE:
        raise EvidenceError(BAD_STATEMENT, "a statement's type is wrong", value=statement.type_)
    parts = statement.predicate_type.split(":")
    if len(parts) != 5 or predicate_uri(parts[3]) != statement.predicate_type or not parts[3]:
        raise EvidenceError(
            BAD_STATEMENT, "a predicate type is unknown", value=statement.predicate_type
        )
    if not statement.subject:
        raise EvidenceError(BAD_STATEMENT, "a statement has no subject")
    for subject in statement.subject:
        hexes = subject.digest.get("sha256", "")
        if list(subject.digest) != ["sha256"] or len(hexes) != 64 or set(hexes) - _HEX:
            raise EvidenceError(BAD_STATEMENT, "a subject's digest is malformed", name=subject.name)


_HEX = frozenset("0123456789abcdef")
