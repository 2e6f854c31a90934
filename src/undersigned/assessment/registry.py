"""What has a tester planned, in which order, and how was each plan closed?

Every plan of one tester goes into one log, before its first episode; every plan is closed by one
result or one signed abandonment, or is shown open. Statements lie beside the log, annexes as salted
payloads that can be erased.

Invariants:
- A statement or payload is durable before its entry is logged.
- A plan is closed once: what is closed can neither be closed again nor run on.
- Registering twice, as after a kill, changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from undersigned.assessment.problems import (
    ALREADY_CLOSED,
    NO_SUCH_PLAN,
    STATEMENT_LOST,
    TWO_RUNS,
)
from undersigned.assessment.run import Prepared
from undersigned.core.canonical import Digest, decode, digest_bytes
from undersigned.core.errors import StorageError, UsageError
from undersigned.core.files import read_file, write_file
from undersigned.episodes.plan import Plan
from undersigned.evidence.entries import Entry, Retention
from undersigned.evidence.keys import Signer, check_name, create_key, open_signer
from undersigned.evidence.log import Log
from undersigned.evidence.statements import (
    PREDICATES,
    predicate_uri,
    read_statement,
    sign_statement,
    state,
)
from undersigned.evidence.store import SALT_SIZE, Commitment, Store, pack_payload
from undersigned.evidence.trust import SCHEMA as TRUST_SCHEMA
from undersigned.evidence.trust import Key, Trust, write_trust
from undersigned.scoring.budgets import Design


class Tester(NamedTuple):
    """Who tests: a party with a tester's key, and the log that all its plans go into."""

    key: Signer
    log_key: Signer
    log: Path

    def store(self) -> Store:
        """Return what lies beside the log."""
        return Store(self.log / "store")


def open_tester(home: Path, party: str, forbidden: tuple[Path, ...]) -> Tester:
    """Return the tester of a home folder; keys and log are made at the first use.

    party: plain name of the tester. forbidden: folders in which no key may lie. Raises
    AccessDeniedError and StorageError for keys that cannot be used.
    """
    keys = home / "keys"
    plain = check_name(party).replace("/", "-")
    found = {}
    for role, name in (("tester", f"{party}-tester"), ("log", f"{party}-log")):
        path = keys / f"{role}-{name.replace('/', '-')}.pem"
        if not path.exists():
            path = create_key(keys, role, name, party=party, forbidden=forbidden)
        found[role] = open_signer(f"file:{path}")
    tester = Tester(found["tester"], found["log"], home / "logs" / plain)
    if not tester.log.exists():
        Log.create(tester.log, tester.log_key.name, tester.log_key).close()
    return tester


def planned(run_folder: Path) -> Plan | None:
    """Return the plan of a run that was begun in a folder, or None."""
    path = run_folder / "plan.json"
    return decode(read_file(path), Plan) if path.exists() else None


def label_of(run_folder: Path, tester: Tester) -> str:
    """Return the label of a plan: that of the run to be resumed, or the log's next index.

    Two plans that one tester runs one after the other thus never share a digest, nor seeds.
    """
    plan = planned(run_folder)
    if plan is not None:
        return plan.attempt
    with Log.open(tester.log, tester.log_key) as log:
        return f"log-{log.size}"


def example_trust(tester: Tester, path: Path) -> None:
    """Write the trust file of somebody who trusts this tester and its log."""
    keys = (
        Key.of(
            tester.key.name, tester.key.public, tester.key.party, roles=("tester",),
            predicates=PREDICATES,
        ),
        Key.of(
            tester.log_key.name, tester.log_key.public, tester.log_key.party, roles=("log",),
            origins=(tester.log_key.name,),
        ),
    )  # fmt: skip
    write_trust(path, Trust(TRUST_SCHEMA, keys))


