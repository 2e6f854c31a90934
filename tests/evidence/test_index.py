"""Does a search find exactly what the log holds, whatever state the index file is in?"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.evidence.dossiers import LOG_KEY, ORIGIN, TESTER
from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import StorageError
from undersigned.evidence.entries import Entry
from undersigned.evidence.index import NAME, Row, index_size, open_index
from undersigned.evidence.log import Log
from undersigned.evidence.statements import sign_statement, state
from undersigned.evidence.store import Store

SYSTEMS = [digest_bytes(b"system %d" % n) for n in range(2)]


def prereg(number: int) -> bytes:
    system = SYSTEMS[number % 2]
    said = {"system": system, "plan": digest_bytes(b"plan %d" % number), "number": number}
    return sign_statement(state("prereg", {"system": system}, said), TESTER)


def closing(name: str, registered: bytes) -> bytes:
    refs = [{"name": "prereg", "digest": digest_bytes(registered)}]
    said = {"refs": refs, "system": SYSTEMS[0], "plan": digest_bytes(b"x")}
    return sign_statement(state(name, {"system": SYSTEMS[0]}, said), TESTER)


PLANS = [prereg(number) for number in range(4)]
STATEMENTS = [*PLANS, closing("eval-result", PLANS[0]), closing("abandoned", PLANS[1])]


def keep(log: Log, store: Store, statements: list[bytes]) -> None:
    for envelope in statements:
        store.keep_statement(envelope)
    log.append([Entry.of(envelope).data() for envelope in statements])


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.create(tmp_path / "log", ORIGIN, LOG_KEY) as made:
        keep(made, Store(made.folder / "store"), STATEMENTS)
        yield made


@pytest.fixture
def store(log: Log) -> Store:
    return Store(log.folder / "store")


def find(log: Log, **conditions: object) -> list[Row]:
    with open_index(log, Store(log.folder / "store")) as index:
        return index.find(**conditions)  # type: ignore[arg-type]


def positions(log: Log, **conditions: object) -> list[int]:
    return [row.position for row in find(log, **conditions)]


def test_index__each_condition__finds_the_entries_that_meet_it(log: Log) -> None:
    digest = digest_bytes(PLANS[2])
    assert positions(log) == [0, 1, 2, 3, 4, 5]
    assert positions(log, predicate="prereg") == [0, 1, 2, 3]
    assert positions(log, digest_prefix=digest[:20]) == [2]
    assert positions(log, digest_prefix=digest[7:]) == [2]
    assert positions(log, digest_prefix="") == [0, 1, 2, 3, 4, 5]
    assert positions(log, system=SYSTEMS[1]) == [1, 3]
    assert positions(log, predicate="prereg", system=SYSTEMS[0]) == [0, 2]
    assert positions(log, predicate="grant") == []
    assert positions(log, last=2) == [4, 5]
    assert positions(log, predicate="prereg", last=1) == [3]
    assert positions(log, digest_prefix="'; DROP TABLE entries --") == []


def test_index__plans__are_open_until_a_later_entry_closes_them(log: Log, store: Store) -> None:
    states = [row.state for row in find(log, predicate="prereg")]
    assert states == ["completed", "abandoned", "open", "open"]
    assert positions(log, state="open") == [2, 3]
    assert positions(log, state="completed") == [0]
    assert positions(log, state="abandoned") == [1]
    late = prereg(9)
    keep(log, store, [closing("eval-result", late), late])
    assert positions(log, state="open") == [2, 3, 7]


def test_index__row__says_what_the_entry_and_its_statement_say(log: Log) -> None:
    (row,) = find(log, digest_prefix=digest_bytes(PLANS[0]))
    plan = digest_bytes(b"plan 0")
    size, digest = len(PLANS[0]), digest_bytes(PLANS[0])
    assert row == Row(0, "prereg", digest, size, "permanent", "", SYSTEMS[0], plan, "completed")
    shutil.rmtree(log.folder / "store")
    (log.folder / NAME).unlink()
    (row,) = find(log, digest_prefix=digest)
    assert (row.system, row.plan, row.state) == ("", "", "completed")


def sql(path: Path, command: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute(command)
    database.close()


SPOILT: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"no database at all" * 400),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:9000]),
    "holed": lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(8192)),
    "other tables": lambda path: sql(path, "DROP TABLE entries"),
    "no notes": lambda path: sql(path, "DELETE FROM meta"),
    "a note gone": lambda path: sql(path, "DELETE FROM meta WHERE name = 'root'"),
    "other schema": lambda path: sql(path, "UPDATE meta SET value = 'v0' WHERE name = 'schema'"),
    "other origin": lambda path: sql(path, "UPDATE meta SET value = 'x' WHERE name = 'origin'"),
    "other root": lambda path: sql(path, "UPDATE meta SET value = '00' WHERE name = 'root'"),
    "ahead": lambda path: sql(path, "UPDATE meta SET value = '7' WHERE name = 'size'"),
    "size no number": lambda path: sql(path, "UPDATE meta SET value = 'x' WHERE name = 'size'"),
    "row gone": lambda path: sql(path, "DELETE FROM entries WHERE position = 2"),
    "row changed": lambda path: sql(path, "UPDATE entries SET size = 1 WHERE position = 2"),
    "row moved": lambda path: sql(path, "UPDATE entries SET position = 99 WHERE position = 2"),
    "type changed": lambda path: sql(path, "UPDATE entries SET size = 'x' WHERE position = 3"),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_index__spoilt__is_rebuilt_and_the_answer_is_the_same(
    log: Log, spoil: Callable[[Path], object]
) -> None:
    right = find(log, predicate="prereg")
    spoil(log.folder / NAME)
    assert find(log, predicate="prereg") == right
    assert index_size(log.folder / NAME) == 6


def test_index__of_another_log_or_an_earlier_history__is_rebuilt(log: Log, tmp_path: Path) -> None:
    right = find(log)
    with Log.create(tmp_path / "other", ORIGIN, LOG_KEY) as other:
        keep(other, Store(other.folder / "store"), STATEMENTS[::-1])
        find(other)
        shutil.copy(other.folder / NAME, log.folder / NAME)
    assert find(log) == right


def test_index__behind__is_extended_and_keeps_its_rows(log: Log, store: Store) -> None:
    find(log)
    shutil.rmtree(store.folder)  # WHY: rows read anew would now lack system and plan
    more = prereg(6)
    keep(log, store, [more])
    rows = find(log, predicate="prereg")
    assert [row.position for row in rows] == [0, 1, 2, 3, 6]
    assert [row.system for row in rows] == [SYSTEMS[n % 2] for n in (0, 1, 0, 1, 0)]


def test_index__statement_changed_in_the_store__is_searched_without_it(
    log: Log, store: Store
) -> None:
    store.path("statements", digest_bytes(PLANS[1])).write_bytes(b"changed")
    assert positions(log, system=SYSTEMS[1]) == [3]


def test_index__of_an_empty_log__finds_nothing(tmp_path: Path) -> None:
    with Log.create(tmp_path / "empty", ORIGIN, LOG_KEY) as log:
        assert find(log) == []
        assert find(log) == []


def test_index__that_cannot_be_written__is_an_error_with_a_remedy(log: Log) -> None:
    (log.folder / NAME).mkdir()
    with pytest.raises(StorageError, match="E-EVD-075"):
        find(log)
