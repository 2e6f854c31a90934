"""Which entries of a log are of this predicate, system or state, without reading them all?

An SQLite file beside the log. It is a means to search and decides nothing: every row that a search
finds is compared with the entry in the journal, and an index that disagrees is rebuilt. Deleting
it loses nothing. The state of a plan is what the log says of its registration: ``completed`` when
an ``eval-result`` closes it, ``abandoned`` when an ``abandoned`` does, else ``open``.

Invariants:
- Rows found were re-read from the journal just then.
- An index that is missing, broken, ahead of the log, or of another log (origin, and root at the
  index's size) is rebuilt; one that is behind is extended.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Self

from undersigned.core.errors import EvidenceError, StorageError
from undersigned.evidence.entries import CLOSING, Entry, parse_entry
from undersigned.evidence.log import Log
from undersigned.evidence.problems import INDEX_FAILED
from undersigned.evidence.statements import read_statement
from undersigned.evidence.store import Store

NAME = "index.sqlite"
"""The file in the log's folder."""

State = Literal["open", "completed", "abandoned"]
"""Of a registered plan: open: nothing closes it. completed: by a result. abandoned: given up."""

SCHEMA = "undersigned.index.v1"

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    position INTEGER PRIMARY KEY, predicate TEXT NOT NULL, digest TEXT NOT NULL,
    size INTEGER NOT NULL, retention TEXT NOT NULL, closes TEXT NOT NULL,
    system TEXT NOT NULL, plan TEXT NOT NULL);
"""

_INDICES = """
CREATE INDEX IF NOT EXISTS by_digest ON entries (digest);
CREATE INDEX IF NOT EXISTS by_closes ON entries (closes) WHERE closes != '';
CREATE INDEX IF NOT EXISTS by_system ON entries (system) WHERE system != '';
CREATE INDEX IF NOT EXISTS by_predicate ON entries (predicate);
"""

_ROW = """
SELECT e.position, e.predicate, e.digest, e.size, e.retention, e.closes, e.system, e.plan,
    CASE WHEN e.predicate != 'prereg' THEN '' ELSE coalesce(
        (SELECT CASE c.predicate WHEN 'eval-result' THEN 'completed' ELSE 'abandoned' END
         FROM entries c WHERE c.closes = e.digest AND c.closes != ''
            AND c.position > e.position ORDER BY c.position LIMIT 1),
        'open') END AS state
