"""What happens in an episode, from the first instruction to its end, when an agent takes its turns?

Turn, proposal, decision, step, effects, observation, until the report or a limit. The events are
the record: the agent is told what they say it is told, the oracles read what is made of them, and
their bytes are the episode. Who asks the agent for its turns is ``engine``, for one episode, or
``abreast``, for many.

Invariants:
- Whatever the agent does is an event and is graded; only faults of our own machinery or of the
  way to the agent end an episode as ``invalid:...``.
- Every call goes to the gate. Without controls an open one records "no policy"; behind a policy
  nothing runs that it did not pass.
- Every argument goes through the one strict parser, whoever wrote it.
- The same scenario and the same turns give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import NamedTuple, TypeGuard

from undersigned.agents.view import Actor, Agent, Heard, ToolCall, Turn, Usage
from undersigned.controls.proposals import Proposal
from undersigned.core.canonical import encode_trusted
from undersigned.core.errors import printable
from undersigned.core.streams import Stream
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls, gate_of, refusal, told, would_harm
from undersigned.episodes.written import (
    clean_name,
    ended_by,
    is_sound,
    said_of,
    unread_action,
)
from undersigned.events.arguments import SIZE_LIMIT, parse_arguments
from undersigned.events.stream import (
    Action,
    Effected,
    Ended,
    Event,
    Label,
    Observed,
    Opened,
    Proposed,
    Said,
    episode_bytes,
    parse_episode,
)
from undersigned.worlds.kit.common import report
from undersigned.worlds.kit.records import Text
from undersigned.worlds.kit.stage import InstrumentError, Stage, Stepped
from undersigned.worlds.kit.tools import Tool
from undersigned.worlds.kit.trace import Trace, TraceReader, trace_of
from undersigned.worlds.scenario import Scenario, scenario_digest

CALLS_LIMIT = 64
"""Calls in one turn that are carried out; further ones are answered with a refusal."""

OVER = "too many calls in one turn"
CLOSED = "the report has closed the task"

REMINDER = (Label("", "system"),)


class Episode:
    """An episode, by its events. usage: per turn, for live agents; lies beside the events."""

    def __init__(self, events: list[Event], usage: list[Usage] | None = None) -> None:
        """Take a whole episode's events, in order."""
        self.events = events
        self.usage = usage or []

    @classmethod
    def parsed(cls, data: bytes) -> Episode:
        """Return the episode that these bytes are. Raises EvidenceError (E-EVT-001)."""
        return cls(parse_episode(data))

    def to_bytes(self) -> bytes:
        """Return the exact bytes of the episode."""
        return episode_bytes(self.events)

    @cached_property
    def trace(self) -> Trace:
        """Return what the agent did, for oracles."""
        return trace_of(self.events)

    @property
    def opened(self) -> Opened:
        """Return the first event, which says of which scenario the episode is."""
        opened = self.events[0]
        assert type(opened) is Opened  # INVARIANT: of every whole episode
        return opened

    @property
    def ended(self) -> Ended:
        """Return the last event, which says how the episode ended."""
        ended = self.events[-1]
        assert type(ended) is Ended  # INVARIANT: of every whole episode
        return ended

    @property
    def reason(self) -> str:
        """Return why the episode ended, as ``ended`` says."""
        return self.ended.reason

    @property
    def turns(self) -> int:
        """Return the number of turns that the agent took."""
        taken = (e.turn for e in reversed(self.events) if type(e) in (Said, Proposed))  # type: ignore[union-attr]
        return 1 + next(taken, -1)

    @property
    def calls(self) -> int:
        """Return the number of calls that the agent made."""
        return len(self.trace.acts)

    @property
    def is_refused(self) -> bool:
        """Tell whether the endpoint marked a turn as a refusal."""
        return any(type(e) is Said and e.refused for e in self.events)


class End(NamedTuple):
    """How an episode ended. reason: as in ``ended``. note: a short explanation, or empty."""

    reason: str
    note: str = ""


REPORTED, NO_REPORT, TURN_LIMIT = End("reported"), End("no_report"), End("turn_limit")


