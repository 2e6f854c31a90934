"""Is every number of the comparison counted from episodes, and is an edited one refused?

The counts are made here a second time, from the bytes of episodes that are run again here.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.assessment.small import (
    AGENT,
    Forgery,
    Made,
    card_of,
    checked,
    forge,
    governed,
    governed_tape,
    planned,
    reference,
    unprobed,
)
from undersigned.agents.roster import reference_agent
from undersigned.assessment.arms import Arm, Comparison, Measured
from undersigned.assessment.card import AgentSource, ControlsWish
from undersigned.assessment.comparison import (
    NOT_RUN,
    REVIEWERS,
    Sample,
    Watch,
    compare,
    runs_again,
    sample_of,
)
from undersigned.assessment.dossier import COMPARISON_FILE, Dossier
from undersigned.assessment.grading import graded
from undersigned.assessment.run import Prepared
from undersigned.core.canonical import digest_bytes, encode
from undersigned.core.errors import EvidenceError
from undersigned.episodes.engine import run_episode
from undersigned.episodes.execute import Bench, Ran
from undersigned.episodes.plan import Item, items
from undersigned.scoring.outcomes import Graded
from undersigned.worlds.scenario import Template


class Counted(NamedTuple):
    """What one episode says, read from its JSON. asked: reason and tool. denied: reasons."""

    arm: str
    hazard: str
    unsafe: bool
    useful: bool
    asked: list[tuple[str, str]]
    requests: int
    denied: list[list[str]]


@cache
def counted(reviewer: str) -> dict[int, Counted]:
    """Run the main episodes and twins of the plan here, and read what their bytes say."""
    prepared = governed().result.prepared
    controls = prepared.controls
    assert controls is not None
    gate = None if reviewer == "none" else controls._replace(reviewer=reviewer)
    bench = Bench(prepared.plan, prepared.suite, prepared.rig, reference_agent(AGENT))

    async def run() -> dict[int, Counted]:
        found = {}
        for item in items(prepared.plan, prepared.suite):
            if item.arm == "parallel":
                continue
            scenario = bench.scenario(item)
            player = reference_agent(AGENT)
            episode = await run_episode(bench.rig, scenario, player, item.number, controls=gate)
            grade = scenario.grade(episode.trace)
            found[item.number] = read(item, bool(grade.findings), grade.useful, episode.to_bytes())
        return found

    return asyncio.run(run())


def read(item: Item, unsafe: bool, useful: bool, data: bytes) -> Counted:
    lines = [json.loads(line) for line in data.splitlines()]
    tools = {e["call"]: e["action"]["tool"] for e in lines if e["event"] == "proposed"}
    asks = [e for e in lines if e["event"] == "decided" and e["decision"] == "ask"]
    last = {e["call"]: e for e in lines if e["event"] == "decided"}
    return Counted(
        item.arm, item.template.hazard, unsafe, useful,
        [(reason, tools[e["call"]]) for e in asks for reason in e["reasons"]], len(asks),
        [e["reasons"] for e in last.values() if e["decision"] == "deny"],
    )  # fmt: skip


def found(made: Made) -> Comparison:
    with Dossier(made.dossier) as dossier:
        comparison = dossier.comparison()
    assert comparison is not None
    return comparison


def arm_of(comparison: Comparison, reviewer: str) -> Measured:
    (arm,) = [arm for arm in comparison.arms if arm.reviewer == reviewer]
    assert arm.measured is not None
    return arm.measured


@pytest.mark.parametrize("reviewer", ["none", *REVIEWERS])
def test_compare__every_arm__is_what_its_episodes_say(reviewer: str) -> None:
    made = counted(reviewer)
    bare = counted("none")
    shown = arm_of(found(governed()), reviewer)
    main = {n: each for n, each in made.items() if each.arm == "hazard"}
    twins = {n: each for n, each in made.items() if each.arm == "twin"}
    assert (shown.unsafe.k, shown.unsafe.n) == (sum(e.unsafe for e in main.values()), len(main))
    assert (shown.useful.k, shown.useful.n) == (sum(e.useful for e in twins.values()), len(twins))
    both = sum(e.useful and not e.unsafe for e in main.values())
    assert (shown.safe_and_useful.k, shown.safe_and_useful.n) == (both, len(main))
    asks = sum(e.requests for e in made.values())
    assert (shown.episodes, shown.asks) == (len(made), asks)
    assert abs(Decimal(shown.asks_per_hundred) - Decimal(100 * asks) / len(made)) < Decimal("1e-6")
    asked = Counter(each for e in made.values() for each in e.asked)
    assert {(a.reason, a.tool): a.count for a in shown.asked} == asked
    denied = [reasons for e in made.values() for reasons in e.denied]
    assert shown.denied == len(denied)
    assert {s.reason: s.count for s in shown.stopped} == Counter(r for d in denied for r in d)
    through = Counter(e.hazard for e in main.values() if e.unsafe)
    assert {t.hazard: t.k for t in shown.through} == through
    if reviewer == "none":
        assert shown.unsafe_change is shown.useful_change is None
        return
    pairs = [(main[n].unsafe, bare[n].unsafe) for n in main]
    change = shown.unsafe_change
    assert change is not None
    assert (change.pairs, change.dropped) == (len(main), 0)
    assert (change.only_with, change.only_without) == (
        pairs.count((True, False)), pairs.count((False, True)),
    )  # fmt: skip


def test_compare__the_run_itself__is_one_of_the_arms() -> None:
    comparison, summary = found(governed()), governed().result.summary
    run = comparison.run()
    assert (run.reviewer, run.mode, run.policy) == (
        "rubber-stamp", "enforce", governed().result.prepared.plan.policy,
    )  # fmt: skip
    assert run.measured is not None
    assert run.measured.unsafe == summary.headline
    assert run.measured.useful == summary.usefulness.on_twins
    assert [arm.reviewer for arm in comparison.arms] == ["none", *REVIEWERS]
    assert [arm.is_run for arm in comparison.arms].count(True) == 1


def test_compare__reviewers__order_as_their_words_say() -> None:
    comparison = found(governed())
    bare, stamp, absent, detects = (arm_of(comparison, r) for r in ("none", *REVIEWERS))
    assert absent.unsafe.k <= detects.unsafe.k <= stamp.unsafe.k < bare.unsafe.k  # type: ignore[operator]
    assert absent.useful.k < detects.useful.k <= stamp.useful.k <= bare.useful.k  # type: ignore[operator]
    assert bare.asks == bare.denied == 0
    answers = [{s.reason for s in each.stopped} & {"unanswered", "rejected"}
               for each in (stamp, absent, detects)]  # fmt: skip
    assert answers == [set(), {"unanswered"}, {"rejected"}]


def test_compare__rules__come_with_their_own_words() -> None:
    stopped = {each.reason: each.words for each in arm_of(found(governed()), "absent").stopped}
    assert "account" in stopped["payee-unvouched"]
    assert stopped["unanswered"] == ""


def own_rows(prepared: Prepared) -> tuple[Bench, Watch]:
    """Run a plan here and return what runs it and what was watched."""
    bench = Bench(
        prepared.plan, prepared.suite, prepared.rig, reference_agent(AGENT),
        controls=prepared.controls,
    )  # fmt: skip
    watch = Watch(prepared.plan, prepared.controls)

    async def run() -> None:
        for item in items(prepared.plan, prepared.suite):
            scenario = bench.scenario(item)
            episode = await run_episode(
                bench.rig, scenario, reference_agent(AGENT), item.number, controls=bench.controls
            )
            ran = Ran(item, scenario, episode)
            watch.take(ran, graded(ran, prepared.suite.family))

    asyncio.run(run())
    return bench, watch


@cache
def governed_rows() -> tuple[Bench, Watch]:
    """Return the rows of the governed dossier's plan, run here."""
    return own_rows(planned(governed().card))


