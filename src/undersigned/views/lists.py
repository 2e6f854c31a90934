"""Which episodes stand behind each number, and which are shown in full?

Every number that counts episodes has a list with its own anchor. An unsafe or invalid episode of
the main sample has a row; where there are too many, the further ones are listed by number. Some are
shown in full: the first unsafe ones of each hazard and language, and one safe one per language.

Invariants:
- Anchors are made of positions, never of names out of the dossier.
- The lists of a cell hold every main episode of that cell, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from undersigned.scoring.outcomes import Graded
from undersigned.scoring.scores import Summary

ROWS = 400
"""Rows of unsafe and invalid episodes in the whole report."""
UNSAFE_PER_CELL = 3
"""Unsafe episodes of a hazard and language that may be shown in full."""


class Group(NamedTuple):
    """Episodes that share something. label: in words. numbers: in ascending order."""

    label: str
    numbers: tuple[int, ...]


class EpisodeList(NamedTuple):
    """The episodes behind a number. anchor: id in the page. rows: those with details. groups:
    numbers of the rest, or of all when there are no rows."""

    anchor: str
    title: str
    rows: tuple[Graded, ...]
    groups: tuple[Group, ...]


class HazardLists(NamedTuple):
    """The lists of one hazard: by language, by channel."""

    anchor: str
    hazard: str
    cells: tuple[EpisodeList, ...]
    channels: tuple[EpisodeList, ...]


class Lists(NamedTuple):
    """All lists. overall: across the report. hazards: one by one. with_row: episodes that have a
    row somewhere."""

    overall: tuple[EpisodeList, ...]
    locales: tuple[EpisodeList, ...]
    hazards: tuple[HazardLists, ...]
    with_row: frozenset[int]


class Anchors:
    """Names of places in the page, made of positions in the scores."""

    def __init__(self, summary: Summary) -> None:
        """Number hazards, channels and locales in the order of the scores."""
        self.hazards = _unique(row.scope.hazard for row in summary.hazards)
        self.locales = _unique(row.scope.locale for row in summary.locales)
        self.channels = _unique(row.scope.channel for row in summary.channels)

    def hazard(self, hazard: str | None) -> str:
        """Return the anchor of a hazard's lists."""
        return f"h{self.hazards.get(hazard or '', 'x')}"

    def locale(self, locale: str | None) -> str:
        """Return the anchor of a locale's list."""
        return f"l{self.locales.get(locale or '', 'x')}"

    def cell(self, hazard: str | None, locale: str | None) -> str:
        """Return the anchor of a hazard's list in a locale."""
        return f"{self.hazard(hazard)}-{self.locale(locale)}"

    def channel(self, hazard: str | None, channel: str | None) -> str:
        """Return the anchor of a hazard's list in a channel."""
        return f"{self.hazard(hazard)}-c{self.channels.get(channel or '', 'x')}"

    def scope(self, hazard: str | None, locale: str | None) -> str:
        """Return the anchor of a claim's episodes."""
        if hazard is not None and locale is not None:
            return self.cell(hazard, locale)
        if hazard is not None:
            return self.hazard(hazard)
        return self.locale(locale) if locale is not None else "list-main"


def _unique(names: Iterable[str | None]) -> dict[str, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(n or "" for n in names))}


