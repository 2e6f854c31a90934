"""Which rules of a policy do nothing, which say the same, and where does it fail open?

Notes for the author of a policy that was loaded: nothing here changes a decision.

Invariants:
- ``never-fires`` is said only of a rule whose conditions cannot all be true in any request that
  the schema passes; what is not understood counts as possible.
- ``fails-open`` is said of every rule that may allow more when ``after`` is emptied or
  ``unvouched`` grows, which is what losing knowledge does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from undersigned.controls.cedar import Rule
from undersigned.controls.expressions import Node, conjuncts, literal, operands, path_of, walk
from undersigned.controls.policy import Policy, tools_of, words_of
from undersigned.controls.schema import INT_HIGH, INT_LOW, Shape

Kind = Literal["no-rule", "no-permit", "never-fires", "same", "covered", "fails-open"]
"""``no-rule``: no rule names the tool. ``no-permit``: none permits it, so it is always denied.
``never-fires``: the rule's conditions contradict. ``same``: two rules differ in their names only.
``covered``: whenever this rule fires another of the same effect does. ``fails-open``: with less
known, more is allowed."""


class Note(msgspec.Struct, frozen=True):
    """Something that an author should look at. rule: ``@id``, or empty. tool: name, or empty.
    other: a second rule, or empty. text: one sentence."""

    kind: Kind
    text: str
    rule: str = ""
    tool: str = ""
    other: str = ""
    line: int = 0


def notes_on(policy: Policy) -> tuple[Note, ...]:
    """Return everything that an author should look at, tools first, then rules in order."""
    return (*_tool_notes(policy), *_rule_notes(policy), *_pair_notes(policy))


def _tool_notes(policy: Policy) -> Iterator[Note]:
    for name, part in sorted(policy.slices.items()):
        if not part.rules:
            yield Note("no-rule", f"no rule speaks of {name}: it is always denied", tool=name)
        elif all(rule.effect == "forbid" for rule in part.rules):
            yield Note("no-permit", f"no rule permits {name}: it is always denied", tool=name)


def _rule_notes(policy: Policy) -> Iterator[Note]:
    for rule in policy.rules:
        names = tools_of(rule, policy.tools)
        if not any(can_fire(rule, name, policy.slices[name].context) for name in names):
            text = f"{rule.id} can never fire: its conditions contradict themselves or the types"
            yield Note("never-fires", text, rule.id, line=rule.line)
        elif fails_open(rule):
            text = f"{rule.id} may let more pass when less is known: say what must be known instead"
            yield Note("fails-open", text, rule.id, line=rule.line)


def _pair_notes(policy: Policy) -> Iterator[Note]:
    read = [(rule, frozenset(tools_of(rule, policy.tools)), _parts(rule)) for rule in policy.rules]
    by_effect: dict[tuple[str, str], list[int]] = {}
    for at, (rule, tools, _) in enumerate(read):
        for tool in tools:
            by_effect.setdefault((rule.effect, tool), []).append(at)
    pairs = {
        (one, two)
        for members in by_effect.values()
        for one in members
        for two in members
        if one != two and read[one][2] <= read[two][2]
    }
    for one, two in sorted(pairs):
        (wide, wide_tools, wide_parts), (rule, tools, parts) = read[one], read[two]
        if not (tools <= wide_tools and _scope_covers(wide, rule)):
            continue
        both = tools == wide_tools and parts == wide_parts and _scope_covers(rule, wide)
        if both and one < two:
            text = f"{rule.id} says the same as {wide.id}"
            yield Note("same", text, rule.id, other=wide.id, line=rule.line)
        elif not both:
            text = f"whenever {rule.id} fires, {wide.id} does too"
            yield Note("covered", text, rule.id, other=wide.id, line=rule.line)


def _scope_covers(wide: Rule, narrow: Rule) -> bool:
    return all(
        wide.scopes[name]["op"] == "All" or wide.scopes[name] == narrow.scopes[name]
        for name in ("principal", "resource")
    )


def _parts(rule: Rule) -> frozenset[str]:
    return frozenset(_key(node) for node in conjuncts(rule.conditions))


def _key(node: Node) -> str:
    return json.dumps(node, sort_keys=True)


def can_fire(rule: Rule, tool: str, context: Shape) -> bool:
    """Tell whether a rule's conditions may all be true for a tool; True when not understood."""
    parts = conjuncts(rule.conditions)
    keys = {_key(node) for node in parts}
    low: dict[tuple[str, ...], int] = {}
    high: dict[tuple[str, ...], int] = {}
    fixed: dict[tuple[str, ...], object] = {}
    for node in parts:
        if _constant(node, tool, context) is False or _key({"!": {"arg": node}}) in keys:
            return False
        path, operator, value = _comparison(node)
        if path is None:
            continue
        if operator == "==" and fixed.setdefault(path, value) != value:
            return False
        if type(value) is int:
            shape = _shape(context, path)
            least = max(low.get(path, INT_LOW), shape.low if shape else INT_LOW)
            most = min(high.get(path, INT_HIGH), shape.high if shape else INT_HIGH)
            low[path], high[path] = _bounded(operator, value, least, most)
            if low[path] > high[path]:
                return False
    return True


def _bounded(operator: str, value: int, low: int, high: int) -> tuple[int, int]:
    if operator == "==":
        return max(low, value), min(high, value)
    if operator in ("<", "<="):
        return low, min(high, value - (operator == "<"))
    if operator in (">", ">="):
        return max(low, value + (operator == ">")), high
    return low, high


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "!=": "=="}


