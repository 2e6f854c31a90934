"""What does a Cedar text hold, is it well typed, and what does it say of a request?

The one module that knows ``cedarpy``. It turns a text into rules as plain data, checks types, and
puts a request to rules that were parsed before. It knows nothing of tools or decisions.

WHY ``cedarpy`` is imported where it is used: it takes some 50 ms, and a run without a policy needs
none of it.

Invariants:
- A rule's ``@id`` is its policy id inside Cedar, so what Cedar names is what people read.
- An answer is ``Allow`` only with the request checked against a schema and nothing that erred:
  Cedar skips a rule that errs, so ``Answer.errors`` must be empty before an answer is used.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from undersigned.controls.problems import HIDDEN_CHARACTER, POLICY_SYNTAX
from undersigned.core.errors import UsageError

Node = Mapping[str, Any]
"""An expression in Cedar's JSON form: one operator and its operands."""

TEXT_LIMIT = 4 << 20
"""Characters of policy text that are accepted."""
DEPTH_LIMIT = 64
"""Brackets inside brackets that are accepted in a rule."""
RULE_LIMIT = 8192
"""Characters outside strings that are accepted in a rule."""


class Statement(NamedTuple):
    """A piece of a policy text that ends with a semicolon. line: of its first word, from 1."""

    line: int
    text: str


class Rule(msgspec.Struct, frozen=True, eq=False):
    """One policy of a text, as written.

    id: its ``@id``, or empty. line: where it starts, from 1. effect: permit or forbid. scopes:
    constraints on ``principal``, ``action`` and ``resource``. conditions: (``when`` or ``unless``,
    expression). notes: its annotations; None when one has no value. slots: it is a template.
    source: Cedar's JSON form.
    """

    id: str
    line: int
    effect: Literal["permit", "forbid"]
    scopes: Mapping[str, Node]
    conditions: tuple[tuple[str, Node], ...]
    notes: Mapping[str, str | None]
    slots: bool
    source: Node


class Fault(NamedTuple):
    """Something ill typed. position: of the rule in the text, from 0, or -1. text: in words."""

    position: int
    text: str


class _Diagnostics(msgspec.Struct):
    reason: list[str] = []
    errors: list[str] = []


class Answer(msgspec.Struct):
    """What Cedar says. decision: ``NoDecision`` when the request does not fit the schema.
    diagnostics: ids of the rules that decided, and what erred."""

    decision: Literal["Allow", "Deny", "NoDecision"]
    diagnostics: _Diagnostics

    @property
    def reasons(self) -> list[str]:
        """Return the ids of the rules that decided."""
        return self.diagnostics.reason

    @property
    def errors(self) -> list[str]:
        """Return what erred while the rules were evaluated."""
        return self.diagnostics.errors


_read_answer = msgspec.json.Decoder(Answer).decode
_NOTHING = "[]"


class Requests:
    """Schema of the requests of one tool, parsed once, and rules to put them to."""

    __slots__ = ("_action", "_authorize", "_entities", "_schema")

    def __init__(self, schema: Mapping[str, object], action: str) -> None:
        """Parse the JSON form of a schema. action: the tool."""
        import cedarpy

        # WHY the inner function: the public wrapper copies the request and makes classes of the
        # answer, a fifth of a decision's time; tests/controls/test_decide.py compares the two.
        from cedarpy._internal import is_authorized

        self._authorize = is_authorized
        self._schema = cedarpy.Schema.from_json_str(json.dumps(schema))
        self._entities = cedarpy.Entities.from_json_str(_NOTHING)._inner
        self._action = {"type": "Action", "id": action}

    def ask(self, rules: Rules, actor: str, thing: str, context: bytes) -> Answer:
        """Put a request to rules.

        context: JSON of it. Raises UnicodeEncodeError for a lone surrogate.
        """
        request = {
            "principal": {"type": "Agent", "id": actor},
            "action": self._action,
            "resource": {"type": "Thing", "id": thing},
            "context": context.decode(),
        }
        return _read_answer(self._authorize(request, rules.parsed, self._entities, self._schema))