def episode_lists(rows: Sequence[Graded], anchors: Anchors) -> Lists:
    """Return the lists of all episodes. rows: in any order; shown in ascending order."""
    ordered = sorted(rows, key=lambda row: row.index)
    main = [row for row in ordered if row.arm == "hazard"]
    cells: dict[tuple[str, str], list[Graded]] = {}
    by_channel: dict[tuple[str, str], list[Graded]] = {}
    for row in main:
        cells.setdefault((row.hazard, row.locale), []).append(row)
        by_channel.setdefault((row.hazard, row.channel), []).append(row)
    eventful = sum(any(r.outcome != "safe" for r in found) for found in cells.values())
    most = max(UNSAFE_PER_CELL, ROWS // max(1, eventful))
    hazards = []
    with_row: set[int] = set()
    for hazard in anchors.hazards:
        own = [
            _cell(anchors.cell(hazard, tag), tag, cells[hazard, tag], most)
            for tag in anchors.locales
            if (hazard, tag) in cells
        ]
        with_row.update(row.index for each in own for row in each.rows)
        channels = [
            _plain(anchors.channel(hazard, channel), channel, by_channel[hazard, channel])
            for channel in anchors.channels
            if (hazard, channel) in by_channel
        ]
        hazards.append(HazardLists(anchors.hazard(hazard), hazard, tuple(own), tuple(channels)))
    locales = [
        _plain(anchors.locale(tag), tag, [row for row in main if row.locale == tag])
        for tag in anchors.locales
    ]
    return Lists(
        tuple(_overall(ordered, main, anchors)), tuple(locales), tuple(hazards), frozenset(with_row)
    )


def _cell(anchor: str, title: str, rows: Sequence[Graded], most: int) -> EpisodeList:
    eventful = sorted((r for r in rows if r.outcome != "safe"), key=lambda r: r.outcome != "unsafe")
    kept = sorted(eventful[:most], key=lambda r: r.index)
    groups = _by_outcome(eventful[most:], "further ") + _by_outcome(
        [row for row in rows if row.outcome == "safe"], ""
    )
    return EpisodeList(anchor, title, tuple(kept), groups)


def _plain(anchor: str, title: str, rows: Sequence[Graded]) -> EpisodeList:
    return EpisodeList(anchor, title, (), _by_outcome(rows, ""))


def _by_outcome(rows: Sequence[Graded], prefix: str) -> tuple[Group, ...]:
    groups: list[Group] = []
    for outcome in ("unsafe", "invalid"):
        groups += _group(rows, f"{prefix}{outcome}", lambda r, o=outcome: r.outcome == o)
    groups += _group(rows, "safe, task done", lambda r: r.outcome == "safe" and r.useful)
    groups += _group(rows, "safe, task not done", lambda r: r.outcome == "safe" and not r.useful)
    return tuple(groups)


def _group(rows: Sequence[Graded], label: str, holds: Callable[..., bool]) -> list[Group]:
    numbers = tuple(sorted(row.index for row in rows if holds(row)))
    return [Group(label, numbers)] if numbers else []


def _overall(
    rows: Sequence[Graded], main: Sequence[Graded], anchors: Anchors
) -> Iterable[EpisodeList]:
    yield _plain("list-main", "Main sample, what the claims are about", main)
    twins = [row for row in rows if row.arm == "twin"]
    groups = [
        *_group(twins, "task done", lambda r: r.useful),
        *_group(twins, "refused, though nothing was wrong", lambda r: r.refused and not r.useful),
        *_group(twins, "not done, without a refusal", lambda r: not r.useful and not r.refused),
        *_group(twins, "unsafe", lambda r: r.outcome == "unsafe"),
    ]
    yield EpisodeList("list-twins", "Benign twins, in which nothing is wrong", (), tuple(groups))
    aside: list[Group] = []
    for tag in anchors.locales:
        own = [row for row in rows if row.arm == "parallel" and row.locale == tag]
        aside += [g._replace(label=f"{tag}: {g.label}") for g in _by_outcome(own, "")]
    yield EpisodeList("list-parallel", "Parallels, one seed in several languages", (), tuple(aside))
    reports = [
        *_group(main, "with a false report", lambda r: r.report == "false"),
        *_group(main, "without a report", lambda r: r.report == "missing"),
        *_group(main, "with untidy writes", lambda r: r.untidy > 0),
    ]
    yield EpisodeList("list-reports", "Reports and untidy writes, main sample", (), tuple(reports))
    money: dict[str, list[int]] = {}
    for row in main:
        for moved in row.moved:
            if moved.amount:
                money.setdefault(moved.unit, []).append(row.index)
    harmed = tuple(Group(unit, tuple(money[unit])) for unit in sorted(money))
    yield EpisodeList("list-harm", "Episodes whose harm moved something, by unit", (), harmed)
    bad = _group(rows, "all samples", lambda r: r.outcome == "invalid")
    yield EpisodeList("list-invalid", "Invalid episodes, without an outcome", (), tuple(bad))


def shown_in_full(rows: Sequence[Graded], worst_first: Mapping[str, int]) -> list[Graded]:
    """Return the episodes to show in full, the most telling first; the page takes what fits.

    worst_first: place of each hazard. First one unsafe episode of every cell, then one safe episode
    per language, then the second and third unsafe ones.
    """
    cells: dict[tuple[int, str, str], list[Graded]] = {}
    safe: dict[str, Graded] = {}
    for row in sorted(rows, key=lambda row: row.index):
        if row.arm != "hazard":
            continue
        if row.outcome == "unsafe":
            place = worst_first.get(row.hazard, len(worst_first))
            cells.setdefault((place, row.hazard, row.locale), []).append(row)
        elif row.outcome == "safe":
            safe.setdefault(row.locale, row)
    ordered = [cells[key] for key in sorted(cells)]
    chosen = [found[0] for found in ordered] + [safe[tag] for tag in sorted(safe)]
    for turn in range(1, UNSAFE_PER_CELL):
        chosen += [found[turn] for found in ordered if len(found) > turn]
    return chosen
