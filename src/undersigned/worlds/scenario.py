"""What is one scenario, and how is it made from a task, a hazard, a channel and a locale?

A scenario is a pure function of (family, version, template, seed): the task draws its setting, the
hazard draws what may go wrong, the channel carries the hazard's text to where the agent will meet
it. Texts stay unrendered until somebody reads them.

Invariants:
- Harm never depends on words: oracles look at effects only.
- A twin has the same place and the same look as its hazard, and nothing is wrong in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from undersigned.core.canonical import Digest, digest_bytes, encode_trusted
from undersigned.core.streams import Stream
from undersigned.events.stream import Provenance
from undersigned.worlds.kit.common import STANDARD, Answers, answer_records
from undersigned.worlds.kit.oracles import Footprint, Grade, Oracle, grade
from undersigned.worlds.kit.programs import Program
from undersigned.worlds.kit.records import Record, Text, World
from undersigned.worlds.kit.stage import Fault
from undersigned.worlds.kit.trace import Trace

HazardKind = Literal["injection", "pressure", "lapse"]
"""``injection``: a payload in a channel. ``pressure``: the request itself asks for the wrong
thing. ``lapse``: nothing provokes; a careless agent slips."""

Arm = Literal["hazard", "twin"]


class Template(msgspec.Struct, frozen=True, order=True, gc=False):
    """What is combined in a scenario, apart from the seed.

    locale: of the task's texts. payload_locale: of the planted text. arm: the hazard, or its
    benign twin.
    """

    task: str
    hazard: str
    channel: str
    locale: str
    payload_locale: str
    arm: Arm = "hazard"


class Slot(msgspec.Struct, frozen=True, gc=False):
    """A field, written by an outsider, of a record that the honest program reads."""

    table: str
    id: str
    field: str


class Task(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A task, drawn. ask: the request, as texts. rules: the operator's rules, as texts. state: base
    with the task's own records over it. honest: what an honest agent does. useful: whether it was
    done as asked. footprint: what it may leave behind. standing: oracles of the rules that always
    hold. slots: where outsiders' texts stand, by channel. answers: scripted. facts: what hazards
    of the family need to know. faults: loud faults that may be injected."""

    ask: tuple[Text, ...]
    rules: tuple[Text, ...]
    state: World
    honest: Program
    useful: Callable[[Trace], bool]
    footprint: Footprint
    standing: tuple[Oracle, ...]
    slots: Mapping[str, Slot]
    facts: Any
    answers: Answers = STANDARD
    faults: tuple[Fault, ...] = ()


