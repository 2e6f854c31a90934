"""Which entries were promised to be kept, and what may a crash have left behind?

An append-only file of frames, one frame for each commit::

    frame  = header, body, SHA-256(header, body)[:16]
    header = ff 41 4a 31, count u32, first index u64, body length u64, SHA-256(these 24)[:8]
    body   = count times (length u16, entry); all integers big-endian

A commit is acknowledged after its frame is flushed, and the next one starts only after that.
So only the last frame can be torn by a crash, and only if it was never acknowledged. Recovery cuts
such a tail off; anything else that is broken is damage, and is refused rather than cut.

Invariants:
- Nothing below the high-water mark is ever cut or rewritten.
- A broken frame with a whole frame after it was acknowledged: damage, whatever the mark says.
- After recovery the kept tail was written again and flushed: what an earlier failed flush may
  have left in memory only is on the disk before it is built upon.
"""

from __future__ import annotations

import os
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from answerable.core.errors import StorageError
from answerable.evidence.disk import FileLayer, read_at, write_at
from answerable.evidence.problems import LOG_DAMAGED

MAGIC = b"answerable.journal.v1\n"
FRAME_MAGIC = b"\xffAJ1"
"""First bytes of a frame; 0xff occurs in no UTF-8 text, so never inside an entry."""

BODY_LIMIT = 64 << 20
"""Bytes of one frame's body."""

_HEADER = struct.Struct(">4sIQQ")
_HEADER_SIZE = _HEADER.size + 8
_LENGTH = struct.Struct(">H")
_CHECK_SIZE = 16


