"""Who signs, with which key, and where does the private half lie?

Ed25519 (RFC 8032) private keys in PKCS#8 PEM files, one key per role, outside every project and
dossier. A few plain lines before the PEM block (RFC 7468 lets them be there) carry the key's
name, role and party. Refuses files that anyone but the owner can read, and never overwrites one.

Invariants:
- A key file has mode 0600 from its first byte.
- A private key never leaves this module: callers get ``sign`` and the public half.
- No error quotes what follows the first line of a PEM block.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from undersigned.core.errors import AccessDeniedError, StorageError, UsageError
from undersigned.core.files import sync_folder, write_all
from undersigned.evidence.problems import (
    BAD_KEY,
    BAD_KEY_NAME,
    KEY_EXISTS,
    KEY_EXPOSED,
    KEY_INSIDE,
    UNKNOWN_SCHEME,
)

ROLES = ("log", "witness", "tester", "provider", "owner", "approver")
"""log: signs checkpoints. witness: countersigns them. tester: signs what was planned and found.
provider: signs what a model answered. owner: answers for the system. approver: accepts risk."""

NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,127}\Z")
"""What a key name, party or log origin looks like."""

KEY_FILE_LIMIT = 1 << 16
"""Bytes of a private key file that are accepted."""

_PEM_START = b"-----BEGIN PRIVATE KEY-----"
_PEM_END = b"-----END PRIVATE KEY-----"
_HEAD = frozenset({"name", "role", "party"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(.*)", re.ASCII | re.DOTALL)


class Signer(Protocol):
    """Whoever can sign bytes; the private half may lie in a file, a card or another process."""

    @property
    def name(self) -> str:
        """Return the key's name, as trust files and signatures show it."""
        ...

    @property
    def role(self) -> str:
        """Return the key's one role, of ``ROLES``."""
        ...

    @property
    def party(self) -> str:
        """Return the party that the key belongs to; empty when unsaid."""
        ...

    @property
    def public(self) -> bytes:
        """Return the 32 bytes of the Ed25519 public key."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over data."""
        ...


