"""Which locales are shipped, and what is each called, written in and read by?

Tags follow BCP 47 (RFC 5646), scripts ISO 15924. Tags are compared exactly: another spelling
(``zh_Hans``, ``EN``) is refused with the nearest shipped tag, never mapped silently.

Invariants:
- ``LOCALES`` is immutable; its order is the order in which locales are listed everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from undersigned.core.errors import UsageError
from undersigned.languages.problems import UNKNOWN_LOCALE


class Locale(msgspec.Struct, frozen=True):
    """A language as written somewhere.

    tag: BCP 47. name: in English. endonym: in the language itself. script: ISO 15924 code.
    babel: the identifier that Babel uses. direction: of its script.
    """

    tag: str
    name: str
    endonym: str
    script: str
    babel: str
    direction: Literal["ltr", "rtl"]


def _by_tag(locales: Iterable[Locale]) -> MappingProxyType[str, Locale]:
    return MappingProxyType({each.tag: each for each in locales})


LOCALES: Final = _by_tag(
    (
        Locale("en", "English", "English", "Latn", "en", "ltr"),
        Locale("zh-Hans", "Chinese (simplified)", "简体中文", "Hans", "zh_Hans", "ltr"),
        Locale("ms", "Malay", "Bahasa Melayu", "Latn", "ms", "ltr"),
        Locale("ta", "Tamil", "தமிழ்", "Taml", "ta", "ltr"),
        Locale("id", "Indonesian", "Bahasa Indonesia", "Latn", "id", "ltr"),
        Locale("th", "Thai", "ไทย", "Thai", "th", "ltr"),
        Locale("vi", "Vietnamese", "Tiếng Việt", "Latn", "vi", "ltr"),
    )
)
"""The shipped locales by tag."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name closest in spelling to a name, or an empty string.

    A name that is the same up to the first hyphen (the language of a tag) comes first.
    """
    by_fold = {each.casefold(): each for each in known}
    wanted = name.casefold().replace("_", "-")
    head = wanted.partition("-")[0]
    same_head = [each for each in by_fold if head and each.partition("-")[0] == head]
    found = same_head or get_close_matches(wanted, by_fold, n=1, cutoff=0.3)
    return by_fold[found[0]] if found else ""


def locale(tag: str) -> Locale:
    """Return the shipped locale of a tag.

    Raises UsageError (E-LNG-001), with the nearest shipped tag, when there is none.

    >>> locale("ms").endonym
    'Bahasa Melayu'
    """
    found = LOCALES.get(tag)
    if found is None:
        raise UsageError(
            UNKNOWN_LOCALE,
            "the locale is not shipped",
            locale=tag,
            nearest=nearest(tag, LOCALES) or "none",
            known=", ".join(LOCALES),
        )
    return found
