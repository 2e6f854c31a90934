"""What does a finished test say on one screen, and with which exit code?

Computes no statistic: every figure stands in the plan or in the scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from undersigned.assessment.arms import Comparison, Measured, Probe
from undersigned.assessment.run import Prepared, Price, Result
from undersigned.core.errors import printable
from undersigned.evidence.verify import Finding
from undersigned.scoring.budgets import Design
from undersigned.scoring.claims import LEVELS, ClaimResult
from undersigned.scoring.results import Estimate
from undersigned.scoring.scores import LanguageGap, Magnitude, Row, Summary
from undersigned.worlds.scenario import HazardMaker

HUNDRED = Decimal(100)
TENTH = Decimal("0.1")
MOST = 3
"""Strategies that the one screen names; the report has all."""


SEEDS = {
    "none": "seeds open to choice by the tester",
    "verifier": "seeds from a verifier's nonce",
}
"""What is said of a plan's challenge."""


def exit_code_of(summary: Summary, design: Design) -> int:
    """Return 1 when a claim is exceeded, 4 when one that the budget could decide is undecided, else
    0. Claims finer than the design's finest level decide nothing."""
    if any(c.verdict == "exceeded" for c in summary.claims):
        return 1
    finest = LEVELS.index(design.finest)
    powered = [c for c in summary.claims if LEVELS.index(c.claim.level) <= finest]
    return 4 if any(c.verdict in ("undecided", "not_tested") for c in powered) else 0


def per_cent(text: str | None, rounding: str = ROUND_HALF_EVEN) -> str:
    """Return a share as per cent with one decimal; a dash when there is none."""
    if text is None:
        return "-"
    return str((Decimal(text) * HUNDRED).quantize(TENTH, rounding))


def rate_text(estimate: Estimate) -> str:
    """Return a rate and its interval: ``a.b % [c, d]``, bounds rounded outward."""
    if estimate.value is None:
        return estimate.state
    low = per_cent(estimate.low, ROUND_FLOOR)
    high = per_cent(estimate.high, ROUND_CEILING)
    return f"{per_cent(estimate.value)} % [{low}, {high}]"


def money(minor: str) -> str:
    """Return Singapore cents as dollars."""
    return f"S$ {Decimal(minor) / HUNDRED:,.2f}"


def plan_text(prepared: Prepared) -> str:
    """Return what will be run, in a few lines."""
    plan, made = prepared.plan, prepared.design
    card = prepared.order.card
    tools = prepared.suite.family.own_tools()
    final = sum(tool.kind == "irreversible" for tool in tools)
    levels = ", ".join(
        f"{level.level} {level.claims} (power {level.power or '-'})" for level in made.levels
    )
    return (
        f"system   {printable(card.name)} {printable(card.version)}, {len(tools)} tools "
        f"({final} irreversible); answers for it: {printable(card.owner.name)}, "
        f"{printable(card.owner.role)}\n"
        f"suite    {plan.family} {plan.version}, {len(prepared.suite.combinations)} combinations, "
        f"locales {' '.join(plan.locales)}\n"
        f"plan     {plan.count()} episodes ({made.main} main, {made.twins} twins, "
        f"{made.parallel} parallels), limit {per_cent(made.limit)} %, "
        f"decides down to: {made.finest}\n"
        f"claims   {levels}"
    )


def price_text(price: Price) -> str:
    """Return what a run costs, before it costs anything."""
    cost = "no price in the card" if price.cost is None else f"about {price.cost} {price.currency}"
    key = price.key_variable or "none"
    return (
        f"endpoint {printable(price.host)}, model {printable(price.model)}, key variable "
        f"{printable(key)}\n"
        f"calls    about {price.calls} ({price.episodes} episodes), {cost}"
    )


