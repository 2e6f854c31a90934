"""The rules decide, the machinery only denies, an alternative is used only where it is sound."""

from __future__ import annotations

import random

import cedarpy
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.controls.desk import BASE, GOOD, KNOWN, decided, policy
from undersigned.controls.decide import decide, explain
from undersigned.controls.records import Decision, Facts, Narrowing
from undersigned.controls.slices import GROUND_RULE
from undersigned.events.stream import Action

ASK = '@else("ask")'


def forbid(id_: str, condition: str, notes: str = "", tool: str = "pay") -> str:
    return (
        f'@id("{id_}") {notes} forbid (principal, action == Action::"{tool}", resource) '
        f"when {{ {condition} }};\n"
    )


def cap(id_: str, limit: int, argument: str = "amount") -> str:
    has = "" if argument == "amount" else f"context.args has {argument} && "
    return forbid(
        id_, f"{has}context.args.{argument} > {limit}", f'@else("narrow:{argument}<={limit}")'
    )


BIG_ASK = forbid("ask-500", "context.args.amount > 500", ASK)
URGENT = forbid("urgent", "context.args.urgent")


def said(got: Decision) -> tuple[str, tuple[str, ...], dict[str, int]]:
    return got.kind, got.reasons, {each.argument: each.limit for each in got.narrowed}


def test_decide__permit_and_no_forbid__allows_and_names_the_permit() -> None:
    loaded = policy()
    got = decided(loaded)
    assert got == Decision("allow", loaded.digest, ("pay-base",))


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Action(("a",), "nothing", ""), "unknown-tool"),
        (Action(("a",), "Pay", ""), "unknown-tool"),
        (Action((), "pay", ""), "request-invalid"),
        (Action(("a",), "pay", "", undecodable="not JSON"), "request-invalid"),
        (Action(("a",), "pay", "", args_base64="AA=="), "request-invalid"),
        (Action(("a",), "pay", "", "INV-2"), "request-invalid"),
        (Action(("a\ud800",), "pay", "", "INV-1"), "request-invalid"),
    ],
)
def test_decide__action_that_is_no_request__denies(action: Action, reason: str) -> None:
    got = decide(policy(), action, GOOD["pay"], KNOWN)
    assert (got.kind, got.reasons) == ("deny", (reason,))


def test_decide__very_long_id__may_be_cut_in_the_record() -> None:
    long = "I" * 500
    args = {**GOOD["pay"], "invoice": long}
    assert decide(policy(), Action(("a",), "pay", "", long[:200]), args, KNOWN).kind == "allow"
    assert decide(policy(), Action(("a",), "pay", "", long[:199]), args, KNOWN).kind == "deny"


def test_decide__no_permit__denies_with_that_reason() -> None:
    only = policy(base='@id("look") permit (principal, action == Action::"look", resource);')
    assert decided(only).reasons == ("no-permit",)
    assert decided(only, "look").kind == "allow"


def test_decide__resource_field_that_a_rule_reads_is_missing__denies() -> None:
    loaded = policy(forbid("paid", "context.resource.paid"))
    for resource in (None, {}, {"account": "1", "amount": 1}):
        got = decided(loaded, facts=msgspec.structs.replace(KNOWN, resource=resource))
        assert (got.kind, got.reasons) == ("deny", ("fact-missing",))
    partly = msgspec.structs.replace(KNOWN, resource={"paid": False})
    assert decided(loaded, facts=partly).kind == "allow"
    assert decided(policy(), facts=Facts()).kind == "allow"  # no rule reads it


@pytest.mark.parametrize("value", [1, 0, "true", None, 1.5])
def test_decide__resource_field_of_another_type__denies(value: object) -> None:
    loaded = policy(forbid("paid", "context.resource.paid"))
    facts = msgspec.structs.replace(KNOWN, resource={"paid": value})
    assert decided(loaded, facts=facts).reasons == ("request-invalid",)


@pytest.mark.parametrize("total", [2**63, -(2**63) - 1, 2**70, 1.5, None])
def test_decide__fact_that_cedar_cannot_hold__denies(total: object) -> None:
    loaded = policy(forbid("total", "context.facts.total > 10"))
    facts = Facts(total=total)  # type: ignore[arg-type]
    assert decided(loaded, facts=facts).reasons == ("request-invalid",)