def small_plan(controls: ControlsWish) -> Prepared:
    return planned(card_of(AgentSource(reference=AGENT), controls=controls), "160")


def test_compare__again__is_the_same_bytes() -> None:
    bench, watch = own_rows(small_plan(ControlsWish("family")))
    done: list[int] = []
    first, second = (
        asyncio.run(compare(bench, watch.kept, exact=True, on_episode=done.append))
        for _ in range(2)
    )
    assert encode(first) == encode(second)
    more = runs_again(bench.controls, bench.plan, bench.suite, exact=True, probe=0)
    assert sum(done) == 2 * more > 0


def test_compare__observed_only__has_the_reviewers_beside_it() -> None:
    bench, watch = own_rows(small_plan(ControlsWish("family", "absent", "observe")))
    comparison = asyncio.run(compare(bench, watch.kept, exact=True))
    assert comparison is not None
    assert [(arm.reviewer, arm.mode) for arm in comparison.arms] == [
        ("none", "none"), ("absent", "observe"), *((r, "enforce") for r in REVIEWERS),
    ]  # fmt: skip
    bare, run = comparison.without().measured, comparison.run().measured
    assert bare is not None
    assert run is not None
    assert (run.unsafe, run.useful) == (bare.unsafe, bare.useful)
    assert run.asks > 0


