"""Each thing that a policy's author may write is enforced or refused; nothing is silently inert."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.controls.desk import BASE, KNOWN, decided, policy
from undersigned.controls.analysis import fails_open
from undersigned.controls.policy import Policy
from undersigned.controls.records import Facts
from undersigned.core.errors import UsageError


class Probe(NamedTuple):
    """A condition of a forbid on ``pay``. fires, rests: changes to the good request under which it
    must deny and must not. facts: names beginning with ``_`` in these are facts."""

    name: str
    condition: str
    fires: dict[str, Any]
    rests: dict[str, Any]


class Refused(NamedTuple):
    """A rule that must be refused. code: of the error."""

    name: str
    rule: str
    code: str


A, R, F = "context.args", "context.resource", "context.facts"
BIG = 2**63 - 1

ENFORCED = (
    Probe("greater", f"{A}.amount > 1000", {"amount": 1001}, {"amount": 1000}),
    Probe("equal number", f"{A}.amount == 5000", {"amount": 5000}, {"amount": 5001}),
    Probe("not equal", f"{A}.amount != 5000", {"amount": 1}, {"amount": 5000}),
    Probe("negative number", f"{A}.amount < -5", {"amount": -6}, {"amount": -5}),
    Probe("negated argument", f"-({A}.amount) > 5", {"amount": -6}, {"amount": 6}),
    Probe("largest integer", f"{A}.amount == {BIG}", {"amount": BIG}, {"amount": BIG - 1}),
    Probe("least integer", f"{A}.amount == -{BIG + 1}", {"amount": -BIG - 1}, {"amount": -BIG}),
    Probe("minus zero", f"{A}.amount == -0", {"amount": 0}, {"amount": 1}),
    Probe("sum of fields", f"{A}.amount + {R}.amount > 250", {"amount": 200}, {"amount": 100}),
    Probe("product", f"{A}.amount * 2 == 84", {"amount": 42}, {"amount": 84}),
    Probe("field to field", f"{A}.amount > {R}.amount", {"amount": 101}, {"amount": 100}),
    Probe("string", f'{A}.invoice == "INV-9"', {"invoice": "INV-9"}, {"invoice": "INV-8"}),
    Probe("upper case", f'{A}.invoice == "INV-a"', {"invoice": "INV-a"}, {"invoice": "INV-A"}),
    Probe("and in a string", f'{A}.invoice == "terms and conditions"',
          {"invoice": "terms and conditions"}, {"invoice": "terms"}),
    Probe("&& in a string", f'{A}.invoice == "a && b"', {"invoice": "a && b"}, {"invoice": "a"}),
    Probe("or in a string", f'{A}.invoice == "x or y"', {"invoice": "x or y"}, {"invoice": "y"}),
    Probe("== in a string", f'{A}.invoice == "a == b"', {"invoice": "a == b"}, {"invoice": "b"}),
    Probe("; and // in a string", f'{A}.invoice == "a; // b"', {"invoice": "a; // b"}, {}),
    Probe("quote in a string", f'{A}.invoice == "a\\"b"', {"invoice": 'a"b'}, {"invoice": "a"}),
    Probe("number as text", f'{A}.invoice == "5,000"', {"invoice": "5,000"}, {"invoice": "5000"}),
    Probe("empty string", f'{A}.invoice == ""', {"invoice": ""}, {"invoice": " "}),
    Probe("zero-width escaped", f'{A}.invoice == "a\\u{{200b}}"', {"invoice": "a\u200b"},
          {"invoice": "a"}),
    Probe("bidi escaped", f'{A}.invoice like "*\\u{{202e}}*"', {"invoice": "a\u202eb"},
          {"invoice": "ab"}),
    Probe("look-alike", f'{A}.invoice == "аcme"', {"invoice": "аcme"}, {"invoice": "acme"}),
    Probe("Thai", f'{A}.invoice == "ใบแจ้งหนี้"', {"invoice": "ใบแจ้งหนี้"}, {"invoice": "ใบ"}),
    Probe("beyond the BMP", f'{A}.invoice == "\U0001f4b8"', {"invoice": "\U0001f4b8"}, {}),
    Probe("very long string", f'{A}.invoice == "{"x" * 20000}"', {"invoice": "x" * 20000},
          {"invoice": "x" * 19999}),
    Probe("like", f'{A}.invoice like "INV-9*"', {"invoice": "INV-99"}, {"invoice": "INV-8"}),
    Probe("like, star escaped", f'{A}.invoice like "a\\*b"', {"invoice": "a*b"},
          {"invoice": "axb"}),
    Probe("like over lines", f'{A}.invoice like "a*b"', {"invoice": "a\nb"}, {"invoice": "ba"}),
    Probe("boolean", f"{A}.urgent", {"urgent": True}, {"urgent": False}),
    Probe("boolean compared", f"{A}.urgent == true", {"urgent": True}, {"urgent": False}),
    Probe("not", f"!{A}.urgent", {"urgent": False}, {"urgent": True}),
    Probe("enumeration", f'{A}.purpose == "refund"', {"purpose": "refund"}, {}),
    Probe("one of", f'["refund", "salary"].contains({A}.purpose)', {"purpose": "salary"}, {}),
    Probe("none of", f'!["invoice", "salary"].contains({A}.purpose)', {"purpose": "refund"}, {}),
    Probe("or", f'{A}.urgent || {A}.purpose == "refund"', {"purpose": "refund"}, {}),
    Probe("nesting", f'({A}.urgent || ({A}.amount > 9 && !({A}.amount > 99))) && {R}.amount == 100',
          {"amount": 50}, {"amount": 100}),
    Probe("if then else", f"if {A}.urgent then {A}.amount > 5 else {A}.amount > 500",
          {"urgent": True, "amount": 6}, {"urgent": False, "amount": 6}),
    Probe("set contains", f'{A}.tags.contains("vip")', {"tags": ["a", "vip"]}, {"tags": []}),
    Probe("set contains all", f'{A}.tags.containsAll(["a", "b"])', {"tags": ["b", "a"]}, {}),
    Probe("set contains any", f'{A}.tags.containsAny(["x", "y"])', {"tags": ["y"]}, {}),
    Probe("empty set", f"{A}.tags.isEmpty()", {"tags": []}, {"tags": ["a"]}),
    Probe("repetition in a set", f'{A}.tags == ["a", "b"]', {"tags": ["b", "a", "b"]}, {}),
    Probe("set of records", f'{A} has parties && {A}.parties.contains({{name: "x", part: 1}})',
          {"parties": [{"name": "x", "part": 1}]}, {"parties": [{"name": "x", "part": 2}]}),
    Probe("nested argument", f'{A}.detail.city == "Hue"', {"detail": {"city": "Hue"}}, {}),
    Probe("nested optional", f"{A}.detail has floor && {A}.detail.floor > 3",
          {"detail": {"city": "x", "floor": 4}}, {"detail": {"city": "x"}}),
    Probe("optional there", f"{A} has count && {A}.count > 3", {"count": 4}, {"count": None}),
    Probe("optional missing", f"!({A} has note)", {}, {"note": "x"}),
    Probe("name with a space", f'{A} has "odd name-1" && {A}["odd name-1"] == "x"',
          {"odd name-1": "x"}, {"odd name-1": "y"}),
    Probe("whole record", f'{R} == {{account: "9", amount: 1, paid: false}}',
          {"_resource": {"account": "9", "amount": 1, "paid": False}}, {}),
    Probe("resource field", f'{R}.account == "999"',
          {"_resource": {"account": "999", "amount": 1, "paid": False}}, {}),
    Probe("unvouched", f'{F}.unvouched.contains("resource.account")',
          {"_unvouched": ("resource.account",)}, {"_unvouched": ("amount",)}),
    Probe("unless after", f'!{F}.after.contains("look.status=open")', {"_after": ()}, {}),
    Probe("crossing", f'{F}.crossing.contains("border")', {"_crossing": ("border",)}, {}),
    Probe("total", f"{F}.total > 1000", {"_total": 1001}, {"_total": 1000}),
    Probe("oversight", f"{F}.oversight < 50", {"_oversight": -1}, {"_oversight": 50}),
    Probe("cell", f'{F}.cell != "within"', {"_cell": "outside"}, {"_cell": "within"}),
    Probe("languages", f'!["th", "en"].containsAll({F}.languages)', {"_languages": ("ta",)}, {}),
    Probe("actor", 'principal == Agent::"mallory"', {"_actor": "mallory"}, {}),
    Probe("thing", 'resource == Thing::"INV-7"', {"invoice": "INV-7"}, {"invoice": "INV-70"}),
    Probe("action in a condition", f'action == Action::"pay" && {A}.amount > 7', {"amount": 8},
          {"amount": 7}),
)  # fmt: skip


def forbid(condition: str, *, id_: str = "probe", notes: str = "", scope: str = "") -> str:
    head = scope or 'principal, action == Action::"pay", resource'
    return f'@id("{id_}") {notes} forbid ({head}) when {{ {condition} }};\n'


REFUSED = (
    Refused("unknown operator word", forbid(f'{A}.amount matches "x"'), "E-CTL-001"),
    Refused("leading not", forbid(f"not {A}.urgent"), "E-CTL-001"),
    Refused("single equals", forbid(f"{A}.amount = 5"), "E-CTL-001"),
    Refused("integer of 64 bits and one", forbid(f"{A}.amount > {BIG + 1}"), "E-CTL-001"),
    Refused("decimal number", forbid(f"{A}.amount > 1.5"), "E-CTL-001"),
    Refused("null", forbid(f"{A}.note == null"), "E-CTL-001"),
    Refused("list index", forbid(f'{A}.tags[0] == "a"'), "E-CTL-001"),
    Refused("unfinished", '@id("x") forbid (principal, action, resource)', "E-CTL-001"),
    Refused("semicolon forgotten", '@id("x") forbid (principal, action, resource)\n' + BASE,
            "E-CTL-001"),
    Refused("annotation twice", '@id("a") @id("b") permit (principal, action, resource);',
            "E-CTL-001"),
    Refused("no id", "forbid (principal, action, resource);", "E-CTL-002"),
    Refused("id without value", "@id forbid (principal, action, resource);", "E-CTL-002"),
    Refused("id twice", forbid(f"{A}.urgent") + forbid(f"!{A}.urgent"), "E-CTL-003"),
    Refused("id in upper case", forbid(f"{A}.urgent", id_="Cap"), "E-CTL-004"),
    Refused("id look-alike", forbid(f"{A}.urgent", id_="сap"), "E-CTL-004"),
    Refused("id too long", forbid(f"{A}.urgent", id_="a" * 65), "E-CTL-004"),
    Refused("id of the machinery", forbid(f"{A}.urgent", id_="ground-rule"), "E-CTL-004"),
    Refused("annotation mistyped", forbid(f"{A}.urgent", notes='@esle("ask")'), "E-CTL-005"),
    Refused("annotation in upper case", forbid(f"{A}.urgent", notes='@Else("ask")'), "E-CTL-005"),
    Refused("reason without value", forbid(f"{A}.urgent", notes="@reason"), "E-CTL-005"),
    Refused("unknown tool", forbid("true", scope='principal, action == Action::"pya", resource'),
            "E-CTL-006"),
    Refused("tool in upper case", forbid("true", scope='principal,action==Action::"Pay",resource'),
            "E-CTL-006"),
    Refused("one unknown tool of two",
            forbid("true", scope='principal,action in [Action::"pay",Action::"x"],resource'),
            "E-CTL-006"),
    Refused("action group", forbid("true", scope='principal,action in Action::"writes",resource'),
            "E-CTL-006"),
    Refused("no tool at all", forbid("true", scope="principal,action in [],resource"),
            "E-CTL-006"),
    Refused("action of another name space",
            forbid("true", scope='principal,action == Other::Action::"pay",resource'),
            "E-CTL-006"),
    Refused("number compared with text", forbid(f'{A}.amount == "5"'), "E-CTL-007"),
    Refused("boolean compared with 1", forbid(f"{A}.urgent == 1"), "E-CTL-007"),
    Refused("number as condition", forbid("1"), "E-CTL-007"),
    Refused("optional without has", forbid(f"{A}.count > 3"), "E-CTL-007"),
    Refused("like on a number", forbid(f'{A}.amount like "1*"'), "E-CTL-007"),
    Refused("text in a set of records", forbid(f'{A} has parties && {A}.parties.contains("x")'),
            "E-CTL-007"),
    Refused("optional in a whole record", forbid(f'{A}.detail == {{city: "Hue", floor: 1}}'),
            "E-CTL-007"),
    Refused("unknown action in a condition", forbid('action == Action::"zz"'), "E-CTL-007"),
    Refused("unknown kind of actor", forbid('principal == User::"x"'), "E-CTL-007"),
    Refused("argument that another tool lacks",
            forbid(f"{A}.amount > 3", scope="principal,action,resource"), "E-CTL-007"),
    Refused("else on a permit",
            '@id("x") @else("ask") permit (principal, action == Action::"pay", resource);',
            "E-CTL-008"),
    Refused("else in upper case", forbid(f"{A}.urgent", notes='@else("Ask")'), "E-CTL-009"),
    Refused("else with a space", forbid(f"{A}.urgent", notes='@else("narrow:amount <= 5")'),
            "E-CTL-009"),
    Refused("else that raises", forbid(f"{A}.amount>5", notes='@else("narrow:amount>=5")'),
            "E-CTL-009"),
    Refused("narrow what is not there", forbid(f"{A}.amount>5", notes='@else("narrow:sum<=5")'),
            "E-CTL-010"),
    Refused("narrow a text", forbid(f'{A}.invoice=="x"', notes='@else("narrow:invoice<=5")'),
            "E-CTL-010"),
    Refused("narrow what the rule does not look at",
            forbid(f"{A}.urgent", notes='@else("narrow:amount<=5")'), "E-CTL-010"),
    Refused("narrow below the range",
            forbid(f"{A} has share && {A}.share > 5", notes='@else("narrow:share<=-1")'),
            "E-CTL-010"),
    Refused("narrow beyond what can be recorded",
            forbid(f"{A}.amount>5", notes=f'@else("narrow:amount<={2**60}")'), "E-CTL-010"),
    Refused("template", '@id("x") forbid (principal == ?principal, action, resource);',
            "E-CTL-011"),
    Refused("group of actors", forbid("true", scope='principal in Agent::"g",action,resource'),
            "E-CTL-012"),
    Refused("kind of actor", forbid("true", scope="principal is Agent,action,resource"),
            "E-CTL-012"),
    Refused("group of things", forbid("true", scope='principal,action,resource in Thing::"g"'),
            "E-CTL-012"),
    Refused("thing as actor", forbid("true", scope='principal == Thing::"x",action,resource'),
            "E-CTL-012"),
    Refused("in, in a condition", forbid('principal in Agent::"g"'), "E-CTL-013"),
    Refused("is, in a condition", forbid("resource is Thing"), "E-CTL-013"),
    Refused("decimal", forbid('decimal("1.5").lessThan(decimal("2.5"))'), "E-CTL-013"),
    Refused("address", forbid('ip("10.0.0.1").isLoopback()'), "E-CTL-013"),
    Refused("zero-width in a string", forbid(f'{A}.invoice == "a\u200b"'), "E-CTL-014"),
    Refused("bidi in a comment", "// \u202e\n" + forbid(f"{A}.urgent"), "E-CTL-014"),
    Refused("no-break space", forbid(f"{A}.urgent\u00a0&& true"), "E-CTL-014"),
    Refused("attribute mistyped", forbid(f"{A}.amuont > 3"), "E-CTL-016"),
    Refused("attribute in upper case", forbid(f"{A}.Amount > 3"), "E-CTL-016"),
    Refused("has on what no tool has", forbid(f"{A} has amuont && {A}.amount > 3"), "E-CTL-016"),
    Refused("unknown behind a constant", forbid(f"false && {A}.zz"), "E-CTL-016"),
    Refused("unknown fact", forbid(f"{F}.trusted"), "E-CTL-016"),
    Refused("unknown value of an enumeration", forbid(f'{A}.purpose == "Refund"'), "E-CTL-016"),
    Refused("unknown among values", forbid(f'["refund","gift"].contains({A}.purpose)'),
            "E-CTL-016"),
    Refused("unvouched field mistyped", forbid(f'{F}.unvouched.contains("resource.acount")'),
            "E-CTL-016"),
    Refused("crossing mistyped", forbid(f'{F}.crossing.contains("borders")'), "E-CTL-016"),
    Refused("after an unknown tool", forbid(f'!{F}.after.contains("screen.result=clear")'),
            "E-CTL-016"),
    Refused("after without a value", forbid(f'!{F}.after.contains("look")'), "E-CTL-016"),
    Refused("cell mistyped", forbid(f'{F}.cell == "Within"'), "E-CTL-016"),
    Refused("language in upper case", forbid(f'{F}.languages.contains("TH")'), "E-CTL-016"),
)  # fmt: skip


def outcome(loaded: Policy, changes: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    facts = {name[1:]: value for name, value in changes.items() if name[0] == "_"}
    args = {name: value for name, value in changes.items() if name[0] != "_"}
    actor = str(facts.pop("actor", "agent"))
    got = decided(loaded, facts=msgspec.structs.replace(KNOWN, **facts), actor=actor, **args)
    return got.kind, got.reasons


@pytest.mark.parametrize("probe", ENFORCED, ids=lambda probe: probe.name)
def test_condition__that_loads__fires_and_rests(probe: Probe) -> None:
    loaded = policy(forbid(probe.condition))
    assert outcome(loaded, probe.fires) == ("deny", ("probe",))
    assert outcome(loaded, probe.rests) == ("allow", ("pay-base",))


@pytest.mark.parametrize("probe", ENFORCED, ids=lambda probe: probe.name)
def test_condition__after_unless__means_the_opposite(probe: Probe) -> None:
    loaded = policy(forbid(probe.condition).replace(" when ", " unless "))
    assert outcome(loaded, probe.rests) == ("deny", ("probe",))
    assert outcome(loaded, probe.fires) == ("allow", ("pay-base",))


@pytest.mark.parametrize("probe", REFUSED, ids=lambda probe: probe.name)
def test_rule__that_could_be_inert__is_refused_with_its_code_and_line(probe: Refused) -> None:
    with pytest.raises(UsageError) as raised:
        policy(probe.rule)
    assert raised.value.code == probe.code
    assert int(raised.value.fields["line"]) >= 1
    assert raised.value.remedy


def test_probes__are_many_and_distinct() -> None:
    names = [probe.name for probe in (*ENFORCED, *REFUSED)]
    assert len(set(names)) == len(names) >= 45


def test_rule__that_errs__denies_although_a_permit_holds() -> None:
    loaded = policy(forbid(f"{A}.amount + 1 > 1000"))
    assert outcome(loaded, {"amount": 5}) == ("allow", ("pay-base",))
    assert outcome(loaded, {"amount": BIG}) == ("deny", ("rule-error",))


def test_permit__that_errs__denies_although_another_permit_holds() -> None:
    loaded = policy(
        f'@id("more") permit (principal, action, resource) when {{ {F}.total * 2 > 3 }};'
    )
    assert outcome(loaded, {"_total": BIG}) == ("deny", ("rule-error",))
    assert outcome(loaded, {"_total": 2}) == ("allow", ("more", "pay-base"))


def test_forbids__several_at_once__are_all_named() -> None:
    loaded = policy(
        forbid(f"{A}.amount > 5", id_="b") + forbid(f"{A}.urgent", id_="a")
        + forbid(f"{A}.amount > 500", id_="c")
    )  # fmt: skip
    assert outcome(loaded, {"urgent": True}) == ("deny", ("a", "b"))


def test_scopes__list_and_open__reach_every_tool_that_they_name() -> None:
    loaded = policy(
        forbid(
            "true", id_="two", scope='principal,action in [Action::"pay",Action::"look"],resource'
        )
        + forbid(f"{F}.calls > 9", id_="all", scope="principal,action,resource")
        + forbid(f"context has resource && {R}.paid", id_="paid", scope="principal,action,resource")
    )
    late = msgspec.structs.replace(KNOWN, calls=10)
    assert [decided(loaded, tool).reasons for tool in ("pay", "look")] == [("two",), ("two",)]
    assert decided(loaded, "send").reasons == ("ground-rule",)
    assert decided(loaded, "send", facts=late).reasons == ("all",)
    assert decided(loaded, facts=msgspec.structs.replace(late, resource={
        "account": "1", "amount": 1, "paid": True})).reasons == ("all", "paid", "two")  # fmt: skip


VOUCHED = f'{{ {F}.unvouched.containsAny(["amount"]) }};\n'
SEEN = f'{{ {F}.after.containsAll(["look.status=open"]) && {R}.amount > 5 }};\n'
RULES = (
    forbid(f"{A}.amount > 50", id_="cap"),
    forbid(f"{A}.amount > 70", id_="ask-cap", notes='@else("ask")'),
    forbid(f"{A}.amount > 80", id_="low-cap", notes='@else("narrow:amount<=40")'),
    forbid(f'{F}.unvouched.contains("amount")', id_="unvouched", notes='@else("ask")'),
    forbid(f'{F}.unvouched.contains("resource.account")', id_="account"),
    forbid(f'!{F}.after.contains("look.status=open")', id_="looked"),
    forbid(f"{F}.total > 150 && {A}.urgent", id_="total"),
    forbid(f'{R}.paid || {R}.account == "222"', id_="paid", notes='@else("ask")'),
    f'@id("vouched") permit (principal, action, resource) unless {VOUCHED}',
    f'@id("seen") permit (principal, action == Action::"pay", resource) when {SEEN}',
)
WIDTH = {"deny": 0, "ask": 1, "narrow": 2, "allow": 3}

some_rules = st.lists(st.sampled_from(RULES), unique=True)
some_facts = st.builds(
    Facts,
    unvouched=st.sampled_from([(), ("amount",), ("amount", "resource.account")]),
    after=st.sampled_from([(), ("look.status=open",)]),
    resource=st.sampled_from([
        None, {"account": "111", "amount": 9, "paid": False},
        {"account": "222", "amount": 1, "paid": True}, {"account": "111"},
    ]),
    total=st.integers(0, 300),
)  # fmt: skip
some_args = st.fixed_dictionaries({"amount": st.integers(0, 120), "urgent": st.booleans()})


def loaded_from(rules: list[str], *, base: bool) -> Policy:
    never_empty = '@id("other") permit (principal, action == Action::"look", resource);\n'
    return policy("".join(rules) + never_empty, base=BASE if base else "")


@settings(max_examples=150)
@given(some_rules, some_facts, some_args, st.booleans(), st.integers(0, 2))
def test_decision__fact_lost__never_lets_more_pass(
    rules: list[str], facts: Facts, args: dict[str, Any], base: bool, loss: int
) -> None:
    loaded = loaded_from(rules, base=base)
    assert not any(fails_open(rule) for rule in loaded.rules)
    every = (*facts.unvouched, "amount", "resource.account", "resource.paid")
    lost = (
        {"resource": None}, {"after": ()}, {"unvouched": tuple(sorted(set(every)))},
    )[loss]  # fmt: skip
    less = msgspec.structs.replace(facts, **lost)
    before, after = (decided(loaded, facts=each, **args) for each in (facts, less))
    assert WIDTH[after.kind] <= WIDTH[before.kind] or after.kind == "ask" == before.kind


@settings(max_examples=100)
@given(some_rules, st.sampled_from(RULES[:8]), some_facts, some_args)
def test_decision__forbid_added_or_permit_removed__never_becomes_allow(
    rules: list[str], more: str, facts: Facts, args: dict[str, Any]
) -> None:
    before = decided(loaded_from(rules, base=True), facts=facts, **args)
    added = [*rules, *([more] if more not in rules else [])]
    with_more = decided(loaded_from(added, base=True), facts=facts, **args)
    fewer = [rule for rule in rules if " permit " not in rule]
    without = decided(loaded_from(fewer, base=True), facts=facts, **args)
    without_base = decided(loaded_from(rules, base=False), facts=facts, **args)
    assert with_more.kind != "allow" or before.kind == "allow"
    # A fact that only a permit reads is no longer asked for when that permit is gone.
    if before.reasons != ("fact-missing",):
        assert "allow" not in (without.kind, without_base.kind) or before.kind == "allow"
