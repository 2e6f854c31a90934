"""Errors carry code, reason and remedy, and hostile values do nothing on a terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from undersigned.core import errors
from undersigned.core.errors import (
    PRINTABLE_LIMIT,
    EvidenceError,
    Problem,
    UndersignedError,
    UsageError,
    printable,
)
from undersigned.core.problems import ALL

PROBLEM = Problem("E-TST-001", "a title", "It matters.", "mend {path} of {owner}")

HOSTILE = {
    "clear the screen": "\x1b[2J",
    "8-bit escape": "\x9b31m",
    "title bar": "\x1b]0;root\x07",
    "back over the text": "ok\b\bno",
    "return over the line": "ok\rno",
    "new line": "ok\nE-EVD-000: all is well",
    "line separator": "a\u2028b\u2029c",
    "next line": "a\x85b",
    "right to left": "exe.\u202etxt",
    "isolate": "\u2066x\u2069",
    "zero width": "pay\u200bee\ufeff",
    "tag characters": "\U000e0041\U000e007f",
    "no-break space": "a\u00a0b",
    "lone surrogate": "\ud800",
    "private use": "\ue000",
    "null": "a\x00b",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_printable__hostile_text__shows_what_would_have_acted(what):
    shown = printable(HOSTILE[what])
    acting = [c for c in HOSTILE[what] if unicodedata.category(c)[0] in "CZ" and c != " "]
    assert acting
    for c in acting:
        assert c not in shown
        assert f"\\u{{{ord(c):x}}}" in shown


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Z", "C"))))
@example("\ud800\udc00")
def test_printable__any_text__is_one_encodable_line_without_controls(text):
    shown = printable(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in shown)


@pytest.mark.parametrize("text", ["งบ ๑๒ บาท", "发票 一二", "மொத்தம்", "Đã trả", "naïve café", "👍"])
def test_printable__writing_of_any_language__is_left_alone(text):
    assert printable(text) == text


def test_printable__long_text__is_cut_and_counted():
    assert printable("x" * PRINTABLE_LIMIT) == "x" * PRINTABLE_LIMIT
    assert printable("x" * 1000, 5) == "xxxxx... (1000 characters)"
    assert len(printable("\x1b" * 10**6)) < 10 * PRINTABLE_LIMIT


def test_printable__other_values__are_shown_as_written_in_code():
    assert printable(None) == "None"
    assert printable(7) == "7"
    assert printable(b"\x1b") == "b'\\x1b'"


class Mute:
    def __repr__(self):
        raise RuntimeError("nothing to show")


def test_printable__value_whose_repr_raises__raises_only_that():
    with pytest.raises(RuntimeError, match="nothing to show"):
        printable(Mute())


def test_error__with_hostile_fields__keeps_its_lines_and_fills_its_remedy():
    error = UsageError(PROBLEM, "it broke", path="a\nwhy: because", owner="\x1b[2Jeve")
    assert str(error).splitlines() == [
        "E-TST-001: it broke",
        "  path: a\\u{a}why: because",
        "  owner: \\u{1b}[2Jeve",
        "  why: It matters.",
        "  try: mend a\\u{a}why: because of \\u{1b}[2Jeve",
    ]
    assert error.code == "E-TST-001"


def test_error__as_dict__is_json_with_the_one_shape():
    error = EvidenceError(PROBLEM, path="\ud800", owner=None)
    shape = json.loads(json.dumps(error.as_dict(), ensure_ascii=False).encode())
    assert shape == {
        "code": "E-TST-001",
        "what": "a title",
        "fields": {"path": "\\u{d800}", "owner": "None"},
        "why": "It matters.",
        "remedy": "mend \\u{d800} of None",
    }


def test_error__field_named_like_a_parameter__is_still_a_field():
    error = UsageError(PROBLEM, "x", problem="p", what="w", self="s")
    assert error.fields == {"problem": "p", "what": "w", "self": "s"}


def test_tree__every_kind__has_the_exit_code_that_the_manual_states():
    kinds = {k: v for k, v in vars(errors).items() if isinstance(v, type) and k.endswith("Error")}
    assert {name: kind.exit_code for name, kind in kinds.items()} == {
        "UndersignedError": 70,
        "UsageError": 2,
        "EvidenceError": 3,
        "UndecidableError": 4,
        "NothingSelectedError": 5,
        "AccessDeniedError": 6,
        "StorageError": 70,
        "InterruptedRunError": 130,
    }
    assert all(issubclass(kind, UndersignedError) for kind in kinds.values())


def test_problems__of_the_ground_floor__have_different_codes_and_a_remedy_each():
    assert len({p.code for p in ALL}) == len(ALL)
    assert all(p.code.startswith("E-COR-") and p.why.endswith(".") and p.remedy for p in ALL)
