"""How are episodes kept, and how does one read them without trusting the file?

A shard is the episodes' bytes, one after another, compressed with zstd; its identity is over the
uncompressed bytes. Beside it lies a ``.leaves`` file with one RFC 9162 leaf hash per episode. A
shard is written whole or not at all.

Invariants:
- Reading stops at ``RAW_LIMIT`` uncompressed bytes, whatever the file claims.
- A file is one whole zstd frame: a cut one, or anything after it, is refused.
- Episodes that do not hash to their leaves are refused, by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import zstandard

from undersigned.core.errors import EvidenceError, Problem
from undersigned.core.files import write_file
from undersigned.episodes.problems import BAD_SHARD
from undersigned.events.stream import split_episodes
from undersigned.evidence.tree import leaf_hash

FAST = zstandard.ZstdCompressionParameters(
    strategy=1, window_log=21, hash_log=14, min_match=7, target_length=2
)
"""Of compression: level 1 with longer matches and longer skips, as episodes repeat whole lines."""
RAW_LIMIT = 1 << 30
"""Uncompressed bytes of one shard that are accepted."""
HASH_SIZE = 32
SLICE = 1024
"""Compressed bytes that are decompressed at a time: at most 32 MiB, for a block of 128 KiB takes
four bytes or more."""


WHOLE = 1 << 26
"""Uncompressed bytes that are made in one go, when a frame says that it holds no more."""


class Shard(NamedTuple):
    """A shard's files. data: compressed episodes. leaves: leaf hashes, 32 bytes each."""

    data: bytes
    leaves: bytes


def shard_name(number: int) -> str:
    """Return the name of a shard without its ending."""
    return f"episodes/shard-{number:05d}"


def make_shard(episodes: Sequence[bytes]) -> Shard:
    """Make a shard of episodes' bytes."""
    data = zstandard.ZstdCompressor(compression_params=FAST).compress(b"".join(episodes))
    return Shard(data, b"".join([leaf_hash(episode) for episode in episodes]))


def write_shard(folder: Path, number: int, episodes: Sequence[bytes]) -> None:
    """Write a shard durably; the leaves first, so that a shard with data is whole."""
    shard = make_shard(episodes)
    name = shard_name(number)
    write_file(folder / f"{name}.leaves", shard.leaves)
    write_file(folder / f"{name}.jsonl.zst", shard.data)


def inflate(data: bytes, limit: int, problem: Problem, name: str) -> bytes:
    """Return the content of one zstd frame.

    limit: bytes that are accepted. problem, name: of the error. Raises EvidenceError for data that
    is cut, damaged, too large, or followed by anything.
    """
    if (known := _inflated_at_once(data, limit)) is not None:
        return known
    reader = zstandard.ZstdDecompressor().decompressobj()
    parts = []
    room = limit
    try:
        for start in range(0, len(data), SLICE):
            if reader.eof:
                raise EvidenceError(problem, "something follows the compressed data", file=name)
            parts.append(reader.decompress(data[start : start + SLICE]))
            room -= len(parts[-1])
            if room < 0:
                raise EvidenceError(problem, "a file is too large", file=name, limit=limit)
    except zstandard.ZstdError as error:
        raise EvidenceError(problem, "a file cannot be decompressed", file=name) from error
    if not reader.eof:
        raise EvidenceError(problem, "the compressed data is cut off", file=name)
    if reader.unused_data:
        raise EvidenceError(problem, "something follows the compressed data", file=name)
    return b"".join(parts)


def _inflated_at_once(data: bytes, limit: int) -> bytes | None:
    """Return the content of one frame that says how much it holds, and holds just that; None for
    anything else, of which ``inflate`` finds out what it is."""
    try:
        if 0 < zstandard.frame_content_size(data) <= min(limit, WHOLE):
            return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError:
        pass
    return None


def read_shard(data: bytes, leaves: bytes, name: str, first: int) -> list[bytes]:
    """Return the episodes of a shard.

    data: compressed. leaves: to compare with. name: for errors. first: number of its first episode.
    Raises EvidenceError (E-EPI-001) for anything torn, altered, too large or out of step.
    """
    raw = inflate(data, RAW_LIMIT, BAD_SHARD, name)
    try:
        episodes = split_episodes(raw)
    except EvidenceError as error:
        raise EvidenceError(BAD_SHARD, error.what, file=name) from error
    if len(leaves) != HASH_SIZE * len(episodes):
        raise EvidenceError(BAD_SHARD, "leaves and episodes differ in number", file=name)
    for place, episode in enumerate(episodes):
        if leaf_hash(episode) != leaves[place * HASH_SIZE : (place + 1) * HASH_SIZE]:
            raise EvidenceError(
                BAD_SHARD, "an episode does not hash to its leaf", file=name, episode=first + place
            )
    return episodes