class FileKey:
    """An Ed25519 key that was read from a file or made from a seed."""

    def __init__(self, key: Ed25519PrivateKey, *, name: str, role: str, party: str = "") -> None:
        """Wrap a private key. name, party: plain names. role: one of ``ROLES``."""
        self.name = check_name(name)
        self.role = _check_role(role)
        self.party = check_name(party) if party else ""
        self.public = key.public_key().public_bytes_raw()
        self._key = key

    @classmethod
    def from_seed(cls, seed: bytes, *, name: str, role: str, party: str = "") -> FileKey:
        """Return the key of a 32-byte seed. Whoever knows the seed can sign."""
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(key, name=name, role=role, party=party)

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature over data."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        """Show the name and role, never the private half."""
        return f"FileKey({self.name!r}, role={self.role!r})"


def check_name(name: str) -> str:
    """Return the name if it is plain, else raise UsageError (E-EVD-007)."""
    if not NAME.match(name):
        raise UsageError(BAD_KEY_NAME, "a name is not plain", name=name)
    return name


def create_key(
    folder: Path, role: str, name: str, *, party: str = "", forbidden: Sequence[Path] = ()
) -> Path:
    """Make a new private key from the system's randomness and return its file.

    folder: made when missing, mode 0700. role: one of ``ROLES``. name: as signatures show it.
    party: whose key. forbidden: folders (project, dossier) in which no key may lie. Raises
    UsageError (E-EVD-007, E-EVD-012, E-EVD-013) or StorageError (E-EVD-011).
    """
    key = FileKey(Ed25519PrivateKey.generate(), name=name, role=role, party=party)
    path = folder / f"{role}-{name.replace('/', '-')}.pem"
    _check_outside(folder, forbidden)
    pem = key._key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    head = f"name: {name}\nrole: {role}\nparty: {party}\n".encode()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(path, head + pem)
        sync_folder(folder)
    except OSError as error:
        raise StorageError(
            BAD_KEY, "a key file could not be written", path=str(path), reason=error.strerror
        ) from error
    return path


def _write_private(path: Path, data: bytes) -> None:
    try:
        # INVARIANT: O_EXCL and the mode at creation; the file never exists with wider rights.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise UsageError(KEY_EXISTS, "a key file exists already", path=str(path)) from error
    try:
        write_all(handle, data)
        os.fsync(handle)
    except OSError:
        # WHY: half a key is of no use, and would stand in the way of the next attempt.
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def load_key(path: Path) -> FileKey:
    """Read a private key file.

    Raises AccessDeniedError (E-EVD-010) when group or others have any right on it, and
    AccessDeniedError (E-EVD-011) when it is missing, linked, or no Ed25519 key with a name.
    """
    data = _read_private(path)
    head, start, pem = data.partition(_PEM_START)
    try:
        fields = _read_head(head)
        if not pem.rstrip().endswith(_PEM_END) or _PEM_START in pem:
            raise ValueError
        key = serialization.load_pem_private_key(start + pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # WHY: the cause is not chained or shown; a parser's message may quote the file.
        raise AccessDeniedError(BAD_KEY, "a key file is malformed", path=str(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise AccessDeniedError(BAD_KEY, "a key is not Ed25519", path=str(path))
    try:
        return FileKey(key, **fields)
    except UsageError as error:
        raise AccessDeniedError(BAD_KEY, error.what, path=str(path), **error.fields) from None


SCHEMES: Final[Mapping[str, Callable[[str], Signer]]] = MappingProxyType(
    {"file": lambda rest: load_key(Path(rest))}
)
"""Where signing keys can lie: by scheme, what opens the rest of a reference."""


def open_signer(reference: str) -> Signer:
    """Return the signer that a reference names. reference: ``file:PATH``, or a bare path.

    The point of extension for keys that are not files. A card, a cloud's key service or another
    process is one more module beside this one, with a class that has the five members of
    ``Signer`` (name, role, party, public, sign; name and party through ``check_name``) and a
    function from the text behind the colon to it; its scheme and that function are one more line
    in ``SCHEMES``, imported inside the function so that its library is needed only where it is
    used. Nothing else changes: whoever signs asks for a ``Signer``. Raises UsageError (E-EVD-089)
    for another scheme, and what ``load_key`` raises.
    """
    found = _SCHEME.fullmatch(reference)
    if found is None:
        return load_key(Path(reference))
    if found[1] not in SCHEMES:
        raise UsageError(
            UNKNOWN_SCHEME,
            "keys of this kind cannot be opened",
            scheme=found[1],
            known=", ".join(f"{name}:" for name in SCHEMES),
        )
    return SCHEMES[found[1]](found[2])


def _read_head(head: bytes) -> dict[str, str]:
    pairs = [line.partition(": ") for line in head.decode("ascii").split("\n")[:-1]]
    fields = {name: value for name, _, value in pairs}
    if len(fields) != len(pairs) or not {"name", "role"} <= fields.keys() <= _HEAD:
        raise ValueError
    return fields


def _read_private(path: Path) -> bytes:
    try:
        # WHY O_NONBLOCK: a named pipe must be refused, not waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise AccessDeniedError(
            BAD_KEY,
            "a key file cannot be opened",
            path=str(path),
            reason=getattr(error, "strerror", error),
        ) from error
    try:
        _check_private(os.fstat(handle), path)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(KEY_FILE_LIMIT + 1)
    except OSError as error:
        raise AccessDeniedError(
            BAD_KEY, "a key file cannot be read", path=str(path), reason=error.strerror
        ) from error
    finally:
        os.close(handle)
    if len(data) > KEY_FILE_LIMIT:
        raise AccessDeniedError(BAD_KEY, "a key file is too long", path=str(path))
    return data


def _check_private(state: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise AccessDeniedError(BAD_KEY, "a key is not a regular file", path=str(path))
    if state.st_mode & 0o077:
        mode = oct(state.st_mode & 0o777)
        raise AccessDeniedError(KEY_EXPOSED, "others can use a key", path=str(path), mode=mode)


def _check_role(role: str) -> str:
    if role not in ROLES:
        raise UsageError(BAD_KEY_NAME, "a role does not exist", role=role, roles=", ".join(ROLES))
    return role


def _check_outside(folder: Path, forbidden: Sequence[Path]) -> None:
    real = folder.resolve()
    for other in forbidden:
        if real.is_relative_to(other.resolve()):
            raise UsageError(
                KEY_INSIDE, "a key may not lie here", folder=str(folder), forbidden=str(other)
            )
