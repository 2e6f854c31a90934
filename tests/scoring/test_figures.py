"""Printed numbers never claim more than was computed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undersigned.core.errors import UsageError
from undersigned.scoring.figures import (
    downward,
    high_rate,
    in_unit_interval,
    low_rate,
    nearest,
    probability,
    share_of_alpha,
    upward,
)

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(numbers)
def test_bounds__any_number__are_rounded_outward(value: float) -> None:
    assert Fraction(downward(value)) < Fraction(value) < Fraction(upward(value))
    assert Fraction(upward(value)) - Fraction(downward(value)) < Fraction(5, 10**6)


@given(st.floats(0, 1))
def test_rate_bounds__any_rate__stay_within_zero_and_one(value: float) -> None:
    assert 0 <= Fraction(low_rate(value)) <= Fraction(value) <= Fraction(high_rate(value)) <= 1


@given(st.floats(0, 1))
def test_probability__any_value__is_never_below_it(value: float) -> None:
    assert Fraction(value) <= Fraction(probability(value)) <= 1


def test_nearest__a_tie__goes_to_the_even_digit() -> None:
    assert nearest(Fraction(5, 10**7)) == "0.000000"
    assert nearest(Fraction(15, 10**7)) == "0.000002"
    assert nearest(Fraction(-1, 3)) == "-0.333333"
    assert nearest(Fraction(-1, 10**9)) == "0.000000"


def test_share_of_alpha__reached_in_parts__is_whole_again() -> None:
    assert share_of_alpha(sum([0.05 / 7] * 7)) == "0.050000000"
    assert share_of_alpha(0.05 / 7) == "0.007142857"


@pytest.mark.parametrize(
    "text", ["0", "1", "-0.1", "nan", "5e-2", " 0.05", "0.05\n", "٠.٠٥", "", "0.0", "1/20", "0,05"]
)
def test_in_unit_interval__anything_but_a_plain_decimal__is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        in_unit_interval("limit", text)
    assert caught.value.code == "E-SCO-003"
    assert "limit" in caught.value.remedy
