"""Does every acknowledged entry survive, and is every other state refused instead of guessed?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, Unflushed, entry, key
from undersigned.core.errors import EvidenceError, StorageError, UndersignedError, UsageError
from undersigned.evidence.disk import FileLayer
from undersigned.evidence.entries import Entry
from undersigned.evidence.log import Log
from undersigned.evidence.notes import (
    Checkpoint,
    cosign_checkpoint,
    open_checkpoint,
    parse_receipt,
    sign_note,
    verifier_of,
)
from undersigned.evidence.tree import leaf_hash, root_of
from undersigned.evidence.verify import verify_consistency, verify_inclusion

ENTRIES = [entry(number) for number in range(600)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


def contents(log: Log) -> list[bytes]:
    return [log.entry(index) for index in range(log.size)]


def test_log__appended_closed_and_opened__has_the_same_entries_and_root(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        assert log.append(ENTRIES[:3]) == [0, 1, 2]
        assert log.append([]) == []
        assert log.append(ENTRIES[3:4]) == [3]
        note = log.checkpoint()
    with Log.open(folder, LOG_KEY) as log:
        assert contents(log) == ENTRIES[:4]
        assert log.checkpoint() == note == (folder / "checkpoint").read_text()
        assert (log.find(ENTRIES[2]), log.find(ENTRIES[9])) == (2, None)


def test_log__receipt__is_verified_by_the_stand_alone_algorithm(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:77])
        first = open_checkpoint(log.checkpoint(), [verifier_of(LOG_KEY)], ORIGIN)
        log.append(ENTRIES[77:300])
        receipt = parse_receipt(log.receipt(5))
        point = open_checkpoint(receipt.checkpoint, [verifier_of(LOG_KEY)], ORIGIN)
        proof = log.consistency(77)
    assert verify_inclusion(leaf_hash(ENTRIES[5]), 5, 300, receipt.hashes, point.root)
    assert verify_consistency(77, 300, proof, first.root, point.root)


def test_log__exported__has_the_tile_names_and_widths_of_the_standard(
    folder: Path, tmp_path: Path
) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:600])
        log.export(tmp_path / "out")
    names = {
        str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()
    }
    level0 = {"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"}
    bundles = {"tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"}
    assert names == {"checkpoint"} | level0 | bundles
    assert (tmp_path / "out/tile/0/000").read_bytes() == b"".join(map(leaf_hash, ENTRIES[:256]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"x" * 2000,
        entry(1) + b" ",
        entry(1).replace(b"sha256:", b"sha257:"),
        b'{"a":1}',
    ],
)
def test_log__entry_that_is_no_record__is_refused(folder: Path, data: bytes) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        with pytest.raises(EvidenceError, match=r"E-EVD-027"):
            log.append([ENTRIES[0], data])
        assert log.size == 0


def test_log__commit_too_big_or_index_outside__is_refused_and_nothing_is_written(
    folder: Path,
) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        long = Entry("p" * 200, f"sha256:{1:064x}", 1).data()
        with pytest.raises(EvidenceError, match="E-EVD-027"):
            log.append([long] * 65_409)
        log.append(ENTRIES[:1])
        for index in (-1, 1):
            with pytest.raises(UsageError, match="E-EVD-001"):
                log.entry(index)


def test_log__second_writer__is_refused_until_the_first_closes(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY), pytest.raises(StorageError, match="E-EVD-020"):
        Log.open(folder, LOG_KEY)
    Log.open(folder, LOG_KEY).close()


def test_log__created_over_or_opened_without_one_or_with_another_key__is_refused(
    folder: Path,
) -> None:
    with pytest.raises(StorageError, match="E-EVD-025"):
        Log.open(folder, LOG_KEY)
    Log.create(folder, ORIGIN, LOG_KEY).close()
    with pytest.raises(UsageError, match="E-EVD-026"):
        Log.create(folder, ORIGIN, LOG_KEY)
    with pytest.raises(StorageError, match="E-EVD-024"):
        Log.open(folder, MALLORY)
    (folder / "high-water").unlink()
    with pytest.raises(StorageError, match="E-EVD-025"):
        Log.open(folder, LOG_KEY)


def test_log__torn_at_every_offset__keeps_all_below_the_mark_and_refuses_less(
    folder: Path, tmp_path: Path
) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:2])
        log.checkpoint()
        marked = (folder / "journal").stat().st_size
        log.append(ENTRIES[2:4])
    journal = (folder / "journal").read_bytes()
    torn = tmp_path / "torn"
    shutil.copytree(folder, torn)
    for end in range(len(journal) + 1):
        (torn / "journal").write_bytes(journal[:end])
        if end < marked:
            with pytest.raises(StorageError, match="E-EVD-022"):
                Log.open(torn, LOG_KEY, disk=Unflushed())
            assert (torn / "journal").read_bytes() == journal[:end]
            continue
        with Log.open(torn, LOG_KEY, disk=Unflushed()) as log:
            assert contents(log) == ENTRIES[: 4 if end == len(journal) else 2]
            log.append(ENTRIES[9:10])
        with Log.open(torn, LOG_KEY, disk=Unflushed()) as log:
            assert contents(log)[-1] == ENTRIES[9]


def test_log__any_journal_byte_flipped_with_a_commit_after_it__is_damage(
    folder: Path, tmp_path: Path
) -> None:
    """Not even entries that no checkpoint covers yet are cut when a later commit proves them."""
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:1])
        log.append(ENTRIES[1:2])
        end = (folder / "journal").stat().st_size
        log.append(ENTRIES[2:3])
    journal = (folder / "journal").read_bytes()
    for at in range(end):
        (folder / "journal").write_bytes(
            journal[:at] + bytes([journal[at] ^ 4]) + journal[at + 1 :]
        )
        with pytest.raises(StorageError, match="E-EVD-022"):
            Log.open(folder, LOG_KEY)


def test_log__journal_rolled_back_or_checkpoint_ahead__is_refused(
    folder: Path, tmp_path: Path
) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:2])
        log.checkpoint()
        shutil.copytree(folder, tmp_path / "old")
        log.append(ENTRIES[2:4])
        log.checkpoint()
    shutil.copy(folder / "checkpoint", tmp_path / "old" / "checkpoint")
    with pytest.raises(StorageError, match="E-EVD-023"):
        Log.open(tmp_path / "old", LOG_KEY)
    shutil.copy(tmp_path / "old" / "journal", folder / "journal")
    with pytest.raises(StorageError, match="E-EVD-022"):
        Log.open(folder, LOG_KEY)


def test_log__entry_changed_on_disk_before_signing__is_not_signed(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:2])
        before = (folder / "checkpoint").read_bytes()
        data = bytearray((folder / "journal").read_bytes())
        data[-40] ^= 1
        (folder / "journal").write_bytes(data)
        with pytest.raises(StorageError, match="E-EVD-022"):
            log.checkpoint()
        assert (folder / "checkpoint").read_bytes() == before
        with pytest.raises(StorageError, match="E-EVD-021"):
            log.append(ENTRIES[2:3])


class FailingDisk(Unflushed):
    """The disk, except that the n-th call that can lose data fails, maybe half done."""

    def __init__(self, fail_at: int) -> None:
        self.left = fail_at
        self.calls = 0

    def _count(self) -> bool:
        self.calls += 1
        return self.calls == self.left

    def write(self, handle: int, data: bytes, offset: int) -> int:
        if self._count():
            os.pwrite(handle, data[: len(data) // 2], offset)
            raise OSError(28, "No space left on device")
        return super().write(handle, data[: max(50, len(data) // 2)], offset)

    def flush(self, handle: int) -> None:
        if self._count():
            raise OSError(5, "Input/output error")
        super().flush(handle)

    def rename(self, source: Path, target: Path) -> None:
        if self._count():
            raise OSError(5, "Input/output error")
        super().rename(source, target)

    def flush_folder(self, folder: Path) -> None:
        if self._count():
            raise OSError(5, "Input/output error")
        super().flush_folder(folder)

    def truncate(self, handle: int, size: int) -> None:
        if self._count():
            raise OSError(5, "Input/output error")
        super().truncate(handle, size)


def session(folder: Path, disk: FileLayer, acknowledged: list[bytes], notes: list[str]) -> None:
    with Log.open(folder, LOG_KEY, disk=disk) as log:
        for number in range(20, 27):
            log.append([ENTRIES[number]])
            acknowledged.append(ENTRIES[number])
            notes.append(log.checkpoint())


def test_log__each_write_flush_rename_failing_once__loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    base = tmp_path / "base"
    with Log.create(base, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:2])
        log.checkpoint()
        log.append(ENTRIES[2:3])
    probe = FailingDisk(0)
    shutil.copytree(base, tmp_path / "probe")
    session(tmp_path / "probe", probe, [], [])
    assert probe.calls > 60
    # The last call gives back the room that was written ahead; failing it loses nothing.
    shutil.copytree(base, tmp_path / "last")
    session(tmp_path / "last", FailingDisk(probe.calls), [], [])
    with Log.open(tmp_path / "last", LOG_KEY) as log:
        assert contents(log) == [*ENTRIES[:3], *ENTRIES[20:27]]
    for fail_at in range(1, probe.calls):
        folder = tmp_path / f"run{fail_at}"
        shutil.copytree(base, folder)
        acknowledged, notes = list(ENTRIES[:3]), []
        with pytest.raises(StorageError):
            session(folder, FailingDisk(fail_at), acknowledged, notes)
        with Log.open(folder, LOG_KEY) as log:
            kept = contents(log)
            assert kept[: len(acknowledged)] == acknowledged
            assert len(kept) <= len(acknowledged) + 1
            shown = (folder / "checkpoint").read_text()
            point = open_checkpoint(shown, [verifier_of(LOG_KEY)], ORIGIN)
            assert (
                not notes
                or point.size >= open_checkpoint(notes[-1], [verifier_of(LOG_KEY)], ORIGIN).size
            )


def test_log__creation_failing_at_each_call__leaves_no_half_a_log(tmp_path: Path) -> None:
    probe = FailingDisk(0)
    Log.create(tmp_path / "probe", ORIGIN, LOG_KEY, disk=probe).close()
    for fail_at in range(1, probe.calls + 1):
        folder = tmp_path / f"run{fail_at}"
        with pytest.raises(StorageError):
            Log.create(folder, ORIGIN, LOG_KEY, disk=FailingDisk(fail_at))
        opener = Log.open if folder.exists() else lambda path, key: Log.create(path, ORIGIN, key)
        opener(folder, LOG_KEY).close()


def test_log__poisoned__refuses_everything_until_opened_again(folder: Path) -> None:
    Log.create(folder, ORIGIN, LOG_KEY).close()
    log = Log.open(folder, LOG_KEY, disk=FailingDisk(1))
    with pytest.raises(StorageError, match="E-EVD-028"):
        log.append(ENTRIES[:1])
    for call in (
        lambda: log.append(ENTRIES[:1]),
        log.checkpoint,
        lambda: log.receipt(0),
        log.static_files,
    ):
        with pytest.raises(UndersignedError, match="E-EVD-021"):
            call()
    log.close()
    with Log.open(folder, LOG_KEY) as again:
        assert again.append(ENTRIES[:1]) == [0]


def signed_by_witness(
    note: str, name: str = "witness.example/w1", time: int = 1_700_000_000
) -> str:
    return cosign_checkpoint(note.rpartition("\n\n")[0] + "\n", key(name, "witness"), time)


def test_log__cosigned__shows_the_lines_until_it_grows_and_after_reopening(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:3])
        bare = log.checkpoint()
        line = signed_by_witness(bare)
        note = log.add_cosignatures(line)
        assert note == bare + line == log.checkpoint() == log.note
        assert log.add_cosignatures(line) == note
        assert log.receipt(1).endswith("\n\n" + note)
        assert {(folder / name).read_text() for name in ("checkpoint", "high-water")} == {note}
    with Log.open(folder, LOG_KEY) as log:
        assert log.checkpoint() == note
        log.append(ENTRIES[3:4])
        assert log.note == note
        assert "witness.example/w1" not in log.checkpoint()


@pytest.mark.parametrize("lines", ["no signature line\n", "\n", "\u2014 w AAAAAAAA", "x" * 70_000])
def test_log__cosignatures_that_would_spoil_the_note__are_refused_and_nothing_changes(
    folder: Path, lines: str
) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:1])
        note = log.checkpoint()
        with pytest.raises(EvidenceError, match="E-EVD-002"):
            log.add_cosignatures(lines)
        assert log.checkpoint() == note == (folder / "checkpoint").read_text()


def test_log__stopped_between_the_two_files_of_a_cosignature__publishes_it_when_opened(
    folder: Path,
) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:1])
        bare = log.checkpoint()
        note = log.add_cosignatures(signed_by_witness(bare))
    (folder / "checkpoint").write_text(bare)
    with Log.open(folder, LOG_KEY) as log:
        assert log.checkpoint() == note == (folder / "checkpoint").read_text()


def test_log__entries_read_in_bulk__are_those_read_one_by_one_from_any_start(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        for first, last in ((0, 3), (3, 4), (4, 260), (260, 261)):
            log.append(ENTRIES[first:last])
        assert contents(log) == ENTRIES[:261]
        for start in (0, 1, 3, 4, 5, 259, 260, 261):
            assert list(log.entries(start)) == ENTRIES[start:261]


def test_log__root__of_each_size_is_that_of_the_entries_published_or_not(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:5])
        assert log.root(3) == root_of(map(leaf_hash, ENTRIES[:3]))
        log.append(ENTRIES[5:9])
        assert log.root() == root_of(map(leaf_hash, ENTRIES[:9]))
        assert open_checkpoint(log.note, [verifier_of(LOG_KEY)], ORIGIN).size == 0
        assert open_checkpoint(log.checkpoint(), [verifier_of(LOG_KEY)], ORIGIN).root == log.root()


def test_log__exported_again__moves_forward_and_leaves_the_tiles_that_are_there(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    seen: list[int] = []
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:300])
        log.export(out, seen.append)
        assert seen == [6] * 6
        before = (out / "tile/0/000").stat().st_mtime_ns
        log.append(ENTRIES[300:600])
        log.export(out)
        assert (out / "checkpoint").read_text() == log.note
        assert (out / "tile/0/000").stat().st_mtime_ns == before
        for name, data in log.static_files().items():
            assert (out / name).read_bytes() == data


def test_log__exported_over_something_else__is_refused_and_it_is_left(
    folder: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    with Log.create(other, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[300:600])
        log.export(out)
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:300])
        shutil.copytree(out, tmp_path / "foreign")
        (tmp_path / "foreign/checkpoint").write_text(
            sign_note(Checkpoint("other.example", 0, root_of([])).text(), MALLORY)
        )
        shutil.copytree(out, tmp_path / "tiles")
        (tmp_path / "tiles/checkpoint").unlink()
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos/cat.jpeg").write_bytes(b"a cat")
        shutil.copytree(out, tmp_path / "spoilt")
        (tmp_path / "spoilt/checkpoint").write_bytes(b"\xff")
        for name in ("out", "foreign", "tiles", "photos", "spoilt"):
            before = {p: p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
            with pytest.raises(UsageError, match="E-EVD-074"):
                log.export(tmp_path / name)
            assert all(path.read_bytes() == data for path, data in before.items())


def test_log__frame_replaced_by_another_whole_one_before_signing__is_not_signed(
    folder: Path, tmp_path: Path
) -> None:
    """A forged commit with right hashes is told from the one that was acknowledged."""
    with Log.create(tmp_path / "forger", ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[1:2])
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[0:1])
        shutil.copy(tmp_path / "forger" / "journal", folder / "journal")
        with pytest.raises(StorageError, match="E-EVD-022"):
            log.checkpoint()


def test_log__killed_with_room_written_ahead__is_opened_whole_and_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    killed, torn = tmp_path / "killed", tmp_path / "torn"
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        for number in range(9):
            log.append(ENTRIES[number : number + 1])
            end = (folder / "journal").read_bytes().rstrip(b"\0")
            if number == 7:
                log.checkpoint()
                before = len(end)
        shutil.copytree(folder, killed)
    assert (folder / "journal").stat().st_size == len(end)
    journal = (killed / "journal").read_bytes()
    assert len(journal) > len(end) + 100_000
    shutil.copytree(killed, torn)
    with Log.open(killed, LOG_KEY) as log:
        assert contents(log) == ENTRIES[:9]
        log.append(ENTRIES[9:12])
    with Log.open(killed, LOG_KEY) as log:
        assert contents(log) == ENTRIES[:12]
    for at in range(before, len(end)):
        (torn / "journal").write_bytes(journal[:at] + bytes(len(journal) - at))
        with Log.open(torn, LOG_KEY, disk=Unflushed()) as log:
            assert contents(log) == ENTRIES[:8]
            log.append(ENTRIES[20:21])
        with Log.open(torn, LOG_KEY, disk=Unflushed()) as log:
            assert contents(log) == [*ENTRIES[:8], ENTRIES[20]]
    (torn / "journal").write_bytes(journal[: before - 1] + bytes(5000))
    with pytest.raises(StorageError, match="E-EVD-022"):
        Log.open(torn, LOG_KEY)


def test_log__commit_hidden_behind_zeros__is_damage(folder: Path) -> None:
    with Log.create(folder, ORIGIN, LOG_KEY) as log:
        log.append(ENTRIES[:1])
        one = (folder / "journal").stat().st_size
        log.append(ENTRIES[1:2])
        two = (folder / "journal").stat().st_size
        log.append(ENTRIES[2:3])
    journal = (folder / "journal").read_bytes()
    (folder / "journal").write_bytes(journal[:one] + bytes(two - one) + journal[two:])
    with pytest.raises(StorageError, match="E-EVD-022"):
        Log.open(folder, LOG_KEY)
