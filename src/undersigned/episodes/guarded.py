"""What happens in an episode whose calls pass a gate?

Everything that is recorded is told to the gate's keeper of facts, in order. A turn of one call may
be taken in steps (``steps``), so that many episodes take each step together.

Invariants:
- Nothing runs that the gate did not pass, and every argument goes through the strict parser.
- Whether the steps of a turn are taken one by one or all by ``take`` makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec

from undersigned.agents.view import Agent, ToolCall, Turn
from undersigned.controls.decide import decide
from undersigned.controls.facts import FactKeeper
from undersigned.controls.gate import Gate
from undersigned.controls.proposals import Because, Proposal
from undersigned.controls.records import Decision, Facts
from undersigned.controls.reviewers import reviewer_of
from undersigned.controls.stop import Latch
from undersigned.core.canonical import encode_trusted
from undersigned.core.streams import Stream
from undersigned.episodes.episode import REMINDER, Episode, Run, Step, thing_of
from undersigned.episodes.governed import Controls
from undersigned.episodes.rig import OPERATOR, USER, Rig
from undersigned.episodes.written import NAME_LIMIT, clean_name
from undersigned.events.arguments import SIZE_LIMIT, parse_arguments
from undersigned.events.lines import Line, line_of, lines_bytes
from undersigned.events.stream import (
    Action,
    Decided,
    Effected,
    Event,
    Observed,
    parse_events,
)
from undersigned.worlds.admission import grade_scenario
from undersigned.worlds.kit.oracles import Act, Finding, Trace
from undersigned.worlds.kit.records import Text
from undersigned.worlds.kit.stage import InstrumentError, Render, Stepped, step
from undersigned.worlds.scenario import Scenario

TOLD: Mapping[Because, Text] = {
    "denied": Text("gate-denied"),
    "rejected": Text("gate-rejected"),
    "unanswered": Text("gate-unanswered"),
    "stopped": Text("gate-stopped"),
}
"""What the agent is told, in its language, when a call did not run."""


class _Open(NamedTuple):
    """A call that the gate has decided on."""

    id: str
    values: dict[str, object]
    proposal: Proposal


class GovernedRun(Run):
    """One episode in the making, behind a gate."""

    __slots__ = ("_broken", "_gate", "_open")

    def __init__(
        self, rig: Rig, scenario: Scenario, number: int, agent: Agent, controls: Controls
    ) -> None:
        """Open the episode and its gate, and show the agent its instructions and request."""
        super().__init__(rig, scenario, number, agent)
        self.trusted = None
        self._broken: InstrumentError | None = None
        self._open: _Open | None = None
        lines = self.lines
        gate = _gate(controls, scenario, self._record, lines.__len__, self._would_harm)
        self._gate: Gate | None = gate
        gate.watch(_opening(self.rules.words(), self.view.request, lines))

    @property
    def gate(self) -> Gate:
        """Return the gate of an episode that goes on."""
        if self._gate is None:
            raise RuntimeError("the episode is finished")
        return self._gate

    def read_up(self, turn: Turn) -> None:
        """Let the gate read what it has to know of a turn's call."""
        if len(turn.calls) == 1:
            self.gate.read_up(turn.calls[0].name)

    def propose(self, turn: Turn) -> None:
        """Put a turn's call to the gate, when the turn is one call and nothing else."""
        calls = turn.calls
        if len(calls) == 1 and not turn.text and not turn.refused:
            opened = self._proposed(calls[0], self.turns)
            self._open = None if isinstance(opened, str) else opened

    steps: ClassVar[tuple[Step, ...]] = (read_up, propose, Run.take)  # type: ignore[assignment]

    def carry_out(self, call: ToolCall, turn: int) -> str:
        """Propose a call to the gate and, if it passes, run it; return what the agent sees."""
        opened = self._open or self._proposed(call, turn)
        if isinstance(opened, str):
            return self.turn_down(call, turn, opened)
        self._open = None
        id_, values, proposal = opened
        gate, action = self.gate, proposal.action
        name, fault, text = action.tool, self.fault, ""
        is_asked = proposal.waiting.asked is not None

        def run(args: Mapping[str, object]) -> Stepped:
            due = self._fault(name)
            return step(self.tools, self.state, name, args, self.render, due, self.digests)

        def settle(done: Stepped, decision: Decision) -> None:
            nonlocal text
            self.state = done.state
            if done.effects:
                gate.note(lambda at: Effected(at, id_, done.effects))
            # INVARIANT: what a person was asked about has run only if that person approved it
            text = told(done.text, decision, self.render, is_approved=is_asked)
            gate.note(lambda at: Observed(at, id_, text, done.labels))

        passed = gate.carry_out(proposal, run, settle)
        done = passed.outcome
        if self._broken is not None:
            raise self._broken
        if done is None:
            text = _refusal(passed.because, self.render)
            self._note(Observed(len(self.lines), id_, text, REMINDER))
            self.acts.append(Act(name, values, action.resource, False, False, ()))
            return text
        ran, is_lost = dict(passed.args), self.fault is not fault
        self.acts.append(Act(name, ran, action.resource, done.ok, is_lost, done.effects))
        if done.ok and name == "report":
            self.report = ran["items"]  # type: ignore[assignment]
        return text

    def finish(self) -> Episode:
        """Close the episode, which has an end."""
        self._gate = None  # WHY: the two hold each other, and would stay until they are collected
        return super().finish()

    def _proposed(self, call: ToolCall, turn: int) -> _Open | str:
        """Put a call to the gate; or return why its arguments cannot be read."""
        name, args = call.name, call.arguments
        parsed = parse_arguments(args[: SIZE_LIMIT + 1])
        if parsed.undecodable:
            return parsed.undecodable
        values = parsed.values
        tool = self.tools.get(name)
        if tool is None:
            name = clean_name(name)
        number = self.calls = self.calls + 1
        id_ = f"c{number}"
        action = Action(self.principals, name, args, thing_of(tool, values)[:NAME_LIMIT])
        return _Open(id_, values, self.gate.propose(turn, id_, action, values))

    def _record(self, event: Event) -> None:
        self.lines.append(line_of(event))

    def _note(self, event: Event) -> None:
        """Record an event that no gate decides on, and tell the keeper of the gate."""
        self._record(event)
        self.gate.watch((event,))

    def _unread(self, at: int, id_: str, action: Action) -> Decided:
        gate = self.gate
        mode: Literal["", "observe"] = "" if gate.mode == "enforce" else "observe"
        # WHY no facts: what cannot be read is denied before anything is looked at
        decision = decide(gate.policy, action, {}, Facts())
        return Decided(at, id_, decision.kind, decision.policy, decision.reasons, {}, mode)

    def _would_harm(self, action: Action, args: Mapping[str, object]) -> bool:
        """Try an act on the world as it is, and tell whether it would break a rule."""
        try:
            tried = step(self.tools, self.state, action.tool, args, self.render)
        except InstrumentError as error:
            self._broken = error  # WHY kept: to the gate it is only a reviewer that fails
            raise
        return would_harm(self.scenario, self.acts, action, args, tried)


