"""What goes into a dossier, and what does it say?

The plan, the card, the instrument's check, the episodes, the scores; two statements, ``prereg`` and
``eval-result``, each with its receipt from the tester's log; a static export of that log. The
manifest names every file by digest and is signed by the tester.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard

from answerable import __version__
from answerable.assessment.card import Card
from answerable.assessment.instrument import Instrument
from answerable.assessment.problems import NO_DOSSIER, PLAN_DIFFERS, TWO_RUNS
from answerable.assessment.run import Prepared, Result
from answerable.core.canonical import Digest, decode, digest_bytes, encode
from answerable.core.errors import EvidenceError, StorageError
from answerable.core.files import read_file, write_file
from answerable.episodes.plan import SHARD_SIZE, Plan
from answerable.episodes.shards import inflate, read_shard, shard_name
from answerable.evidence.bundle import Bundle, write_bundle
from answerable.evidence.keys import FileKey, check_name, create_key, load_key
from answerable.evidence.log import Entry, Log
from answerable.evidence.statements import read_statement, sign_statement, state
from answerable.evidence.tree import Tree
from answerable.evidence.trust import SCHEMA as TRUST_SCHEMA
from answerable.evidence.trust import Key, Trust, write_trust
from answerable.scoring.budgets import Design
from answerable.scoring.scores import Summary

RAW_LIMIT = 64 << 20
"""Uncompressed bytes of the instrument's check that are accepted."""


class Tester(NamedTuple):
    """Who tests: a party with a tester's key, and the log that all its plans go into."""

    key: FileKey
    log_key: FileKey
    log: Path


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
        found[role] = load_key(path)
    tester = Tester(found["tester"], found["log"], home / "logs" / plain)
    if not tester.log.exists():
        Log.create(tester.log, tester.log_key.name, tester.log_key).close()
    return tester


def label_of(run_folder: Path, tester: Tester) -> str:
    """Return the label of a plan: that of the run to be resumed, or the log's next index.

    Two plans that one tester runs one after the other thus never share a digest, nor seeds.
    """
    path = run_folder / "plan.json"
    if path.exists():
        return decode(read_file(path), Plan).attempt
    with Log.open(tester.log, tester.log_key) as log:
        return f"log-{log.size}"


def example_trust(tester: Tester, path: Path) -> None:
    """Write the trust file of somebody who trusts this tester and its log."""
    predicates = ("prereg", "eval-result", "abandoned")
    keys = (
        Key.of(
            tester.key.name, tester.key.public, tester.key.party, roles=("tester",),
            predicates=predicates,
        ),
        Key.of(
            tester.log_key.name, tester.log_key.public, tester.log_key.party, roles=("log",),
            origins=(tester.log_key.name,),
        ),
    )  # fmt: skip
    write_trust(path, Trust(TRUST_SCHEMA, keys))


def register(prepared: Prepared, tester: Tester, folder: Path) -> int:
    """Register a plan and return its index in the tester's log; once, also when resumed.

    folder: of the run. Raises StorageError when the log cannot be written, or (E-ASM-012) when
    another run, planned at the same time, has registered the very same plan.
    """
    path = folder / "prereg.json"
    is_new = not path.exists()
    if is_new:
        plan = prepared.plan
        statement = state("prereg", _subjects(plan), prereg_of(plan, prepared.design))
        write_file(path, sign_statement(statement, tester.key))
    entry = Entry.of(read_file(path)).data()
    with Log.open(tester.log, tester.log_key) as log:
        index = log.find(entry)
        if index is not None and is_new:
            path.unlink()
            raise StorageError(TWO_RUNS, "another run has registered the very plan", path=folder)
        if index is None:
            (index,) = log.append([entry])
        log.checkpoint()
        # WHY kept when resumed: the earlier receipt is the stronger one.
        if not (folder / "prereg.tlog-proof").exists():
            write_file(folder / "prereg.tlog-proof", log.receipt(index).encode())
    return index


def prereg_of(plan: Plan, design: Design) -> dict[str, Any]:
    """Return what a registration says of a plan."""
    return {
        "plan": plan.digest(),
        "system": plan.system,
        "challenge": plan.challenge,
        "suite": plan.suite,
        "episodes": plan.count(),
        "claims": len(design.claims),
        "limit": design.limit,
        "reviewer": plan.reviewer,
    }


def _subjects(plan: Plan) -> dict[str, Digest]:
    return {"system": plan.system, "plan": plan.digest()}


class Sealed(NamedTuple):
    """A dossier that was written. position: of the result in the tester's log."""

    folder: Path
    position: int


