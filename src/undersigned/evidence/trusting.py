"""What does a reader's change make of a trust file?

Each change is a function from trust to trust: it touches nothing else, and what it returns has
passed every rule of ``trust``. Refuses what would weaken the file by accident: a name or key twice,
a revocation of nothing or moved later unasked, a checkpoint that no log key of the file has signed.

Invariants:
- A checkpoint is dropped only for a larger one of the same log, and is handed back when it is.
- Two checkpoints of one log and size with other roots are both kept: together they are proof.
- Signatures of one held state are joined, never lost.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise

import msgspec

from undersigned.core.errors import EvidenceError, UsageError
from undersigned.evidence.keys import check_name
from undersigned.evidence.notes import (
    NOTE_LIMIT,
    Checkpoint,
    Verifier,
    keep_signatures,
    open_checkpoint,
    parse_checkpoint,
    with_signatures,
)
from undersigned.evidence.problems import (
    ALREADY_TRUSTED,
    BAD_NOTE,
    BAD_NOTE_SIGNATURE,
    LATER_REVOCATION,
    NO_SUCH_KEY,
)
from undersigned.evidence.trust import SCHEMA, SEPARATE, Key, Trust, check_trust


class Held(StrEnum):
    """What became of a checkpoint."""

    FIRST = "first"  #: of its log; it was added
    ADDED = "added"  #: beside the one that is held
    REPLACED = "replaced"  #: the one held, which was smaller
    JOINED = "joined"  #: its trusted signatures were added to those of the same state that is held
    KNOWN = "known"  #: the very state is held already; nothing changed
    OLDER = "older"  #: than one that is held; nothing changed
    CONTRADICTS = "contradicts"  #: one that is held; both are held now, and are proof


class Holding(msgspec.Struct, frozen=True):
    """A trust file after a checkpoint was handed to it.

    checkpoint: the one handed. other: the one of the same log that it was compared with.
    dropped: signed notes that the file no longer holds.
    """

    trust: Trust
    outcome: Held
    checkpoint: Checkpoint
    other: Checkpoint | None = None
    dropped: tuple[str, ...] = ()


def empty_trust() -> Trust:
    """Return a trust file that believes nobody."""
    return Trust(SCHEMA, ())


def fingerprint(public: bytes) -> str:
    """Return the SHA-256 of a public key's 32 bytes: 64 hexadecimal digits in groups of four."""
    digits = sha256(public).hexdigest()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def with_key(trust: Trust, key: Key, *, path: object = "FILE") -> Trust:
    """Return the trust file with one more key. path: of the file, for the error's remedy.

    Raises UsageError: E-EVD-007 for a name, party or predicate that is not plain, E-EVD-086 for a
    name or key that is there; EvidenceError: E-EVD-040 for other faults, E-EVD-041 for one party
    in two roles that must differ.
    """
    for name in (key.name, key.party, *key.predicates):
        check_name(name)
    for other in trust.keys:
        same = [
            what
            for what, is_same in (
                ("name", other.name == key.name),
                ("public key", other.public == key.public),
            )
            if is_same
        ]
        if same:
            raise UsageError(
                ALREADY_TRUSTED,
                f"the same {' and '.join(same)} as an entry of the file",
                path=path,
                entry=other.name,
                entry_fingerprint=fingerprint(other.public_bytes),
                given_fingerprint=fingerprint(key.public_bytes),
            )
    return _checked(msgspec.structs.replace(trust, keys=(*trust.keys, key)))


def key_named(trust: Trust, name: str, *, path: object = "FILE") -> Key:
    """Return the key of a name. Raises UsageError (E-EVD-087), which lists the nearest names."""
    found = next((key for key in trust.keys if key.name == name), None)
    if found is None:
        near = get_close_matches(name, [key.name for key in trust.keys], cutoff=0.4)
        raise UsageError(
            NO_SUCH_KEY,
            "the trust file has no such key",
            name=name,
            nearest=", ".join(near) or "none",
            path=path,
        )
    return found


def revoked(
    trust: Trust, name: str, position: int, *, later: bool = False, path: object = "FILE"
) -> Trust:
    """Return the trust file with a key that no longer counts from a log position on.

    later: let an earlier revocation be moved to a later position. Raises UsageError: E-EVD-087 for
    an unknown name, E-EVD-088 for a later position; EvidenceError (E-EVD-040) for a negative one.
    """
    key = key_named(trust, name, path=path)
    if key.revoked_at is not None and position > key.revoked_at and not later:
        raise UsageError(
            LATER_REVOCATION,
            "a revocation is in the file already, at an earlier position",
            name=name,
            revoked_at=key.revoked_at,
            given=position,
        )
    changed = msgspec.structs.replace(key, revoked_at=position)
    keys = tuple(changed if each.name == name else each for each in trust.keys)
    return _checked(msgspec.structs.replace(trust, keys=keys))


def with_threshold(trust: Trust, predicate: str, count: int) -> Trust:
    """Return the trust file that asks for so many different parties to sign a predicate.

    Raises UsageError (E-EVD-007), EvidenceError (E-EVD-040) for less than one.
    """
    thresholds = {**trust.thresholds, check_name(predicate): count}
    return _checked(msgspec.structs.replace(trust, thresholds=thresholds))


