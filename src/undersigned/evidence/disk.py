"""Through which few calls does the log touch the disk?

A protocol of the system calls that durability rests on, so that tests can fail each of them once.
``Disk`` makes the real calls and nothing else: errors stay ``OSError`` and are judged by callers.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Protocol

from undersigned.core.errors import StorageError
from undersigned.core.files import sync_folder
from undersigned.evidence.problems import LOG_LOCKED, LOG_WRITE


class FileLayer(Protocol):
    """The calls by which a log reads and writes; each may raise OSError."""

    def open(self, path: Path, flags: int) -> int:
        """Open a file (created with mode 0644) and return its descriptor."""
        ...

    def close(self, handle: int) -> None:
        """Close a descriptor."""
        ...

    def size(self, handle: int) -> int:
        """Return a file's size in bytes."""
        ...

    def read(self, handle: int, count: int, offset: int) -> bytes:
        """Read up to ``count`` bytes at an offset."""
        ...

    def write(self, handle: int, data: bytes | bytearray, offset: int) -> int:
        """Write some of the bytes at an offset and return how many."""
        ...

    def truncate(self, handle: int, size: int) -> None:
        """Cut a file to a size in bytes."""
        ...

    def flush(self, handle: int) -> None:
        """Make a file's bytes durable (fdatasync)."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Give a file or folder another name, replacing a file of that name."""
        ...

    def flush_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        ...


class Disk:
    """The real calls."""

    def open(self, path: Path, flags: int) -> int:
        """Open a file; see ``FileLayer``."""
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)

    def close(self, handle: int) -> None:
        """Close a descriptor."""
        os.close(handle)

    def size(self, handle: int) -> int:
        """Return a file's size in bytes."""
        return os.fstat(handle).st_size

    def read(self, handle: int, count: int, offset: int) -> bytes:
        """Read at an offset."""
        return os.pread(handle, count, offset)

    def write(self, handle: int, data: bytes | bytearray, offset: int) -> int:
        """Write at an offset."""
        return os.pwrite(handle, data, offset)

    def truncate(self, handle: int, size: int) -> None:
        """Cut a file."""
        os.ftruncate(handle, size)

    def flush(self, handle: int) -> None:
        """Make a file's bytes durable."""
        os.fdatasync(handle)

    def rename(self, source: Path, target: Path) -> None:
        """Rename a file or folder."""
        source.replace(target)

    def flush_folder(self, folder: Path) -> None:
        """Make a folder's names durable."""
        sync_folder(folder)


def write_at(disk: FileLayer, handle: int, data: bytes | bytearray, offset: int) -> None:
    """Write every byte at an offset, however short the single writes are."""
    done = 0
    while done < len(data):
        done += disk.write(handle, data[done:] if done else data, offset + done)


def read_at(disk: FileLayer, handle: int, count: int, offset: int) -> bytes:
    """Read ``count`` bytes at an offset, fewer only at the end of the file."""
    parts = []
    while count > 0 and (part := disk.read(handle, count, offset)):
        parts.append(part)
        count -= len(part)
        offset += len(part)
    return b"".join(parts)


def replace_file(disk: FileLayer, path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and durably: beside it, flushed, renamed, folder flushed.

    One writer at a time (the caller holds the log's lock), so the name beside it is fixed.
    """
    beside = path.with_name(f".{path.name}.part")
    handle = disk.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        write_at(disk, handle, data, 0)
        disk.flush(handle)
    finally:
        disk.close(handle)
    disk.rename(beside, path)
    disk.flush_folder(path.parent)


def take_lock(folder: Path) -> int:
    """Lock a log's folder for one writer and return the descriptor that holds the lock.

    Raises StorageError: E-EVD-020 when another process holds it, E-EVD-028.
    """
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(
            LOG_WRITE, "a log could not be locked", path=str(folder), reason=error.strerror
        ) from error
    # WHY more than once: an examination (fsck) looks at the lock for an instant.
    for wait_s in (0.01, 0.02, 0.0):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            time.sleep(wait_s)
    os.close(lock)
    raise StorageError(LOG_LOCKED, "another process has the log open", path=str(folder))


def is_locked(folder: Path) -> bool:
    """Tell whether another process has a log open; nothing is changed. Raises OSError."""
    lock = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
