"""How does one episode run, from the first instruction to its end?

View, turn, proposal, decision, step, effects, observation, until the report or a limit. Events
are made as they happen; their bytes are the episode.

Invariants:
- Whatever the agent does is an event and is graded; only faults of our own machinery or of the
  way to the agent end an episode as ``invalid:...``.
- Without a gate each call is decided as "no policy".
- The same scenario and the same turns give the same bytes.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from answerable.agents.view import (
    Actor,
    Agent,
    Heard,
    PrivilegedView,
    RecordedEndError,
    StalledError,
    ToolCall,
    TransportError,
    Turn,
    Usage,
    View,
)
from answerable.core.canonical import encode_trusted
from answerable.core.errors import printable
from answerable.core.streams import Stream
from answerable.episodes.rig import Rig
from answerable.events.arguments import SIZE_LIMIT, parse_arguments
from answerable.events.stream import (
    Action,
    Decided,
    Effected,
    Ended,
    Event,
    Label,
    Observed,
    Opened,
    Proposed,
    Said,
    episode_bytes,
)
from answerable.worlds.admission import static_fault
from answerable.worlds.kit.oracles import Act, Trace
from answerable.worlds.kit.records import Text
from answerable.worlds.kit.stage import Digests, InstrumentError, step
from answerable.worlds.scenario import Scenario, scenario_digest

TEXT_LIMIT = 65_536
"""Characters of what an agent says that are kept."""
NAME_LIMIT = 200
"""Characters of a tool's name that are kept."""
CALLS_LIMIT = 64
"""Calls in one turn that are carried out; further ones are answered with a refusal."""

OVER = "too many calls in one turn"

OPERATOR = (Label("", "operator"),)
USER = (Label("", "user"),)
REMINDER = (Label("", "system"),)


class Episode(msgspec.Struct, frozen=True, eq=False, gc=False):
    """An episode that ran. events: in order. trace: for oracles. reason: how it ended. usage: per
    turn, for live agents. turns, calls: counts. refused: a turn was marked as a refusal."""

    events: list[Event]
    trace: Trace
    reason: str
    usage: list[Usage]
    turns: int
    calls: int
    refused: bool

    def to_bytes(self) -> bytes:
        """Return the exact bytes of the episode."""
        return episode_bytes(self.events)


class Run:
    """One episode in the making. Made and used by ``run_episode`` only."""

    __slots__ = (
        "acts", "calls", "digests", "events", "fault", "principals", "refused", "render", "report",
        "state", "tools", "turns", "usage", "view",
    )  # fmt: skip

    def __init__(self, rig: Rig, scenario: Scenario, number: int, agent: Agent) -> None:
        """Open the episode and show the agent its instructions and request."""
        self.tools = rig.family.tools
        state = self.state = scenario.state
        self.principals = (state.actor, state.tenant)
        self.fault = scenario.fault
        self.acts: list[Act] = []
        self.digests: Digests = {}
        self.report: list[dict[str, str]] | None = None
        self.calls = self.turns = 0
        self.refused = False
        self.usage: list[Usage] = []
        render = self.render = rig.renderer(scenario.template.locale)
        instructions = rig.instructions(scenario)
        request = rig.request(scenario)
        family = rig.family
        digest = scenario_digest(family.name, family.version, scenario.template, scenario.seed)
        self.events: list[Event] = [
            Opened(0, number, digest, agent.digest),
            Observed(1, "", instructions, OPERATOR),
            Observed(2, "", request, USER),
        ]
        for tool, text in scenario.notes.items():
            labels = (Label(tool, "tool_metadata"),)
            self.events.append(Observed(len(self.events), "", render(text), labels))
        offers = rig.offers(scenario, render) if scenario.notes else rig.plain_offers
        self.view: View
        if agent.is_privileged:
            self.view = PrivilegedView(instructions, request, offers, scenario, render)
        else:
            self.view = View(instructions, request, offers)

    def take(self, turn: Turn) -> tuple[Heard, ...]:
        """Carry out a turn and return what the agent is told of it."""
        if turn.usage is not None:
            self.usage.append(turn.usage)
        if turn.text or turn.refused or not turn.calls:
            self.refused = self.refused or turn.refused
            self.events.append(_said(len(self.events), self.turns, turn))
        heard = []
        for place, call in enumerate(turn.calls):
            heard.append(Heard(call.id, self.carry_out(call, over=place >= CALLS_LIMIT)))
            if self.report is not None:
                break
        self.turns += 1
        return tuple(heard)

    def carry_out(self, call: ToolCall, *, over: bool) -> str:
        """Propose, decide and run one call; return the text that the agent sees."""
        self.calls = number = self.calls + 1
        id_ = f"c{number}"
        tool_name, args = call.name, call.arguments
        if len(args) > SIZE_LIMIT:
            args = args[: SIZE_LIMIT + 1]
        parsed = parse_arguments(args)
        values, undecodable = parsed.values, parsed.undecodable
        if tool_name not in self.tools:
            tool_name = _clean_name(tool_name)
        if over or undecodable:
            return self.turn_down(id_, tool_name, args, OVER if over else undecodable)
        tool = self.tools.get(tool_name)
        resource = values.get(tool.resource, "") if tool is not None and tool.resource else ""
        if type(resource) is not str:
            resource = ""
        events = self.events
        at = len(events)
        action = Action(self.principals, tool_name, args, resource[:NAME_LIMIT])
        events.append(Proposed(at, self.turns, id_, action))
        events.append(Decided(at + 1, id_, "no policy"))
        fault = self.fault
        if fault is not None:
            if fault.tool == tool_name:
                self.fault = None
            else:
                fault = None
        done = step(self.tools, self.state, tool_name, values, self.render, fault, self.digests)
        self.state, effects, text = done.state, done.effects, done.text
        at += 2
        if effects:
            events.append(Effected(at, id_, effects))
            at += 1
        events.append(Observed(at, id_, text, done.labels))
        self.acts.append(Act(tool_name, values, resource, done.ok, fault is not None, effects))
        if tool_name == "report" and done.ok:
            self.report = values["items"]  # type: ignore[assignment]
        return text

    def turn_down(self, id_: str, tool: str, args: str, reason: str) -> str:
        """Record a call that cannot be read or is one too many; return what the agent sees."""
        at = len(self.events)
        action = _unread(self.principals, tool, args, reason)
        text = encode_trusted({"error": "invalid_arguments", "detail": reason}).decode()
        self.events += [
            Proposed(at, self.turns, id_, action),
            Decided(at + 1, id_, "no policy"),
            Observed(at + 2, id_, text, REMINDER),
        ]
        self.acts.append(Act(tool, {}, "", False, False, ()))
        return text

    def remind(self) -> tuple[Heard, ...]:
        """Tell the agent to go on or to close with the report."""
        text = self.render(Text("reminder-report"))
        self.events.append(Observed(len(self.events), "", text, REMINDER))
        return (Heard("", text),)

    def finish(self, reason: str, note: str = "") -> Episode:
        """End the episode."""
        note = printable(note, 1 << 30)[:300] if note else ""
        self.events.append(Ended(len(self.events), reason, note))
        trace = Trace(self.acts, self.report)
        return Episode(self.events, trace, reason, self.usage, self.turns, self.calls, self.refused)


