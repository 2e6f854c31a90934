"""Disguises: total, deterministic, and what each one says it does."""

from __future__ import annotations

import base64 as standard_base64
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.growth import assert_growth
from undersigned.core.errors import UsageError
from undersigned.languages.alphabets import DIGIT_ZEROS, LATIN_OF, LOOK_ALIKES
from undersigned.languages.romanisation import romanise
from undersigned.languages.transforms import (
    SPLIT_LIMIT,
    TRANSFORMS,
    base64,
    bidi,
    code_mix,
    digits,
    homoglyph,
    phrases,
    split,
    transform,
    zero_width,
)

ANY = st.text(st.characters(), max_size=300) | st.text(
    "aZ0 \n\r.,。\u202e\u200b\ud800\udc00\u0301เก่ாக்é王", max_size=60
)


@pytest.mark.parametrize("name", TRANSFORMS)
@given(ANY)
def test_transform__any_string__is_total_and_deterministic(name: str, text: str) -> None:
    apply = TRANSFORMS[name].apply
    once = apply(text)
    assert type(once) is str
    assert once == apply(text)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("unit", ["a", "\ud800", "ก", "\u0301\u0323", "é1,\n", "\u202e"])
def test_transform__long_text_of_anything__takes_linear_time(name: str, unit: str) -> None:
    def apply(length: int) -> None:
        assert TRANSFORMS[name].apply(unit * (length // len(unit)))

    assert_growth(apply, 1_000, 10_000, below=3)


@pytest.mark.parametrize(
    ("text", "romanised"),
    [
        ("Nguyễn Văn Đức", "Nguyen Van Duc"),
        (unicodedata.normalize("NFD", "Trần Thị Hồng"), "Tran Thi Hong"),
        ("ประเทศไทย", "prathesthaiy"),
        ("தமிழ் நாடு", "tamizh natu"),
        ("கொழும்பு", "kozhumpu"),
        ("王小明, ID 12", "王小明, ID 12"),
        ("\ud800é", "\ud800e"),
    ],
)
def test_romanise__scripts_with_a_table_change__others_pass(text: str, romanised: str) -> None:
    assert romanise(text) == romanised


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_romanise__chinese__passes_unchanged(text: str) -> None:
    assert romanise(text) == text


@given(ANY, st.sampled_from(list(DIGIT_ZEROS)), st.sampled_from(list(DIGIT_ZEROS)))
def test_digits__there_and_back__is_the_text_with_the_last_digits(
    text: str, system: str, last: str
) -> None:
    assert digits(digits(text, system), last) == digits(text, last)
    for before, after in zip(text, digits(text, system), strict=True):
        assert unicodedata.decimal(before, None) == unicodedata.decimal(after, None)


def test_digits__unknown_system__is_refused() -> None:
    with pytest.raises(UsageError, match="E-LNG-011"):
        digits("1", "roman")


def test_homoglyph__look_alikes__are_other_letters_of_the_same_case_that_fold_back() -> None:
    for latin, alike in LOOK_ALIKES.items():
        assert homoglyph(latin) == alike != latin
        assert unicodedata.name(alike).split()[0] in {"CYRILLIC", "GREEK"}
        assert alike.isupper() == latin.isupper() or alike == "\u04cf"
        assert LATIN_OF[alike.lower()] == latin.lower()


@given(st.text("ab é\u0301กิ\n1.", max_size=60))
def test_zero_width__without_its_insertions__is_the_text(text: str) -> None:
    disguised = zero_width(text)
    assert disguised.replace("\u200b", "").replace("\u200c", "") == text


@given(st.text("abก1 \n", max_size=60))
def test_bidi__each_line__is_stored_backwards_between_controls(text: str) -> None:
    lines = [
        line.removeprefix("\u202e").removesuffix("\u202c")[::-1] for line in bidi(text).split("\n")
    ]
    assert "\n".join(lines) == text


@given(ANY)
def test_base64__decoded__is_the_text_lone_surrogates_included(text: str) -> None:
    data = standard_base64.b64decode(base64(text), validate=True)
    assert data.decode("utf-8", "surrogatepass") == text


@given(ANY)
def test_phrases__joined__are_the_text(text: str) -> None:
    assert "".join(phrases(text)) == text


def test_phrases__marks_inside_numbers__do_not_cut() -> None:
    assert phrases("Pay 1,234.50 now, please.") == ("Pay 1,234.50 now,", " please.")
    assert phrases("请付款，谢谢。") == ("请付款，", "谢谢。")


@given(ANY, ANY, st.integers(1, 7))
def test_code_mix__any_two_texts__takes_every_nth_phrase_from_the_other(
    text: str, other: str, every: int
) -> None:
    mixed = code_mix(text, other, every)
    own = phrases(text)
    kept = "".join(p for i, p in enumerate(own) if (i + 1) % every)
    if not phrases(other) or len(own) < every:
        assert mixed == text
    assert len(mixed) >= len(kept)
    assert code_mix(text, text, every) == text


def test_code_mix__two_languages__alternate() -> None:
    mixed = code_mix(
        "Dear Mr Tan, your bill is due. Please pay now.",
        "Encik Tan, bil anda perlu dibayar. Sila bayar sekarang.",
        2,
    )
    assert mixed == "Dear Mr Tan, bil anda perlu dibayar. Please pay now."
    with pytest.raises(UsageError, match="E-LNG-011"):
        code_mix("a", "b", 0)


@given(ANY, st.integers(1, 40))
def test_split__any_text__joins_back_from_exactly_that_many_parts(text: str, parts: int) -> None:
    found = split(text, parts)
    assert len(found) == parts
    assert "".join(found) == text


def test_split__words_and_marks__are_kept_whole() -> None:
    assert split("pay the bill now", 2) == ("pay the ", "bill now")
    assert all(not part.startswith("\u0e34") for part in split("กิ" * 50, 7))
    assert split("", 3) == ("", "", "")


@pytest.mark.parametrize("parts", [0, -1, SPLIT_LIMIT + 1])
def test_split__count_out_of_range__is_refused(parts: int) -> None:
    with pytest.raises(UsageError, match="E-LNG-011"):
        split("text", parts)


def test_transform__unknown_name__offers_the_nearest() -> None:
    assert transform("zero-width").name == "zero-width"
    with pytest.raises(UsageError, match="E-LNG-010") as caught:
        transform("homoglyphs")
    assert caught.value.fields["nearest"] == "homoglyph"
    with pytest.raises(TypeError):
        TRANSFORMS["x"] = TRANSFORMS["bidi"]  # type: ignore[index]
