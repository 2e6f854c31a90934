"""Is this policy one that can be enforced as it reads, and which of its rules concern a tool?

A policy is a Cedar text together with the tools that it speaks of. Loading is strict: whatever
would hold silently less than it seems to say is refused, with the rule, its line and a remedy.

Invariants:
- A loaded policy is well typed for every tool, and each rule has a plain ``@id`` of its own.
- The digest covers the exact text, the types derived from the tools, and the ground rule: who
  switches the ground rule off has another policy.
- A tool's slice holds every rule that can apply to it (``slices``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

import msgspec

from undersigned.controls import problems
from undersigned.controls.cedar import Rule, parse, type_faults
from undersigned.controls.expressions import (
    Path,
    UnknownOperatorError,
    Use,
    reads,
    uses,
    walk,
)
from undersigned.controls.records import GATE_REASONS, Alternative, Narrowing, ToolSpec
from undersigned.controls.schema import Shape, cedar_schema, context_shape
from undersigned.controls.slices import GROUND_RULE, Slice, slice_of
from undersigned.core.canonical import INT_LIMIT, Digest, digest
from undersigned.core.errors import Problem, UsageError

VERSION = "undersigned.policy.v1"

MACHINERY = ("request-invalid", "rule-error", "unknown-tool", "fact-missing", "no-permit")
RESERVED = frozenset((*MACHINERY, *GATE_REASONS, GROUND_RULE))
"""Reasons that are no rule's: of ``decide``, of the gate, and the ground rule."""

_PLAIN_ID = re.compile(r"[a-z0-9-]{1,64}")
_NARROW = re.compile(r"narrow:([A-Za-z_][A-Za-z0-9_]*)<=(-?[0-9]{1,19})")
_AFTER = re.compile(r"([^.=]+)\.[^.=]+=.+", re.DOTALL)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
_CROSSINGS = ("border", "tenant")
_NOTES = ("id", "reason", "else")


class Policy(msgspec.Struct, frozen=True, eq=False):
    """A policy that was loaded.

    text: as written. digest: of text, types and ground rule. tools: that it speaks of, by name.
    rules: in the text's order. alternatives: by ``@id``. ground_rule: an irreversible act that the
    rules would allow needs a person. slices: by tool.
    """

    text: str
    digest: Digest
    tools: Mapping[str, ToolSpec]
    rules: tuple[Rule, ...]
    alternatives: Mapping[str, Alternative]
    ground_rule: bool
    slices: Mapping[str, Slice]

    def wanted(self, tool: str) -> frozenset[str] | None:
        """Return the names of the facts that a decision on a tool needs; None for all of them."""
        part = self.slices.get(tool)
        return part.wanted if part is not None else frozenset()


def load_policy(text: str, tools: Iterable[ToolSpec], *, ground_rule: bool = True) -> Policy:
    """Load a policy strictly.

    tools: everything that an agent may call. ground_rule: False lets irreversible acts run without
    a person, and gives another digest. Raises UsageError (E-CTL-001 to 017): the first fault.
    """
    specs = {spec.name: spec for spec in tools}
    contexts = {name: context_shape(spec) for name, spec in specs.items()}
    rules = parse(text)
    if not rules:
        raise UsageError(problems.NO_RULES, "there is no rule in it")
    _check_ids(rules)
    alternatives = {}
    for rule in rules:
        _check_notes(rule)
        names = tools_of(rule, specs)
        _check_scopes(rule)
        _check_conditions(rule, {name: contexts[name] for name in names}, specs)
        if "else" in rule.notes:
            alternatives[rule.id] = _alternative(rule, [contexts[name] for name in names])
    for fault in type_faults(text, cedar_schema(contexts)):
        if fault.position < 0:
            raise UsageError(problems.ILL_TYPED, "the policy does not fit", reason=fault.text)
        _refuse(problems.ILL_TYPED, rules[fault.position], "a rule does not fit", reason=fault.text)
    return Policy(
        text=text,
        digest=_digest(text, specs, contexts, ground_rule=ground_rule),
        tools=specs,
        rules=rules,
        alternatives=alternatives,
        ground_rule=ground_rule,
        slices={
            name: slice_of(
                spec,
                contexts[name],
                [r for r in rules if name in tools_of(r, specs)],
                alternatives,
                ground_rule=ground_rule,
            )
            for name, spec in specs.items()
        },
    )


