"""Does a value occur in a text, plainly or disguised, and are two spellings the same value?

For identifiers and names, where punctuation and spacing carry no meaning. Not for amounts:
``12.50`` and ``1250`` fold alike.

Looks for the value as it is, folded (see ``fold``), reversed, in ROT13, romanised, in hexadecimal,
in base64 (either alphabet, any alignment, padding or none), percent-encoded, and in the escapes of
HTML, JSON and Python; encodings within encodings two deep. It does not see paraphrase,
translation, number words, digits spelt out, compression, encryption, or a value cut in pieces
with other text between them.

Invariants:
- Total and linear in the text's length; never raises for a text, whatever it holds.
- Whatever ``transforms.TRANSFORMS`` does to a value between spaces is found.
- A value too short to be told from chance is refused, not reported as absent.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from undersigned.core.errors import UsageError
from undersigned.languages.alphabets import LATIN_OF
from undersigned.languages.disguises import undo
from undersigned.languages.problems import VALUE_TOO_SHORT
from undersigned.languages.romanisation import romanise

Guise: TypeAlias = Literal[
    "plain",
    "folded",
    "reversed",
    "rot13",
    "romanised",
    "hex",
    "base64",
    "percent",
    "escaped",
]
"""How a value was found. plain: character by character. folded: the same after ``fold``.
escaped: in HTML entities or backslash escapes. The others are named after the encoding."""

MINIMUM_WEIGHT: Final = 4
"""Least weight of a value: its folded characters, ideographs and syllables counted twice."""

_TO_URL_SAFE: Final = str.maketrans("+/", "-_")
_REMEMBERED: Final = 1024
_PIECE: Final = 512
_WORD: Final = 64
"""Characters of the longest word that is kept."""
_PUNCTUATION: Final = bytes(b for b in range(128) if not chr(b).isalnum())
_LOWER: Final = bytes(ord(chr(b).lower()) if b < 128 else b for b in range(256))


class _CharacterFolds(dict[int, str]):
    """The folded form of each character, worked out when it is first seen."""

    def __missing__(self, code: int) -> str:
        folded = "".join(map(_fold_character, unicodedata.normalize("NFKD", chr(code)).casefold()))
        self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    if "\u0300" <= character <= "\u036f":
        return ""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return LATIN_OF.get(character, character) if category[0] in "LNM" else ""


@lru_cache(maxsize=1)
def _character_folds() -> _CharacterFolds:
    return _CharacterFolds()


def fold(text: str) -> str:
    """Return the form in which spellings of one identifier or name agree.

    Letters in lower case and basic width, without Latin, Greek and Cyrillic diacritics,
    look-alikes as the Latin letters they resemble; decimal digits of all scripts as 0 to 9;
    white space, punctuation, symbols, controls, zero-width and bidi characters left out. Built on
    NFKD and full case folding (Unicode Standard, sections 3.11 and 5.18).

    >>> fold("S-1234\\u200b567 D")
    's1234567d'
    """
    if text.isascii():
        return text.encode().translate(_LOWER, _PUNCTUATION).decode()
    return _folded_words(text)


def word_by_word(change: Callable[[str], str], joint: str) -> Callable[[str], str]:
    """Return what changes a text word by word, and keeps what became of short words.

    change: to a word; the same as to the whole text but for the spaces. joint: between the changed
    words. Words come again and again, while a table is asked character by character.
    """
    kept = lru_cache(maxsize=8 * _REMEMBERED)(change)

    def changed(text: str) -> str:
        words = text.split(" ")
        return joint.join([kept(each) if len(each) <= _WORD else change(each) for each in words])

    return changed


def _folded(word: str) -> str:
    return _in_mark_order(word).translate(_character_folds())


_folded_words = word_by_word(_folded, "")


def _in_mark_order(text: str) -> str:
    """Return the NFD of a text, in linear time.

    WHY pieces: putting n combining marks in order takes n * n steps, so marks are put in order
    within runs of at most ``_PIECE`` characters beyond ASCII.
    """
    if len(text) <= _PIECE:
        return unicodedata.normalize("NFD", text)
    return "".join([unicodedata.normalize("NFD", each) for each in _pieces().findall(text)])


@lru_cache(maxsize=1)
def _pieces() -> re.Pattern[str]:
    return re.compile(rf"[\0-\x7f]+|[^\0-\x7f]{{1,{_PIECE}}}")


def weight(value: str) -> int:
    """Return how much a value weighs against chance: folded characters, ideographs twice."""
    folded = fold(value)
    return len(folded) + sum("\u2e80" <= c <= "\ud7af" or c > "\U0001ffff" for c in folded)


class _Needles(NamedTuple):
    """What to look for, by where: in the folded text, or in the text as it is."""

    folded: str
    in_folded: tuple[tuple[str, Guise], ...]
    in_text: tuple[str, ...]


@lru_cache(maxsize=8192)
def _needles(value: str) -> _Needles:
    if weight(value) < MINIMUM_WEIGHT:
        raise UsageError(VALUE_TOO_SHORT, "a value is too short to search for", value=value)
    folded = fold(value)
    forms = dict.fromkeys((value, folded, folded.upper()))
    if len(value) <= _PIECE:
        forms[unicodedata.normalize("NFC", value)] = None
    encoded = [form.encode("utf-8", "surrogatepass") for form in forms]
    guises: list[tuple[str, Guise]] = [
        (folded[::-1], "reversed"),
        (fold(value[::-1]), "reversed"),
        (codecs.encode(folded, "rot13"), "rot13"),
        (fold(codecs.encode(value, "rot13")), "rot13"),
        (fold(romanise(value)), "romanised"),
        *((data.hex(), "hex") for data in encoded),
    ]
    distinct = dict[str, Guise]()
    for needle, guise in guises:
        if needle != folded and len(needle) >= min(len(folded), MINIMUM_WEIGHT):
            distinct.setdefault(needle, guise)
    aligned = dict.fromkeys(needle for data in encoded for needle in _aligned(data))
    url_safe = {needle.translate(_TO_URL_SAFE): None for needle in aligned}
    return _Needles(folded, tuple(distinct.items()), tuple(aligned | url_safe))


def _aligned(data: bytes) -> tuple[str, ...]:
    """Return the base64 characters that bytes determine at each of the three alignments."""
    found: list[str] = []
    for before in range(3):
        coded = b64encode(b"\0" * before + data).decode()
        start, end = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        found.append(coded[start:end])
    return tuple(found)


def occurs(value: str, text: str) -> Guise | None:
    """Say how a value occurs in a text, or None when it is in none of the known guises.

    value: an identifier or a name that weighs at least ``MINIMUM_WEIGHT``. Searched as a part of
    the text, so it is also found inside a longer number or word. Raises UsageError (E-LNG-012)
    for a lighter value.

    >>> occurs("12345678", "ref MTIzNDU2Nzg=")
    'base64'
    """
    needles = _needles(value)
    if value in text:
        return "plain"
    layers = _layers(text) if len(text) > _REMEMBERED else _remembered_layers(text)
    found = _found_in(needles, layers[0])
    if found is not None:
        return found
    for layer in layers[1:]:
        if _found_in(needles, layer) is not None:
            return layer.guise
    return None


class _Layer(NamedTuple):
    """A text as it is, or what is under an encoding. guise: of what is found in it, if only
    folded. folded, text: to search; pieces are separated by spaces.
    """

    guise: Guise
    folded: str
    text: str


def _found_in(needles: _Needles, layer: _Layer) -> Guise | None:
    folded, text = layer.folded, layer.text
    if needles.folded in folded:
        return layer.guise
    for needle, guise in needles.in_folded:
        if needle in folded:
            return guise
    for needle in needles.in_text:
        if needle in text:
            return "base64"
    return None


def _layers(text: str) -> tuple[_Layer, ...]:
    """Return the text as it is, then what is under each of its encodings.

    WHY spaces between pieces: a folded text holds none, so nothing is found across two pieces.
    """
    under = (
        _Layer(each.encoding, " ".join(map(fold, each.texts)), " ".join(each.texts))
        for each in undo(text)
    )
    return (_Layer("folded", fold(text), text), *under)


@lru_cache(maxsize=2048)
def _remembered_layers(text: str) -> tuple[_Layer, ...]:
    """Return the layers of a short text, which is often searched for many values in a row."""
    return _layers(text)
