"""Whom does the reader believe, for what, and until when?

A JSON file written by the reader, never taken from what is being read. It says for each key whose
it is, in which roles, which predicates and which log origins it may sign, and when it counts.
Decoding is strict (unknown and doubled fields, other algorithms and malformed dates are refused);
spacing and order are free, because people edit it by hand.

Invariants:
- A name means one key, and a public key has one name.
- No party holds two roles of a separated pair; the pairs below always hold, the file may add more.
- Revocation takes effect at a log position: a statement at or after it does not count, and one
  whose position is unknown is refused.
- Every time is claimed by its writer unless a held checkpoint bounds it.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import msgspec

from answerable.core.errors import EvidenceError
from answerable.core.files import read_file, write_file
from answerable.evidence.keys import NAME, ROLES
from answerable.evidence.notes import Verifier, decode64, encode64, open_note, parse_checkpoint
from answerable.evidence.problems import (
    BAD_TRUST,
    KEY_NOT_VALID,
    KEY_REVOKED,
    NOT_ALLOWED,
    ROLES_COLLIDE,
    UNKNOWN_KEY,
)

SCHEMA = "answerable.trust.v1"
SEPARATE = (("witness", "log"), ("approver", "tester"))
"""Roles that one party must never hold both."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A public key and what it counts for.

    name: as signatures show it. algorithm: ``ed25519``. public: base64 of 32 bytes. roles: of
    ``keys.ROLES``. predicates: short names that it may sign. origins: logs whose checkpoints it
    may sign. not_before, not_after: dates, both included. revoked_at: first log position that it
    may no longer sign.
    """

    name: str
    algorithm: str
    public: str
    party: str
    roles: tuple[str, ...]
    predicates: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    not_before: str | None = None
    not_after: str | None = None
    revoked_at: int | None = None

    @property
    def public_bytes(self) -> bytes:
        """Return the 32 bytes of the public key. Raises EvidenceError (E-EVD-040)."""
        raw = decode64(self.public, BAD_TRUST)
        if len(raw) != 32:
            raise EvidenceError(BAD_TRUST, "a public key is not 32 bytes", name=self.name)
        return raw

    @classmethod
    def of(
        cls,
        name: str,
        public: bytes,
        party: str,
        *,
        roles: tuple[str, ...],
        predicates: tuple[str, ...] = (),
        origins: tuple[str, ...] = (),
    ) -> Key:
        """Return the entry of an Ed25519 public key of 32 bytes."""
        return cls(name, "ed25519", encode64(public), party, roles, predicates, origins)


class Trust(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A trust file. thresholds: parties that must sign, by predicate; 1 where it says nothing.

    checkpoints: signed notes that the reader already holds.
    """

    schema: str
    keys: tuple[Key, ...]
    thresholds: dict[str, int] = {}
    separate_roles: tuple[tuple[str, str], ...] = ()
    checkpoints: tuple[str, ...] = ()

    def key_for(
        self,
        name: str,
        *,
        predicate: str | None = None,
        role: str | None = None,
        position: int | None = None,
        at: datetime.date | None = None,
    ) -> Key:
        """Return the key of that name if it may sign this.

        predicate: short name it must be allowed. role: that it must have. position: log index
        of what it signed. at: claimed date. Raises EvidenceError: E-EVD-032 unknown, E-EVD-033
        not allowed, E-EVD-034 revoked, E-EVD-035 outside its dates.
        """
        key = next((key for key in self.keys if key.name == name), None)
        if key is None:
            raise EvidenceError(UNKNOWN_KEY, "a key is not in the trust file", keyid=name)
        if predicate is not None and predicate not in key.predicates:
            raise EvidenceError(NOT_ALLOWED, "not its predicate", keyid=name, predicate=predicate)
        if role is not None and role not in key.roles:
            raise EvidenceError(NOT_ALLOWED, "a key lacks the role", keyid=name, role=role)
        if key.revoked_at is not None and (position is None or position >= key.revoked_at):
            raise EvidenceError(
                KEY_REVOKED, "a key is revoked", keyid=name, revoked_at=key.revoked_at
            )
        _check_date(key, at)
        return key

    def threshold(self, predicate: str) -> int:
        """Return how many different parties must sign a predicate; at least 1."""
        return self.thresholds.get(predicate, 1)

    def verifiers(self, origin: str, role: str = "log") -> tuple[Verifier, ...]:
        """Return the note keys that may sign checkpoints of a log origin in a role."""
        return tuple(
            Verifier(key.name, key.public_bytes)
            for key in self.keys
            if role in key.roles and origin in key.origins
        )


