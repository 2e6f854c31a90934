"""Does this log only ever grow, and who says so, as of when?

C2SP tlog-witness (``add-checkpoint``) as a pure function, and the file in which a witness
remembers. Opens no socket: whoever serves it hands in the bytes of a request and sends the answer
back. A request that shows two histories of its log yields the proof (``equivocation``).

Answers: 200 cosigned; 400 malformed, or old beyond the checkpoint; 403 no log key has signed; 404
unknown log; 409 another size was cosigned last, or another root of this size (the body is the
witness's size); 422 no consistency, or an empty tree with another root than SHA-256 of nothing;
500 the clock is behind a cosignature given before, so that this one would lie about its time.

Invariants:
- Two checkpoints of one log that one state has cosigned are consistent with each other.
- An answer that holds a cosignature leaves only after the state that remembers it is durable.
- A state keeps the checkpoint and its log's verified signatures, and no line of anyone else.
- Times that one state has stated never go back. A clock that ran ahead therefore stops the
  witness until that time has come.
- Evidence is given out only if it verifies with the log's keys.

A state must never be restored from an older copy: it would forget what it cosigned.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from undersigned.core.canonical import INT_LIMIT, decode, encode
from undersigned.core.errors import EvidenceError, StorageError, UsageError
from undersigned.core.files import read_file, write_file
from undersigned.core.problems import WRITE_FAILED
from undersigned.evidence.equivocation import (
    Equivocation,
    contradict,
    omits_seed,
    recompute_roots,
)
from undersigned.evidence.keys import Signer
from undersigned.evidence.notes import (
    DECIMAL,
    Checkpoint,
    Verifier,
    cosign_checkpoint,
    decode64,
    encode64,
    keep_signatures,
    open_checkpoint,
    parse_checkpoint,
)
from undersigned.evidence.problems import (
    BAD_COSIGNATURE_TIME,
    BAD_NOTE_SIGNATURE,
    BAD_REQUEST,
    WITNESS_DAMAGED,
    WITNESS_LOST,
)
from undersigned.evidence.tree import EMPTY_ROOT

REQUEST_LIMIT = 1 << 16
"""Bytes of a request that are accepted."""

PROOF_LIMIT = 63
"""Hashes of a consistency proof that are accepted."""

PLAIN = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


class Request(msgspec.Struct, frozen=True):
    """What a log asks.

    old: the size that the witness cosigned last. proof: 32-byte hashes of the consistency proof
    from there to the checkpoint. note: the signed checkpoint.
    """

    old: int
    proof: tuple[bytes, ...]
    note: str


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The latest checkpoint of a log that was cosigned, and when, in POSIX seconds."""

    origin: str
    note: str
    time: int

    @property
    def checkpoint(self) -> Checkpoint:
        """Return what the note states. Raises EvidenceError (E-EVD-004)."""
        return parse_checkpoint(self.note.rpartition("\n\n")[0] + "\n")


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a witness remembers. logs: one each, sorted by origin."""

    logs: tuple[Seen, ...] = ()
    schema: Literal["undersigned.witness.v1"] = "undersigned.witness.v1"

    def of(self, origin: str) -> Seen | None:
        """Return what was cosigned last of a log; None when nothing was."""
        return next((seen for seen in self.logs if seen.origin == origin), None)

    def having(self, new: Seen) -> State:
        """Return the state with the entry of one log replaced or added."""
        others = (seen for seen in self.logs if seen.origin != new.origin)
        return State(tuple(sorted((*others, new), key=lambda seen: seen.origin)))


class Answer(msgspec.Struct, frozen=True):
    """What a witness answers.

    status, body, content_type: of HTTP. evidence: a proof of two histories, which the serving
    program should keep and publish; the one who asked may not want it known.
    """

    status: Literal[200, 400, 403, 404, 409, 422, 500]
    body: str
    content_type: str = PLAIN
    evidence: Equivocation | None = None


def request_text(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Return the body of a request. Raises EvidenceError (E-EVD-063) beyond the limits."""
    head = "".join(f"{line}\n" for line in (f"old {old}", *map(encode64, proof)))
    data = f"{head}\n{note}".encode()
    parse_request(data)
    return data


def parse_request(data: bytes) -> Request:
    """Read the body of a request; its note is not read. Raises EvidenceError (E-EVD-063)."""
    _require(len(data) <= REQUEST_LIMIT, "it is too long", size=len(data))
    try:
        head, gap, note = data.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise EvidenceError(BAD_REQUEST, "a request is not UTF-8") from error
    size, *lines = head.split("\n")
    _require(bool(gap and note), "it has no empty line before a checkpoint")
    _require(size.startswith("old ") and bool(DECIMAL.match(size[4:])), "no old size", value=size)
    _require(len(lines) <= PROOF_LIMIT, "too many hashes", count=len(lines))
    proof = tuple(decode64(line, BAD_REQUEST) for line in lines)
    _require(all(len(item) == 32 for item in proof), "a hash is not 32 bytes")
    return Request(int(size[4:]), proof, note)


