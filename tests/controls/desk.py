"""A small desk for policies: three tools, a good request for each, and a permit for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from undersigned.controls.decide import decide
from undersigned.controls.policy import Policy, load_policy
from undersigned.controls.records import Decision, Facts, ToolSpec
from undersigned.events.stream import Action

_PAY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "invoice": {"type": "string"},
        "amount": {"type": "integer"},
        "share": {"type": "integer", "minimum": 0, "maximum": 100},
        "purpose": {"enum": ["invoice", "refund", "salary"]},
        "urgent": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "note": {"type": "string", "default": ""},
        "count": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "parties": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "part": {"type": "integer"}},
                "required": ["name", "part"],
            },
        },
        "detail": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "floor": {"type": "integer"}},
            "required": ["city"],
        },
        "odd name-1": {"type": "string"},
    },
    "required": ["invoice", "amount", "purpose", "urgent", "tags", "detail"],
    "additionalProperties": False,
}

PAY = ToolSpec(
    "pay", "write", _PAY_SCHEMA, "invoice", "invoices",
    {"account": "string", "amount": "integer", "paid": "boolean"},
)  # fmt: skip
LOOK = ToolSpec(
    "look", "read",
    {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}, "id",
)  # fmt: skip
SEND = ToolSpec(
    "send", "irreversible",
    {
        "type": "object",
        "properties": {"to": {"type": "string"}, "amount": {"type": "integer"}},
        "required": ["to", "amount"],
    },
    "to",
)  # fmt: skip
TOOLS = (PAY, LOOK, SEND)

BASE = "".join(
    f'@id("{name}-base") permit (principal, action == Action::"{name}", resource);\n'
    for name in ("pay", "look", "send")
)

GOOD: Mapping[str, Mapping[str, object]] = {
    "pay": {
        "invoice": "INV-1", "amount": 100, "purpose": "invoice", "urgent": False,
        "tags": ["a"], "detail": {"city": "Ipoh"},
    },
    "look": {"id": "INV-1"},
    "send": {"to": "x@th.example", "amount": 5},
}  # fmt: skip

KNOWN = Facts(
    after=("look.status=open",),
    resource={"account": "111", "amount": 100, "paid": False},
    total=100,
    languages=("th",),
    cell="within",
    oversight=80,
)


def policy(rules: str = "", *, base: str = BASE, ground_rule: bool = True) -> Policy:
    """Return a policy of the permits and some rules."""
    return load_policy(base + rules, TOOLS, ground_rule=ground_rule)


def decided(
    loaded: Policy,
    tool: str = "pay",
    args: Mapping[str, object] | None = None,
    facts: Facts = KNOWN,
    *,
    actor: str = "agent",
    **changed: object,
) -> Decision:
    """Decide on the good request of a tool with some arguments changed; None leaves one out."""
    values = {**GOOD[tool], **changed} if args is None else dict(args)
    values = {name: value for name, value in values.items() if value is not ...}
    return decide(loaded, Action((actor,), tool, ""), values, facts)
