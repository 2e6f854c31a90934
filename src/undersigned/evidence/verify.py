#!/usr/bin/env python3
"""Does this dossier hold, as far as anyone can tell from the dossier and a trust file alone?

    python verify.py DOSSIER --trust FILE [--seen CHECKPOINT] [--nonce TEXT] [--json]

WHY this file is long: it stands alone on purpose. Only the standard library and ``cryptography``,
no code shared with the program that wrote the dossier, at most 600 lines of code, so that an
outsider can read it in one sitting and carry it elsewhere before believing it. Standards: RFC 9162 (tree, proofs),
C2SP signed-note, tlog-checkpoint, tlog-proof, tlog-tiles, DSSE v1, in-toto Statement v1, RFC 8785.

Refuses whatever two programs could read differently. Extracts nothing, runs nothing, connects to
nothing; decompresses zip members only, within limits.

Invariants:
- Keys come from the trust file only, never from the dossier.
- A file's bytes are used only after they matched the manifest's size and digest.
- A check that could not be made is ``unknown`` and says what would settle it; it never ``holds``.

Exit codes: 0 nothing fails, 2 usage, 3 something fails, 4 a check could not be decided here.
Findings from E-EVD-180 on are limits of any such check and do not change the exit code.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import json
import os
import re
import stat
import struct
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# fmt: off
# ruff: noqa: E501  (one line a code: title, why it matters, remedy)
CODES: dict[int, tuple[str, str, str]] = {
    101: ("a dossier that cannot be read", "Two readers could see two contents.", "ask for the dossier again, as a folder or as a plain zip"),
    102: ("a file name or kind that is not allowed", "Odd names, links and doubles can hide or swap files.", "ask for the dossier again; do not rename files"),
    103: ("a dossier beyond the limits", "Limits keep a hostile container from filling memory.", "ask for the assessment in several dossiers"),
    104: ("a missing file", "What is missing may be the unwelcome part.", "ask for the whole dossier again"),
    105: ("a file that the manifest does not list", "Nobody vouches for an unlisted file.", "remove the file, or ask who added it"),
    106: ("a file that differs from the manifest", "It was changed after it was signed.", "ask for the dossier again"),
    107: ("JSON that is malformed or not canonical", "Bytes that can be read in two ways prove nothing.", "ask its writer to produce it again"),
    109: ("a manifest signature that does not verify", "Anyone may have put these files together.", "ask the tester to sign the dossier"),
    110: ("an unusable trust file", "Every check rests on the reader's own trust file.", "correct the trust file as the line says"),
    111: ("one party in two roles that must differ", "A party that checks itself is no check.", "give one role to another party in the trust file"),
    112: ("a key that the trust file does not know", "The reader decides whom to believe.", "add the key to the trust file if you trust its owner"),
    113: ("a key that may not sign this", "A key counts only for what the trust file gives it.", "give the key the role and predicate if that is meant"),
    114: ("a key revoked at this log position", "Whoever stole the key may have signed.", "ask the party to sign and log it again"),
    115: ("a key not yet valid at the claimed date", "The trust file does not cover this signature.", "ask the party to sign with its present key"),
    117: ("a statement's signature that does not verify", "These are not the bytes that were signed.", "ask its issuer for the original"),
    118: ("too few independent signatures", "Two keys of one party are one voice.", "have another trusted party sign"),
    119: ("a malformed note, checkpoint or receipt", "It must be readable in exactly one way.", "ask the log for it again"),
    120: ("a checkpoint that no trusted key of its log has signed", "Anyone can write a checkpoint.", "add the log's key and origin to the trust file if you trust it"),
    122: ("a log export that does not match its checkpoint", "Entries were changed, removed, added or reordered.", "ask the log for its static files again"),
    123: ("a receipt that does not prove inclusion", "The statement may never have been logged.", "ask the log for this statement's receipt again"),
    125: ("a result that does not follow its registered plan", "A plan made after the results can fit any result.", "register the plan first, then run it again"),
    126: ("a file that is not the one stated", "Plan, system card or scores were swapped.", "ask for the files that the statements name"),
    127: ("episodes that are not those stated", "Episodes were added, dropped, changed or reordered.", "ask for all shards with their leaf files"),
    128: ("a log that contradicts a checkpoint you hold", "Its history was rewritten or split.", "keep both checkpoints: together they prove it"),
    129: ("a plan that was closed more than once", "Of several results the best may have been chosen.", "ask for the other result of this plan"),
    130: ("a payload that does not match its logged commitment", "An annex may have been swapped or added later.", "ask for the payload that was committed to"),
    131: ("seeds that do not come from your challenge", "The tester could have chosen them.", "ask for a run with the nonce that you gave"),
    132: ("too few witnesses", "A log that few have seen can show two histories.", "have the log's checkpoint cosigned by the witnesses you trust, then pass it with --seen"),
    133: ("a statement that is not the one logged", "Another plan may be hidden behind it.", "ask the tester for the log's own statements"),
    170: ("a check that an earlier failure made impossible", "What was not checked may be wrong.", "remedy the failure named above first"),
    171: ("a signature whose key has ended since", "It cannot be told whether it came before the end.", "ask the party to sign again with a valid key"),
    172: ("a checkpoint you hold that is newer than this log", "This export cannot show that it leads there.", "ask the log for a present export"),
    180: ("whether others are shown the same log", "One dossier cannot show a split view.", "compare log/checkpoint with another party's, or put theirs into the trust file"),
    181: ("when anything happened", "Times are claimed; only the log's order is proven.", "have the log's checkpoints cosigned by a witness that you trust"),
    182: ("whether the seeds were chosen for the result", "Without a challenge a tester could try many plans.", "give a nonce once you hold the plan's receipt, have it run, and verify with --nonce"),
    183: ("whether the grades follow from the episodes", "Only bytes, digests and leaf hashes are checked here; shards are not decompressed.", "undersigned verify DOSSIER --trust FILE"),
    184: ("whether the turns came from the system under test", "Whoever ran the test could have written them.", "run a recomputed plan, or have a provider sign the turns"),
    185: ("whether report.html shows what the evidence says", "The report is a view and no evidence.", "undersigned verify DOSSIER --trust FILE (renders it again)"),
    186: ("which systems the log's other plans concern", "Entries hold digests, not contents.", "ask the tester for the statements behind the other entries"),
    187: ("what came of this system's other plans", "Of many runs the best may be shown.", "ask for their results, or for the signed reason why each was given up"),
}
TOTAL_LIMIT, COUNT_LIMIT, FILE_LIMIT = 512 << 20, 200_000, 64 << 20  # bytes, files, bytes
BROKEN = (OSError, ValueError, EOFError, KeyError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error)
UNLISTED = {"dossier.json", "dossier.sig", "report.html"}
MANIFEST_TYPE = "application/vnd.undersigned.dossier+json"
SEPARATE = [["witness", "log"], ["witness", "tester"], ["approver", "tester"]]

# Forms of JSON: a pattern, a type, [of], {"field": of, "optional?": of} or {"*": of}.
FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,511}", re.ASCII)
NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,127}", re.ASCII)
DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
TIME = re.compile(DATE.pattern + r"T\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
KEY_NAME = re.compile(r"[^+\s]+")
MAYBE = {"not_before", "not_after", "revoked_at"}  # null is as good as not there
ROLE = re.compile(r"log|witness|tester|provider|owner|approver")
KEY = {"name": NAME, "party": NAME, "public": str, "algorithm": re.compile("ed25519"),
       "roles": [ROLE], "predicates?": [NAME], "origins?": [str],
       "not_before?": DATE, "not_after?": DATE, "revoked_at?": int}
TRUST = {"schema": re.compile(r"undersigned\.trust\.v1"), "keys": [KEY], "thresholds?": {"*": int},
         "separate_roles?": [[ROLE]], "checkpoints?": [str]}
LISTED: dict[str, Any] = {"size": int, "digest": DIGEST}
MANIFEST = {"schema": re.compile(r"undersigned\.dossier\.v1"), "created": TIME, "system": DIGEST,
            "plan": DIGEST, "files": {"*": LISTED}}
SIGNATURE = {"keyid": NAME, "sig": str}
ENVELOPE = {"payload": str, "payloadType": re.compile(r"application/vnd\.in-toto\+json"),
            "signatures": [SIGNATURE]}
HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
STATEMENT = {"_type": re.compile(r"https://in-toto\.io/Statement/v1"), "predicateType": str,
             "subject": [{"name": str, "digest": {"sha256": HEX}}], "predicate": dict}
ENTRY = {"predicate": re.compile(r"[ !#-\[\]-~]{1,200}", re.ASCII), "closes": re.compile(f"({DIGEST.pattern})?"),
         "retention": re.compile("permanent|term|erasable"), **LISTED}
PREREG = {"plan": DIGEST, "system": DIGEST, "challenge": re.compile("none|verifier|witness")}
RESULT = {"plan": DIGEST, "system": DIGEST, "scores": DIGEST, "refs": [{"name": str, "digest": DIGEST}],
          "episodes": {"count": int, "root": DIGEST},
          "turns": re.compile("recomputed|relayed|tester-said")}
PAYLOADS = [{"name": str, "retention": re.compile("term|erasable"), **LISTED}]
PAYLOAD = "urn:undersigned:payload:v1"
NONCE = re.compile(r"[0-9a-f]{32,128}", re.ASCII)
PAYLOAD_HEAD = re.compile(rb"undersigned\.payload\.v1\n[A-Za-z0-9+/]{43}=\n")
# fmt: on


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. code, file and remedy are empty where there is none."""

    status: Literal["holds", "fails", "unknown"]
    what: str
    code: str = ""
    file: str = ""
    remedy: str = ""


