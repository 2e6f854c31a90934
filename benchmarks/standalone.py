"""How long does an outsider with one file wait for an answer, and how small is a receipt?

``verify.py`` runs as it would elsewhere: a process of its own, isolated (``python -I``), without
this package. Receipts are those of a log of a million entries, cosigned by three witnesses.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Probe, Row, Setup, cpu_rate
from benchmarks.verifying import make_dossier
from undersigned.assessment.registry import example_trust, open_tester
from undersigned.evidence import verify
from undersigned.evidence.keys import FileKey
from undersigned.evidence.notes import (
    Checkpoint,
    Receipt,
    cosign_checkpoint,
    sign_note,
    with_signatures,
)
from undersigned.evidence.tree import Tree, leaf_hash

EPISODES = 100_000
ENTRIES = 1_000_000
WITNESSES = 3
ORIGIN = "log.example/undersigned"


def standalone(setup: Setup) -> Probe:
    """Time ``verify.py`` on a whole dossier; scaled up to 10^5 episodes when fewer are made."""
    scratch = Path(tempfile.mkdtemp(dir=setup.folder))
    episodes = setup.pick(10_000, EPISODES)
    dossier = asyncio.run(make_dossier(scratch, episodes))
    example_trust(open_tester(scratch / "home", "bench", ()), scratch / "trust.json")
    size = sum(path.stat().st_size for path in dossier.rglob("*") if path.is_file())
    command = [sys.executable, "-I", verify.__file__, str(dossier), "--trust"]

    def once() -> float:
        start = time.perf_counter()
        subprocess.run(
            [*command, str(scratch / "trust.json")], check=True, stdout=subprocess.DEVNULL
        )
        return (time.perf_counter() - start) * EPISODES / episodes

    def bare() -> float:
        start = time.perf_counter()
        for path in dossier.rglob("*"):
            if path.is_file():
                sha256(path.read_bytes()).digest()
        return (time.perf_counter() - start) * EPISODES / episodes

    return Probe(
        once, bare, lambda: shutil.rmtree(scratch),
        lambda: f"{episodes:,} episodes, {size / (1 << 20):.1f} MiB",
    )  # fmt: skip


class Proven(NamedTuple):
    """A receipt with everything that is needed to verify it."""

    text: str
    leaf: bytes
    log: FileKey
    witnesses: tuple[FileKey, ...]


@cache
def proven() -> Proven:
    """Return the receipt of an entry of a log of a million, cosigned by three witnesses."""
    tree = Tree()
    leaf = leaf_hash(b"entry")
    tree.extend(leaf for _ in range(ENTRIES))
    seed = sha256(b"benchmark").digest()
    log = FileKey.from_seed(seed, name=ORIGIN, role="log")
    witnesses = tuple(
        FileKey.from_seed(
            sha256(b"%d" % number).digest(), name=f"witness.example/w{number}", role="witness"
        )
        for number in range(1, WITNESSES + 1)
    )
    text = Checkpoint(ORIGIN, ENTRIES, tree.root()).text()
    lines = [cosign_checkpoint(text, witness, 1_795_000_000) for witness in witnesses]
    note = with_signatures(sign_note(text, log), lines)
    index = ENTRIES // 2 - 1
    receipt = Receipt(index, tuple(tree.inclusion(index, ENTRIES)), note).text()
    return Proven(receipt, leaf, log, witnesses)


def check(made: Proven, witnesses: Sequence[FileKey]) -> None:
    """Verify a receipt offline: text, log's signature, cosignatures of some witnesses, path.

    Raises RuntimeError when it does not hold.
    """
    index, path, note = verify.read_receipt(made.text)
    pairs = [(made.log.name, made.log.public)]
    cosigners = [(each.name, each.public) for each in witnesses]
    at = verify.verify_checkpoint(note, pairs, ORIGIN, "", cosigners)
    held = verify.verify_inclusion(made.leaf, index, at.size, path, at.root)
    if not held or len(at.times) != len(witnesses):
        raise RuntimeError("a receipt does not verify")


def receipt_size(_: Setup) -> Probe:
    """Return the bytes of a receipt that verifies."""
    made = proven()
    check(made, made.witnesses)
    note = f"path of {made.text.partition(chr(10) * 2)[0].count(chr(10)) - 1} hashes"
    return Probe(lambda: float(len(made.text.encode())), note=lambda: note)


def receipts(setup: Setup) -> Probe:
    """Time the offline verification of a receipt by the log's key, and with all witnesses' keys."""
    made = proven()
    count = setup.pick(200, 2000)
    signature = made.log.sign(b"bare")

    def work(witnesses: Sequence[FileKey] = ()) -> None:
        for _ in range(count):
            check(made, witnesses)

    def bare() -> None:
        for _ in range(count):
            verify.is_signed(made.log.public, signature, b"bare")

    def note() -> str:
        rate = cpu_rate(count, lambda: work(made.witnesses))
        return f"with the {WITNESSES} cosignatures checked too: {rate:,.0f}/s"

    return Probe(lambda: cpu_rate(count, work), lambda: cpu_rate(count, bare), note=note)


ROWS = (
    Row("standalone", "verify.py alone on a dossier of 10^5 episodes (--quick: fewer, scaled up)",
        "s wall", "less", 10, "read and sha256 every file", standalone),
    Row("receipt", "a receipt among 10^6 entries, with three cosignatures", "bytes", "less", 1600,
        "", receipt_size),
    Row("verify-receipt", "such receipts verified offline, by the log's key", "1/s", "more", 2500,
        "one Ed25519 verification", receipts),
)  # fmt: skip
