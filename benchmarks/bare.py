"""What would the least program do? The floors that rows are held against.

Each does the same amount of the unavoidable work (numbers drawn, bytes hashed, nodes picked) and
nothing else: no checks. Episodes have a floor of their own, ``prototype``.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def bare_scenarios(count: int) -> None:
    """Draw twenty numbers by SHA-256 and write them over a dict, per scenario."""
    base = {f"r{i}": i for i in range(20)}
    for number in range(count):
        key = sha256(number.to_bytes(8, "big")).digest()
        drawn = [
            int.from_bytes(sha256(key + bytes([i])).digest()[:8], "big") % 1000 for i in range(20)
        ]
        dict(base, **{f"r{i}": value for i, value in enumerate(drawn)})


def bare_tree(entries: Sequence[bytes]) -> list[bytes]:
    """Hash each entry as a leaf, and once more for the inner node that a leaf brings on average."""
    nodes = []
    for entry in entries:
        leaf = sha256(b"\x00" + entry).digest()
        nodes.append(leaf)
        sha256(b"\x01" + leaf + leaf).digest()
    return nodes


def bare_proofs(nodes: Sequence[bytes], count: int) -> None:
    """Pick as many nodes out of a list as an inclusion proof has."""
    height = max(1, len(nodes).bit_length())
    for index in range(count):
        [nodes[(index >> level) ^ 1] for level in range(height)]
