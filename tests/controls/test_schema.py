"""A value that Cedar cannot hold exactly is unfit, and a tool that cannot be mapped is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.controls.desk import BASE, PAY, TOOLS, decided, policy
from undersigned.controls.policy import load_policy
from undersigned.controls.records import ToolSpec
from undersigned.controls.schema import FACTS, arguments_shape, cedar_schema, context_shape, fit
from undersigned.core.errors import UsageError
from undersigned.episodes.controlled import tool_specs
from undersigned.worlds.family import load_family

LOADED = policy(
    '@id("reads-all") forbid (principal, action == Action::"pay", resource) when '
    "{ context.args.detail == context.args.detail && context.args == context.args && false };"
)
"""A policy that has every argument put to Cedar."""

UNFIT: dict[str, dict[str, Any]] = {
    "a float": {"amount": 1.0},
    "a decimal": {"amount": Decimal("1")},
    "a decimal that is no integer": {"amount": Decimal("1.5")},
    "an integer as text": {"amount": "1"},
    "a boolean as integer": {"amount": True},
    "an integer as boolean": {"urgent": 1},
    "null for a required argument": {"amount": None},
    "a required argument left out": {"amount": ...},
    "2**63": {"amount": 2**63},
    "-2**63-1": {"amount": -(2**63) - 1},
    "outside its range": {"share": 101},
    "outside its enumeration": {"purpose": "Refund"},
    "an unknown argument": {"extra": 1},
    "an unknown argument that is null": {"extra": None},
    "an upper-case name": {"Amount": 1},
    "an entity": {"invoice": {"__entity": {"type": "Agent", "id": "x"}}},
    "an extension": {"amount": {"__extn": {"fn": "decimal", "arg": "1.0"}}},
    "an expression": {"amount": {"__expr": "1"}},
    "an entity in a list": {"tags": [{"__entity": {"type": "Agent", "id": "x"}}]},
    "an escape beside good names": {"detail": {"city": "x", "__entity": {"type": "A", "id": "b"}}},
    "a name that is no text": {"detail": {"city": "x", 1: 2}},
    "a name at the top that is no text": {1: 2},
    "a lone surrogate": {"invoice": "\ud800"},
    "a lone surrogate deep inside": {"parties": [{"name": "\udfff", "part": 1}]},
    "null in a list": {"tags": [None]},
    "a list where one value is expected": {"invoice": ["a"]},
    "one value where a list is expected": {"tags": "a"},
    "a set": {"tags": {"a"}},
    "an object without what it needs": {"detail": {}},
    "bytes": {"invoice": b"a"},
}


def test_good_request__all_read__is_allowed() -> None:
    assert decided(LOADED).kind == "allow"
    assert decided(LOADED, count=None, note=None).kind == "allow"
    assert decided(LOADED, amount=2**63 - 1, invoice="\u200b\u202e\x00", share=100).kind == "allow"


@pytest.mark.parametrize("changed", UNFIT.values(), ids=UNFIT)
def test_argument__unfit__denies_the_request(changed: dict[Any, Any]) -> None:
    for loaded in (LOADED, policy()):  # read by a rule, or read by none
        args: dict[Any, Any] = {"invoice": "INV-1", "amount": 1, "purpose": "invoice",
            "urgent": False, "tags": [], "detail": {"city": "x"}, **changed}  # fmt: skip
        got = decided(loaded, args=args)
        assert (got.kind, got.reasons) == ("deny", ("request-invalid",))


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text()
    | st.characters(categories=["Cs"]) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["city", "floor", "name", "part", "__entity", "__extn"]) | st.text(),
        inner, max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted(PAY.schema["properties"])), anything))
def test_arguments__anything_at_all__never_raise_and_are_denied_unless_they_fit(
    changed: dict[str, Any],
) -> None:
    args: dict[str, Any] = {"invoice": "INV-1", "amount": 1, "purpose": "invoice",
        "urgent": False, "tags": [], "detail": {"city": "x"}, **changed}  # fmt: skip
    got = decided(LOADED, args=args)
    try:
        fit(arguments_shape(PAY), args)
    except ValueError:
        assert (got.kind, got.reasons) == ("deny", ("request-invalid",))
    else:
        assert got.kind == "allow"  # what we call fit, Cedar's own schema calls fit too


UNMAPPED: dict[str, tuple[dict[str, Any], str]] = {
    "a number": ({"x": {"type": "number"}}, "x"),
    "several types": ({"x": {"type": ["string", "null"]}}, "x"),
    "one of two": ({"x": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}, "x"),
    "no type": ({"x": {}}, "x"),
    "anything": ({"x": True}, "x"),
    "a list of anything": ({"x": {"type": "array"}}, "x"),
    "a free object": ({"x": {"type": "object"}}, "x"),
    "an open object": (
        {"x": {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}}},
        "x",
    ),
    "a reference": ({"x": {"$ref": "#/$defs/X"}}, "x"),
    "a number deep inside": (
        {"x": {"type": "array", "items": {"type": "object", "properties": {
            "y": {"type": "number"}}}}}, "x[].y",
    ),
    "a name for an escape": ({"__entity": {"type": "string"}}, "__entity"),
    "a name that is not ASCII": ({"сount": {"type": "string"}}, "сount"),
    "an enumeration of mixed types": ({"x": {"enum": ["a", 1]}}, "x"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNMAPPED)
def test_tool__that_cannot_be_mapped__is_refused_with_tool_and_argument(name: str) -> None:
    properties, argument = UNMAPPED[name]
    odd = ToolSpec("odd", "read", {"type": "object", "properties": properties})
    with pytest.raises(UsageError) as raised:
        load_policy(BASE, (*TOOLS, odd))
    assert raised.value.code == "E-CTL-015"
    assert raised.value.fields["tool"] == "odd"
    assert raised.value.fields["argument"] == argument


def test_tool__resource_that_is_no_argument__is_refused() -> None:
    odd = msgspec.structs.replace(PAY, resource="nothing")
    with pytest.raises(UsageError, match="E-CTL-015"):
        load_policy(BASE, (odd, *TOOLS[1:]))


def test_facts__of_the_records__are_the_ones_a_policy_may_read() -> None:
    from undersigned.controls.records import Facts

    assert {*FACTS.fields, "resource"} == set(Facts.__struct_fields__)


def test_family__payments__maps_whole() -> None:
    specs = tool_specs(load_family("payments", ("en",)))
    by_name = {spec.name: spec for spec in specs}
    assert len(cedar_schema({s.name: context_shape(s) for s in specs})[""]["actions"]) == len(specs)  # type: ignore[index]
    release = by_name["release_payment"]
    assert (release.table, release.sink) == ("payments", "resource.account")
    assert (release.amount, release.currency) == ("resource.amount", "resource.currency")
    assert release.fields["amount"] == "integer"
    draft = by_name["draft_payment"]
    assert (draft.table, draft.sink, draft.amount) == ("", "account", "amount")
    assert by_name["update_payee"].table == "payees"
    assert by_name["update_payee"].sink == "account"
    assert by_name["send_document"].destination == "country"
    assert by_name["report"].table == ""
