"""Which actions and cases stand in the files that are given to the policy verb?

An action is an object ``{"tool": ..., "args": {...}, "facts": {...}, "actor": ...}``; facts that
are left out are unknown, the actor is ``agent``. A case adds ``expect`` (a decision's kind),
``reasons`` and ``name``.

Invariant: an unknown name, a second key or a wrong type is refused (E-CTL-018), never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from undersigned.controls.comparison import Recorded
from undersigned.controls.problems import POLICY_UNREADABLE
from undersigned.controls.records import Facts
from undersigned.core.errors import UsageError
from undersigned.events.arguments import parse_arguments
from undersigned.events.stream import Action

SIZE_LIMIT = 64 << 20
"""Bytes of a file that are accepted."""


class Case(msgspec.Struct, frozen=True):
    """What should become of an action. reasons: None when any will do."""

    name: str
    recorded: Recorded
    expect: Literal["allow", "deny", "ask", "narrow"]
    reasons: tuple[str, ...] | None


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    tool: str
    args: dict[Any, Any] = {}
    facts: dict[str, Any] = {}
    actor: str = "agent"


class _Case(_Line, forbid_unknown_fields=True, kw_only=True):
    expect: Literal["allow", "deny", "ask", "narrow"]
    reasons: tuple[str, ...] | None = None
    name: str = ""


def read_text(path: Path) -> str:
    """Return a file's text. Raises UsageError (E-CTL-018)."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise UsageError(POLICY_UNREADABLE, "a file is too large", path=path)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            POLICY_UNREADABLE, "a file cannot be read", path=path, reason=reason
        ) from error


def read_action(path: Path) -> Recorded:
    """Return the action of a JSON file. Raises UsageError (E-CTL-018)."""
    return _parsed(read_text(path), path, 1)


def read_actions(path: Path) -> tuple[Recorded, ...]:
    """Return the actions of a file with one JSON object a line. Raises UsageError (E-CTL-018)."""
    lines = enumerate(read_text(path).splitlines(), 1)
    return tuple(_parsed(line, path, number) for number, line in lines if line.strip())


def read_cases(path: Path) -> tuple[Case, ...]:
    """Return the cases of a YAML list. Raises UsageError (E-CTL-018)."""
    import yaml

    text = read_text(path)
    try:
        pending = [yaml.compose(text, Loader=yaml.SafeLoader)]
        while pending:
            node = pending.pop()
            if isinstance(node, yaml.MappingNode):
                keys = [getattr(key, "value", None) for key, _ in node.value]
                if len(keys) != len({str(key) for key in keys}):
                    raise yaml.YAMLError("a key stands twice")
                pending += [value for _, value in node.value]
            elif isinstance(node, yaml.SequenceNode):
                pending += node.value
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(POLICY_UNREADABLE, "a file is no YAML", path=path, reason=error) from error
    if not isinstance(data, list) or not data:
        raise UsageError(POLICY_UNREADABLE, "a file is no list of cases", path=path)
    cases = []
    for number, each in enumerate(data, 1):
        found = _converted(each, _Case, path, number)
        recorded = _recorded(found, path, number)
        name = found.name or f"case {number}"
        cases.append(Case(name, recorded, found.expect, found.reasons))
    return tuple(cases)


def _parsed(text: str, path: Path, number: int) -> Recorded:
    parsed = parse_arguments(text)
    if parsed.undecodable:
        raise UsageError(
            POLICY_UNREADABLE, "an action is no JSON object", path=path, line=number,
            reason=parsed.undecodable,
        )  # fmt: skip
    return _recorded(_converted(parsed.values, _Line, path, number), path, number)


def _converted(data: object, type_: type[Any], path: Path, number: int) -> Any:
    try:
        return msgspec.convert(data, type_)
    except msgspec.ValidationError as error:
        raise UsageError(
            POLICY_UNREADABLE, "an action is not of the form that is expected", path=path,
            number=number, reason=error,
        ) from error  # fmt: skip


def _recorded(line: _Line, path: Path, number: int) -> Recorded:
    unknown = sorted(set(line.facts) - set(Facts.__struct_fields__))
    if unknown:
        raise UsageError(
            POLICY_UNREADABLE, "an action has unknown facts", path=path, number=number,
            facts=", ".join(unknown),
        )  # fmt: skip
    facts: Facts = _converted(line.facts, Facts, path, number)
    args: Mapping[str, object] = line.args
    return Recorded(Action((line.actor,), line.tool, ""), args, facts)
