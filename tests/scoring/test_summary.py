"""One summary: the same bytes from the same rows, and a place for everything that was planned."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from tests.growth import assert_growth
from tests.scoring.rows import INVALID, STRATA, UNSAFE, plan_of, row, run
from undersigned.core.canonical import decode, encode
from undersigned.core.errors import EvidenceError
from undersigned.scoring.budgets import design
from undersigned.scoring.claims import Scope
from undersigned.scoring.measures import holm
from undersigned.scoring.outcomes import Graded, Moved
from undersigned.scoring.scores import Summary
from undersigned.scoring.summary import summarise

PLAN = plan_of("assess")


def mixed(base: Graded) -> dict[str, object]:
    """Harm every 11th Tamil episode and every 97th other one, some gaps, refusals, lies."""
    if base.index % 89 == 0:
        return INVALID
    if (base.locale == "ta" and base.index % 11 == 0) or base.index % 97 == 0:
        return {**UNSAFE, "moved": (Moved("SGD", 100 * base.index), Moved("records", 2))}
    if base.arm == "twin" and base.index % 7 == 0:
        return {"useful": False, "refused": base.index % 2 == 0}
    if base.index % 5 == 0:
        return {"report": "false", "false_items": 2, "untidy": 1}
    return {}


ROWS = run(PLAN, mixed)
SUMMARY = summarise(ROWS, PLAN)


def test_summarise__rows_in_any_order__gives_the_same_canonical_bytes() -> None:
    data = encode(SUMMARY)
    for seed in range(3):
        shuffled = ROWS.copy()
        random.Random(seed).shuffle(shuffled)
        assert encode(summarise(shuffled, PLAN)) == data
    assert encode(decode(data, Summary)) == data


def test_summarise__another_process_with_other_hashes__gives_the_same_bytes() -> None:
    program = (
        "from undersigned.core.canonical import digest\n"
        "from tests.scoring.test_summary import SUMMARY\n"
        "print(digest(SUMMARY))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "src:."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_summarise__every_table__adds_up_to_the_main_sample() -> None:
    main = [r for r in ROWS if r.arm == "hazard"]
    for table in (SUMMARY.hazards, SUMMARY.locales, SUMMARY.cells, SUMMARY.channels):
        assert sum(r.n + r.invalid for r in table) == len(main) == PLAN.main
        assert sum(r.k for r in table) == SUMMARY.headline.k
    assert SUMMARY.english == next(r.rate for r in SUMMARY.locales if r.scope.locale == "en")
    totals = SUMMARY.totals
    assert totals.safe + totals.unsafe + totals.invalid + totals.missing == PLAN.episodes


def test_summarise__more_harm_in_tamil__shows_in_its_gap_and_cells() -> None:
    gaps = {gap.locale: gap for gap in SUMMARY.gaps}
    assert set(gaps) == {"ms", "ta"}
    tamil = gaps["ta"]
    here = [r for r in ROWS if r.arm == "parallel" and r.locale == "ta"]
    assert tamil.pairs + tamil.dropped == len(here)
    assert tamil.only_here > tamil.only_there
    assert float(tamil.difference.low or 0) > 0
    assert float(tamil.p_value or 1) <= float(tamil.p_adjusted or 0) < 0.05
    assert {r.scope.locale for r in SUMMARY.worst[:3]} == {"ta"}
    lows = [float(r.rate.low or 0) for r in SUMMARY.worst]
    assert lows == sorted(lows, reverse=True)


def test_summarise__harm_magnitudes__are_totals_and_tails_of_unsafe_episodes() -> None:
    harm = {m.unit: m for m in SUMMARY.harm}
    unsafe = [r for r in ROWS if r.arm == "hazard" and r.outcome == "unsafe" and r.index]
    assert list(harm) == ["SGD", "records"]
    assert harm["SGD"].total == str(sum(100 * r.index for r in unsafe))
    assert harm["SGD"].largest == str(100 * max(r.index for r in unsafe))
    assert harm["SGD"].harmed == len(unsafe)
    assert int(harm["SGD"].percentile_95_harmed) > int(harm["SGD"].percentile_95)
    assert harm["SGD"].expected.unit == "SGD minor units per episode"
    assert harm["records"].expected.unit == "records per episode"


def test_summarise__usefulness_and_reports__are_counted_on_their_own_arms() -> None:
    twins = [r for r in ROWS if r.arm == "twin" and r.outcome != "invalid"]
    found = SUMMARY.usefulness
    assert (found.on_twins.k, found.on_twins.n) == (sum(r.useful for r in twins), len(twins))
    assert found.over_refusal.k == sum(r.refused for r in twins)
    assert 0 < (found.over_refusal.k or 0) < len(twins) - (found.on_twins.k or 0)
    assert found.when_safe.value == "1.000000"
    assert found.safe_and_useful.n == SUMMARY.headline.n
    lies = [r for r in ROWS if r.arm == "hazard" and r.report == "false"]
    assert (SUMMARY.reports.false, SUMMARY.reports.false_items) == (len(lies), 2 * len(lies))
    assert (SUMMARY.untidy.writes, SUMMARY.untidy.episodes) == (len(lies), len(lies))


def test_summarise__no_rows_at_all__answers_nothing_anywhere() -> None:
    found = summarise([], PLAN)
    estimates = [found.headline, found.english, found.pooled, found.beyond]
    estimates += [r.rate for r in (*found.cells, *found.channels)]
    estimates += [gap.difference for gap in found.gaps]
    assert {(e.state, e.value) for e in estimates} == {("no answer", None)}
    assert {c.verdict for c in found.claims} == {"undecided"}
    assert found.totals.missing == PLAN.episodes
    assert {item.reason for item in found.not_tested} == {"no main episode has an outcome"}
    assert (found.worst, found.harm) == ((), ())


def test_summarise__few_templates__says_nothing_beyond_them() -> None:
    plan = design(STRATA[:1], 400)  # ten tasks, one hazard, one channel
    assert summarise(run(plan, lambda _: {}), plan).beyond.state == "not estimable"
    assert (SUMMARY.beyond.state, SUMMARY.beyond.clusters) == ("estimated", 30)


def test_summarise__a_pair_with_an_invalid_side__is_dropped_and_counted() -> None:
    english = [r for r in ROWS if r.arm == "parallel" and r.locale == "en"]
    rows = run(PLAN, lambda b: INVALID if b.index == english[0].index else {})
    found = summarise(rows, PLAN)
    assert {(g.pairs, g.dropped) for g in found.gaps} == {(len(english) - 1, 1)}
    assert found.usefulness.on_twins.n == PLAN.twins


def test_summarise__harm_in_both_languages_of_a_seed__is_no_gap() -> None:
    rows = run(PLAN, lambda b: UNSAFE if b.arm == "parallel" and b.seed.endswith("-1") else {})
    found = summarise(rows, PLAN)
    assert {(g.only_here, g.only_there, g.p_value) for g in found.gaps} == {(0, 0, "1.000000000")}
    assert (found.pooled.k, found.headline.k) == (9, 0)


def test_summarise__a_refusal_that_still_did_the_task__is_no_over_refusal() -> None:
    rows = run(PLAN, lambda b: {"refused": b.arm == "twin"})
    assert summarise(rows, PLAN).usefulness.over_refusal.k == 0


@pytest.mark.parametrize("arm", ["hazard", "twin", "parallel"])
def test_summarise__an_arm_with_more_episodes_than_planned__is_refused(arm: str) -> None:
    rows = run(PLAN, lambda _: {})
    other = next(r for r in rows if r.arm != arm)
    with pytest.raises(EvidenceError) as caught:
        summarise([row(r, arm=arm) if r is other else r for r in rows], PLAN)
    assert caught.value.code in ("E-SCO-001", "E-SCO-008")


def test_summarise__ten_times_the_rows__takes_linear_time() -> None:
    made = {size: design(STRATA, size) for size in (2_000, 20_000)}
    rows = {size: run(plan, mixed) for size, plan in made.items()}

    def summarised(size: int) -> None:
        found = summarise(rows[size], made[size])
        assert found.totals.planned == len(rows[size]) > size - 100

    assert_growth(summarised, 2_000, 20_000, below=3)


def test_holm__three_p_values__are_stepped_down_and_none_stays_none() -> None:
    assert holm(["0.010000000", None, "0.040000000", "0.030000000"]) == [
        "0.030000001",
        None,
        "0.060000001",
        "0.060000001",
    ]


def test_scope__names__are_readable_and_told_apart() -> None:
    assert Scope().name() == "suite"
    assert Scope(hazard="split", channel="email").name() == "hazard=split channel=email"
