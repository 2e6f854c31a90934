"""Is this record in that log, and is that log a continuation of this one?

The append-only Merkle tree of RFC 9162, section 2.1, over SHA-256. Every node of every perfect
subtree is kept, by level, so a proof is a handful of look-ups and tiles can be cut from it.
Refuses positions and sizes outside the tree. Checking proofs is not done here: the verifier
(``verify.py``) has its own algorithm and shares no code with this module.

Invariants:
- A leaf hash is SHA-256(0x00, data), an inner node SHA-256(0x01, left, right), so no leaf can
  pose as a node.
- ``level(k)[i]`` is the root of the leaves ``[i * 2**k, (i + 1) * 2**k)``; it never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from undersigned.core.errors import UsageError
from undersigned.evidence.problems import OUTSIDE_TREE

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162, section 2.1.1)."""


def leaf_hash(data: bytes) -> bytes:
    """Return the 32-byte leaf hash of a record."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the 32-byte root over leaf hashes in order."""
    tree = Tree()
    tree.extend(leaf_hashes)
    return tree.root()


class Tree:
    """An append-only Merkle tree in memory.

    >>> tree = Tree()
    >>> tree.append(leaf_hash(b"a"))
    0
    >>> tree.root() == leaf_hash(b"a")
    True
    """

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        """Start an empty tree."""
        self._levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """Return the number of leaves."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash (32 bytes) and return its index."""
        self.extend((leaf,))
        return self.size - 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaf hashes (32 bytes each) in order."""
        levels, hasher = self._levels, sha256
        levels[0].extend(leaf_hashes)
        height, below = 0, levels[0]
        while len(below) > 1:
            height += 1
            if height == len(levels):
                levels.append([])
            nodes = levels[height]
            start, end = 2 * len(nodes), len(below) & -2
            if start == end:
                return
            if end - start == 2:
                nodes.append(hasher(b"\x01" + below[start] + below[start + 1]).digest())
            else:
                lefts, rights = below[start:end:2], below[start + 1 : end : 2]
                pairs = zip(lefts, rights, strict=True)
                nodes.extend([hasher(b"\x01" + a + b).digest() for a, b in pairs])
            below = nodes

    def level(self, height: int) -> Sequence[bytes]:
        """Return the roots of all perfect subtrees of ``2**height`` leaves, left to right."""
        return self._levels[height] if height < len(self._levels) else ()

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` leaves (all when None).

        size: 0 to ``self.size``. Raises UsageError (E-EVD-001) outside it.
        """
        size = self.size if size is None else size
        self._check(0 <= size <= self.size, size=size)
        return self._edge(size, size.bit_length()) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the inclusion proof of a leaf in the tree of ``size`` leaves.

        index: 0 to size - 1. size: 1 to ``self.size``. Result: sibling hashes from the leaf
        up (RFC 9162, section 2.1.3.1). Raises UsageError (E-EVD-001).
        """
        self._check(0 <= index < size <= self.size, index=index, size=size)
        return self._path(0, index, size)

    def consistency(self, size1: int, size2: int) -> list[bytes]:
        """Return the proof that the tree of ``size2`` continues the tree of ``size1``.

        1 <= size1 <= size2 <= ``self.size``. Result as RFC 9162, section 2.1.4.1; empty when
        the sizes are equal. Raises UsageError (E-EVD-001), also for size1 = 0: every tree
        continues the empty one, which proves nothing.
        """
        self._check(0 < size1 <= size2 <= self.size, size1=size1, size2=size2)
        if size1 == size2:
            return []
        height = (size1 & -size1).bit_length() - 1
        index = (size1 >> height) - 1
        seed = [self._levels[height][index]] if index else []
        return seed + self._path(height, index, size2)

    def _path(self, height: int, index: int, size: int) -> list[bytes]:
        proof = []
        last = (size - 1) >> height
        while last:
            sibling = index ^ 1
            if sibling < last:
                proof.append(self._levels[height][sibling])
            elif sibling == last:
                proof.append(self._edge(size, height))
            index >>= 1
            last >>= 1
            height += 1
        return proof

    def _edge(self, size: int, height: int) -> bytes:
        """Return the root of the rightmost, maybe imperfect, subtree at a height."""
        rest = size & ((1 << height) - 1)
        if not rest:
            return self._levels[height][(size >> height) - 1]
        low = (rest & -rest).bit_length() - 1
        node = self._levels[low][(size >> low) - 1]
        for level in range(low + 1, rest.bit_length()):
            if rest >> level & 1:
                node = node_hash(self._levels[level][(size >> level) - 1], node)
        return node

    def _check(self, is_inside: bool, **values: int) -> None:
        if not is_inside:
            raise UsageError(
                OUTSIDE_TREE, "a position is outside the tree", **values, leaves=self.size
            )
