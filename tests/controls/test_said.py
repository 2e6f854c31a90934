"""Is what is looked at fast the same as what is looked at properly?"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from undersigned.controls.said import Said
from undersigned.controls.vouching import Text, canonical, folded_line, plain, values_in
from undersigned.languages.matching import fold

ANY = st.text(st.characters() | st.sampled_from("  \u00a0\u0301\u0323\u0e39\u0e48\u200b"))
MARKS = " \n,.;:()\"`'/-_@+&#、。，；：（）５1aก分é"
AROUND = st.text(MARKS, max_size=4)
VALUE = st.sampled_from(["PAY-A1", "DOC-LETTER", "INV-2771", "a.b@th.example", "S1234567D", "Tan"])


@given(ANY)
@example("\u0e01\u0e48 \u0e39\u0e01")
@example("  a\u0301  ก่ำ  " + "界" * 70 + " é" * 40)
def test_texts__word_by_word__are_what_the_whole_is(text: str) -> None:
    assert plain(text) == "".join(map(plain, text))
    assert folded_line(text) == fold(plain(text))
    assert folded_line(text) == folded_line(text + " ") == folded_line(" " + text)


@given(AROUND, VALUE, AROUND)
@example("", "PAY-A1", ",5")
@example("", "PAY-A1", "，５")
@example("件：", "PAY-A1", "。如")
def test_value__found_plainly__is_found_properly(before: str, value: str, after: str) -> None:
    said = Said(frozenset())
    said.add_text(1, before + value + after)
    if said._texts[0].says_plainly(value):
        assert Text(before + value + after).says(value, canonical(value))


@pytest.mark.parametrize(
    "text",
    [
        "发来了 PAY-A1，通知我们",
        "要求退回付款 PAY-A1。如果",
        "发给 PAY-A1（所在国家",
        "急件：PAY-A1 必须",
        "（PAY-A1、INV-2）",
        "(PAY-A1), please",
    ],
)
def test_identifier__in_a_sentence__is_found_plainly(text: str) -> None:
    said = Said(frozenset())
    said.add_text(1, text)
    assert said._texts[0].says_plainly("PAY-A1")
    assert "paya1" in values_in(text)
