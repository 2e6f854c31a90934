"""A gate over the small desk, whose parts can be made to fail one by one."""

from __future__ import annotations

import json
import threading

from undersigned.controls.facts import FactKeeper
from undersigned.controls.gate import Gate
from undersigned.controls.policy import load_policy
from undersigned.controls.records import ToolSpec
from undersigned.controls.reviewers import RubberStamp
from undersigned.controls.stop import Latch, running
from undersigned.events.stream import Action, Decided, Observed

MOVE = ToolSpec(
    "move", "irreversible",
    {
        "type": "object",
        "properties": {
            "to": {"type": "string"}, "amount": {"type": "integer"},
            "currency": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["to", "amount", "currency"],
    },
    "to", sink="to", amount="amount", currency="currency",
)  # fmt: skip
WRITE = ToolSpec("write", "write", MOVE.schema, "to")
LOOK = ToolSpec("look", "read", {"type": "object", "properties": {}})
TOOLS = (MOVE, WRITE, LOOK)

PERMIT = '@id("base") permit (principal, action, resource);\n'
ASK = '@id("ask-move") @else("ask") forbid (principal, action == Action::"move", resource);\n'
FORBID = '@id("never") forbid (principal, action == Action::"move", resource);\n'
CAP = (
    '@id("cap") @else("narrow:amount<=100") forbid (principal, action == Action::"move", resource) '
    "when { context.args.amount > 100 };\n"
)


def limit(total, otherwise=""):
    return (
        f'@id("limit") {otherwise} forbid (principal, action == Action::"move", resource) '
        f"when {{ context.facts.total > {total} }};\n"
    )


def policy_of(rules=""):
    return load_policy(PERMIT + rules, TOOLS, ground_rule=False)


ARGS = {"to": "acc-1", "amount": 100, "currency": "SGD"}


class Approver(RubberStamp):
    """Approves, after doing something. seen: requests."""

    def __init__(self, meanwhile=lambda: None, answer="approve"):
        self.meanwhile = meanwhile
        self.says = answer
        self.seen = []

    def answer(self, request):
        self.seen.append(request)
        self.meanwhile()
        return self.says(request) if callable(self.says) else self.says


class Log(list):
    """A record. fails: kinds of events that cannot be recorded, once each. meanwhile: what happens
    when an event was recorded."""

    def __init__(self, fails=()):
        super().__init__()
        self.fails = list(fails)
        self.meanwhile = lambda event: None

    def append(self, event):
        kind = f"{type(event).__name__}:{getattr(event, 'decision', '')}".rstrip(":")
        if kind in self.fails:
            self.fails.remove(kind)
            raise OSError("no room")
        assert event.at == len(self)
        super().append(event)
        self.meanwhile(event)


class Desk:
    """A gate, its log and what it ran. fails: kinds of events whose recording fails."""

    def __init__(self, rules="", *, fails=(), keeper=None, policy=None, stopped=running, **more):
        self.log = Log(fails)
        self.ran = []
        self.keeper = keeper or FactKeeper(TOOLS, tenant="t")
        self.reviewer = more.pop("reviewer", None) or Approver()
        self.gate = Gate(
            policy or policy_of(rules), self.keeper, self.log, reviewer=self.reviewer,
            latch=Latch(stopped), **more,
        )  # fmt: skip
        self.count = 0

    def propose(self, tool="move", *, run=None, settle=None, **changed):
        """Propose an act and carry it out at once."""
        opened, acts, settles = self.open(tool, run=run, settle=settle, **changed)
        return self.gate.carry_out(self.gate.propose(*opened), acts, settles)

    def open(self, tool="move", *, run=None, settle=None, call="", **changed):
        """Return what the gate takes of a proposal, what runs it, and what settles it."""
        args = {**ARGS, **changed} if tool != "look" else changed
        self.count += 1
        call = call or f"c{self.count}"
        resource = str(args.get("to", ""))
        action = Action(("agent", "t"), tool, json.dumps(args), resource)

        def runs(values):
            self.ran.append((call, dict(values)))
            return "done"

        def settles(outcome):
            self.gate.note(Observed, call, json.dumps({"said": outcome}), ())

        return (0, call, action, args), run or runs, settle or settles

    def of(self, kind, call=None):
        return [e for e in self.log if type(e) is kind and call in (None, e.call)]

    def decided(self, call=None):
        return [(e.decision, *e.reasons) for e in self.of(Decided, call)]

    def kinds(self):
        return [type(e) for e in self.log]


def together(count_, act):
    barrier, errors = threading.Barrier(count_), []

    def body(number):
        barrier.wait()
        try:
            act(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=body, args=(n,), daemon=True) for n in range(count_)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not [t for t in threads if t.is_alive()]
    assert errors == []
