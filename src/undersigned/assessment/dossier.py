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

from undersigned import __version__
from undersigned.assessment.arms import Comparison
from undersigned.assessment.card import Card
from undersigned.assessment.governance import recorded_controls
from undersigned.assessment.instrument import Instrument
from undersigned.assessment.problems import NO_DOSSIER, PLAN_DIFFERS, SCORES_DIFFER
from undersigned.assessment.registration import NONCE
from undersigned.assessment.registry import (
    Tester,
    annex_files,
    commit_annexes,
    other_statements,
    require_open,
    subjects,
)
from undersigned.assessment.run import Result
from undersigned.controls.envelope import Envelope
from undersigned.core.canonical import Digest, decode, digest_bytes, encode
from undersigned.core.errors import EvidenceError, UndecidableError, UndersignedError
from undersigned.core.files import read_file, write_file
from undersigned.episodes.attempts import open_attempts
from undersigned.episodes.plan import SHARD_SIZE, Plan
from undersigned.episodes.run_controls import Controls
from undersigned.episodes.shards import inflate, read_shard, shard_name
from undersigned.evidence.bundle import Bundle, write_bundle
from undersigned.evidence.entries import Entry
from undersigned.evidence.log import Log
from undersigned.evidence.statements import Statement, read_statement, sign_statement, state
from undersigned.evidence.tree import Tree
from undersigned.evidence.trust import load_trust
from undersigned.scoring.budgets import Design
from undersigned.scoring.envelope import envelope_of
from undersigned.scoring.scores import Summary
from undersigned.worlds.family import Family

COMPARISON_FILE = "comparison.json"
"""The comparison with and without controls, of a run that something guards."""
SHOWN_ENVELOPE_FILE = "envelope.json"
"""The operating envelope that such a run has shown."""
RAW_LIMIT = 64 << 20
"""Uncompressed bytes of the instrument's check that are accepted."""


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
    envelope = _result_statement(result, tester, run_folder, prereg, digest_bytes(scores))
    store = tester.store()
    store.keep_statement(envelope)
    files: dict[str, bytes | Path] = {
        "plan.json": encode(plan),
        "scores.json": scores,
        "system/card.json": encode(card),
        "instrument.json.zst": pack(encode(result.instrument)),
        "statements/prereg.json": prereg,
        "statements/eval-result.json": envelope,
        "proofs/prereg.tlog-proof": run_folder / "prereg.tlog-proof",
    }
    files |= result.prepared.given.listed()
    if plan.policy:
        files[SHOWN_ENVELOPE_FILE] = encode(shown_envelope(plan, summary))
    if result.comparison is not None:
        files[COMPARISON_FILE] = encode(result.comparison)
    if (run_folder / "measurements" / "turns.jsonl").stat().st_size:
        files["measurements/turns.jsonl"] = run_folder / "measurements" / "turns.jsonl"
    for number in range(_shards(plan)):
        for ending in ("jsonl.zst", "leaves"):
            name = f"{shard_name(number)}.{ending}"
            files[name] = run_folder / name
    files |= {name: run_folder / name for name in result.kept.files}
    files |= annex_files(store, read_statement(envelope).predicate["payloads"])
    entry = Entry.of(envelope)
    with Log.open(tester.log, tester.log_key) as log:
        require_open(log, digest_bytes(prereg), entry)
        found = log.find(entry.data())
        index = log.append([entry.data()])[0] if found is None else found
        log.checkpoint()
        files |= other_statements(log, store, digest_bytes(prereg))
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
    result: Result, tester: Tester, run_folder: Path, prereg: bytes, scores: Digest
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
        "turns": result.source(),
        "instrument": digest_bytes(encode(result.instrument)),
        "headline": msgspec.to_builtins(result.summary.headline),
        "verdicts": [
            {"claim": c.claim.id, "limit": c.claim.limit, "verdict": c.verdict, "bound": c.bound}
            for c in result.summary.claims
        ],
        "attempts": attempts_of(run_folder, result),
        "payloads": commit_annexes(tester, *result.annexes),
        "program": {"name": "undersigned", "version": __version__},
    } | result.kept.stated()
    if result.comparison is not None:
        predicate["comparison"] = digest_bytes(encode(result.comparison))
    if result.nonce:
        predicate["nonce"] = result.nonce
    if plan.policy:
        predicate["envelope"] = digest_bytes(encode(shown_envelope(plan, result.summary)))
    envelope = sign_statement(state("eval-result", subjects(plan), predicate), tester.key)
    write_file(path, envelope)
    return envelope


