"""Does an examination see each fault, call nothing whole that is not, and change no byte?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN
from tests.evidence.test_index import PLANS, STATEMENTS, keep
from undersigned.core.canonical import digest_bytes
from undersigned.evidence.entries import Entry
from undersigned.evidence.frames import encode_frame
from undersigned.evidence.fsck import examine
from undersigned.evidence.index import NAME, open_index
from undersigned.evidence.log import Log
from undersigned.evidence.notes import verifier_of
from undersigned.evidence.store import ERASING, Store

KEYS = [verifier_of(LOG_KEY)]
SALT = bytes(32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Log.create(tmp_path / "log", ORIGIN, LOG_KEY) as log:
        store = Store(log.folder / "store")
        keep(log, store, STATEMENTS[:3])
        log.checkpoint()
        keep(log, store, STATEMENTS[3:])
        for data in (b"one", b"two"):
            packed = store.payload(store.keep_payload(data, salt=SALT).digest) or b""
            log.append([Entry.of_payload(packed, "erasable").data()])
        log.checkpoint()
        open_index(log, store).close()
    return tmp_path / "log"


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in [folder, *folder.rglob("*")]
    }


def found(folder: Path, status: str) -> set[str]:
    """Examine, see that nothing changed, and return the codes of a status."""
    before = everything(folder)
    lines = examine(folder, KEYS)
    assert everything(folder) == before
    return {line.code for line in lines if line.status == status}


def test_examine__whole_log__holds_in_every_line(folder: Path) -> None:
    lines = examine(folder, KEYS)
    assert {line.status for line in lines} == {"holds"}
    told = "\n".join(line.what for line in lines)
    parts = ("4 commits with 8 entries", "6 statements are in the store", "2 payloads are in")
    for part in (*parts, "the index has all 8", "no process has"):
        assert part in told
    assert found(folder, "holds") == {""}


def flip(name: str, at: int) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[at] ^= 1
        (folder / name).write_bytes(data)

    return change


def cut(name: str, size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-size])


def old_high_water(folder: Path) -> None:
    with Log.create(folder.parent / "old", ORIGIN, LOG_KEY) as log:
        keep(log, Store(log.folder / "store"), STATEMENTS[:3])
        log.checkpoint()
    shutil.copy(folder.parent / "old" / "high-water", folder / "high-water")


def junk_entry(folder: Path) -> None:
    with (folder / "journal").open("ab") as journal:
        journal.write(encode_frame([b"no record"], 8).data)


def torn_tail(folder: Path) -> None:
    with (folder / "journal").open("ab") as journal:
        journal.write(b"\xffAJ1 torn")


def statement_file(folder: Path) -> Path:
    return Store(folder / "store").path("statements", digest_bytes(PLANS[1]))


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "first entry changed": (flip("journal", 100), "E-EVD-022"),
    "last entry changed": (flip("journal", -30), "E-EVD-022"),
    "journal header": (flip("journal", 0), "E-EVD-022"),
    "journal cut below the mark": (cut("journal", 1), "E-EVD-022"),
    "journal gone": (lambda folder: (folder / "journal").unlink(), "E-EVD-025"),
    "high-water gone": (lambda folder: (folder / "high-water").unlink(), "E-EVD-025"),
    "high-water signature": (flip("high-water", -9), "E-EVD-024"),
    "high-water origin": (flip("high-water", 0), "E-EVD-024"),
    "high-water cut": (cut("high-water", 120), "E-EVD-022"),
    "high-water older": (old_high_water, "E-EVD-023"),
    "checkpoint no text": (
        lambda folder: (folder / "checkpoint").write_bytes(b"\xff"), "E-EVD-022",
    ),
    "entry no record": (junk_entry, "E-EVD-027"),
    "statement changed": (
        lambda folder: statement_file(folder).write_bytes(PLANS[0]), "E-EVD-070",
    ),
    "erasure not finished": (
        lambda folder: next((folder / "store/payloads").iterdir()).rename(
            folder / "store/payloads" / ("0" * 64 + ERASING)
        ),
        "E-EVD-079",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "code"), FAULTS.values(), ids=FAULTS.keys())
def test_examine__planted_fault__fails_with_its_code(
    folder: Path, spoil: Callable[[Path], object], code: str
) -> None:
    spoil(folder)
    assert code in found(folder, "fails")


DOUBTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "torn tail": (torn_tail, "E-EVD-077"),
    "statement missing": (lambda folder: statement_file(folder).unlink(), "E-EVD-078"),
    "payload erased": (
        lambda folder: next((folder / "store/payloads").iterdir()).unlink(), "E-EVD-079",
    ),
    "orphan": (
        lambda folder: (folder / "store/payloads" / ("1" * 64)).write_bytes(b""), "E-EVD-080",
    ),
    "index broken": (lambda folder: (folder / NAME).write_bytes(b"x" * 5000), "E-EVD-081"),
    "checkpoint gone": (lambda folder: (folder / "checkpoint").unlink(), ""),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "code"), DOUBTS.values(), ids=DOUBTS.keys())
def test_examine__what_cannot_be_known_or_is_no_fault__is_unknown(
    folder: Path, spoil: Callable[[Path], object], code: str
) -> None:
    spoil(folder)
    assert code in found(folder, "unknown")
    assert found(folder, "fails") == set()


def test_examine__index_behind_or_absent__says_so(folder: Path) -> None:
    with Log.open(folder, LOG_KEY) as log:
        log.append([Entry.of(STATEMENTS[0]).data()])
    assert "the index has 8 of 9 entries" in [line.what for line in examine(folder, KEYS)]
    (folder / NAME).unlink()
    assert any("there is no index" in line.what for line in examine(folder, KEYS))


def test_examine__without_or_with_another_key__does_not_say_that_the_signature_holds(
    folder: Path,
) -> None:
    unknown = [line for line in examine(folder) if line.code == "E-EVD-082"]
    assert len(unknown) == 2
    assert {line.code for line in examine(folder, [verifier_of(MALLORY)])} >= {"E-EVD-024"}


def test_examine__log_in_use__reads_along_and_sees_the_lock(folder: Path) -> None:
    with Log.open(folder, LOG_KEY) as log:
        for number in range(30):
            log.append([Entry.of(PLANS[number % 4]).data()])
            if number % 7 == 0:
                log.checkpoint()
            lines = examine(folder, KEYS)
            assert not [line for line in lines if line.status == "fails"]
            assert any(line.what == "a process has the log open" for line in lines)
        assert log.checkpoint()


def test_examine__room_written_ahead__is_no_unfinished_commit(folder: Path) -> None:
    with Log.open(folder, LOG_KEY) as log:
        for number in range(8):
            log.append([Entry.of(PLANS[number % 4]).data()])
        assert (folder / "journal").stat().st_size > 100_000
        assert "E-EVD-077" not in found(folder, "unknown")
        assert found(folder, "fails") == set()


def test_examine__many_changed_files__names_ten_and_counts_the_rest(folder: Path) -> None:
    with Log.open(folder, LOG_KEY) as log:
        store = Store(folder / "store")
        for number in range(12):
            made = store.keep_payload(b"%d" % number, salt=SALT)
            log.append([Entry.of_payload(store.payload(made.digest) or b"", "term").data()])
            store.path("payloads", made.digest).write_bytes(b"changed")
    told = [line.what for line in examine(folder, KEYS) if line.code == "E-EVD-070"]
    assert len(told) == 11
    assert told[-1].startswith("2 more files")


def test_examine__folder_without_a_log__fails(tmp_path: Path) -> None:
    (line,) = examine(tmp_path, KEYS)
    assert (line.status, line.code) == ("fails", "E-EVD-025")
    assert not any(tmp_path.iterdir())
