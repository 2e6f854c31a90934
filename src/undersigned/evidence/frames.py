"""How does one commit of the journal lie on the disk, and is it whole?

::

    frame  = header, body, SHA-256(header, body)[:16]
    header = ff 41 4a 31, count u32, first index u64, body length u64, SHA-256(these 24)[:8]
    body   = count times (length u16, entry); all integers big-endian

Only bytes in and bytes out: nothing here opens, locks or changes a file, so that a log can be
examined without being taken into use.

Invariants:
- ``FrameReader.frame_at`` returns what ``encode_frame`` made, whole, or None.
- Reading goes through a window, so a million small frames are no million system calls.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

MAGIC = b"undersigned.journal.v1\n"
"""First bytes of a journal; the first frame follows."""

FRAME_MAGIC = b"\xffAJ1"
"""First bytes of a frame; 0xff occurs in no UTF-8 text, so never inside an entry."""

BODY_LIMIT = 64 << 20
"""Bytes of one frame's body."""

CHECK_SIZE = 16
"""Bytes of a frame's closing hash."""

_HEADER = struct.Struct(">4sIQQ")
HEADER_SIZE = _HEADER.size + 8
"""Bytes of a frame's header."""

LENGTH_SIZE = 2
"""Bytes of the length before each entry."""

COMMIT_LIMIT = BODY_LIMIT // (1024 + LENGTH_SIZE)
"""Entries of one commit: as many of the longest as fit into a body."""

_LENGTHS = tuple(number.to_bytes(LENGTH_SIZE, "big") for number in range(1025))
_NO_CHECK = bytes(CHECK_SIZE)
_WINDOW = 1 << 20


class Frame(NamedTuple):
    """A whole frame. first: index of its first entry. check: its hash. end: offset after it."""

    first: int
    entries: list[bytes]
    check: bytes
    end: int


class Encoded(NamedTuple):
    """The bytes of a frame, and what the journal keeps of it in memory."""

    data: bytearray
    lengths: list[int]
    check: bytes


def encode_frame(entries: Sequence[bytes], first: int) -> Encoded:
    """Return the frame of a commit. entries: at least one, each at most 1,024 bytes."""
    lengths = list(map(len, entries))
    count = len(lengths)
    head = _HEADER.pack(FRAME_MAGIC, count, first, sum(lengths) + LENGTH_SIZE * count)
    parts = [_NO_CHECK] * (2 * count + 2)
    parts[0] = head + sha256(head).digest()[:8]
    parts[1:-1:2] = map(_LENGTHS.__getitem__, lengths)
    parts[2:-1:2] = entries
    # WHY bytearray: the check is put in its place, and the body is never copied a second time.
    data = bytearray().join(parts)
    check = sha256(memoryview(data)[:-CHECK_SIZE]).digest()[:CHECK_SIZE]
    data[-CHECK_SIZE:] = check
    return Encoded(data, lengths, check)


class FrameReader:
    """Reads frames from a file that does not change below its end meanwhile.

    read: returns up to ``count`` bytes at an offset, fewer only at the end of the file.
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        """Start with nothing read. read: called as ``read(count, offset)``."""
        self._read = read
        self._window = b""
        self._start = 0

    def frame_at(self, offset: int, first: int | None = None) -> Frame | None:
        """Return the frame at an offset, None when it is not whole.

        first: index that its first entry must have; None for any.
        """
        header = self._bytes(HEADER_SIZE, offset)
        fields = _parse_header(header)
        if fields is None or (first is not None and fields[1] != first):
            return None
        count, start, length = fields
        rest = self._bytes(length + CHECK_SIZE, offset + HEADER_SIZE)
        body, check = rest[:length], rest[length:]
        hasher = sha256(header)
        hasher.update(body)
        if check != hasher.digest()[:CHECK_SIZE]:
            return None
        entries = _parse_body(body, count)
        if entries is None:
            return None
        return Frame(start, entries, check, offset + HEADER_SIZE + length + CHECK_SIZE)

    def has_frame_after(self, offset: int) -> bool:
        """Return whether a whole frame starts anywhere after a broken one at an offset."""
        position = offset + 1
        while window := self._read(_WINDOW + HEADER_SIZE, position):
            at = window.find(FRAME_MAGIC)
            while 0 <= at < _WINDOW:
                header = window[at : at + HEADER_SIZE]
                if _parse_header(header) and self.frame_at(position + at) is not None:
                    return True
                at = window.find(FRAME_MAGIC, at + 1)
            position += _WINDOW
        return False

    def is_room(self, offset: int) -> bool:
        """Return whether nothing, or nothing but zeros, lies from an offset to the file's end."""
        while window := self._read(_WINDOW, offset):
            if window.count(0) != len(window):
                return False
            offset += len(window)
        return True

    def _bytes(self, count: int, offset: int) -> bytes:
        at = offset - self._start
        if at < 0 or at + count > len(self._window):
            self._window = self._read(max(count, _WINDOW), offset)
            self._start, at = offset, 0
        return self._window[at : at + count]


def _parse_header(header: bytes) -> tuple[int, int, int] | None:
    if len(header) != HEADER_SIZE or sha256(header[:-8]).digest()[:8] != header[-8:]:
        return None
    magic, count, first, length = _HEADER.unpack(header[:-8])
    return (count, first, length) if magic == FRAME_MAGIC and length <= BODY_LIMIT else None


def _parse_body(body: bytes, count: int) -> list[bytes] | None:
    entries = []
    at = 0
    while at + LENGTH_SIZE <= len(body):
        start = at + LENGTH_SIZE
        at = start + (body[at] << 8 | body[at + 1])
        entries.append(body[start:at])
    return entries if at == len(body) and len(entries) == count > 0 else None