class Refusal(Exception):  # noqa: N818
    """A check does not hold. number: of ``CODES``; from 170 on it cannot be made."""

    def __init__(self, number: int, what: object = "", file: str = "") -> None:
        text = CODES[number][0] + (f" ({what})" if what != "" else "")
        status: Literal["fails", "unknown"] = "unknown" if number >= 170 else "fails"
        self.findings = [Finding(status, text, f"E-EVD-{number}", file, CODES[number][2])]
        super().__init__(text)


def require(holds: object, number: int, what: object = "", file: str = "") -> None:
    """Raise a Refusal unless something holds."""
    if not holds:
        raise Refusal(number, what, file)


# ---- RFC 9162: hashes and proofs ----------------------------------------------------------------


def hash_leaf(data: bytes) -> bytes:
    """Return the leaf hash of a record (section 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def join(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(nodes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes: join pairs level by level, an odd last one moves up."""
    while len(nodes) > 1:
        pairs = [join(nodes[i], nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]
        nodes = pairs + list(nodes[len(pairs) * 2 :])
    return nodes[0] if nodes else sha256(b"").digest()


def climb(at: int, last: int, node: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the roots of the tree that ends with a node and of the tree that goes on after it."""
    old = new = node
    for item in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = join(item, old), join(item, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = join(new, item)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether a leaf is at an index of the tree of a size and root (section 2.1.3.2)."""
    if not 0 <= index < size or any(len(item) != 32 for item in (leaf_hash, root, *proof)):
        return False
    roots = climb(index, size - 1, leaf_hash, proof)
    return roots is not None and roots[1] == root


def verify_consistency(
    size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes
) -> bool:
    """Return whether the second tree continues the first (section 2.1.4.2); size1 = 0 never."""
    if not 0 < size1 <= size2 or any(len(item) != 32 for item in proof):
        return False
    if size1 == size2 or not proof:
        return size1 == size2 and not proof and root1 == root2
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    at, last = size1 - 1, size2 - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    return climb(at, last, path[0], path[1:]) == (root1, root2)


# ---- strict text: base64, JSON, signatures, notes, checkpoints, receipts ------------------------


def digest(data: bytes) -> str:
    """Return ``sha256:`` and the hexadecimal SHA-256 of bytes."""
    return "sha256:" + sha256(data).hexdigest()


def decode64(text: str, number: int, file: str = "") -> bytes:
    """Decode base64 that re-encodes to itself."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise Refusal(number, "base64 cannot be decoded", file) from None
    require(base64.b64encode(data).decode() == text, number, "base64 is not canonical", file)
    return data


def fits(value: Any, form: Any) -> bool:
    """Return whether JSON has a form; see the forms above. Integers are not negative."""
    if isinstance(form, re.Pattern):
        return type(value) is str and form.fullmatch(value) is not None
    if isinstance(form, list):
        return type(value) is list and all(fits(item, form[0]) for item in value)
    if not isinstance(form, dict):
        return type(value) is form and (form is not int or value >= 0)
    if type(value) is not dict or "*" in form:
        return type(value) is dict and all(fits(item, form["*"]) for item in value.values())
    known = {name.rstrip("?"): of for name, of in form.items()}
    missing = known.keys() - value.keys()
    return missing <= known.keys() - form.keys() and all(
        name in known and (fits(item, known[name]) or (name in MAYBE and item is None))
        for name, item in value.items()
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs) or not all(key.isascii() for key in fields):
        raise ValueError("a key twice, or not ASCII")
    return fields


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,16}", text) or abs(int(text)) >= 2**53:
        raise ValueError("a number that is no integer below 2**53")
    return int(text)


def _levels(value: Any) -> int:
    inner = value.values() if type(value) is dict else value if type(value) is list else None
    return 0 if inner is None else 1 + max(map(_levels, inner), default=0)


READER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_integer, parse_constant=_integer
)


def read_json(data: bytes, form: Any, file: str, number: int = 107) -> Any:
    """Parse JSON strictly; all but the trust file must be its canonical bytes (RFC 8785)."""
    try:
        value = READER.decode(data.decode())
        again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        require(again.encode() == data or form is TRUST, number, "not canonical", file)
        require(_levels(value) <= 65, number, "nested too deep", file)
    except (ValueError, RecursionError) as error:
        raise Refusal(number, error, file) from None
    require(fits(value, form), number, "missing, unknown or mistyped fields", file)
    return value


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Return whether an Ed25519 signature is valid."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def pae(kind: str, payload: bytes) -> bytes:
    """Return the DSSE pre-authentication encoding."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)


Keys = Iterable[tuple[str, bytes]]
"""Names and 32-byte Ed25519 public keys."""


class Note(NamedTuple):
    """A verified note: its text, the given keys that signed it, and when which witness did."""

    body: str
    signers: list[str]
    times: dict[str, int]


def open_note(text: str, keys: Keys, file: str = "", witnesses: Keys = ()) -> Note:
    """Verify a signed note against given keys (name and 32 Ed25519 bytes).

    Unknown signatures are ignored, a wrong one of a given key refuses the note, and at least one
    of ``keys`` must have signed. witnesses: keys of timestamped cosignatures (tlog-cosignature).
    """
    head, gap, tail = text.rpartition("\n\n")
    body, lines = head + "\n", tail.split("\n")
    bad = re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff]", text)
    plain = not bad and len(text) <= 1 << 16 and len(lines) < 66
    require(plain and gap and len(lines) > 1 and not lines.pop(), 119, "no note", file)
    both = [(b"\x01", k) for k in keys] + [(b"\x04", w) for w in witnesses]
    ids = {(n, sha256(n.encode() + b"\n" + t + p).digest()[:4]): (t, p) for t, (n, p) in both}
    note, seen = Note(body, [], {}), set()
    for line in lines:
        name, _, value = line[2:].partition(" ")
        raw = decode64(value, 119, file)
        who, raw = (name, raw[:4]), raw[4:]
        good = line[:2] == "\N{EM DASH} " and fits(name, KEY_NAME) and raw and who not in seen
        require(good, 119, "a signature line is malformed or twice", file)
        seen.add(who)
        kind, public = ids.get(who, (b"", b""))
        if kind == b"\x01":
            require(is_signed(public, raw, body.encode()), 120, f"{name} is wrong", file)
            note.signers.append(name)
        elif kind:
            time = int.from_bytes(raw[:8], "big")
            signed = f"cosignature/v1\ntime {time}\n{body}".encode()
            good = time < 1 << 63 and is_signed(public, raw[8:], signed)
            require(good, 120, f"{name} is wrong", file)
            note.times[name] = time
    require(note.signers, 120, lines[0], file)
    return note


class Checkpoint(NamedTuple):
    """A log's state, and when which witness cosigned it (POSIX seconds)."""

    origin: str
    size: int
    root: bytes
    times: dict[str, int]


def verify_checkpoint(
    text: str, keys: Keys, origin: str = "", file: str = "", witnesses: Keys = ()
) -> Checkpoint:
    """Return the checkpoint of a signed note; origin: the log that it must be of, if given."""
    note = open_note(text, keys, file, witnesses)
    lines = note.body.split("\n")
    three = len(lines) == 4 and lines[0].strip() and fits(lines[1], DECIMAL)
    require(three, 119, "a checkpoint has not its three lines", file)
    root = decode64(lines[2], 119, file)
    require(len(root) == 32, 119, "a root is not 32 bytes", file)
    require(origin in ("", lines[0]), 120, f"of another log, {lines[0]}", file)
    return Checkpoint(lines[0], int(lines[1]), root, note.times)


def read_receipt(text: str, file: str = "") -> tuple[int, list[bytes], str]:
    """Parse a tlog-proof into index, hashes and signed checkpoint; extra data is refused."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    good = len(lines) > 1 and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1][:6] == "index "
    require(good and fits(lines[1][6:], DECIMAL), 119, "no header or index", file)
    return int(lines[1][6:]), [decode64(line, 119, file) for line in lines[2:]], note


# ---- the container: a folder or a zip, read in place --------------------------------------------


class Source:
    """The files of a folder or zip by name, with declared sizes in bytes; hostile ones refused."""

    def __init__(self, path: Path) -> None:
        self.path, self.sizes, total = path, dict[str, int](), 0
        try:
            self.zip = None if path.is_dir() else zipfile.ZipFile(path)
            for name, size in self._list_zip(self.zip) if self.zip else self._list_folder(""):
                good = fits(name, FILE_NAME) and not {"", ".", ".."} & set(name.split("/"))
                require(good and name not in self.sizes, 102, "or twice", name)
                self.sizes[name] = size
                total += size
                small = total <= TOTAL_LIMIT and len(self.sizes) <= COUNT_LIMIT
                require(small, 103, "too many bytes or files", name)
        except BROKEN as error:
            raise Refusal(101, error) from None

    def _list_folder(self, under: str) -> Iterator[tuple[str, int]]:
        with os.scandir(self.path / under) as items:
            for item in items:
                state = item.stat(follow_symlinks=False)
                if stat.S_ISDIR(state.st_mode):
                    require(fits(item.name, FILE_NAME), 102, "", item.name)
                    yield from self._list_folder(f"{under}{item.name}/")
                else:
                    require(stat.S_ISREG(state.st_mode), 102, "no plain file", item.name)
                    yield under + item.name, state.st_size

    def _list_zip(self, archive: zipfile.ZipFile) -> Iterator[tuple[str, int]]:
        """Yield the members of a plain zip: one after another, each told twice alike, no more."""
        file: Any = archive.fp
        at = size = 0
        for info in archive.infolist():
            name = info.orig_filename.encode()
            file.seek(at)
            head = struct.unpack("<4s5H3L2H", file.read(30))
            sizes = (info.CRC, info.compress_size, info.file_size, len(name), 0)
            good = (head[0], *head[2:4], *head[6:]) == (b"PK\3\4", 0, info.compress_type, *sizes)
            good = good and file.read(len(name)) == name and info.header_offset == at
            good = good and not (info.flag_bits or info.extra or info.comment)
            is_plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
            is_known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            require(
                good and is_plain and is_known, 102, "a link or oddly packed", info.orig_filename
            )
            yield info.orig_filename, info.file_size
            at, size = at + 30 + len(name) + info.compress_size, size + 46 + len(name)
        count = len(archive.infolist())
        file.seek(at + size)
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, at, 0)
        require(file.read(23) == end, 102, "more in the zip than its members")

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; refuses other than the declared number of them."""
        require(name in self.sizes, 104, "", name)
        left = self.sizes[name]
        try:
            with self._open(name) as file:
                while chunk := file.read(1 << 20):
                    left -= len(chunk)
                    require(left >= 0, 101, "longer than declared", name)
                    yield chunk
        except BROKEN as error:
            raise Refusal(101, error, name) from None
        require(left == 0, 101, "shorter than declared", name)

    def _open(self, name: str) -> IO[bytes]:
        if self.zip is not None:
            return self.zip.open(name)
        return os.fdopen(os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def read(self, name: str) -> bytes:
        """Return a file's bytes, at most 64 MiB."""
        require(self.sizes.get(name, 0) <= FILE_LIMIT, 103, "too long to read", name)
        return b"".join(self.chunks(name))


# ---- the checks, in order -----------------------------------------------------------------------


class Stated(NamedTuple):
    """A verified statement: its envelope's digest and size, its predicate, its signers' keys."""

    digest: str
    size: int
    says: Any
    keys: list[Any]


class Exported(NamedTuple):
    """A verified log export."""

    at: Checkpoint
    entries: list[Any]
    leaves: list[bytes]


class Check:
    """One dossier under one trust file: each step is one check, and later ones need earlier ones."""

    def __init__(self, path: Path, trust: Path, seen: Sequence[Path] = (), nonce: str = "") -> None:
        self.path, self.trust_path, self.seen, self.nonce = path, trust, seen, nonce
        self.points: list[Checkpoint] = []  # of this log, shown to be on its one history
        self.findings: list[Finding] = []
        self.have: dict[str, Any] = {}

    def run(self) -> list[Finding]:
        """Make every check; one that fails stops only those that need it."""
        for name, check, what in (
            ("trust", self._trust, "the trust file is usable"),
            ("source", self._source, "it is a plain folder or zip within limits"),
            ("manifest", self._manifest, "dossier.json is canonical"),
            ("files", self._files, "each file has its listed size and digest, and none is missing"),
            ("signed", self._signed, "a trusted tester signed the manifest"),
            ("log", self._log, "the log matches its signed checkpoint, entry by entry"),
            ("prereg", self._prereg, "a trusted tester signed the plan's registration"),
            ("result", self._result, "a trusted tester signed the result"),
            ("follows", self._follows, "plan and result are in the log, in this order, once"),
            ("stated", self._stated, "plan, system card and scores are those stated"),
            ("episodes", self._episodes, "the episodes' leaves are those stated"),
            ("payloads", self._payloads, "annexes match their commitments in the log"),
            ("held", self._held, "the log agrees with the checkpoints that you hold of it"),
            ("witnessed", self._witnessed, "witnesses that have seen this log"),
            ("challenge", self._challenge, "the seeds' challenge"),
            ("plans", self._plans, "plans in this log"),
        ):
            try:
                self.have[name] = check()
            except Refusal as refusal:
                self.findings += refusal.findings
                continue
            shown = f": {self.have[name]}" if type(self.have[name]) is str else ""
            if shown != ": ":  # nothing of the kind is there
                self.findings.append(Finding("holds", what + shown))
        self._limits()
        return self.findings

    def _need(self, name: str) -> Any:
        require(name in self.have, 170, f"it needs: {name}")
        return self.have[name]

    def _trust(self) -> dict[str, Any]:
        try:
            data = self.trust_path.read_bytes()
        except OSError as error:
            raise Refusal(110, error) from None
        trust = read_json(data, TRUST, self.trust_path.name, 110)
        keys = {key["name"]: key for key in trust["keys"]}
        for key in keys.values():
            try:
                for day in (key.get("not_before"), key.get("not_after")):
                    datetime.date.fromisoformat(day or "2026-01-01")
            except ValueError as error:
                raise Refusal(110, f"{key['name']}: {error}") from None
            key["bytes"] = decode64(key["public"], 110)
            origins = key.get("origins") or []
            has_origin = origins or not {"log", "witness"} & set(key["roles"])
            good = all(origin.strip() and origin.isprintable() for origin in origins)
            good = good and len(key["bytes"]) == 32 and bool(key["roles"] and has_origin)
            good = good and (key.get("not_before") or "") <= (key.get("not_after") or "9999-12-31")
            require(good, 110, f"public, roles, origins or dates of {key['name']}")
        publics = {key["public"] for key in keys.values()}
        require(len(trust["keys"]) == len(keys) == len(publics), 110, "a name or public key twice")
        require(all((trust.get("thresholds") or {"": 1}).values()), 110, "a threshold of zero")
        for pair in [*SEPARATE, *(trust.get("separate_roles") or [])]:
            require(len(pair) == len(set(pair)) == 2, 110, f"separate_roles {pair}")
            both = [{k["party"] for k in keys.values() if role in k["roles"]} for role in pair]
            require(not both[0] & both[1], 111, f"{pair}: {both[0] & both[1]}")
        return {**trust, "keys": keys}

    def _key(self, name: str, predicate: str, file: str) -> Any:
        """Return the trusted tester's key of a name, for a predicate or (empty) for manifests."""
        keys, day = self._need("trust")["keys"], self._need("manifest")["created"][:10]
        require(name in keys, 112, name, file)
        key = keys[name]
        good = predicate in ("", *(key.get("predicates") or ()))
        require(good and "tester" in key["roles"], 113, name, file)
        require(day >= (key.get("not_before") or ""), 115, f"{name}, {day}", file)
        # WHY: when an ended key signed is only claimed, so this is undecided and not a failure.
        require(day <= (key.get("not_after") or "9999"), 171, name, file)
        return key

    def _checkpoint(self, note: str, origin: str, file: str) -> Checkpoint:
        """Return a checkpoint that a trusted, not yet revoked key of its own log has signed."""
        stated, size = [*note.split("\n"), ""][:2]
        at = int(size) if fits(size, DECIMAL) else 0
        pairs: dict[str, list[tuple[str, bytes]]] = {"log": [], "witness": []}
        for key in self._need("trust")["keys"].values():
            end = key.get("revoked_at")
            for role in pairs.keys() & key["roles"] if end is None or at <= end else ():
                pairs[role] += [(key["name"], key["bytes"])] if stated in key["origins"] else []
        return verify_checkpoint(note, pairs["log"], origin, file, pairs["witness"])

    def _source(self) -> Source:
        return Source(self.path)

    def _manifest(self) -> Any:
        manifest = read_json(self._need("source").read("dossier.json"), MANIFEST, "dossier.json")
        for name in manifest["files"]:
            require(fits(name, FILE_NAME) and name not in UNLISTED, 102, "in the manifest", name)
        return manifest

    def _read(self, name: str) -> bytes:
        """Return a file's bytes if they are those that the manifest lists."""
        listed = self._need("manifest")["files"].get(name)
        require(listed, 104, "the manifest does not list it", name)
        data: bytes = self._need("source").read(name)
        require(listed == {"size": len(data), "digest": digest(data)}, 106, "", name)
        return data

    def _text(self, name: str) -> str:
        try:
            return self._read(name).decode()
        except ValueError as error:
            raise Refusal(119, error, name) from None

    def _files(self) -> None:
        source, listed = self._need("source"), self._need("manifest")["files"]
        every = Refusal(106)
        every.findings = []
        for name in sorted((source.sizes.keys() | listed.keys()) - UNLISTED):
            try:
                require(name in listed, 105, "", name)
                if name[:9] == "payloads/" and name not in source.sizes:
                    continue  # erased or withheld: judged by its commitment in the log
                hasher = sha256()
                for chunk in source.chunks(name):
                    hasher.update(chunk)
                found = {"size": source.sizes[name], "digest": "sha256:" + hasher.hexdigest()}
                require(found == listed[name], 106, "", name)
            except Refusal as refusal:
                every.findings += refusal.findings
        if every.findings:
            raise every

    def _signed(self) -> None:
        file, data = "dossier.sig", self._need("source").read("dossier.json")
        signature = read_json(self._need("source").read(file), SIGNATURE, file)
        key = self._key(signature["keyid"], "", file)
        raw = decode64(signature["sig"], 109, file)
        require(is_signed(key["bytes"], raw, pae(MANIFEST_TYPE, data)), 109, key["name"], file)
        require(key.get("revoked_at") is None, 171, f"{key['name']} is revoked", file)

    def _log(self) -> Exported:
        """Rebuild the log from its entries; compare every tile and the signed root."""
        file = "log/checkpoint"
        point = self._checkpoint(self._text(file), "", file)
        entries, leaves, seen = [], [], {file}
        for first in range(0, point.size, 256):
            width = min(256, point.size - first)
            name = tile_name("entries", first // 256, width)
            data, at = self._read(name), 0
            seen.add(name)
            for _ in range(width):
                entry = data[at + 2 : at + 2 + int.from_bytes(data[at : at + 2], "big")]
                require(len(entry) <= 1024, 122, "an entry is too long", name)
                entries.append(read_json(entry, ENTRY, name))
                leaves.append(hash_leaf(entry))
                at += 2 + len(entry)
            require(at == len(data), 122, "a bundle is too long", name)
        nodes, level = leaves, 0
        while nodes:
            tiles = [nodes[i : i + 256] for i in range(0, len(nodes), 256)]
            for index, tile in enumerate(tiles):
                name = tile_name(str(level), index, len(tile))
                require(self._read(name) == b"".join(tile), 122, "hashes differ", name)
                seen.add(name)
            nodes, level = [tree_root(tile) for tile in tiles if len(tile) == 256], level + 1
        require(tree_root(leaves) == point.root, 122, "the root differs", file)
        extra = {name for name in self._need("manifest")["files"] if name[:4] == "log/"} - seen
        require(not extra, 122, "not of this log", min(extra, default=""))
        self.points.append(point)
        return Exported(point, entries, leaves)

    def _statement(self, name: str, form: dict[str, Any]) -> Stated:
        """Verify one statement's envelope, form and signatures."""
        file = f"statements/{name}.json"
        data = self._read(file)
        envelope = read_json(data, ENVELOPE, file)
        payload = decode64(envelope["payload"], 117, file)
        statement = read_json(payload, STATEMENT, file)
        says = statement["predicate"]
        good = all(fits(says.get(field), of) for field, of in form.items())
        require(good and statement["predicateType"] == uri(name), 107, "predicate", file)
        subjects = {"sha256:" + item["digest"]["sha256"] for item in statement["subject"]}
        require(says["system"] in subjects, 126, "the system is no subject", file)
        keys = []
        for signature in envelope["signatures"]:
            key = self._key(signature["keyid"], name, file)
            raw = decode64(signature["sig"], 117, file)
            good = is_signed(key["bytes"], raw, pae(envelope["payloadType"], payload))
            require(good, 117, key["name"], file)
            keys.append(key)
        parties = len({key["party"] for key in keys})
        needed = (self._need("trust").get("thresholds") or {}).get(name, 1)
        require(len(keys) == parties >= needed, 118, f"{parties} of {needed} parties", file)
        return Stated(digest(data), len(data), says, keys)

    def _prereg(self) -> Stated:
        return self._statement("prereg", PREREG)

    def _result(self) -> Stated:
        return self._statement("eval-result", RESULT)

    def _logged(self, name: str, stated: Stated) -> int:
        """Return a statement's log index after verifying its receipt and entry."""
        file, log = f"proofs/{name}.tlog-proof", self._need("log")
        index, hashes, note = read_receipt(self._text(file), file)
        point = self._checkpoint(note, log.at.origin, file)
        require(index < point.size <= log.at.size, 123, "outside the log", file)
        require(tree_root(log.leaves[: point.size]) == point.root, 122, "another history", file)
        self.points.append(point)
        good = verify_inclusion(log.leaves[index], index, point.size, hashes, point.root)
        require(good, 123, f"index {index}", file)
        entry = log.entries[index]
        same = (entry["digest"], entry["size"], entry["predicate"])
        require(same == (stated.digest, stated.size, uri(name)), 123, "another entry", file)
        for key in stated.keys:
            end = key.get("revoked_at")
            require(end is None or index < end, 114, f"{key['name']} at {index}", file)
        return index

    def _follows(self) -> tuple[int, int]:
        plan, result = self._need("prereg"), self._need("result")
        file = "statements/eval-result.json"
        refs = [ref["digest"] for ref in result.says["refs"] if ref["name"] == "prereg"]
        require(refs == [plan.digest], 125, "it names another plan", file)
        for what in ("plan", "system"):
            require(plan.says[what] == result.says[what], 125, f"its {what} is another", file)
        first, then = self._logged("prereg", plan), self._logged("eval-result", result)
        require(first < then, 125, f"logged at {then}, its plan at {first}", file)
        entries = self._need("log").entries
        require(entries[then]["closes"] == plan.digest, 125, "its entry closes another plan", file)
        closers = {entry["digest"] for entry in entries if entry["closes"] == plan.digest}
        require(len(closers) == 1, 129, f"{len(closers)} times", "log/checkpoint")
        return first, then

    def _stated(self) -> None:
        manifest, says = self._need("manifest"), self._need("result").says
        for name, what in (("plan.json", "plan"), ("system/card.json", "system")):
            require(digest(self._read(name)) == says[what] == manifest[what], 126, "", name)
        require(digest(self._read("scores.json")) == says["scores"], 126, "", "scores.json")

    def _episodes(self) -> None:
        names = {name for name in self._need("manifest")["files"] if name[:9] == "episodes/"}
        shards = sorted(name[:-7] for name in names if name.endswith(".leaves"))
        pairs = {shard + end for shard in shards for end in (".leaves", ".jsonl.zst")}
        require(pairs == names, 127, "shards and leaf files do not pair", "episodes/")
        parts = [self._read(shard + ".leaves") for shard in shards]
        require(all(len(part) % 32 == 0 for part in parts), 127, "a part of a leaf", "episodes/")
        leaves = [part[i : i + 32] for part in parts for i in range(0, len(part), 32)]
        found = {"count": len(leaves), "root": "sha256:" + tree_root(leaves).hex()}
        require(found == self._need("result").says["episodes"], 127, found, "episodes/")

    def _payloads(self) -> str:
        """Check each stated annex against its salted commitment; an erased one leaves that."""
        listed, file = self._need("manifest")["files"], "statements/eval-result.json"
        stated, held = self._need("result").says.get("payloads") or [], self._need("source").sizes
        require(fits(stated, PAYLOADS), 107, "payloads", file)
        entries = [e for e in self._need("log").entries if e["predicate"] == PAYLOAD]
        logged = {(e["digest"], e["size"], e["retention"]) for e in entries}
        names, gone = set[str](), []
        for item in stated:
            name = "payloads/" + item["digest"][7:]
            names.add(name)
            good = (item["digest"], item["size"], item["retention"]) in logged
            require(good, 130, "not logged", name)
            if name not in held:
                gone.append(item["name"])
                continue
            data = self._read(name)
            good = digest(data) == item["digest"] and PAYLOAD_HEAD.match(data) is not None
            require(good, 130, item["name"], name)
        extra = {name for name in listed if name[:9] == "payloads/"} - names
        require(not extra, 130, "not stated", min(extra, default=""))
        left = f"; erased or withheld, commitment holds: {', '.join(gone)}" if gone else ""
        return f"{len(stated)} stated{left}" if stated else ""

    def _held(self) -> str:
        log, count = self._need("log"), 0
        notes = [("", note) for note in self._need("trust").get("checkpoints") or []]
        for path in self.seen:
            try:
                notes.append((path.name, path.read_bytes().decode()))
            except (OSError, ValueError) as error:
                raise Refusal(119, error, path.name) from None
        for name, note in notes:
            point = self._checkpoint(note, log.at.origin if name else "", name or "the trust file")
            if point.origin == log.at.origin:
                require(point.size <= log.at.size, 172, f"size {point.size}")
                same = tree_root(log.leaves[: point.size]) == point.root
                require(same, 128, f"at size {point.size}", "log/checkpoint")
                self.points.append(point)
                count += 1
        return str(count) if count else ""

    def _before(self, index: int) -> str:
        """Return the earliest time by which a trusted witness had seen the log past an index."""
        times = [t for p in self.points if p.size > index for t in p.times.values() if t < 1 << 37]
        return str(datetime.datetime.fromtimestamp(min(times), datetime.UTC))[:19] if times else ""

    def _witnessed(self) -> str:
        log, trust, (first, then) = self._need("log"), self._need("trust"), self._need("follows")
        names = {name for p in self.points if p.size == log.at.size for name in p.times}
        parties = {trust["keys"][name]["party"] for name in names}
        needed = (trust.get("thresholds") or {}).get("checkpoint", 0)
        require(len(parties) >= needed, 132, f"{len(parties)} of {needed} parties")
        self.have["whole"] = self._before(then)
        told = [("plan", self._before(first)), ("result", self.have["whole"])]
        bounds = [f"; {what} logged before {time}Z" for what, time in told if time]
        return (", ".join(sorted(names)) or "none at its present size" * bool(bounds)) + "".join(
            bounds
        )

    def _challenge(self) -> str:
        source, nonce = (
            self._need("prereg").says["challenge"],
            self._need("result").says.get("nonce"),
        )
        good = nonce is None if source == "none" else fits(nonce, NONCE)
        require(good, 131, f"challenge {source}, nonce {nonce}", "statements/eval-result.json")
        require(self.nonce in ("", nonce), 131, f"not {self.nonce} but {nonce or 'none'}")
        return "yours" if self.nonce else f"{source}, nonce {nonce}" if nonce else ""

    def _plans(self) -> str:
        """Count the log's plans: all, and those of this system as far as they are shown."""
        entries, own = self._need("log").entries, self._need("prereg")
        plans = {e["digest"] for e in entries if e["predicate"] == uri("prereg")}
        done = {e["closes"] for e in entries if e["predicate"] == uri("eval-result")} & plans
        left = {e["closes"] for e in entries if e["predicate"] == uri("abandoned")} & plans - done
        mine = {own.digest}
        shown = {n for n in self._need("manifest")["files"] if n[:15] == "statements/log/"}
        for name in sorted(shown):
            data, at = self._read(name), f"sha256:{name[15:-5]}"
            require(at in plans and digest(data) == at, 133, "", name)
            payload = decode64(read_json(data, ENVELOPE, name)["payload"], 117, name)
            says = read_json(payload, STATEMENT, name)["predicate"]
            alike = [says.get(w) == own.says.get(w) != None for w in ("system", "agent")]  # noqa: E711
            mine |= {at} if any(alike) else set()

        def tally(of: set[str]) -> str:
            counts = len(of), len(of & done), len(of & left), len(of - done - left)
            return "{} registered, {} completed, {} abandoned, {} open".format(*counts)

        self.have["others"] = len(mine) - 1
        self.have["hidden"] = len(plans - {own.digest}) - len(
            shown - {f"statements/log/{own.digest[7:]}.json"}
        )
        return f"{tally(plans)}; of this system: {tally(mine)}"

    def _limits(self) -> None:
        """Say what cannot be known from here."""
        have, known = self.have, [Refusal(183)]
        if "manifest" in have and not have.get("whole"):
            known.append(Refusal(181, f"claimed: {have['manifest']['created']}"))
        known += (
            [Refusal(185)] if "source" in have and "report.html" in have["source"].sizes else []
        )
        if "prereg" in have and have.get("challenge") != "yours":
            challenge = have["prereg"].says["challenge"]
            who = "open to choice by the tester" if challenge == "none" else "by " + challenge
            known.append(Refusal(182, f"seeds {who}"))
        known += [Refusal(184, have["result"].says["turns"])] if "result" in have else []
        is_seen = have.get("held") or have.get("witnessed", "none ")[:5] not in ("", "none ")
        known += [] if is_seen else [Refusal(180)]
        known += [Refusal(186, have["hidden"])] if have.get("hidden") else []
        known += [Refusal(187, have["others"])] if have.get("others") else []
        self.findings += [finding for refusal in known for finding in refusal.findings]


def uri(name: str) -> str:
    """Return a predicate's type URI."""
    return f"urn:undersigned:predicate:{name}:v1"


def tile_name(level: str, index: int, width: int) -> str:
    """Return a tile's name in the export (tlog-tiles)."""
    digits = f"{index % 1000:03d}"
    while index := index // 1000:
        digits = f"x{index % 1000:03d}/{digits}"
    return f"log/tile/{level}/{digits}" + (f".p/{width}" if width < 256 else "")


def verify_dossier(
    path: Path | str, trust: Path | str, seen: Sequence[Path] = (), nonce: str = ""
) -> list[Finding]:
    """Check a dossier folder or zip under a trust file; never raises for what it finds there.

    seen: files with signed checkpoints of its log. nonce: the challenge that you gave, if any.
    """
    return Check(Path(path), Path(trust), seen, nonce).run()


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 3 when something fails, 4 when a check was left undecided, else 0."""
    if any(finding.status == "fails" for finding in findings):
        return 3
    return 4 if any("E-EVD-170" <= item.code < "E-EVD-180" for item in findings) else 0


def plain(text: str) -> str:
    """Make control, format and bidi characters of hostile text visible; cut it."""
    bad = {c for c in text if unicodedata.category(c)[0] == "C"}
    return "".join(f"\\u{{{ord(c):x}}}" if c in bad else c for c in text[:400])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("dossier", type=Path, help="folder or zip")
    parser.add_argument("--trust", type=Path, required=True, help="whom you believe, as JSON")
    parser.add_argument(
        "--seen", type=Path, action="append", default=[], help="checkpoint of its log"
    )
    parser.add_argument("--nonce", default="", help="the challenge that you gave")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    options = parser.parse_args(arguments)
    findings = verify_dossier(options.dossier, options.trust, options.seen, options.nonce)
    code = exit_code(findings)
    if options.json:
        lines = [json.dumps({"exit": code, "findings": [asdict(item) for item in findings]})]
    else:
        words = {0: "HOLDS, within the limits above", 3: "DOES NOT HOLD", 4: "NOT DECIDED HERE"}
        lines = [
            plain(" ".join(filter(None, (f"{item.status:7}", item.code, item.file, item.what))))
            + (f"\n        try: {item.remedy}" if item.remedy else "")
            for item in findings
        ] + [words[code]]
    sys.stdout.write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