def cosign(
    state: State,
    request: bytes,
    *,
    logs: Mapping[str, Sequence[Verifier]],
    signer: Signer,
    time: int,
) -> tuple[State, Answer]:
    """Judge a request and return the new state and the answer, which must be sent after it is kept.

    logs: keys by origin. time: now, in POSIX seconds. Any answer but 200 leaves the state as it
    is. A checkpoint that was cosigned already is cosigned again at the new time. Raises UsageError
    (E-EVD-060) for a time below 0 or from 2**53 on.
    """
    if not 0 <= time < INT_LIMIT:
        raise UsageError(BAD_COSIGNATURE_TIME, "a clock makes no sense", time=time)
    try:
        asked = parse_request(request)
    except EvidenceError as error:
        return state, _refusal(400, error.what)
    origin = asked.note.partition("\n")[0]
    if origin not in logs:
        return state, _refusal(404, "this log is unknown here")
    try:
        newer = open_checkpoint(asked.note, logs[origin], origin)
    except EvidenceError as error:
        return state, _refusal(403 if error.problem is BAD_NOTE_SIGNATURE else 400, error.what)
    new = Seen(origin, keep_signatures(asked.note, logs[origin]), time)
    seen = state.of(origin)
    objection = _objection(asked, seen, newer)
    if objection is not None:
        evidence = _evidence(seen, new, asked.proof, logs[origin]) if seen else None
        return state, msgspec.structs.replace(objection, evidence=evidence)
    # INVARIANT: times that a witness states never go back, whichever log they are about.
    if any(time < each.time for each in state.logs):
        return state, _refusal(500, "the clock of this witness is set back; nothing was cosigned")
    return state.having(new), Answer(200, cosign_checkpoint(newer.text(), signer, time))


def cosign_durably(
    path: Path,
    request: bytes,
    *,
    logs: Mapping[str, Sequence[Verifier]],
    signer: Signer,
    clock: Callable[[], int],
    create: bool = False,
) -> Answer:
    """Judge a request against the state in a file, and answer after the new state is durable.

    path: of the state; a file beside it with the suffix ``.lock`` keeps other processes waiting.
    clock: POSIX seconds, asked under the lock so that waiting does not look like a clock set back.
    create: begin with an empty state when there is none, for the very first request only. Raises
    StorageError (E-COR-004, E-COR-005, E-EVD-061, E-EVD-062); then nothing was cosigned.
    """
    with _locked(path, create):
        state = load_state(path, create=create)
        changed, answer = cosign(state, request, logs=logs, signer=signer, time=clock())
        if changed != state:
            save_state(path, changed)
    return answer


def load_state(path: Path, *, create: bool = False) -> State:
    """Read a witness's state. create: a missing file is an empty state.

    Raises StorageError: E-EVD-061 when missing, E-EVD-062 when damaged, E-COR-005.
    """
    try:
        data = read_file(path)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        if create:
            return State()
        raise StorageError(WITNESS_LOST, "a witness has no state", path=path) from error
    try:
        state = decode(data, State)
        origins = [seen.origin for seen in state.logs]
        is_whole = all(seen.checkpoint.origin == seen.origin for seen in state.logs)
    except EvidenceError as error:
        raise StorageError(
            WITNESS_DAMAGED, "a state cannot be read", path=path, reason=error.what
        ) from error
    if not is_whole or origins != sorted(set(origins)) or any(s.time < 0 for s in state.logs):
        raise StorageError(WITNESS_DAMAGED, "a state contradicts itself", path=path)
    return state


def save_state(path: Path, state: State) -> None:
    """Write a witness's state whole and durably. Raises StorageError (E-COR-004)."""
    write_file(path, encode(state))


def _objection(asked: Request, seen: Seen | None, newer: Checkpoint) -> Answer | None:
    """Return why a checkpoint that its log signed is not cosigned."""
    known = seen.checkpoint if seen else Checkpoint(newer.origin, 0, EMPTY_ROOT)
    if asked.old > newer.size:
        return _refusal(400, "the old size is beyond the checkpoint")
    if asked.old != known.size:
        return Answer(409, f"{known.size}\n", SIZE)
    if newer.size == 0 and newer.root != EMPTY_ROOT:
        return _refusal(422, "an empty tree has another root")
    if asked.old in (0, newer.size):
        if asked.proof:
            return _refusal(422, "nothing is to be proven, so the proof must be empty")
        is_other = asked.old == newer.size and newer.root != known.root
        return Answer(409, f"{known.size}\n", SIZE) if is_other else None
    path = (known.root, *asked.proof) if omits_seed(known.size) else asked.proof
    if recompute_roots(known.size, newer.size, path) != (known.root, newer.root):
        return _refusal(422, "the consistency proof does not verify")
    return None


def _evidence(
    seen: Seen, new: Seen, proof: Sequence[bytes], verifiers: Sequence[Verifier]
) -> Equivocation | None:
    """Return the proof that a request happens to hold, whatever it meant to show."""
    older, newer = sorted((seen, new), key=lambda each: each.checkpoint.size)
    path = proof if older.checkpoint.size != newer.checkpoint.size else ()
    if not contradict(older.checkpoint, newer.checkpoint, path):
        return None
    try:
        open_checkpoint(seen.note, verifiers, seen.origin)
    except EvidenceError:
        return None  # WHY: the log's keys have changed since; evidence must verify with these
    return Equivocation.of(older.note, newer.note, path, verifiers)


def _refusal(status: Literal[400, 403, 404, 422, 500], why: str) -> Answer:
    return Answer(status, f"{why}\n")


def _require(holds: bool, what: str, **fields: object) -> None:
    if not holds:
        raise EvidenceError(BAD_REQUEST, f"in a request: {what}", **fields)


@contextmanager
def _locked(path: Path, create: bool) -> Iterator[None]:
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(path.with_name(f"{path.name}.lock"), flags, 0o644)
    except FileNotFoundError as error:
        raise StorageError(WITNESS_LOST, "a witness has no state", path=path) from error
    except OSError as error:
        raise StorageError(
            WRITE_FAILED, "a witness cannot be locked", path=path, reason=error.strerror
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
