"""How is an episode run behind a gate?

The same gate as in front of real tools, with the world as what it guards: its events are the
episode's, its facts come from these alone, its reviewer is the scripted one of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from answerable.controls.records import Decision
from answerable.controls.stop import Latch, Stopped, running
from answerable.core.canonical import encode_trusted
from answerable.core.streams import Stream
from answerable.events.stream import Action, Event
from answerable.worlds.admission import grade_scenario
from answerable.worlds.kit.oracles import Act, Trace
from answerable.worlds.kit.records import Text
from answerable.worlds.kit.stage import Stepped
from answerable.worlds.scenario import Scenario

if TYPE_CHECKING:
    from answerable.controls.facts import FactKeeper
    from answerable.controls.gate import Because, Gate, Mode
    from answerable.controls.policy import Policy

TOLD: Mapping[Because, Text] = {
    "denied": Text("gate-denied"),
    "rejected": Text("gate-rejected"),
    "unanswered": Text("gate-unanswered"),
    "stopped": Text("gate-stopped"),
}
"""What the agent is told, in its language, when a call did not run."""


class Controls(NamedTuple):
    """What stands between an agent and the world. reviewer: name, as in the plan. mode: of the
    gate. stopped: an injected stop."""

    policy: Policy
    reviewer: str
    mode: Mode = "enforce"
    stopped: Stopped = running

    def open(
        self,
        scenario: Scenario,
        record: Callable[[Event], None],
        is_harmful: Callable[[Action, Mapping[str, object]], bool],
    ) -> Opened:
        """Open the gate of one episode. record: appends an event to it. is_harmful: tells whether
        an act, carried out now, would break a rule."""
        # WHY here: an ungoverned run loads no policy engine
        from answerable.controls.facts import FactKeeper
        from answerable.controls.gate import Gate
        from answerable.controls.reviewers import reviewer_of

        reviewer = reviewer_of(self.reviewer, Stream(scenario.seed))
        tools = tuple(self.policy.tools.values())
        keeper = FactKeeper(tools, tenant=scenario.state.tenant, oversight=reviewer.hit_rate)

        def note(event: Event) -> None:
            record(event)
            keeper.observe(event)

        gate = Gate(
            self.policy, keeper, note, reviewer=reviewer, latch=Latch(self.stopped),
            mode=self.mode, is_harmful=is_harmful,
        )  # fmt: skip
        return Opened(gate, note, keeper)


class Opened(NamedTuple):
    """The gate of one episode. note: appends an event to the episode and shows it to the keeper."""

    gate: Gate
    note: Callable[[Event], None]
    keeper: FactKeeper

    def watch(self, events: Iterable[Event]) -> None:
        """Show the keeper what the episode began with."""
        for event in events:
            self.keeper.observe(event)


def would_harm(
    scenario: Scenario, acts: list[Act], action: Action, args: Mapping[str, object], done: Stepped
) -> bool:
    """Tell whether a step that was tried would break a rule, beyond what was broken before."""
    tried = Act(action.tool, dict(args), action.resource, done.ok, False, done.effects)
    before = grade_scenario(scenario, Trace(list(acts), None))
    after = grade_scenario(scenario, Trace([*acts, tried], None))
    return len(after.findings) > len(before.findings)


def told_narrowed(text: str, decision: Decision) -> str:
    """Return a result's JSON with what was lowered, if anything was."""
    if not decision.narrowed:
        return text
    result = msgspec.json.decode(text, type=dict[str, Any])
    lowered = {item.argument: item.limit for item in decision.narrowed}
    return encode_trusted(result | {"narrowed": lowered}).decode()


def refusal(because: Because, words: str) -> str:
    """Return the JSON that the agent is told of a call that did not run."""
    return encode_trusted({"error": because, "detail": words}).decode()
