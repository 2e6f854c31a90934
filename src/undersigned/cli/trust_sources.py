"""Where does a key that is to be trusted come from, and is anything missing from its entry?

Another trust file, a verifier key line, or a private key of the reader's own. Guesses nothing.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from undersigned.evidence.trust import Key


def copied(other: Path, name: str) -> Key:
    """Return an entry of another trust file. Raises UsageError (E-EVD-087)."""
    from undersigned.evidence.trust import load_trust
    from undersigned.evidence.trusting import key_named

    return key_named(load_trust(other), name, path=quoted(other))


def from_line(line: str, roles: tuple[str, ...]) -> Key:
    """Return the entry of a verifier key line. Raises EvidenceError (E-EVD-005).

    roles: as given. A witness's key is of another type than a log's, and neither signs as the
    other.
    """
    from undersigned.core.errors import EvidenceError
    from undersigned.evidence.notes import COSIGNATURE, parse_verifier_key
    from undersigned.evidence.problems import BAD_VERIFIER_KEY
    from undersigned.evidence.trust import Key

    line = line.strip()
    if not line.isascii():
        raise EvidenceError(BAD_VERIFIER_KEY, "a verifier key is not ASCII", value=line)
    verifier = parse_verifier_key(line)
    is_witness = verifier.kind == COSIGNATURE
    if is_witness and set(roles) - {"witness"}:
        misused("this line is a witness's key (type 4); leave --role out")
    if not is_witness and "witness" in roles:
        misused("this line is a log's key (type 1); ask the witness for its line of type 4")
    return Key.of(verifier.name, verifier.public, "", roles=("witness",) if is_witness else ())


def own(reference: str) -> Key:
    """Return the entry of one's own private key; only the public half is read out."""
    from undersigned.evidence.keys import open_signer
    from undersigned.evidence.trust import Key

    signer = open_signer(reference)
    return Key.of(signer.name, signer.public, signer.party, roles=(signer.role,))


def public_half(reference: str) -> tuple[str, Key]:
    """Return one's own key as the verifier key line that readers of logs know, empty for a role
    that signs no checkpoint, and as an entry of a trust file."""
    from undersigned.evidence.keys import open_signer
    from undersigned.evidence.notes import COSIGNATURE, ED25519, verifier_of

    key = own(reference)
    kind = {"log": ED25519, "witness": COSIGNATURE}.get(key.roles[0])
    return verifier_of(open_signer(reference), kind).text() if kind else "", key


def check_fingerprint(key: Key, given: str) -> None:
    """Raise a usage error unless the key has the fingerprint, in whatever grouping."""
    from undersigned.evidence.trusting import fingerprint

    found = fingerprint(key.public_bytes)
    plain = given.lower().removeprefix("sha-256").removeprefix("sha256")
    if "".join(plain.replace(":", " ").split()) != found.replace(" ", ""):
        misused(f"not the fingerprint of this key, so nothing was added; the key has {found}")


def complete(key: Key) -> Key:
    """Return the entry if nothing is missing from it; guesses nothing."""
    if not key.party:
        misused("whose key is it? add --party PARTY")
    if not key.roles:
        misused("what does it count as? add --role ROLE")
    if not key.origins and {"log", "witness"} & set(key.roles):
        misused(
            f"for which log may it sign? add --origin LOG (a log's key mostly bears its name: "
            f"{key.name})"
        )
    return key


def quoted(path: Path) -> str:
    """Return a path as a shell would need it."""
    return shlex.quote(str(path))


def misused(message: str) -> NoReturn:
    """Raise the usage error of the running verb."""
    raise click.UsageError(message, click.get_current_context())
