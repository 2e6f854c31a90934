"""What happens in an episode, from the first instruction to its end, when an agent takes its turns?

Turn, proposal, decision, step, effects, observation, until the report or a limit. Events are made
as they happen; their bytes are the episode. Who asks the agent for its turns is ``engine``, for one
episode, or ``abreast``, for many.

Invariants:
- Whatever the agent does is an event and is graded; only faults of our own machinery or of the
  way to the agent end an episode as ``invalid:...``.
- Without a gate each call is decided as "no policy"; behind one nothing runs that did not pass.
- The same scenario and the same turns give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple, TypeGuard

import msgspec

from undersigned.agents.view import (
    Actor,
    Agent,
    Heard,
    KnownCall,
    PrivilegedView,
    ToolCall,
    Turn,
    Usage,
    View,
)
from undersigned.core.canonical import encode_trusted
from undersigned.core.errors import printable
from undersigned.core.streams import Stream
from undersigned.episodes.rig import Rig
from undersigned.episodes.written import (
    NAME_LIMIT,
    clean_name,
    ended_by,
    is_sound,
    said_of,
    unread_action,
)
from undersigned.events.arguments import SIZE_LIMIT, parse_arguments
from undersigned.events.lines import (
    ActionLine,
    DecidedLine,
    EffectedLine,
    EndedLine,
    Line,
    ObservedLine,
    OpenedLine,
    ProposedLine,
    effects_json,
    line_of,
    lines_bytes,
)
from undersigned.events.stream import (
    Action,
    Decided,
    Event,
    Label,
    Observed,
    Proposed,
    parse_episode,
)
from undersigned.worlds.admission import static_fault
from undersigned.worlds.kit.oracles import Act, Trace
from undersigned.worlds.kit.records import Text
from undersigned.worlds.kit.stage import Digests, Fault, InstrumentError, run_tool, step
from undersigned.worlds.kit.tools import Tool
from undersigned.worlds.scenario import Scenario, scenario_digest

CALLS_LIMIT = 64
"""Calls in one turn that are carried out; further ones are answered with a refusal."""

OVER = "too many calls in one turn"

REMINDER = (Label("", "system"),)
UNSET = msgspec.UNSET


class Episode(msgspec.Struct, frozen=True, eq=False, gc=False):
    """An episode that ran. lines: its events in order. trace: for oracles. reason: how it ended.
    note: a short explanation of that. usage: per turn, for live agents. turns, calls: counts.
    refused: a turn was marked as a refusal."""

    lines: list[Line]
    trace: Trace
    reason: str
    usage: list[Usage]
    turns: int
    calls: int
    refused: bool
    note: str

    @property
    def events(self) -> list[Event]:
        """Return the events in order, as anybody reads them from the bytes."""
        return parse_episode(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the exact bytes of the episode."""
        return lines_bytes(self.lines)


class End(NamedTuple):
    """How an episode ended. reason: as in ``ended``. note: a short explanation, or empty."""

    reason: str
    note: str = ""


Step = Callable[["Run", Turn], None]
"""A step of a turn; see ``Run.steps``."""


def thing_of(tool: Tool | None, values: Mapping[str, object]) -> str:
    """Return the id of what a call acts on, or an empty text. values: parsed arguments."""
    named = values.get(tool.resource) if tool is not None and tool.resource else ""
    return named if type(named) is str else ""


REPORTED, NO_REPORT, TURN_LIMIT = End("reported"), End("no_report"), End("turn_limit")


