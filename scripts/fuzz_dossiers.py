"""Which dossiers, zips and logs on disk are accepted after somebody changed them?

Targets that live in a scratch folder, in memory where the system has one. An input is one change:
``put``, ``delete``, ``move``, ``swap``, ``link`` or ``folder``, its names after tabs, then NUL and
content. Allowed, and nothing else: any content of ``report.html`` (a view and no
evidence), empty folders with plain names, and in a zip every byte that leaves all members' names
and bytes, the verifier's findings, and what a reader of local headers sees, as they were.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

from scripts.fuzz_oracle import FORMER_WORDS, Outcome, Target, Unsafe, agreed, ask, demand
from scripts.mutate import ZIP_MUTATIONS, Pool, mutate
from tests.evidence.dossiers import LOG_KEY, ORIGIN, TESTER, Made, make
from undersigned.core.canonical import digest_bytes, encode
from undersigned.evidence import notes, verify
from undersigned.evidence.bundle import SCHEMA, Bundle, zip_bundle
from undersigned.evidence.entries import Entry
from undersigned.evidence.log import Log

VIEW = "report.html"
LOCAL = struct.Struct("<5H3L2H")
"""A zip's local header behind its mark: version, flags, method, time, date, CRC, sizes, lengths."""
OUTER = {"dossier.json", "dossier.sig"}
UNBOUND = ("measurements/", ".zst")
"""What only the manifest binds in this dossier: timings, and shards, which stand-alone
verification does not decompress."""

ODD_NAMES = (
    "evil", "EVIL", "a b", "episodes/shard-00009.leaves", "über", ".hidden", "plan.json/x", "a\\b",
    "log/tile/0/000", "statements/extra.json", "system", "-", "a\nb", "nul\x01", "x" * 200, "café",
    "payloads/0", "plan.jsοn", "con", "dossier.json~",
)  # fmt: skip


def scratch() -> Path:
    """Return a new folder, in memory where possible."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None))


class Place:
    """A small whole dossier that can be changed and put back."""

    def __init__(self) -> None:
        """Build the dossier, its zip and its trust file."""
        self.root = scratch()
        self.made: Made = make(self.root)
        self.folder = self.made.folder
        self.files = {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }
        self.zip = zip_bundle(self.folder, self.root / "dossier.zip").read_bytes()
        self.honest = verify.verify_dossier(self.folder, self.made.trust)
        self.manifest = verify.READER.decode(self.files["dossier.json"].decode())

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)

    def restore(self, *names: str) -> None:
        """Put files back as they were."""
        for name in names:
            path = self.folder / name
            with suppress(OSError):
                path.unlink()
            for folder in (path, *path.parents):
                if not folder.is_relative_to(self.folder) or folder == self.folder:
                    break
                with suppress(OSError):
                    folder.rmdir()
        for name in self.files.keys() & set(names):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(self.files[name])

    def read(self, path: Path) -> dict[str, bytes]:
        """Return every file but the report, as the package reads them. Raises EvidenceError."""
        with Bundle(path) as bundle:
            return {name: bundle.read(name) for name in bundle.names() if name != VIEW}


def fails(findings: list[verify.Finding]) -> list[verify.Finding]:
    """Return the findings that say that something does not hold."""
    return [item for item in findings if item.status == "fails"]


def split(data: bytes) -> tuple[str, list[str], bytes]:
    """Return a change's verb, names and content. Raises Unsafe when there is none."""
    head, gap, content = data.partition(b"\0")
    verb, *names = head.decode("utf-8", "surrogateescape").split("\t")
    if not gap or not names or any(".." in n or n.startswith("/") or not n for n in names):
        raise Unsafe("seed", "not a change of a dossier")
    return verb, names, content


def join(verb: str, *names: str, content: bytes = b"") -> bytes:
    """Return the input of a change."""
    return "\t".join((verb, *names)).encode("utf-8", "surrogateescape") + b"\0" + content


def draw_change(files: dict[str, bytes], draw: Random) -> bytes:
    """Draw a change: mostly another content of one file."""
    names = sorted(files)
    name, other = draw.choice(names), draw.choice(names)
    kind = draw.randrange(12)
    if kind < 7:
        marks = (SCHEMA.encode(), *FORMER_WORDS)
        words = (other.encode(), b"sha256:", b'{"digest":', b"\n\n", b"fails", *marks)
        return join("put", name, content=mutate(draw, Pool((files[name],) * 3, words)))
    if kind == 7:
        return join("put", name, content=files[other])
    if kind == 8:
        return join("delete", name)
    odd = draw.choice((*ODD_NAMES, f"{name}x", name.upper(), f"{name}.bak"))
    if kind == 9:
        return join("move", name, odd) if draw.randrange(2) else join("swap", name, other)
    if kind == 10:
        return join("link", name, content=other.encode()) if draw.randrange(2) else join(
            "folder", odd
        )  # fmt: skip
    return join("put", odd, content=draw.choice((b"", b"x", files[other])))


