"""What lies beside a log, and how is a payload erased without touching a proof?

Statements and payloads are files named by the SHA-256 of their bytes, in ``statements/`` and
``payloads/`` of the store. A payload is packed with a salt, so that the digest in the log does not
reveal data that can be guessed::

    packed = "undersigned.payload.v1" LF, base64(32-byte salt) LF, data

Erasing takes away payload and salt together; the log keeps the commitment and every proof holds.
What erasing cannot reach: copies made elsewhere, and blocks that a disk or file system keeps of
an overwritten file. Randomness enters by argument.

Invariants:
- What is returned was hashed just then and is what its digest says; anything else is an error.
- Only payloads are ever erased, never statements.
- Files are durable when a method returns, so the entry that names them is logged after them.
- An erasure that was stopped half-way leaves no payload under its name, and is finished by the
  next ``erase`` of it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from undersigned.core.canonical import Digest, digest_bytes
from undersigned.core.errors import EvidenceError, StorageError
from undersigned.core.files import read_file, sync_folder, write_all, write_file
from undersigned.evidence.notes import decode64, encode64
from undersigned.evidence.problems import BAD_PAYLOAD, ERASE_FAILED, STORE_CHANGED
from undersigned.evidence.statements import read_statement

PAYLOAD_HEADER = b"undersigned.payload.v1\n"

SALT_SIZE = 32
"""Bytes of a payload's salt."""

ERASING = ".erasing"
"""Ending of a payload whose erasure was begun."""

_SALT_TEXT_SIZE = 44
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


class Commitment(NamedTuple):
    """What a log entry says of a payload. digest, size: of the packed bytes."""

    digest: Digest
    size: int


def pack_payload(data: bytes, salt: bytes) -> bytes:
    """Return the packed bytes of a payload. salt: 32 bytes. Raises EvidenceError (E-EVD-071)."""
    if len(salt) != SALT_SIZE:
        raise EvidenceError(BAD_PAYLOAD, "a salt is not 32 bytes", size=len(salt))
    return PAYLOAD_HEADER + encode64(salt).encode() + b"\n" + data


def open_payload(packed: bytes) -> bytes:
    """Return the data of a packed payload. Raises EvidenceError (E-EVD-071)."""
    start = len(PAYLOAD_HEADER)
    end = start + _SALT_TEXT_SIZE
    if packed[:start] != PAYLOAD_HEADER or packed[end : end + 1] != b"\n":
        raise EvidenceError(BAD_PAYLOAD, "a payload has no header", size=len(packed))
    try:
        salt = decode64(packed[start:end].decode("ascii"), BAD_PAYLOAD)
    except UnicodeDecodeError as error:
        raise EvidenceError(BAD_PAYLOAD, "a salt is no base64") from error
    if len(salt) != SALT_SIZE:
        raise EvidenceError(BAD_PAYLOAD, "a salt is not 32 bytes", size=len(salt))
    return packed[end + 1 :]


class Store:
    """The files beside a log. Nothing is made before something is kept."""

    def __init__(self, folder: Path) -> None:
        """Name a store. folder: usually ``store`` in the log's folder."""
        self.folder = folder

    def keep_statement(self, envelope: bytes) -> Digest:
        """Keep a DSSE envelope durably and return its digest.

        Raises EvidenceError (E-EVD-030) when malformed, StorageError (E-COR-004).
        """
        read_statement(envelope)
        return self._keep("statements", envelope)

    def statement(self, digest: str) -> bytes | None:
        """Return an envelope, None when it is not here.

        Raises EvidenceError (E-EVD-070) when the file is not what the digest says, StorageError
        (E-COR-005).
        """
        return self._read("statements", digest)

    def keep_payload(self, data: bytes, *, salt: bytes) -> Commitment:
        """Keep a payload durably and return its commitment.

        salt: 32 bytes from the system's randomness, never used twice. Raises EvidenceError
        (E-EVD-071), StorageError (E-COR-004).
        """
        packed = pack_payload(data, salt)
        return Commitment(self._keep("payloads", packed), len(packed))

    def payload(self, digest: str) -> bytes | None:
        """Return a packed payload, None when it is not here; raises like ``statement``."""
        return self._read("payloads", digest)

    def erase(self, digest: str) -> bool:
        """Overwrite and remove a payload with its salt, and return whether there was one.

        Raises StorageError (E-EVD-073); then call it again.
        """
        path = self.path("payloads", digest)
        leaving = path.with_name(path.name + ERASING)
        try:
            if path.exists():
                path.replace(leaving)
                sync_folder(path.parent)
            if not leaving.exists():
                return False
            _overwrite(leaving)
            leaving.unlink()
            sync_folder(path.parent)
        except OSError as error:
            raise StorageError(
                ERASE_FAILED, "a payload was not erased", path=str(path), reason=error.strerror
            ) from error
        return True

    def path(self, kind: str, digest: str) -> Path:
        """Return where a file lies. kind: statements or payloads. Raises E-EVD-070."""
        if not _DIGEST.match(digest):
            raise EvidenceError(
                STORE_CHANGED, "no file has such a digest", path=str(self.folder), digest=digest
            )
        return self.folder / kind / digest.removeprefix("sha256:")

    def names(self, kind: str) -> set[str]:
        """Return the names of the files of a kind: digests in hexadecimal, and begun erasures."""
        folder = self.folder / kind
        return set(os.listdir(folder)) if folder.is_dir() else set()  # noqa: PTH208 (a million names)

    def _keep(self, kind: str, data: bytes) -> Digest:
        digest = digest_bytes(data)
        write_file(self.path(kind, digest), data)
        return digest

    def _read(self, kind: str, digest: str) -> bytes | None:
        path = self.path(kind, digest)
        try:
            data = read_file(path)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                return None
            raise
        if digest_bytes(data) != digest:
            raise EvidenceError(STORE_CHANGED, "a stored file changed", path=str(path))
        return data


def _overwrite(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        left = os.fstat(handle).st_size
        zeros = bytes(min(left, 1 << 20))
        while left > 0:
            write_all(handle, zeros[:left])
            left -= len(zeros[:left])
        os.fsync(handle)
    finally:
        os.close(handle)
