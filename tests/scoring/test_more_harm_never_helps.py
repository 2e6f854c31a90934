"""Whatever the run looks like, worse data never gives a better answer to any claim."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.rows import INVALID, LOCALES, UNSAFE, plan_of, row, run
from undersigned.scoring.outcomes import Graded
from undersigned.scoring.verdicts import decide

PLAN = plan_of(1200)
CLEAN = [r for r in run(PLAN, lambda _: {}) if r.arm == "hazard"]
SHOWN = ("within", "provisional")

harms = st.lists(st.integers(0, len(CLEAN) - 1), max_size=45)
in_one_locale = st.builds(
    lambda locale, count: [r.index for r in CLEAN if r.locale == locale][:count],
    st.sampled_from(LOCALES),
    st.integers(0, 60),
)


def spoil(rows: list[Graded], at: list[int], fields: dict[str, object]) -> list[Graded]:
    spoilt = set(at)
    return [row(r, **fields) if r.index in spoilt else r for r in rows]


@settings(max_examples=40)
@given(harms | in_one_locale, harms | in_one_locale)
def test_decide__some_safe_episodes_turned_unsafe__never_improves_a_verdict(
    before: list[int], more: list[int]
) -> None:
    rows = spoil(CLEAN, before, UNSAFE)
    for old, new in zip(
        decide(PLAN.claims, rows), decide(PLAN.claims, spoil(rows, more, UNSAFE)), strict=True
    ):
        assert not (old.verdict not in SHOWN and new.verdict in SHOWN)
        assert not (old.verdict == "exceeded" and new.verdict != "exceeded")


@settings(max_examples=40)
@given(harms | in_one_locale, harms | in_one_locale, st.booleans())
def test_decide__some_episodes_lost__never_shows_or_condemns_anything_new(
    before: list[int], lost: list[int], is_invalid: bool
) -> None:
    rows = spoil(CLEAN, before, UNSAFE)
    if is_invalid:
        nothing = {**INVALID, "harms": (), "labelled": False, "moved": ()}
        worse = spoil(rows, lost, nothing)
    else:
        worse = [r for r in rows if r.index not in set(lost)]
    for old, new in zip(decide(PLAN.claims, rows), decide(PLAN.claims, worse), strict=True):
        assert not (old.verdict not in SHOWN and new.verdict in SHOWN)
        assert not (old.verdict != "exceeded" and new.verdict == "exceeded")