FROM entries e
"""


class Row(NamedTuple):
    """An entry, as searched. predicate: short name. system, plan: digests that the statement
    names, empty when it is not in the store. state: of a registration, else empty."""

    position: int
    predicate: str
    digest: str
    size: int
    retention: str
    closes: str
    system: str
    plan: str
    state: str


class Index:
    """An open index. Use as a context manager, or call ``close``."""

    def __init__(self, log: Log, store: Store) -> None:
        """Open or build the index of an open log; use ``open_index``."""
        self.path = log.folder / NAME
        self._log = log
        self._store = store
        self._db = self._connect()
        try:
            self._follow()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        """Return the index."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the index."""
        self.close()

    def find(
        self,
        predicate: str | None = None,
        digest_prefix: str | None = None,
        system: str | None = None,
        state: State | None = None,
        last: int | None = None,
    ) -> list[Row]:
        """Return the entries that meet every condition, by position.

        predicate: short name. digest_prefix: with or without ``sha256:``. system: digest. state:
        of a registration. last: only so many, the newest. Raises StorageError (E-EVD-022,
        E-EVD-075).
        """
        clauses: list[str] = []
        values: list[str | int] = []
        if predicate is not None:
            clauses.append("predicate = ?")
            values.append(predicate)
        if digest_prefix is not None:
            low = "sha256:" + digest_prefix.removeprefix("sha256:")
            clauses.append("digest >= ? AND digest < ?")
            values += [low, low + "~"]
        if system is not None:
            clauses.append("system = ?")
            values.append(system)
        if state is not None:
            clauses.append("state = ?")
            values.append(state)
        where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
        query = f"SELECT * FROM ({_ROW}){where} ORDER BY position DESC LIMIT ?"
        values.append(-1 if last is None else last)
        rows = self._query(query, values)
        if rows is None or not all(map(self._is_true, rows)):
            self._rebuild()
            rows = self._query(query, values)
        if rows is None or not all(map(self._is_true, rows)):
            raise self._failed("an index cannot be read just after it was built")
        return rows[::-1]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _query(self, query: str, values: list[str | int]) -> list[Row] | None:
        try:
            return [Row(*row) for row in self._db.execute(query, values)]
        except sqlite3.Error:
            return None

    def _is_true(self, row: Row) -> bool:
        """Compare a row with the journal."""
        if not 0 <= row.position < self._log.size:
            return False
        entry = parse_entry(self._log.entry(row.position))
        said = (entry.name, entry.digest, entry.size, entry.retention, entry.closes)
        return said == row[1:6]

    def _connect(self) -> sqlite3.Connection:
        for _ in range(2):
            try:
                database = sqlite3.connect(self.path, isolation_level=None)
                try:
                    database.execute("PRAGMA synchronous = OFF")
                    database.execute("PRAGMA journal_mode = MEMORY")
                    if self._is_of_log(database):
                        return database
                except sqlite3.Error:
                    pass
                database.close()
                self._remove()
            except (sqlite3.Error, OSError) as error:
                raise self._failed("an index cannot be opened", error) from error
        raise self._failed("an index cannot be made")

    def _is_of_log(self, database: sqlite3.Connection) -> bool:
        """Return whether a database is of this log, after making the tables in an empty one."""
        if not list(database.execute("SELECT name FROM sqlite_master")):
            database.executescript(f"BEGIN;{_TABLES}COMMIT;")
            return True
        said = dict(database.execute("SELECT name, value FROM meta"))
        (rows,) = database.execute("SELECT count(*) FROM entries").fetchone()
        if not said:
            return bool(rows == 0)
        size = int(said["size"]) if said.get("size", "").isdecimal() else -1
        return (
            said.get("schema") == SCHEMA
            and said.get("origin") == self._log.origin
            and rows == size
            and 0 <= size <= self._log.size
            and said.get("root") == self._log.root(size).hex()
        )

    def _follow(self) -> None:
        """Add the entries that the index does not have yet."""
        size = self._log.size
        try:
            (done,) = self._db.execute("SELECT count(*) FROM entries").fetchone()
            if done == size and done:
                return
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._new_rows(done)
            )
            for statement in _INDICES.strip().split("\n"):  # WHY after: filling them is slower
                self._db.execute(statement)
            said = {"schema": SCHEMA, "origin": self._log.origin, "size": str(size)}
            said["root"] = self._log.root(size).hex()
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", said.items())
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed("an index cannot be written", error) from error

    def _new_rows(self, start: int) -> Iterator[tuple[int | str, ...]]:
        kept = self._store.names("statements")
        for position, data in enumerate(self._log.entries(start), start):
            entry = parse_entry(data)
            is_kept = entry.digest.removeprefix("sha256:") in kept
            system, plan = _named(entry, self._store) if is_kept else ("", "")
            yield (
                position, entry.name, entry.digest, entry.size, entry.retention, entry.closes,
                system, plan,
            )  # fmt: skip

    def _rebuild(self) -> None:
        self._db.close()
        self._remove()
        self._db = self._connect()
        self._follow()

    def _remove(self) -> None:
        for path in self.path.parent.glob(f"{NAME}*"):
            path.unlink()

    def _failed(self, what: str, reason: object = "") -> StorageError:
        return StorageError(INDEX_FAILED, what, path=str(self.path), reason=reason)


def open_index(log: Log, store: Store) -> Index:
    """Open, extend or rebuild the index of an open log.

    Raises StorageError (E-EVD-075) when the file cannot be written.
    """
    return Index(log, store)


def index_size(path: Path) -> int | None:
    """Return how many entries an index file says it has, None when it cannot be read.

    Changes nothing, not even when another process writes it.
    """
    try:
        database = sqlite3.connect(f"file:{path.absolute().as_posix()}?immutable=1", uri=True)
        try:
            (said,) = database.execute("SELECT value FROM meta WHERE name = 'size'").fetchone()
            return int(said)
        finally:
            database.close()
    except (sqlite3.Error, TypeError, ValueError):
        return None


def _named(entry: Entry, store: Store) -> tuple[str, str]:
    """Return the digests of system and plan that an entry's statement names, empty if unknown."""
    if entry.name not in ("prereg", *CLOSING):
        return "", ""
    try:
        envelope = store.statement(entry.digest)
        predicate = read_statement(envelope).predicate if envelope is not None else {}
    except EvidenceError:
        return "", ""  # WHY silent: fsck reports a changed file; a search must go on without it
    found = [predicate.get(name, "") for name in ("system", "plan")]
    system, plan = (value if isinstance(value, str) else "" for value in found)
    return system, plan