def separating(trust: Trust, one: str, other: str) -> Trust:
    """Return the trust file in which no party may hold both roles.

    Raises EvidenceError: E-EVD-040 for unknown or equal roles, E-EVD-041 when a party holds both.
    """
    pairs = (*SEPARATE, *trust.separate_roles)
    if (one, other) in pairs or (other, one) in pairs:
        return trust
    pairs = (*trust.separate_roles, (one, other))
    return _checked(msgspec.structs.replace(trust, separate_roles=pairs))


def holding(trust: Trust, note: str, *, keep_older: bool = False) -> Holding:
    """Return the trust file that holds a signed checkpoint too.

    note: a signed note. keep_older: hold it beside smaller ones of its log, not in their place; and
    beside larger ones. Raises EvidenceError: E-EVD-002 to 004 when it is malformed or no log key of
    the file that still counts at its size has signed it.
    """
    new = _open(trust, note)
    held = {text: point for text, point in held_checkpoints(trust) if point.origin == new.origin}
    level = {text: point for text, point in held.items() if point.size == new.size}
    against = next((point for point in level.values() if point.root != new.root), None)
    for text, point in level.items():
        if point.root == new.root:
            joined = _join(trust, text, note, point)
            if against is None:
                return joined
            return Holding(joined.trust, Held.CONTRADICTS, new, against)
    if against is not None:
        return _with_note(trust, note, set(), Holding(trust, Held.CONTRADICTS, new, against))
    if not held:
        return _with_note(trust, note, set(), Holding(trust, Held.FIRST, new))
    largest = max(held.values(), key=lambda point: point.size)
    if largest.size > new.size and not keep_older:
        return Holding(trust, Held.OLDER, new, largest)
    # INVARIANT: what proves that a log has contradicted itself is never dropped.
    proofs = {(one.origin, one.size) for one, _ in contradictions(trust)}
    old = {t for t, point in held.items() if (point.origin, point.size) not in proofs}
    dropped = set() if keep_older else old
    outcome = Held.REPLACED if dropped else Held.ADDED
    return _with_note(trust, note, dropped, Holding(trust, outcome, new, largest))


def contradictions(trust: Trust) -> list[tuple[Checkpoint, Checkpoint]]:
    """Return held checkpoints of one log and size with different roots, in pairs."""
    points = sorted(
        (point for _, point in held_checkpoints(trust)), key=lambda p: (p.origin, p.size, p.root)
    )
    return [
        (one, other)
        for one, other in pairwise(points)
        if (one.origin, one.size) == (other.origin, other.size) and one.root != other.root
    ]


def held_checkpoints(trust: Trust) -> list[tuple[str, Checkpoint]]:
    """Return the checkpoints that a trust file holds: signed note, state."""
    return [(note, _point(note)) for note in trust.checkpoints]


def counting_at(trust: Trust, size: int) -> Trust:
    """Return the trust file with only those keys that may sign a checkpoint of a size."""
    keys = tuple(k for k in trust.keys if k.revoked_at is None or size <= k.revoked_at)
    return msgspec.structs.replace(trust, keys=keys)


def _open(trust: Trust, note: str) -> Checkpoint:
    """Return the checkpoint of a note that a log key has signed which still counts there."""
    if len(note) > NOTE_LIMIT or "\n\n" not in note:
        raise EvidenceError(BAD_NOTE, "a checkpoint is too long or unsigned", characters=len(note))
    point = _point(note)
    keys = counting_at(trust, point.size).verifiers(point.origin)
    if not keys:
        named = [key for key in trust.keys if "log" in key.roles]
        raise EvidenceError(
            BAD_NOTE_SIGNATURE,
            "no key of the trust file may sign this log's checkpoint",
            origin=point.origin,
            size=point.size,
            known_logs=", ".join(sorted({o for key in named for o in key.origins})) or "none",
        )
    return open_checkpoint(note, _known(trust, point), point.origin)


def _point(note: str) -> Checkpoint:
    return parse_checkpoint(note.rpartition("\n\n")[0] + "\n")


def _known(trust: Trust, point: Checkpoint) -> tuple[Verifier, ...]:
    counting = counting_at(trust, point.size)
    return (*counting.verifiers(point.origin), *counting.verifiers(point.origin, "witness"))


def _join(trust: Trust, held: str, note: str, point: Checkpoint) -> Holding:
    """Add the trusted signatures of a note to a held one of the same state."""
    trusted = keep_signatures(note, _known(trust, point))
    joined = with_signatures(held, [trusted.rpartition("\n\n")[2]])
    if joined == held:
        return Holding(trust, Held.KNOWN, point, point)
    notes = tuple(joined if each == held else each for each in trust.checkpoints)
    changed = _checked(msgspec.structs.replace(trust, checkpoints=notes))
    return Holding(changed, Held.JOINED, point, point)


def _with_note(trust: Trust, note: str, dropped: set[str], holding: Holding) -> Holding:
    kept = tuple(text for text in trust.checkpoints if text not in dropped)
    changed = _checked(msgspec.structs.replace(trust, checkpoints=(*kept, note)))
    gone = tuple(text for text in trust.checkpoints if text in dropped)
    return msgspec.structs.replace(holding, trust=changed, dropped=gone)


def _checked(trust: Trust) -> Trust:
    check_trust(trust)
    return trust
