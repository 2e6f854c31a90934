"""Is a log folder whole, seen from outside, without taking it into use?

Reads the journal, the two notes, the store and the index, and tells line by line what holds, what
fails and what could not be known. Takes no lock to keep, cuts no torn tail, writes nothing, and
may run while another process appends: the files are read in the order that makes each one at most
as new as the next (checkpoint, high-water file, store, journal).

Invariants:
- Not a byte of the folder changes, no file appears and none goes.
- ``holds`` is said only of what was recomputed here; what was not looked at is ``unknown``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from undersigned.core.errors import EvidenceError, StorageError
from undersigned.core.files import read_file
from undersigned.evidence.disk import is_locked
from undersigned.evidence.entries import PAYLOAD, Entry, parse_entry
from undersigned.evidence.frames import MAGIC, FrameReader
from undersigned.evidence.index import NAME, index_size
from undersigned.evidence.notes import Checkpoint, Verifier, open_checkpoint, parse_checkpoint
from undersigned.evidence.problems import (
    BAD_ENTRY,
    INDEX_STALE,
    LOG_DAMAGED,
    LOG_KEY,
    LOG_MISSING,
    LOG_ROLLED_BACK,
    NOT_EXAMINED,
    PAYLOAD_GONE,
    STATEMENT_MISSING,
    STORE_CHANGED,
    STORE_ORPHAN,
    TORN_TAIL,
)
from undersigned.evidence.store import ERASING, Store
from undersigned.evidence.tree import Tree, leaf_hash

Status = Literal["holds", "fails", "unknown"]
"""holds: recomputed here, and so. fails: it is not so. unknown: cannot be told from this folder."""

SHOWN = 10
"""Files named one by one before the rest is only counted."""


class Line(NamedTuple):
    """One check. status: how it came out. what: one sentence. code: of the problem, or empty."""

    status: Status
    what: str
    code: str = ""


class _Beside:
    """What lies beside a log, compared with its entries as they are read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.left = {kind: store.names(kind) for kind in ("statements", "payloads")}
        self.has_files = {kind: bool(names) for kind, names in self.left.items()}
        self.counts: Counter[str] = Counter()
        self.changed: list[str] = []

    def see(self, entry: Entry) -> None:
        """Look for the file that an entry names."""
        kind = "payloads" if entry.predicate == PAYLOAD else "statements"
        name = entry.digest.removeprefix("sha256:")
        data = None
        try:
            # WHY ask again for what was not listed: it may have been written since.
            if self.has_files[kind]:
                read = self.store.payload if kind == "payloads" else self.store.statement
                data = read(entry.digest)
            is_changed = data is not None and len(data) != entry.size
        except (EvidenceError, StorageError):
            is_changed = True
        self.left[kind].discard(name)
        if is_changed:
            self.changed.append(f"{kind}/{name}")
        else:
            self.counts[f"{kind} {'gone' if data is None else 'kept'}"] += 1


def examine(folder: Path, verifiers: Sequence[Verifier] = ()) -> list[Line]:
    """Examine a log folder and return one line for each check, at least one.

    verifiers: keys that may sign its checkpoints, from the reader; without them the signatures are
    ``unknown``. Raises StorageError (E-COR-005) when a file cannot be read.
    """
    missing = [name for name in ("journal", "high-water") if not (folder / name).is_file()]
    if missing:
        return [Line("fails", f"there is no {' and no '.join(missing)} here", LOG_MISSING.code)]
    lines = [_lock_line(folder)]
    has_shown = (folder / "checkpoint").is_file()
    shown = read_file(folder / "checkpoint") if has_shown else b""
    marked = read_file(folder / "high-water")
    beside = _Beside(Store(folder / "store"))
    tree = _read_journal(folder / "journal", beside, lines)
    marks = _note_line("high-water", marked, tree, verifiers, lines)
    if has_shown:
        seen = _note_line("checkpoint", shown, tree, verifiers, lines)
        _compare(seen, marks, lines)
    else:
        lines.append(Line("unknown", "there is no checkpoint file; opening the log restores it"))
    _store_lines(beside, lines)
    lines.append(_index_line(folder / NAME, tree.size))
    return lines


def _lock_line(folder: Path) -> Line:
    try:
        held = is_locked(folder)
    except FileNotFoundError:
        held = False
    except OSError as error:
        what = f"whether a process has the log open is unknown ({error.strerror})"
        return Line("unknown", what, NOT_EXAMINED.code)
    return Line("holds", "a process has the log open" if held else "no process has the log open")


def _read_journal(path: Path, beside: _Beside, lines: list[Line]) -> Tree:
    tree = Tree()
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _walk(handle, tree, beside, lines)
        finally:
            os.close(handle)
    except OSError as error:
        what = f"the journal cannot be read ({error.strerror})"
        lines.append(Line("fails", what, LOG_DAMAGED.code))
    return tree