def _said(at: int, number: int, turn: Turn) -> Said:
    text = turn.text[:TEXT_LIMIT]
    try:
        text.encode()
    except UnicodeEncodeError:
        raw = b64encode(text.encode("utf-8", "surrogatepass")).decode()
        return Said(at, number, "", raw, turn.refused)
    return Said(at, number, text, "", turn.refused)


def _unread(principals: tuple[str, ...], tool: str, args: str, reason: str) -> Action:
    """Return the action of a call that cannot be read; bytes that are no Unicode in base64."""
    try:
        args.encode()
    except UnicodeEncodeError:
        raw = b64encode(args.encode("utf-8", "surrogatepass")).decode()
        return Action(principals, tool, "", "", raw, reason)
    return Action(principals, tool, args, "", "", reason)


def _clean_name(name: str) -> str:
    return name[: NAME_LIMIT + 1].encode("utf-8", "backslashreplace").decode()[:NAME_LIMIT]


OnTurn = Callable[[int, Turn], Awaitable[None]]
"""Called with the number of a turn, from 0, and the turn; makes it durable before its calls run."""


async def run_episode(
    rig: Rig,
    scenario: Scenario,
    agent: Agent,
    number: int,
    *,
    on_turn: OnTurn | None = None,
    recorded: Sequence[Turn] = (),
) -> Episode:
    """Run one episode to its end.

    number: its place in the plan. on_turn: makes a live turn durable. recorded: turns of an earlier
    attempt that are not asked for again. Never raises for anything that the agent does.
    """
    run = Run(rig, scenario, number, agent)
    unfit = static_fault(scenario)
    if unfit:
        return run.finish("invalid:admission", unfit)
    actor: Actor | None = None
    is_ours = agent.is_privileged
    limit = scenario.turn_limit()
    reminded = False
    view = run.view
    while run.turns < limit:
        view.turn = run.turns
        is_new = run.turns >= len(recorded)
        try:
            if actor is None:
                actor = agent.begin(Stream(scenario.seed))
            if is_new:
                turn = await actor.act(view)
                if type(turn) is not Turn or not (is_ours or _is_sound(turn)):
                    return run.finish("crashed", "the agent returned no turn")
            else:
                turn = recorded[run.turns]
                replayed = getattr(actor, "replayed", None)
                if replayed is not None:
                    replayed(view, turn)
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except TransportError as error:
            return run.finish(f"invalid:transport-{error.cause}", error.detail)
        except RecordedEndError as error:
            return run.finish(error.reason, error.note)
        except StalledError as error:
            return run.finish("stalled", str(error))
        except Exception as error:  # WHY broad: whatever an agent raises is the agent's crash
            return run.finish("crashed", _told(error))
        if is_new and on_turn is not None:
            await on_turn(run.turns, turn)
        try:
            heard = run.take(turn)
        except InstrumentError as error:
            return run.finish("invalid:instrument", error.what)
        if run.report is not None:
            return run.finish("reported")
        if not turn.calls:
            if reminded:
                return run.finish("no_report")
            reminded = True
            heard = run.remind()
        view.new = heard
    return run.finish("turn_limit")


def _is_sound(turn: Turn) -> bool:
    """Tell whether a turn holds texts where they belong; any object can come back in process."""
    return (
        type(turn.text) is str
        and type(turn.calls) is tuple
        and all(
            type(c) is ToolCall and type(c.id) is type(c.name) is type(c.arguments) is str
            for c in turn.calls
        )
    )


def _told(error: Exception) -> str:
    """Return an exception as text; one that cannot even be shown by its type."""
    try:
        return repr(error)
    except Exception:  # WHY broad: the agent's own code runs here as well
        return type(error).__name__
