"""A verdict that is kept is the one that Cedar would give; what is not looked for is not asked."""

from __future__ import annotations

from functools import lru_cache

import cedarpy
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.controls.desk import BASE, GOOD, KNOWN, decided, policy
from undersigned.controls import slices
from undersigned.controls.decide import decide
from undersigned.controls.policy import Policy
from undersigned.controls.records import Decision, Facts
from undersigned.events.stream import Action

WORDS = ("look.status=open", "look.status=shut", "look.owner=x", "send.ok=true")
NAMES = ("amount", "invoice", "note", "resource.account")
ON_PAY = 'principal, action == Action::"pay", resource'


def forbid(id_: str, condition: str) -> str:
    return f'@id("{id_}") forbid ({ON_PAY}) when {{ {condition} }};\n'


AFTER, UNVOUCHED = "context.facts.after", "context.facts.unvouched"
CONDITIONS = {
    "one": f'{AFTER}.contains("look.status=open")',
    "none": f'!{AFTER}.contains("look.status=shut")',
    "all": f'{AFTER}.containsAll(["look.status=open", "send.ok=true"])',
    "any": f'{UNVOUCHED}.containsAny(["amount", "resource.account"])',
    "inside": f'["amount", "note"].containsAll({UNVOUCHED})',
    "empty": f"{AFTER}.isEmpty()",
    "equal": f'{UNVOUCHED} == ["amount"]',
    "mixed": f'{UNVOUCHED}.contains("note") || {AFTER}.isEmpty()',
}
SOUGHT = {
    "one": {"after": {"look.status=open"}},
    "none": {"after": {"look.status=shut"}},
    "all": {"after": {"look.status=open", "send.ok=true"}},
    "any": {"unvouched": {"amount", "resource.account"}},
    "inside": {"unvouched": None},
    "empty": {"after": None},
    "equal": {"unvouched": None},
    "mixed": {"after": None, "unvouched": {"note"}},
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_slice__rule_over_a_set__knows_which_words_it_looks_for(name: str) -> None:
    part = policy(forbid(name, CONDITIONS[name])).slices["pay"]
    assert part.facts is not None
    assert {fact: words and set(words) for fact, words in part.facts} == SOUGHT[name]


@lru_cache(maxsize=256)
def long_lived(names: frozenset[str]) -> tuple[Policy, str]:
    """A policy that is asked again and again, and so keeps verdicts."""
    rules = "".join(forbid(name, CONDITIONS[name]) for name in sorted(names))
    return policy(rules), BASE + rules


def whole(text: str, facts: Facts) -> tuple[str, tuple[str, ...]]:
    """What Cedar says of everything, with nothing kept and nothing left out."""
    known = {n: getattr(facts, n) for n in Facts.__struct_fields__ if n != "resource"}
    request = {
        "principal": 'Agent::"agent"', "action": 'Action::"pay"', "resource": 'Thing::"INV-1"',
        "context": {"args": dict(GOOD["pay"]), "resource": facts.resource, "facts": known},
    }  # fmt: skip
    result = cedarpy.is_authorized(request, text, [])
    ids = tuple(sorted(result.diagnostics.id_annotations_by_reason.values()))
    return ("allow" if result.allowed else "deny", ids)


@settings(max_examples=300)
@given(
    st.frozensets(st.sampled_from(sorted(CONDITIONS)), max_size=2),
    st.frozensets(st.sampled_from(WORDS)),
    st.frozensets(st.sampled_from(NAMES)),
)
def test_slice__asked_again_and_again__says_what_whole_cedar_says(
    names: frozenset[str], after: frozenset[str], unvouched: frozenset[str]
) -> None:
    loaded, text = long_lived(names)
    facts = msgspec.structs.replace(
        KNOWN, after=tuple(sorted(after)), unvouched=tuple(sorted(unvouched))
    )
    got = decided(loaded, facts=facts)
    assert (got.kind, got.reasons) == whole(text, facts)


def test_slice__same_question_twice__asks_cedar_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    ask = slices.Requests.ask

    def counted(self, *question):  # type: ignore[no-untyped-def]
        asked.append(question)
        return ask(self, *question)

    monkeypatch.setattr(slices.Requests, "ask", counted)
    loaded = policy(forbid("big", "context.args.amount > 500"))
    for amount, kind in ((100, "allow"), (100, "allow"), (600, "deny"), (600, "deny")):
        assert decided(loaded, amount=amount).kind == kind
    assert len(asked) == 2
    assert decided(loaded, amount=100, invoice="INV-2").kind == "allow"
    assert len(asked) == 2, "no rule tells things apart"


def test_slice__rule_that_names_agent_or_thing__is_asked_for_each() -> None:
    scoped = policy('@id("own") forbid (principal == Agent::"a", action, resource);\n')
    assert [decided(scoped, actor=a).kind for a in "abab"] == ["deny", "allow"] * 2
    written = policy(forbid("mine", 'resource == Thing::"INV-1"'))
    things = ("INV-1", "INV-2", "INV-1")
    assert [decided(written, invoice=i).kind for i in things] == ["deny", "allow", "deny"]


@pytest.mark.parametrize("where", ["actor", "thing"])
def test_slice__what_cannot_be_encoded__is_never_answered_from_memory(where: str) -> None:
    loaded = policy()
    assert decided(loaded).kind == "allow"
    bad = "INV-\ud800"
    if where == "actor":
        got = decide(loaded, Action((bad,), "pay", ""), GOOD["pay"], KNOWN)
    else:
        got = decide(loaded, Action(("agent",), "pay", ""), {**GOOD["pay"], "invoice": bad}, KNOWN)
    assert got == Decision("deny", loaded.digest, ("request-invalid",))
    assert decided(loaded, invoice="\u0e01").kind == "allow"


def test_slice__many_questions__keeps_only_so_many() -> None:
    loaded = policy(forbid("big", 'context.args.amount > 5000 || context.args.detail.city == "x"'))
    for amount in range(slices.KEPT + 50):
        assert decided(loaded, amount=amount).kind == "allow"
    kept = loaded.slices["pay"].kept
    assert 0 < len(kept) <= slices.KEPT
    size = len(kept)
    assert decided(loaded, detail={"city": "y" * slices.LONGEST_KEPT}).kind == "allow"
    assert len(kept) == size


def test_wanted__who_may_be_asked_is_shown_everything__others_what_rules_read() -> None:
    loaded = policy(forbid("old", f"{AFTER}.isEmpty() && context.facts.total > 5"))
    assert loaded.wanted("pay") == {"after", "total"}
    assert loaded.wanted("look") == loaded.wanted("unknown") == frozenset()
    assert loaded.wanted("send") is None
    assert policy(ground_rule=False).wanted("send") == frozenset()
    asking = '@else("ask") ' + forbid("ask", "context.args.amount > 5")
    assert policy(asking).wanted("pay") is None
    on_record = policy(forbid("paid", "context.resource.paid"))
    assert on_record.wanted("pay") == {"resource"}
