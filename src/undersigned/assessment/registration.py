"""Was this plan registered, so that a nonce for its seeds may be given?

A tester who runs with a challenge hands over the signed registration and its receipt before the
first episode. Whoever holds them gives a nonce; every seed follows from plan and nonce, so neither
could be chosen for its result. This is the verifier's side of it.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import NamedTuple

from undersigned.assessment.problems import NOT_REGISTERED
from undersigned.core.canonical import Digest
from undersigned.core.errors import EvidenceError
from undersigned.core.files import read_file
from undersigned.evidence.entries import Entry
from undersigned.evidence.former import refuse_former
from undersigned.evidence.notes import open_checkpoint, parse_receipt
from undersigned.evidence.statements import ENVELOPE_LIMIT, open_statement, predicate_type
from undersigned.evidence.tree import leaf_hash
from undersigned.evidence.trust import load_trust, read_capped
from undersigned.evidence.verify import verify_inclusion

STATEMENT, RECEIPT = "prereg.json", "prereg.tlog-proof"
"""The files of a registration's folder."""
NONCE = re.compile(r"[0-9a-f]{32,128}\Z")
"""What a nonce looks like: 128 bits or more, in hexadecimal digits."""
NONCE_SIZE = 32


class Registration(NamedTuple):
    """A registration that holds. position: in the log. origin, size: of the checkpoint that shows
    it. said: its predicate."""

    plan: Digest
    position: int
    origin: str
    size: int
    party: str
    said: dict[str, object]


def is_registration(path: Path) -> bool:
    """Tell whether a folder holds a registration and no dossier."""
    return (path / STATEMENT).is_file() and not (path / "dossier.json").exists()


def read_registration(folder: Path, trust_file: Path) -> Registration:
    """Verify a registration and its receipt under the reader's trust.

    trust_file: the reader's own. Raises EvidenceError with the code of whatever does not hold,
    UndecidableError (E-EVD-090, E-EVD-091) for what bears the former name, StorageError for
    missing files.
    """
    envelope = read_capped(folder / STATEMENT, ENVELOPE_LIMIT, NOT_REGISTERED)
    # WHY before the trust file is read: another trust file would not help.
    refuse_former(predicate_type(envelope), folder)
    trust = load_trust(trust_file)
    try:
        receipt = parse_receipt(read_file(folder / RECEIPT).decode())
    except UnicodeDecodeError as error:
        raise EvidenceError(NOT_REGISTERED, "the receipt is no text", file=RECEIPT) from error
    origin = receipt.checkpoint.split("\n", 1)[0]
    point = open_checkpoint(receipt.checkpoint, trust.verifiers(origin), origin)
    opened = open_statement(envelope, trust, predicate="prereg", position=receipt.index)
    leaf = leaf_hash(Entry.of(envelope).data())
    if not verify_inclusion(leaf, receipt.index, point.size, receipt.hashes, point.root):
        raise EvidenceError(
            NOT_REGISTERED, "the receipt does not show this registration in the log",
            file=RECEIPT, index=receipt.index,
        )  # fmt: skip
    said = opened.statement.predicate
    plan = said.get("plan")
    if type(plan) is not str or said.get("challenge") != "verifier":
        raise EvidenceError(
            NOT_REGISTERED, "the plan takes no nonce", challenge=str(said.get("challenge"))
        )
    party = opened.signers[0].party
    return Registration(Digest(plan), receipt.index, origin, point.size, party, said)


def new_nonce() -> str:
    """Return a nonce of 256 bits from the system's randomness."""
    return secrets.token_hex(NONCE_SIZE)
