"""A small whole dossier with its trust file, built with fixed keys so that bytes are stable."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from undersigned.core.canonical import Digest, digest_bytes, encode
from undersigned.evidence.bundle import write_bundle
from undersigned.evidence.disk import Disk
from undersigned.evidence.entries import Entry
from undersigned.evidence.keys import FileKey
from undersigned.evidence.log import Log
from undersigned.evidence.statements import sign_statement, state
from undersigned.evidence.tree import leaf_hash, root_of
from undersigned.evidence.trust import SCHEMA, Key, Trust, write_trust

ORIGIN = "log.example/tests"
OTHER_SYSTEM = digest_bytes(b"another system")
CREATED = "2026-11-21T10:00:00Z"


def key(name: str, role: str) -> FileKey:
    return FileKey.from_seed(sha256(name.encode()).digest(), name=name, role=role)


def entry(number: int) -> bytes:
    """Return one of many entries of a log."""
    digest = Digest(f"sha256:{number:064x}")
    return Entry("urn:undersigned:predicate:prereg:v1", digest, number).data()


class Unflushed(Disk):
    """The real disk but for its flushes. WHY: they take most of a sweep's time, and what a process
    reads of its own writes never depends on them."""

    def flush(self, handle: int) -> None:
        """Leave a file's bytes to the system."""

    def flush_folder(self, folder: Path) -> None:
        """Leave a folder's names to the system."""


LOG_KEY = key(ORIGIN, "log")
TESTER = key("lab-tester", "tester")
MALLORY = key("mallory", "tester")

TRUST = Trust(
    SCHEMA,
    (
        Key.of(ORIGIN, LOG_KEY.public, "lab", roles=("log",), origins=(ORIGIN,)),
        Key.of(
            "lab-tester",
            TESTER.public,
            "lab",
            roles=("tester",),
            predicates=("prereg", "eval-result", "abandoned"),
        ),
    ),
)


class Made(NamedTuple):
    """A dossier folder, its trust file, and the log it came from."""

    folder: Path
    trust: Path
    log: Path


class Recipe(NamedTuple):
    """What may be made otherwise than honestly."""

    signer: FileKey = TESTER
    manifest_signer: FileKey = TESTER
    log_signer: FileKey = LOG_KEY
    is_result_first: bool = False
    is_closed_twice: bool = False
    other_plans: int = 2
    said: tuple[tuple[str, object], ...] = ()
    challenge: str = "none"
    annexes: tuple[bytes, ...] = ()
    are_others_shown: bool = False
    witnesses: tuple[FileKey, ...] = ()


WITNESSED_AT = 1_795_000_000
"""When the witnesses of a recipe cosign, in POSIX seconds; each entry is seen a day later."""


def packed(data: bytes) -> bytes:
    """Return an annex as it is kept: head, salt, data."""
    salt = sha256(b"salt" + data).digest()
    return b"undersigned.payload.v1\n" + b64encode(salt) + b"\n" + data


def cosigned(note: str, witnesses: tuple[FileKey, ...], time: int) -> str:
    """Return a checkpoint with the witnesses' timestamped signatures (tlog-cosignature)."""
    body = note.rpartition("\n\n")[0].rpartition("\n\n")[2] + "\n"
    for witness in witnesses:
        ident = sha256(witness.name.encode() + b"\n\x04" + witness.public).digest()[:4]
        signature = witness.sign(f"cosignature/v1\ntime {time}\n{body}".encode())
        raw = ident + time.to_bytes(8, "big") + signature
        note += f"\N{EM DASH} {witness.name} {b64encode(raw).decode()}\n"
    return note


def make(folder: Path, recipe: Recipe | None = None, trust: Trust = TRUST) -> Made:
    recipe = recipe or Recipe()
    plan, card = encode({"plan": 1}), encode({"card": 1})
    plan_digest, system = digest_bytes(plan), digest_bytes(card)
    leaves = [leaf_hash(b"episode %d" % i) for i in range(5)]
    scores = encode({"scores": []})
    ids = {"plan": plan_digest, "system": system}
    prereg = sign_statement(
        state("prereg", {"system": system}, {**ids, "challenge": recipe.challenge}), recipe.signer
    )
    refs = [{"name": "prereg", "digest": digest_bytes(prereg)}]
    said = {
        **ids,
        "refs": refs,
        "episodes": {"count": 5, "root": "sha256:" + root_of(leaves).hex()},
        "scores": digest_bytes(scores),
        "turns": "recomputed",
        "payloads": [
            {
                "name": f"annex {number}",
                "digest": digest_bytes(packed(data)),
                "size": len(packed(data)),
                "retention": "erasable",
            }
            for number, data in enumerate(recipe.annexes)
        ],
        **dict(recipe.said),
    }
    result = sign_statement(state("eval-result", {"system": system}, said), recipe.signer)
    others = [
        sign_statement(
            state(
                "prereg", {"system": system}, {"other": i, "system": system if i else OTHER_SYSTEM}
            ),
            recipe.signer,
        )
        for i in range(recipe.other_plans)
    ]
    first, then = (result, prereg) if recipe.is_result_first else (prereg, result)
    with Log.create(folder / "log", ORIGIN, recipe.log_signer) as log:
        log.append([Entry.of(item).data() for item in others])
        log.append([Entry.of(first).data()])
        early = cosigned(log.receipt(recipe.other_plans), recipe.witnesses, WITNESSED_AT)
        for data in recipe.annexes:
            item = packed(data)
            uri = "urn:undersigned:payload:v1"
            log.append([Entry(uri, digest_bytes(item), len(item), "erasable").data()])
        log.append([Entry.of(then).data()])
        if recipe.is_closed_twice:
            again = {**said, "turns": "relayed"}
            other = sign_statement(state("eval-result", {"system": system}, again), recipe.signer)
            log.append([Entry.of(other).data()])
        late = log.receipt(log.size - 2 if recipe.is_closed_twice else log.size - 1)
        late = cosigned(late, recipe.witnesses, WITNESSED_AT + 86_400)
        static = log.static_files()
    receipts = (late, early) if recipe.is_result_first else (early, late)
    files: dict[str, bytes | Path] = {
        "statements/prereg.json": prereg,
        "statements/eval-result.json": result,
        "proofs/prereg.tlog-proof": receipts[0].encode(),
        "proofs/eval-result.tlog-proof": receipts[1].encode(),
        "plan.json": plan,
        "system/card.json": card,
        "scores.json": scores,
        "measurements/time.jsonl": b'{"ms":1}\n',
        **{f"log/{name}": data for name, data in static.items()},
        **{f"payloads/{sha256(packed(d)).hexdigest()}": packed(d) for d in recipe.annexes},
    }
    for item in others if recipe.are_others_shown else ():
        files[f"statements/log/{sha256(item).hexdigest()}.json"] = item
    for shard, part in (("shard-00000", leaves[:3]), ("shard-00001", leaves[3:])):
        files[f"episodes/{shard}.jsonl.zst"] = b"zstd stands here " + shard.encode()
        files[f"episodes/{shard}.leaves"] = b"".join(part)
    target = folder / "dossier"
    write_bundle(
        target,
        files,
        recipe.manifest_signer,
        created=CREATED,
        system=system,
        plan=plan_digest,
        report=b"<html>a view</html>",
    )
    write_trust(folder / "trust.json", trust)
    return Made(target, folder / "trust.json", folder / "log")
