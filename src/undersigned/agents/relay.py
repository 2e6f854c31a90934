"""What does a provider sign when it relays an answer, and what of it is kept?

With an HTTP 200 answer a provider or gateway may send one header::

    Undersigned-Relay: <key name> <base64 of an Ed25519 signature>

The signature is over the DSSE v1 pre-authentication encoding of the payload type
``application/vnd.undersigned.relay+json`` and the canonical JSON of
``{"request": "sha256:...", "response": "sha256:..."}``: the digests of the exact bytes of both
bodies, without transfer or content coding. A client sends nothing for it, so an endpoint cannot
tell who will check. Refuses nothing: a header that is not exactly this is as none.

Invariants:
- What is kept never holds the API key, not even spelled with JSON escapes, nested ones included.
- Nothing is believed here: whose signature it is, is for whoever holds a trust file to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from undersigned.agents.problems import BAD_RELAY
from undersigned.agents.view import Relay
from undersigned.core.canonical import Digest, digest_bytes, encode
from undersigned.core.errors import EvidenceError
from undersigned.evidence.keys import NAME, Signer
from undersigned.evidence.notes import decode64, encode64, verify_ed25519
from undersigned.evidence.statements import pae

HEADER = "Undersigned-Relay"
PAYLOAD_TYPE = "application/vnd.undersigned.relay+json"
RESPONSE_LIMIT = 1 << 20
"""Bytes of a signed answer that are kept; a longer one counts as not relayed."""
SIGNATURE_SIZE = 64
NESTING_LIMIT = 16
"""Escapes within escapes that are undone; an answer with more is not kept."""
_HEADER_LIMIT = 128 + 1 + 88
"""Characters of the longest key name, a space, and 64 bytes in base64."""

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|([\"\\/]))")


class Signed(NamedTuple):
    """A header that is well formed. key: the signer's name. signature: base64 of 64 bytes."""

    key: str
    signature: str


def signed_bytes(request: Digest, response: Digest) -> bytes:
    """Return what a provider signs. request, response: digests of the bodies' exact bytes."""
    return pae(PAYLOAD_TYPE, encode({"request": request, "response": response}))


def header_value(signer: Signer, request: Digest, response: Digest) -> str:
    """Return the header's value for an answer. request, response: digests of the bodies."""
    return f"{signer.name} {encode64(signer.sign(signed_bytes(request, response)))}"


def read_header(values: Sequence[str]) -> Signed | None:
    """Return what the header says, or None unless it is there once and well formed.

    values: of every header of that name.
    """
    if len(values) != 1 or len(values[0]) > _HEADER_LIMIT:
        return None
    key, _, signature = values[0].partition(" ")
    if not NAME.match(key):
        return None
    try:
        raw = decode64(signature, BAD_RELAY)
    except EvidenceError:
        return None
    return Signed(key, signature) if len(raw) == SIGNATURE_SIZE else None


def relay_of(signed: Signed, body: bytes, secret: str | None) -> Relay | None:
    """Return what is kept of a signed answer, or None when it must not be kept.

    body: the answer's bytes. secret: the API key.
    """
    if len(body) > RESPONSE_LIMIT:
        return None
    if secret is not None and (secret in " ".join(signed) or holds_secret(body, secret)):
        return None
    return Relay(signed.key, signed.signature, encode64(body))


def holds_secret(body: bytes, secret: str) -> bool:
    """Tell whether JSON text holds a secret, as it is or behind escapes within escapes, or has
    more of these than can be looked behind.

    >>> holds_secret(b'{"a":"\\\\u0073k-12345678"}', "sk-12345678")
    True
    """
    text = body.decode("utf-8", "replace")
    for _ in range(NESTING_LIMIT):
        if secret in text:
            return True
        plain = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], text)
        if plain == text:
            return False
        text = plain
    return True


def response_of(relay: Relay) -> bytes:
    """Return the answer's bytes. Raises EvidenceError (E-AGT-012) unless every field of the relay
    is as ``relay_of`` makes it."""
    if read_header([f"{relay.key} {relay.signature}"]) is None:
        raise EvidenceError(BAD_RELAY, "a signer's name or signature is malformed", key=relay.key)
    response = decode64(relay.response, BAD_RELAY)
    if len(response) > RESPONSE_LIMIT:
        raise EvidenceError(BAD_RELAY, "a kept answer is too long", limit=RESPONSE_LIMIT)
    return response


def is_relayed(public: bytes, signature: str, request: bytes, response: bytes) -> bool:
    """Tell whether a key signed that this request got this answer.

    public: 32 bytes. signature: base64. request, response: the bodies' exact bytes.
    """
    signed = signed_bytes(digest_bytes(request), digest_bytes(response))
    return verify_ed25519(public, decode64(signature, BAD_RELAY), signed)
