"""How is an episode run behind a gate?

The same gate as in front of real tools, with the world as what it guards: its events are the
episode's, its facts come from these alone, its reviewer is the scripted one of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from answerable.controls.records import (
    CHANGED,
    GATE_ERROR,
    IN_DOUBT,
    REJECTED,
    STOPPED,
    UNANSWERED,
    Decision,
    Facts,
    Narrowing,
)
from answerable.controls.stop import Latch, Stopped, running
from answerable.core.canonical import encode_trusted
from answerable.core.streams import Stream
from answerable.events.arguments import parse_arguments
from answerable.events.lines import (
    ActionLine,
    EffectedLine,
    Labels,
    Line,
    ObservedLine,
    ProposedLine,
    effects_json,
    labels_of,
    line_of,
    lines_bytes,
)
from answerable.events.stream import (
    Action,
    Answered,
    Decided,
    Effected,
    Event,
    Label,
    Observed,
    Proposed,
    parse_events,
)
from answerable.worlds.admission import grade_scenario
from answerable.worlds.kit.oracles import Act, Finding, Trace
from answerable.worlds.kit.records import Text
from answerable.worlds.kit.stage import Render, Stepped
from answerable.worlds.scenario import Scenario

if TYPE_CHECKING:
    from answerable.controls.facts import FactKeeper
    from answerable.controls.gate import Because, Gate, Mode
    from answerable.controls.policy import Policy

UNSET = msgspec.UNSET

OPERATOR = labels_of(Label("", "operator"))
USER = labels_of(Label("", "user"))

TOLD: Mapping[Because, Text] = {
    "denied": Text("gate-denied"),
    "rejected": Text("gate-rejected"),
    "unanswered": Text("gate-unanswered"),
    "stopped": Text("gate-stopped"),
}
"""What the agent is told, in its language, when a call did not run."""


class Controls(NamedTuple):
    """What stands between an agent and the world. reviewer: name, as in the plan. mode: of the
    gate. stopped: an injected stop. cells: status of the operating envelope by language, or None
    without one."""

    policy: Policy
    reviewer: str
    mode: Mode = "enforce"
    stopped: Stopped = running
    cells: Mapping[str, str] | None = None

    def open(
        self,
        scenario: Scenario,
        record: Callable[[Event], None],
        at: Callable[[], int],
        is_harmful: Callable[[Action, Mapping[str, object]], bool],
    ) -> Gate:
        """Open the gate of one episode. record: appends an event to it. at: number of the next one.
        is_harmful: tells whether an act, carried out now, would break a rule."""
        # WHY here: an ungoverned run loads no policy engine
        from answerable.controls.facts import FactKeeper
        from answerable.controls.gate import Gate
        from answerable.controls.reviewers import reviewer_of

        reviewer = reviewer_of(self.reviewer, Stream(scenario.seed))
        tools = tuple(self.policy.tools.values())
        keeper = FactKeeper(
            tools, tenant=scenario.state.tenant, cells=self.cells, oversight=reviewer.hit_rate
        )
        return Gate(
            self.policy, keeper, record, at, reviewer=reviewer, latch=Latch(self.stopped),
            mode=self.mode, is_harmful=is_harmful,
        )  # fmt: skip


def opening(instructions: str, request: str, lines: Sequence[Line]) -> list[Event]:
    """Return the events of an episode that was just opened, without what its keeper passes over.
    instructions, request: as ``lines`` hold them, after ``opened`` and before further texts."""
    events: list[Event] = [
        Observed(1, "", instructions, OPERATOR), Observed(2, "", request, USER)
    ]  # fmt: skip
    return events + parse_events(lines_bytes(lines[3:])) if len(lines) > 3 else events


def line_of_known(event: Event) -> Line:
    """Return the line of an event, from parts that were encoded before where there are any."""
    if type(event) is Observed and type(event.labels) is Labels:
        return ObservedLine(event.at, event.call, "observed", event.labels.json, event.text)
    if type(event) is Effected:
        return EffectedLine(event.at, event.call, effects_json(event.effects), "effected")
    if type(event) is Proposed and not event.action.undecodable:
        action = event.action
        known = ActionLine(action.args, action.principals, action.resource or UNSET, action.tool)
        return ProposedLine(known, event.at, event.call, "proposed", event.turn)
    return line_of(event)


def rulings(lines: Iterable[Line]) -> list[Event]:
    """Return what was proposed, and what a gate decided and a reviewer answered, in order.

    WHY not all events: these are short, and the texts that were observed are long.
    """
    told = parse_events(lines_bytes([x for x in lines if type(x) in (ProposedLine, msgspec.Raw)]))
    return [event for event in told if type(event) in (Proposed, Decided, Answered)]


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


def told_narrowed(text: str, decision: Decision, render: Render) -> str:
    """Return a result's JSON with what was lowered, if anything was: as values, and in words of the
    agent's language, a line each. A field of the result itself is kept; what the gate adds is then
    called ``gate_narrowed`` or ``gate_detail``."""
    if not decision.narrowed:
        return text
    result = msgspec.json.decode(text, type=dict[str, Any])
    words = [
        render(Text("gate-narrowed", {"argument": each.argument, "value": str(each.limit)}))
        for each in decision.narrowed
    ]
    lowered = {each.argument: each.limit for each in decision.narrowed}
    for name, value in (("narrowed", lowered), ("detail", "\n".join(words))):
        while name in result:
            name = f"gate_{name}"
        result[name] = value
    return encode_trusted(result).decode()


def unread(gate: Gate | None, at: int, call: str, action: Action) -> Decided:
    """Return the decision on a call that cannot be read, or is one too many: it never runs."""
    if gate is None:
        return Decided(at, call, "no policy")
    from answerable.controls.decide import decide

    mode: Literal["", "observe"] = "" if gate.mode == "enforce" else "observe"
    # WHY no facts: what cannot be read is denied before anything is looked at
    decision = decide(gate.policy, action, {}, Facts())
    return Decided(at, call, decision.kind, decision.policy, decision.reasons, {}, mode)


def refusal(because: Because, render: Render) -> str:
    """Return the JSON that the agent is told, in its language, of a call that did not run."""
    return encode_trusted({"error": because, "detail": render(TOLD[because])}).decode()


class Mismatch(NamedTuple):
    """A recorded decision that the events do not give again. at: its event. again: what they
    give."""

    at: int
    call: str
    recorded: Decision
    again: Decision


def redecide(
    events: Iterable[Event],
    policy: Policy,
    *,
    tenant: str,
    oversight: int = -1,
    cells: Mapping[str, str] | None = None,
) -> list[Mismatch]:
    """Decide everything again from the events alone; return what differs from what is recorded.

    tenant, oversight, cells: as the gate's keeper had them. A denial of the gate's own
    (``stopped``, ``in-doubt``, ``gate-error``, ``changed-while-waiting``) depends on more than the
    events; it can only be stricter and is taken as recorded.
    """
    from answerable.controls.facts import FactKeeper

    tools = tuple(policy.tools.values())
    keeper = FactKeeper(tools, tenant=tenant, cells=cells, oversight=oversight)
    again = _Again(policy, keeper)
    return [found for event in events if (found := again.take(event)) is not None]


class _Open:
    """A proposal that is not decided for good. asked, facts: when a person was asked, and what was
    known then. answer: of that person."""

    __slots__ = ("action", "answer", "asked", "facts", "waiting")

    def __init__(self, event: Proposed) -> None:
        from answerable.controls.gate import Waiting

        self.action = event.action
        self.waiting = Waiting(parse_arguments(event.action.args).values)
        self.waiting.events.append(event)
        self.asked: Decision | None = None
        self.facts: Facts | None = None
        self.answer = ""


class _Again:
    """Decides again, event by event, as the gate did."""

    def __init__(self, policy: Policy, keeper: FactKeeper) -> None:
        self.policy = policy
        self.keeper = keeper
        self.open: dict[str, _Open] = {}

    def take(self, event: Event) -> Mismatch | None:
        kind = type(event)
        if kind is Proposed:
            self.open[event.call] = _Open(event)  # type: ignore[union-attr, arg-type]
            return None
        found = self.open.get(getattr(event, "call", ""))
        if found is not None and kind in (Decided, Answered):
            found.waiting.events.append(event)
            if kind is Decided:
                return self._decided(event, found)  # type: ignore[arg-type]
            found.answer = event.answer  # type: ignore[union-attr]
            return None
        self.keeper.observe(event)
        if kind is not Decided:
            return None
        # WHY an error: what was decided for good can only be denied after all
        recorded = _recorded(event)  # type: ignore[arg-type]
        expected = Decision("deny", self.policy.digest, (STOPPED,))
        return None if _is_own(recorded) else _mismatch(event, recorded, expected)  # type: ignore[arg-type]

    def _decided(self, event: Decided, found: _Open) -> Mismatch | None:
        from answerable.controls.decide import decide

        recorded = _recorded(event)
        action, args = found.action, found.waiting.args
        facts = self.keeper.facts(action, args, self.policy.wanted(action.tool))
        expected = decide(self.policy, action, args, facts)
        if found.asked is not None:
            expected = self._after(found, expected, facts)
        if expected.kind == "ask" and event.decision == "ask" and event.mode == "":
            found.asked, found.facts = expected, facts
        else:
            found.waiting.tell(self.keeper.observe)
            del self.open[event.call]
        same = recorded == expected or _is_own(recorded)
        return None if same else _mismatch(event, recorded, expected)

    def _after(self, found: _Open, again: Decision, facts: Facts) -> Decision:
        """Return what an answer makes of a decision to ask."""
        from answerable.controls.gate import approved, still_holds

        if found.answer != "approve":
            reason = REJECTED if found.answer == "reject" else UNANSWERED
            return Decision("deny", self.policy.digest, (reason,))
        if found.asked == again and still_holds(found.facts, facts):
            return approved(again)
        return Decision("deny", self.policy.digest, (CHANGED,))


def _recorded(event: Decided) -> Decision:
    narrowed = tuple([Narrowing(name, limit) for name, limit in event.narrowed.items()])
    return Decision(event.decision, event.policy, event.reasons, narrowed)  # type: ignore[arg-type]


def _is_own(decision: Decision) -> bool:
    """Tell whether this is a denial of the gate's own."""
    own = (GATE_ERROR, STOPPED, IN_DOUBT, CHANGED)
    return decision.kind == "deny" and len(decision.reasons) == 1 and decision.reasons[0] in own


def _mismatch(event: Decided, recorded: Decision, again: Decision) -> Mismatch:
    return Mismatch(event.at, event.call, recorded, again)