def test_ground_rule__irreversible_and_allowed__asks_a_person() -> None:
    with_rule, without = policy(), policy(ground_rule=False)
    assert said(decided(with_rule, "send")) == ("ask", (GROUND_RULE,), {})
    assert said(decided(without, "send")) == ("allow", ("send-base",), {})
    assert with_rule.digest != without.digest
    stop = forbid("stop", "true", tool="send")
    assert decided(policy(stop), "send").kind == "deny"
    assert decided(with_rule, "pay").kind == "allow"


def test_ask__every_forbid_offers_it__asks_and_names_them_all() -> None:
    more = forbid("ask-900", "context.args.amount > 900", ASK)
    loaded = policy(BIG_ASK + more)
    assert said(decided(loaded, amount=1000)) == ("ask", ("ask-500", "ask-900"), {})
    assert said(decided(loaded, amount=600)) == ("ask", ("ask-500",), {})
    assert decided(loaded, amount=500).kind == "allow"


def test_ask__one_forbid_does_not_offer_it__denies() -> None:
    got = decided(policy(BIG_ASK + URGENT), amount=1000, urgent=True)
    assert said(got) == ("deny", ("ask-500", "urgent"), {})


def test_ask__nothing_permits_it__denies() -> None:
    base = '@id("small") permit (principal, action == Action::"pay", resource) '
    loaded = policy(BIG_ASK, base=base + "when { context.args.amount < 700 };\n")
    assert decided(loaded, amount=600).kind == "ask"
    assert said(decided(loaded, amount=800)) == ("deny", ("ask-500", "no-permit"), {})


def test_narrow__over_the_limit__lowers_to_it() -> None:
    loaded = policy(cap("cap", 300))
    assert said(decided(loaded, amount=301)) == ("narrow", ("cap",), {"amount": 300})
    assert said(decided(loaded, amount=300)) == ("allow", ("pay-base",), {})


def test_narrow__several_limits__the_lowest_of_each_argument_holds() -> None:
    loaded = policy(cap("a", 300) + cap("b", 200) + cap("c", 10, "share"))
    got = decided(loaded, amount=1000, share=50)
    assert said(got) == ("narrow", ("a", "b", "c"), {"amount": 200, "share": 10})
    assert got.narrowed == (Narrowing("amount", 200), Narrowing("share", 10))


def test_narrow__smaller_action_still_forbidden__denies() -> None:
    loaded = policy(cap("cap", 300) + forbid("never", "context.args.amount == 300"))
    assert said(decided(loaded, amount=400)) == ("deny", ("cap",), {})


def test_narrow__smaller_action_errs__denies() -> None:
    overflow = forbid("errs", f"context.args.amount - {2**63 - 1} < {-(2**63) + 5 - 2}")
    loaded = policy(cap("cap", -5) + overflow)
    assert decided(loaded, amount=100).kind == "deny"


def test_narrow__rule_that_fired_for_another_cause__denies() -> None:
    odd = forbid(
        "odd", "context.args.amount > 5 || context.args.urgent", '@else("narrow:amount<=5")'
    )
    assert decided(policy(odd), amount=3, urgent=True).kind == "deny"
    assert decided(policy(odd), amount=9, urgent=True).kind == "deny"
    assert decided(policy(odd), amount=9).kind == "narrow"


def test_narrow__another_forbid_offers_nothing__denies() -> None:
    assert decided(policy(cap("cap", 300) + URGENT), amount=400, urgent=True).kind == "deny"


def test_narrow__with_a_rule_that_asks__asks_about_the_smaller_action() -> None:
    got = decided(policy(cap("cap", 300) + BIG_ASK), amount=1000)
    assert said(got) == ("ask", ("ask-500", "cap"), {"amount": 300})


def test_narrow__irreversible_under_the_ground_rule__asks_about_the_smaller_action() -> None:
    rule = forbid("cap", "context.args.amount > 3", '@else("narrow:amount<=3")', "send")
    assert said(decided(policy(rule), "send")) == ("ask", ("cap", GROUND_RULE), {"amount": 3})
    free = policy(rule, ground_rule=False)
    assert said(decided(free, "send")) == ("narrow", ("cap",), {"amount": 3})


