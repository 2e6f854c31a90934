"""Which inputs look almost like a valid one?

Structure-aware mutations of bytes: bits and bytes, spans, splices of two seeds, words of a
dictionary, numbers, base64 with other spellings of the same bytes, lines, look-alike letters,
byte-order marks, line ends, JSON spellings, and length fields of zip headers. Every draw comes
from the random source that is given, so a seed gives the same inputs again.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

NUMBER = re.compile(rb"[0-9]{1,20}")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{8,}={0,2}")
LETTERS = re.compile(rb"[A-Za-z]{2,}")
STRING = re.compile(rb'"[^"\\]{1,80}"')
HEXES = re.compile(rb"[0-9a-f]{8,}")

NUMBERS = (
    b"0", b"00", b"-0", b"-1", b"1", b"01", b"+1", b"1.0", b"1e0", b"0x1", b"255", b"256",
    b"65535", b"65536", b"4294967295", b"4294967296", b"9007199254740991", b"9007199254740992",
    b"9223372036854775807", b"18446744073709551616", b"99999999999999999999", b"NaN", b"Infinity",
    b"true", b"null", b"\xd9\xa1", b"\xef\xbc\x91", b"1_0", b"",
)  # fmt: skip
"""Numbers at the edges, and what some readers take for numbers."""

LOOK_ALIKES = {
    b"a": "а", b"c": "с", b"e": "е", b"i": "і", b"o": "о", b"p": "р", b"s": "ѕ", b"x": "х",
    b"y": "у", b"-": "‐", b".": "․", b"/": "∕", b":": "：", b"1": "１", b"+": "＋", b"=": "＝",
    b" ": "\u00a0", b"\n": "\u2028", b"\xe2\x80\x94": "–", b"K": "\u212a", b'"': "＂",
}  # fmt: skip
"""A character and another that people may take for it."""

ODD = (
    b"\x00", b"\xef\xbb\xbf", b"\r", b"\t", b"\x0b", b"\x1b", b"\x7f", b"\xc2\x85", b"\xe2\x80\xa8",
    b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xc0\xaf", b"\xff", b"\xe2\x80\xae", b"\xe2\x80\x8b",
    b"\n", b" ", b"\n\n", b"\\", b'"', b"\xcc\x81",
)  # fmt: skip
"""Bytes that readers treat differently."""


class Pool(NamedTuple):
    """What inputs are made from. seeds: valid ones. words: tokens of the format."""

    seeds: Sequence[bytes]
    words: Sequence[bytes] = ()


Mutation = Callable[[Random, bytes, Pool], bytes]


def _span(draw: Random, data: bytes, most: int = 32) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.choice((1, 1, 2, 4, 8, most)))


def _pick(draw: Random, pattern: re.Pattern[bytes], data: bytes) -> tuple[int, int] | None:
    """Return a match near a random place, so that long inputs need not be searched whole."""
    found = pattern.search(data, draw.randrange(len(data) + 1)) or pattern.search(data)
    return found.span() if found else None


def flip(draw: Random, data: bytes, _: Pool) -> bytes:
    """Flip one bit."""
    if not data:
        return data
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]


def insert(draw: Random, data: bytes, pool: Pool) -> bytes:
    """Insert odd bytes, a word, or random ones."""
    at = draw.randrange(len(data) + 1)
    kind = draw.randrange(3)
    new = draw.choice(ODD) if kind == 0 else draw.randbytes(draw.choice((1, 2, 32)))
    if kind == 1 and pool.words:
        new = draw.choice(pool.words)
    return data[:at] + new + data[at:]


def delete(draw: Random, data: bytes, _: Pool) -> bytes:
    """Delete a span, or everything from a place on."""
    start, end = _span(draw, data)
    return data[:start] if draw.randrange(8) == 0 else data[:start] + data[end:]


def duplicate(draw: Random, data: bytes, _: Pool) -> bytes:
    """Repeat a span, or copy it elsewhere over other bytes."""
    start, end = _span(draw, data)
    if draw.randrange(2):
        return data[:end] + data[start:]
    at = draw.randrange(len(data) + 1)
    return data[:at] + data[start:end] + data[at + end - start :]


def splice(draw: Random, data: bytes, pool: Pool) -> bytes:
    """Go on in another seed, at the same place or at any."""
    other = draw.choice(pool.seeds)
    at = draw.randrange(len(data) + 1)
    then = at if draw.randrange(2) else draw.randrange(len(other) + 1)
    return data[:at] + other[then:]


def swap_word(draw: Random, data: bytes, pool: Pool) -> bytes:
    """Put one word of the dictionary for another that occurs."""
    present = [word for word in pool.words if word in data]
    if not present:
        return insert(draw, data, pool)
    old, new = draw.choice(present), draw.choice(pool.words)
    count = data.count(old) if draw.randrange(4) == 0 else 1
    return data.replace(old, new, count)


def edit_number(draw: Random, data: bytes, _: Pool) -> bytes:
    """Replace a number by its neighbour, another spelling of it, or one at an edge."""
    if (found := _pick(draw, NUMBER, data)) is None:
        return data
    start, end = found
    old = data[start:end]
    near = str(max(0, int(old) + draw.choice((-256, -1, 1, 2, 256)))).encode()
    new = draw.choice((near, near, b"0" + old, old + b".0", b"-" + old, draw.choice(NUMBERS)))
    return data[:start] + new + data[end:]


def respell_base64(draw: Random, data: bytes, _: Pool) -> bytes:
    """Spell base64 otherwise: unused bits, padding, URL alphabet, white space."""
    if (found := _pick(draw, BASE64, data)) is None:
        return data
    start, end = found
    text = data[start:end]
    body = text.rstrip(b"=")
    kind = draw.randrange(6)
    if kind == 0 and body:
        # The lowest bits of the last character are unused when padding follows.
        text = body[:-1] + bytes([body[-1] + draw.choice((-1, 1))]) + text[len(body) :]
    elif kind == 1:
        text = body + b"=" * draw.randrange(5)
    elif kind == 2:
        text = text.replace(b"+", b"-").replace(b"/", b"_")
    elif kind == 3:
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice((b" ", b"\n", b"\r", b"=", b"\xc2\xa0")) + text[at:]
    elif kind == 4:
        text = text[: draw.randrange(len(text) + 1)] + draw.choice((b"", b"A", b"AA", b"===="))
    else:
        text = text.swapcase()
    return data[:start] + text + data[end:]


def move_lines(draw: Random, data: bytes, _: Pool) -> bytes:
    """Swap, repeat or drop lines."""
    lines = data.split(b"\n")
    one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
    kind = draw.randrange(4)
    if kind == 0:
        lines[one], lines[two] = lines[two], lines[one]
    elif kind == 1:
        lines.insert(two, lines[one])
    elif kind == 2:
        del lines[one]
    else:
        lines.insert(one, draw.choice((b"", b" ", lines[two])))
    return b"\n".join(lines)


def look_alike(draw: Random, data: bytes, _: Pool) -> bytes:
    """Put a character that looks like another."""
    present = [old for old in LOOK_ALIKES if old in data]
    if not present:
        return data
    old = draw.choice(present)
    at = data.find(old, draw.randrange(len(data)))
    at = data.find(old) if at < 0 else at
    return data[:at] + LOOK_ALIKES[old].encode() + data[at + len(old) :]


def respell_lines(draw: Random, data: bytes, _: Pool) -> bytes:
    """Use another convention for the whole text: marks, line ends, final line ends, encoding."""
    kind = draw.randrange(6)
    if kind == 0:
        return b"\xef\xbb\xbf" + data
    if kind == 1:
        return data.replace(b"\n", b"\r\n")
    if kind == 2:
        return data.rstrip(b"\n")
    if kind == 3:
        return data + draw.choice((b"\n", b" ", b"\x00", b"\r\n"))
    if kind == 4:
        return data.replace(b"\n", b"\r")
    return data.decode("utf-8", "replace").encode(draw.choice(("utf-16", "utf-8-sig", "utf-32")))


def respell_json(draw: Random, data: bytes, _: Pool) -> bytes:
    """Spell JSON otherwise: escapes, spaces, case of hexadecimal digits, a pair twice."""
    kind = draw.randrange(5)
    pattern = {0: LETTERS, 1: STRING, 2: STRING, 3: HEXES}.get(kind)
    if pattern is None:
        at = draw.randrange(len(data) + 1)
        return data[:at] + draw.choice((b" ", b"\t", b",", b"{}", b"[]", b"//", b":")) + data[at:]
    if (found := _pick(draw, pattern, data)) is None:
        return data
    start, end = found
    old = data[start:end]
    if kind == 0:
        return data[:start] + b"\\u%04x" % old[0] + data[start + 1 :]
    if kind == 1:
        return data[:start] + b"'" + old[1:-1] + b"'" + data[end:]
    if kind == 2:
        return data[:start] + old + b":" + old + b"," + data[start:]
    return data[:start] + old.upper() + data[end:]


MUTATIONS: tuple[Mutation, ...] = (
    flip, flip, insert, delete, duplicate, splice, swap_word, edit_number, respell_base64,
    move_lines, look_alike, respell_lines, respell_json,
)  # fmt: skip

ZIP_FIELDS = {
    b"PK\x03\x04": ((4, 2), (6, 2), (8, 2), (10, 2), (12, 2), (14, 4), (18, 4), (22, 4), (26, 2),
                    (28, 2)),
    b"PK\x01\x02": ((4, 2), (6, 2), (8, 2), (10, 2), (12, 2), (14, 2), (16, 4), (20, 4), (24, 4),
                    (28, 2), (30, 2), (32, 2), (34, 2), (36, 2), (38, 4), (42, 4)),
    b"PK\x05\x06": ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)),
}  # fmt: skip
"""Offset and width of each field of local header, central header and end record."""


def edit_zip_field(draw: Random, data: bytes, _: Pool) -> bytes:
    """Change one field of one header of a zip."""
    mark = draw.choice(tuple(ZIP_FIELDS))
    at = data.find(mark, draw.randrange(len(data) + 1))
    at = data.find(mark) if at < 0 else at
    offset, width = draw.choice(ZIP_FIELDS[mark])
    if at < 0 or at + offset + width > len(data):
        return data
    place = at + offset
    old = int.from_bytes(data[place : place + width], "little")
    most = (1 << 8 * width) - 1
    new = draw.choice((old + 1, old - 1, old ^ 1 << draw.randrange(8 * width), 0, most, 8, 0x20))
    return data[:place] + (new & most).to_bytes(width, "little") + data[place + width :]


def extend_zip(draw: Random, data: bytes, pool: Pool) -> bytes:
    """Put bytes before, after or between the parts of a zip, or in its comment."""
    junk = draw.choice((b"\x00", b"junk", b"PK\x05\x06" + bytes(18), draw.choice(pool.seeds)))
    kind = draw.randrange(4)
    if kind == 0:
        return junk + data
    if kind == 1:
        return data + junk
    if kind == 2:
        return data[:-2] + len(junk[:9]).to_bytes(2, "little") + junk[:9]
    at = data.find(b"PK\x01\x02")
    return data[:at] + junk + data[at:]


def extra_field(draw: Random, data: bytes, _: Pool) -> bytes:
    """Add an extra field to the first central header of a zip, lengths adjusted."""
    at, end = data.find(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    if at < 0 or end < at or len(data) < end + 22:
        return data
    kind = draw.choice((0x0001, 0x7075, 0x5455, 0x9901, 0xCAFE))
    body = draw.choice((b"", draw.randbytes(8), (1 << 63).to_bytes(8, "little"), bytes(16)))
    extra = struct.pack("<HH", kind, len(body) + draw.choice((0, 0, 0, 1))) + body
    name = int.from_bytes(data[at + 28 : at + 30], "little")
    head = bytearray(data[at : at + 46 + name])
    head[30:32] = len(extra).to_bytes(2, "little")
    if draw.randrange(2):
        place, width = draw.choice(((20, 4), (24, 4), (42, 4)))
        head[place : place + width] = b"\xff" * width
    tail = bytearray(data[end:])
    size = int.from_bytes(tail[12:16], "little") + len(extra)
    tail[12:16] = (size & 0xFFFFFFFF).to_bytes(4, "little")
    return data[:at] + bytes(head) + extra + data[at + 46 + name : end] + bytes(tail)


ZIP_MUTATIONS: tuple[Mutation, ...] = (
    flip, flip, delete, duplicate, insert, splice, edit_zip_field, edit_zip_field, edit_zip_field,
    edit_zip_field, extend_zip, extra_field,
)  # fmt: skip


def mutate(
    draw: Random, pool: Pool, mutations: Sequence[Mutation] = MUTATIONS, limit: int = 1 << 16
) -> bytes:
    """Return a seed after one to four mutations, at most ``limit`` bytes longer than it was."""
    seed = data = draw.choice(pool.seeds)
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4))):
        data = draw.choice(mutations)(draw, data, pool)
    return data[: len(seed) + limit]
