"""Which files make up this dossier, and does the tester vouch for exactly these?

A dossier is a folder, or the same files in one zip, with a manifest ``dossier.json`` (canonical;
size and digest of every file but itself, its signature and ``report.html``) and its detached
signature ``dossier.sig`` over the DSSE pre-authentication encoding. Reading happens in place: zip
members are never extracted. Checking signatures is the verifier's work, not this module's.

Invariants:
- Names match ``[a-z0-9][a-z0-9._/-]*``; no ``..``, no links, no doubles, no file in a file.
- ``Bundle.read`` returns only bytes with the size and digest that the manifest lists.
- Writing the same files with the same key and time gives the same bytes, as folder and as zip.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple, Self

import msgspec

from undersigned.core.canonical import Digest, decode, digest_bytes, encode
from undersigned.core.errors import EvidenceError, UndersignedError, UsageError
from undersigned.core.files import read_file, write_file
from undersigned.evidence.former import refuse_former
from undersigned.evidence.keys import Signer
from undersigned.evidence.notes import encode64
from undersigned.evidence.problems import (
    BAD_DOSSIER,
    BAD_DOSSIER_NAME,
    DOSSIER_EXISTS,
    DOSSIER_TOO_BIG,
    NO_SUCH_FILE,
)
from undersigned.evidence.statements import pae

SCHEMA = "undersigned.dossier.v1"
PAYLOAD_TYPE = "application/vnd.undersigned.dossier+json"
UNLISTED = ("dossier.json", "dossier.sig", "report.html")
"""Files that the manifest does not list; the report is a view and no evidence."""

TOTAL_LIMIT = 512 << 20
"""Bytes of all files together."""
COUNT_LIMIT = 200_000
"""Number of files."""
READ_LIMIT = 64 << 20
"""Bytes of one file that ``read`` returns; longer ones are streamed with ``open``."""

_BROKEN = (
    OSError, ValueError, EOFError, KeyError, RuntimeError, struct.error, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip
"""What reading a hostile file or zip may raise."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,511}\Z", re.ASCII)
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the manifest. size: bytes."""

    size: int
    digest: Digest


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``dossier.json``. created: claimed UTC time, ``2026-11-21T10:00:00Z``."""

    schema: str
    created: str
    system: Digest
    plan: Digest
    files: dict[str, Listed]


class ManifestSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``dossier.sig``. keyid: the key's name. sig: base64."""

    keyid: str
    sig: str


