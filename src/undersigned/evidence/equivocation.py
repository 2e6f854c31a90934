"""Has this log signed two histories, so that anyone with its key can check the charge offline?

Two checkpoints and, when their sizes differ, one path in the newer tree. The path is the one of
RFC 9162, section 2.1.4.2, computed here from the top-down split of section 2.1.4.1. Refuses
charges that could be read in two ways; says nothing about who of several key holders signed.

Invariants:
- A log that never signed two histories cannot be convicted, unless SHA-256 has a collision or
  another held its key.
- Any two contradicting checkpoints can be proven by whoever holds the newer one's entries.
- ``parse_equivocation(proof.text().encode()) == proof``, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from undersigned.core.canonical import decode, encode
from undersigned.core.errors import EvidenceError
from undersigned.evidence.notes import (
    Checkpoint,
    Verifier,
    decode64,
    encode64,
    keep_signatures,
    open_checkpoint,
)
from undersigned.evidence.problems import BAD_EQUIVOCATION, OTHER_TREE
from undersigned.evidence.tree import Tree, node_hash

SIZE_LIMIT = 1 << 18
"""Bytes of a proof that are accepted."""

PATH_LIMIT = 64
"""Hashes of a path that are accepted: its seed and a consistency proof."""


class Equivocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two checkpoints that one log signed and that no single history holds, for anyone to check.

    older, newer: signed notes; the sizes may be equal, then there are no hashes. hashes: base64,
    the path of RFC 9162, section 2.1.4.2, that recomputes the newer root and another older root
    than was signed. It always starts with its seed, which a request leaves out when the older
    size is a power of two because it is the older root itself.
    """

    origin: str
    older: str
    newer: str
    hashes: tuple[str, ...] = ()
    schema: Literal["undersigned.equivocation.v1"] = "undersigned.equivocation.v1"

    @classmethod
    def of(
        cls, older: str, newer: str, path: Sequence[bytes], verifiers: Sequence[Verifier]
    ) -> Equivocation:
        """Return the charge with only the signature lines of the log's keys; nothing is checked."""
        notes = [keep_signatures(note, verifiers) for note in (older, newer)]
        origin = newer.partition("\n")[0]
        return cls(origin, notes[0], notes[1], tuple(encode64(item) for item in path))

    def text(self) -> str:
        """Return the canonical JSON."""
        return encode(self).decode()


def parse_equivocation(data: bytes) -> Equivocation:
    """Read a proof of two histories; nothing is verified. Raises EvidenceError (E-EVD-064)."""
    if len(data) > SIZE_LIMIT:
        raise EvidenceError(BAD_EQUIVOCATION, "a proof is too long", size=len(data))
    try:
        proof = decode(data, Equivocation)
    except EvidenceError as error:
        raise EvidenceError(
            BAD_EQUIVOCATION, "a proof cannot be read", reason=error.what
        ) from error
    if any(len(item) != 32 for item in _hashes(proof)) or len(proof.hashes) > PATH_LIMIT:
        raise EvidenceError(BAD_EQUIVOCATION, "a proof's hashes are not at most 64 of 32 bytes")
    return proof


def verify_equivocation(data: bytes, verifiers: Sequence[Verifier]) -> bool:
    """Return whether a log is convicted of two histories.

    data: canonical JSON. verifiers: the log's keys, from the reader, never from the proof. False
    when both notes are the log's and do not contradict each other as far as is shown. Raises
    EvidenceError: E-EVD-064 when malformed, E-EVD-002 to 004 when a note is not the log's.
    """
    proof = parse_equivocation(data)
    older, newer = (
        open_checkpoint(note, verifiers, proof.origin) for note in (proof.older, proof.newer)
    )
    return contradict(older, newer, _hashes(proof))


def prove_equivocation(
    older_note: str, newer_note: str, tree_of_newer: Tree, verifiers: Sequence[Verifier]
) -> Equivocation | None:
    """Return the proof that two signed checkpoints are of two histories; None when they agree.

    tree_of_newer: of the entries that the newer checkpoint covers, or more; not looked at when
    the sizes are equal. Every tree continues an empty one, so size 0 agrees with any other. Raises
    EvidenceError: E-EVD-002 to 004 for the notes, E-EVD-065 when the tree is another's or the
    older checkpoint is the larger.
    """
    origin = newer_note.partition("\n")[0]
    older, newer = (open_checkpoint(note, verifiers, origin) for note in (older_note, newer_note))
    path: list[bytes] = []
    if older.size != newer.size:
        sizes = {"older": older.size, "newer": newer.size, "entries": tree_of_newer.size}
        if not older.size < newer.size <= tree_of_newer.size:
            raise EvidenceError(OTHER_TREE, "two sizes do not fit the entries", **sizes)
        if tree_of_newer.root(newer.size) != newer.root:
            raise EvidenceError(OTHER_TREE, "entries have another root", **sizes)
        if older.size:
            path = tree_of_newer.consistency(older.size, newer.size)
        if omits_seed(older.size):
            path.insert(0, tree_of_newer.root(older.size))
    if not contradict(older, newer, path):
        return None
    return Equivocation.of(older_note, newer_note, path, verifiers)


def contradict(older: Checkpoint, newer: Checkpoint, path: Sequence[bytes]) -> bool:
    """Return whether no history holds both checkpoints.

    The path recomputes the newer root, so its hashes are nodes of the newer tree unless SHA-256
    has a collision, and the older root that they give is the one of the newer tree's first leaves.
    """
    if older.size == newer.size:
        return not path and older.root != newer.root
    if not 0 < older.size < newer.size:
        return False
    roots = recompute_roots(older.size, newer.size, path)
    return roots is not None and roots[1] == newer.root and roots[0] != older.root


def recompute_roots(older: int, newer: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the roots of both sizes that a path with its seed gives; None if its length is wrong.

    0 < older < newer. The way down from the newer root to the subtree that ends where the older
    tree ends takes a left or right turn at each node; the siblings passed are the path, bottom up.
    """
    turns_right: list[bool] = []
    first, last = older, newer
    while first < last:
        half = 1 << ((last - 1).bit_length() - 1)
        turns_right.append(first > half)
        first, last = (first - half, last - half) if first > half else (first, half)
    if len(path) != len(turns_right) + 1:
        return None
    old = new = path[0]
    for is_right, sibling in zip(reversed(turns_right), path[1:], strict=True):
        if is_right:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old, new


def omits_seed(size: int) -> bool:
    """Return whether a consistency proof from a size leaves out its seed, the older root."""
    return size > 0 and size & (size - 1) == 0


def _hashes(proof: Equivocation) -> list[bytes]:
    return [decode64(item, BAD_EQUIVOCATION) for item in proof.hashes]
