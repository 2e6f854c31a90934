"""What would a given behaviour do, step by step, before any sentence is written?

A program is a straight list of calls; an argument may refer to a field of an earlier result. The
scenario is generated from the honest program, so no branching is needed: what must be found out
is drawn beforehand. The ``Runner`` walks a program against whatever the world answers, with one
retry rule: repeat a read whose answer was lost or cut; for a write whose answer was lost look
first whether it had happened; give up on any other refusal, and say so in the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from undersigned.worlds.kit.records import RESERVED, Text
from undersigned.worlds.kit.tools import Lookup, ToolFunction

Value = str | int | bool | None | Text | list[Any]


class Call(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One step of a program. tool: name. args: values or references by parameter name. kind,
    resource, lookup: of the tool. origin: the step that this one is a changed copy of, or None.

    An attribute that is no field of this class is a reference into the step's result:
    ``draft.payment_id``. Two steps are the same only when they are one object.
    """

    tool: str
    args: dict[str, Any]
    kind: str
    resource: str
    lookup: Lookup | None
    origin: Call | None = None

    def __getattr__(self, field: str) -> Ref:
        """Return a reference to a field of this step's result."""
        if field.startswith("__"):
            raise AttributeError(field)
        return Ref(self, field)

    @property
    def key(self) -> Call:
        """Return what the step's result is kept under: itself, or the step that it was made of."""
        return self.origin or self

    def changed(self, args: Mapping[str, Any]) -> Call:
        """Return this step with other arguments; references to it stay valid."""
        return Call(
            self.tool, {**self.args, **args}, self.kind, self.resource, self.lookup,
            self.origin or self,
        )  # fmt: skip


