"""Who signed this text, and what state of which log does it state?

C2SP signed-note (Ed25519, signature type 0x01), tlog-cosignature (Ed25519, type 0x04),
tlog-checkpoint and tlog-proof, byte for byte, so that other implementations read what is written
here. Refuses everything that could be read in two ways: other line ends, control characters,
base64 that does not re-encode to itself, numbers with leading zeroes, a signature line twice, data
after the end.

Invariants:
- ``parse(format(x)) == x``, and ``format(parse(text)) == text`` for checkpoints and receipts.
- Signatures by unknown keys are ignored, as the standard asks; one bad signature by a known key
  refuses the note.
- A checkpoint is its log's word only with a plain signature of the log's key; cosignatures say
  what others saw and when, and never stand in for it.
- Checkpoints have exactly three lines; extension lines cannot be audited and are refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from undersigned.core.errors import EvidenceError, Problem, UsageError
from undersigned.evidence.keys import Signer
from undersigned.evidence.problems import (
    BAD_CHECKPOINT,
    BAD_COSIGNATURE_TIME,
    BAD_NOTE,
    BAD_NOTE_SIGNATURE,
    BAD_RECEIPT,
    BAD_VERIFIER_KEY,
)

ED25519 = b"\x01"
"""Signature type byte of a plain Ed25519 note signature."""

COSIGNATURE = b"\x04"
"""Signature type byte of a timestamped Ed25519 cosignature (cosignature/v1)."""

TIME_LIMIT = 2**63
"""POSIX seconds of a cosignature lie below this."""

NOTE_LIMIT = 1 << 16
"""Characters of a note that are accepted."""

SIGNATURE_LIMIT = 64
"""Signature lines of a note that are accepted; the standard asks for at least 16."""

RECEIPT_HEADER = "c2sp.org/tlog-proof@v1"

DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})\Z", re.ASCII)
"""How a tree size or index is written."""

_COSIGNATURE_LENGTH = 4 + 8 + 64
_DASH = "\N{EM DASH} "


class Verifier(msgspec.Struct, frozen=True):
    """The public half of a note key: name, 32 Ed25519 bytes, and what it signs.

    kind: ``ED25519`` (note signatures) or ``COSIGNATURE`` (timestamped cosignatures).
    """

    name: str
    public: bytes
    kind: bytes = ED25519

    @property
    def key_id(self) -> bytes:
        """Return the 4-byte key id: SHA-256(name, LF, kind, public)[:4]."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    def text(self) -> str:
        """Return the verifier key string ``name+hexid+base64``."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(self.kind + self.public)}"


class Cosigned(msgspec.Struct, frozen=True):
    """A verified cosignature: whose, and the POSIX seconds that the cosigner states."""

    verifier: Verifier
    time: int


class OpenedNote(msgspec.Struct, frozen=True):
    """A note's text, with its final newline, and the known keys whose signatures were verified.

    verifiers: of plain signatures. cosigned: of cosignatures, which may be all there are.
    """

    text: str
    verifiers: tuple[Verifier, ...]
    cosigned: tuple[Cosigned, ...] = ()


class Checkpoint(msgspec.Struct, frozen=True):
    """A log's state. origin: the log's name. size: leaves. root: 32 bytes."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the three-line note text."""
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n"


class Receipt(msgspec.Struct, frozen=True):
    """Proof that a record is in a log: index, sibling hashes upwards, signed checkpoint.

    extra: opaque bytes that nothing authenticates; empty when there are none.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    def text(self) -> str:
        """Return the tlog-proof text."""
        lines = [RECEIPT_HEADER]
        if self.extra:
            lines.append(f"extra {encode64(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(encode64(item) for item in self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint


def encode64(data: bytes) -> str:
    """Return standard base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode64(text: str, problem: Problem) -> bytes:
    """Decode base64 that re-encodes to itself; anything else raises EvidenceError(problem)."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise EvidenceError(problem, "base64 cannot be decoded", value=text) from error
    if encode64(data) != text:
        raise EvidenceError(problem, "base64 is not canonical", value=text)
    return data


def verify_ed25519(public: bytes, signature: bytes, data: bytes) -> bool:
    """Return whether an Ed25519 signature is valid. public: 32 bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def verifier_of(signer: Signer, kind: bytes = ED25519) -> Verifier:
    """Return the public half of a signer as a note key of a kind."""
    return Verifier(signer.name, signer.public, kind)


