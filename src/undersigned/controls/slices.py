"""Which rules concern a tool, what do they look at, and what do they say of a request?

Invariants:
- A tool's slice holds every rule that can apply to it; what a rule reads is put to Cedar, and needs
  to be known. Nothing else is put: of a set in which rules only look for words of their own, those
  words alone.
- A verdict that is kept is Cedar's own on the very same question: same rules, same context, and,
  where a rule names either, same agent and same thing. One that an exception led to is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from undersigned.controls.cedar import Requests, Rule, Rules
from undersigned.controls.expressions import Node, Path, reads, walk, words_sought
from undersigned.controls.records import Alternative, Facts, ToolSpec
from undersigned.controls.schema import Shape, cedar_schema

GROUND_RULE = "ground-rule"
"""Reason of a decision to ask that no rule, but the ground rule, wants."""
KEPT = 512
"""Verdicts of a slice that are kept; with one more, all are forgotten."""
LONGEST_KEPT = 1024
"""Bytes of a context whose verdict is kept."""

NOTHING = b"{}"
"""Context of rules that read nothing."""

Words = frozenset[str] | None
"""Words that rules look for in a set; None when they do more than look for words."""

_write = msgspec.json.Encoder().encode


class Judgement(NamedTuple):
    """What the rules say before anything is lowered. kind: ``narrow`` when all that forbid offer
    something and at least one of them offers a limit. limits: the lowest of each argument. asks:
    a person has to agree."""

    kind: Literal["allow", "deny", "ask", "narrow"]
    reasons: tuple[str, ...]
    limits: Mapping[str, int]
    asks: bool


class Slice(msgspec.Struct, frozen=True, eq=False):
    """The rules of one tool, ready to be asked.

    spec: the tool. context: types of everything a policy may read. arguments: its ``args``. rules:
    those that can apply. every, permits: all of them and the permits alone, for Cedar. requests:
    schema of what is put to them. alternatives: by ``@id``. is_ground: an act that the rules allow
    needs a person all the same. args, resource, facts: names that the rules read of each, with the
    words that they look for there; None when they do not look at it at all. wanted: names of the
    facts that a decision needs; None for all, when a person may be asked, who is to see all.
    reads: the rules read anything. names_who: a rule tells agents or things apart. kept: verdicts
    by question.
    """

    spec: ToolSpec
    context: Shape
    arguments: Shape
    rules: tuple[Rule, ...]
    every: Rules
    permits: Rules
    requests: Requests
    alternatives: Mapping[str, Alternative]
    is_ground: bool
    args: tuple[str, ...] | None
    resource: tuple[str, ...] | None
    facts: tuple[tuple[str, Words], ...] | None
    wanted: frozenset[str] | None
    reads: bool
    names_who: bool
    kept: dict[object, Judgement]

    def judge(
        self, actor: str, thing: str, values: Mapping[str, object], facts: Facts
    ) -> Judgement:
        """Return what the rules say of a request.

        actor, thing: who acts, and on what. values: arguments as the tool's types have them.
        """
        try:
            context = _write(self._context(values, facts)) if self.reads else NOTHING
        except (ValueError, TypeError, msgspec.MsgspecError):
            return _denied("request-invalid")
        # WHY ASCII: what cannot be encoded is no request, and so has no verdict that is kept
        is_plain = actor.isascii() and thing.isascii()
        key: object = (context, actor, thing) if self.names_who else context
        known = self.kept.get(key) if is_plain else None
        if known is not None:
            return known
        try:
            verdict = self._judged(actor, thing, context)
        except (ValueError, TypeError, msgspec.MsgspecError):
            return _denied("request-invalid")
        if is_plain and len(context) <= LONGEST_KEPT:
            if len(self.kept) >= KEPT:
                self.kept.clear()
            self.kept[key] = verdict
        return verdict

    def _judged(self, actor: str, thing: str, context: bytes) -> Judgement:
        """Ask Cedar. Raises ValueError for what cannot be put to it."""
        answer = self.requests.ask(self.every, actor, thing, context)
        if answer.decision == "NoDecision":
            return _denied("request-invalid")
        # INVARIANT: Cedar skips a rule that errs, so its word counts only when nothing erred.
        if answer.errors:
            return _denied("rule-error")
        reasons = tuple(sorted(answer.reasons))
        if answer.decision == "Allow":
            if self.is_ground:
                return Judgement("ask", (GROUND_RULE,), {}, asks=True)
            return Judgement("allow", reasons, {}, asks=False)
        if not reasons:
            return _denied("no-permit")
        limits: dict[str, int] = {}
        asks = False
        for offer in [self.alternatives.get(reason) for reason in reasons]:
            if offer is None:
                return _denied(*reasons)
            if offer.narrowing is None:
                asks = True
            else:
                name, limit = offer.narrowing.argument, offer.narrowing.limit
                limits[name] = min(limit, limits.get(name, limit))
        if limits:
            return Judgement("narrow", reasons, limits, asks)
        # WHY the permits alone: the other forbids were just seen not to hold, and nothing erred.
        again = self.requests.ask(self.permits, actor, thing, context)
        if again.decision != "Allow" or again.errors:
            return _denied(*sorted((*reasons, "no-permit")))
        return Judgement("ask", reasons, {}, asks=True)

    def _context(self, values: Mapping[str, object], facts: Facts) -> dict[str, object]:
        """Return what the rules read."""
        context: dict[str, object] = {}
        if self.args is not None:
            context["args"] = {name: values[name] for name in self.args if name in values}
        if self.resource is not None:
            known = facts.resource or {}
            context["resource"] = {name: known[name] for name in self.resource}
        if self.facts is not None:
            read = context["facts"] = {}
            for name, words in self.facts:
                value = getattr(facts, name)
                if words is not None and value:
                    value = [each for each in value if each in words]
                read[name] = value
        return context


def _denied(*reasons: str) -> Judgement:
    return Judgement("deny", reasons, {}, asks=False)


def slice_of(
    spec: ToolSpec,
    context: Shape,
    rules: Sequence[Rule],
    alternatives: Mapping[str, Alternative],
    *,
    ground_rule: bool,
) -> Slice:
    """Return a tool's slice. context: types of what may be read. rules: that can apply to it."""
    names: dict[str, set[str]] = {}
    nodes = [node for rule in rules for _, node in rule.conditions]
    for node in nodes:
        for path in reads(node):
            _note(path, context, names)
    groups = {
        group: context.fields[group].only(frozenset(names[group]))
        for group in context.fields
        if group in names
    }
    read = Shape("record", fields=groups, required=tuple(groups))
    found = {group: tuple(sorted(shape.fields)) for group, shape in groups.items()}
    is_ground = ground_rule and spec.kind == "irreversible"
    may_ask = is_ground or any("else" in rule.notes for rule in rules)
    facts = found.get("facts")
    needed = {*(facts or ()), *(("resource",) if "resource" in found else ())}
    sought = _sought(nodes, context.fields["facts"])
    return Slice(
        spec=spec,
        context=context,
        arguments=context.fields["args"],
        rules=tuple(rules),
        every=Rules(rules),
        permits=Rules([rule for rule in rules if rule.effect == "permit"]),
        requests=Requests(cedar_schema({spec.name: read}), spec.name),
        alternatives=alternatives,
        is_ground=is_ground,
        args=found.get("args"),
        resource=found.get("resource"),
        facts=tuple([(name, sought.get(name)) for name in facts]) if facts is not None else None,
        wanted=None if may_ask else frozenset(needed),
        reads=bool(groups),
        names_who=any(_names_who(rule) for rule in rules),
        kept={},
    )


