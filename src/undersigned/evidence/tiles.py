"""Which static files let any C2SP client read this log?

tlog-tiles: ``checkpoint``, ``tile/<L>/<N>[.p/<W>]`` with up to 256 node hashes, and
``tile/entries/<N>[.p/<W>]`` with up to 256 entries, each after its big-endian uint16 length. The
files are a copy cut from the tree; deleting them loses nothing.

Invariants:
- A full tile never changes: a file of that name that holds other bytes is never overwritten.
- Every tile is durable before its caller publishes the checkpoint that names it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from undersigned.core.errors import StorageError, UsageError
from undersigned.core.files import read_file
from undersigned.core.problems import WRITE_FAILED
from undersigned.evidence.problems import EXPORT_OTHER
from undersigned.evidence.tree import Tree

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


def count_tiles(size: int) -> int:
    """Return how many files ``cut_tiles`` yields for ``size`` leaves."""
    count = -(-size // WIDTH)
    while size:
        count += -(-size // WIDTH)
        size >>= 8
    return count


def cut_tiles(tree: Tree, size: int, entries: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of every tile of the first ``size`` leaves.

    size: 0 to ``tree.size``. entries: at least so many, in order, each read once.
    """
    source = iter(entries)
    for first in range(0, size, WIDTH):
        width = min(WIDTH, size - first)
        bundle = b"".join(len(item).to_bytes(2, "big") + item for item in islice(source, width))
        yield tile_name("entries", first // WIDTH, width), bundle
    level = 0
    while (count := size >> (8 * level)) > 0:
        nodes = tree.level(8 * level)
        for first in range(0, count, WIDTH):
            last = min(first + WIDTH, count)
            name = tile_name(level, first // WIDTH, last - first)
            yield name, b"".join(nodes[first:last])
        level += 1


def write_tiles(
    folder: Path,
    tiles: Iterable[tuple[str, bytes]],
    on_tile: Callable[[], object] = lambda: None,
) -> None:
    """Write tiles as files and make them durable together; those already there are left.

    on_tile: called after each. Raises UsageError (E-EVD-074) when a file of that name holds other
    bytes, StorageError (E-COR-004) when one cannot be written.
    """
    for name, data in tiles:
        path = folder / name
        try:
            if not path.exists():
                beside = path.with_name(f".{path.name}.part")
                path.parent.mkdir(parents=True, exist_ok=True)
                beside.write_bytes(data)
                beside.replace(path)
            elif path.read_bytes() != data:
                raise UsageError(EXPORT_OTHER, "a tile of another log is there", path=str(path))
        except OSError as error:
            raise StorageError(
                WRITE_FAILED, "a tile could not be written", path=str(path), reason=error.strerror
            ) from error
        on_tile()
    # WHY one flush of everything: thousands of single ones take minutes on a slow disk.
    os.sync()


def read_export(folder: Path) -> str | None:
    """Return the checkpoint note of the export in a folder, None when nothing is there yet.

    Raises UsageError (E-EVD-074) when the folder holds something else, StorageError (E-COR-005).
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if "checkpoint" not in names:
        # WHY tiles alone are let pass: an export that was stopped; each is compared when written.
        if names - {"tile"}:
            raise UsageError(EXPORT_OTHER, "the folder is not empty", path=str(folder))
        return None
    try:
        return read_file(folder / "checkpoint").decode()
    except UnicodeDecodeError as error:
        raise UsageError(EXPORT_OTHER, "it holds no checkpoint", path=str(folder)) from error