def result_data(result: Result, dossier: Path, index: int) -> dict[str, Any]:
    """Return what ``--json`` shows."""
    summary = result.summary
    return {
        "dossier": str(dossier),
        "plan": result.prepared.plan.digest(),
        "system": result.prepared.plan.system,
        "turns": result.source(),
        "log_index": index,
        "headline": summary.headline,
        "english": summary.english,
        "totals": summary.totals,
        "claims": summary.claims,
        "worst": summary.worst,
        "harm": summary.harm,
        "usefulness": summary.usefulness,
        "reports": summary.reports,
    } | ({"comparison": result.comparison} if result.comparison is not None else {})


def suite_claim(summary: Summary) -> ClaimResult:
    """Return the claim about the whole suite."""
    return next(c for c in summary.claims if c.claim.level == "suite")


def story_lines(summary: Summary, hazards: Mapping[str, HazardMaker]) -> list[str]:
    """Return unsafe, harm and usefulness, a line each, as plain text. hazards: of the suite, for
    what may go wrong in words."""
    english, useful = summary.english, summary.usefulness
    unsafe = (
        f"unsafe     {rate_text(summary.headline)}   {worst_text(summary.worst, hazards)}   "
        f"In English alone: {english.k} of {english.n}"
    )
    harm = (
        f"harm       {harm_text(summary.harm)};  "
        f'said "done" and had not: {summary.reports.false_items}'
    )
    done = (
        f"useful     {rate_text(useful.on_twins)} of benign twins; safe and useful "
        f"{rate_text(useful.safe_and_useful)}"
    )
    return [unsafe, harm, done]


def worst_text(worst: tuple[Row, ...], hazards: Mapping[str, HazardMaker]) -> str:
    """Return the worst cell in words."""
    if not worst:
        return "worst: none"
    cell = worst[0]
    name = str(cell.scope.hazard)
    what = hazards[name].summary.rstrip(".") if name in hazards else name
    what = what[:1].lower() + what[1:]
    return f"worst: {cell.scope.locale}, {what}: {cell.k} of {cell.n}."


def harm_text(harm: tuple[Magnitude, ...]) -> str:
    """Return how much was moved."""
    parts = []
    for item in harm:
        if item.unit == "SGD":
            parts.append(f"{money(item.total)} moved where no rule allowed it")
        else:
            parts.append(f"{item.total} {item.unit} disclosed")
    return ", ".join(parts) or "nothing was moved or disclosed"


def gap_text(gaps: tuple[LanguageGap, ...]) -> str:
    """Return the largest language gap in words."""
    known = [g for g in gaps if g.difference.value is not None]
    if not known:
        return "not estimable"
    widest = max(known, key=lambda g: abs(Decimal(str(g.difference.value))))
    return (
        f"{widest.locale} against {widest.reference}: {rate_text(widest.difference)} "
        f"over {widest.pairs} pairs"
    )


def controls_lines(found: Comparison) -> list[str]:
    """Return what stood between agent and world, and what it changed, a line each."""
    arm, without = found.run(), found.without()
    ground = "on" if found.ground_rule else "off"
    watched = "; observed only, nothing was blocked" if arm.mode == "observe" else ""
    controls = (
        f"controls   policy {found.policy[:15]}.. ({found.rules} rules), reviewer {arm.reviewer} "
        f"(assumed), ground rule {ground}{watched}"
    )
    with_, bare = arm.measured, without.measured
    if with_ is None:
        return [controls]
    kind = "would-be asks" if watched else "asks"
    asks = f"{_whole(with_.asks_per_hundred)} {kind} per hundred tasks"
    more = [*_probe_lines(found.probe), *_gate_lines(with_)]
    if bare is None:
        return [controls, f"without    not run: {without.not_run}; with: {asks}", *more]
    changed = (
        f"without    unsafe {_from_to(bare.unsafe, with_.unsafe)}, useful "
        f"{_from_to(bare.useful, with_.useful)}, {asks}{_part(found)}"
    )
    return [controls, changed, *more]


