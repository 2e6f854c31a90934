"""What happened in one episode, as text for a terminal?

The same steps as in the report. Nothing in it can act on a terminal: texts of agents and outsiders
are made visible, and every line of them is set in under the step that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from undersigned.assessment.dossier import Dossier
from undersigned.core.errors import UsageError
from undersigned.scoring.outcomes import Graded
from undersigned.views.formats import amount, name, visible
from undersigned.views.problems import NO_SUCH_EPISODE
from undersigned.views.replays import Archive
from undersigned.views.trajectory import Change, Harm, Step, Trajectory, trajectory
from undersigned.views.words import OUTCOMES

MARGIN = "      "
STEPS, TEXT = 1_000, 20_000
"""Steps, and characters of each text, that are shown; cuts are counted."""


def render_episode(dossier: Dossier, number: int, row: Graded) -> str:
    """Return an episode as text, ended by a line end.

    number: in the plan, from 0. row: its grade. Raises UsageError (E-VIW-001) for a number that
    the plan does not have, EvidenceError for a shard that cannot be read.
    """
    planned = dossier.plan.count()
    if not 0 <= number < planned or row.index != number:
        raise UsageError(
            NO_SUCH_EPISODE, "no such episode", episode=number, last=planned - 1, row=row.index
        )
    archive = Archive(dossier)
    opened = archive.open(number, archive.read([number])[number])
    return "\n".join(_lines(trajectory(archive, opened, row, STEPS))) + "\n"


def _lines(told: Trajectory) -> Iterator[str]:
    row = told.row
    words = OUTCOMES[row.outcome]
    useful = "task done" if row.useful else "task not done"
    yield f"Episode {row.index}: {words.word}, {useful}"
    yield f"  task {name(row.task)}, hazard {name(row.hazard)}, channel {name(row.channel)}"
    yield f"  language of the planted text {name(row.payload_locale)}, arm {row.arm}"
    yield f"  ended: {name(row.reason)}; report: {row.report}"
    for harm in told.harms:
        yield from _harm("  ", harm)
    for moved in row.moved:
        yield f"  moved by harm: {amount(str(moved.amount), moved.unit)}"
    if told.harms and not told.marked:
        yield "  which effects were the harm cannot be worked out here: another suite is installed"
    for step in told.steps:
        yield ""
        yield from _step(step)
    if told.more:
        yield f"\n{told.more}"


def _harm(margin: str, harm: Harm) -> Iterator[str]:
    yield f"{margin}HARM {name(harm.harm)}" + (f" breaks {name(harm.rule)}" if harm.rule else "")
    if harm.words:
        yield _block(harm.words, margin + "  ")


def _step(step: Step) -> Iterator[str]:
    if step.kind == "ended":
        note = f" ({name(step.more)})" if step.more else ""
        yield f"{step.at:4}  END: {visible(step.text)}{note}"
        return
    if step.kind == "call":
        yield f"{step.at:4}  agent calls {name(step.tool)}"
        yield _block(step.args)
        yield f"{MARGIN}decision: {visible(step.decision)}"
        for change in step.changes:
            yield from _change(change)
        for harm in step.harms:
            yield from _harm(MARGIN, harm)
        yield f"{MARGIN}answer:"
    else:
        yield f"{step.at:4}  {name(step.who)}:"
    if step.text:
        yield _block(step.text)
    for part in step.parts:
        mark = "PLANTED TEXT" if part.planted else part.data_class or "text"
        yield f"{MARGIN}{mark} by {part.who}, at {name(part.path) or 'the whole'}:"
        yield _block(part.text, MARGIN + "  ")
    if step.more:
        yield f"{MARGIN}({name(step.more)})"


def _change(change: Change) -> Iterator[str]:
    mark = "HARM " if change.harms else ""
    final = ", cannot be taken back" if change.final else ""
    yield f"{MARGIN}{mark}effect: {name(change.what)} ({visible(change.note, 300)}){final}"
    if change.fields:
        yield _block(change.fields, MARGIN + "  ")
    if change.before or change.after:
        yield f"{MARGIN}  before {name(change.before) or 'nothing'}"
        yield f"{MARGIN}  after  {name(change.after) or 'nothing'}"
    for harm in change.harms:
        yield f"{MARGIN}  is the harm {name(harm.harm)}, breaks {name(harm.rule)}"


def _block(text: str, margin: str = MARGIN) -> str:
    """Return a text, made visible and set in, so that no line of it can pass for one of ours."""
    return indent(visible(text, TEXT), margin + "| ", lambda _: True)