def write_bundle(
    folder: Path,
    files: Mapping[str, bytes | Path],
    signer: Signer,
    *,
    created: str,
    system: Digest,
    plan: Digest,
    report: bytes | None = None,
) -> Path:
    """Write a dossier folder and return it.

    folder: must not exist or be empty. files: bytes, or a file to copy, by name. signer: a
    tester's key. created: claimed UTC time. system, plan: digests. report: ``report.html``.
    The manifest and its signature are written last. Raises UsageError (E-EVD-051, E-EVD-052,
    E-EVD-054), StorageError (E-COR-004, E-COR-005).
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(DOSSIER_EXISTS, "a dossier is written to a new folder", path=str(folder))
    _check_names(files)
    listed: dict[str, Listed] = {}
    total = 0
    for name in sorted(files):
        content = files[name]
        data = content if isinstance(content, bytes) else read_file(content)
        total += len(data)
        if total > TOTAL_LIMIT:
            raise UsageError(DOSSIER_TOO_BIG, "a dossier is too big", file=name, limit=TOTAL_LIMIT)
        listed[name] = Listed(len(data), digest_bytes(data))
        write_file(folder / name, data)
    manifest = encode(Manifest(SCHEMA, created, system, plan, listed))
    signature = encode64(signer.sign(pae(PAYLOAD_TYPE, manifest)))
    if report is not None:
        write_file(folder / "report.html", report)
    write_file(folder / "dossier.sig", encode(ManifestSignature(signer.name, signature)))
    write_file(folder / "dossier.json", manifest)
    return folder


def zip_bundle(folder: Path, target: Path) -> Path:
    """Write the files of a dossier folder as one zip (stored, fixed times) and return it."""
    beside = target.with_name(f".{target.name}.part")
    with Bundle(folder) as bundle, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(bundle.names()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            with bundle.open(name) as source, archive.open(info, "w") as member:
                while chunk := source.read(1 << 20):
                    member.write(chunk)
    beside.replace(target)
    return target


class Bundle:
    """A dossier folder or zip, read in place. Use as a context manager, or call ``close``."""

    def __init__(self, path: Path) -> None:
        """List the files and read the manifest.

        Raises EvidenceError (E-EVD-050 to E-EVD-053, E-COR-002, E-COR-003), UndecidableError
        (E-EVD-090).
        """
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        self._sizes: dict[str, int] = {}
        try:
            if not path.is_dir():
                self._zip = zipfile.ZipFile(path)
            listing = _zip_files(self._zip) if self._zip else _folder_files(path, "")
            total = 0
            for name, size in listing:
                if name in self._sizes:
                    raise EvidenceError(BAD_DOSSIER_NAME, "a file is there twice", file=name)
                self._sizes[name] = size
                total += size
                if total > TOTAL_LIMIT or len(self._sizes) > COUNT_LIMIT:
                    raise EvidenceError(DOSSIER_TOO_BIG, "a dossier is too big", file=name)
            self.manifest_bytes = self._read_raw("dossier.json")
            self.manifest = decode(self.manifest_bytes, Manifest)
            refuse_former(self.manifest.schema, path)
            if self.manifest.schema != SCHEMA:
                raise EvidenceError(BAD_DOSSIER, "an unknown schema", schema=self.manifest.schema)
        except _BROKEN as error:
            self.close()
            raise EvidenceError(
                BAD_DOSSIER, "a dossier cannot be read", path=str(path), reason=error
            ) from error
        except UndersignedError:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the bundle."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bundle."""
        self.close()

    def close(self) -> None:
        """Release the zip file."""
        if self._zip is not None:
            self._zip.close()

    def names(self) -> list[str]:
        """Return the names of all files, sorted, with the manifest, its signature and report."""
        return sorted(self._sizes)

    def read(self, name: str) -> bytes:
        """Return a file's bytes after comparing them with the manifest.

        Raises EvidenceError naming the file: E-EVD-053 missing, unlisted or not the listed
        bytes, E-EVD-052 longer than 64 MiB.
        """
        data = self._read_raw(name)
        if name in UNLISTED:
            return data
        listed = self.manifest.files.get(name)
        if listed != Listed(len(data), digest_bytes(data)):
            raise EvidenceError(NO_SUCH_FILE, "a file is not the one listed", file=name)
        return data

    def open(self, name: str) -> IO[bytes]:
        """Open a file for streaming; nothing is compared. Raises EvidenceError (E-EVD-053)."""
        if name not in self._sizes:
            raise EvidenceError(NO_SUCH_FILE, "a file is missing", file=name)
        if self._zip is not None:
            return self._zip.open(name)
        return os.fdopen(os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def _read_raw(self, name: str) -> bytes:
        if self._sizes.get(name, 0) > READ_LIMIT:
            raise EvidenceError(DOSSIER_TOO_BIG, "a file is too long", file=name, limit=READ_LIMIT)
        try:
            with self.open(name) as file:
                data = file.read(self._sizes[name] + 1)
        except _BROKEN as error:
            raise EvidenceError(
                BAD_DOSSIER, "a file cannot be read", file=name, reason=error
            ) from error
        if len(data) != self._sizes[name]:
            raise EvidenceError(BAD_DOSSIER, "a file is not of its declared size", file=name)
        return data


def is_plain_name(name: str) -> bool:
    """Return whether a dossier may hold a file of that name."""
    return bool(_NAME.match(name)) and not {"", ".", ".."} & set(name.split("/"))


def _check_names(files: Mapping[str, bytes | Path]) -> None:
    folders = {name[:at] for name in files for at in range(len(name)) if name[at] == "/"}
    for name in files:
        if not is_plain_name(name) or name in UNLISTED or name in folders:
            raise UsageError(BAD_DOSSIER_NAME, "a name is not allowed here", file=name)


def _folder_files(folder: Path, under: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder / under) as items:
        for item in items:
            name = under + item.name
            state = item.stat(follow_symlinks=False)
            is_folder = stat.S_ISDIR(state.st_mode)
            if not is_plain_name(name) or not (is_folder or stat.S_ISREG(state.st_mode)):
                raise EvidenceError(BAD_DOSSIER_NAME, "a file is not allowed", file=name)
            if is_folder:
                yield from _folder_files(folder, name + "/")
            else:
                yield name, state.st_size


def _zip_files(archive: zipfile.ZipFile) -> Iterator[tuple[str, int]]:
    """Yield name and size of each member of a plain zip.

    Plain: members one after another from the start, each told alike in its own header and in the
    directory, then the directory, then its end record; no extra field, comment or gap. Whatever
    else a reader could find in a zip, this has none of it.
    """
    file = archive.fp
    at = directory = 0
    for info in archive.infolist():
        name = info.orig_filename
        _require_plain(info, _local_header(file, at), at)
        at += _LOCAL.size + len(name.encode()) + info.compress_size
        directory += _CENTRAL_SIZE + len(name.encode())
        yield name, info.file_size
    count = len(archive.infolist())
    end = _END.pack(b"PK\5\6", 0, 0, count, count, directory, at, 0)
    if _read_at(file, at + directory, len(end) + 1) != end:
        raise EvidenceError(BAD_DOSSIER_NAME, "there is more in the zip than its members")


def _require_plain(info: zipfile.ZipInfo, local: _Local, at: int) -> None:
    name = info.orig_filename
    is_file = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
    is_known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    stated = _Local(name, 0, info.compress_type, info.CRC, info.compress_size, info.file_size, 0)
    is_bare = not (info.flag_bits or info.extra or info.comment)
    is_here = info.header_offset == at
    if not (is_plain_name(name) and is_file and is_known and is_bare and is_here):
        raise EvidenceError(BAD_DOSSIER_NAME, "a member is not allowed", file=name)
    if local != stated:
        raise EvidenceError(BAD_DOSSIER_NAME, "a member is told in two ways", file=name)


class _Local(NamedTuple):
    """What a member's own header says of it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    extra: int


_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")
_CENTRAL_SIZE = 46
"""Bytes of a member's entry in the directory, without its name."""


def _local_header(file: IO[bytes] | None, at: int) -> _Local:
    mark, _, flags, method, _, _, crc, packed, size, length, extra = _LOCAL.unpack(
        _read_at(file, at, _LOCAL.size)
    )
    name = _read_at(file, at + _LOCAL.size, length)
    if mark != b"PK\3\4":
        raise EvidenceError(BAD_DOSSIER, "a member has no header", at=at)
    return _Local(name.decode(), flags, method, crc, packed, size, extra)


def _read_at(file: IO[bytes] | None, at: int, count: int) -> bytes:
    if file is None:
        raise ValueError("the zip is closed")
    file.seek(at)
    return file.read(count)
