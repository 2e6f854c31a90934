"""How long does a decision take, and does it stay flat as a policy grows?

The median of single calls of ``decide``, by wall time, each of another amount, so that no verdict
is one that was kept. Ten rules speak of each tool, so a policy of
1,000 rules speaks of 100 tools; each rule has three conditions and none fires. The floor is Cedar
itself, its rules and schema parsed before, asked about all rules at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice

import cedarpy

from benchmarks.measure import Probe, Row, Setup
from undersigned.controls.decide import decide
from undersigned.controls.policy import load_policy
from undersigned.controls.records import Facts, ToolSpec
from undersigned.controls.schema import cedar_schema, context_shape
from undersigned.events.stream import Action

PER_TOOL = 10
BELOW = 1000
"""Amounts under which no condition on the amount is true; more of them than verdicts are kept."""
ARGS: dict[str, object] = {"payment_id": "PAY-1", "amount": 500}
RESOURCE: dict[str, str | int | bool] = {"account": "12345678", "status": "drafted"}
FACTS = Facts(
    unvouched=("payment_id",), after=("screen_payee.result=clear",), resource=RESOURCE,
    total=500, calls=7, cell="within", languages=("en", "th"), oversight=80,
)  # fmt: skip


def tools(count: int) -> tuple[ToolSpec, ...]:
    """Return tools that differ in their names only."""
    schema = {
        "type": "object",
        "properties": {"payment_id": {"type": "string"}, "amount": {"type": "integer"}},
        "required": ["payment_id", "amount"],
    }
    fields = {"account": "string", "status": "string"}
    return tuple(
        ToolSpec(f"tool_{n}", "write", schema, "payment_id", "payments", fields)  # type: ignore[arg-type]
        for n in range(count)
    )


def rules(count: int) -> str:
    """Return so many rules, ten a tool: one permit, and forbids of three conditions each."""
    lines = []
    for n in range(count):
        tool, place = f"tool_{n // PER_TOOL}", n % PER_TOOL
        head = f'(principal, action == Action::"{tool}", resource)'
        if place == 0:
            lines.append(f'@id("base-{n}") permit {head};')
            continue
        lines.append(
            f'@id("rule-{n}") forbid {head} when {{ context.args.amount > {1000 + n} && '
            f'context.facts.unvouched.contains("resource.account") && '
            f"context.facts.total > {5000 + n} }};"
        )
    return "\n".join(lines)


def by_hand(amount: int, facts: Facts) -> bool:
    """Decide like the rules of one tool, as a programmer would write it for this one case."""
    return not any(
        amount > 1000 + n and "resource.account" in facts.unvouched and facts.total > 5000 + n
        for n in range(1, PER_TOOL)
    )


def times(count: int, work: Callable[[], object]) -> list[float]:
    """Return the sorted times of single calls in microseconds."""
    found = []
    for _ in range(count):
        start = time.perf_counter_ns()
        work()
        found.append((time.perf_counter_ns() - start) / 1000)
    return sorted(found)


def decision(count: int, part: float, setup: Setup) -> Probe:
    """Time decisions under so many rules. part: which of the sorted times counts, from 0 to 1."""
    specs = tools(max(1, count // PER_TOOL))
    text = rules(count)
    policy = load_policy(text, specs)
    last = specs[-1].name
    action = Action(("agent",), last, "", "PAY-1")
    if decide(policy, action, ARGS, FACTS).kind != "allow":
        raise RuntimeError("the decision that is timed is not the one that is meant")
    schema = cedarpy.Schema.from_json_str(
        json.dumps(cedar_schema({spec.name: context_shape(spec) for spec in specs}))
    )
    every = cedarpy.PolicySet.from_str(text)
    nothing = cedarpy.Entities.from_json_str("[]")
    known = {n: getattr(FACTS, n) for n in Facts.__struct_fields__ if n != "resource"}
    request = {
        "principal": 'Agent::"agent"', "action": f'Action::"{last}"',
        "resource": 'Thing::"PAY-1"',
        "context": json.dumps({"args": ARGS, "resource": RESOURCE, "facts": known}),
    }  # fmt: skip
    if not cedarpy.is_authorized(request, every, nothing, schema).allowed:
        raise RuntimeError("the floor decides otherwise")
    calls = setup.pick(400, 4000)
    seen: list[float] = []

    def ours() -> float:
        amounts = cycle(range(BELOW))
        made = [{**ARGS, "amount": amount} for amount in islice(amounts, calls)]
        given = iter(made)
        found = times(calls, lambda: decide(policy, action, next(given), FACTS))
        seen[:] = [found[len(found) // 2], found[int(0.99 * len(found))]]
        return found[int(part * (len(found) - 1))]

    def floor() -> float:
        found = times(calls // 4, lambda: cedarpy.is_authorized(request, every, nothing, schema))
        return found[int(part * (len(found) - 1))]

    def note() -> str:
        hand = times(calls, lambda: by_hand(500, FACTS))[calls // 2]
        same = times(calls, lambda: decide(policy, action, ARGS, FACTS))[calls // 2]
        return (
            f"last turn: p50 {seen[0]:.0f} us, p99 {seen[1]:.0f} us; the same question again: "
            f"{same:.1f} us; a rule written by hand in Python, unchecked: {hand:.1f} us"
        )

    return Probe(ours, floor, note=note)


def _row(count: int) -> Row:
    return Row(
        f"decide-{count}", f"decision, {count:,} policies, p50", "us", "less", 70,
        "Cedar alone, all policies at once", partial(decision, count, 0.5),
    )  # fmt: skip


ROWS = (
    _row(10),
    _row(100),
    _row(1000),
    Row("decide-p99", "decision, 1,000 policies, p99", "us", "less", 500,
        "Cedar alone, all policies at once", partial(decision, 1000, 0.99)),
)  # fmt: skip
