"""How are files written so that a kill or a full disk never leaves a half-written one?

A file appears whole under its name or not at all: written beside it, flushed with fdatasync,
renamed, and the folder flushed. Operating-system errors become StorageError with a remedy.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from undersigned.core.errors import StorageError
from undersigned.core.problems import READ_FAILED, WRITE_FAILED


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, data: bytes) -> None:
    """Write every byte to an open file descriptor, however short the single writes are."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file atomically and durably.

    path: where; its folder is made when missing. mode: permission bits. Raises StorageError
    (E-COR-004) and leaves any earlier file untouched when the disk is full or access is denied.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            write_all(handle, data)
            os.fdatasync(handle)
        finally:
            os.close(handle)
        beside.replace(path)
        sync_folder(path.parent)
    except (OSError, ValueError) as error:
        # WHY: what stopped the write may also stop the clean-up; the first fault is the one to tell
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise StorageError(
            WRITE_FAILED,
            "a file could not be written",
            path=path,
            reason=getattr(error, "strerror", error),
        ) from error


def read_file(path: Path) -> bytes:
    """Read a file whole. Raises StorageError (E-COR-005) when it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise StorageError(
            READ_FAILED,
            "a file could not be read",
            path=path,
            reason=getattr(error, "strerror", error),
        ) from error
