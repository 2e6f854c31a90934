"""Which entries were promised to be kept, and what may a crash have left behind?

An append-only file of frames (``frames.py``), one frame for each commit. A commit is acknowledged
after its frame is flushed, and the next one starts only after that. So only the last frame can be
torn by a crash, and only if it was never acknowledged. Recovery cuts such a tail off; anything
else that is broken is damage, and is refused rather than cut.

Invariants:
- Nothing below the high-water mark is ever cut or rewritten.
- A broken frame with a whole frame after it was acknowledged: damage, whatever the mark says.
- After recovery the kept tail was written again and flushed: what an earlier failed flush may
  have left in memory only is on the disk before it is built upon.
- Zeros may follow the last frame: room that was written and flushed ahead, so that a small commit
  changes no file size and its flush is one write. Zeros are never part of a frame's header.
- What is read again is what was written or read before: each frame's hash stays in memory.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from undersigned.core.errors import StorageError
from undersigned.evidence.disk import FileLayer, read_at, write_at
from undersigned.evidence.former import refuse_former
from undersigned.evidence.frames import (
    CHECK_SIZE,
    HEADER_SIZE,
    LENGTH_SIZE,
    MAGIC,
    FrameReader,
    encode_frame,
)
from undersigned.evidence.problems import LOG_DAMAGED

ROOM = 1 << 20
"""Bytes of zeros that are written ahead."""

ROOM_AFTER = 4
"""Commits of one opening after which room is made; who logs less leaves a short file."""

_SMALL = ROOM >> 4
"""Bytes of a frame up to which room ahead is worth its own writing."""


class Journal:
    """An open journal file. The caller holds the log's lock."""

    def __init__(self, disk: FileLayer, path: Path, handle: int) -> None:
        """Wrap an open file; use ``Journal.open``."""
        self.path = path
        self._disk = disk
        self._handle = handle
        self._end = len(MAGIC)
        self._room = 0
        self._commits = 0
        self._frames = array("Q")
        self._first = array("Q")
        self._checks = bytearray()
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
    def open(
        cls,
        disk: FileLayer,
        path: Path,
        high_water: int,
        on_entries: Callable[[list[bytes]], object] = lambda _: None,
    ) -> Journal:
        """Open, read every frame and recover from a crash.

        high_water: entries that were published and must be there. on_entries: gets each commit's
        entries in order. Raises StorageError (E-EVD-022) for damage, UndecidableError (E-EVD-092),
        OSError when the disk fails.
        """
        journal = cls(disk, path, disk.open(path, os.O_RDWR))
        try:
            journal._recover(high_water, on_entries)
        except BaseException:
            disk.close(journal._handle)
            raise
        return journal

    @property
    def size(self) -> int:
        """Return the number of entries."""
        return len(self._lengths)

    def append(self, entries: Sequence[bytes]) -> None:
        """Write one frame and flush it. Raises OSError; the journal is then unusable."""
        frame = encode_frame(entries, len(self._lengths))
        data, end = frame.data, self._end + len(frame.data)
        self._commits += 1
        room, self._room = self._room, 0  # WHY: after a failure ``close`` must not cut anything
        if end > room and self._commits > ROOM_AFTER and len(data) <= _SMALL:
            data, room = data + bytes(ROOM), end + ROOM
        write_at(self._disk, self._handle, data, self._end)
        self._disk.flush(self._handle)
        self._room = room
        self._index(frame.lengths, frame.check, end)

    def entry(self, index: int) -> bytes:
        """Read one entry back from the file. index: 0 to size - 1."""
        number = bisect_right(self._first, index) - 1
        first = self._first[number]
        before = sum(self._lengths[first:index]) + LENGTH_SIZE * (index - first + 1)
        at = self._frames[number] + HEADER_SIZE + before
        return read_at(self._disk, self._handle, self._lengths[index], at)

    def reread(self, start: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield first index and entries of the commits from that of an index on, each checked.

        Raises StorageError (E-EVD-022) when a frame is not what was written.
        """
        reader = self._reader()
        for number in range(max(0, bisect_right(self._first, start) - 1), len(self._first)):
            frame = reader.frame_at(self._frames[number], self._first[number])
            check = self._checks[number * CHECK_SIZE : (number + 1) * CHECK_SIZE]
            if frame is None or frame.check != check:
                raise self._damaged("a frame changed after it was written", self._frames[number])
            yield frame.first, frame.entries

    def close(self) -> None:
        """Give back the room that is left, and close the file."""
        if self._room > self._end:
            with suppress(OSError):  # WHY: zeros that stay are read as room
                self._disk.truncate(self._handle, self._end)
        self._disk.close(self._handle)

    def _recover(self, high_water: int, on_entries: Callable[[list[bytes]], object]) -> None:
        head = read_at(self._disk, self._handle, len(MAGIC), 0)
        if head != MAGIC:
            refuse_former(head, self.path.parent)
            raise self._damaged("a journal has no header", 0)
        reader = self._reader()
        mark = self._end if high_water == 0 else None
        while (frame := reader.frame_at(self._end, self.size)) is not None:
            self._index(list(map(len, frame.entries)), frame.check, frame.end)
            on_entries(frame.entries)
            if self.size == high_water:
                mark = self._end
        if mark is None:
            # INVARIANT: nothing below the high-water mark is cut.
            raise self._damaged("published entries are missing", self._end)
        size = self._disk.size(self._handle)
        if reader.is_room(self._end):
            self._room = size
            self._rewrite_tail(mark, is_torn=False)
            return
        if reader.has_frame_after(self._end):
            raise self._damaged("a frame is broken and a later one is whole", self._end)
        self._rewrite_tail(mark, is_torn=True)

    def _rewrite_tail(self, mark: int, *, is_torn: bool) -> None:
        if self._end == mark and not is_torn:
            return
        # INVARIANT: the same bytes again make their pages dirty again, so this flush cannot
        # pass over what an earlier failed flush has dropped.
        tail = read_at(self._disk, self._handle, self._end - mark, mark)
        write_at(self._disk, self._handle, tail, mark)
        self._disk.truncate(self._handle, self._end)
        self._room = self._end
        self._disk.flush(self._handle)

    def _reader(self) -> FrameReader:
        return FrameReader(partial(read_at, self._disk, self._handle))

    def _index(self, lengths: list[int], check: bytes, end: int) -> None:
        self._frames.append(self._end)
        self._first.append(len(self._lengths))
        self._checks += check
        self._lengths.extend(lengths)
        self._end = end

    def _damaged(self, what: str, offset: int) -> StorageError:
        return StorageError(
            LOG_DAMAGED, what, path=str(self.path), offset=offset, entries=self.size
        )
