"""May this action run, run smaller, only after a person agreed, or not at all?

``decide`` is pure: the same policy, action, arguments and facts give the same decision, in a test
and in front of real tools.

Invariants:
- ``allow`` only when Cedar says Allow, nothing erred, and the request passed the schema. Whatever
  goes wrong is a ``deny`` with a reason of the machinery, never an exception and never an allow.
- ``ask`` only when every forbid that decided offers to ask or to narrow, and the permits allow it.
- Narrowing is done once. The smaller action is decided by all rules again, with the lowered
  arguments unvouched (nobody said these values); totals stay those of the larger action. If it is
  then allowed the decision is ``narrow``; if a rule that asked before, one that asks now, or the
  ground rule wants a person, it is ``ask`` with ``narrowed`` filled: a person is asked about the
  smaller action. Anything else is ``deny``.
- Things are named by the tool's own argument, not by whoever proposes the action.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from undersigned.controls.cedar import Rule
from undersigned.controls.expressions import reads
from undersigned.controls.policy import Policy
from undersigned.controls.records import Decision, Facts, Narrowing
from undersigned.controls.schema import fit_record
from undersigned.controls.slices import Judgement, Slice
from undersigned.events.stream import Action

RECORDED = 200
"""Characters of a thing's id that the event stream keeps."""


class _Request(NamedTuple):
    """An action with exact values. actor, thing: who acts, and on what."""

    actor: str
    thing: str
    values: dict[str, object]
    facts: Facts


class Applied(msgspec.Struct, frozen=True):
    """A rule that can apply to a tool. id, effect, line: of the rule. determined: it decided.
    reason, otherwise: texts of ``@reason`` and ``@else``, or empty. reads: what it looks at, for
    example ``facts.total``."""

    id: str
    effect: str
    line: int
    determined: bool
    reason: str
    otherwise: str
    reads: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Why a decision is what it is. rules: all that can apply to the tool. read: values of what
    they look at, as text, by name; ``unknown`` for what is not known."""

    decision: Decision
    tool: str
    rules: tuple[Applied, ...]
    read: Mapping[str, str]


def decide(policy: Policy, action: Action, args: Mapping[str, object], facts: Facts) -> Decision:
    """Return what a policy says of an action.

    args: the strict parse of ``action.args``. facts: from the events before the action.
    """
    part = policy.slices.get(action.tool)
    if part is None:
        return Decision("deny", policy.digest, ("unknown-tool",))
    request = _request(part, action, args, facts)
    if isinstance(request, str):
        return Decision("deny", policy.digest, (request,))
    verdict = part.judge(*request)
    if verdict.kind == "narrow":
        return _narrowed(policy, part, request, verdict)
    return Decision(verdict.kind, policy.digest, verdict.reasons)


def _request(
    part: Slice, action: Action, args: Mapping[str, object], facts: Facts
) -> _Request | str:
    """Return what is put to Cedar, or the reason why it cannot be."""
    if action.undecodable or action.args_base64 or not action.principals:
        return "request-invalid"
    try:
        values = fit_record(part.arguments, args)
    except (ValueError, RecursionError):
        return "request-invalid"
    named = part.spec.resource
    thing = str(values.get(named, "")) if named else ""
    # INVARIANT: what the rules are asked about is what the tool will act on. A proposal may leave
    # the id out, and a very long one is cut for the record.
    if action.resource not in ("", thing, thing[:RECORDED]):
        return "request-invalid"
    known = facts.resource
    if part.resource and (known is None or not all(name in known for name in part.resource)):
        return "fact-missing"
    return _Request(action.principals[0], thing, values, facts)


def _narrowed(policy: Policy, part: Slice, request: _Request, verdict: Judgement) -> Decision:
    """Lower the arguments, decide again by all rules, and return the strictest sound decision."""
    values = dict(request.values)
    lowered = []
    for name, limit in sorted(verdict.limits.items()):
        value = values.get(name)
        if type(value) is int and value > limit:
            values[name] = limit
            lowered.append(Narrowing(name, limit))
    names = {*request.facts.unvouched, *(each.argument for each in lowered)}
    facts = msgspec.structs.replace(request.facts, unvouched=tuple(sorted(names)))
    again = part.judge(request.actor, request.thing, values, facts)
    denied = Decision("deny", policy.digest, verdict.reasons)
    if not lowered or part.spec.resource in verdict.limits:
        return denied
    if again.kind == "allow" and not verdict.asks:
        return Decision("narrow", policy.digest, verdict.reasons, tuple(lowered))
    if again.kind in ("allow", "ask"):
        more = again.reasons if again.kind == "ask" else ()
        reasons = tuple(sorted({*verdict.reasons, *more}))
        return Decision("ask", policy.digest, reasons, tuple(lowered))
    return denied


def explain(
    policy: Policy, action: Action, args: Mapping[str, object], facts: Facts
) -> Explanation:
    """Return a decision with the rules that can apply, and the values that they look at."""
    decision = decide(policy, action, args, facts)
    part = policy.slices.get(action.tool)
    if part is None:
        return Explanation(decision, action.tool, (), {})
    known: dict[str, Mapping[str, object]] = {
        "args": args,
        "resource": facts.resource or {},
        "facts": {name: getattr(facts, name) for name in part.context.fields["facts"].fields},
    }
    rules = tuple(_applied(rule, decision) for rule in part.rules)
    read: dict[str, str] = {}
    for name in sorted({name for rule in rules for name in rule.reads}):
        group, _, rest = name.partition(".")
        if rest:
            value = known.get(group, {}).get(rest.partition(".")[0], None)
            read[name] = "unknown" if value is None else _shown(value)
    return Explanation(decision, action.tool, rules, read)


def _applied(rule: Rule, decision: Decision) -> Applied:
    paths = {tuple(name for name in path if name) for _, n in rule.conditions for path in reads(n)}
    return Applied(
        id=rule.id,
        effect=rule.effect,
        line=rule.line,
        determined=rule.id in decision.reasons,
        reason=rule.notes.get("reason") or "",
        otherwise=rule.notes.get("else") or "",
        reads=tuple(sorted(".".join(path) or "context" for path in paths)),
    )


def _shown(value: object) -> str:
    return json.dumps(value, default=str)
