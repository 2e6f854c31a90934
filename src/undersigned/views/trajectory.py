"""Who said and did what in an episode, step by step, as plain data?

One view for the report and for the terminal. Texts are raw here and may be hostile; whoever
writes them out makes them visible (``formats.visible``) and escapes them.

Invariants:
- Every event of the episode is in exactly one step, in order, except cut lists, which are counted.
- An effect that constitutes a harm bears the harm's name and the rule it breaks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from undersigned.events.arguments import parse_arguments
from undersigned.events.stream import (
    Answered,
    Decided,
    Effect,
    Effected,
    Ended,
    Event,
    Label,
    Observed,
    Proposed,
    Said,
)
from undersigned.scoring.outcomes import Graded
from undersigned.views.formats import amount, number
from undersigned.views.replays import Archive, Opened, Replayed
from undersigned.views.words import DECISIONS, EFFECTS, PROVENANCE, ending

PARTS_LIMIT = 12
"""Labelled parts of one text that are listed."""
STEPS_LIMIT = 60
"""Steps of one episode that are shown."""
EFFECTS_LIMIT = 20
"""Effects of one call, and items of one report, that are shown."""
OUTSIDERS = ("third_party", "tool_metadata")

Kind = Literal["shown", "said", "call", "ended"]


class Part(NamedTuple):
    """A part of a text that somebody else wrote, or that is labelled. lang: BCP 47 or empty.
    planted: holds the text that the channel carries."""

    path: str
    who: str
    text: str
    lang: str
    data_class: str
    planted: bool
    outsider: bool


class Harm(NamedTuple):
    """A harm and the rule it breaks. words: the rule in English, or empty."""

    harm: str
    rule: str
    words: str


class Change(NamedTuple):
    """An effect. what: in words. before, after: digests or empty. fields: what changed, as text.
    final: no offered tool can take it back. harms: that it constitutes."""

    what: str
    before: str
    after: str
    fields: str
    note: str
    final: bool
    harms: tuple[Harm, ...]


class ReportItem(NamedTuple):
    """An item of the closing report."""

    tool: str
    resource: str
    status: str


class Step(NamedTuple):
    """One step. who: speaks or acts. text: what was said, or the answer to a call. more: what was
    cut, in words."""

    at: int
    kind: Kind
    who: str
    text: str
    lang: str = ""
    tool: str = ""
    args: str = ""
    decision: str = ""
    parts: tuple[Part, ...] = ()
    changes: tuple[Change, ...] = ()
    items: tuple[ReportItem, ...] = ()
    harms: tuple[Harm, ...] = ()
    more: str = ""


class Trajectory(NamedTuple):
    """An episode. lang: of the task's own texts. harms: that were found. marked: whether the
    effects that constitute them could be worked out here."""

    row: Graded
    lang: str
    payload_lang: str
    steps: tuple[Step, ...]
    harms: tuple[Harm, ...]
    marked: bool
    more: str


def trajectory(
    archive: Archive, opened: Opened, row: Graded, limit: int = STEPS_LIMIT
) -> Trajectory:
    """Return an episode step by step. limit: steps; those with a harm and the last one stay."""
    told = _Teller(archive, opened.replayed, row)
    steps = told.steps(opened.events)
    more = ""
    if len(steps) > limit:
        more = f"{number(len(steps) - limit)} steps are left out, none of them with a harm"
        wanted = sorted(range(len(steps)), key=lambda n: (not _is_telling(steps, n), n))
        if _is_telling(steps, wanted[limit]):
            more = f"{number(len(steps) - limit)} steps are left out"
        steps = [steps[n] for n in sorted(wanted[:limit])]
    return Trajectory(
        row=row,
        lang=told.lang,
        payload_lang=row.payload_locale,
        steps=tuple(steps),
        harms=told.found,
        marked=opened.replayed is not None,
        more=more,
    )


def _is_telling(steps: Sequence[Step], number: int) -> bool:
    step = steps[number]
    harmful = bool(step.harms) or any(change.harms for change in step.changes)
    return harmful or step.kind == "ended"


class _Teller:
    """Turns events into steps. Made and used by ``trajectory`` only."""

    def __init__(self, archive: Archive, replayed: Replayed | None, row: Graded) -> None:
        self.row = row
        self.lang = replayed.scenario.template.locale if replayed else ""
        self.planted = ""
        self.by_effect: dict[tuple[int, int], tuple[Harm, ...]] = {}
        self.aside: tuple[Harm, ...] = ()
        self.found: tuple[Harm, ...] = ()
        if replayed is None:
            self.found = tuple(Harm(harm, "", "") for harm in row.harms)
            return
        text = replayed.scenario.plant.text
        self.planted = replayed.render(text) if text is not None else ""
        harms = [
            Harm(f.harm, f.rule, archive.rule_words(replayed.scenario, f.rule))
            for f in replayed.grade.findings
        ]
        self.found = tuple(harms)
        pairs = list(zip(harms, replayed.grade.findings, strict=True))
        self.aside = tuple(harm for harm, f in pairs if not f.effects)
        for act, done in enumerate(replayed.trace.acts):
            for place, effect in enumerate(done.effects):
                own = tuple(h for h, f in pairs if any(e is effect for e in f.effects))
                if own:
                    self.by_effect[act, place] = own

    def steps(self, events: Sequence[Event]) -> list[Step]:
        """Return the steps of the events."""
        found: list[Step] = []
        places: dict[str, int] = {}
        acts = 0
        for event in events:
            if isinstance(event, Observed) and event.call not in places:
                found.append(self._shown(event))
            elif isinstance(event, Said):
                found.append(_said(event))
            elif isinstance(event, Proposed):
                places[event.call] = len(found)
                found.append(_call(event))
                acts += 1
            elif isinstance(event, Ended):
                found.append(Step(event.at, "ended", "", ending(event.reason), more=event.note))
            elif isinstance(event, Decided | Answered | Effected | Observed):
                place = places.get(event.call)
                if place is not None:
                    found[place] = self._onto(found[place], event, acts - 1)
        return found

    def _onto(self, step: Step, event: Decided | Answered | Effected | Observed, act: int) -> Step:
        if isinstance(event, Decided):
            reasons = f" ({', '.join(event.reasons)})" if event.reasons else ""
            return step._replace(decision=DECISIONS[event.decision] + reasons)
        if isinstance(event, Answered):
            return step._replace(decision=f"{step.decision}; {event.reviewer}: {event.answer}")
        if isinstance(event, Effected):
            changes = tuple(
                _change(effect, self.by_effect.get((act, place), ()))
                for place, effect in enumerate(event.effects)
            )
            return step._replace(changes=_first_harmful(changes), more=_left(changes, "effects"))
        step = step._replace(text=event.text, parts=self._parts(event))
        if step.tool == "report":
            items = _report_items(step.args)
            step = step._replace(items=items[:EFFECTS_LIMIT], harms=self.aside)
        return step

    def _shown(self, event: Observed) -> Step:
        label = event.labels[0] if event.labels else Label("", "system")
        who = PROVENANCE[label.provenance]
        if label.provenance in OUTSIDERS:
            who = f"{who} ({label.path})" if label.path else who
            return Step(event.at, "shown", who, "", parts=(self._part(label, event.text),))
        parts: tuple[Part, ...] = ()
        if self.planted and self.planted in event.text:
            parts = (self._part(label, self.planted),)
        return Step(event.at, "shown", who, event.text, self.lang, parts=parts)

    def _parts(self, event: Observed) -> tuple[Part, ...]:
        """Return the parts of an answer that outsiders wrote or that are labelled data."""
        wanted = [la for la in event.labels if la.provenance in OUTSIDERS or la.data_class]
        if not wanted:
            return ()
        try:
            whole: object = msgspec.json.decode(event.text)
        except (msgspec.DecodeError, RecursionError):
            whole = event.text
        parts = [self._part(label, _dig(whole, label.path)) for label in wanted]
        parts.sort(key=lambda part: not part.outsider)
        return tuple(parts[:PARTS_LIMIT])

    def _part(self, label: Label, text: str) -> Part:
        planted = bool(self.planted) and self.planted in text
        return Part(
            path=label.path,
            who=PROVENANCE[label.provenance],
            text=text,
            lang=self.row.payload_locale if planted else "",
            data_class=label.data_class,
            planted=planted,
            outsider=label.provenance in OUTSIDERS,
        )


def _said(event: Said) -> Step:
    text = event.text or _bytes_as_text(event.text_base64)
    more = "the endpoint marked this as a refusal" if event.refused else ""
    return Step(event.at, "said", "agent", text or "(a turn without words or calls)", more=more)


def _call(event: Proposed) -> Step:
    action = event.action
    args = action.args or _bytes_as_text(action.args_base64)
    more = f"could not be parsed: {action.undecodable}" if action.undecodable else ""
    return Step(event.at, "call", "agent", "", tool=action.tool, args=args, more=more)


def _bytes_as_text(text_base64: str) -> str:
    """Return bytes that are no Unicode with what is wrong in them made visible."""
    try:
        return base64.b64decode(text_base64, validate=True).decode("utf-8", "backslashreplace")
    except ValueError:
        return text_base64


def _change(effect: Effect, harms: tuple[Harm, ...]) -> Change:
    notes = []
    if effect.sink and effect.kind != "disclosed":
        notes.append(f"to {effect.sink}")
    if effect.tenant:
        notes.append(f"of {effect.tenant}")
    if effect.jurisdiction:
        notes.append(f"in {effect.jurisdiction}")
    if effect.data_classes:
        notes.append(f"{', '.join(effect.data_classes)} data")
    if effect.magnitude is not None:
        notes.append(amount(str(effect.magnitude.amount), effect.magnitude.unit))
    fields = json.dumps(effect.changed, ensure_ascii=False) if effect.changed else ""
    return Change(
        what=f"{effect.table} {effect.id} {EFFECTS[effect.kind]}",
        before=effect.before,
        after=effect.after,
        fields=fields,
        note=", ".join(notes),
        final=not effect.undoable and effect.kind != "disclosed",
        harms=harms,
    )


def _first_harmful(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return what is shown of a call's effects: no harmful one is cut before a harmless one."""
    if len(changes) <= EFFECTS_LIMIT:
        return changes
    return tuple(sorted(changes, key=lambda c: not c.harms)[:EFFECTS_LIMIT])


def _left(changes: tuple[Change, ...], noun: str) -> str:
    left = len(changes) - EFFECTS_LIMIT
    return f"{number(left)} more {noun}" if left > 0 else ""


def _dig(value: object, path: str) -> str:
    """Return what stands at a path such as ``items.0.memo``, as text."""
    for key in path.split(".") if path else ():
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _report_items(args: str) -> tuple[ReportItem, ...]:
    listed = parse_arguments(args).values.get("items")
    if not isinstance(listed, list):
        return ()
    return tuple(
        ReportItem(*[_text(item.get(key)) for key in ReportItem._fields])
        for item in listed
        if isinstance(item, dict)
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
