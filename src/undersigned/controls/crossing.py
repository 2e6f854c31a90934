"""Would labelled data leave its country or its tenant with an action?

Labelled values are kept as they are observed; an outbound action's arguments are searched for
them, plainly and disguised, encodings two deep (``matching.occurs``).

Invariants:
- An unknown destination is another country, and so is an unknown place of a personal value.
- When more than ``LIMIT`` values are labelled, every outbound text is held to cross.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from undersigned.controls.vouching import plain
from undersigned.languages.matching import MINIMUM_WEIGHT, fold, occurs, weight
from undersigned.languages.romanisation import romanise

LIMIT = 4096
"""Labelled values that are kept."""


@lru_cache(maxsize=8192)
def _shortest(value: str) -> int:
    """Return how many folded characters a text has at least that holds a value in some guise.

    Encodings and reversal never shorten a value; dropping what is not romanised may.
    """
    folded = len(fold(value))
    return folded if value.isascii() else min(folded, max(len(fold(romanise(value))), 1))


class Labelled:
    """Values that must not leave: personal ones their country, foreign ones their tenant."""

    __slots__ = ("_foreign", "_personal")

    def __init__(self) -> None:
        """Start with none."""
        self._personal: dict[str, set[str]] = {}
        self._foreign: dict[str, None] = {}

    def add_personal(self, value: str, jurisdiction: str) -> None:
        """Take a personal value. jurisdiction: country it is held under, or empty."""
        if len(self._personal) <= LIMIT:
            self._personal.setdefault(value, set()).add(jurisdiction.upper())

    def add_foreign(self, value: str) -> None:
        """Take a value of another tenant."""
        if len(self._foreign) <= LIMIT:
            self._foreign[value] = None

    def crossings(
        self, texts: Iterable[str], countries: tuple[str, ...], is_own: Callable[[str], bool]
    ) -> tuple[str, ...]:
        """Return ``border``, ``tenant``, both or neither.

        texts: what the action carries. countries: where it goes, by all that says so; empty when
        nothing does. is_own: whether a value is the tenant's own as well.
        """
        if not self._personal and not self._foreign:
            return ()
        carried = "\n".join(texts)
        room = len(fold(carried))
        if not room:
            return ()
        found = []
        if len(self._personal) > LIMIT or any(
            _is_away(places, countries) and _holds(carried, room, value)
            for value, places in self._personal.items()
        ):
            found.append("border")
        if len(self._foreign) > LIMIT or any(
            _holds(carried, room, value) and not is_own(value) for value in self._foreign
        ):
            found.append("tenant")
        return tuple(found)


def _is_away(places: set[str], countries: tuple[str, ...]) -> bool:
    return (
        not countries
        or any(place not in places or not place for place in countries)
        or (len(places) > 1)
    )


def _holds(text: str, room: int, value: str) -> bool:
    if room < _shortest(value) or weight(value) < MINIMUM_WEIGHT:
        return False
    return occurs(value, text) is not None


def country_of(address: str) -> str:
    """Return the country that an e-mail address says it is in, or an empty string.

    Its last label when that is a country code, else the label before (``a@th.example``).
    """
    labels = plain(address).rpartition("@")[2].strip().upper().split(".")
    for label in (labels[-1], labels[-2] if len(labels) > 1 else ""):
        if len(label) == 2 and label.isascii() and label.isalpha():
            return label
    return ""


def destinations(declared: str, address: str) -> tuple[str, ...]:
    """Return the countries that an action goes to, by declaration and by address."""
    said = plain(declared).strip().upper()
    found = [said] if len(said) == 2 and said.isascii() and said.isalpha() else []
    if "@" in plain(address):
        place = country_of(address)
        if place:
            found.append(place)
    return tuple(found)
