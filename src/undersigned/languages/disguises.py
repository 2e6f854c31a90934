"""What does a text say once its encodings are undone?

Undoes hexadecimal, base64 (both alphabets, any alignment, with or without padding, also wrapped
over lines), percent-encoding, HTML entities and backslash escapes, and encodings within
encodings ``DEPTH`` deep. Before that, look-alike letters, width and invisible characters within an
encoding are undone, and a text with a right-to-left override is also read backwards.

The undone texts are searched, not shown: what is not an encoding decodes to nonsense, in which a
value is as unlikely as in any random bytes.

Invariants:
- Total, deterministic, and linear in the text's length for the fixed depth.
"""

from __future__ import annotations

import binascii
import html
import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote

from undersigned.languages.alphabets import INVISIBLE, LOOK_ALIKES, RIGHT_TO_LEFT_OVERRIDE

Encoding: TypeAlias = Literal["hex", "base64", "percent", "escaped"]
"""escaped: HTML entities, backslash escapes, or ``0x`` bytes. The others say what they are."""

DEPTH: Final = 2
"""Encodings within encodings that are undone."""

_SHORTEST_RUN: Final = 10
"""Characters of the shortest encoding that is undone: five bytes in hexadecimal, seven in base64.
Shorter ones are for the searcher to encode and find as they are."""
_URL_SAFE: Final = str.maketrans("-_", "+/", "\r\n")


class Undone(NamedTuple):
    """Texts under one encoding. encoding: the outermost. texts: what they decode to."""

    encoding: Encoding
    texts: tuple[str, ...]


def undo(text: str, depth: int = DEPTH) -> tuple[Undone, ...]:
    """Return what the encodings in a text decode to; empty for a text without any suspicion.

    depth: how many encodings within encodings to undo, at least 1.
    """
    seen = text if text.isascii() else _visible(text)
    found = [Undone("percent", (unquote(seen),))] if "%" in seen else []
    if "\\" in seen or "&" in seen or "0x" in seen or "0X" in seen:
        found.append(Undone("escaped", (_unescaped(seen),)))
    runs = _encoded_runs(seen)
    if runs:
        found.append(Undone("hex", tuple(t for run in runs for t in _from_hex(run))))
        found.append(Undone("base64", tuple(t for run in runs for t in _from_base64(run))))
    if not found:
        return ()
    outer = tuple(each for each in found if any(t and t != seen for t in each.texts))
    if depth == 1 or not outer:
        return outer
    inner = (
        Undone(each.encoding, deeper.texts)
        for each in outer
        for deeper in undo(" ".join(each.texts), depth - 1)
    )
    return (*outer, *inner)


def _encoded_runs(text: str) -> list[str]:
    if "\n" not in text:
        # WHY: cutting at white space first is twice as fast as the expression on prose.
        text = " ".join([word for word in text.split() if len(word) >= _SHORTEST_RUN])
    return [run for run in _runs().findall(text) if not _is_word(run)] if text else []


@lru_cache(maxsize=1)
def _runs() -> re.Pattern[str]:
    return re.compile(rf"[A-Za-z0-9+/_-]{{{_SHORTEST_RUN},}}(?:\r?\n[A-Za-z0-9+/_-]+)*")


def _is_word(run: str) -> bool:
    """Whether a run is a word in small letters (perhaps capitalised), as encodings are not."""
    return run.isalpha() and run[1:].islower()


@lru_cache(maxsize=1)
def _disguising() -> re.Pattern[str]:
    return re.compile(f"[{INVISIBLE}{''.join(LOOK_ALIKES.values())}\uff01-\uff5e]")


@lru_cache(maxsize=1)
def _plain_table() -> MappingProxyType[int, str]:
    latin = {ord(alike): letter for letter, alike in LOOK_ALIKES.items()}
    full_width = {0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)}
    return MappingProxyType(latin | full_width | dict.fromkeys(map(ord, INVISIBLE), ""))


def _visible(text: str) -> str:
    """Return a text without invisible characters, look-alikes and width; doubled if overridden."""
    if RIGHT_TO_LEFT_OVERRIDE in text:
        text = f"{text} {text[::-1]}"
    return text.translate(_plain_table()) if _disguising().search(text) else text


def _text(data: bytes) -> str:
    """Read bytes as UTF-8, leaving out what is not; UTF-16 of ASCII by leaving out zero bytes."""
    return data.replace(b"\0", b"").decode("utf-8", "ignore")


def _from_base64(run: str) -> list[str]:
    clean = run.translate(_URL_SAFE)
    found: list[str] = []
    for start in range(4):
        part = clean[start:]
        if len(part) % 4 == 1:
            part = part[:-1]
        found.append(_text(binascii.a2b_base64(part + "=" * (-len(part) % 4))))
    return found


@lru_cache(maxsize=1)
def _hex_runs() -> re.Pattern[str]:
    return re.compile(rf"[0-9A-Fa-f]{{{_SHORTEST_RUN},}}")


def _from_hex(run: str) -> list[str]:
    found: list[str] = []
    for digits in _hex_runs().findall(run.translate(_URL_SAFE)):
        for start in range(2):
            end = start + (len(digits) - start) // 2 * 2
            found.append(_text(bytes.fromhex(digits[start:end])))
    return found


@lru_cache(maxsize=1)
def _escapes() -> re.Pattern[str]:
    return re.compile(
        r"\\x([0-9A-Fa-f]{2})|\\u\{?([0-9A-Fa-f]{4,6})\}?|\\U([0-9A-Fa-f]{8})"
        r"|\\([0-3]?[0-7]{2})|0[xX]([0-9A-Fa-f]{2})[\s,;]*"
    )


def _unescaped(text: str) -> str:
    return _escapes().sub(_escaped_character, html.unescape(text))


def _escaped_character(found: re.Match[str]) -> str:
    byte, four, eight, octal, hexadecimal = found.groups()
    code = int(octal, 8) if octal else int(byte or four or eight or hexadecimal, 16)
    return chr(code) if code < 0x110000 else found.group()