def shown_envelope(plan: Plan, summary: Summary) -> Envelope:
    """Return the operating envelope that a governed run has shown."""
    return envelope_of(
        summary, system=plan.system, policy=plan.policy, plan=plan.digest(), reviewer=plan.reviewer
    )


def attempts_of(run_folder: Path, result: Result) -> dict[str, int]:
    """Return how often episodes were taken up, how many had no outcome, and how many are missing.

    A live episode that a stop interrupted goes on from its last turn, and counts once more.
    """
    path = run_folder / "attempts.jsonl"
    totals = result.summary.totals
    starts = totals.planned - totals.missing
    if path.exists():
        attempts = open_attempts(path)
        attempts.close()
        starts = sum(attempt.starts for attempt in attempts.known.values())
    return {"started": starts, "invalid": totals.invalid, "missing": totals.missing}


def pack(data: bytes) -> bytes:
    """Compress with zstd, always the same way."""
    return zstandard.ZstdCompressor(level=9, write_content_size=True).compress(data)


def unpack(data: bytes, name: str) -> bytes:
    """Decompress, at most ``RAW_LIMIT`` bytes. Raises EvidenceError (E-ASM-004)."""
    return inflate(data, RAW_LIMIT, NO_DOSSIER, name)


def _nonce_of(result: Statement) -> str:
    nonce: object = result.predicate.get("nonce", "")
    if not isinstance(nonce, str) or (nonce and not NONCE.match(nonce)):
        raise EvidenceError(
            PLAN_DIFFERS, "the result's nonce is none", file="statements/eval-result.json"
        )
    return nonce


def of_former_name(path: Path, trust: Path) -> UndecidableError | None:
    """Return the error for a dossier or a trust file that bears the program's former name.

    None for all others, also for what cannot be read: that is for others to say.
    """
    try:
        Bundle(path).close()
        load_trust(trust)
    except UndecidableError as error:
        return error
    except UndersignedError:
        return None
    return None


class Dossier:
    """A dossier, opened for reading. Use as a context manager.

    plan, card, summary, instrument, design: decoded strictly. nonce: that the result states, or
    empty. Nothing here says that it verifies.
    """

    def __init__(self, path: Path) -> None:
        """Open a folder or zip.

        Raises EvidenceError (E-ASM-004, E-COR-002, E-COR-003), UndecidableError (E-EVD-090).
        """
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
        self.nonce = _nonce_of(self.result)

    def __enter__(self) -> Dossier:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the container."""
        self.bundle.close()

    def controls(self, family: Family) -> Controls | None:
        """Load the controls again. Raises EvidenceError (E-ASM-007) when they do not belong to the
        plan."""
        return recorded_controls(self.card.controls, self.bundle, self.plan, family)

    def comparison(self) -> Comparison | None:
        """Return the comparison with and without controls; None of a run that nothing guards.

        Raises EvidenceError (E-COR-002, E-COR-003, E-ASM-006) when it is missing or is none.
        """
        if self.card.controls is None:
            return None
        found = decode(self.bundle.read(COMPARISON_FILE), Comparison)
        if found.fault():
            raise EvidenceError(
                SCORES_DIFFER, "this is no comparison", file=COMPARISON_FILE, reason=found.fault()
            )
        return found

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
