"""The shipped locales, and what an unknown one is answered with."""

from __future__ import annotations

import pytest
from babel import Locale as BabelLocale

from undersigned.core.errors import Problem, UsageError
from undersigned.languages import problems
from undersigned.languages.locales import LOCALES, locale


def test_locales__shipped__are_what_cldr_calls_them() -> None:
    assert list(LOCALES) == ["en", "zh-Hans", "ms", "ta", "id", "th", "vi"]
    for tag, each in LOCALES.items():
        data = BabelLocale.parse(each.babel)
        assert each.tag == tag == each.babel.replace("_", "-")
        assert data.script in (None, each.script)
        assert each.direction == ("rtl" if data.text_direction == "rtl" else "ltr")


@pytest.mark.parametrize(
    ("asked", "offered"),
    [("zh_hans", "zh-Hans"), ("zh", "zh-Hans"), ("EN", "en"), ("vi-VN", "vi"), ("\x1b[2J", "none")],
)
def test_locale__unknown_tag__offers_the_nearest(asked: str, offered: str) -> None:
    with pytest.raises(UsageError) as caught:
        locale(asked)
    assert caught.value.code == "E-LNG-001"
    assert caught.value.fields["nearest"] == offered
    assert "zh-Hans" in caught.value.remedy
    assert "\x1b" not in str(caught.value)


def test_problems__all__lists_each_problem_once_in_order() -> None:
    declared = [v for v in vars(problems).values() if isinstance(v, Problem)]
    codes = [each.code for each in problems.ALL]
    assert list(problems.ALL) == declared
    assert codes == [f"E-LNG-{n:03d}" for n in range(1, len(codes) + 1)]
