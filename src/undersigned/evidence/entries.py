"""What is one record of a log, and are these bytes exactly that?

An entry names a statement by predicate, digest and size, or a payload by a salted commitment; at
most 1 KiB, canonical JSON: ``decode(data, Entry)`` is the definition.

Invariants:
- A payload is never logged as permanent, and never by its bare hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from undersigned.core.canonical import Digest, digest_bytes, encode, encode_trusted
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.evidence.problems import BAD_ENTRY, BAD_RETENTION
from undersigned.evidence.statements import read_statement
from undersigned.evidence.store import open_payload

ENTRY_LIMIT = 1024
"""Bytes of an entry."""

Retention = Literal["permanent", "term", "erasable"]
"""permanent: the statement is kept with the log. term: kept as long as its contract says.
erasable: the entry is a salted commitment whose payload and salt may be erased."""

CLOSING = ("eval-result", "abandoned")
"""Predicates that close a registered plan, named by their ref ``prereg``."""

PAYLOAD = "urn:undersigned:payload:v1"
"""Predicate of an entry that commits to a payload."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One canonical log record.

    predicate: type URI, printable ASCII without quote and backslash. digest, size: of the
    envelope's bytes (or of a salted commitment). closes: digest of the registration that it
    closes, else empty. retention: see ``Retention``.
    """

    predicate: Annotated[str, msgspec.Meta(pattern=r"\A[ !#-\[\]-~]{1,200}\Z")]
    digest: Annotated[Digest, msgspec.Meta(pattern=r"\Asha256:[0-9a-f]{64}\Z")]
    size: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    retention: Retention = "permanent"
    closes: Annotated[str, msgspec.Meta(pattern=r"\A(sha256:[0-9a-f]{64})?\Z")] = ""

    @classmethod
    def of(cls, envelope: bytes, retention: Retention = "permanent") -> Entry:
        """Return the entry of a DSSE envelope's bytes. Raises EvidenceError when malformed."""
        statement = read_statement(envelope)
        closes = ""
        if statement.name in CLOSING:
            closes = next((ref.digest for ref in statement.refs() if ref.name == "prereg"), "")
        digest = digest_bytes(envelope)
        return cls(statement.predicate_type, digest, len(envelope), retention, closes)

    @classmethod
    def of_payload(cls, packed: bytes, retention: Retention) -> Entry:
        """Return the entry of a packed payload (``Store.keep_payload``).

        Raises UsageError (E-EVD-072) for ``permanent``, EvidenceError (E-EVD-071) for bytes that
        are no packed payload.
        """
        if retention == "permanent":
            raise UsageError(BAD_RETENTION, "a payload cannot be permanent", retention=retention)
        open_payload(packed)
        return cls(PAYLOAD, digest_bytes(packed), len(packed), retention)

    @property
    def name(self) -> str:
        """Return the predicate's short name: ``payload``, ``prereg`` and so on, or the URI."""
        parts = self.predicate.split(":")
        return parts[-2] if self.predicate.startswith("urn:undersigned:") else self.predicate

    def data(self) -> bytes:
        """Return the canonical bytes that are logged."""
        return encode(self)


_decoder = msgspec.json.Decoder(Entry)


def parse_entry(data: bytes) -> Entry:
    """Return the entry that these bytes are. Raises EvidenceError (E-EVD-027)."""
    if len(data) > ENTRY_LIMIT:
        raise EvidenceError(BAD_ENTRY, "an entry is too long", size=len(data), limit=ENTRY_LIMIT)
    try:
        entry = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(BAD_ENTRY, "an entry is not a record", reason=error) from error
    # WHY trusted: the types of an entry keep it within the profile
    if encode_trusted(entry) != data:
        raise EvidenceError(BAD_ENTRY, "an entry is not in canonical form")
    return entry


def check_entries(entries: Sequence[bytes]) -> None:
    """Refuse what is not the canonical bytes of an ``Entry``. Raises EvidenceError (E-EVD-027)."""
    for entry in entries:
        parse_entry(entry)
