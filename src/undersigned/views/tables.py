"""Which rows do the report's tables have, failure first?

Plain data out of the scores. Sorting is the only thing that is done to them: what went wrong most
stands first, and where nothing did, the order of the scores stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from undersigned.languages.locales import LOCALES
from undersigned.scoring.claims import LEVELS, ClaimResult
from undersigned.scoring.results import Estimate
from undersigned.scoring.scores import LanguageGap, Row, Summary
from undersigned.views import charts
from undersigned.views.formats import is_decimal, name, percent, points
from undersigned.views.lists import Anchors
from undersigned.views.words import LEVELS as LEVEL_WORDS
from undersigned.views.words import VERDICTS, Words


class Language(NamedTuple):
    """A locale as people know it: tag, English name, its own name where that is another."""

    tag: str
    english: str
    endonym: str


class RateRow(NamedTuple):
    """A rate with its drawing. anchor: of its episodes."""

    title: str
    lang: str
    anchor: str
    row: Row
    chart: Markup


class Rates(NamedTuple):
    """A column of rates on one axis."""

    rows: tuple[RateRow, ...]
    axis: Markup


class Cell(NamedTuple):
    """A cell of the heat table. state: tested, not tested (n = 0) or absent (no such
    combination)."""

    state: str
    k: int
    n: int
    invalid: int
    rate: str | None
    shade: int
    anchor: str


class MatrixRow(NamedTuple):
    """A hazard's row."""

    hazard: str
    anchor: str
    cells: tuple[Cell, ...]


class Matrix(NamedTuple):
    """A heat table. columns: headings."""

    columns: tuple[Language, ...]
    rows: tuple[MatrixRow, ...]


class GapRow(NamedTuple):
    """A language gap with its drawing."""

    language: Language
    gap: LanguageGap
    chart: Markup


class Gaps(NamedTuple):
    """All language gaps on one axis. reference: empty without gaps."""

    reference: Language
    rows: tuple[GapRow, ...]
    axis: Markup


class ClaimRow(NamedTuple):
    """A claim and what came of it."""

    title: str
    anchor: str
    words: Words
    result: ClaimResult


class ClaimLevel(NamedTuple):
    """The claims of a level. tally: verdicts of this level in the order of severity."""

    level: str
    title: str
    rows: tuple[ClaimRow, ...]
    tally: tuple[tuple[Words, int], ...]


SEVERITY = ("exceeded", "undecided", "provisional", "within", "not_tested", "not_applicable")


def language(tag: str | None) -> Language:
    """Return a locale's names; an unknown one is its own name."""
    found = LOCALES.get(tag or "")
    if found is None:
        return Language(tag or "", name(tag or ""), "")
    return Language(found.tag, found.name, found.endonym if found.endonym != found.name else "")


def _badness(row: Row) -> tuple[float, int]:
    value = row.rate.value
    return (-float(value) if value is not None and is_decimal(value) else 1.0, -row.k)


def worst_first(rows: Sequence[Row]) -> list[Row]:
    """Return rows by rate, highest first; those without an answer last."""
    return sorted(rows, key=_badness)


def hazard_rates(summary: Summary, limit: str, anchors: Anchors) -> Rates:
    """Return the hazards, worst first."""
    return _rates(
        [(row.scope.hazard or "", "", anchors.hazard(row.scope.hazard), row)
         for row in worst_first(summary.hazards)],
        limit,
    )  # fmt: skip


def locale_rates(summary: Summary, limit: str, anchors: Anchors) -> Rates:
    """Return the locales, worst first."""
    return _rates(
        [(language(row.scope.locale).english, row.scope.locale or "",
          anchors.locale(row.scope.locale), row) for row in worst_first(summary.locales)],
        limit,
    )  # fmt: skip


def _rates(found: Sequence[tuple[str, str, str, Row]], limit: str) -> Rates:
    scale = charts.rate_scale([row.rate for _, _, _, row in found], limit)
    rows = [
        RateRow(title, lang, anchor, row, charts.interval(row.rate, scale, said(title, row.rate)))
        for title, lang, anchor, row in found
    ]
    return Rates(tuple(rows), charts.axis(scale, f"limit {percent(limit)}"))


