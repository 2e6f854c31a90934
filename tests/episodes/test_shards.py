"""Is a shard read only when it is exactly what was written?"""

from __future__ import annotations

import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from undersigned.core.canonical import Digest
from undersigned.core.errors import EvidenceError
from undersigned.episodes import shards
from undersigned.episodes.problems import BAD_SHARD
from undersigned.episodes.shards import (
    inflate,
    make_shard,
    read_shard,
    shard_name,
    write_shard,
)
from undersigned.events.stream import Ended, Observed, Opened, episode_bytes

DIGEST = Digest("sha256:" + "0" * 64)


def episode(number: int, text: str = "x") -> bytes:
    return episode_bytes(
        [Opened(0, number, DIGEST, DIGEST), Observed(1, "", text, ()), Ended(2, "reported")]
    )


EPISODES = [episode(n, "கட்டணம் " * n) for n in range(5)]
SHARD = make_shard(EPISODES)


def read(data: bytes = SHARD.data, leaves: bytes = SHARD.leaves) -> list[bytes]:
    return read_shard(data, leaves, "s.zst", 500)


def refusal(data: bytes = SHARD.data, leaves: bytes = SHARD.leaves) -> EvidenceError:
    with pytest.raises(EvidenceError) as caught:
        read(data, leaves)
    assert caught.value.code == "E-EPI-001"
    assert caught.value.fields["file"] == "s.zst"
    return caught.value


@given(st.lists(st.text(max_size=60), max_size=8))
def test_shard__any_episodes__come_back_and_same_bytes_again(texts: list[str]) -> None:
    kept = [episode(n, text + '"event":"ended"\n') for n, text in enumerate(texts)]
    shard = make_shard(kept)
    assert read_shard(*shard, "s.zst", 0) == kept
    assert make_shard(kept) == shard


@pytest.mark.parametrize("cut", range(len(SHARD.data)))
def test_shard__torn_anywhere__is_refused(cut: int) -> None:
    refusal(SHARD.data[:cut])


@settings(max_examples=300)
@given(st.integers(0, len(SHARD.data) - 1), st.integers(1, 255))
def test_shard__any_flipped_byte__is_refused_or_changes_no_episode(at: int, mask: int) -> None:
    data = bytearray(SHARD.data)
    data[at] ^= mask
    try:
        found = read(bytes(data))
    except EvidenceError:
        refusal(bytes(data))
    else:
        assert found == EPISODES


@pytest.mark.parametrize(
    "more", [b"\x00", b"garbage", SHARD.data, b"\x50\x2a\x4d\x18\x01\x00\x00\x00x"]
)
def test_shard__anything_after_it__is_refused(more: bytes) -> None:
    """Also a second frame, and a skippable one, which decompressors pass over in silence."""
    assert "follows" in refusal(SHARD.data + more).what


def test_shard__trailing_bytes_at_every_slice_edge__are_refused() -> None:
    for size in range(1020, 1030):
        raw = bytes(zstandard.ZstdCompressor(level=1).compress(b"a" * 10))
        padded = raw + b"x" * (size - len(raw))
        with pytest.raises(EvidenceError, match="follows"):
            inflate(padded, 1 << 20, BAD_SHARD, "s")


def test_shard__bomb__is_refused_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(256 << 20))
    assert len(bomb) < 32_000
    monkeypatch.setattr(shards, "RAW_LIMIT", 8 << 20)
    tracemalloc.start()
    assert "too large" in refusal(bomb).what
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 96 << 20


def test_shard__bomb_without_a_declared_size__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(64 << 20))
    monkeypatch.setattr(shards, "RAW_LIMIT", 1 << 20)
    assert "too large" in refusal(bomb).what


@settings(max_examples=300)
@given(
    st.binary(max_size=3000), st.booleans(), st.booleans(),
    st.integers(0, 4000), st.integers(0, 255), st.binary(max_size=3),
)  # fmt: skip
def test_inflate__at_once_and_bit_by_bit__read_the_same(
    raw: bytes, states_size: bool, has_sum: bool, at: int, mask: int, more: bytes
) -> None:
    """What is read at one go is what is read with the least trust, and nothing else is read."""
    made = zstandard.ZstdCompressor(write_content_size=states_size, write_checksum=has_sum)
    data = bytearray(made.compress(raw) + more)
    data[at % len(data)] ^= mask
    at_once = shards._inflated_at_once(bytes(data), 1 << 20)
    if at_once is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "_inflated_at_once", lambda *_: None)
        assert inflate(bytes(data), 1 << 20, BAD_SHARD, "s") == at_once


def test_inflate__more_than_is_accepted__is_not_even_begun() -> None:
    data = zstandard.ZstdCompressor().compress(bytes(1 << 16))
    assert shards._inflated_at_once(data, 1 << 16) == bytes(1 << 16)
    assert shards._inflated_at_once(data, (1 << 16) - 1) is None
    with pytest.raises(EvidenceError):
        inflate(data, (1 << 16) - 1, BAD_SHARD, "s")


def test_shard__reordered_dropped_doubled_or_altered_episode__is_refused_by_number() -> None:
    swapped = [EPISODES[1], EPISODES[0], *EPISODES[2:]]
    assert refusal(make_shard(swapped).data).fields["episode"] == "500"
    refusal(make_shard(EPISODES[:-1]).data)
    refusal(make_shard([*EPISODES, EPISODES[0]]).data)
    altered = [*EPISODES[:3], episode(3, "other"), EPISODES[4]]
    assert refusal(make_shard(altered).data).fields["episode"] == "503"


@pytest.mark.parametrize("size", [0, 31, 32 * 4, 32 * 5 - 1, 32 * 5 + 1, 32 * 6])
def test_shard__leaves_of_another_length__are_refused(size: int) -> None:
    refusal(leaves=(SHARD.leaves + bytes(64))[:size])


def test_shard__half_an_episode_inside__is_refused() -> None:
    whole = b"".join(EPISODES)
    packed = zstandard.ZstdCompressor().compress(whole[:-5])
    refusal(packed)
    refusal(zstandard.ZstdCompressor().compress(whole + b'{"event":"opened"}\n'))
    refusal(b"")
    refusal(b"not zstd at all")


def test_write__leaves_are_there_before_the_data(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    order: list[str] = []
    monkeypatch.setattr(shards, "write_file", lambda path, data: order.append(path.name))
    write_shard(tmp_path, 7, EPISODES)
    assert order == ["shard-00007.leaves", "shard-00007.jsonl.zst"]
    assert shard_name(7) == "episodes/shard-00007"