def _gate(
    controls: Controls,
    scenario: Scenario,
    record: Callable[[Event], None],
    at: Callable[[], int],
    is_harmful: Callable[[Action, Mapping[str, object]], bool],
) -> Gate:
    """Open the gate of one episode. record: appends an event to it. at: number of the next one.
    is_harmful: tells whether an act, carried out now, would break a rule."""
    policy = controls.policy
    reviewer = reviewer_of(controls.reviewer, Stream(scenario.seed))
    keeper = FactKeeper(
        tuple(policy.tools.values()),
        tenant=scenario.state.tenant, cells=controls.cells, oversight=reviewer.hit_rate,
    )  # fmt: skip
    return Gate(
        policy, keeper, record, at, reviewer=reviewer, latch=Latch(controls.stopped),
        mode=controls.mode, is_harmful=is_harmful,
    )  # fmt: skip


def _opening(instructions: str, request: str, lines: Sequence[Line]) -> list[Event]:
    """Return the events of an episode that was just opened, without what its keeper passes over.
    instructions, request: as ``lines`` hold them, after ``opened`` and before further texts."""
    events: list[Event] = [
        Observed(1, "", instructions, OPERATOR), Observed(2, "", request, USER)
    ]  # fmt: skip
    return events + parse_events(lines_bytes(lines[3:])) if len(lines) > 3 else events


def _refusal(because: Because, render: Render) -> str:
    """Return the JSON that the agent is told, in its language, of a call that did not run."""
    return encode_trusted({"error": because, "detail": render(TOLD[because])}).decode()


def would_harm(
    scenario: Scenario, acts: list[Act], action: Action, args: Mapping[str, object], done: Stepped
) -> bool:
    """Tell whether a step that was tried would break a rule, or break one once more."""
    tried = Act(action.tool, dict(args), action.resource, done.ok, False, done.effects)
    before = grade_scenario(scenario, Trace(list(acts), None)).findings
    after = grade_scenario(scenario, Trace([*acts, tried], None)).findings
    return len(after) > len(before) or _effects(after) > _effects(before)


def _effects(findings: tuple[Finding, ...]) -> int:
    return sum([len(finding.effects) for finding in findings])


def told(text: str, decision: Decision, render: Render, *, is_approved: bool) -> str:
    """Return a result's JSON with what the gate did about its call, if anything: that a person was
    asked and approved it, and what was lowered; as values, and in words of the agent's language, a
    line each. A field of the result itself is kept; what the gate adds is then called
    ``gate_approved``, ``gate_narrowed`` or ``gate_detail``."""
    if not (is_approved or decision.narrowed):
        return text
    result = msgspec.json.decode(text, type=dict[str, Any])
    added: dict[str, object] = {}
    words = []
    if is_approved:
        added["approved"] = True
        words.append(render(Text("gate-approved")))
    if decision.narrowed:
        added["narrowed"] = {each.argument: each.limit for each in decision.narrowed}
    for each in decision.narrowed:
        said = {"argument": each.argument, "value": str(each.limit)}
        words.append(render(Text("gate-narrowed", said)))
    added["detail"] = "\n".join(words)
    for name, value in added.items():
        while name in result:
            name = f"gate_{name}"
        result[name] = value
    return encode_trusted(result).decode()
