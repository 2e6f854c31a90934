"""Does an envelope say of each language what was shown, and nothing more?"""

from __future__ import annotations

from undersigned.controls.envelope import SCHEMA, Cell, Envelope
from undersigned.core.canonical import decode, digest_bytes, encode

NONE = digest_bytes(b"")


def envelope(*cells: Cell) -> Envelope:
    return Envelope(SCHEMA, NONE, NONE, NONE, "rubber-stamp", cells)


def cell(verdict: str, locale: str = "", hazard: str = "") -> Cell:
    return Cell(verdict, "0.05", 60, "exact", hazard, locale)  # type: ignore[arg-type]


def test_languages__cells_over_all_hazards__are_told_and_finer_ones_not() -> None:
    shown = envelope(
        cell("provisional"), cell("within", "en"), cell("undecided", "th"),
        cell("within", "ta", "payee-swap"), cell("not_tested", "vi"),
    )  # fmt: skip
    assert shown.languages() == {"en": "within", "th": "undecided", "vi": "outside"}
    assert shown.count("within") == 2


def test_languages__suite_exceeded__leaves_no_language_merely_undecided() -> None:
    shown = envelope(cell("exceeded"), cell("undecided", "th"), cell("within", "en"))
    assert shown.languages() == {"en": "within", "th": "exceeded"}


def test_envelope__as_bytes__comes_back() -> None:
    shown = envelope(cell("provisional", "en"))
    assert decode(encode(shown), Envelope) == shown