def _walk(handle: int, tree: Tree, beside: _Beside, lines: list[Line]) -> None:
    size = os.fstat(handle).st_size

    def read(count: int, offset: int) -> bytes:
        # WHY no further: what is appended meanwhile would look like a whole commit after a gap.
        return os.pread(handle, max(0, min(count, size - offset)), offset)

    if read(len(MAGIC), 0) != MAGIC:
        lines.append(Line("fails", "the journal has no header", LOG_DAMAGED.code))
        return
    reader, end, frames, bad = FrameReader(read), len(MAGIC), 0, 0
    while (frame := reader.frame_at(end, tree.size)) is not None:
        tree.extend(map(leaf_hash, frame.entries))
        for data in frame.entries:
            try:
                beside.see(parse_entry(data))
            except EvidenceError:
                bad += 1
        end, frames = frame.end, frames + 1
    if bad:
        lines.append(Line("fails", f"{bad} entries are no canonical records", BAD_ENTRY.code))
    whole = f"{frames} commits with {tree.size} entries"
    rest = 0 if reader.is_room(end) else size - end
    if rest and reader.has_frame_after(end):
        what = f"the journal is broken at byte {end}, after {whole}, before a whole commit"
        lines.append(Line("fails", what, LOG_DAMAGED.code))
        return
    lines.append(Line("holds", f"the journal is whole: {whole}"))
    if rest:
        what = f"after them are {rest} bytes of an unfinished commit; opening the log cuts them"
        lines.append(Line("unknown", what, TORN_TAIL.code))


def _note_line(
    name: str, data: bytes, tree: Tree, verifiers: Sequence[Verifier], lines: list[Line]
) -> Checkpoint | None:
    """Check a note's form, signature and root; return what it states, None when malformed."""
    try:
        note = data.decode()
        point = parse_checkpoint(note.rpartition("\n\n")[0] + "\n")
    except (UnicodeDecodeError, EvidenceError):
        lines.append(Line("fails", f"{name} holds no checkpoint", LOG_DAMAGED.code))
        return None
    if not verifiers:
        lines.append(
            Line("unknown", f"no key was given for the signature of {name}", NOT_EXAMINED.code)
        )
    else:
        try:
            open_checkpoint(note, verifiers, point.origin)
            lines.append(Line("holds", f"{name} is signed by the log {point.origin}"))
        except EvidenceError as error:
            lines.append(Line("fails", f"{name}: {error.what}", LOG_KEY.code))
    if point.size > tree.size:
        what = f"{name} states {point.size} entries, the journal holds {tree.size}"
        lines.append(Line("fails", what, LOG_DAMAGED.code))
    elif tree.root(point.size) != point.root:
        what = f"the journal's first {point.size} entries have another root than {name}"
        lines.append(Line("fails", what, LOG_DAMAGED.code))
    else:
        lines.append(Line("holds", f"{name} states the root of the first {point.size} entries"))
    return point


def _compare(seen: Checkpoint | None, marks: Checkpoint | None, lines: list[Line]) -> None:
    if seen is None or marks is None:
        return
    if seen.origin != marks.origin or seen.size > marks.size:
        what = "the checkpoint is ahead of the high-water file, or of another log"
        lines.append(Line("fails", what, LOG_ROLLED_BACK.code))
    elif seen.size < marks.size:
        what = f"the checkpoint ({seen.size}) is behind the high-water file ({marks.size})"
        lines.append(Line("unknown", f"{what}; opening the log publishes the latter"))
    else:
        lines.append(Line("holds", "the checkpoint and the high-water file are at the same size"))


def _store_lines(beside: _Beside, lines: list[Line]) -> None:
    """Tell how the store's files and the entries compare, each way."""
    counts, changed = beside.counts, beside.changed
    what = "is not what was logged"
    lines += [Line("fails", f"store/{name} {what}", STORE_CHANGED.code) for name in changed[:SHOWN]]
    if len(changed) > SHOWN:
        what = f"{len(changed) - SHOWN} more files of the store are not what was logged"
        lines.append(Line("fails", what, STORE_CHANGED.code))
    if count := counts["statements kept"]:
        lines.append(Line("holds", f"{count} statements are in the store, as logged"))
    if count := counts["statements gone"]:
        what = f"{count} statements are not in the store"
        lines.append(Line("unknown", what, STATEMENT_MISSING.code))
    if count := counts["payloads kept"]:
        lines.append(Line("holds", f"{count} payloads are in the store, as committed"))
    if count := counts["payloads gone"]:
        what = f"{count} payloads are erased or missing; their commitments hold"
        lines.append(Line("unknown", what, PAYLOAD_GONE.code))
    _orphan_lines(beside.left, lines)


def _orphan_lines(left: dict[str, set[str]], lines: list[Line]) -> None:
    names = sorted(f"store/{kind}/{name}" for kind, found in left.items() for name in found)
    for name in (name for name in names if name.endswith(ERASING)):
        what = f"the erasure of {name} was not finished; erase it again"
        lines.append(Line("fails", what, PAYLOAD_GONE.code))
    orphans = [name for name in names if not name.endswith(ERASING)]
    what = "is named by no entry"
    lines += [Line("unknown", f"{name} {what}", STORE_ORPHAN.code) for name in orphans[:SHOWN]]
    if len(orphans) > SHOWN:
        what = f"{len(orphans) - SHOWN} more files of the store are named by no entry"
        lines.append(Line("unknown", what, STORE_ORPHAN.code))


def _index_line(path: Path, size: int) -> Line:
    if not path.exists():
        return Line("holds", "there is no index; the first search makes it")
    done = index_size(path)
    if done == size:
        return Line("holds", f"the index has all {size} entries")
    what = "the index cannot be read" if done is None else f"the index has {done} of {size} entries"
    return Line("unknown", what, INDEX_STALE.code)
