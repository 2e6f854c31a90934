"""Does every acknowledged entry survive, and is every other state refused instead of guessed?"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from answerable.core.errors import AnswerableError, EvidenceError, StorageError, UsageError
from answerable.evidence.disk import Disk
from answerable.evidence.log import Entry, Log
from answerable.evidence.notes import open_checkpoint, parse_receipt, verifier_of
from answerable.evidence.tree import leaf_hash
from answerable.evidence.verify import verify_consistency, verify_inclusion
from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN


def entry(number: int) -> bytes:
    return Entry("urn:answerable:predicate:prereg:v1", f"sha256:{number:064x}", number).data()


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
            log.append([long] * ((64 << 20) // len(long)))
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
                Log.open(torn, LOG_KEY)
            assert (torn / "journal").read_bytes() == journal[:end]
            continue
        with Log.open(torn, LOG_KEY) as log:
            assert contents(log) == ENTRIES[: 4 if end == len(journal) else 2]
            log.append(ENTRIES[9:10])
        with Log.open(torn, LOG_KEY) as log:
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


class FailingDisk(Disk):
    """The real disk, except that the n-th call that can lose data fails, maybe half done."""

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
        return super().write(handle, data[:50], offset)

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


def session(folder: Path, disk: Disk, acknowledged: list[bytes], notes: list[str]) -> None:
    with Log.open(folder, LOG_KEY, disk=disk) as log:
        for number in range(20, 24):
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
    for fail_at in range(1, probe.calls + 1):
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
        with pytest.raises(AnswerableError, match="E-EVD-021"):
            call()
    log.close()
    with Log.open(folder, LOG_KEY) as again:
        assert again.append(ENTRIES[:1]) == [0]


WRITER = """
import sys
from pathlib import Path
from answerable.evidence.log import Log
from tests.evidence.dossiers import LOG_KEY
from tests.evidence.test_log import entry
with Log.open(Path(sys.argv[1]), LOG_KEY) as log:
    print("open", log.size, flush=True)
    while True:
        batch = [entry(log.size + i) for i in range(3)]
        print(log.append(batch)[-1], flush=True)
        if log.size % 4 == 0:
            log.checkpoint()
"""


def test_log__killed_twenty_times__keeps_every_acknowledged_entry(folder: Path) -> None:
    Log.create(folder, ORIGIN, LOG_KEY).close()
    root = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{root / 'src'}:{root}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    draw = random.Random(7)
    for _ in range(20):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(draw.randint(1, 40))]
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        said = [
            int(line)
            for line in [*lines, *rest.splitlines(keepends=True)]
            if line[:1].isdigit() and line.endswith("\n")
        ]
        with Log.open(folder, LOG_KEY) as log:
            assert log.size > max(said, default=-1)
            assert contents(log) == [entry(number) for number in range(log.size)]
    with Log.open(folder, LOG_KEY) as log:
        assert log.size > 200