def apply(place: Place, verb: str, names: list[str], content: bytes) -> None:
    """Make a change. Raises OSError or ValueError when the file system does not allow it."""
    path, last = place.folder / names[0], place.folder / names[-1]
    if verb == "delete":
        path.unlink()
    elif verb == "move":
        last.parent.mkdir(parents=True, exist_ok=True)
        path.rename(last)
    elif verb == "swap":
        path.write_bytes(place.files[names[-1]])
        last.write_bytes(place.files[names[0]])
    elif verb == "link":
        path.unlink()
        path.symlink_to(content.decode())
    elif verb == "folder":
        path.mkdir()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def judge_folder(place: Place, data: bytes) -> Outcome:
    """Verify a changed folder; the refusal must name a file of the change."""
    verb, names, content = split(data)
    try:
        try:
            apply(place, verb, names, content)
        except (OSError, ValueError):
            return "refused"  # the file system has no such file
        findings = verify.verify_dossier(place.folder, place.made.trust)
        found = ask(lambda: place.read(place.folder))
    finally:
        place.restore(*names)
    whole = {name: data for name, data in place.files.items() if name != VIEW}
    if fails(findings):
        named = {item.file for item in fails(findings)}
        told = set(names) | {Path(name).name for name in names}
        parents = {str(folder) for name in names for folder in Path(name).parents}
        folders = parents | {f"{folder}/" for folder in parents}
        # WHY: a changed manifest may name any other file.
        if not named & (told | folders) and not OUTER & set(names):
            raise Unsafe("accepted", f"no finding names {names}: {sorted(named)}")
        return "refused"
    if found is None:
        raise Unsafe("disagree", f"only the verifier accepts: {verb} {names}")
    demand(found == whole, f"changed and not noticed: {verb} {names}")
    demand(findings == place.honest or VIEW in names, "other findings on the same bytes")
    return "accepted"


def _same_note(place: Place, name: str, content: bytes) -> bool:
    """Tell whether a note or receipt says and proves what the original does."""

    def meaning(data: bytes) -> object:
        text, index, hashes = data.decode(), 0, ()
        if name.startswith("proofs/"):
            receipt = notes.parse_receipt(text)
            text, index, hashes = receipt.checkpoint, receipt.index, receipt.hashes  # type: ignore[assignment]
        at = notes.open_checkpoint(text, (notes.verifier_of(LOG_KEY),), ORIGIN)
        return at, index, hashes

    try:
        return ask(lambda: meaning(content)) == meaning(place.files[name])
    except UnicodeDecodeError:
        return False


def judge_relisted(place: Place, data: bytes) -> Outcome:
    """Verify a folder whose tester changed a file, listed it anew and signed.

    Allowed: what only the manifest binds, and signature lines of unknown keys in notes.
    """
    _, (name, *_), content = split(data)
    if name in OUTER | {VIEW} or name not in place.files:
        return "refused"
    listed = {"size": len(content), "digest": verify.digest(content)}
    manifest = encode({**place.manifest, "files": {**place.manifest["files"], name: listed}})
    signature = notes.encode64(TESTER.sign(verify.pae(verify.MANIFEST_TYPE, manifest)))
    try:
        (place.folder / name).write_bytes(content)
        (place.folder / "dossier.json").write_bytes(manifest)
        signed = encode({"keyid": TESTER.name, "sig": signature})
        (place.folder / "dossier.sig").write_bytes(signed)
        findings = verify.verify_dossier(place.folder, place.made.trust)
    finally:
        place.restore(name, *OUTER)
    if fails(findings):
        return "refused"
    is_free = name.startswith(UNBOUND[0]) or name.endswith(UNBOUND[1])
    is_note = name.startswith("proofs/") or name == "log/checkpoint"
    same = content == place.files[name] or (is_note and _same_note(place, name, content))
    demand(is_free or same, f"the tester changed {name}")
    return "accepted"


def draw_relisted(files: dict[str, bytes], draw: Random) -> bytes:
    """Draw another content of a file that the manifest lists."""
    names = [name for name in sorted(files) if name not in OUTER | {VIEW}]
    name = draw.choice(names)
    seeds = (files[name], files[name], files[name], files[draw.choice(names)])
    words = ("\N{EM DASH} other AAAAAAAA\n".encode(), b"sha256:", b"null", b"index ", b"prereg")
    return join("put", name, content=mutate(draw, Pool(seeds, words)))