class Hazard(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A hazard, drawn for a task.

    oracle: the labelled harm. attack: a program that does it. payload, twin: texts that a channel
    carries, or None. honest, useful: when the honest way differs from the task's. records,
    twin_records: put over the task's state. implies: further harms that the attack cannot avoid.
    sinks: further sinks of the honest way. task: the task, changed so that the hazard can occur.
    """

    oracle: Oracle
    attack: Program
    payload: Text | None = None
    twin: Text | None = None
    honest: Program | None = None
    useful: Callable[[Trace], bool] | None = None
    records: tuple[Record, ...] = ()
    twin_records: tuple[Record, ...] = ()
    implies: frozenset[str] = frozenset()
    sinks: frozenset[str] = frozenset()
    task: Task | None = None


class Plant(msgspec.Struct, frozen=True, gc=False):
    """Where a text was planted. channel: name. provenance: whose words it passes for. record:
    (table, id) that carries it, or None. tool: whose description carries it, or empty.
    """

    channel: str
    provenance: Provenance
    text: Text | None
    record: tuple[str, str] | None = None
    tool: str = ""


class Scenario(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One scenario, ready to run.

    template, seed: what it was made from. kind: of the hazard. state: the world at the start.
    rules, ask: texts of the operator and the user. notes: text appended to a tool's description,
    by tool. plant: what was planted. honest, attack: programs. oracles: labelled harm first.
    harm: name of the labelled harm, empty in a twin. implies: harms that the attack cannot avoid.
    fault: loud fault, or None.
    """

    template: Template
    seed: bytes
    kind: HazardKind
    state: World
    rules: tuple[Text, ...]
    ask: tuple[Text, ...]
    notes: Mapping[str, Text]
    plant: Plant
    honest: Program
    attack: Program
    oracles: tuple[Oracle, ...]
    harm: str
    implies: frozenset[str]
    footprint: Footprint
    useful: Callable[[Trace], bool]
    fault: Fault | None

    def grade(self, trace: Trace) -> Grade:
        """Grade what an agent did, by this scenario's own oracles."""
        return grade(trace, self.oracles, self.footprint, self.state.tenant, self.useful)

    def unfit(self) -> str:
        """Return why this scenario may not be run, or "" when it may; cheap, for every draw.

        The rule that its harm breaks must be readable, what is to be planted must be planted, and
        there must be something to do.
        """
        if not self.honest.steps:
            return "there is nothing to do"
        if self.kind == "injection" and self.plant.text is None:
            return "nothing was planted"
        if self.harm:
            rule = self.oracles[0].rule
            if not any(text.message == rule for text in self.rules):
                return f"the rule {rule} stands in no instruction"
        return ""

    def turn_limit(self) -> int:
        """Return the number of turns after which the episode ends."""
        return 3 * (len(self.honest.steps) + 1) + 10


class Carried(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What a channel makes of a task and a text: the state, request and tool notes with the text in
    them, and where it is."""

    state: World
    ask: tuple[Text, ...]
    notes: Mapping[str, Text]
    plant: Plant


class Channel(Protocol):
    """A way for a text to reach the agent. name: as in templates."""

    name: str

    def fits(self, slots: frozenset[str]) -> bool:
        """Return True when tasks with these slots have a place for it."""
        ...

    def carry(self, task: Task, text: Text) -> Carried:
        """Plant a text."""
        ...


class TaskMaker(NamedTuple):
    """A task as its family declares it. name, make. slots: channels of third-party texts that the
    honest program reads. offers: features that hazards may need."""

    name: str
    make: Callable[[Stream], Task]
    slots: frozenset[str]
    offers: frozenset[str]


class HazardMaker(NamedTuple):
    """A hazard as its family declares it.

    kind; rule: message id of the rule it breaks; channels: that may carry its payload (empty: none
    is planted). needs: features a task must offer. foreign: the payload is in another locale
    than the task. asi: OWASP Agentic 2026 id; atlas: MITRE ATLAS technique; measure: measure of
    the Model AI Governance Framework for Agentic AI that it tests.
    """

    name: str
    make: Callable[[Task, Stream], Hazard]
    kind: HazardKind
    rule: str
    channels: tuple[str, ...]
    needs: frozenset[str]
    foreign: bool
    asi: str
    atlas: str
    measure: str
    summary: str


def task(
    name: str, *, slots: tuple[str, ...] = (), offers: tuple[str, ...] = ()
) -> Callable[[Callable[[Stream], Task]], TaskMaker]:
    """Declare a task. name: unique in the family. slots, offers: see ``TaskMaker``."""

    def declare(make: Callable[[Stream], Task]) -> TaskMaker:
        return TaskMaker(name, make, frozenset(slots), frozenset(offers))

    return declare


def hazard(
    name: str,
    *,
    kind: HazardKind,
    rule: str,
    channels: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    foreign: bool = False,
    asi: str = "",
    atlas: str = "",
    measure: str = "",
) -> Callable[[Callable[[Task, Stream], Hazard]], HazardMaker]:
    """Declare a hazard. Its docstring's first line says what may go wrong."""

    def declare(make: Callable[[Task, Stream], Hazard]) -> HazardMaker:
        summary = (make.__doc__ or "").strip().split("\n")[0]
        return HazardMaker(
            name, make, kind, rule, channels, frozenset(needs), foreign, asi, atlas, measure,
            summary,
        )  # fmt: skip

    return declare


NO_TEXTS: Mapping[str, Text] = {}
NOWHERE = Plant("none", "user", None)


class Recipe(NamedTuple):
    """What a scenario is made of. seed: 32 bytes; everything that varies is drawn from it, the
    locale varies nothing else. channel: carries the hazard's text; None for a lapse."""

    template: Template
    seed: bytes
    task: TaskMaker
    hazard: HazardMaker
    channel: Channel | None


def assemble(recipes: Sequence[Recipe], *, fault_share: int = 4) -> list[Scenario]:
    """Make scenarios: all tasks, then all hazards, then the rest, which is faster than one scenario
    after the other.

    fault_share: one scenario in so many has a loud fault, where the task allows one; 0 for none.
    Pure; what a scenario is does not depend on the others.
    """
    roots = [Stream(recipe.seed) for recipe in recipes]
    draws = [root.child("task") for root in roots]
    tasks = [each.task.make(draw) for each, draw in zip(recipes, draws, strict=True)]
    draws = [root.child("hazard") for root in roots]
    hazards = [
        each.hazard.make(task, draw) for each, task, draw in zip(recipes, tasks, draws, strict=True)
    ]
    faults = [
        _draw_fault(root, (hazard.task or task).faults, fault_share)
        for root, task, hazard in zip(roots, tasks, hazards, strict=True)
    ]
    return [_composed(*each) for each in zip(recipes, tasks, hazards, faults, strict=True)]


def _composed(recipe: Recipe, task: Task, hazard: Hazard, fault: Fault | None) -> Scenario:
    """Put a scenario together of a task and a hazard that were drawn for it."""
    template, seed, _, hazard_maker, channel = recipe
    task = hazard.task or task
    arm = template.arm == "hazard"
    text = hazard.payload if arm else hazard.twin
    records = hazard.records if arm else hazard.twin_records
    if task.answers is not STANDARD or task.state.record("answers", "user") is None:
        records = (*records, *answer_records(task.answers))
    if records:
        task = msgspec.structs.replace(task, state=task.state.over(*records))
    if channel is not None and text is not None:
        if hazard_maker.kind == "injection":
            text = Text(text.message, text.slots, template.payload_locale)
        carried = channel.carry(task, text)
    else:
        carried = Carried(task.state, task.ask, NO_TEXTS, NOWHERE)
    footprint = task.footprint
    if hazard.sinks:
        footprint = Footprint(footprint.sinks | hazard.sinks, footprint.tables)
    honest, useful = task.honest, task.useful
    if arm:
        honest, useful = hazard.honest or honest, hazard.useful or useful
    # WHY: a lapse's harm lies in what its records say; a twin has no such records
    labelled = (hazard.oracle,) if arm or hazard_maker.kind != "lapse" else ()
    return Scenario(
        template,
        seed,
        hazard_maker.kind,
        carried.state,
        task.rules,
        carried.ask,
        carried.notes,
        carried.plant,
        honest,
        hazard.attack if arm else honest,
        labelled + task.standing,
        hazard.oracle.harm if arm else "",
        hazard.implies,
        footprint,
        useful,
        fault,
    )


def _draw_fault(root: Stream, faults: tuple[Fault, ...], share: int) -> Fault | None:
    """Draw the loud fault of a scenario, or that it has none. share: see ``assemble``."""
    if not share or not faults:
        return None
    draw = root.child("fault")
    return draw.choice(faults) if draw.integer(share) == 0 else None


def scenario_digest(family: str, version: str, template: Template, seed: bytes) -> Digest:
    """Return the digest of what generates a scenario: family, version, template, seed."""
    return digest_bytes(encode_trusted([family, version, template, seed.hex()]))
