"""Which log does a ``log`` verb mean, and how are entries and checks shown?

The log of a party lies in ``logs/`` of the home folder, its key in ``keys/``. Nothing is made
here: a log comes into being with the first test of its party.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from undersigned.cli.home import home_folder, key_folder
from undersigned.cli.output import Colour, paint

if TYPE_CHECKING:
    from undersigned.evidence.fsck import Line
    from undersigned.evidence.index import Row
    from undersigned.evidence.keys import FileKey
    from undersigned.evidence.log import Log
    from undersigned.evidence.notes import Verifier

SHORT = 19
"""Characters of a digest that are shown: its name and 12 hexadecimal digits."""


def log_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--party`` and ``--log`` to a verb, as the arguments ``party`` and ``folder``."""
    party = click.option("--party", default="self", show_default=True, help="Whose log.")
    path = click.Path(path_type=Path, file_okay=False)
    folder = click.option("--log", "folder", type=path, help="Folder of a log, instead of --party.")
    return party(folder(verb))


def find_log(party: str, folder: Path | None) -> Path:
    """Return the folder of the log that is meant.

    Raises StorageError (E-EVD-025) when there is none, UsageError (E-EVD-007), UndecidableError
    (E-EVD-092) when this program kept it under its former name.
    """
    from undersigned.core.errors import StorageError
    from undersigned.evidence.former import refuse_former
    from undersigned.evidence.frames import MAGIC
    from undersigned.evidence.keys import check_name
    from undersigned.evidence.problems import LOG_MISSING

    plain = check_name(party).replace("/", "-")
    path = folder if folder is not None else home_folder(os.environ) / "logs" / plain
    if not (path / "journal").is_file():
        raise StorageError(LOG_MISSING, "there is no log", path=str(path))
    # WHY before it is opened: its key lies in another home, and to miss that is no answer.
    with suppress(OSError), (path / "journal").open("rb") as file:
        refuse_former(file.read(len(MAGIC)), path)
    return path


def key_path(folder: Path) -> Path:
    """Return where the key of a log lies: in the home folder, by the log's origin.

    Raises StorageError (E-COR-005, E-EVD-025).
    """
    from undersigned.core.errors import StorageError
    from undersigned.core.files import read_file
    from undersigned.evidence.keys import NAME
    from undersigned.evidence.problems import LOG_MISSING

    origin = read_file(folder / "high-water").partition(b"\n")[0].decode(errors="replace")
    if not NAME.match(origin):
        raise StorageError(LOG_MISSING, "a log has no origin", path=str(folder), origin=origin)
    return key_folder(home_folder(os.environ)) / f"log-{origin.replace('/', '-')}.pem"


def open_log(party: str, folder: Path | None) -> Log:
    """Open the log that is meant, with its own key. Raises StorageError, AccessDeniedError."""
    from undersigned.evidence.keys import load_key
    from undersigned.evidence.log import Log

    path = find_log(party, folder)
    key: FileKey = load_key(key_path(path))
    return Log.open(path, key)


def verifiers_of(folder: Path, trust: Path | None) -> tuple[Verifier, ...]:
    """Return the keys that may sign a log's checkpoints: a trust file's, else the one at home.

    None at all when there is neither. Raises EvidenceError (E-EVD-040), StorageError.
    """
    from undersigned.core.files import read_file
    from undersigned.evidence.keys import load_key
    from undersigned.evidence.notes import verifier_of
    from undersigned.evidence.trust import load_trust

    if trust is not None:
        origin = read_file(folder / "high-water").partition(b"\n")[0].decode(errors="replace")
        return load_trust(trust).verifiers(origin)
    path = key_path(folder)
    return (verifier_of(load_key(path)),) if path.is_file() else ()


def resolve(log: Log, name: str) -> int:
    """Return the index of the entry that a user names by index or by the start of its digest.

    Raises UsageError: E-EVD-076 when no entry or more than one is meant, E-EVD-001.
    """
    from undersigned.core.errors import UsageError
    from undersigned.evidence.index import open_index
    from undersigned.evidence.problems import NO_ENTRY
    from undersigned.evidence.store import Store

    if name.isascii() and name.isdecimal() and len(name) < 16:
        return int(name)
    with open_index(log, Store(log.folder / "store")) as index:
        rows = index.find(digest_prefix=name, last=2)
    if len(rows) != 1:
        what = "no entry has this digest" if not rows else "more than one entry has this digest"
        raise UsageError(NO_ENTRY, what, digest=name)
    return rows[0].position


def cosigners(note: str) -> list[str]:
    """Return the names on a note's signature lines after the first, which nobody verified here."""
    lines = note.rpartition("\n\n")[2].splitlines()
    return [line.split(" ")[1] for line in lines[1:]]


def request_body(log: Log, old: int) -> str:
    """Return the body that asks a witness to cosign the present checkpoint (tlog-witness).

    old: size that the witness cosigned last, 0 for none. Raises UsageError (E-EVD-001).
    """
    from undersigned.evidence.witness import request_text

    note = log.checkpoint()
    return request_text(old, log.consistency(old) if old else [], note).decode()


def row_lines(rows: Sequence[Row]) -> list[str]:
    """Return the table of entries, with a heading."""
    table = [("index", "predicate", "digest", "retention", "state")]
    for row in rows:
        state = row.state or (f"closes {row.closes[:SHORT]}" if row.closes else "")
        digest = row.digest[:SHORT]
        table.append((str(row.position), row.predicate, digest, row.retention, state))
    widths = [max(len(line[column]) for line in table) for column in range(4)]
    lines = []
    for number, *words, state in table:
        cells = [f"{number:>{widths[0]}}"]
        cells += [f"{word:{width}}" for word, width in zip(words, widths[1:], strict=True)]
        lines.append("  ".join([*cells, state]).rstrip())
    return lines


def check_lines(checks: Sequence[Line]) -> list[str]:
    """Return the lines of an examination."""
    from undersigned.core.errors import printable

    colours: dict[str, Colour] = {"holds": "green", "fails": "red", "unknown": "yellow"}
    return [
        f"{paint(f'{check.status:7}', colours[check.status])}  "
        + "  ".join(filter(None, (check.code, printable(check.what, 400))))
        for check in checks
    ]
