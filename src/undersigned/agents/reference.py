"""How do reference agents act?

Each walks a program that it makes of the scenario's honest and attack programs. They see the
scenario, so they stand for no real model; they calibrate the instrument, which must find in each
exactly what it declared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from undersigned.agents.declarations import Declaration
from undersigned.agents.view import (
    Actor,
    Heard,
    PrivilegedView,
    StalledError,
    ToolCall,
    Turn,
    View,
)
from undersigned.core.canonical import Digest, digest, encode_trusted
from undersigned.core.streams import Stream
from undersigned.worlds.kit.common import ask_user
from undersigned.worlds.kit.programs import Call, Program, Ready, Ref, Runner
from undersigned.worlds.scenario import Scenario

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Plan(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What an agent will do in a scenario. first: its program. later: the program it changes to
    once it has seen the planted text, or None. ending: what it does when it has done: ``report``,
    ``crash``, ``stall``, ``flood`` or ``silence``."""

    first: Program
    later: Program | None = None
    ending: str = "report"


Behaviour = Callable[[Scenario, Stream], Plan]
"""Makes a plan for a scenario. The stream is the agent's own randomness."""


class ReferenceAgent:
    """A reference agent. declaration: what it will earn. parallel: makes independent looks in one
    turn."""

    is_live = False
    is_privileged = True
    is_prompt = True

    def __init__(
        self,
        name: str,
        summary: str,
        behaviour: Behaviour,
        declaration: Declaration,
        *,
        parallel: bool = False,
    ) -> None:
        """Make an agent. summary: one line for people."""
        self.name = name
        self.summary = summary
        self.behaviour = behaviour
        self.declaration = declaration
        self.parallel = parallel
        self.digest: Digest = digest(["undersigned.reference-agent.v1", name])

    def begin(self, draw: Stream) -> Actor:
        """Start an episode."""
        return _Walker(self, draw)

    def fires(self, scenario: Scenario) -> bool:
        """Tell whether, in this scenario, the agent's own draw makes it misbehave."""
        return fires(Stream(scenario.seed), self.declaration.per_cent)


def fires(draw: Stream, per_cent: int) -> bool:
    """Draw whether an agent with a share misbehaves in an episode. draw: the episode's own."""
    return per_cent >= 100 or draw.child("agent fires", per_cent).integer(100) < per_cent


class CrashedError(Exception):
    """A reference agent crashes on purpose."""


FLOOD = "x" * 200_000
MALFORMED = (
    '{"payment_id": "\ud800"}', '{"a":1,"a":2}', "[" * 64, '{"amount": 1e400}', "<b>\x1b[2J",
)  # fmt: skip


class _Walker:
    """One episode of a reference agent."""

    __slots__ = ("agent", "draw", "mark", "pending", "plan", "runner", "sent")

    def __init__(self, agent: ReferenceAgent, draw: Stream) -> None:
        self.agent = agent
        self.draw = draw
        self.runner: Runner | None = None
        self.plan: Plan | None = None
        self.mark = ""
        self.pending: list[Ready] = []
        self.sent = 0

    async def act(self, view: View) -> Turn:
        """Return the next turn. view: must be privileged."""
        return self.answer(view)

    def answer(self, view: View) -> Turn:
        """Return the same at once."""
        runner = self.runner
        if runner is None:
            runner = self._begin(view)
        else:
            new, pending = view.new, self.pending
            if self.mark or len(new) != 1 or len(pending) != 1:
                self._hear(runner, new)
            else:
                runner.told(pending[0], new[0].text)
        ready = runner.next()
        if ready is None:
            self.pending = []
            return self._end(runner)
        batch = self.pending = [ready]
        if not self.agent.parallel:
            return Turn("", (self._call(ready.tool, ready.args),))
        if ready.step is runner.program.steps[runner.at]:
            batch += self._alike(runner, ready)
        return Turn("", tuple([self._call(r.tool, r.args) for r in batch]))

    def _call(self, tool: str, args: dict[str, Any]) -> ToolCall:
        sent = self.sent = self.sent + 1
        return ToolCall(f"r{sent}", tool, encode_trusted(args).decode())

    def _begin(self, view: View) -> Runner:
        """Make a plan for the scenario and stand at its first step."""
        if not isinstance(view, PrivilegedView):
            raise TypeError("a reference agent needs a privileged view")
        plan = self.plan = self.agent.behaviour(view.scenario, self.draw)
        runner = self.runner = Runner(plan.first, view.render)
        if plan.later is not None:
            self._watch(runner, view, plan.later)
        return runner

    def _watch(self, runner: Runner, view: PrivilegedView, later: Program) -> None:
        """Look for the planted text in what is seen at the start. later: what it changes to."""
        text = view.scenario.plant.text
        if text is None:
            return
        words = view.render(text)
        if words in view.request or any(words in offer.description for offer in view.tools):
            runner.switch(later)
            return
        self.mark = encode_trusted(words).decode()[1:-1]

    def _hear(self, runner: Runner, new: tuple[Heard, ...]) -> None:
        """Take the answers to the last calls."""
        pending = self.pending
        self.pending = []
        failed = False
        for ready, heard in zip(pending, new, strict=False):
            result = _decode(heard.text)
            if not failed:
                runner.saw(ready, result)
            failed = failed or "error" in result or "truncated" in result
            if self.mark and self.mark in heard.text and self.plan and self.plan.later is not None:
                self.mark = ""
                runner.switch(self.plan.later)
                failed = True

    def _alike(self, runner: Runner, first: Ready) -> list[Ready]:
        """Return the looks right after one that need no result of each other."""
        more: list[Ready] = []
        if not _is_plain_look(first.step):
            return more
        for step in runner.program.steps[runner.at + 1 :]:
            if not _is_plain_look(step):
                break
            ready = runner.ready(step)
            if ready is None:
                break
            more.append(ready)
        return more

    def _end(self, runner: Runner) -> Turn:
        ending = self.plan.ending if self.plan else "report"
        if ending == "crash":
            raise CrashedError("the agent process ended")
        if ending == "stall":
            raise StalledError("no answer within the agent's time")
        if ending == "silence":
            return Turn(text="")
        if ending == "flood":
            self.sent += 1
            junk = MALFORMED[self.sent % len(MALFORMED)]
            return Turn(text=FLOOD, calls=(ToolCall(f"r{self.sent}", "release_payment", junk),))
        return Turn("", (self._call("report", {"items": runner.items(), "note": ""}),))


def _is_plain_look(step: Call) -> bool:
    return (
        step.kind == "read"
        and step.tool != ask_user.name
        and not any(type(value) is Ref for value in step.args.values())
    )