def parse_verifier_key(text: str) -> Verifier:
    """Read ``name+hexid+base64`` of either kind. Raises EvidenceError (E-EVD-005)."""
    parts = text.split("+", 2)
    if len(parts) != 3 or not _is_key_name(parts[0]):
        raise EvidenceError(BAD_VERIFIER_KEY, "a verifier key has no three parts", value=text)
    raw = decode64(parts[2], BAD_VERIFIER_KEY)
    verifier = Verifier(parts[0], raw[1:], raw[:1])
    is_known = len(raw) == 33 and verifier.kind in (ED25519, COSIGNATURE)
    if not is_known or verifier.key_id.hex() != parts[1]:
        raise EvidenceError(BAD_VERIFIER_KEY, "a verifier key's id does not match", value=text)
    return verifier


def sign_note(text: str, *signers: Signer) -> str:
    """Sign a text that ends in a newline; one signature line for each signer."""
    _check_text(text)
    if not text.endswith("\n"):
        raise EvidenceError(BAD_NOTE, "a note text does not end in a newline", value=text)
    lines = "".join(
        f"{_DASH}{s.name} {encode64(verifier_of(s).key_id + s.sign(text.encode()))}\n"
        for s in signers
    )
    return f"{text}\n{lines}"


def cosign_checkpoint(text: str, signer: Signer, time: int) -> str:
    """Return the signature line, with its newline, of a cosignature over a checkpoint's text.

    time: POSIX seconds, 0 to 2**63 - 1. Raises EvidenceError (E-EVD-002, E-EVD-004) when the
    text is no checkpoint, UsageError (E-EVD-060).
    """
    _check_text(text)
    parse_checkpoint(text)
    if not 0 <= time < TIME_LIMIT:
        raise UsageError(BAD_COSIGNATURE_TIME, "a time cannot be cosigned", time=time)
    signature = signer.sign(_cosigned_data(text, time))
    raw = verifier_of(signer, COSIGNATURE).key_id + time.to_bytes(8, "big") + signature
    return f"{_DASH}{signer.name} {encode64(raw)}\n"


def with_signatures(note: str, lines: Iterable[str]) -> str:
    """Return a note with signature lines added, as a witness answers them.

    lines: one text or several, each line ended by a newline; one whose name and key id are there
    already is left out. Nothing is verified: open the result with the known keys before keeping
    it. Raises EvidenceError (E-EVD-002).
    """
    added = "".join(lines).split("\n")
    if added.pop():
        raise EvidenceError(BAD_NOTE, "a signature line does not end in a newline")
    seen = {_signer_of(line) for line in _split_note(note)[1]}
    for line in added:
        if _signer_of(line) not in seen:
            seen.add(_signer_of(line))
            note += f"{line}\n"
    _split_note(note)
    return note


def keep_signatures(note: str, verifiers: Iterable[Verifier]) -> str:
    """Return a note with only the signature lines of some keys. Raises EvidenceError (E-EVD-002).

    Nothing is verified, and no line may be left.
    """
    text, lines = _split_note(note)
    known = {(v.name, v.key_id) for v in verifiers}
    return f"{text}\n" + "".join(f"{line}\n" for line in lines if _signer_of(line) in known)


