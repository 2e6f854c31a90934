"""Whom does the reader believe, for what, and until when?

A JSON file written by the reader, never taken from what is being read. It says for each key whose
it is, in which roles, which predicates and which log origins it may sign, and when it counts.
Decoding is strict (unknown and doubled fields, other algorithms, numbers that are no plain integers
and malformed dates are refused); spacing and order are free, because people edit it by hand.
Changes are made by ``trusting``.

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
from collections import Counter
from pathlib import Path

import msgspec

from undersigned.core.errors import EvidenceError, Problem, StorageError, printable
from undersigned.core.files import write_file
from undersigned.core.problems import READ_FAILED
from undersigned.evidence.former import refuse_former
from undersigned.evidence.keys import NAME, ROLES
from undersigned.evidence.notes import (
    COSIGNATURE,
    ED25519,
    Verifier,
    decode64,
    encode64,
    open_note,
    parse_checkpoint,
)
from undersigned.evidence.problems import (
    BAD_TRUST,
    KEY_NOT_VALID,
    KEY_REVOKED,
    NOT_ALLOWED,
    ROLES_COLLIDE,
    UNKNOWN_KEY,
)

SCHEMA = "undersigned.trust.v1"
TRUST_LIMIT = 16 << 20
"""Bytes of a trust file that are accepted."""

SEPARATE = (("witness", "log"), ("witness", "tester"), ("approver", "tester"))
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
        """Return the note keys that may sign checkpoints of a log origin in a role.

        Those of witnesses verify cosignatures, all others plain signatures.
        """
        kind = COSIGNATURE if role == "witness" else ED25519
        return tuple(
            Verifier(key.name, key.public_bytes, kind)
            for key in self.keys
            if role in key.roles and origin in key.origins
        )


def load_trust(path: Path) -> Trust:
    """Read a trust file.

    Raises EvidenceError (E-EVD-040, E-EVD-041), UndecidableError (E-EVD-091), StorageError.
    """
    return parse_trust(read_capped(path, TRUST_LIMIT), path=path)


def read_capped(path: Path, limit: int, problem: Problem = BAD_TRUST) -> bytes:
    """Read a file of the reader's own. limit: bytes that are accepted.

    problem: what it is when it is longer. Raises EvidenceError (of that problem), or StorageError
    (E-COR-005) when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise StorageError(
            READ_FAILED, "a file could not be read", path=path, reason=reason
        ) from error
    if len(data) > limit:
        raise EvidenceError(problem, "a file is too long", path=path, limit=f"{limit} bytes")
    return data


def parse_trust(data: bytes, *, path: Path | str = "the trust file") -> Trust:
    """Decode and check a trust file's bytes.

    Raises EvidenceError (E-EVD-040, E-EVD-041), UndecidableError (E-EVD-091).
    """
    try:
        raw = _DECODER.decode(data.decode())
        json.dumps(raw, ensure_ascii=False).encode()  # a lone surrogate is no text
        trust = msgspec.convert(raw, Trust)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(
            BAD_TRUST, "a trust file is malformed", path=str(path), reason=str(error)
        ) from error
    check_trust(trust, path=path)
    return trust


def write_trust(path: Path, trust: Trust) -> None:
    """Check a trust file and write it, indented for people; a file there keeps its permissions."""
    check_trust(trust, path=path)
    text = json.dumps(msgspec.to_builtins(trust), indent=2, ensure_ascii=False)
    # WHY resolve: a link stays a link, and the file that it leads to is the one that changes.
    real = path.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
    write_file(real, text.encode() + b"\n", mode=mode)


def check_trust(trust: Trust, *, path: Path | str = "the trust file") -> None:
    """Apply every rule of the module's docstring. Raises EvidenceError, UndecidableError."""
    refuse_former(trust.schema, path)
    _require(trust.schema == SCHEMA, "an unknown schema", path, schema=trust.schema)
    by_name: dict[str, Key] = {}
    by_public: dict[bytes, str] = {}
    for key in trust.keys:
        _check_key(key, path)
        _require(key.name not in by_name, "a key name twice", path, name=key.name)
        other = by_public.get(key.public_bytes, "")
        two = f"{other}, {key.name}"
        _require(not other, "one public key under two names", path, names=two)
        by_name[key.name], by_public[key.public_bytes] = key, key.name
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
    _require(known, "an unknown role, or none", path, name=key.name, roles=", ".join(key.roles))
    signs_logs = {"log", "witness"} & set(key.roles)
    _require(bool(key.origins) or not signs_logs, "a log key without origins", path, name=key.name)
    revoked = key.revoked_at
    _require(revoked is None or revoked >= 0, "a negative position", path, name=key.name)
    for date in (key.not_before, key.not_after):
        what = "a malformed date (YYYY-MM-DD)"
        _require(date is None or is_date(date), what, path, name=key.name, date=date)
    in_order = (key.not_before or "") <= (key.not_after or "9999-12-31")
    _require(in_order, "a key that ends before it begins", path, name=key.name)
    for predicate in key.predicates:
        plain = bool(NAME.match(predicate))
        _require(plain, "a predicate is not plain", path, name=key.name, predicate=predicate)
    for origin in key.origins:
        plain = bool(origin.strip()) and printable(origin, len(origin)) == origin
        _require(plain, "an origin is not plain", path, name=key.name, origin=origin)


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


def is_date(text: str) -> bool:
    """Tell whether a text is a date, written YYYY-MM-DD."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"a field twice: {twice}")
    if not all(name.isascii() for name in fields):
        raise ValueError("a field whose name is not ASCII")
    return fields


def _integer(text: str) -> int:
    # INVARIANT: the same numbers as the stand-alone verifier reads.
    if len(text) > 16 or not text.removeprefix("-").isdecimal() or abs(int(text)) >= 1 << 53:
        raise ValueError(f"a number that is no plain integer: {text[:32]}")
    return int(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer)
"""Strict but for what no field takes anyway: floats, NaN, infinities."""


def _require(holds: bool, what: str, path: Path | str, **fields: object) -> None:
    if not holds:
        raise EvidenceError(BAD_TRUST, f"in the trust file: {what}", path=str(path), **fields)
