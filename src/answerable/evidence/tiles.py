"""Which static files let any C2SP client read this log?

tlog-tiles: ``checkpoint``, ``tile/<L>/<N>[.p/<W>]`` with up to 256 node hashes, and
``tile/entries/<N>[.p/<W>]`` with up to 256 entries, each after its big-endian uint16 length. The
files are a copy cut from the tree; deleting them loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from answerable.evidence.tree import Tree

WIDTH = 256
"""Hashes or entries of a full tile."""


def tile_name(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return a tile's path. level: 0 to 63 or ``entries``. width: 1 to 256.

    >>> tile_name(0, 1234067)
    'tile/0/x001/x234/067'
    """
    digits = f"{index % 1000:03d}"
    rest = index // 1000
    while rest:
        digits = f"x{rest % 1000:03d}/{digits}"
        rest //= 1000
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{digits}{partial}"


def cut_tiles(tree: Tree, size: int, entry: Callable[[int], bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of every tile of the first ``size`` leaves.

    size: 0 to ``tree.size``. entry: returns the entry at an index.
    """
    for first in range(0, size, WIDTH):
        last = min(first + WIDTH, size)
        entries = (entry(index) for index in range(first, last))
        bundle = b"".join(len(item).to_bytes(2, "big") + item for item in entries)
        yield tile_name("entries", first // WIDTH, last - first), bundle
    level = 0
    while (count := size >> (8 * level)) > 0:
        nodes = tree.level(8 * level)
        for first in range(0, count, WIDTH):
            last = min(first + WIDTH, count)
            name = tile_name(level, first // WIDTH, last - first)
            yield name, b"".join(nodes[first:last])
        level += 1
