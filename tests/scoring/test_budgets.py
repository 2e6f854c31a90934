"""A design fits its budget, and a budget that cannot answer is refused with one that can."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.rows import LOCALES, STRATA, plan_of
from undersigned.core.canonical import decode, encode
from undersigned.core.errors import NothingSelectedError, UndecidableError, UsageError
from undersigned.scoring.budgets import Design, design
from undersigned.scoring.sizes import budget_of
from undersigned.worlds.suite import Stratum

strata_sets = st.sets(
    st.builds(
        Stratum,
        st.sampled_from("abcd"),
        st.sampled_from(["email", "file"]),
        st.sampled_from(["en", "ms", "ta", "th"]),
    ),
    min_size=1,
)


@settings(max_examples=60)
@given(strata_sets, st.integers(300, 20_000))
def test_design__any_strata__fits_its_budget_and_adds_up(strata: set[Stratum], budget: int) -> None:
    plan = design(strata, budget)
    assert plan.episodes == plan.main + plan.twins + plan.parallel <= budget
    assert plan.main == sum(a.main for a in plan.allotments)
    assert plan.twins == sum(a.twins for a in plan.allotments) <= budget // 5
    assert plan.parallel == sum(p.seeds * len(p.locales) for p in plan.parallels) <= budget // 5
    assert all(a.twins <= a.main for a in plan.allotments)
    mains = [a.main for a in plan.allotments]
    assert max(mains) - min(mains) <= 1
    assert all("en" in p.locales and len(p.locales) > 1 for p in plan.parallels)
    assert {c.level: c for c in plan.claims}["suite"].n == plan.main


@pytest.mark.parametrize(("name", "episodes"), [("screen", 400), ("assess", 2500), ("77", 77)])
def test_budget_of__a_name_or_number__is_its_episodes(name: str, episodes: int) -> None:
    assert budget_of(name) == episodes


@pytest.mark.parametrize("text", ["huge", "0", "-5", "1e3", "٥٠٠", "", 0, "9" * 30])
def test_budget_of__anything_else__is_refused(text: str | int) -> None:
    with pytest.raises(UsageError) as caught:
        budget_of(text)
    assert caught.value.code == "E-SCO-004"


@pytest.mark.parametrize("limit", ["0.05", "0.2", "0.01"])
@pytest.mark.parametrize("strata", [STRATA, STRATA[:1]])
def test_design__too_small_a_budget__names_the_smallest_that_would_do(
    limit: str, strata: tuple[Stratum, ...]
) -> None:
    with pytest.raises(UndecidableError) as caught:
        design(strata, 8, limit=limit)
    error = caught.value
    needed = int(error.fields["needed"])
    assert (error.code, error.exit_code) == ("E-SCO-005", 4)
    assert error.remedy == f"undersigned test ... --budget {needed}"
    assert design(strata, needed, limit=limit).finest
    with pytest.raises(UndecidableError):
        design(strata, needed - 1, limit=limit)


def test_design__a_tiny_limit__is_refused_at_once() -> None:
    with pytest.raises(UndecidableError) as caught:
        design(STRATA, "sign-off", limit="0.000001")
    assert int(caught.value.fields["needed"]) > 10**6


def test_design__larger_budgets__reach_finer_levels() -> None:
    finest = [plan_of(n).finest for n in ("screen", 1500, "assess", "sign-off")]
    assert finest == ["suite", "locale", "locale", "cell"]
    by_level = {item.level: item for item in plan_of("screen").levels}
    assert float(by_level["suite"].power or 0) >= 0.8 > float(by_level["cell"].power or 1)
    assert by_level["cell"].claims == 9


def test_design__strata_in_any_order_and_twice__give_the_same_bytes() -> None:
    mixed = [*STRATA, *STRATA[:3]]
    random.Random(1).shuffle(mixed)
    plan = design(mixed, 1000)
    assert encode(plan) == encode(plan_of(1000))
    assert decode(encode(plan), Design) == plan


def test_design__a_combination_the_suite_lacks__is_claimed_with_no_strata() -> None:
    plan = design(STRATA[:-1], 1000)
    lacking = [c.id for c in plan.claims if not c.strata]
    assert lacking == [f"hazard=stale-check locale={LOCALES[-1]}"]


def test_design__one_hazard_in_one_locale__claims_the_suite_alone() -> None:
    plan = design(STRATA[:1], 400)
    assert [c.level for c in plan.claims] == ["suite"]
    assert (plan.parallel, plan.finest) == (0, "suite")


def test_design__more_strata_than_episodes__lists_those_left_out() -> None:
    many = [Stratum(f"h{i:03}", "email", x) for i in range(100) for x in LOCALES]
    plan = design(many, 400)
    assert len(plan.not_tested) == 300 - plan.main > 0
    assert {c.id for c in plan.claims if c.strata and not c.n}


def test_design__no_strata__is_refused() -> None:
    with pytest.raises(NothingSelectedError):
        design([], 400)


@pytest.mark.parametrize(
    "options",
    [
        {"limit": "0.7"},
        {"limit": "five"},
        {"alternative": "0.05"},
        {"alpha": "0.5"},
        {"power": "1"},
    ],
)
def test_design__a_quantity_out_of_range__is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of("assess", **options)
    assert caught.value.code == "E-SCO-003"