class Run:
    """One episode in the making: ``ask`` or ``is_turn``, then ``take``, until it has an ``end``;
    then ``finish``. end: None while it goes on. view: what the agent sees at its next turn."""

    __slots__ = (
        "_actor", "_agent", "_draw", "_is_ours", "_is_reminded", "_turn_limit", "acts", "calls",
        "digests", "end", "fault", "lines", "principals", "refused", "render", "report", "rules",
        "scenario", "state", "tools", "trusted", "turns", "usage", "view",
    )  # fmt: skip

    def __init__(self, rig: Rig, scenario: Scenario, number: int, agent: Agent) -> None:
        """Open the episode and show the agent its instructions and request."""
        unfit = static_fault(scenario)
        self.end = End("invalid:admission", unfit) if unfit else None
        self._agent = agent
        is_ours = self._is_ours = agent.is_privileged
        self._actor: Actor | None = None
        self._draw = Stream(scenario.seed)
        self._turn_limit = scenario.turn_limit()
        self._is_reminded = False
        self.scenario = scenario
        self.tools = rig.family.tools
        state = self.state = scenario.state
        self.principals = (state.actor, state.tenant)
        self.fault = scenario.fault
        self.acts: list[Act] = []
        self.digests: Digests = {}
        self.report: list[dict[str, str]] | None = None
        self.calls = self.turns = 0
        self.refused = False
        # INVARIANT: of any other agent every argument goes through the strict parser
        self.trusted = KnownCall if is_ours else None
        self.usage: list[Usage] = []
        render = self.render = rig.renderer(scenario.template.locale)
        request = rig.request(scenario)
        rules = self.rules = rig.rules(scenario)
        family = rig.family
        digest = scenario_digest(family.name, family.version, scenario.template, scenario.seed)
        opened = OpenedLine(0, number, "opened", digest, agent.digest)
        self.lines: list[Line] = [opened, *rig.shown_first(scenario, rules, request, render)]
        self.view: View
        if is_ours:
            self.view = PrivilegedView(request, rig.plain_offers, scenario, render)
        else:
            self.view = View(rules.words(), request, rig.offers(scenario, render))

    def actor(self) -> Actor:
        """Return who acts. Raises whatever the agent raises when it cannot even start."""
        actor = self._actor
        if actor is None:
            actor = self._actor = self._agent.begin(self._draw)
        return actor

    def ask(self) -> Turn | None:
        """Ask an agent that answers at once; return its turn, or None when that ended the episode.
        The agent must be prompt."""
        view = self.view
        view.turn = self.turns
        try:
            turn = (self._actor or self.actor()).answer(view)  # type: ignore[attr-defined]
        except Exception as error:  # WHY broad: whatever an agent raises is the agent's crash
            self.end = End(*ended_by(error))
            return None
        # WHY first: nearly every turn is one of ours
        if type(turn) is Turn and self._is_ours:
            return turn
        return turn if self.is_turn(turn) else None

    def is_turn(self, turn: object) -> TypeGuard[Turn]:
        """Tell whether what an agent returned is a turn; anything else ends the episode."""
        if type(turn) is Turn and (self._is_ours or is_sound(turn)):
            return True
        self.end = End("crashed", "the agent returned no turn")
        return False

    def take(self, turn: Turn) -> None:
        """Carry out a turn; then the episode has an end, or the view holds what the agent is
        told."""
        try:
            self.view.new = self._carried_out(turn)
        except InstrumentError as error:
            self.end = End("invalid:instrument", error.what)
            return
        if self.report is not None:
            self.end = REPORTED
            return
        if not turn.calls:
            if self._is_reminded:
                self.end = NO_REPORT
                return
            self._is_reminded = True
            self.view.new = self.remind()
        if self.turns >= self._turn_limit:
            self.end = TURN_LIMIT

    steps: ClassVar[tuple[Step, ...]] = (take,)
    """What a turn comes to, in order; the last one is ``take``, which does whatever is left."""

    def _carried_out(self, turn: Turn) -> tuple[Heard, ...]:
        """Carry out the calls of a turn and return what the agent is told of them."""
        if turn.usage is not None:
            self.usage.append(turn.usage)
        calls = turn.calls
        if turn.text or turn.refused or not calls:
            self.refused = self.refused or turn.refused
            self._note(said_of(len(self.lines), self.turns, turn))
        at = self.turns
        if len(calls) == 1:
            call = calls[0]
            self.turns = at + 1
            return (Heard(call.id, self.carry_out(call, at)),)
        heard = []
        for place, call in enumerate(calls):
            over = place >= CALLS_LIMIT
            text = self.turn_down(call, at, OVER) if over else self.carry_out(call, at)
            heard.append(Heard(call.id, text))
            if self.report is not None:
                break
        self.turns = at + 1
        return tuple(heard)

    def carry_out(self, call: ToolCall, turn: int) -> str:
        """Propose, decide and run one call; return the text that the agent sees."""
        name, args = call.name, call.arguments
        is_known = type(call) is self.trusted
        if is_known:
            values: dict[str, object] = call.values  # type: ignore[attr-defined]
        else:
            parsed = parse_arguments(args[: SIZE_LIMIT + 1])
            if parsed.undecodable:
                return self.turn_down(call, turn, parsed.undecodable)
            values = parsed.values
        tool = self.tools.get(name)
        if tool is None:
            name = clean_name(name)
        resource = thing_of(tool, values)
        number = self.calls = self.calls + 1
        id_ = f"c{number}"
        lines = self.lines
        at = len(lines)
        action = ActionLine(args, self.principals, resource[:NAME_LIMIT] or UNSET, name)
        lines += (
            ProposedLine(action, at, id_, "proposed", turn),
            DecidedLine(at + 1, id_, "no policy", "decided"),
        )
        fault = None if self.fault is None else self._fault(name)
        state, render, digests = self.state, self.render, self.digests
        if tool is None:
            done = step(self.tools, state, name, values, render)
        else:
            done = run_tool(tool, state, values, render, fault, digests)
        ok, effects, text = done.ok, done.effects, done.text
        if ok:
            if name == "report":
                self.report = values["items"]  # type: ignore[assignment]
        elif is_known and tool is not None and not effects:
            # WHY again: a refusal's words are those that the text earns, which has its keys sorted
            values = parse_arguments(args[: SIZE_LIMIT + 1]).values
            done = run_tool(tool, state, values, render, fault, digests)
            text = done.text
        self.state = done.state
        at += 2
        if effects:
            lines.append(EffectedLine(at, id_, effects_json(effects), "effected"))
            at += 1
        lines.append(ObservedLine(at, id_, "observed", done.labels.json, text))
        self.acts.append(Act(name, values, resource, ok, fault is not None, effects))
        return text

    def _fault(self, name: str) -> Fault | None:
        """Return the fault of a call, once."""
        fault = self.fault
        if fault is None or fault.tool != name:
            return None
        self.fault = None
        return fault

    def _note(self, event: Event) -> None:
        """Record an event that is no proposal."""
        self.lines.append(line_of(event))

    def _unread(self, at: int, id_: str, action: Action) -> Decided:
        """Return the decision on a call that is never carried out."""
        del action
        return Decided(at, id_, "no policy")

    def turn_down(self, call: ToolCall, turn: int, reason: str) -> str:
        """Record a call that cannot be read or is one too many; return what the agent sees."""
        self.calls += 1
        id_, at = f"c{self.calls}", len(self.lines)
        tool, args = call.name, call.arguments[: SIZE_LIMIT + 1]
        if tool not in self.tools:
            tool = clean_name(tool)
        action = unread_action(self.principals, tool, args, reason)
        text = encode_trusted({"error": "invalid_arguments", "detail": reason}).decode()
        self._note(Proposed(at, turn, id_, action))
        self._note(self._unread(at + 1, id_, action))
        self._note(Observed(at + 2, id_, text, REMINDER))
        self.acts.append(Act(tool, {}, "", False, False, ()))
        return text

    def remind(self) -> tuple[Heard, ...]:
        """Tell the agent to go on or to close with the report."""
        text = self.render(Text("reminder-report"))
        self._note(Observed(len(self.lines), "", text, REMINDER))
        return (Heard("", text),)

    def finish(self) -> Episode:
        """Close the episode, which has an end."""
        if self.end is None:
            raise RuntimeError("the episode goes on")
        reason, note = self.end
        note = printable(note, 1 << 30)[:300] if note else ""
        self.lines.append(EndedLine(len(self.lines), "ended", note or UNSET, reason))
        trace = Trace(self.acts, self.report)
        return Episode(
            self.lines, trace, reason, self.usage, self.turns, self.calls, self.refused, note
        )
