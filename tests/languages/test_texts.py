"""Rendering: the compiled form says what fluent.runtime and Babel say."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undersigned.core.errors import UsageError
from undersigned.languages import reference
from undersigned.languages.locales import LOCALES
from undersigned.languages.quantities import EXPONENTS
from undersigned.languages.texts import Day, Money, Slot, Texts, versions

FOLDER = Path(__file__).parent / "texts"
TEXTS = Texts.load(FOLDER, list(LOCALES))
SOURCES = {tag: (FOLDER / f"{tag}.ftl").read_text("utf-8") for tag in LOCALES}

HOSTILE = st.sampled_from(
    ["{ $name }", "{-bank}", "%s %(x)s %%", "\u202egnp.exe\u202c", "\x00\x1b[2J", "\ud800", ""]
)
STRING = st.text(max_size=200) | st.text(st.characters(), max_size=50) | HOSTILE
MONEY = st.builds(Money, st.integers(-(2**53) + 1, 2**53 - 1), st.sampled_from(sorted(EXPONENTS)))
DAY = st.dates().map(lambda day: Day(day.isoformat()))
INTEGER = st.integers(-(10**15), 10**15) | st.integers(-3, 25)
BY_SLOT = {
    "account": STRING | INTEGER | MONEY | DAY,
    "name": STRING,
    "payee": STRING | MONEY,
    "balance": MONEY,
    "amount": MONEY | STRING,
    "on": DAY,
    "count": INTEGER,
    "status": st.sampled_from(["approved", "declined", "other", "Approved", "7"]) | INTEGER,
}


@st.composite
def filled(draw: st.DrawFn, message: str) -> dict[str, Slot]:
    """Draw the slots of a message."""
    return {name: draw(BY_SLOT[name]) for name in sorted(TEXTS.slots(message))}


def simplest(message: str) -> dict[str, Slot]:
    """Return the slots of a message with values that every slot takes."""
    values: dict[str, Slot] = {
        "account": "1234", "name": "Tan", "payee": "Lim", "balance": Money(123_456, "SGD"),
        "amount": Money(-1, "JPY"), "on": Day("2026-11-03"), "count": 1, "status": "approved",
    }  # fmt: skip
    return {name: values[name] for name in TEXTS.slots(message)}


PAIRS = [(tag, message) for tag in LOCALES for message in TEXTS.messages()]


def assert_rendered(tag: str, message: str, slots: dict[str, Slot]) -> None:
    expected = reference.render(SOURCES[tag], tag, message, slots)
    assert TEXTS.render(tag, message, slots) == expected


@pytest.mark.parametrize(("tag", "message"), PAIRS)
def test_render__every_locale_and_message__says_what_the_reference_says(
    tag: str, message: str
) -> None:
    assert_rendered(tag, message, simplest(message))


@settings(max_examples=300)
@given(st.sampled_from(PAIRS).flatmap(lambda p: st.tuples(st.just(p), filled(p[1]))))
def test_render__any_locale_message_and_slots__says_what_the_reference_says(
    drawn: tuple[tuple[str, str], dict[str, Slot]],
) -> None:
    (tag, message), slots = drawn
    assert_rendered(tag, message, slots)


@given(st.text() | HOSTILE, st.sampled_from(list(LOCALES)))
def test_render__hostile_string__stands_verbatim(name: str, tag: str) -> None:
    before, after = TEXTS.render(tag, "greeting", {"name": "\ue000"}).split("\ue000")
    assert TEXTS.render(tag, "greeting", {"name": name}) == before + name + after


def test_render__string_longer_than_fluent_runtime_allows__stands_whole() -> None:
    name = "x" * 100_000
    assert name in TEXTS.render("th", "greeting", {"name": name})
    with pytest.raises(ExceptionGroup):
        reference.render(SOURCES["th"], "th", "greeting", {"name": name})


def test_render__selection__follows_number_and_string() -> None:
    said = [TEXTS.render("en", "invoices", {"count": n}) for n in (0, 1, 2)]
    assert said == [
        "No invoice is waiting for Harbour Bank.",
        "One invoice is waiting for Harbour Bank.",
        "2 invoices are waiting for Harbour Bank.",
    ]


@pytest.mark.parametrize(
    ("message", "slots"),
    [
        ("greeting", {}),
        ("greeting", {"name": "A", "nam": "B"}),
        ("greeting", {"Name": "A"}),
        ("greeting", {"name": 1.5}),
        ("greeting", {"name": True}),
        ("greeting", {"name": None}),
        ("invoices", {"count": Money(1, "SGD")}),
        ("balance", {"account": "1", "name": "A", "balance": "5", "on": Day("2026-11-03")}),
        ("balance", {"account": "1", "name": "A", "balance": 5, "on": Day("2026-11-03")}),
        ("balance", {"account": "1", "name": "A", "balance": Money(5, "SGD"), "on": "today"}),
    ],
)
def test_render__slots_that_do_not_fit__are_refused(message: str, slots: dict[str, Slot]) -> None:
    with pytest.raises(UsageError) as caught:
        TEXTS.render("en", message, slots)
    assert caught.value.code == "E-LNG-007"
    assert caught.value.fields["message"] == message


def test_render__what_is_not_loaded__is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="E-LNG-006") as caught:
        TEXTS.render("en", "balanse", {})
    assert caught.value.fields["nearest"] == "balance"
    for tag in ("fr", "zh_Hans", "EN"):
        with pytest.raises(UsageError, match="E-LNG-001"):
            TEXTS.render(tag, "balance", {})


def test_state__every_message__is_draft_and_unknown_ones_have_none() -> None:
    assert {TEXTS.state(tag, m) for tag in LOCALES for m in TEXTS.messages()} == {"draft"}
    with pytest.raises(UsageError, match="E-LNG-006"):
        TEXTS.state("en", "missing")


def test_versions__pinned__name_what_a_text_depends_on() -> None:
    pinned = versions()
    assert sorted(pinned) == ["babel", "cldr", "fluent.runtime", "fluent.syntax", "unicode"]
    assert pinned["unicode"] == unicodedata.unidata_version
    assert all(pinned.values())
