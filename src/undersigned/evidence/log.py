"""What was logged, in which order, and how is it kept so that nobody can take it back?

A log is a folder: ``journal`` (the truth), ``high-water`` (the newest checkpoint that may have
been shown to anyone; never restore it from an older copy), ``checkpoint`` (what is published) and
``lock``; it may also hold ``store`` (``store.py``) and ``index.sqlite`` (``index.py``).
Checkpoints follow C2SP tlog-checkpoint, receipts tlog-proof, exports tlog-tiles.

Invariants:
- Order: entries durable and acknowledged, then re-read and re-hashed, then the high-water file
  durable, then the checkpoint published. An entry without a checkpoint yet is acknowledged, but
  only the journal vouches for it.
- The tree is derived: entries are hashed into it when a proof or checkpoint first needs them.
- A checkpoint is never older than, or inconsistent with, one published before.
- One writer, by a lock on ``lock``. After any failed write, flush or rename the log refuses
  everything until it is opened and read again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Self, TypeVar

from undersigned.core.errors import EvidenceError, StorageError, UsageError
from undersigned.core.files import write_file
from undersigned.evidence.disk import Disk, FileLayer, replace_file, take_lock
from undersigned.evidence.entries import check_entries
from undersigned.evidence.frames import COMMIT_LIMIT
from undersigned.evidence.journal import Journal
from undersigned.evidence.keys import Signer, check_name
from undersigned.evidence.notes import (
    Checkpoint,
    Receipt,
    open_checkpoint,
    parse_checkpoint,
    sign_note,
    verifier_of,
    with_signatures,
)
from undersigned.evidence.problems import (
    BAD_ENTRY,
    EXPORT_OTHER,
    LOG_DAMAGED,
    LOG_EXISTS,
    LOG_KEY,
    LOG_MISSING,
    LOG_POISONED,
    LOG_ROLLED_BACK,
    LOG_WRITE,
    OUTSIDE_TREE,
)
from undersigned.evidence.tiles import count_tiles, cut_tiles, read_export, write_tiles
from undersigned.evidence.tree import Tree, leaf_hash

R = TypeVar("R")


class Log:
    """An open log, for one writer. Use as a context manager, or call ``close``."""

    def __init__(self, folder: Path, signer: Signer, disk: FileLayer, lock: int) -> None:
        """Wrap an open folder; use ``Log.create`` or ``Log.open``."""
        self.folder = folder
        self._signer = signer
        self._disk = disk
        self._lock = lock
        self._guard = RLock()
        self._tree = Tree()
        self._is_poisoned = False
        self._note = ""
        self._published = Checkpoint("", 0, b"")
        self._journal: Journal

    @classmethod
    def create(
        cls, folder: Path, origin: str, signer: Signer, *, disk: FileLayer | None = None
    ) -> Log:
        """Start a log and open it.

        folder: must not exist; appears whole or not at all. origin: the log's name, by
        convention a URL without scheme and equal to the key's name. Raises UsageError
        (E-EVD-007, E-EVD-026), StorageError (E-EVD-028).
        """
        check_name(origin)
        disk = disk or Disk()
        if folder.exists():
            raise UsageError(
                LOG_EXISTS, "a log or another thing is already there", path=str(folder)
            )
        beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
        note = sign_note(Checkpoint(origin, 0, Tree().root()).text(), signer).encode()
        try:
            beside.mkdir(parents=True)
            Journal.create(disk, beside / "journal")
            replace_file(disk, beside / "high-water", note)
            replace_file(disk, beside / "checkpoint", note)
            disk.rename(beside, folder)
            disk.flush_folder(folder.parent)
        except OSError as error:
            shutil.rmtree(beside, ignore_errors=True)
            raise _failed(folder, error) from error
        return cls.open(folder, signer, disk=disk)

    @classmethod
    def open(cls, folder: Path, signer: Signer, *, disk: FileLayer | None = None) -> Log:
        """Lock a log, read it whole, re-hash every entry and compare with what was published.

        Raises StorageError: E-EVD-020 locked, 022 damaged, 023 rolled back, 024 another key,
        025 missing, 028 unreadable or unwritable; UndecidableError (E-EVD-092).
        """
        disk = disk or Disk()
        if not (folder / "journal").is_file() or not (folder / "high-water").is_file():
            raise StorageError(LOG_MISSING, "a log is not there or not whole", path=str(folder))
        log = cls(folder, signer, disk, take_lock(folder))
        try:
            log._read()
        except BaseException as error:
            os.close(log._lock)
            if isinstance(error, OSError):
                raise _failed(folder, error) from error
            raise
        return log

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the log."""
        self.close()

    @property
    def origin(self) -> str:
        """Return the log's name."""
        return self._published.origin

    @property
    def size(self) -> int:
        """Return the number of acknowledged entries."""
        return self._journal.size

    @property
    def note(self) -> str:
        """Return the signed note of the state that was published last."""
        return self._note

    def append(self, entries: Sequence[bytes]) -> list[int]:
        """Add entries in one durable commit and return their indices.

        entries: canonical ``Entry`` bytes, each at most 1 KiB, at most 65,408 at once. When
        this returns they survive a kill, and a power loss if the disk keeps its word. Raises
        EvidenceError (E-EVD-027), StorageError (E-EVD-021, E-EVD-028); after a StorageError
        they may or may not be there.
        """
        check_entries(entries)
        if len(entries) > COMMIT_LIMIT:
            raise EvidenceError(BAD_ENTRY, "a commit is too big", limit=COMMIT_LIMIT)
        with self._guard:
            first = self.size
            if entries:
                self._risk(partial(self._journal.append, entries))
            return list(range(first, self.size))

    def checkpoint(self) -> str:
        """Publish the present state and return its signed note, cosignatures included.

        Entries since the last one are read back and hashed again before signing. Raises
        StorageError (E-EVD-021, E-EVD-022, E-EVD-028).
        """
        with self._guard:
            self._check()
            if self.size > self._published.size:
                self._risk(self._publish)
            return self._note

    def add_cosignatures(self, lines: str) -> str:
        """Add witnesses' signature lines to the published checkpoint and return its note.

        lines: each ended by a newline; a signer that is there already keeps its line. They are
        not verified here: the caller does, with keys that it trusts. Raises EvidenceError
        (E-EVD-002) when the note would be malformed, StorageError (E-EVD-021, E-EVD-028).
        """
        with self._guard:
            self._check()
            note = with_signatures(self._note, lines)
            open_checkpoint(note, [verifier_of(self._signer)], self.origin)
            if note != self._note:
                self._risk(partial(self._show, note))
            return self._note

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` entries (all when None).

        Raises UsageError (E-EVD-001) outside the log, StorageError (E-EVD-021, E-EVD-022).
        """
        with self._guard:
            self._settle()
            return self._tree.root(size)

    def inclusion(self, index: int) -> list[bytes]:
        """Return the inclusion proof of an entry under the checkpoint (published if needed)."""
        with self._guard:
            self.checkpoint()
            return self._tree.inclusion(index, self._published.size)

    def consistency(self, size: int) -> list[bytes]:
        """Return the proof that the checkpoint continues the log of an earlier size (not 0)."""
        with self._guard:
            self.checkpoint()
            return self._tree.consistency(size, self._published.size)

    def entry(self, index: int) -> bytes:
        """Read an entry back. index: 0 to size - 1.

        Raises UsageError (E-EVD-001) outside it, StorageError (E-EVD-022) if it has changed.
        """
        with self._guard:
            self._settle()
            if not 0 <= index < self.size:
                raise UsageError(OUTSIDE_TREE, "no such entry", index=index, size=self.size)
            leaf = self._tree.level(0)[index]
            data: bytes = self._risk(lambda: self._journal.entry(index))
            if leaf_hash(data) != leaf:
                raise StorageError(LOG_DAMAGED, "an entry changed", path=self.folder, index=index)
            return data

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """Read the entries from an index on, commit by commit, each commit hashed again.

        start: 0 to size. Raises StorageError (E-EVD-021, E-EVD-022, E-EVD-028).
        """
        commits = self._journal.reread(start)
        while True:
            with self._guard:
                commit = self._risk(lambda: next(commits, None))
            if commit is None:
                return
            first, entries = commit
            yield from entries[max(0, start - first) :]

    def find(self, entry: bytes) -> int | None:
        """Return the first index of an entry, None when it is not there."""
        with self._guard:
            self._settle()
            try:
                return self._tree.level(0).index(leaf_hash(entry))
            except ValueError:
                return None

    def receipt(self, index: int) -> str:
        """Return the tlog-proof text of an entry under the checkpoint."""
        with self._guard:
            proof = self.inclusion(index)
            return Receipt(index, tuple(proof), self._note).text()

    def static_files(self) -> dict[str, bytes]:
        """Return the tlog-tiles files by name, checkpoint first; for logs that fit in memory."""
        with self._guard:
            files = {"checkpoint": self.checkpoint().encode()}
            files.update(cut_tiles(self._tree, self._published.size, self.entries()))
            return files

    def export(self, folder: Path, on_file: Callable[[int], object] = lambda _: None) -> None:
        """Write the static files under a folder, the checkpoint last.

        folder: empty, missing, or an earlier export of this log. on_file: gets the number of
        files there will be, after each one. Raises UsageError (E-EVD-074), StorageError.
        """
        with self._guard:
            note, size = self.checkpoint(), self._published.size
            self._check_export(folder)
            count = count_tiles(size) + 1
            tiles = cut_tiles(self._tree, size, self.entries())
            write_tiles(folder, tiles, lambda: on_file(count))
            write_file(folder / "checkpoint", note.encode())
            on_file(count)

    def close(self) -> None:
        """Release the log. Publishes nothing."""
        with self._guard:
            if self._lock >= 0:
                self._journal.close()
                os.close(self._lock)
                self._lock = -1
                self._is_poisoned = True

    def _read(self) -> None:
        self._note = self._read_note("high-water")
        self._published = self._open_note(self._note)
        self._journal = Journal.open(
            self._disk,
            self.folder / "journal",
            self._published.size,
            lambda entries: self._tree.extend(map(leaf_hash, entries)),
        )
        try:
            self._compare()
        except BaseException:
            self._journal.close()
            raise

    def _compare(self) -> None:
        mark = self._published
        if self._tree.root(mark.size) != mark.root:
            raise StorageError(LOG_DAMAGED, "entries differ from the root", path=self.folder)
        shown = self._read_note("checkpoint") if (self.folder / "checkpoint").exists() else ""
        if shown == self._note:
            return
        if shown:
            seen = self._open_note(shown)
            if seen.size > mark.size or self._tree.root(seen.size) != seen.root:
                raise StorageError(
                    LOG_ROLLED_BACK,
                    "a newer checkpoint was published than the log holds",
                    path=str(self.folder),
                    published=seen.size,
                    high_water=mark.size,
                )
        replace_file(self._disk, self.folder / "checkpoint", self._note.encode())

    def _settle(self) -> None:
        """Read back and hash the entries that are not in the tree yet.

        WHY not when they are appended: ``_publish`` must read and hash them again anyhow.
        """
        self._check()
        if self._tree.size < self.size:
            self._tree.extend(map(leaf_hash, self.entries(self._tree.size)))

    def _publish(self) -> None:
        published, tree = self._published.size, self._tree
        leaves = [leaf_hash(e) for _, commit in self._journal.reread(published) for e in commit]
        known = tree.size - published
        if leaves[:known] != tree.level(0)[published:]:
            raise StorageError(LOG_DAMAGED, "entries changed before signing", path=self.folder)
        tree.extend(leaves[known:])
        checkpoint = Checkpoint(self.origin, self.size, tree.root())
        self._show(sign_note(checkpoint.text(), self._signer))
        self._published = checkpoint

    def _show(self, note: str) -> None:
        replace_file(self._disk, self.folder / "high-water", note.encode())
        # INVARIANT: nobody sees a checkpoint before the high-water file holds it durably.
        replace_file(self._disk, self.folder / "checkpoint", note.encode())
        self._note = note

    def _check_export(self, folder: Path) -> None:
        note = read_export(folder)
        if note is None:
            return
        try:
            seen = open_checkpoint(note, [verifier_of(self._signer)], self.origin)
        except EvidenceError as error:
            raise UsageError(EXPORT_OTHER, "it is another log's", path=str(folder)) from error
        if seen.size > self._published.size or self._tree.root(seen.size) != seen.root:
            raise UsageError(EXPORT_OTHER, "it does not lead up to this state", path=str(folder))

    def _risk(self, step: Callable[[], R]) -> R:
        """Run a step that touches the disk; any failure poisons the log."""
        self._check()
        self._is_poisoned = True
        try:
            result = step()
        except OSError as error:
            raise _failed(self.folder, error) from error
        self._is_poisoned = False
        return result

    def _check(self) -> None:
        if self._is_poisoned:
            raise StorageError(LOG_POISONED, "the log must be opened again", path=str(self.folder))

    def _read_note(self, name: str) -> str:
        try:
            return (self.folder / name).read_bytes().decode()
        except UnicodeDecodeError as error:
            raise StorageError(
                LOG_DAMAGED, "a file is damaged", path=str(self.folder / name)
            ) from error

    def _open_note(self, note: str) -> Checkpoint:
        try:
            origin = parse_checkpoint(note.partition("\n\n")[0] + "\n").origin
            return open_checkpoint(note, [verifier_of(self._signer)], origin)
        except EvidenceError as error:
            raise StorageError(
                LOG_KEY, "a checkpoint is not of this key", path=str(self.folder), reason=error.what
            ) from error


def _failed(folder: Path, error: OSError) -> StorageError:
    return StorageError(LOG_WRITE, "a log could not be written", path=folder, reason=error.strerror)
