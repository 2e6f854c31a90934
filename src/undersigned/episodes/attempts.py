"""Which live turns have already been taken, so that none is asked for twice?

An append-only file of canonical JSON lines: an attempt is recorded before its first turn, each
turn before its calls run, and how the attempt ended. Lines that arrive together are flushed
together (group commit). A torn last line was never acknowledged and is cut off on opening.

Invariants:
- ``record`` returns after fdatasync; what it acknowledged survives a kill.
- A turn's line holds what its answer was signed with, and the answer's bytes (``Usage.relay``).
- After a failed write nothing more is written: what follows a torn line would be damaged by it.
- A damaged line that is not the last is an error, never skipped.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from pathlib import Path

import msgspec

from undersigned.agents.tape import Recorded
from undersigned.agents.view import Turn
from undersigned.core.canonical import decode, encode_trusted
from undersigned.core.errors import EvidenceError, StorageError
from undersigned.core.files import read_file, write_all, write_file
from undersigned.core.problems import WRITE_FAILED
from undersigned.episodes.problems import TORN_ATTEMPTS


class Line(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line. episode: number. turn: taken turn, as ``raw`` JSON so that lone surrogates survive.
    ended: how the attempt ended, with its note. started: True when it is taken up, again after a
    stop too."""

    episode: int
    started: bool = False
    turn: str = ""
    ended: str = ""
    note: str = ""


class Attempt(msgspec.Struct):
    """What is known of an episode's attempt. starts: how often it was taken up."""

    turns: list[Turn]
    ended: str = ""
    note: str = ""
    starts: int = 0

    def recorded(self) -> Recorded:
        """Return what a tape holds of an attempt that ended."""
        return Recorded(tuple(self.turns), self.ended, self.note)


def turn_to_text(turn: Turn) -> str:
    """Return a turn as ASCII text that gives back exactly this turn.

    WHY not as a tape packs it: a tape rewrites call ids that are no Unicode; a resumed conversation
    has to go on with the very turn that was taken.
    """
    raw = msgspec.to_builtins(turn)
    return json.dumps(raw, ensure_ascii=True, separators=(",", ":"), sort_keys=True)


def turn_from_text(text: str) -> Turn:
    """Return the turn of ``turn_to_text``. Raises ValueError for any other text."""
    return msgspec.convert(json.loads(text), Turn)


class Attempts:
    """The open file of attempts. Use ``open_attempts``."""

    def __init__(self, path: Path, known: dict[int, Attempt]) -> None:
        """Wrap a file whose lines were read."""
        self.path = path
        self.known = known
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._failed = False

    async def record(self, line: Line) -> None:
        """Append a line and return once it is durable. Raises StorageError (E-COR-004)."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((encode_trusted(line) + b"\n", done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error: StorageError | None = None
            try:
                await asyncio.to_thread(self._write, b"".join(data for data, _ in batch))
            except OSError as fault:
                self._failed = True
                error = StorageError(
                    WRITE_FAILED, "an attempt could not be recorded", path=self.path,
                    reason=fault.strerror,
                )  # fmt: skip
            for _, done in batch:
                if done.cancelled():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def _write(self, data: bytes) -> None:
        if self._failed:
            raise OSError(errno.EIO, "an earlier write failed")
        write_all(self._handle, data)
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def open_attempts(path: Path) -> Attempts:
    """Open the file of attempts, making it when missing; cut off a torn last line.

    Raises StorageError (E-EPI-004) when a line before the last is damaged.
    """
    if not path.exists():
        write_file(path, b"")
    data = read_file(path)
    whole, _, torn = data.rpartition(b"\n")
    known: dict[int, Attempt] = {}
    for number, raw in enumerate(whole.split(b"\n") if whole else ()):
        try:
            line = decode(raw, Line)
            attempt = known.setdefault(line.episode, Attempt([]))
            attempt.starts += line.started
            if line.turn:
                attempt.turns.append(turn_from_text(line.turn))
            if line.ended:
                attempt.ended, attempt.note = line.ended, line.note
        except (EvidenceError, ValueError, msgspec.ValidationError) as error:
            raise StorageError(
                TORN_ATTEMPTS, "a line is damaged", path=path, line=number + 1
            ) from error
    if torn:
        with path.open("r+b") as handle:
            handle.truncate(len(data) - len(torn))
            os.fsync(handle.fileno())
    return Attempts(path, known)
