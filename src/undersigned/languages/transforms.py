"""How can a text say the same thing in another guise?

Pure functions from strings to strings: other scripts, digits and look-alikes, invisible
characters, reversal, encodings, mixtures of two renderings, and splitting over turns or fields.
What each guise does to the reader is for the attack that uses it to claim; whether a value is
still in the text is for ``matching`` to find.

Invariants:
- Total: no transform raises for any string, empty, huge or with lone surrogates (which pass
  through as they are, or, in an encoding, as the three bytes of their generalised UTF-8).
- Deterministic: no randomness, clock, locale of the machine or state.
- Settings (a count, a digit system) are checked and raise UsageError, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Final, NamedTuple

from undersigned.core.errors import UsageError
from undersigned.languages.alphabets import (
    DIGIT_ZEROS,
    LOOK_ALIKES,
    POP_DIRECTIONAL_FORMATTING,
    RIGHT_TO_LEFT_OVERRIDE,
    ZERO_WIDTH_NON_JOINER,
    ZERO_WIDTH_SPACE,
)
from undersigned.languages.locales import nearest
from undersigned.languages.problems import TRANSFORM_SETTING, UNKNOWN_TRANSFORM
from undersigned.languages.romanisation import romanise

SPLIT_LIMIT: Final = 1024
"""Parts that a text may be split into at most."""


class Transform(NamedTuple):
    """A named disguise of one text. apply: str -> str, total. lossy: cannot be undone."""

    name: str
    apply: Callable[[str], str]
    lossy: bool


def digits(text: str, system: str) -> str:
    """Write the decimal digits of a text in another digit system (``DIGIT_ZEROS``).

    Digits of every listed system are replaced. Raises UsageError (E-LNG-011) for other systems.

    >>> digits("a1", "thai")
    'a๑'
    """
    return text.translate(_digit_table(system))


@lru_cache(maxsize=32)
def _digit_table(system: str) -> MappingProxyType[int, int]:
    target = DIGIT_ZEROS.get(system)
    if target is None:
        raise UsageError(
            TRANSFORM_SETTING,
            "the digit system is not listed",
            setting="system",
            value=system,
            accepted="one of " + ", ".join(DIGIT_ZEROS),
        )
    return MappingProxyType({z + d: target + d for z in DIGIT_ZEROS.values() for d in range(10)})


def homoglyph(text: str) -> str:
    """Replace Latin letters by Cyrillic or Greek letters that look alike, where there are any."""
    return text.translate(_look_alike_table())


@lru_cache(maxsize=1)
def _look_alike_table() -> MappingProxyType[int, str]:
    return MappingProxyType({ord(latin): alike for latin, alike in LOOK_ALIKES.items()})


def zero_width(text: str) -> str:
    """Insert zero-width spaces and non-joiners in turn between the characters of words.

    None is put beside white space or before a combining mark, so the text looks the same.
    """
    out: list[str] = []
    inserts = (ZERO_WIDTH_SPACE, ZERO_WIDTH_NON_JOINER)
    count, before = 0, " "
    for here in text:
        if not (before.isspace() or here.isspace() or unicodedata.category(here)[0] == "M"):
            out.append(inserts[count % 2])
            count += 1
        out.append(here)
        before = here
    return "".join(out)


def bidi(text: str) -> str:
    """Store each line reversed between right-to-left override and pop (UAX 9).

    A person sees the line in its original order; a program reads it backwards.
    """
    return "".join([_overridden(line) for line in re.split("([\r\n]+)", text)])


def _overridden(line: str) -> str:
    if not line or line[0] in "\r\n":
        return line
    return RIGHT_TO_LEFT_OVERRIDE + line[::-1] + POP_DIRECTIONAL_FORMATTING


def base64(text: str) -> str:
    """Encode the UTF-8 bytes of a text in base64 (RFC 4648, section 4)."""
    return b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


@lru_cache(maxsize=1)
def _phrase_end() -> re.Pattern[str]:
    return re.compile(r"(?<=[.,;:!?])(?=\s)|(?<=[。，、；：！？…\n])")


def phrases(text: str) -> tuple[str, ...]:
    """Cut a text after clause and sentence marks, or else before every third word.

    Joining the phrases gives the text. Marks inside numbers do not end a phrase. A text without
    marks or spaces is one phrase.
    """
    found = tuple(part for part in _phrase_end().split(text) if part)
    if len(found) > 1:
        return found
    words = re.findall(r"\s*\S+\s*$|\s*\S+", text)
    joined = ("".join(words[i : i + 3]) for i in range(0, len(words), 3))
    return tuple(joined) if words else found


def code_mix(text: str, other: str, every: int) -> str:
    """Replace every ``every``-th phrase of a text by the phrase of another rendering beside it.

    other: the same message in another locale. every: at least 1 (1 replaces all). Phrases are
    paired by relative position, so a phrase of ``other`` may be repeated or left out where the
    renderings have different numbers of phrases: check that what must survive did. Raises
    UsageError (E-LNG-011) for ``every`` below 1.

    >>> code_mix("Pay now, please.", "Bayar sekarang, tolong.", 2)
    'Pay now, tolong.'
    """
    if every < 1:
        raise _setting("every", every, "a whole number of at least 1")
    own, foreign = phrases(text), phrases(other)
    if not foreign:
        return text
    return "".join(
        foreign[i * len(foreign) // len(own)] if (i + 1) % every == 0 else phrase
        for i, phrase in enumerate(own)
    )


def split(text: str, parts: int) -> tuple[str, ...]:
    """Split a text into parts of about equal length, for turns or fields.

    parts: 1 to ``SPLIT_LIMIT``. Exactly that many strings are returned (some empty if the text is
    short); joined they are the text. Cuts fall after white space where there is any near, and
    never before a combining mark. Raises UsageError (E-LNG-011) for other numbers of parts.

    >>> split("pay the bill now", 2)
    ('pay the ', 'bill now')
    """
    if not 1 <= parts <= SPLIT_LIMIT:
        raise _setting("parts", parts, f"a whole number from 1 to {SPLIT_LIMIT}")
    size = len(text)
    cuts = [0]
    for index in range(1, parts):
        cuts.append(max(cuts[-1], _cut_near(text, index * size // parts, size // parts // 2)))
    return tuple(text[a:b] for a, b in zip(cuts, [*cuts[1:], size], strict=True))


def _cut_near(text: str, ideal: int, reach: int) -> int:
    for step in range(min(reach, 40) + 1):
        for cut in (ideal - step, ideal + step):
            if 0 < cut < len(text) and text[cut - 1].isspace() and not text[cut].isspace():
                return cut
    while ideal < len(text) and unicodedata.category(text[ideal])[0] == "M":
        ideal += 1
    return ideal


def _setting(name: str, value: int, accepted: str) -> UsageError:
    return UsageError(
        TRANSFORM_SETTING,
        "a transform setting is out of range",
        setting=name,
        value=value,
        accepted=accepted,
    )


def _by_name(transforms: Iterable[Transform]) -> MappingProxyType[str, Transform]:
    return MappingProxyType({each.name: each for each in transforms})


TRANSFORMS: Final = _by_name(
    (
        Transform("romanise", romanise, lossy=True),
        *(
            Transform(f"digits-{system}", partial(digits, system=system), lossy=True)
            for system in DIGIT_ZEROS
            if system != "latin"
        ),
        Transform("homoglyph", homoglyph, lossy=True),
        Transform("zero-width", zero_width, lossy=True),
        Transform("bidi", bidi, lossy=False),
        Transform("base64", base64, lossy=False),
    )
)
"""The disguises of one text by name; ``code_mix`` and ``split`` need more and stand apart."""


def transform(name: str) -> Transform:
    """Return the transform of a name. Raises UsageError (E-LNG-010) when there is none."""
    found = TRANSFORMS.get(name)
    if found is None:
        raise UsageError(
            UNKNOWN_TRANSFORM,
            "the transform does not exist",
            transform=name,
            nearest=nearest(name, TRANSFORMS) or "none",
            known=", ".join(TRANSFORMS),
        )
    return found
