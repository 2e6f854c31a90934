"""Where does randomness come from, so that two runs share every draw they do not change?

A ``Stream`` is a key. ``child(*labels)`` derives another key from the labels, not from what was
drawn before; a stream's own draws are SHA-256 in counter mode (FIPS 180-4, 32 bytes a block).

Invariants:
- A child depends on its path of labels only, never on call order.
- Draws on one stream do not affect any other stream.
- ``integer`` is exactly uniform (rejection, no modulo bias).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")

_SPAN = 1 << 64
_SMALL = 1 << 32
_SURE = _SPAN - _SMALL
"""Below this, no bound up to ``_SMALL`` rejects a value; its exact limit need not be known."""

_FIRST = b"block0"
_unpack = struct.Struct(">4Q").unpack


class Stream:
    """A source of draws, keyed by 32 bytes.

    >>> Stream(b"k" * 32).child("a", 1).integer(6) == Stream(b"k" * 32).child("a", 1).integer(6)
    True
    """

    __slots__ = ("_counter", "_words", "key")

    def __init__(self, key: bytes) -> None:
        """Start a stream. key: 32 bytes."""
        self.key = key
        self._words: list[int] = []
        self._counter = 0

    @classmethod
    def of(cls, *labels: str | int | bytes) -> Stream:
        """Return the root stream of some labels."""
        return cls(sha256(_path(labels)).digest())

    def child(self, *labels: str | int | bytes) -> Stream:
        """Return the stream under these labels; independent of anything drawn so far."""
        if len(labels) == 1 and type(labels[0]) is str:
            return Stream(sha256(b"child" + self.key + _word(labels[0])).digest())
        return Stream(sha256(b"child" + self.key + _path(labels)).digest())

    def bits64(self) -> int:
        """Return a uniform integer in [0, 2**64)."""
        if not self._words:
            self._words = self._draw_block()
        return self._words.pop()

    def _draw_block(self) -> list[int]:
        """Return the next four integers, last first."""
        number = self._counter
        self._counter = number + 1
        name = _FIRST if not number else b"block%d" % number
        first, second, third, fourth = _unpack(sha256(name + self.key).digest())
        return [fourth, third, second, first]

    def integer(self, bound: int) -> int:
        """Return a uniform integer in [0, bound). bound: 1 to 2**64, else ValueError."""
        words = self._words
        if not words:
            words = self._words = self._draw_block()
        if 0 < bound <= _SMALL and words[-1] < _SURE:
            return words.pop() % bound
        if not 0 < bound <= _SPAN:
            raise ValueError(f"no bound: {bound}")
        while True:
            if not self._words:
                self._words = self._draw_block()
            value = self._words.pop()
            if (value < _SURE and bound <= _SMALL) or value < _SPAN - _SPAN % bound:
                return value % bound

    def between(self, low: int, high: int) -> int:
        """Return a uniform integer in [low, high], both included."""
        return low + self.integer(high - low + 1)

    def chance(self, numerator: int, denominator: int) -> bool:
        """Return True with probability numerator / denominator."""
        return self.integer(denominator) < numerator

    def choice(self, items: Sequence[T]) -> T:
        """Return one of the items, each alike likely. items: not empty."""
        return items[self.integer(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return ``count`` different items in drawn order (Fisher-Yates, partial)."""
        pool = list(items)
        for i in range(count):
            j = i + self.integer(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]

    def digits(self, count: int) -> str:
        """Return a string of ``count`` decimal digits; the first is not zero."""
        low: int = 10 ** (count - 1)
        return str(low + self.integer(9 * low))


def _path(labels: tuple[str | int | bytes, ...]) -> bytes:
    parts = []
    for label in labels:
        if type(label) is str:
            parts.append(_word(label))
            continue
        raw = b"i%d" % label if type(label) is int else b"b" + label  # type: ignore[operator]
        parts.append(b"%d:%b" % (len(raw), raw))
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _word(label: str) -> bytes:
    """Return a text label's part of a path; the same few names are drawn under again and again."""
    raw = b"s" + label.encode()
    return b"%d:%b" % (len(raw), raw)