def seal(
    result: Result, tester: Tester, run_folder: Path, out: Path, card: Card, report: bytes | None
) -> Sealed:
    """Write the result statement into the log, and everything into a dossier.

    run_folder: of the run. out: must not exist or be empty. Raises UsageError, StorageError.
    """
    plan, summary = result.prepared.plan, result.summary
    scores = encode(summary)
    prereg = read_file(run_folder / "prereg.json")
    envelope = _result_statement(result, tester, run_folder, prereg, digest_bytes(scores), card)
    files: dict[str, bytes | Path] = {
        "plan.json": encode(plan),
        "scores.json": scores,
        "system/card.json": encode(card),
        "instrument.json.zst": pack(encode(result.instrument)),
        "statements/prereg.json": prereg,
        "statements/eval-result.json": envelope,
        "proofs/prereg.tlog-proof": run_folder / "prereg.tlog-proof",
    }
    if (run_folder / "measurements" / "turns.jsonl").stat().st_size:
        files["measurements/turns.jsonl"] = run_folder / "measurements" / "turns.jsonl"
    for number in range(_shards(plan)):
        for ending in ("jsonl.zst", "leaves"):
            name = f"{shard_name(number)}.{ending}"
            files[name] = run_folder / name
    entry = Entry.of(envelope).data()
    with Log.open(tester.log, tester.log_key) as log:
        found = log.find(entry)
        index = log.append([entry])[0] if found is None else found
        log.checkpoint()
        files["proofs/eval-result.tlog-proof"] = log.receipt(index).encode()
        for name, data in log.static_files().items():
            files[f"log/{name}"] = data
    write_bundle(
        out, files, tester.key, created=_now(), system=plan.system, plan=plan.digest(),
        report=report,
    )  # fmt: skip
    return Sealed(out, index)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shards(plan: Plan) -> int:
    return -(-plan.count() // SHARD_SIZE)


def _result_statement(
    result: Result, tester: Tester, run_folder: Path, prereg: bytes, scores: Digest, card: Card
) -> bytes:
    """Return the signed result; the same bytes when a stopped run is sealed again."""
    path = run_folder / "eval-result.json"
    if path.exists():
        return read_file(path)
    tree = Tree()
    plan = result.prepared.plan
    for number in range(_shards(plan)):
        leaves = read_file(run_folder / f"{shard_name(number)}.leaves")
        tree.extend([leaves[i : i + 32] for i in range(0, len(leaves), 32)])
    predicate: dict[str, Any] = {
        "refs": [{"name": "prereg", "digest": digest_bytes(prereg)}],
        "plan": plan.digest(),
        "system": plan.system,
        "scores": scores,
        "episodes": {"count": tree.size, "root": f"sha256:{tree.root().hex()}"},
        "turns": card.source(),
        "instrument": digest_bytes(encode(result.instrument)),
        "headline": msgspec.to_builtins(result.summary.headline),
        "verdicts": [
            {"claim": c.claim.id, "limit": c.claim.limit, "verdict": c.verdict, "bound": c.bound}
            for c in result.summary.claims
        ],
        "program": {"name": "answerable", "version": __version__},
    }
    envelope = sign_statement(state("eval-result", _subjects(plan), predicate), tester.key)
    write_file(path, envelope)
    return envelope


def pack(data: bytes) -> bytes:
    """Compress with zstd, always the same way."""
    return zstandard.ZstdCompressor(level=9, write_content_size=True).compress(data)


def unpack(data: bytes, name: str) -> bytes:
    """Decompress, at most ``RAW_LIMIT`` bytes. Raises EvidenceError (E-ASM-004)."""
    return inflate(data, RAW_LIMIT, NO_DOSSIER, name)


class Dossier:
    """A dossier, opened for reading. Use as a context manager.

    plan, card, summary, instrument, design: decoded strictly. Nothing here says that it verifies.
    """

    def __init__(self, path: Path) -> None:
        """Open a folder or zip. Raises EvidenceError (E-ASM-004, E-COR-002, E-COR-003)."""
        if not path.exists():
            raise EvidenceError(NO_DOSSIER, "there is nothing at this path", path=path)
        self.path = path
        self.bundle = Bundle(path)
        self.plan = decode(self.bundle.read("plan.json"), Plan)
        self.card = decode(self.bundle.read("system/card.json"), Card)
        self.summary = decode(self.bundle.read("scores.json"), Summary)
        try:
            self.design = msgspec.convert(self.plan.design, Design)
        except msgspec.ValidationError as error:
            raise EvidenceError(
                PLAN_DIFFERS, "the plan holds no design", file="plan.json", reason=error
            ) from error
        name = "instrument.json.zst"
        self.instrument = decode(unpack(self.bundle.read(name), name), Instrument)
        self.result = read_statement(self.bundle.read("statements/eval-result.json"))
        self.prereg = read_statement(self.bundle.read("statements/prereg.json"))

    def __enter__(self) -> Dossier:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the container."""
        self.bundle.close()

    def shards(self) -> int:
        """Return the number of shards."""
        return _shards(self.plan)

    def shard(self, number: int) -> list[bytes]:
        """Return the episodes of a shard. Raises EvidenceError (E-EPI-001)."""
        name = shard_name(number)
        data = self.bundle.read(f"{name}.jsonl.zst")
        leaves = self.bundle.read(f"{name}.leaves")
        return read_shard(data, leaves, f"{name}.jsonl.zst", number * SHARD_SIZE)

    def episode(self, number: int) -> bytes:
        """Return an episode's bytes by its number in the plan."""
        return self.shard(number // SHARD_SIZE)[number % SHARD_SIZE]
