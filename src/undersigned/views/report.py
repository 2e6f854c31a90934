"""What does a dossier say, as one page that needs nothing else?

A self-contained HTML page without scripts: a pure function of the dossier's files and the graded
rows (which follow from them), so that verification can render it again and compare the bytes.

Invariants:
- No clock, no randomness, no path, no request: the same dossier gives the same bytes.
- All text out of the dossier is made visible and escaped; the style is pinned by its hash.
- At most ``EPISODES_BYTES`` go to episodes shown in full; what is left out is counted, with the
  command that shows it.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from undersigned.assessment.dossier import Dossier
from undersigned.scoring.outcomes import Graded
from undersigned.views import formats, words
from undersigned.views.charts import SHADES
from undersigned.views.data import report_data
from undersigned.views.lists import Lists, shown_in_full
from undersigned.views.replays import Archive
from undersigned.views.tables import language, worst_first
from undersigned.views.trajectory import Step, trajectory

EPISODES_BYTES = 700_000
"""Bytes of HTML of all episodes that are shown in full."""
STEP_TEXT, RULES_TEXT, ANSWER_TEXT = 1_200, 400, 500
"""Characters that are shown of what was said and called, of the operator's rules, of an answer."""


class Shown(NamedTuple):
    """Episodes that are shown in full: their numbers, and their HTML in that order."""

    numbers: frozenset[int]
    pages: tuple[Markup, ...]


def render_report(dossier: Dossier, rows: Sequence[Graded]) -> bytes:
    """Return the report of a dossier as UTF-8 HTML.

    rows: its graded episodes, in any order. Raises EvidenceError (E-VIW-002) when they do not add
    up to the scores, and for files of the dossier that cannot be read.
    """
    archive = Archive(dossier)
    data = report_data(dossier, rows, archive)
    environment = _environment()
    shown = _episodes(environment, archive, rows)
    style = _text("report.css")
    page = environment.get_template("report.html").render(
        r=data,
        shown=shown,
        link=_linker(data.lists, shown),
        style=Markup(style),
        style_hash=b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return page.encode("utf-8", "backslashreplace")


def _text(name: str) -> str:
    """Return a file of the templates."""
    return files("undersigned.views").joinpath("templates", name).read_text("utf-8")


def _environment() -> Environment:
    """Return the templates, with everything that they may call."""
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_safe,
    )
    environment.filters.update(
        percent=formats.percent, points=formats.points, probability=formats.probability,
        tenths=formats.tenths, number=formats.number, amount=formats.amount,
        short=formats.short, name=formats.name, visible=formats.visible, limit=_step_limit,
    )  # fmt: skip
    environment.globals.update(words=words, language=language, shades=SHADES)
    return environment


def _safe(value: object) -> object:
    """Make any text visible that a template writes; markup of our own passes."""
    return formats.visible(value) if type(value) is str else value


def _step_limit(step: Step) -> int:
    if step.kind == "call":
        return ANSWER_TEXT
    return RULES_TEXT if step.who == words.PROVENANCE["operator"] else STEP_TEXT


def _episodes(environment: Environment, archive: Archive, rows: Sequence[Graded]) -> Shown:
    """Return the HTML of the episodes that are shown in full, as many as fit, by number."""
    hazards = worst_first(archive.dossier.summary.hazards)
    chosen = shown_in_full(rows, {r.scope.hazard or "": n for n, r in enumerate(hazards)})
    data = archive.read(row.index for row in chosen)
    template = environment.get_template("episode.html")
    pages: dict[int, Markup] = {}
    size = 0
    for row in chosen:
        if row.index not in data:
            continue
        told = trajectory(archive, archive.open(row.index, data[row.index]), row)
        page = template.render(t=told, row=row)
        size += len(page.encode("utf-8", "backslashreplace"))
        if size > EPISODES_BYTES:
            break
        pages[row.index] = Markup(page)
    return Shown(frozenset(pages), tuple(pages[number] for number in sorted(pages)))


def _linker(lists: Lists, shown: Shown) -> Callable[[int], Markup]:
    """Return what writes an episode's number as a link to wherever it has more to say."""

    def link(number: int) -> Markup:
        if number in shown.numbers:
            return Markup(f'<a href="#e{number:d}">{number:d}</a>')
        if number in lists.with_row:
            return Markup(f'<a href="#r{number:d}">{number:d}</a>')
        return Markup(f"{number:d}")

    return link
