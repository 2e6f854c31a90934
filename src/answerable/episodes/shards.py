"""How are episodes kept, and how does one read them without trusting the file?

A shard is the episodes' bytes, one after another, compressed with zstd; its identity is over the
uncompressed bytes. Beside it lies a ``.leaves`` file with one RFC 9162 leaf hash per episode. A
shard is written whole or not at all.

Invariants:
- Reading stops at ``RAW_LIMIT`` uncompressed bytes, whatever the file claims.
- Episodes that do not hash to their leaves are refused, by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import zstandard

from answerable.core.errors import EvidenceError
from answerable.core.files import write_file
from answerable.episodes.problems import BAD_SHARD
from answerable.events.stream import split_episodes
from answerable.evidence.tree import leaf_hash

LEVEL = 3
RAW_LIMIT = 1 << 30
"""Uncompressed bytes of one shard that are accepted."""
HASH_SIZE = 32


class Shard(NamedTuple):
    """A shard's files. data: compressed episodes. leaves: leaf hashes, 32 bytes each."""

    data: bytes
    leaves: bytes


def shard_name(number: int) -> str:
    """Return the name of a shard without its ending."""
    return f"episodes/shard-{number:05d}"


def make_shard(episodes: Sequence[bytes]) -> Shard:
    """Make a shard of episodes' bytes."""
    data = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(
        b"".join(episodes)
    )
    return Shard(data, b"".join([leaf_hash(episode) for episode in episodes]))


def write_shard(folder: Path, number: int, episodes: Sequence[bytes]) -> None:
    """Write a shard durably; the leaves first, so that a shard with data is whole."""
    shard = make_shard(episodes)
    name = shard_name(number)
    write_file(folder / f"{name}.leaves", shard.leaves)
    write_file(folder / f"{name}.jsonl.zst", shard.data)


def read_shard(data: bytes, leaves: bytes, name: str, first: int) -> list[bytes]:
    """Return the episodes of a shard.

    data: compressed. leaves: to compare with. name: for errors. first: number of its first episode.
    Raises EvidenceError (E-EPI-001) for anything torn, altered, too large or out of step.
    """
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=False)
        raw = reader.read(RAW_LIMIT + 1)
    except zstandard.ZstdError as error:
        raise EvidenceError(BAD_SHARD, "a shard cannot be decompressed", file=name) from error
    if len(raw) > RAW_LIMIT:
        raise EvidenceError(BAD_SHARD, "a shard is too large", file=name, limit=RAW_LIMIT)
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