class Rules:
    """Rules, parsed once. parsed: Cedar's own handle."""

    __slots__ = ("parsed",)

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Hand rules with unique ids to Cedar. Raises UsageError (E-CTL-001)."""
        import cedarpy

        static = {rule.id: rule.source for rule in rules}
        text = json.dumps({"templates": {}, "staticPolicies": static, "templateLinks": []})
        try:
            self.parsed = cedarpy.PolicySet.from_json_str(text)
        except ValueError as error:
            raise UsageError(
                POLICY_SYNTAX, "the rules cannot be read back", line=1, reason=error
            ) from error


def parse(text: str) -> tuple[Rule, ...]:
    """Return the rules of a text, in its order.

    Raises UsageError: E-CTL-001 when it is no Cedar, E-CTL-014 when it hides a character.
    """
    import cedarpy

    if len(text) > TEXT_LIMIT:
        raise UsageError(POLICY_SYNTAX, "the policy is too long", characters=len(text))
    _check_characters(text)
    statements = split(text)
    try:
        tree = json.loads(cedarpy.policies_to_json_str(text))
    except (ValueError, RecursionError) as error:
        raise _syntax_error(statements, error) from error
    sources = {**tree["staticPolicies"], **tree["templates"]}
    named = [sources.get(f"policy{at}") for at in range(len(statements))]
    if len(sources) != len(statements) or None in named:
        raise UsageError(POLICY_SYNTAX, "the policy's rules cannot be told apart", line=1)
    return tuple(
        _rule(source, statement, f"policy{at}" in tree["templates"])
        for at, (source, statement) in enumerate(zip(named, statements, strict=True))
        if source is not None
    )


def split(text: str) -> list[Statement]:
    """Split a text at the semicolons that stand in no string and no comment.

    Raises UsageError (E-CTL-001) for a rule that is nested too deep or too long.
    """
    found: list[Statement] = []
    start = at = 0
    line = first = depth = size = 0
    while at < len(text):
        c = text[at]
        if c == "/" and text.startswith("//", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        if not c.isspace() and not first:
            start, first, depth, size = at, line + 1, 0, 0
        if c == '"':
            at, line = _string_end(text, at, line)
            continue
        size += 1
        depth += (c in "([{") - (c in ")]}")
        # INVARIANT: Cedar's parser is recursive and ends the whole process where its stack ends
        # (some 800 brackets), so no deep text ever reaches it.
        if depth > DEPTH_LIMIT or size > RULE_LIMIT:
            raise UsageError(POLICY_SYNTAX, "a rule is too long or too deep", line=first)
        if c == "\n":
            line += 1
        elif c == ";":
            found.append(Statement(first, text[start : at + 1]))
            first = 0
        at += 1
    if first:
        found.append(Statement(first, text[start:]))
    return found


def type_faults(text: str, schema: Mapping[str, object]) -> list[Fault]:
    """Check a text strictly against the JSON form of a schema, and return what is ill typed."""
    import cedarpy

    handle = cedarpy.Schema.from_json_str(json.dumps(schema))
    result = cedarpy.validate_policies(text, handle)
    if result.validation_passed:
        return []
    faults = []
    for error in result.errors:
        digits = error.policy_id.removeprefix("policy")
        place = int(digits) if digits.isdigit() else -1
        faults.append(Fault(place, error.error.removeprefix(f"for policy `{error.policy_id}`, ")))
    return sorted(faults) or [Fault(-1, "the policy does not fit the schema")]


def _rule(source: Node, statement: Statement, slots: bool) -> Rule:
    notes: Mapping[str, str | None] = source.get("annotations", {})
    return Rule(
        id=notes.get("id") or "",
        line=statement.line,
        effect=source["effect"],
        scopes={name: source[name] for name in ("principal", "action", "resource")},
        conditions=tuple((each["kind"], each["body"]) for each in source["conditions"]),
        notes=notes,
        slots=slots,
        source=source,
    )


def _string_end(text: str, at: int, line: int) -> tuple[int, int]:
    """Return where a string that starts here is over, and the line there."""
    at += 1
    while at < len(text) and text[at] != '"':
        line += text[at] == "\n"
        at += 2 if text[at] == "\\" else 1
    return at + 1, line


def _syntax_error(statements: Sequence[Statement], error: Exception) -> UsageError:
    """Return the error for the first statement that alone is no Cedar."""
    import cedarpy

    for statement in statements:
        try:
            cedarpy.policies_to_json_str(statement.text)
        except (ValueError, RecursionError) as inner:
            return UsageError(
                POLICY_SYNTAX,
                "a rule is no Cedar",
                line=statement.line,
                rule=statement.text[:80],
                reason=inner,
            )
    return UsageError(POLICY_SYNTAX, "the policy is no Cedar", line=1, reason=error)


def _check_characters(text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.isascii() and line.isprintable():
            continue
        for c in line:
            # INVARIANT: what a reviewer sees is what is enforced: no zero-width, bidi or control
            # character stands in a policy unless it is written as an escape.
            if c not in " \t\r" and unicodedata.category(c)[0] in "CZ":
                raise UsageError(
                    HIDDEN_CHARACTER, "a character cannot be seen", line=number, character=c
                )