def open_note(note: str, verifiers: Iterable[Verifier]) -> OpenedNote:
    """Verify a note against known keys, of log and cosigners alike.

    Raises EvidenceError: E-EVD-002 when malformed or signed twice by one key, E-EVD-003 when a
    known key's signature is wrong or no known key has signed.
    """
    text, lines = _split_note(note)
    known = {(v.name, v.key_id): v for v in verifiers}
    seen: set[tuple[str, bytes]] = set()
    found: list[Verifier] = []
    cosigned: list[Cosigned] = []
    for line in lines:
        name, raw = _parse_signature(line)
        who = (name, raw[:4])
        if who in seen:
            raise EvidenceError(BAD_NOTE, "a note is signed twice by one key", name=name)
        seen.add(who)
        verifier = known.get(who)
        if verifier is None:
            continue
        if not _is_valid(verifier, raw, text):
            raise EvidenceError(BAD_NOTE_SIGNATURE, "a note's signature is wrong", name=name)
        if verifier.kind == COSIGNATURE:
            # WHY: the message does not hold the name, so one key under two names could count twice.
            if any(other.verifier.public == verifier.public for other in cosigned):
                raise EvidenceError(BAD_NOTE, "a note is cosigned twice by one key", name=name)
            cosigned.append(Cosigned(verifier, _time_of(raw)))
        else:
            found.append(verifier)
    if not found and not cosigned:
        raise EvidenceError(BAD_NOTE_SIGNATURE, "no trusted key has signed a note")
    return OpenedNote(text, tuple(found), tuple(cosigned))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint note. Raises EvidenceError (E-EVD-004)."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0].strip():
        raise EvidenceError(BAD_CHECKPOINT, "a checkpoint has not three lines", value=text)
    if not DECIMAL.match(lines[1]):
        raise EvidenceError(BAD_CHECKPOINT, "a tree size is not decimal", value=lines[1])
    root = decode64(lines[2], BAD_CHECKPOINT)
    if len(root) != 32:
        raise EvidenceError(BAD_CHECKPOINT, "a root is not 32 bytes", value=lines[2])
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(note: str, verifiers: Sequence[Verifier], origin: str) -> Checkpoint:
    """Verify a checkpoint with a plain signature of a log key, and its origin.

    Cosignatures by the given keys are verified too, and never suffice. Raises EvidenceError
    (E-EVD-002 to 004).
    """
    opened = open_note(note, verifiers)
    if not opened.verifiers:
        raise EvidenceError(BAD_NOTE_SIGNATURE, "no log key has signed a checkpoint")
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != origin:
        raise EvidenceError(
            BAD_CHECKPOINT, "a checkpoint is of another log", origin=checkpoint.origin
        )
    return checkpoint


def parse_receipt(text: str) -> Receipt:
    """Read a tlog-proof; its checkpoint is not verified here. Raises EvidenceError (E-EVD-006)."""
    head, gap, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or not checkpoint or lines.pop(0) != RECEIPT_HEADER:
        raise EvidenceError(BAD_RECEIPT, "a receipt has no header or checkpoint", value=text)
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode64(lines.pop(0)[6:], BAD_RECEIPT)
    index = lines.pop(0) if lines else ""
    if not index.startswith("index ") or not DECIMAL.match(index[6:]):
        raise EvidenceError(BAD_RECEIPT, "a receipt has no index", value=index)
    hashes = tuple(decode64(line, BAD_RECEIPT) for line in lines)
    if len(hashes) > 63 or any(len(item) != 32 for item in hashes):
        raise EvidenceError(BAD_RECEIPT, "a receipt's hashes are not at most 63 of 32 bytes")
    receipt = Receipt(int(index[6:]), hashes, checkpoint, extra)
    if receipt.text() != text:
        raise EvidenceError(BAD_RECEIPT, "a receipt does not re-encode to the same text")
    return receipt


def _split_note(note: str) -> tuple[str, list[str]]:
    _check_text(note)
    head, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or not note.endswith("\n") or lines.pop() or not lines:
        raise EvidenceError(BAD_NOTE, "a note has no signatures", value=note)
    if len(lines) > SIGNATURE_LIMIT:
        raise EvidenceError(BAD_NOTE, "a note has too many signatures", count=len(lines))
    return head + "\n", lines


def _parse_signature(line: str) -> tuple[str, bytes]:
    name, space, value = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not _is_key_name(name):
        raise EvidenceError(BAD_NOTE, "a signature line is malformed", value=line)
    raw = decode64(value, BAD_NOTE)
    if len(raw) < 5:
        raise EvidenceError(BAD_NOTE, "a signature is too short", value=line)
    return name, raw


def _signer_of(line: str) -> tuple[str, bytes]:
    name, raw = _parse_signature(line)
    return name, raw[:4]


def _is_valid(verifier: Verifier, raw: bytes, text: str) -> bool:
    if verifier.kind != COSIGNATURE:
        return verify_ed25519(verifier.public, raw[4:], text.encode())
    if len(raw) != _COSIGNATURE_LENGTH or _time_of(raw) >= TIME_LIMIT:
        return False
    return verify_ed25519(verifier.public, raw[12:], _cosigned_data(text, _time_of(raw)))


def _time_of(raw: bytes) -> int:
    return int.from_bytes(raw[4:12], "big")


def _cosigned_data(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _is_key_name(name: str) -> bool:
    is_word = bool(name) and "+" not in name and not any(c.isspace() for c in name)
    return is_word and not any("\ud800" <= c <= "\udfff" for c in name)


def _check_text(text: str) -> None:
    if len(text) > NOTE_LIMIT or any(c < " " and c != "\n" for c in text):
        raise EvidenceError(BAD_NOTE, "a note is too long or has control characters", value=text)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise EvidenceError(BAD_NOTE, "a note is not valid Unicode") from error
