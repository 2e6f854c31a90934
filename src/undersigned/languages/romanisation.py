"""How is a text in Thai, Tamil or Vietnamese written with the basic Latin letters?

Letter by letter, from tables: Thai after the consonants and vowels of the Royal Thai General
System (RTGS, initial values, tones dropped), Tamil after ISO 15919 without its diacritics, Latin
script with its diacritics dropped (which is how Vietnamese and Malay names are typed without
marks). The result is a plausible informal spelling, not a transcription: Thai vowels that are
not written stay unwritten, syllable-final consonants keep their initial value.

Refuses: Chinese and every other script have no table here; their characters pass unchanged.

Invariants:
- Total: any string, including lone surrogates, gives a string.
- A text without Thai, Tamil or accented Latin letters comes back unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType
from typing import Final


def _table(letters: str, spellings: str, silent: str = "") -> MappingProxyType[str, str]:
    """Pair letters with spellings (separated by spaces); silent letters have none."""
    table = dict(zip(letters, spellings.split(), strict=True)) | dict.fromkeys(silent, "")
    return MappingProxyType(table)


_THAI: Final = _table(
    "กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ" + "ฤฦะัาำิีึืุูเแโใไๅ",
    "k kh kh kh kh kh ng ch ch ch s ch y d t th th th n d t th th th n b p ph f ph f ph m y r l "
    "w s s s h l o h rue lue a a a am i i ue ue u u e ae o ai ai a",
    silent="็่้๊๋์ํ๎ฺ",
)
_TAMIL_CONSONANTS: Final = _table(
    "கஙசஜஞடணதநனபமயரறலளழவஶஷஸஹ",
    "k ng c j ny t n t n n p m y r r l l zh v sh sh s h",
)
_TAMIL_SIGNS: Final = _table("ாிீுூெேைொோௌ", "a i i u u e e ai o o au", silent="்")
_TAMIL_VOWELS: Final = _table("அஆஇஈஉஊஎஏஐஒஓஔஃ", "a a i i u u e e ai o o au h")
_LATIN: Final = _table("đĐøØłŁħŧæÆœŒßıðÐþÞ", "d D o O l L h t ae AE oe OE ss i d D th Th")


@lru_cache(maxsize=1)
def _thai_leading_vowel() -> re.Pattern[str]:
    return re.compile("([เแโใไ])([ก-ฮ])")


@lru_cache(maxsize=1)
def _accented() -> re.Pattern[str]:
    return re.compile("[À-ɏḀ-ỿ][\u0300-\u036f]*|[A-Za-z][\u0300-\u036f]+")


def romanise(text: str) -> str:
    """Write Thai, Tamil and accented Latin letters with basic Latin letters.

    Other characters, Chinese among them, pass unchanged. Lossy: many texts romanise alike.

    >>> romanise("Nguyễn Văn Đức")
    'Nguyen Van Duc'
    """
    if text.isascii():
        return text
    text = _thai_leading_vowel().sub(r"\2\1", text)
    text = _tamil(text)
    text = "".join([_THAI.get(c, c) for c in text])
    return _accented().sub(_without_accent, text)


def _tamil(text: str) -> str:
    """Write Tamil: a consonant carries ``a`` unless a vowel sign or the pulli follows."""
    text = text.replace("\u0bc6\u0bbe", "\u0bca").replace("\u0bc7\u0bbe", "\u0bcb")
    text = text.replace("\u0bc6\u0bd7", "\u0bcc")
    out: list[str] = []
    for here, after in zip(text, [*text[1:], ""], strict=True):
        consonant = _TAMIL_CONSONANTS.get(here)
        if consonant is not None:
            out.append(consonant if after in _TAMIL_SIGNS else consonant + "a")
        else:
            sign = _TAMIL_SIGNS.get(here)
            out.append(_TAMIL_VOWELS.get(here, here) if sign is None else sign)
    return "".join(out)


def _without_accent(found: re.Match[str]) -> str:
    # WHY one letter: ordering a long run of combining marks would take quadratic time.
    letters = unicodedata.normalize("NFD", found.group()[0])
    return "".join([_LATIN.get(c, c) for c in letters if not "\u0300" <= c <= "\u036f"])
