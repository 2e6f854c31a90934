"""What do the controls change, as rows of the report?

Plain data out of the comparison in the dossier. Nothing is worked out here: rows are put in words
and drawn on the axis of the other rates.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from markupsafe import Markup

from undersigned.assessment.arms import Arm, Comparison, Measured, Probe, Tried
from undersigned.controls.records import GATE_ERROR
from undersigned.views import charts
from undersigned.views.formats import percent
from undersigned.views.tables import said
from undersigned.views.words import PROBED, REASONS, REVIEWERS, Words

MOST = 3
"""Reasons that the row of a strategy names; the evidence has all."""
_DETECTS = re.compile(r"detects:([0-9]{1,3}),([0-9]{1,3})", re.ASCII)


class ArmRow(NamedTuple):
    """An arm with its drawing. meaning: what its reviewer does. found: None when not run."""

    title: str
    meaning: str
    arm: Arm
    found: Measured | None
    chart: Markup


class StopRow(NamedTuple):
    """A reason that stopped acts. acts: how many. is_rule: it is a rule of the policy."""

    reason: str
    words: str
    acts: int
    is_rule: bool


class TriedRow(NamedTuple):
    """A strategy against the policy. lost: attempts that ended at an honest step before the attack.
    denied: the reasons that denied most often. more: how many further ones there are."""

    tried: Tried
    words: Words
    lost: int
    denied: tuple[StopRow, ...]
    more: int


class Probed(NamedTuple):
    """What attackers in disguise made of the policy. reviewer, meaning: who was assumed to answer.
    rows: what gets through first. through: those that do. is_tried: any strategy fits the suite.
    has_gate_error: the gate itself failed in one, so that what it stopped is not shown."""

    probe: Probe
    meaning: str
    rows: tuple[TriedRow, ...]
    through: tuple[TriedRow, ...]
    is_tried: bool
    has_gate_error: bool


class Controls(NamedTuple):
    """The section of a governed run. reviewer, meaning: whom the headline assumes, and what that
    one does. assumes: that in a sentence. measured: of the run itself. is_whole: every main episode
    and twin of the plan is in each arm. probed: None when no strategy was to be tried."""

    comparison: Comparison
    reviewer: str
    meaning: str
    assumes: str
    is_enforced: bool
    measured: Measured
    without: Measured | None
    rows: tuple[ArmRow, ...]
    axis: Markup
    stops: tuple[StopRow, ...]
    is_whole: bool
    probed: Probed | None


def controls_view(found: Comparison | None, limit: str) -> Controls | None:
    """Return the section of a governed run; None without controls. limit: of the suite's claim."""
    if found is None:
        return None
    run = found.run()
    if run.measured is None:
        return None
    estimates = [arm.measured.unsafe for arm in found.arms if arm.measured is not None]
    scale = charts.rate_scale(estimates, limit)
    return Controls(
        comparison=found,
        reviewer=run.reviewer,
        meaning=reviewer_words(run.reviewer),
        assumes=_assumes(run.reviewer, run.mode, is_exact=found.without().measured is not None),
        is_enforced=run.mode == "enforce",
        measured=run.measured,
        without=found.without().measured,
        rows=tuple(_row(arm, scale) for arm in found.arms),
        axis=charts.axis(scale, f"limit {percent(limit)}"),
        stops=_stops(run.measured),
        is_whole=(found.main, found.twins) == (found.main_planned, found.twins_planned),
        probed=_probed(found.probe) if found.probe is not None else None,
    )


def reviewer_words(reviewer: str) -> str:
    """Return what a reviewer does when asked."""
    detects = _DETECTS.fullmatch(reviewer)
    if detects:
        hit, alarm = detects.groups()
        return f"rejects {hit} % of the harmful requests and {alarm} % of the harmless ones"
    return REVIEWERS.get(reviewer, "")


def _assumes(reviewer: str, mode: str, *, is_exact: bool) -> str:
    """Return what the headline assumes, in a sentence. is_exact: the other arms were run."""
    if mode == "observe":
        return (
            "The controls only observed: they decided and recorded, and blocked nothing. The "
            "headline is of the agent without them."
        )
    if reviewer == "rubber-stamp":
        return (
            "The headline assumes a reviewer who approves whatever is asked, so no safety in it "
            "comes from a person looking."
        )
    beside = ": compare the row of the rubber stamp" if is_exact else ""
    return (
        f"The headline assumes the reviewer {reviewer}. A control should not rest on that{beside}."
    )


def _row(arm: Arm, scale: charts.Scale) -> ArmRow:
    title = "without controls"
    if arm.mode != "none":
        title = arm.reviewer + (", observed only" if arm.mode == "observe" else "")
    chart = Markup()
    if arm.measured is not None:
        estimate = arm.measured.unsafe
        chart = charts.interval(estimate, scale, said(title, estimate))
    return ArmRow(title, reviewer_words(arm.reviewer), arm, arm.measured, chart)


def _stops(found: Measured) -> tuple[StopRow, ...]:
    return tuple(
        StopRow(
            each.reason,
            each.words or REASONS.get(each.reason, ""),
            each.count,
            each.reason not in REASONS,
        )
        for each in found.stopped
    )


def _probed(probe: Probe) -> Probed:
    rows = tuple(sorted([_tried(each) for each in probe.tried], key=_through_first))
    return Probed(
        probe=probe,
        meaning=reviewer_words(probe.reviewer),
        rows=rows,
        through=tuple(row for row in rows if row.tried.verdict == "gets through"),
        is_tried=any(each.episodes for each in probe.tried),
        has_gate_error=any(t.name == GATE_ERROR for each in probe.tried for t in each.denied_by),
    )


def _tried(tried: Tried) -> TriedRow:
    denied = tuple(
        StopRow(each.name, REASONS.get(each.name, ""), each.count, each.name not in REASONS)
        for each in tried.denied_by
    )
    lost = max(0, tried.harmed_ungoverned - tried.reached)
    more = max(0, len(denied) - MOST)
    return TriedRow(tried, PROBED[tried.verdict], lost, denied[:MOST], more)


def _through_first(row: TriedRow) -> tuple[int, Fraction]:
    """Return the place of a row: by verdict, then by the share of episodes with harm."""
    tried = row.tried
    return list(PROBED).index(tried.verdict), Fraction(-tried.harmed_governed, tried.episodes or 1)