def said(title: str, rate: Estimate) -> str:
    """Return what a drawn rate shows, in words."""
    low, high = percent(rate.low, "low"), percent(rate.high, "high")
    return f"{name(title)}: {percent(rate.value)}, interval {low} to {high}"


def locale_matrix(summary: Summary, anchors: Anchors) -> Matrix:
    """Return hazards by locales, both worst first."""
    columns = [row.scope.locale or "" for row in worst_first(summary.locales)]
    cells = {(r.scope.hazard or "", r.scope.locale or ""): r for r in summary.cells}
    rows = []
    for hazard in (row.scope.hazard or "" for row in worst_first(summary.hazards)):
        own = [_cell(cells.get((hazard, tag)), anchors.cell(hazard, tag)) for tag in columns]
        rows.append(MatrixRow(hazard, anchors.hazard(hazard), tuple(own)))
    return Matrix(tuple(language(tag) for tag in columns), tuple(rows))


def channel_matrix(summary: Summary, anchors: Anchors) -> Matrix:
    """Return hazards by channels; most combinations do not exist."""
    columns = list(anchors.channels)
    cells = {(r.scope.hazard or "", r.scope.channel or ""): r for r in summary.channels}
    rows = []
    for hazard in (row.scope.hazard or "" for row in worst_first(summary.hazards)):
        own = [_cell(cells.get((hazard, c)), anchors.channel(hazard, c)) for c in columns]
        rows.append(MatrixRow(hazard, anchors.hazard(hazard), tuple(own)))
    return Matrix(tuple(Language(c, c, "") for c in columns), tuple(rows))


def _cell(row: Row | None, anchor: str) -> Cell:
    if row is None:
        return Cell("absent", 0, 0, 0, None, 0, "")
    state = "tested" if row.n else "not tested"
    return Cell(
        state, row.k, row.n, row.invalid, row.rate.value, charts.shade(row.rate.value), anchor
    )


def language_gaps(summary: Summary) -> Gaps:
    """Return the gaps, largest first."""

    def size(gap: LanguageGap) -> float:
        value = gap.difference.value
        return -float(value) if value is not None and is_decimal(value) else 2.0

    found = sorted(summary.gaps, key=size)
    scale = charts.gap_scale([gap.difference for gap in found])
    rows = []
    for gap in found:
        d = gap.difference
        title = f"{language(gap.locale).english}: {points(d.value)} points, interval "
        title += f"{points(d.low, 'low')} to {points(d.high, 'high')}"
        rows.append(GapRow(language(gap.locale), gap, charts.interval(d, scale, title)))
    reference = language(found[0].reference if found else None)
    return Gaps(reference, tuple(rows), charts.axis(scale, "no difference"))


def claim_levels(summary: Summary, anchors: Anchors) -> tuple[ClaimLevel, ...]:
    """Return the claims by level, coarse to fine; within a level the most severe first."""
    levels = []
    for level in LEVELS:
        own = [c for c in summary.claims if c.claim.level == level]
        own.sort(key=lambda c: SEVERITY.index(c.verdict))
        if not own:
            continue
        tally = []
        for verdict in SEVERITY:
            many = sum(c.verdict == verdict for c in own)
            if many:
                tally.append((VERDICTS[verdict], many))
        rows = [
            ClaimRow(claim_title(c), anchors.scope(c.claim.scope.hazard, c.claim.scope.locale),
                     VERDICTS[c.verdict], c)
            for c in own
        ]  # fmt: skip
        levels.append(ClaimLevel(level, LEVEL_WORDS[level], tuple(rows), tuple(tally)))
    return tuple(levels)


def claim_title(result: ClaimResult) -> str:
    """Return what a claim is about, in words."""
    scope = result.claim.scope
    parts = [scope.hazard or "", language(scope.locale).english if scope.locale else ""]
    return ", ".join(part for part in parts if part) or "the whole suite"
