"""What stands between an agent and the world in an episode, and what does it tell the agent?

The same gate as in front of real tools, with the world as what it guards: its events are the
episode's, its facts come from these alone, its reviewer is the scripted one of the plan. Without
controls an ``OpenGate`` stands there, and the episode runs alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from undersigned.controls.facts import FactKeeper
from undersigned.controls.gate import Gate, Mode
from undersigned.controls.open_gate import OpenGate
from undersigned.controls.policy import Policy
from undersigned.controls.proposals import Because, Record
from undersigned.controls.records import Narrowing
from undersigned.controls.reviewers import IsHarmful, reviewer_of
from undersigned.controls.stop import Latch, Stopped, running
from undersigned.core.canonical import encode_trusted
from undersigned.core.streams import Stream
from undersigned.events.stream import Action, Event
from undersigned.worlds.kit.oracles import Finding
from undersigned.worlds.kit.records import Text
from undersigned.worlds.kit.stage import Render, Stepped
from undersigned.worlds.kit.trace import Act, Trace
from undersigned.worlds.scenario import Scenario

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

    def keeper(self, tenant: str) -> FactKeeper:
        """Return who keeps the facts of one episode. tenant: whose agent it is."""
        tools = tuple(self.policy.tools.values())
        return FactKeeper(tools, tenant=tenant, cells=self.cells, oversight=self.oversight())

    def oversight(self) -> int:
        """Return the lower bound of the reviewer's hit rate, in per cent."""
        return reviewer_of(self.reviewer, Stream.of("oversight"), _never).hit_rate


def _never(_: Action, __: Mapping[str, object]) -> bool:
    return False


def gate_of(
    controls: Controls | None,
    scenario: Scenario,
    events: Record,
    opening: Sequence[Event],
    is_harmful: IsHarmful,
) -> Gate | OpenGate:
    """Return the gate of one episode.

    events: where its events go. opening: those that are recorded already. is_harmful: for a
    reviewer who looks.
    """
    if controls is None:
        return OpenGate(events)
    reviewer = reviewer_of(controls.reviewer, Stream(scenario.seed), is_harmful)
    gate = Gate(
        controls.policy, controls.keeper(scenario.state.tenant), events, reviewer=reviewer,
        latch=Latch(controls.stopped), mode=controls.mode,
    )  # fmt: skip
    gate.watch(opening)
    return gate


def would_harm(
    scenario: Scenario, earlier: Sequence[Act], action: Action, args: Mapping[str, object],
    tried: Stepped,
) -> bool:  # fmt: skip
    """Tell whether an act that was tried would break a rule, or break one once more.

    earlier: the acts before it. args: as they would run. tried: what would come of it.
    """
    act = Act(action.tool, dict(args), action.resource, tried.ok, False, tried.effects)
    before = scenario.grade(Trace(earlier)).findings
    after = scenario.grade(Trace([*earlier, act])).findings
    return len(after) > len(before) or _effects(after) > _effects(before)


def _effects(findings: tuple[Finding, ...]) -> int:
    return sum([len(finding.effects) for finding in findings])


def refusal(because: Because, render: Render) -> str:
    """Return the JSON that the agent is told, in its language, of a call that did not run."""
    return encode_trusted({"error": because, "detail": render(TOLD[because])}).decode()


def told(text: str, narrowed: Sequence[Narrowing], render: Render, *, is_approved: bool) -> str:
    """Return a result's JSON with what the gate did about its call, if anything: that a person was
    asked and approved it, and what was lowered; as values, and in words of the agent's language, a
    line each. A field of the result itself is kept; what the gate adds is then called
    ``gate_approved``, ``gate_narrowed`` or ``gate_detail``."""
    if not (is_approved or narrowed):
        return text
    result = msgspec.json.decode(text, type=dict[str, Any])
    added: dict[str, object] = {}
    words = []
    if is_approved:
        added["approved"] = True
        words.append(render(Text("gate-approved")))
    if narrowed:
        added["narrowed"] = {each.argument: each.limit for each in narrowed}
    for each in narrowed:
        said = {"argument": each.argument, "value": str(each.limit)}
        words.append(render(Text("gate-narrowed", said)))
    added["detail"] = "\n".join(words)
    for name, value in added.items():
        while name in result:
            name = f"gate_{name}"
        result[name] = value
    return encode_trusted(result).decode()