def _comparison(node: Node) -> tuple[tuple[str, ...] | None, str, object]:
    """Return path, operator and literal of a comparison that must hold; the path None without."""
    negated = "!" in node
    if negated:
        node = node["!"]["arg"]
    ((operator, body),) = node.items()
    table = _NEGATED if negated else {name: name for name in _MIRRORED}
    if operator not in table or (negated and operator == "!="):
        held = "==" if negated and operator == "!=" else ""
    else:
        held = table[operator]
    if not held:
        return None, "", None
    for one, other, word in (
        (body["left"], body["right"], held),
        (body["right"], body["left"], _MIRRORED[held]),
    ):
        path, value = path_of(one), literal(other)
        if path and value is not None:
            return path, word, value
    return None, "", None


def _constant(node: Node, tool: str, context: Shape) -> bool | None:
    """Return the value of an expression in every request of a tool, None when it is not fixed.

    An expression that errs has no value; its rule then does not fire either.
    """
    ((operator, body),) = node.items()
    if operator == "Value":
        return body if isinstance(body, bool) else None
    if operator == "!":
        inner = _constant(body["arg"], tool, context)
        return None if inner is None else not inner
    if operator in ("&&", "||"):
        sides = [_constant(body[side], tool, context) for side in ("left", "right")]
        decisive = operator == "||"
        if decisive in sides:
            return decisive
        return None if None in sides else not decisive
    if operator == "has":
        base = path_of(body["left"])
        return None if base is None else _has(context, base, body["attr"])
    if operator in ("==", "!="):
        same = _same(body["left"], body["right"], tool, context)
        return None if same is None else same == (operator == "==")
    if operator in ("<", "<=", ">", ">="):
        left, right = literal(body["left"]), literal(body["right"])
        if type(left) is int and type(right) is int:
            order = {"<": left < right, "<=": left <= right, ">": left > right}
            return order.get(operator, left >= right)
    if operator == "contains":
        return _contains(body["left"], body["right"], tool, context)
    return None


def _has(context: Shape, base: tuple[str, ...], name: str) -> bool | None:
    shape = _shape(context, base)
    if shape is None:
        return None
    if name not in shape.fields:
        return False
    return True if name in shape.required else None


def _same(left: Node, right: Node, tool: str, context: Shape) -> bool | None:
    one, other = literal(left), literal(right)
    if one is not None and other is not None:
        return one == other if type(one) is type(other) else None
    if {"Var": "action"} in (left, right):
        named = right if left == {"Var": "action"} else left
        entity = named.get("Value", {})
        entity = entity.get("__entity", {}) if isinstance(entity, dict) else {}
        return entity["id"] == tool if entity.get("type") == "Action" else None
    for value, word in ((left, other), (right, one)):
        path = path_of(value)
        if path and isinstance(word, str):
            known = words_of(path, {tool: context})
            if known is not None and word not in known:
                return False
    return None


def _contains(left: Node, right: Node, tool: str, context: Shape) -> bool | None:
    path, word = path_of(left), literal(right)
    # WHY not the facts' own words: Facts are given from outside and may hold others.
    if path and path[0] == "args" and isinstance(word, str):
        known = words_of(path, {tool: context})
        if known is not None and word not in known:
            return False
    return None


def _shape(context: Shape, path: tuple[str, ...]) -> Shape | None:
    shape: Shape | None = context
    for name in path:
        shape = shape.fields.get(name) if shape is not None else None
    return shape


def fails_open(rule: Rule) -> bool:
    """Tell whether a rule may let more pass when ``after`` is emptied or ``unvouched`` grows.

    A forbid must hold at least as often then, a permit at most as often. A rule that also
    calculates counts too: where it erred, all was denied.
    """
    nodes = [each for _, node in rule.conditions for each in walk(node)]
    if any(path_of(each) in _GROWS for each in nodes) and any(_SUMS & set(each) for each in nodes):
        return True
    want = 1 if rule.effect == "forbid" else -1
    return any(
        not _moves(node, want if kind == "when" else -want) for kind, node in rule.conditions
    )


def _moves(node: Node, way: int) -> bool:
    """Tell whether losing knowledge moves an expression only this way: 1 towards true, -1 towards
    false; 0 when it must not move at all."""
    ((operator, body),) = node.items()
    if operator in ("&&", "||"):
        return _moves(body["left"], way) and _moves(body["right"], way)
    if operator == "!":
        return _moves(body["arg"], -way)
    if operator == "if-then-else":
        return _moves(body["if"], 0) and _moves(body["then"], way) and _moves(body["else"], way)
    if operator in ("contains", "containsAll", "containsAny", "isEmpty"):
        changed = path_of(body["arg"] if operator == "isEmpty" else body["left"])
        moved = _GROWS.get(changed or (), 0) * (-1 if operator == "isEmpty" else 1)
        others = () if operator == "isEmpty" else (body["right"],)
        if moved:
            return moved == way and all(_moves(each, 0) for each in others)
    path = path_of(node)
    if path is not None:
        return path not in ((), ("facts",), *_GROWS)
    if operator == "has":
        return True
    return all(_moves(each, 0) for each in operands(node))


_SUMS = frozenset(("+", "-", "*", "neg"))

_GROWS: Mapping[tuple[str, ...], int] = {("facts", "unvouched"): 1, ("facts", "after"): -1}
"""How a set changes when knowledge is lost."""