def test_compare__a_weaker_policy__lets_through_what_it_no_longer_forbids() -> None:
    from undersigned.controls.policy import load_policy

    bench, watch = governed_rows()
    assert bench.controls is not None
    policy = bench.controls.policy
    weak = policy.text.replace('context.facts.crossing.contains("border")', "false")
    weak = weak.replace('context.facts.unvouched.contains("recipient")', "false")
    other = load_policy(weak, policy.tools.values(), ground_rule=policy.ground_rule)
    comparison = asyncio.run(compare(bench, watch.kept, exact=True, other=other))
    assert comparison is not None
    last = comparison.arms[-1]
    assert (last.policy, last.reviewer, last.is_run) == (other.digest, "rubber-stamp", False)
    assert last.measured is not None
    run = comparison.run().measured
    assert run is not None
    more = {t.hazard for t in last.measured.through} - {t.hazard for t in run.through}
    assert more == {"border-leak", "border-leak-encoded"}


def test_compare__an_invalid_side__is_dropped_and_counted() -> None:
    bench, watch = own_rows(small_plan(ControlsWish("family")))
    invalid: dict[str, Any] = {
        "outcome": "invalid", "reason": "transport", "harms": (), "labelled": False, "moved": (),
        "useful": False,
    }  # fmt: skip
    row: Graded = msgspec.structs.replace(watch.kept[0].row, **invalid)
    kept = [watch.kept[0]._replace(row=row), *watch.kept[1:]]
    comparison = asyncio.run(compare(bench, kept, exact=True))
    assert comparison is not None
    run = comparison.run().measured
    assert run is not None
    assert run.unsafe_change is not None
    assert (run.invalid, run.unsafe_change.dropped) == (1, 1)
    assert run.unsafe_change.pairs == run.unsafe.n == comparison.main - 1


def test_sample__a_long_plan__is_cut_to_the_first_of_each_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = Sample(2, 5, 1, 3)
    template = Template("t", "h", "none", "en", "en", "hazard")
    held = [n for n in range(12) if cut.holds(Item(n, "hazard", template, b""))]
    assert held == [0, 1, 5]
    assert cut.episodes() == 3
    plan = governed().result.prepared.plan
    whole = sample_of(plan)
    assert (whole.main, whole.twins) == (whole.main_planned, whole.twins_planned)
    monkeypatch.setattr("undersigned.assessment.comparison.MAIN_LIMIT", 7)
    monkeypatch.setattr("undersigned.assessment.comparison.TWINS_LIMIT", 3)
    assert sample_of(plan) == whole._replace(main=7, twins=3)
    bench, watch = own_rows(planned(governed().card))
    comparison = asyncio.run(compare(bench, watch.kept, exact=True))
    assert comparison is not None
    assert (comparison.main, comparison.main_planned) == (7, whole.main)
    for arm in comparison.arms:
        assert arm.measured is not None
        assert (arm.measured.unsafe.n, arm.measured.useful.n) == (7, 3)


def test_tape__other_arms__say_that_they_were_not_run() -> None:
    comparison = found(governed_tape())
    for arm in comparison.arms:
        expected = ("", True) if arm.is_run else (NOT_RUN, False)
        assert (arm.not_run, arm.measured is not None) == expected
    run = comparison.run().measured
    assert run is not None
    assert run.unsafe_change is run.useful_change is None
    assert run.unsafe == governed_tape().result.summary.headline


@pytest.mark.parametrize("made", [governed, governed_tape], ids=["reference", "tape"])
def test_verify__governed__recomputes_the_comparison(made: Callable[[], Made]) -> None:
    progress: list[tuple[int, int]] = []
    result = checked(made().dossier, made().trust, on_episode=lambda *at: progress.append(at))
    assert result.code == 0
    said = [f.what for f in result.findings if f.status == "holds"]
    assert "the comparison with and without controls was recomputed and is the same" in said
    assert progress == sorted(progress)
    done, total = progress[-1]
    assert done == total
    assert {each for _, each in progress} == {total}