def register(prepared: Prepared, tester: Tester, folder: Path) -> int:
    """Register a plan and return its index in the tester's log; once, also when resumed.

    folder: of the run. Raises StorageError when the log cannot be written, (E-ASM-012) when
    another run, planned at the same time, has registered the very same plan, and UsageError
    (E-ASM-014) when the plan was closed.
    """
    path = folder / "prereg.json"
    is_new = not path.exists()
    if is_new:
        plan = prepared.plan
        statement = state("prereg", subjects(plan), prereg_of(plan, prepared.design))
        write_file(path, sign_statement(statement, tester.key))
    envelope = read_file(path)
    tester.store().keep_statement(envelope)
    entry = Entry.of(envelope)
    with Log.open(tester.log, tester.log_key) as log:
        index = log.find(entry.data())
        if index is not None and is_new:
            path.unlink()
            raise StorageError(TWO_RUNS, "another run has registered the very plan", path=folder)
        if index is None:
            (index,) = log.append([entry.data()])
        _require_not_abandoned(log, entry)
        log.checkpoint()
        # WHY kept when resumed: the earlier receipt is the stronger one, unless witnesses have
        # cosigned that very checkpoint since.
        receipt = folder / "prereg.tlog-proof"
        if not receipt.exists() or _is_same_state(receipt, log):
            write_file(receipt, log.receipt(index).encode())
    return index


def _is_same_state(receipt: Path, log: Log) -> bool:
    """Tell whether a receipt was given for the log's present state."""
    text = read_file(receipt).decode()
    return text.partition("\n\n")[2].split("\n")[1:3] == log.checkpoint().split("\n")[1:3]


def prereg_of(plan: Plan, design: Design) -> dict[str, Any]:
    """Return what a registration says of a plan."""
    return {
        "plan": plan.digest(),
        "system": plan.system,
        "agent": plan.agent,
        "challenge": plan.challenge,
        "suite": plan.suite,
        "episodes": plan.count(),
        "claims": len(design.claims),
        "limit": design.limit,
        "reviewer": plan.reviewer,
        "policy": plan.policy,
    }


def subjects(plan: Plan) -> dict[str, Digest]:
    """Return what a plan's statements are about."""
    return {"system": plan.system, "plan": plan.digest()}


def logged(log: Log) -> Iterator[Entry]:
    """Yield a log's entries in order."""
    for data in log.entries():
        yield decode(data, Entry)


def registrations(log: Log) -> dict[Digest, Entry | None]:
    """Return every registration's digest with the entry that closed it first, or None."""
    found: dict[Digest, Entry | None] = {}
    for entry in logged(log):
        if entry.predicate == predicate_uri("prereg"):
            found.setdefault(entry.digest, None)
        elif entry.closes and found.get(Digest(entry.closes), entry) is None:
            found[Digest(entry.closes)] = entry
    return found


def other_statements(log: Log, store: Store, own: Digest) -> dict[str, bytes]:
    """Return the registrations of a log's other plans, as far as they are kept, by file name."""
    files = {}
    for digest in registrations(log):
        envelope = store.statement(digest) if digest != own else None
        if envelope is not None:
            files[f"statements/log/{digest.removeprefix('sha256:')}.json"] = envelope
    return files


def require_open(log: Log, prereg: Digest, closing: Entry | None = None) -> None:
    """Refuse to close a plan twice. closing: an entry that may already be there.

    Raises UsageError (E-ASM-014).
    """
    closed = registrations(log).get(prereg)
    if closed is not None and closed != closing:
        how = closed.predicate.split(":")[3]
        raise UsageError(ALREADY_CLOSED, "the plan was closed", closed_by=how, prereg=prereg)


def _require_not_abandoned(log: Log, prereg: Entry) -> None:
    closed = registrations(log).get(prereg.digest)
    if closed is not None and closed.predicate == predicate_uri("abandoned"):
        raise UsageError(
            ALREADY_CLOSED, "the plan was given up", closed_by="abandoned", prereg=prereg.digest
        )


class Abandoned(NamedTuple):
    """A plan that was given up. plan: its digest. position: of the statement in the log."""

    plan: Digest
    position: int