def load_trust(path: Path) -> Trust:
    """Read a trust file. Raises EvidenceError (E-EVD-040, E-EVD-041), StorageError."""
    return parse_trust(read_file(path), path=path)


def parse_trust(data: bytes, *, path: Path | str = "the trust file") -> Trust:
    """Decode and check a trust file's bytes. Raises EvidenceError (E-EVD-040, E-EVD-041)."""
    try:
        raw = json.loads(data.decode(), object_pairs_hook=_unique)
        trust = msgspec.convert(raw, Trust)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(
            BAD_TRUST, "a trust file is malformed", path=str(path), reason=error
        ) from error
    check_trust(trust, path=path)
    return trust


def write_trust(path: Path, trust: Trust) -> None:
    """Check a trust file and write it, indented for people."""
    check_trust(trust, path=path)
    text = json.dumps(msgspec.to_builtins(trust), indent=2, ensure_ascii=False)
    write_file(path, text.encode() + b"\n")


def check_trust(trust: Trust, *, path: Path | str = "the trust file") -> None:
    """Apply every rule of the module's docstring. Raises EvidenceError."""
    _require(trust.schema == SCHEMA, "an unknown schema", path, schema=trust.schema)
    names = [key.name for key in trust.keys]
    publics = [key.public_bytes for key in trust.keys]
    _require(len(set(names)) == len(names), "a key name twice", path, names=names)
    _require(len(set(publics)) == len(publics), "one public key under two names", path)
    for key in trust.keys:
        _check_key(key, path)
    _require(all(count >= 1 for count in trust.thresholds.values()), "a threshold below one", path)
    _check_roles(trust, path)
    for note in trust.checkpoints:
        origin = note.split("\n", 1)[0]
        parse_checkpoint(open_note(note, trust.verifiers(origin)).text)


def _check_key(key: Key, path: Path | str) -> None:
    _require(bool(NAME.match(key.name)), "a key name is not plain", path, name=key.name)
    _require(bool(NAME.match(key.party)), "a party is not plain", path, party=key.party)
    _require(key.algorithm == "ed25519", "an unknown algorithm", path, algorithm=key.algorithm)
    known = bool(key.roles) and set(key.roles) <= set(ROLES)
    _require(known, "an unknown role", path, roles=key.roles)
    signs_logs = {"log", "witness"} & set(key.roles)
    _require(bool(key.origins) or not signs_logs, "a log key without origins", path, name=key.name)
    revoked = key.revoked_at
    _require(revoked is None or revoked >= 0, "a negative position", path, name=key.name)
    for date in (key.not_before, key.not_after):
        _require(date is None or _is_date(date), "a malformed date", path, date=date)


def _check_roles(trust: Trust, path: Path | str) -> None:
    held: dict[str, set[str]] = {}
    for key in trust.keys:
        held.setdefault(key.party, set()).update(key.roles)
    for one, other in (*SEPARATE, *trust.separate_roles):
        known = one in ROLES and other in ROLES and one != other
        _require(known, "an unknown pair of roles", path, pair=(one, other))
        for party, roles in held.items():
            if one in roles and other in roles:
                raise EvidenceError(
                    ROLES_COLLIDE, "a party checks itself", party=party, roles=f"{one}, {other}"
                )


def _check_date(key: Key, at: datetime.date | None) -> None:
    if at is None:
        return
    day = at.isoformat()
    is_early = key.not_before is not None and day < key.not_before
    is_late = key.not_after is not None and day > key.not_after
    if is_early or is_late:
        raise EvidenceError(KEY_NOT_VALID, "a key is not valid then", keyid=key.name, claimed=day)


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field twice: " + ", ".join(name for name, _ in pairs))
    return fields


def _require(holds: bool, what: str, path: Path | str, **fields: object) -> None:
    if not holds:
        raise EvidenceError(BAD_TRUST, f"in the trust file: {what}", path=str(path), **fields)