def test_verify__ungoverned__has_no_comparison() -> None:
    with Dossier(reference().dossier) as dossier:
        assert dossier.comparison() is None
        assert COMPARISON_FILE not in dossier.bundle.names()
        assert "comparison" not in dossier.result.predicate
    said = " ".join(f.what for f in checked(reference().dossier).findings)
    assert "comparison" not in said


def better(arm: Arm) -> Arm:
    """Return an arm in which nothing had to be stopped."""
    assert arm.measured is not None
    measured = msgspec.structs.replace(arm.measured, denied=arm.measured.denied - 1)
    return msgspec.structs.replace(arm, measured=measured)


def edited(made: Made, arm: int, change: Callable[[Arm], Arm]) -> bytes:
    comparison = found(made)
    arms = list(comparison.arms)
    arms[arm] = change(arms[arm])
    return encode(msgspec.structs.replace(comparison, arms=tuple(arms)))


def refused(forged: Path, code: str = "E-ASM-006", file: str = COMPARISON_FILE) -> None:
    result = checked(forged)
    assert result.code == 3
    failed = [(f.code, f.file) for f in result.findings if f.status == "fails"]
    assert failed == [(code, file)]


@pytest.mark.parametrize("arm", range(4))
def test_verify__edited_arm_signed_again__is_refused(tmp_path: Path, arm: int) -> None:
    data = edited(unprobed(), arm, better)
    stated = {"comparison": digest_bytes(data)}
    refused(forge(tmp_path, Forgery(files={COMPARISON_FILE: data}, result=stated), unprobed()))


def test_verify__numbers_made_up_for_a_tape__are_refused(tmp_path: Path) -> None:
    bare = found(governed()).without()
    data = edited(governed_tape(), 0, lambda _: bare)
    stated = {"comparison": digest_bytes(data)}
    forged = forge(tmp_path, Forgery(files={COMPARISON_FILE: data}, result=stated), governed_tape())
    refused(forged)


def test_verify__another_digest_stated__is_refused(tmp_path: Path) -> None:
    stated = {"comparison": digest_bytes(b"another")}
    refused(forge(tmp_path, Forgery(result=stated), unprobed()))


def test_verify__comparison_of_a_run_that_nothing_guarded__is_refused(tmp_path: Path) -> None:
    data = encode(found(governed()))
    refused(forge(tmp_path / "file", Forgery(files={COMPARISON_FILE: data})))
    stated = {"comparison": digest_bytes(data)}
    refused(forge(tmp_path / "word", Forgery(result=stated)))


def changed(comparison: Comparison, arm: int, **fields: Any) -> Comparison:
    arms = list(comparison.arms)
    arms[arm] = msgspec.structs.replace(arms[arm], **fields)
    return msgspec.structs.replace(comparison, arms=tuple(arms))


def uncounted(comparison: Comparison) -> Measured:
    measured = arm_of(comparison, "none")
    unsafe = msgspec.structs.replace(measured.unsafe, k=None)
    return msgspec.structs.replace(measured, unsafe=unsafe)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda c: msgspec.structs.replace(c, schema="x"), "another schema"),
        (lambda c: msgspec.structs.replace(c, arms=()), "not one arm without controls"),
        (lambda c: changed(c, 1, reviewer="none"), "not one arm without controls"),
        (lambda c: changed(c, 2, is_run=True), "not one arm that is the run"),
        (lambda c: changed(c, 1, measured=None, not_run="x"), "not one arm that is the run"),
        (lambda c: changed(c, 0, not_run="x"), "numbers of an arm that was not run"),
        (lambda c: changed(c, 0, measured=None), "numbers of an arm that was not run"),
        (lambda c: changed(c, 0, measured=uncounted(c)), "a rate without its count"),
    ],
)
def test_dossier__what_is_no_comparison__is_refused_when_read(
    tmp_path: Path, change: Callable[[Comparison], Comparison], fault: str
) -> None:
    assert found(governed()).fault() == ""
    data = encode(change(found(governed())))
    forged = forge(tmp_path, Forgery(files={COMPARISON_FILE: data}), governed())
    with Dossier(forged) as dossier, pytest.raises(EvidenceError) as caught:
        dossier.comparison()
    assert caught.value.code == "E-ASM-006"
    assert caught.value.fields["reason"] == fault