def _sought(nodes: Sequence[Node], facts: Shape) -> dict[str, frozenset[str]]:
    """Return the words that expressions look for in sets of facts, where they do nothing else."""
    found: dict[str, Words] = {}
    for node in nodes:
        for path, words in words_sought(node):
            for name in _facts_of(path, facts):
                before = found.get(name, frozenset())
                is_more = words is None or before is None or path != ("facts", name)
                found[name] = None if is_more else (before | words)  # type: ignore[operator]
    return {name: words for name, words in found.items() if words is not None}


def _facts_of(path: Path, facts: Shape) -> tuple[str, ...]:
    """Return the facts that a path leads to or holds."""
    if path[:1] not in ((), ("facts",)):
        return ()
    return path[1:2] or tuple(facts.fields)


def _names_who(rule: Rule) -> bool:
    """Tell whether a rule looks at who acts, or at the thing itself."""
    if any(rule.scopes[name]["op"] != "All" for name in ("principal", "resource")):
        return True
    looked = [each for _, node in rule.conditions for each in walk(node)]
    return any(each.get("Var", "context") != "context" for each in looked)


def _note(path: Path, context: Shape, names: dict[str, set[str]]) -> None:
    """Note what a path reads, as group and names in it."""
    for group, shape in context.fields.items():
        if path in ((), (group,)):
            names.setdefault(group, set()).update(shape.fields)
        elif path[0] == group:
            names.setdefault(group, set()).add(path[1])