def tools_of(rule: Rule, known: Mapping[str, ToolSpec]) -> tuple[str, ...]:
    """Return the tools that a rule applies to. Raises UsageError (E-CTL-006)."""
    scope = rule.scopes["action"]
    if scope["op"] == "All":
        return tuple(known)
    entities = scope["entities"] if "entities" in scope else [scope["entity"]]
    named = tuple(entity["id"] for entity in entities)
    for entity in entities:
        if entity["type"] != "Action" or entity["id"] not in known:
            _refuse(
                problems.UNKNOWN_TOOL, rule, "a rule names an unknown tool",
                tool=entity["id"], known=", ".join(sorted(known)),
            )  # fmt: skip
    if not named:
        _refuse(problems.UNKNOWN_TOOL, rule, "a rule names no tool", known=", ".join(sorted(known)))
    return named


def _digest(
    text: str, specs: Mapping[str, ToolSpec], contexts: Mapping[str, Shape], *, ground_rule: bool
) -> Digest:
    tools = [
        [name, specs[name].kind, specs[name].resource, specs[name].table, _plain(contexts[name])]
        for name in sorted(specs)
    ]
    return digest({"policy": VERSION, "text": text, "tools": tools, "ground_rule": ground_rule})


def _plain(shape: Shape) -> list[object]:
    """Return a type as data for the digest; integers as text, since they may have 64 bits."""
    return [
        shape.kind,
        sorted(shape.values),
        str(shape.low),
        str(shape.high),
        _plain(shape.item) if shape.item is not None else [],
        [
            [name, name in shape.required, _plain(inner)]
            for name, inner in sorted(shape.fields.items())
        ],
    ]


def _check_ids(rules: Sequence[Rule]) -> None:
    seen: dict[str, int] = {}
    for rule in rules:
        if rule.slots:
            _refuse(problems.TEMPLATE, rule, "a rule has an open slot")
        if not rule.id:
            _refuse(problems.NO_RULE_ID, rule, "a rule has no @id")
        if not _PLAIN_ID.fullmatch(rule.id) or rule.id in RESERVED:
            reserved = ", ".join(sorted(RESERVED))
            _refuse(problems.RULE_ID_NOT_PLAIN, rule, "an @id is not plain", reserved=reserved)
        if rule.id in seen:
            _refuse(problems.RULE_ID_TWICE, rule, "an @id stands twice", first=seen[rule.id])
        seen[rule.id] = rule.line


def _check_notes(rule: Rule) -> None:
    for name, value in rule.notes.items():
        if name not in _NOTES or not value:
            what = "an annotation is unknown" if name not in _NOTES else "an annotation is empty"
            _refuse(problems.UNKNOWN_NOTE, rule, what, annotation=f"@{name}")
    if rule.effect == "permit" and "else" in rule.notes:
        _refuse(problems.ELSE_ON_PERMIT, rule, "a permit carries an @else")


def _check_scopes(rule: Rule) -> None:
    for name, kind in (("principal", "Agent"), ("resource", "Thing")):
        scope = rule.scopes[name]
        if scope["op"] == "All":
            continue
        if scope["op"] != "==" or scope["entity"]["type"] != kind:
            _refuse(problems.SCOPE, rule, "a scope cannot be enforced", part=name, uses=scope["op"])