class Journal:
    """An open journal file. The caller holds the log's lock."""

    def __init__(self, disk: FileLayer, path: Path, handle: int) -> None:
        """Wrap an open file; use ``Journal.open``."""
        self.path = path
        self._disk = disk
        self._handle = handle
        self._end = len(MAGIC)
        self._frames = array("Q")
        self._first = array("Q")
        self._offsets = array("Q")
        self._lengths = array("H")

    @classmethod
    def create(cls, disk: FileLayer, path: Path) -> None:
        """Write the file of an empty journal, durably. Raises OSError."""
        handle = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            write_at(disk, handle, MAGIC, 0)
            disk.flush(handle)
        finally:
            disk.close(handle)

    @classmethod
    def open(cls, disk: FileLayer, path: Path, high_water: int) -> Journal:
        """Open, read every frame and recover from a crash.

        high_water: entries that were published and must be there. Raises StorageError
        (E-EVD-022) for damage, OSError when the disk fails.
        """
        journal = cls(disk, path, disk.open(path, os.O_RDWR))
        try:
            journal._recover(high_water)
        except BaseException:
            disk.close(journal._handle)
            raise
        return journal

    @property
    def size(self) -> int:
        """Return the number of entries."""
        return len(self._offsets)

    def append(self, entries: Sequence[bytes]) -> None:
        """Write one frame and flush it. Raises OSError; the journal is then unusable."""
        frame = _frame(entries, self.size)
        write_at(self._disk, self._handle, frame, self._end)
        self._disk.flush(self._handle)
        self._index(self._end, [len(entry) for entry in entries])

    def entry(self, index: int) -> bytes:
        """Read one entry back from the file. index: 0 to size - 1."""
        return read_at(self._disk, self._handle, self._lengths[index], self._offsets[index])

    def reread(self, start: int) -> Iterator[bytes]:
        """Read the entries from a commit's first index on back, checking each frame.

        Raises StorageError (E-EVD-022) when a frame is not what was written.
        """
        for number in range(bisect_left(self._first, start), len(self._first)):
            entries = self._read_frame(self._frames[number], self._first[number])
            if entries is None:
                raise self._damaged("a frame changed after it was written", self._frames[number])
            yield from entries

    def close(self) -> None:
        """Close the file."""
        self._disk.close(self._handle)

    def _recover(self, high_water: int) -> None:
        if read_at(self._disk, self._handle, len(MAGIC), 0) != MAGIC:
            raise self._damaged("a journal has no header", 0)
        mark = self._end if high_water == 0 else None
        while (entries := self._read_frame(self._end, self.size)) is not None:
            self._index(self._end, [len(entry) for entry in entries])
            if self.size == high_water:
                mark = self._end
        if mark is None:
            # INVARIANT: nothing below the high-water mark is cut.
            raise self._damaged("published entries are missing", self._end)
        rest = self._disk.size(self._handle) - self._end
        if rest and self._has_frame_after(self._end):
            raise self._damaged("a frame is broken and a later one is whole", self._end)
        self._rewrite_tail(mark, bool(rest))

    def _rewrite_tail(self, mark: int, is_torn: bool) -> None:
        if self._end == mark and not is_torn:
            return
        # INVARIANT: the same bytes again make their pages dirty again, so this flush cannot
        # pass over what an earlier failed flush has dropped.
        tail = read_at(self._disk, self._handle, self._end - mark, mark)
        write_at(self._disk, self._handle, tail, mark)
        self._disk.truncate(self._handle, self._end)
        self._disk.flush(self._handle)

    def _read_frame(self, offset: int, first: int) -> list[bytes] | None:
        header = read_at(self._disk, self._handle, _HEADER_SIZE, offset)
        fields = _parse_header(header)
        if fields is None or fields[1] != first:
            return None
        count, _, length = fields
        rest = read_at(self._disk, self._handle, length + _CHECK_SIZE, offset + _HEADER_SIZE)
        body, check = rest[:length], rest[length:]
        if check != sha256(header + body).digest()[:_CHECK_SIZE]:
            return None
        return _parse_body(body, count)

    def _has_frame_after(self, offset: int) -> bool:
        """Return whether a whole frame starts anywhere after a broken one at an offset."""
        step = 1 << 20
        position = offset + 1
        while window := read_at(self._disk, self._handle, step + _HEADER_SIZE, position):
            at = window.find(FRAME_MAGIC)
            while 0 <= at < step:
                fields = _parse_header(window[at : at + _HEADER_SIZE])
                if fields is not None and self._read_frame(position + at, fields[1]) is not None:
                    return True
                at = window.find(FRAME_MAGIC, at + 1)
            position += step
        return False

    def _index(self, offset: int, lengths: Sequence[int]) -> None:
        self._frames.append(offset)
        self._first.append(self.size)
        at = offset + _HEADER_SIZE
        for length in lengths:
            self._offsets.append(at + _LENGTH.size)
            self._lengths.append(length)
            at += _LENGTH.size + length
        self._end = at + _CHECK_SIZE

    def _damaged(self, what: str, offset: int) -> StorageError:
        return StorageError(
            LOG_DAMAGED, what, path=str(self.path), offset=offset, entries=self.size
        )


def _frame(entries: Sequence[bytes], first: int) -> bytes:
    body = b"".join(part for entry in entries for part in (_LENGTH.pack(len(entry)), entry))
    head = _HEADER.pack(FRAME_MAGIC, len(entries), first, len(body))
    header = head + sha256(head).digest()[:8]
    return header + body + sha256(header + body).digest()[:_CHECK_SIZE]


def _parse_header(header: bytes) -> tuple[int, int, int] | None:
    if len(header) != _HEADER_SIZE or sha256(header[:-8]).digest()[:8] != header[-8:]:
        return None
    magic, count, first, length = _HEADER.unpack(header[:-8])
    return (count, first, length) if magic == FRAME_MAGIC and length <= BODY_LIMIT else None


def _parse_body(body: bytes, count: int) -> list[bytes] | None:
    entries = []
    at = 0
    while at + _LENGTH.size <= len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        entries.append(body[at + _LENGTH.size : at + _LENGTH.size + length])
        at += _LENGTH.size + length
    return entries if at == len(body) and len(entries) == count > 0 else None
