"""The exact bytes of a value: the same as RFC 8785 inside the profile, an error outside it."""

from __future__ import annotations

import enum
import json
from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from undersigned.core.canonical import (
    DEPTH_LIMIT,
    INT_LIMIT,
    decode,
    digest,
    digest_bytes,
    encode,
    encode_lines,
    encode_trusted,
)
from undersigned.core.errors import EvidenceError, UsageError

WHOLE = st.integers(-INT_LIMIT + 1, INT_LIMIT - 1)
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(max_codepoint=127))
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


class Row(msgspec.Struct, frozen=True):
    z: int
    a: str = "x"


class Loose(msgspec.Struct):
    value: object


class Colour(enum.IntEnum):
    RED = 1


@given(VALUES)
@example({"\x7f": 1, "\x00": 2, '"': 3, "\\": 4, "": 5, "A": 6, "a": 7, "aa": 8})
@example(["\u2028\u2029\x7f\x80\U0001f600\ufeff\b\f\n\r\t\x1f/<>&"])
def test_encode__any_value_of_the_profile__gives_the_bytes_of_rfc_8785(value):
    assert encode(value) == rfc8785.dumps(value)
    assert encode_trusted(value) == encode(value)


@given(VALUES)
def test_decode__what_encode_wrote__gives_the_value_back(value):
    assert decode(encode(value), object) == value


def test_encode__struct__has_its_fields_sorted_and_a_tuple_is_a_list():
    assert encode((Row(2), Row(1, "y"))) == b'[{"a":"x","z":2},{"a":"y","z":1}]'
    assert encode_lines([Row(2), Row(1)]) == b'{"a":"x","z":2}\n{"a":"x","z":1}\n'


def deep(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def endless():
    value = []
    value.append(value)
    return value


OUTSIDE = {
    "a float": 1.5,
    "a float that is whole": 1.0,
    "not a number": float("nan"),
    "an infinity": float("inf"),
    "a huge integer": INT_LIMIT,
    "a huge negative integer": -INT_LIMIT,
    "an integer beyond 64 bits": 1 << 80,
    "a decimal, which would become a string": Decimal("1.5"),
    "bytes, which would become base64": b"x",
    "a set, which has no order": {1, 2},
    "an enumeration": Colour.RED,
    "a non-ASCII key": {"é": 1},
    "a key that is no string": {1: "x"},
    "an object": object(),
    "a lone surrogate": "\ud800",
    "a lone surrogate in a key": {"\udfff": 1},
    "nested too deep": deep(DEPTH_LIMIT + 2),
    "a list in itself": endless(),
}


@pytest.mark.parametrize("shape", [lambda v: v, lambda v: [v], lambda v: {"k": v}, Loose])
@pytest.mark.parametrize("what", OUTSIDE)
def test_encode__outside_the_profile__is_an_error_and_never_a_rounding(what, shape):
    with pytest.raises(UsageError) as raised:
        encode(shape(OUTSIDE[what]))
    assert raised.value.code == "E-COR-001"


def test_encode__deepest_value_allowed__comes_back():
    value = deep(DEPTH_LIMIT + 1)
    assert decode(encode(value), list) == value


NOT_CANONICAL = {
    "a duplicate key": b'{"a":1,"a":1}',
    "a duplicate key that differs": b'{"a":1,"a":2}',
    "a space": b'{"a": 1}',
    "a leading space": b' {"a":1}',
    "a newline at the end": b'{"a":1}\n',
    "reordered keys": b'{"b":1,"a":1}',
    "an escape that is not needed": b'{"a":"\\u0041"}',
    "an escaped slash": b'{"a":"\\/"}',
    "a capital in an escape": b'{"a":"\\u001F"}',
    "minus zero": b'{"a":-0}',
    "a float": b'{"a":1.0}',
    "an exponent": b'{"a":1e2}',
    "an integer out of range": b'{"a":9007199254740992}',
    "a key outside ASCII": '{"é":1}'.encode(),
    "too deep": b'{"a":' + b"[" * 70 + b"]" * 70 + b"}",
}


@pytest.mark.parametrize("what", NOT_CANONICAL)
def test_decode__json_in_another_form__is_not_canonical(what):
    json.loads(NOT_CANONICAL[what])
    with pytest.raises(EvidenceError) as raised:
        decode(NOT_CANONICAL[what], dict)
    assert raised.value.code == "E-COR-002"


NOT_DECODABLE = {
    "nothing": b"",
    "a torn object": b'{"a":1',
    "trailing bytes": b'{"a":1}x',
    "a second value": b'{"a":1}{"a":1}',
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "bytes that are no UTF-8": b'{"a":"\xff"}',
    "an encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "an escaped lone surrogate": b'{"a":"\\ud800"}',
    "NaN": b'{"a":NaN}',
    "a leading zero": b'{"a":01}',
    "a comment": b'{"a":1/**/}',
    "a control character": b'{"a":"\x01"}',
    "a tower": b"[" * 200_000,
    "another type": b"[]",
}


@pytest.mark.parametrize("what", NOT_DECODABLE)
def test_decode__no_json_of_the_type__cannot_be_decoded(what):
    with pytest.raises(EvidenceError) as raised:
        decode(NOT_DECODABLE[what], dict)
    assert raised.value.code == "E-COR-003"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a":"x","b":1,"z":2}', "E-COR-002"),
        (b'{"z":2}', "E-COR-002"),
        (b'{"a":"x"}', "E-COR-003"),
        (b'{"a":1,"z":2}', "E-COR-003"),
        (b'{"a":"x","z":"2"}', "E-COR-003"),
        (b'{"a":"x","z":true}', "E-COR-003"),
        (b'{"a":null,"z":2}', "E-COR-003"),
    ],
    ids=["unknown field", "left to default", "missing", "number", "text", "boolean", "null"],
)
def test_decode__struct_with_other_fields__is_refused(data, code):
    assert decode(b'{"a":"x","z":2}', Row) == Row(2)
    with pytest.raises(EvidenceError) as raised:
        decode(data, Row)
    assert raised.value.code == code


@given(VALUES, st.data())
def test_decode__canonical_bytes_with_one_byte_changed__are_refused_or_mean_something_else(
    value, data
):
    original = encode(value)
    at = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != original[at]))
    changed = original[:at] + bytes([byte]) + original[at + 1 :]
    try:
        other = decode(changed, object)
    except EvidenceError:
        return
    assert encode(other) == changed
    assert digest(other) != digest(value)


def test_digest__of_a_value__is_sha_256_of_its_bytes():
    assert digest({"b": 1, "a": 2}) == "sha256:" + sha256(b'{"a":2,"b":1}').hexdigest()
    assert digest_bytes(b"") == f"sha256:{sha256().hexdigest()}"