def _probe_lines(found: Probe | None) -> list[str]:
    """Return what attackers in disguise got past the policy, where they were tried, by share."""
    if found is None:
        return ["disguised  not tried"]
    through = [each for each in found.tried if each.verdict == "gets through"]
    through.sort(key=lambda each: Fraction(-each.harmed_governed, each.episodes))
    told = ", ".join(f"{t.strategy} {t.harmed_governed} of {t.episodes}" for t in through[:MOST])
    rest = f", {len(through) - MOST} more" if len(through) > MOST else ""
    names = f": {told}{rest}" if through else ""
    return [f"disguised  {len(through)} of {len(found.tried)} strategies get past it{names}"]


def _gate_lines(found: Measured) -> list[str]:
    """Return that the gate itself failed, if it did: no policy stopped anything there."""
    if not found.gate_errors:
        return []
    told = f"gate fault in {found.gate_errors} of {found.episodes} compared episodes the gate"
    return [f"{told} itself failed: a fault of this software, no achievement of the policy"]


def _from_to(before: Estimate, after: Estimate) -> str:
    return f"{per_cent(before.value)} % -> {per_cent(after.value)} %"


def _whole(text: str) -> str:
    return str(Decimal(text).quantize(Decimal(1), ROUND_HALF_EVEN))


def _part(found: Comparison) -> str:
    """Return of how many episodes, where these are not all."""
    if (found.main, found.twins) == (found.main_planned, found.twins_planned):
        return ""
    return (
        f" (the first {found.main} of {found.main_planned} main and {found.twins} of "
        f"{found.twins_planned} twins)"
    )


def result_text(result: Result, dossier: Path, trust: Path) -> str:
    """Return the result on one screen."""
    summary, prepared = result.summary, result.prepared
    claim = suite_claim(summary)
    totals = summary.totals
    counts: dict[str, int] = {}
    for c in summary.claims:
        counts[c.verdict] = counts.get(c.verdict, 0) + 1
    shown = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
    card = prepared.order.card
    head = (
        f"  {claim.verdict.upper()}   unsafe rate of {printable(card.name)} "
        f"{printable(card.version)} against the limit {per_cent(claim.claim.limit)} %"
        f"{_assumed(result)}"
    )
    episodes = (
        f"  episodes   {totals.planned} planned = {totals.safe} safe + {totals.unsafe} unsafe + "
        f"{totals.invalid} invalid + {totals.missing} missing"
    )
    lines = [
        "",
        head,
        f"  why        {claim.reason}" if claim.reason else "",
        *[f"  {line}" for line in story_lines(summary, prepared.suite.family.hazards)],
        *[f"  {line}" for line in (controls_lines(result.comparison) if result.comparison else [])],
        f"  languages  {gap_text(summary.gaps)}",
        episodes,
        f"  claims     {shown}",
        f"  turns      {turns_text(result.source())}; {SEEDS[prepared.plan.challenge]}",
        "  texts      drafts: no named person has reviewed them",
        "",
        f"  dossier    {dossier}",
        f"  report     {dossier / 'report.html'}",
        f"  check      undersigned verify {dossier} --trust {trust}",
    ]
    return "\n".join(line for i, line in enumerate(lines) if line or i in (0, len(lines) - 4))


def _assumed(result: Result) -> str:
    """Return under which controls the headline stands, empty of a run that nothing guards."""
    found = result.comparison
    if found is None:
        return ""
    run = found.run()
    return (
        ", controls observed only"
        if run.mode == "observe"
        else f", reviewer {run.reviewer} assumed"
    )


def turns_text(source: str) -> str:
    """Return in words where the turns come from."""
    if source == "recomputed":
        return "recomputed (a reference agent, which verification runs again)"
    if source == "relayed":
        return "relayed (signed by a provider or gateway; verification checks its signatures)"
    return "tester-said (recorded by whoever ran the test; nobody else vouches for them)"


def finding_line(item: Finding) -> str:
    """Return one line of a verification."""
    code = f"  {item.code}" if item.code else ""
    file = f"  {printable(item.file)}" if item.file else ""
    line = f"{item.status:7}{code:12}  {printable(item.what, 400)}{file}"
    if item.status != "holds" and item.remedy:
        line += f"\n{'':21}  to settle it: {printable(item.remedy, 300)}"
    return line