def _alternative(rule: Rule, contexts: Sequence[Shape]) -> Alternative:
    text = rule.notes["else"] or ""
    if text == "ask":
        return Alternative()
    match = _NARROW.fullmatch(text)
    if match is None:
        _refuse(problems.BAD_ELSE, rule, "an @else cannot be read", says=text)
    name, limit = match[1], int(match[2])
    arguments = [context.fields["args"].fields for context in contexts]
    common = set.intersection(
        *({n for n, s in each.items() if s.kind == "integer"} for each in arguments)
    )
    known = ", ".join(sorted(common)) or "(the rule's tools share none)"
    if name not in common:
        what = "an @else lowers what is no integer argument of each of its tools"
        _refuse(problems.BAD_NARROW, rule, what, argument=name, known=known)
    in_range = all(each[name].low <= limit <= each[name].high for each in arguments)
    if not in_range or abs(limit) >= INT_LIMIT:  # what cannot be recorded cannot be decided
        what = "the limit is outside the argument's range"
        _refuse(problems.BAD_NARROW, rule, what, argument=name, known=known)
    if ("args", name) not in {path[:2] for _, node in rule.conditions for path in reads(node)}:
        what = "the rule does not look at the argument that it would lower"
        _refuse(problems.BAD_NARROW, rule, what, argument=name, known=known)
    return Alternative(Narrowing(name, limit))


def _check_conditions(
    rule: Rule, contexts: Mapping[str, Shape], tools: Mapping[str, ToolSpec]
) -> None:
    """Refuse operators that are not known, and what can never be there.

    WHY beside Cedar's own check: Cedar accepts ``has`` on any name, skips what stands behind a
    constant, and knows neither the values of an enumeration nor the words that facts consist of.
    """
    for _, node in rule.conditions:
        try:
            for _ in walk(node):
                pass
        except UnknownOperatorError as error:
            _refuse(problems.OPERATOR, rule, "an operator is not used here", operator=error)
        for path in reads(node):
            names = path[:-1] if path and not path[-1] else path
            if not any(_found(context, names) for context in contexts.values()):
                level = names[:-1]
                known = sorted(
                    {n for c in contexts.values() if (s := _found(c, level)) for n in s.fields}
                )
                _refuse(
                    problems.NEVER_THERE, rule, "a rule reads what no tool of it has",
                    name=".".join(("context", *names)), known=", ".join(known) or "nothing",
                )  # fmt: skip
        for use in uses(node):
            _check_words(rule, use, contexts, tools)


def _check_words(
    rule: Rule, use: Use, contexts: Mapping[str, Shape], tools: Mapping[str, ToolSpec]
) -> None:
    for word in use.literals:
        if not isinstance(word, str):
            continue
        known: Iterable[str] | None = None
        if use.path == ("facts", "after"):
            match = _AFTER.fullmatch(word)
            if match is None or match[1] not in tools:
                known = ["TOOL.FIELD=VALUE", *(f"{name}.FIELD=VALUE" for name in sorted(tools))]
        elif use.path == ("facts", "languages"):
            if not _LANGUAGE.fullmatch(word):
                known = ["tags of the form th, zh-Hans, en-SG"]
        else:
            words = words_of(use.path, contexts)
            if words is not None and word not in words:
                known = sorted(words)
        if known is not None:
            name = ".".join(("context", *use.path))
            _refuse(
                problems.NEVER_THERE, rule, "a rule looks for what can never be there",
                name=name, word=word, known=", ".join(known) or "nothing",
            )  # fmt: skip


def words_of(path: Path, contexts: Mapping[str, Shape]) -> frozenset[str] | None:
    """Return the only words that can stand at a path or in the set there, None for any."""
    if path == ("facts", "crossing"):
        return frozenset(_CROSSINGS)
    if path == ("facts", "unvouched"):
        words: set[str] = set()
        for context in contexts.values():
            words.update(context.fields["args"].fields)
            if "resource" in context.fields:
                words.update(f"resource.{name}" for name in context.fields["resource"].fields)
        return frozenset(words)
    shapes = [found for context in contexts.values() if (found := _found(context, path))]
    flat = [s.item if s.kind == "set" and s.item is not None else s for s in shapes]
    if not flat or not all(shape.kind == "string" and shape.values for shape in flat):
        return None
    return frozenset(value for shape in flat for value in shape.values)


def _found(shape: Shape, path: Path) -> Shape | None:
    for name in path:
        inner = shape.fields.get(name)
        if inner is None:
            return None
        shape = inner
    return shape


def _refuse(problem: Problem, rule: Rule, what: str, **fields: object) -> NoReturn:
    raise UsageError(problem, what, rule=rule.id or "(no @id)", line=rule.line, **fields)