def test_narrow__lowered_value_that_nobody_said__counts_as_unvouched() -> None:
    vouched = forbid("vouched", 'context.facts.unvouched.contains("amount")', ASK)
    loaded = policy(cap("cap", 300) + vouched)
    assert said(decided(loaded, amount=400)) == ("ask", ("cap", "vouched"), {"amount": 300})
    strict = policy(cap("cap", 300) + vouched.replace(ASK, ""))
    assert decided(strict, amount=400).kind == "deny"
    assert decided(strict, amount=300).kind == "allow"


def test_decide__thing_and_actor__come_from_arguments_and_first_principal() -> None:
    scoped = '@id("own") forbid (principal == Agent::"a", action, resource == Thing::"INV-1");\n'
    loaded = policy(scoped)
    assert decided(loaded, actor="a").reasons == ("own",)
    assert decided(loaded, actor="b").kind == "allow"
    assert decided(loaded, actor="a", invoice="INV-2").kind == "allow"
    quoted = 'x"; permit(principal,action,resource);\n//'
    assert decided(loaded, actor=quoted, invoice=quoted).kind == "allow"


@settings(max_examples=150)
@given(st.integers(0, 2000), st.booleans(), st.sampled_from(["", "vip"]), st.integers(0, 99))
def test_slice__asked_with_what_rules_read__says_what_whole_cedar_says(
    amount: int, urgent: bool, tag: str, total: int
) -> None:
    """The same request put whole, unsliced and by the public call of the library."""
    rules = (
        forbid("a", "context.args.amount > 1000 && context.resource.amount > 5")
        + forbid("b", 'context.args.urgent || context.args.tags.contains("vip")')
        + '@id("c") forbid (principal, action, resource) when { context.facts.total > 50 };\n'
        + forbid("d", "true", tool="look")
    )
    loaded = policy(rules)
    tags = [tag] if tag else []
    facts = msgspec.structs.replace(KNOWN, total=total)
    got = decided(loaded, facts=facts, amount=amount, urgent=urgent, tags=tags)
    known = {n: getattr(facts, n) for n in Facts.__struct_fields__ if n != "resource"}
    request = {
        "principal": 'Agent::"agent"', "action": 'Action::"pay"', "resource": 'Thing::"INV-1"',
        "context": {
            "args": {**GOOD["pay"], "amount": amount, "urgent": urgent, "tags": tags},
            "resource": facts.resource, "facts": known,
        },
    }  # fmt: skip
    result = cedarpy.is_authorized(request, BASE + rules, [])
    ids = tuple(sorted(result.diagnostics.id_annotations_by_reason.values()))
    assert (got.kind, got.reasons) == ("allow" if result.allowed else "deny", ids)


def test_decide__many_rules_in_any_order__gives_the_same_decision() -> None:
    rules = [forbid(f"r{n}", f"context.args.amount > {100 * n}") for n in range(1, 30)]
    random.Random(7).shuffle(rules)
    got = decided(policy("".join(rules)), amount=555)
    assert got.reasons == ("r1", "r2", "r3", "r4", "r5")


def test_explain__names_rules_reasons_and_what_they_read() -> None:
    loaded = policy(
        forbid("big", "context.args.amount > 500", '@reason("more than 5.00") @else("ask")')
        + forbid("paid", "context.args has count && context.resource.paid")
        + forbid("other", "context.args.amount > 3", tool="send")
    )
    found = explain(loaded, Action(("a",), "pay", ""), {**GOOD["pay"], "amount": 600}, KNOWN)
    assert found.decision.kind == "ask"
    rows = {rule.id: rule for rule in found.rules}
    assert set(rows) == {"pay-base", "big", "paid"}
    assert [r.id for r in found.rules if r.determined] == ["big"]
    assert (rows["big"].reason, rows["big"].otherwise) == ("more than 5.00", "ask")
    assert rows["paid"].reads == ("args.count", "resource.paid")
    assert found.read == {"args.amount": "600", "args.count": "unknown", "resource.paid": "false"}
    assert msgspec.json.decode(msgspec.json.encode(found))["tool"] == "pay"
    assert explain(loaded, Action(("a",), "zz", ""), {}, KNOWN).rules == ()
