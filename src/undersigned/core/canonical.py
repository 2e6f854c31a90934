"""What are the exact bytes of a value, and is a text exactly those bytes?

RFC 8785 (JSON Canonicalization Scheme) for an I-JSON profile in which it needs no number
formatting: keys are ASCII, there are no floats, integers lie strictly between -2**53 and 2**53,
strings are valid Unicode. Anything else is an error, never a rounding. Within the profile
msgspec's sorted encoder writes the same bytes as RFC 8785.

Invariants:
- ``decode(encode(value))`` gives back the value, and ``encode(decode(data)) == data`` or it raises.
- Duplicate keys, unknown fields, white space, other escapes and trailing bytes are refused,
  because re-encoding would not give the same bytes.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from hashlib import sha256
from typing import NewType, TypeVar, cast

import msgspec

from undersigned.core.errors import EvidenceError, UsageError
from undersigned.core.problems import NOT_CANONICAL, NOT_DECODABLE, NOT_IN_PROFILE

Digest = NewType("Digest", str)
"""``sha256:`` and 64 lower-case hexadecimal digits."""

INT_LIMIT = 2**53
"""Integers must lie strictly between minus this and this (RFC 7493, section 2.2)."""

DEPTH_LIMIT = 64
"""Levels of lists and objects that are accepted inside a list or object."""

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="sorted")

encode_trusted = _encoder.encode
"""Encode a value whose type already guarantees the profile (frozen structs of str, bounded int,
bool and containers of these). Same bytes as ``encode``, without the check."""

encode_lines = _encoder.encode_lines
"""Encode each item of a sequence as one line ended by LF; trusted as above."""


def encode(value: object) -> bytes:
    """Return the canonical bytes of a value.

    value: structs, dicts with ASCII string keys, lists, tuples, str, int, bool, None, nested at
    most ``DEPTH_LIMIT`` deep. Raises UsageError (E-COR-001) for anything outside the profile.

    >>> encode({"b": 1, "a": "x"})
    b'{"a":"x","b":1}'
    """
    _check(value, 0)
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, TypeError, OverflowError) as error:
        raise UsageError(NOT_IN_PROFILE, "a value cannot be encoded", reason=error) from error


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -INT_LIMIT < value < INT_LIMIT:  # type: ignore[operator]
            raise UsageError(NOT_IN_PROFILE, "an integer is out of range", value=value)
    elif depth > DEPTH_LIMIT:
        raise UsageError(NOT_IN_PROFILE, "a value is nested too deep", limit=DEPTH_LIMIT)
    elif kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str or not key.isascii():
                raise UsageError(NOT_IN_PROFILE, "a key is not an ASCII string", key=key)
            _check(item, depth + 1)
    elif kind is list or kind is tuple:
        for item in value:  # type: ignore[attr-defined]
            _check(item, depth + 1)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _check(getattr(value, name), depth + 1)
    elif isinstance(value, str):
        return
    else:
        raise UsageError(NOT_IN_PROFILE, "a type is outside the profile", type=kind.__name__)


@lru_cache(maxsize=256)
def _decoder(type_: Hashable) -> msgspec.json.Decoder[object]:
    return msgspec.json.Decoder(cast(type, type_), strict=True)


def decode(data: bytes, type_: type[T]) -> T:
    """Decode canonical bytes as a type, refusing everything that is not exactly canonical.

    Raises EvidenceError: E-COR-003 when the bytes do not decode as the type, E-COR-002 when
    re-encoding does not give the same bytes (duplicate keys, spacing, escapes, key order).
    """
    try:
        value = _decoder(cast(Hashable, type_)).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(NOT_DECODABLE, "JSON could not be decoded", reason=error) from error
    try:
        again = encode(value)
    except UsageError as error:
        raise EvidenceError(NOT_CANONICAL, "JSON outside the profile", reason=error.what) from error
    if again != data:
        raise EvidenceError(NOT_CANONICAL, "JSON that does not re-encode to the same bytes")
    return value  # type: ignore[return-value]


def digest_bytes(data: bytes) -> Digest:
    """Return the SHA-256 digest of bytes."""
    return Digest("sha256:" + sha256(data).hexdigest())


def digest(value: object) -> Digest:
    """Return the SHA-256 digest of the canonical bytes of a value."""
    return digest_bytes(encode(value))
