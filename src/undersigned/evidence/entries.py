"""What is one record of a log, and are these bytes exactly that?

An entry names a statement by predicate, digest and size, or a payload by a salted commitment; at
most 1 KiB, canonical JSON. ``decode(data, Entry)`` is the definition. Appending asks one strict
regular expression instead, which accepts the same bytes (a property test holds them together).

Invariants:
- What ``check_entries`` lets pass decodes as ``Entry`` and re-encodes to the same bytes.
- A payload is never logged as permanent, and never by its bare hash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated, Literal, cast

import msgspec

from undersigned.core.canonical import INT_LIMIT, Digest, decode, digest_bytes, encode
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


def _below(limit: int) -> str:
    """Return a pattern of the decimal numbers from 0 up to a limit, itself excluded."""
    digits = str(limit - 1)
    choices = ["0", f"[1-9][0-9]{{0,{len(digits) - 2}}}", digits]
    for at, digit in enumerate(digits):
        low = 0 if at else 1
        if int(digit) > low:
            rest = len(digits) - at - 1
            choices.append(f"{digits[:at]}[{low}-{int(digit) - 1}][0-9]{{{rest}}}")
    return "(?:" + "|".join(choices) + ")"


_HEX = "sha256:[0-9a-f]{64}"
_TAIL_PATTERN = (
    r'","predicate":"([ !#-\[\]-~]{1,200})","retention":"(permanent|term|erasable)","size":('
    + _below(INT_LIMIT)
    + r")\}"
)
CANONICAL = re.compile(rf'\{{"closes":"((?:{_HEX})?)","digest":"({_HEX}){_TAIL_PATTERN}'.encode())
"""What the bytes of an entry look like, to be matched in full; a group for each field."""

_TAIL = re.compile(_TAIL_PATTERN.encode())
_HEAD = b'{"closes":"","digest":"sha256:'
_HEX_END = len(_HEAD) + 64
_head_of = itemgetter(slice(0, len(_HEAD)))
_hex_of = itemgetter(slice(len(_HEAD), _HEX_END))
_tail_of = itemgetter(slice(_HEX_END, None))


def parse_entry(data: bytes) -> Entry:
    """Decode like ``decode(data, Entry)``, only faster. Raises EvidenceError (E-EVD-027)."""
    found = CANONICAL.fullmatch(data)
    if found is None:
        _explain(data)
        return decode(data, Entry)
    closes, digest, predicate, retention, size = found.groups()
    kept = cast(Retention, retention.decode())
    return Entry(predicate.decode(), Digest(digest.decode()), int(size), kept, closes.decode())


_COLUMNS_FROM = 8
"""Entries from which looking at them column by column is faster."""


def check_entries(entries: Sequence[bytes]) -> None:
    """Refuse what is not the canonical bytes of an ``Entry``. Raises EvidenceError (E-EVD-027)."""
    if len(entries) >= _COLUMNS_FROM and _are_plain(entries):
        return
    accepts = CANONICAL.fullmatch
    for entry in entries:
        if not accepts(entry):
            _explain(entry)


def _are_plain(entries: Sequence[bytes]) -> bool:
    """Return whether all are canonical entries that close nothing; False may mean either.

    The expression of ``CANONICAL`` by columns: the same head, 64 hexadecimal digits each, and
    tails, few of which differ.
    """
    if b"".join(map(_head_of, entries)) != _HEAD * len(entries):
        return False
    tails = set(map(_tail_of, entries))
    # INVARIANT: no tail is empty, so every entry has its 64 digits and no column can shift.
    if not all(map(_TAIL.fullmatch, tails)):
        return False
    return not b"".join(map(_hex_of, entries)).translate(None, b"0123456789abcdef")


def _explain(data: bytes) -> None:
    if len(data) > ENTRY_LIMIT:
        raise EvidenceError(BAD_ENTRY, "an entry is too long", size=len(data), limit=ENTRY_LIMIT)
    try:
        decode(data, Entry)
    except EvidenceError as error:
        raise EvidenceError(BAD_ENTRY, "an entry is not a record", reason=error.what) from error
