"""A policy is what its exact text and its tools say, and its author is told what does nothing."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from tests.controls.desk import BASE, KNOWN, LOOK, PAY, SEND, TOOLS, decided, policy
from undersigned.controls import gate
from undersigned.controls.analysis import notes_on
from undersigned.controls.cedar import parse, split
from undersigned.controls.policy import RESERVED, load_policy
from undersigned.controls.records import Facts
from undersigned.core.errors import UsageError


def forbid(id_: str, condition: str, scope: str = 'principal, action == Action::"pay", resource'):
    return f'@id("{id_}") forbid ({scope}) when {{ {condition} }};\n'


def noted(rules: str, *, base: str = BASE) -> set[tuple[str, str, str]]:
    return {(n.kind, n.rule or n.tool, n.other) for n in notes_on(policy(rules, base=base))}


def test_split__strings_and_comments__hide_semicolons() -> None:
    text = '// a; "b\npermit; x "a;\\"\n;b"; // c;\n  y'
    assert [(s.line, s.text) for s in split(text)] == [
        (2, "permit;"), (2, ' x "a;\\"\n;b";'.strip()), (4, "y"),
    ]  # fmt: skip


def test_parse__line_of_each_rule__is_where_it_starts() -> None:
    text = '\n// c\n@id("a")\npermit (principal, action, resource);\n\n' + forbid("b", "true")
    assert [(rule.id, rule.line) for rule in parse(text)] == [("a", 3), ("b", 6)]


def test_load__fault__names_rule_line_and_remedy() -> None:
    with pytest.raises(UsageError) as raised:
        policy(forbid("fine", "true") + "\n" + forbid("odd", "context.args.amount > true"))
    assert raised.value.code == "E-CTL-007"
    assert raised.value.fields["rule"] == "odd"
    assert raised.value.fields["line"] == "6"
    assert "policy check" in raised.value.remedy


def test_load__broken_rule_among_good_ones__names_its_line() -> None:
    with pytest.raises(UsageError) as raised:
        policy(forbid("fine", "true") + forbid("odd", "context.args.amount >"))
    assert (raised.value.code, raised.value.fields["line"]) == ("E-CTL-001", "5")


@pytest.mark.parametrize("text", ["", "  \n", "// nothing here\n"])
def test_load__no_rule__is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="E-CTL-017"):
        load_policy(text, TOOLS)


DEEP = {
    "brackets": "(" * 5000 + "true" + ")" * 5000,
    "sets": "[" * 900 + "1" + "]" * 900 + ".isEmpty()",
    "records": "{a:" * 900 + "1" + "}" * 900 + " == 1",
    "negations": "!(" * 900 + "true" + ")" * 900,
    "alternatives": "if true then true else " * 20000 + "true",
    "names": "context has args" + ".a" * 20000,
    "a long or": " || ".join(["context.args.urgent"] * 200),
    "a long sum": "+".join(["1"] * 300) + " > 2",
    "brackets after a string": '"(" == "\\"(" && ' + "(" * 900 + "true" + ")" * 900,
    "brackets after a comment": "true // (\n && " + "(" * 900 + "true" + ")" * 900,
}


@pytest.mark.parametrize("name", DEEP)
def test_load__hostile_depth__is_refused_and_ends_no_process(name: str) -> None:
    with pytest.raises(UsageError, match="E-CTL-001"):
        policy(forbid("deep", DEEP[name]))


def code_of(text: str) -> str:
    """Return the code with which a text is refused, or ""; whatever else is raised gets out."""
    try:
        loaded = load_policy(text, TOOLS)
    except UsageError as error:
        return error.code
    decided(loaded)
    return ""


def test_load__text_mangled_at_random__loads_or_is_refused() -> None:
    draw = random.Random(3)
    text = BASE + forbid("cap", 'context.args.amount > 5 && context.args.invoice like "a*"')
    pieces = (*"(){}[];@=<>!.,-+*?:", '"', "__entity", "permit", "when", "9" * 25, "\ud800", "")
    codes = set()
    for _ in range(400):
        mangled = text
        for _ in range(draw.choice((1, 1, 3))):
            at = draw.randrange(len(mangled))
            mangled = mangled[:at] + draw.choice(pieces) + mangled[at + draw.choice((0, 1, 9)) :]
        codes.add(code_of(mangled))
    assert all(code.startswith("E-CTL-0") for code in codes - {""})
    assert len(codes) > 5


def test_load__many_values_in_a_set__are_no_depth() -> None:
    names = [f"INV-{n}" for n in range(2000)]
    listed = ", ".join(f'"{name}"' for name in names)
    loaded = policy(forbid("listed", f"[{listed}].contains(context.args.invoice)"))
    assert decided(loaded, invoice="INV-1999").reasons == ("listed",)
    assert decided(loaded, invoice="INV-2000").kind == "allow"


def test_reserved_ids__hold_every_reason_that_the_gate_gives() -> None:
    given = {
        gate.GATE_ERROR,
        gate.STOPPED,
        gate.IN_DOUBT,
        gate.CHANGED,
        gate.REJECTED,
        gate.UNANSWERED,
    }
    assert given <= RESERVED


def test_digest__text_types_or_ground_rule_differ__differs() -> None:
    stricter = dict(PAY.schema, properties={**PAY.schema["properties"], "share": {
        "type": "integer", "minimum": 0, "maximum": 99}})  # fmt: skip
    other = msgspec.structs.replace(PAY, schema=stricter)
    write = msgspec.structs.replace(SEND, kind="write")
    digests = [
        policy().digest,
        policy("\n").digest,
        policy("// said\n").digest,
        policy(ground_rule=False).digest,
        load_policy(BASE, (other, LOOK, SEND)).digest,
        load_policy(BASE, (PAY, LOOK, write)).digest,
    ]
    assert len(set(digests)) == len(digests)
    assert policy().digest == load_policy(BASE, reversed(TOOLS)).digest
    described = dict(LOOK.schema, description="words for the model")
    same = msgspec.structs.replace(LOOK, schema=described)
    assert load_policy(BASE, (PAY, same, SEND)).digest == policy().digest


def test_slices__hold_what_can_apply_and_nothing_else() -> None:
    loaded = policy(
        forbid("pay-only", "true")
        + forbid("two", "true", 'principal, action in [Action::"pay", Action::"send"], resource')
        + forbid("all", "context.facts.calls > 5", "principal, action, resource")
    )
    ids = {name: [rule.id for rule in part.rules] for name, part in loaded.slices.items()}
    assert ids == {
        "pay": ["pay-base", "pay-only", "two", "all"],
        "look": ["look-base", "all"],
        "send": ["send-base", "two", "all"],
    }
    assert loaded.slices["look"].facts == (("calls", None),)
    assert loaded.slices["look"].args is None


def test_notes__good_policy__are_none() -> None:
    assert noted(forbid("cap", "context.args.amount > 5")) == set()


def test_notes__tool_without_rule_or_permit__are_given_and_denied() -> None:
    base = '@id("look") permit (principal, action == Action::"look", resource);\n'
    rules = forbid("cap", "context.args.amount > 5")
    assert noted(rules, base=base) == {("no-permit", "pay", ""), ("no-rule", "send", "")}
    loaded = policy(rules, base=base)
    assert decided(loaded, amount=1).reasons == ("no-permit",)
    assert decided(loaded, "send").reasons == ("no-permit",)


DEAD = {
    "constant": "false",
    "constant in an and": "context.args.urgent && 1 > 2",
    "both sides of an or": "1 == 2 || !true",
    "a thing and its opposite": "context.args.urgent && !context.args.urgent",
    "two values": 'context.args.invoice == "a" && context.args.invoice == "b"',
    "empty range": "context.args.amount > 5 && context.args.amount < 6",
    "empty range, turned": "5 < context.args.amount && !(context.args.amount >= 6)",
    "value outside a range": "context.args.amount == 3 && context.args.amount >= 4",
    "outside the argument's range": "context.args has share && context.args.share > 100",
    "what is always there": "!(context has resource)",
    "another action": 'action == Action::"look"',
    "beyond 64 bits": f"context.args.amount > {2**63 - 1}",
}
ALIVE = {
    "may be": "context.args.urgent && context.args.amount > 5",
    "edge of a range": "context.args.amount > 4 && context.args.amount < 6",
    "edge of the argument's range": "context.args has share && context.args.share > 99",
    "or": "context.args.urgent || 1 > 2",
    "same value twice": 'context.args.invoice == "a" && context.args.invoice == "a"',
    "two fields": 'context.args.invoice == "a" && context.resource.account == "b"',
    "not both": 'context.args.invoice != "a" && context.args.invoice != "b"',
    "two in a set": 'context.args.tags.contains("a") && context.args.tags.contains("b")',
}


@pytest.mark.parametrize("name", DEAD)
def test_notes__rule_that_cannot_fire__is_named(name: str) -> None:
    assert noted(forbid("dead", DEAD[name])) == {("never-fires", "dead", "")}


@pytest.mark.parametrize("name", ALIVE)
def test_notes__rule_that_can_fire__is_not_named(name: str) -> None:
    assert noted(forbid("alive", ALIVE[name])) == set()


def test_notes__value_of_another_tools_enumeration__counts_for_each_tool() -> None:
    kinds = {"type": "object", "properties": {"purpose": {"enum": ["gift"]}},
             "required": ["purpose"]}  # fmt: skip
    give = msgspec.structs.replace(LOOK, name="give", schema=kinds, resource="")
    both = 'principal, action in [Action::"pay", Action::"give"], resource'
    base = BASE + '@id("give-base") permit (principal, action == Action::"give", resource);\n'
    text = base + forbid("gift", 'context.args.purpose == "gift"', both)
    assert notes_on(load_policy(text, (*TOOLS, give))) == ()


ATOMS = (
    "context.args.urgent", "context.args.amount > 3", "context.args.amount < 3", "5 <= 4",
    "context.args.amount == 3", "context.args.amount >= 4", "4 > context.args.amount",
    'context.args.invoice == "a"', 'context.args.invoice == "b"', "context.args has share",
    "context.args has share && context.args.share > 100", 'context.args.purpose == "refund"',
    'context.args.tags.contains("a")', "context.args.amount + 1 > 4", "true", "false",
    "context has resource", "context.args.amount != 3", '"a" == context.args.invoice',
    'action == Action::"pay"', 'action == Action::"look"', "context.facts.calls > 0",
)  # fmt: skip


def condition(draw: random.Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(ATOMS)
    one, two = condition(draw, depth - 1), condition(draw, depth - 1)
    three = condition(draw, 0)
    forms = (
        f"({one}) && ({two})", f"({one}) || ({two})", f"!({one})", one,
        f"if {three} then ({one}) else ({two})",
    )  # fmt: skip
    return draw.choice(forms)


def request(draw: random.Random) -> dict[str, Any]:
    args: dict[str, Any] = {
        "amount": draw.choice((2, 3, 4, 5)), "urgent": draw.random() < 0.5,
        "invoice": draw.choice(("a", "b", "c")), "tags": draw.choice(([], ["a"], ["b"])),
        "purpose": draw.choice(("invoice", "refund", "salary")),
    }  # fmt: skip
    if draw.random() < 0.5:
        args["share"] = draw.choice((0, 100))
    return args


def test_notes__random_rules_and_requests__what_never_fires_never_did() -> None:
    draw = random.Random(11)
    dead = 0
    for _ in range(120):
        names = [f"r{n}" for n in range(4)]
        rules = "".join(
            forbid(name, condition(draw, draw.choice((1, 2, 3)))).replace(
                " when ", draw.choice((" when ", " unless "))
            )
            for name in names
        )
        loaded = policy(rules)
        notes = notes_on(loaded)
        silent = {note.rule for note in notes if note.kind == "never-fires"}
        covered = {(n.rule, n.other) for n in notes if n.kind in ("covered", "same")}
        dead += len(silent)
        for _ in range(40):
            facts = msgspec.structs.replace(KNOWN, calls=draw.choice((0, 1)))
            fired = set(decided(loaded, facts=facts, **request(draw)).reasons)
            assert not fired & silent
            assert all(wide in fired for rule, wide in covered if rule in fired)
    assert dead > 20  # the finder found something to be right about


def test_notes__rules_that_repeat_each_other__are_named_once() -> None:
    big = "context.args.amount > 5"
    rules = forbid("a", big) + forbid("b", big) + forbid("c", f"{big} && context.args.urgent")
    assert noted(rules) == {("same", "b", "a"), ("covered", "c", "a"), ("covered", "c", "b")}
    other = forbid("d", big, 'principal == Agent::"x", action == Action::"pay", resource')
    assert noted(forbid("a", big) + other) == {("covered", "d", "a")}
    both = forbid("e", "context.facts.calls > 5", "principal, action, resource")
    assert noted(both + forbid("f", "context.facts.calls > 5")) == {("covered", "f", "e")}


def test_notes__permit_behind_a_wider_one__is_named() -> None:
    more = '@id("more") permit (principal, action == Action::"pay", resource) '
    assert noted(more + "when { context.args.urgent };") == {("covered", "more", "pay-base")}


AFTER, LOST = 'context.facts.after.contains("look.status=bad")', "context.facts.unvouched"


@pytest.mark.parametrize(
    ("rule", "opens"),
    [
        (forbid("r", AFTER), True),
        (forbid("r", f"!{AFTER}"), False),
        (forbid("r", AFTER).replace("when", "unless"), False),
        (forbid("r", f'{LOST}.contains("amount")'), False),
        (forbid("r", f'!{LOST}.contains("amount")'), True),
        (forbid("r", f"{LOST}.isEmpty()"), True),
        (forbid("r", f"!{LOST}.isEmpty()"), False),
        (forbid("r", f'{LOST} == ["amount"]'), True),
        (forbid("r", f'["amount"].containsAll({LOST})'), True),
        (forbid("r", f"if {AFTER} then context.args.urgent else true"), True),
        (forbid("r", "context.args.urgent"), False),
        (forbid("r", f"{AFTER} || context.args.amount > 5").replace("forbid", "permit"), False),
        (forbid("r", f'{LOST}.contains("amount")').replace("forbid", "permit"), True),
    ],
)
def test_notes__rule_that_fails_open__is_named(rule: str, opens: bool) -> None:
    assert (("fails-open", "r", "") in noted(rule)) is opens


def test_notes__random_rules__those_not_named_never_open_when_less_is_known() -> None:
    draw = random.Random(5)
    atoms = (
        AFTER, 'context.facts.after.contains("look.status=open")', f'{LOST}.contains("amount")',
        f"{LOST}.isEmpty()", 'context.facts.after.containsAny(["look.status=bad"])',
        "context.args.urgent", "context.facts.after.isEmpty()", f'{LOST} == ["amount"]',
        "context.facts has after", f'["amount", "tags"].containsAll({LOST})',
    )  # fmt: skip
    opened = 0
    for _ in range(300):
        parts = [f"{draw.choice(('', '!'))}({draw.choice(atoms)})" for _ in range(3)]
        text = f"{parts[0]} {draw.choice(('&&', '||'))} ({parts[1]} && {parts[2]})"
        effect = draw.choice(("forbid", "permit"))
        word = draw.choice((" when ", " unless "))
        rule = forbid("r", text).replace("forbid", effect).replace(" when ", word)
        loaded = policy(rule, base="" if effect == "permit" else BASE)
        named = any(note.kind in ("fails-open", "never-fires") for note in notes_on(loaded))
        for urgent in (False, True):
            knows = Facts(unvouched=draw.choice(((), ("tags",), ("amount",))),
                after=draw.choice((("look.status=bad",), ("look.status=open",))))  # fmt: skip
            less = (
                msgspec.structs.replace(knows, after=()),
                msgspec.structs.replace(knows, unvouched=("amount", "tags")),
            )
            before = decided(loaded, facts=knows, urgent=urgent).kind
            for each in less:
                now = decided(loaded, facts=each, urgent=urgent).kind
                if before == "deny" and now == "allow":
                    assert named
                    opened += 1
    assert opened > 20