def abandon(tester: Tester, which: str, reason: str) -> Abandoned:
    """Close a registered plan without a result, by a signed statement with the reason.

    which: the log index of its registration, or the start of the registration's or the plan's
    digest (8 characters or more after ``sha256:``). reason: for whoever reads the log. Raises
    UsageError: E-ASM-013 no such plan, E-ASM-014 already closed; StorageError (E-ASM-015) when its
    registration is no longer kept.
    """
    store = tester.store()
    with Log.open(tester.log, tester.log_key) as log:
        envelope = _registration(log, store, which)
        prereg = digest_bytes(envelope)
        require_open(log, prereg)
        said = read_statement(envelope)
        plan, system = Digest(said.predicate["plan"]), Digest(said.predicate["system"])
        predicate = {
            "refs": [{"name": "prereg", "digest": prereg}],
            "plan": plan,
            "system": system,
            "reason": reason,
        }
        statement = state("abandoned", {"system": system, "plan": plan}, predicate)
        closing = sign_statement(statement, tester.key)
        store.keep_statement(closing)
        (index,) = log.append([Entry.of(closing).data()])
        log.checkpoint()
    return Abandoned(plan, index)


def _registration(log: Log, store: Store, which: str) -> bytes:
    """Return the envelope of the one registration that is meant."""
    wanted = which.removeprefix("sha256:")
    found: list[Digest] = []
    for index, entry in enumerate(logged(log)):
        if entry.predicate != predicate_uri("prereg"):
            continue
        envelope = store.statement(entry.digest)
        names = [entry.digest]
        if envelope is not None:
            names.append(Digest(read_statement(envelope).predicate["plan"]))
        starts = any(name.removeprefix("sha256:").startswith(wanted) for name in names)
        if wanted == str(index) or (len(wanted) >= 8 and starts):
            found.append(entry.digest)
    if len(found) != 1:
        raise UsageError(NO_SUCH_PLAN, "not one registration is meant", which=which, found=found)
    envelope = store.statement(found[0])
    if envelope is None:
        raise StorageError(STATEMENT_LOST, "a registration is not kept", digest=found[0])
    return envelope


class Committed(NamedTuple):
    """A payload that was kept and logged. position: of its commitment in the log."""

    commitment: Commitment
    position: int


def commit_payload(log: Log, store: Store, data: bytes, retention: Retention) -> Committed:
    """Keep data as a payload with a random salt, and log its commitment.

    Publishes no checkpoint. Raises UsageError (E-EVD-072), StorageError, EvidenceError.
    """
    salt = os.urandom(SALT_SIZE)
    entry = Entry.of_payload(pack_payload(data, salt), retention).data()
    # INVARIANT: the payload is durable before the entry that commits to it is logged.
    kept = store.keep_payload(data, salt=salt)
    (position,) = log.append([entry])
    return Committed(kept, position)


def commit_annexes(
    tester: Tester, files: Iterable[Path], retention: Retention
) -> list[dict[str, Any]]:
    """Keep files as salted payloads, log their commitments, and return how a result states them.

    Raises StorageError, EvidenceError when a file is too large.
    """
    store, stated = tester.store(), []
    with Log.open(tester.log, tester.log_key) as log:
        for path in files:
            kept = commit_payload(log, store, read_file(path), retention).commitment
            stated.append(
                {
                    "name": path.name,
                    "digest": kept.digest,
                    "size": kept.size,
                    "retention": retention,
                }
            )
        log.checkpoint()
    return stated


def annex_files(store: Store, stated: Iterable[dict[str, Any]]) -> dict[str, bytes]:
    """Return the payloads of stated annexes by file name, as far as they are not erased."""
    files = {}
    for item in stated:
        packed = store.payload(Digest(item["digest"]))
        if packed is not None:
            files[f"payloads/{item['digest'].removeprefix('sha256:')}"] = packed
    return files