def read_forward(data: bytes) -> dict[str, bytes] | None:
    """Read a zip as a program does that starts at the front and never looks at the directory.

    None when that is not possible: encrypted, sizes only behind the data, or oddly packed.
    """
    found, at = dict[str, bytes](), 0
    while data[at : at + 4] == b"PK\x03\x04" and len(data) >= at + 30:
        _, flags, method, _, _, _, packed, _, name, extra = LOCAL.unpack_from(data, at + 4)
        start = at + 30 + name + extra
        if flags & ~0x0806 or method != zipfile.ZIP_STORED or extra:
            return None
        found[data[at + 30 : at + 30 + name].decode("latin-1")] = data[start : start + packed]
        at = start + packed
    return found


def judge_zip(place: Place, data: bytes) -> Outcome:
    """Verify a changed zip."""
    path = place.root / "changed.zip"
    path.write_bytes(data)
    findings = verify.verify_dossier(path, place.made.trust)
    found = ask(lambda: place.read(path))
    if fails(findings):
        return "refused"
    if found is None:
        raise Unsafe("disagree", "only the verifier accepts a zip")
    whole = {name: data for name, data in place.files.items() if name != VIEW}
    demand(found == whole, "changed and not noticed in a zip")
    forward = read_forward(data) or {}
    forward.pop(VIEW, None)
    demand(forward == whole, "a program that reads a zip from its front sees other files")
    kept = {f"{item}" for item in place.honest} ^ {f"{item}" for item in findings}
    demand(all("report.html" in each for each in kept), "other findings on the same bytes")
    return "accepted"


class LogPlace:
    """A log with three published commits and one that is only acknowledged."""

    def __init__(self) -> None:
        """Make the log."""
        self.root = scratch()
        self.folder = self.root / "log"
        digest = digest_bytes(b"x")
        self.entries = [Entry(verify.uri("prereg"), digest, n).data() for n in range(9)]
        self.older = []
        with Log.create(self.folder, ORIGIN, LOG_KEY) as log:
            for first in (0, 2, 4):
                log.append(self.entries[first : first + 2])
                self.older.append(log.checkpoint().encode())
            log.append(self.entries[6:])
        self.names = ("journal", "high-water", "checkpoint")
        self.files = {name: (self.folder / name).read_bytes() for name in self.names}
        self.published = 6

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)

    def restore(self) -> None:
        """Put every file back."""
        for name, data in self.files.items():
            (self.folder / name).write_bytes(data)


def judge_log(place: LogPlace, data: bytes) -> Outcome:
    """Open a log with a changed file, twice. What was published must be there; behind it only a
    prefix of what was acknowledged, since a torn last frame cannot be told from a crash."""
    verb, (name, *_), content = split(data)
    if name not in place.names:
        return "refused"

    def entries() -> list[bytes]:
        with Log.open(place.folder, LOG_KEY) as log:
            demand(log.origin == ORIGIN, "another origin")
            return [log.entry(index) for index in range(log.size)]

    try:
        if verb == "delete":
            (place.folder / name).unlink()
        else:
            (place.folder / name).write_bytes(content)
        found = ask(entries)
        again = ask(entries)
    finally:
        place.restore()
    demand(found == again, "a second opening sees another log")
    if found is None:
        return "refused"
    demand(found == place.entries[: len(found)], "other entries than were logged")
    demand(len(found) >= place.published, "published entries are gone")
    return agreed(found, again)


def draw_log(place: LogPlace, draw: Random) -> bytes:
    """Draw another content of a log's file, or none."""
    name = draw.choice(("journal", "journal", *place.names))
    if draw.randrange(20) == 0:
        return join("delete", name)
    seeds = (place.files[name],) if name == "journal" else (place.files[name], *place.older)
    former = (word + b"\n" for word in FORMER_WORDS)
    words = (b"\xffAJ1", b"undersigned.journal.v1\n", b"\x00" * 8, *former)
    return join("put", name, content=mutate(draw, Pool(seeds, words)))


def targets() -> tuple[Target, ...]:
    """Return the targets of this module; each holds a scratch folder until it is closed."""
    place, log = Place(), LogPlace()
    changes = tuple(join("put", name, content=data) for name, data in place.files.items())
    whole = tuple(change for change in changes if split(change)[1][0] not in OUTER | {VIEW})
    logs = tuple(join("put", name, content=data) for name, data in log.files.items())
    words = tuple(name.encode() for name in place.files)

    return (
        Target("folder", 14, Pool(changes), partial(judge_folder, place),
               draw=partial(draw_change, place.files), close=place.close),
        Target("relisted", 8, Pool(whole), partial(judge_relisted, place),
               draw=partial(draw_relisted, place.files)),
        Target("zip", 8, Pool((place.zip,), words), partial(judge_zip, place), ZIP_MUTATIONS),
        Target("log", 2, Pool(logs), partial(judge_log, log), draw=partial(draw_log, log),
               close=log.close),
    )  # fmt: skip