class Run:
    """One episode in the making: ``ask`` or ``is_turn``, then ``take``, until it has an ``end``;
    then ``finish``.

    end: None while it goes on. turns: taken so far. view: what the agent sees at its next turn.
    """

    __slots__ = (
        "_actor", "_agent", "_broken", "_calls", "_draw", "_events", "_gate", "_is_reminded",
        "_principals", "_reader", "_scenario", "_stage", "_turn_limit", "_usage", "end",
        "turns", "view",
    )  # fmt: skip

    def __init__(
        self, rig: Rig, scenario: Scenario, number: int, agent: Agent,
        controls: Controls | None = None,
    ) -> None:  # fmt: skip
        """Open the episode and show the agent its instructions and request.

        number: its place in the plan. controls: what stands between agent and world.
        """
        unfit = scenario.unfit()
        self.end = End("invalid:admission", unfit) if unfit else None
        self.turns = self._calls = 0
        self._agent = agent
        self._actor: Actor | None = None
        self._draw = Stream(scenario.seed)
        self._turn_limit = scenario.turn_limit()
        self._is_reminded = False
        self._broken: InstrumentError | None = None
        self._reader = TraceReader()
        self._usage: list[Usage] = []
        self._scenario = scenario
        self._principals = (scenario.state.actor, scenario.state.tenant)
        render = rig.renderer(scenario.template.locale)
        family = rig.family
        self._stage = Stage(family.tools, scenario.state, render, scenario.fault)
        self.view = rig.view(scenario, is_privileged=agent.is_privileged)
        digest = scenario_digest(family.name, family.version, scenario.template, scenario.seed)
        opened = Opened(0, number, digest, agent.digest)
        self._events: list[Event] = [opened, *rig.opening(scenario, self.view)]
        self._gate = gate_of(controls, scenario, self._events, self._events, self._would_harm)

    def actor(self) -> Actor:
        """Return who acts. Raises whatever the agent raises when it cannot even start."""
        actor = self._actor
        if actor is None:
            actor = self._actor = self._agent.begin(self._draw)
        return actor

    def ask(self) -> Turn | None:
        """Ask an agent that answers at once; return its turn, or None when that ended the episode.
        The agent must be prompt."""
        self.view.turn = self.turns
        try:
            turn = self.actor().answer(self.view)  # type: ignore[attr-defined]
        except Exception as error:  # WHY broad: whatever an agent raises is the agent's crash
            self.end = End(*ended_by(error))
            return None
        return turn if self.is_turn(turn) else None

    def is_turn(self, turn: object) -> TypeGuard[Turn]:
        """Tell whether what an agent returned is a turn; anything else ends the episode."""
        if type(turn) is Turn and is_sound(turn):
            return True
        self.end = End("crashed", "the agent returned no turn")
        return False

    def take(self, turn: Turn) -> None:
        """Carry out a turn; then the episode has an end, or the view holds what the agent is
        told."""
        if turn.usage is not None:
            self._usage.append(turn.usage)
        number, self.turns = self.turns, self.turns + 1
        if turn.text or turn.refused or not turn.calls:
            self._gate.note(said_of, number, turn)
        try:
            self.view.new = self._heard(turn.calls, number)
        except InstrumentError as error:
            fields = [f"{name} {value}" for name, value in error.fields.items()]
            self.end = End("invalid:instrument", ", ".join([error.what, *fields]))
            return
        if self.end is not None:
            return
        if not turn.calls:
            if self._is_reminded:
                self.end = NO_REPORT
                return
            self._is_reminded = True
            words = self._stage.render(Text("reminder-report"))
            self.view.new = (Heard("", self._tell("", words)),)
        if self.turns >= self._turn_limit:
            self.end = TURN_LIMIT

    def finish(self) -> Episode:
        """Close the episode, which has an end."""
        if self.end is None:
            raise RuntimeError("the episode goes on")
        reason, note = self.end
        note = printable(note, 1 << 30)[:300] if note else ""
        self._events.append(Ended(len(self._events), reason, note))
        del self._gate  # WHY: the two hold each other, and would stay until they are collected
        return Episode(self._events, self._usage)

    def _heard(self, calls: tuple[ToolCall, ...], turn: int) -> tuple[Heard, ...]:
        """Carry out calls in order, up to the report; return what the agent is told of them."""
        heard = []
        for place, call in enumerate(calls):
            if self.end is not None:
                text = self._turn_down(call, turn, CLOSED)
            elif place >= CALLS_LIMIT:
                text = self._turn_down(call, turn, OVER)
            else:
                text = self._carry_out(call, turn)
            heard.append(Heard(call.id, text))
        return tuple(heard)

    def _carry_out(self, call: ToolCall, turn: int) -> str:
        """Propose one call to the gate and, if it passes, run it; return what the agent is told."""
        parsed = parse_arguments(call.arguments[: SIZE_LIMIT + 1])
        if parsed.undecodable:
            return self._turn_down(call, turn, parsed.undecodable)
        tool = self._stage.tools.get(call.name)
        name = call.name if tool is not None else clean_name(call.name)
        id_ = self._next_id()
        # INVARIANT: uncut, for reports name it, and what is compared must be whole on both sides
        action = Action(self._principals, name, call.arguments, thing_of(tool, parsed.values))
        gate = self._gate
        proposal = gate.propose(turn, id_, action, parsed.values)
        passed = gate.carry_out(
            proposal, partial(self._stage.step, name), partial(self._settle, proposal)
        )
        if self._broken is not None:
            raise self._broken
        if passed.outcome is None:
            return self._tell(id_, refusal(passed.because, self._stage.render))
        if passed.outcome.ok and name == report.name:
            self.end = REPORTED
        return self._last_told()

    def _settle(self, proposal: Proposal, done: Stepped) -> None:
        """Record what came of a call, and tell the agent."""
        call = proposal.call
        if done.effects:
            self._gate.note(Effected, call, done.effects)
        # INVARIANT: what a person was asked about has run only if that person approved it
        text = told(
            done.text, proposal.narrowed, self._stage.render, is_approved=proposal.was_asked
        )
        self._gate.note(Observed, call, text, done.labels)

    def _turn_down(self, call: ToolCall, turn: int, reason: str) -> str:
        """Record a call that cannot be read or is one too many; return what the agent is told."""
        id_, tool = self._next_id(), call.name
        if tool not in self._stage.tools:
            tool = clean_name(tool)
        args = call.arguments[: SIZE_LIMIT + 1]
        self._gate.unread(turn, id_, unread_action(self._principals, tool, args, reason))
        told = {"error": "invalid_arguments", "detail": reason}
        return self._tell(id_, encode_trusted(told).decode())

    def _next_id(self) -> str:
        """Return the id of the next call."""
        self._calls += 1
        return f"c{self._calls}"

    def _tell(self, call: str, text: str) -> str:
        """Record what the machinery tells the agent, and return it. call: that it answers."""
        self._gate.note(Observed, call, text, REMINDER)
        return text

    def _last_told(self) -> str:
        """Return what the agent was told last, as it is recorded."""
        event = self._events[-1]
        assert type(event) is Observed  # INVARIANT: what settles a call tells the agent last
        return event.text

    def _would_harm(self, action: Action, args: Mapping[str, object]) -> bool:
        """Try an act on the world as it is, and tell whether it would break a rule."""
        try:
            tried = self._stage.trial(action.tool, args)
        except InstrumentError as error:
            self._broken = error  # WHY kept: to the gate it is only a reviewer that fails
            raise
        # WHY not the last: it is the act that is asked about
        earlier = self._reader.read(self._events)[:-1]
        return would_harm(self._scenario, earlier, action, args, tried)


def thing_of(tool: Tool | None, values: Mapping[str, object]) -> str:
    """Return the id of what a call acts on, or an empty text. values: parsed arguments."""
    named = values.get(tool.resource) if tool is not None and tool.resource else ""
    return named if type(named) is str else ""
