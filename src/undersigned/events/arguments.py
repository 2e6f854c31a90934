"""What did the agent mean by the argument text of a call?

The one strict parser for arguments. A text just as we would write it is read at once; any other
goes through the reader that says what is wrong. The digest covers the text, the policy sees this
parse, the tool gets this parse. Refused: anything but one JSON object, duplicate keys, lone
surrogates, NaN and Infinity, more than ``DEPTH_LIMIT`` levels, trailing bytes, more than
``SIZE_LIMIT`` bytes. Numbers become exact: integers, or decimals with an exponent of at most
``EXPONENT_LIMIT``.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Never

import msgspec

DEPTH_LIMIT = 32
"""Levels of nesting that are accepted."""
SIZE_LIMIT = 1 << 20
"""Bytes of argument text that are accepted."""
EXPONENT_LIMIT = 400
"""Largest absolute decimal exponent; larger numbers would exhaust memory when used."""

_Small = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_flat = msgspec.json.Decoder(dict[str, str | _Small | bool | list[dict[str, str]] | None])
_encode = msgspec.json.Encoder().encode


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """A parsed argument text: values, or the reason why there are none."""

    values: dict[str, object]
    undecodable: str


def parse_arguments(text: str) -> Parsed:
    """Parse the argument text of a call. Never raises.

    Returns values with str keys, and an empty reason; or no values and the reason.

    >>> parse_arguments('{"a": 1, "a": 2}').undecodable
    'duplicate key'
    """
    if len(text) > SIZE_LIMIT // 4:
        return _parse_slowly(text)
    try:
        values = _flat.decode(text)
        # INVARIANT: a text that comes back byte for byte held no key twice, nothing but Unicode,
        # and no number but integers of 64 bits.
        if _encode(values) == text.encode():
            return Parsed(values, "")  # type: ignore[arg-type]
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        pass
    return _parse_slowly(text)


def copied(value: Any) -> Any:
    """Return a copy of parsed arguments, or of a part of them, that shares nothing changeable."""
    kind = type(value)
    if kind is dict:
        return {name: copied(inner) for name, inner in value.items()}
    if kind is list:
        return [copied(inner) for inner in value]
    return value


def _parse_slowly(text: str) -> Parsed:
    """Parse a text that is written otherwise than we would write it, or is to be refused."""
    try:
        if len(text.encode()) > SIZE_LIMIT:
            return Parsed({}, "too long")
        if _depth(text) > DEPTH_LIMIT:
            return Parsed({}, "nested too deep")
        value = _reader.decode(text)
        if not isinstance(value, dict):
            return Parsed({}, "not an object")
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeError:
        return Parsed({}, "lone surrogate")
    except _RefusedError as error:
        return Parsed({}, str(error))
    except (ValueError, RecursionError, InvalidOperation):
        return Parsed({}, "not JSON")
    return Parsed(value, "")


class _RefusedError(Exception):
    """The text is JSON by syntax, but refused."""


def _depth(text: str) -> int:
    depth = deepest = 0
    inside = escaped = False
    for c in text:
        if inside:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            elif c == '"':
                inside = False
        elif c == '"':
            inside = True
        elif c in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _RefusedError("duplicate key")
    return values


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    is_small = isinstance(exponent, int) and abs(exponent) <= EXPONENT_LIMIT
    if not is_small or abs(value.adjusted()) > EXPONENT_LIMIT:
        raise _RefusedError("number out of range")
    return value


def _integer(text: str) -> int:
    if len(text) > EXPONENT_LIMIT:
        raise _RefusedError("number out of range")
    return int(text)


def _constant(_: str) -> Never:
    raise _RefusedError("NaN or Infinity")


_reader = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
)