class Ref(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A field of an earlier step's result."""

    step: Call
    field: str


def call(function: ToolFunction, **args: Any) -> Call:
    """Make a step that calls a tool. args: values, or references to earlier results."""
    tool = function.tool
    return Call(tool.name, args, tool.kind, tool.resource, tool.lookup)


class Program(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What a behaviour does. steps: in order. claims: report items that replace the true ones."""

    steps: tuple[Call, ...]
    claims: tuple[dict[str, str], ...] | None = None

    def but(self, function: ToolFunction, **args: Any) -> Program:
        """Return the program with other arguments in every call of a tool."""
        name = function.name
        return self.of([s.changed(args) if s.tool == name else s for s in self.steps])

    def without(self, function: ToolFunction) -> Program:
        """Return the program without the calls of a tool."""
        name = function.name
        return self.of([s for s in self.steps if s.tool != name])

    def then(self, *more: Call) -> Program:
        """Return the program with more steps at its end."""
        return self.of((*self.steps, *more))

    def before(self, function: ToolFunction, *more: Call) -> Program:
        """Return the program with more steps before the first call of a tool (or at the end)."""
        at = next((i for i, s in enumerate(self.steps) if s.tool == function.name), len(self.steps))
        return self.of((*self.steps[:at], *more, *self.steps[at:]))

    def claiming(self, *claims: dict[str, str]) -> Program:
        """Return the program with these report items instead of the true ones."""
        return Program(self.steps, claims)

    def of(self, steps: Iterable[Call]) -> Program:
        """Return the program with other steps and the same claims."""
        return Program(tuple(steps), self.claims)

    def tools(self) -> frozenset[str]:
        """Return the names of the tools it calls."""
        return frozenset([s.tool for s in self.steps])


def steps(*calls: Call) -> Program:
    """Make a program of calls, in order."""
    return Program(calls)


class Ready(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A call that can be made now: its step, and the arguments with all references filled in. tool,
    kind, resource, key: of the step."""

    step: Call
    args: dict[str, Any]
    tool: str
    kind: str
    resource: str
    key: Call


class Done(msgspec.Struct, frozen=True, gc=False):
    """What became of a step. status: as in a report item."""

    tool: str
    resource: str
    status: str


TRIES = 3
"""How often a step is tried before it is given up."""

# WHY all fields at once: one attribute of a class with ``__getattr__`` takes as long
_fields = msgspec.structs.astuple
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_FAILED, _CUT = [f'"{name}":' for name in RESERVED]


class Runner:
    """Walks a program: ``next()`` says what to call, ``saw(result)`` takes the answer.

    results: by step; as JSON until something refers to them. done: writes carried out so far, in
    order. stopped: True after a refusal that the retry rule does not cover.
    """

    __slots__ = ("_looking", "_tries", "at", "done", "program", "render", "results", "stopped")

    def __init__(self, program: Program, render: Callable[[Text], str]) -> None:
        """Start at the first step. render: makes text of a ``Text`` argument."""
        self.program = program
        self.render = render
        self.results: dict[Call, Mapping[str, Any] | str] = {}
        self.done: list[Done] = []
        self.at = 0
        self.stopped = False
        self._tries = 0
        self._looking = False

    def next(self) -> Ready | None:
        """Return the next call, or None when the program is over or was given up."""
        if self.stopped:
            return None
        steps = self.program.steps
        while self.at < len(steps):
            step = steps[self.at]
            tool, given, kind, resource, look, origin = _fields(step)
            key = origin or step
            if key in self.results:
                self.at += 1
                continue
            args = self.fill(given)
            if args is None:
                self.stopped = True
                return None
            if self._looking and look is not None:
                asked = Call(look.tool, {}, "read", "", None)
                return Ready(asked, look.args(args), look.tool, "read", "", asked)
            return Ready(step, args, tool, kind, resource, key)
        return None

    def ready(self, step: Call) -> Ready | None:
        """Return a step as a call that can be made now; None when a result is missing."""
        args = self.fill(step.args)
        if args is None:
            return None
        return Ready(step, args, step.tool, step.kind, step.resource, step.key)

    def switch(self, program: Program) -> None:
        """Go on with another program; steps that both share and that are done are not repeated."""
        self.program = program
        self.at = 0
        self.stopped = self._looking = False

    def fill(self, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return a step's arguments with references filled in; None when a result is missing."""
        args = given
        for name, value in given.items():
            kind = type(value)
            if kind is str or kind is int:
                continue
            if args is given:
                args = given.copy()
            if kind is Ref:
                found = self._result(value.step.origin or value.step)
                if found is None or value.field not in found:
                    return None
                args[name] = found[value.field]
            elif kind is Text:
                args[name] = self.render(value)
        return args

    def _result(self, key: Call) -> Mapping[str, Any] | None:
        found = self.results.get(key)
        if type(found) is str:
            found = self.results[key] = _decode(found)
        return found  # type: ignore[return-value]

    def told(self, ready: Ready, text: str) -> None:
        """Take the answer to the call that ``next`` returned, as JSON."""
        # WHY looked at first: most results are referred to by nothing, and need not be parsed
        if self._looking or _FAILED in text or _CUT in text:
            self.saw(ready, _decode(text))
            return
        self.results[ready.key] = text
        self.at += 1
        self._tries = 0
        if ready.kind != "read":
            resource = str(ready.args.get(ready.resource, ""))
            self.done.append(Done(ready.tool, resource, "done"))

    def saw(self, ready: Ready, result: Mapping[str, Any]) -> None:
        """Take the result of the call that ``next`` returned."""
        step = self.program.steps[self.at]
        error = result.get("error")
        if self._looking and step.lookup is not None:
            self._looking = False
            own = self.fill(step.args) or {}
            found = None if error else step.lookup.found(own, result)
            if found is not None:
                self._finish(step, own, found)
            return
        if error is None and "truncated" not in result:
            self._finish(step, ready.args, result)
            return
        self._tries += 1
        if self._tries >= TRIES or error not in (None, "timeout", "unavailable"):
            self._give_up(step, ready.args, "unknown" if error == "timeout" else "blocked")
        elif error == "timeout" and step.lookup is not None:
            self._looking = True

    def _finish(self, step: Call, args: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        self.results[step.origin or step] = result
        self.at += 1
        self._tries = 0
        if step.kind != "read":
            self.done.append(Done(step.tool, str(args.get(step.resource, "")), "done"))

    def _give_up(self, step: Call, args: Mapping[str, Any], status: str) -> None:
        self.stopped = True
        if step.kind != "read":
            self.done.append(Done(step.tool, str(args.get(step.resource, "")), status))

    def items(self) -> list[dict[str, str]]:
        """Return the report items: the program's own claims, or what became of each write. Their
        keys are in order."""
        if self.program.claims is not None:
            return [dict(sorted(claim.items())) for claim in self.program.claims]
        return [{"resource": d.resource, "status": d.status, "tool": d.tool} for d in self.done]
