"""The payments desk speaks all seven languages: same messages, same slots, nothing left over.

Every detector here is also run on a planted defect that it must catch.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl

from undersigned.core.errors import UsageError
from undersigned.languages.locales import LOCALES
from undersigned.languages.texts import Day, Money, Slot, Texts, format_day, format_money

FAMILY = Path(str(files("undersigned.worlds.families.payments")))
FOLDER = FAMILY / "texts"
OTHERS = tuple(tag for tag in LOCALES if tag != "en")
SCRIPTS = {"zh-Hans": "CJK UNIFIED", "ta": "TAMIL", "th": "THAI"}
MESSAGES = """
rule-desk tenant day actor | rule-pay-the-payee-on-record | rule-match-order | rule-screen-first
rule-pay-once | rule-no-test-payments | rule-verify-change | rule-stay-within-the-task
rule-report-truthfully | rule-escalate-when-barred | rule-dual-control limit officers
rule-border country | rule-own-tenant tenant
ask-pay-invoice invoice due | ask-pay-delivered invoice | ask-refund payment document days
ask-payroll count | payroll-line payee amount | ask-change-details payee document
ask-release-held payments | ask-pay-abroad invoice alternative
ask-send-advice payment recipient country document
reason-mismatch reference | reason-window-over reference | reason-unclear reference
reason-not-confirmed reference | reason-listed reference | reason-already-paid reference
reason-pressure reference
question-confirm-change payee account | question-proceed | answer-follow-the-rules
answer-escalation-received | answer-confirmed payee | answer-not-confirmed payee
reminder-report | said-starting | said-finishing
gate-denied | gate-rejected | gate-unanswered | gate-stopped
gate-approved | gate-narrowed argument value
memo-thanks | memo-goods order | memo-deliver-to order | memo-contact name
doc-invoice invoice payee amount due | doc-delivery order amount | doc-refund-letter payment payee
doc-change-letter payee account | doc-advice-letter payee payment
advice-subject payment | advice-body payment amount
swap-payee payee account | twin-swap-payee payee account
test-transfer account amount | twin-test-transfer account
read-other payee | twin-read-other payee
send-ids payee recipient country | twin-send-ids recipient
send-ids-encoded payee recipient country | twin-send-ids-encoded recipient
skip-callback payee account | twin-skip-callback payee account
pressure-split reference | twin-split reference
pressure-self-approve reference | twin-self-approve reference
pressure-skip-screening reference | twin-skip-screening reference
pressure-pay-anyway reference amount | twin-pay-anyway reference
leak-subject reference | leak-body value
"""
SLOTS = {
    words[0]: frozenset(words[1:])
    for words in (entry.split() for entry in re.split(r"[|\n]", MESSAGES))
    if words
}
PAIRS = {
    twin: next(name for name in (twin[5:], f"pressure-{twin[5:]}") if name in SLOTS)
    for twin in SLOTS
    if twin.startswith("twin-")
}
SAMPLE: dict[str, Slot] = {
    "account": "702-33981-6",
    "actor": "clerk.desk",
    "alternative": Money(2415000, "USD"),
    "amount": Money(1874050, "SGD"),
    "argument": "ARG-X",
    "count": 3,
    "country": "SG",
    "day": Day("2026-11-03"),
    "days": 14,
    "document": "DOC-0031",
    "due": Day("2026-12-18"),
    "invoice": "INV-0042",
    "limit": Money(5000000, "SGD"),
    "name": "Q. Xyz",
    "officers": "officer.one, officer.two",
    "order": "ORD-0017",
    "payee": "PYE-0007",
    "payment": "PAY-0009",
    "payments": "PAY-H1, PAY-H2",
    "recipient": "accounts.pye-0007@sg.example",
    "reference": "INV-0043",
    "tenant": "bank-one",
    "value": "K-VALUE-1",
}


@cache
def texts() -> Texts:
    return Texts.load(FOLDER, list(LOCALES))


def render(tag: str, message: str) -> str:
    return texts().render(tag, message, {slot: SAMPLE[slot] for slot in SLOTS[message]})


@cache
def patterns(tag: str) -> Mapping[str, ftl.Pattern]:
    body = FluentParser().parse((FOLDER / f"{tag}.ftl").read_text("utf-8")).body
    return {e.id.name: e.value for e in body if isinstance(e, ftl.Message) and e.value is not None}


def words_of(tag: str, message: str) -> str:
    """Return a message's own text, slots, tool names and quoted codes taken out."""
    elements = patterns(tag)[message].elements
    text = "".join(e.value if isinstance(e, ftl.TextElement) else " | " for e in elements)
    return re.sub(r"`[^`]*`|[\"“][a-z_]+[\"”]", " | ", text)


def codes_of(tag: str, message: str) -> list[str]:
    """Return the tool names and quoted codes that a message names, sorted."""
    return sorted(re.findall(r"[`\"“]([a-z_]+)[`\"”]", render(tag, message)))


def triples(text: str) -> set[tuple[str, ...]]:
    """Return the runs of three words in Latin letters, none across a slot or a sentence."""
    found: set[tuple[str, ...]] = set()
    for piece in re.split(r"[|.:;,\n]", text.casefold()):
        run = re.findall(r"[^\W\d_]+", piece)
        found |= {tuple(run[i : i + 3]) for i in range(len(run) - 2)}
    return found


def english_triples() -> set[tuple[str, ...]]:
    return set[tuple[str, ...]]().union(*(triples(words_of("en", name)) for name in SLOTS))


def share_in_script(text: str, script: str) -> float:
    letters = [c for c in text if c.isalpha() or unicodedata.category(c) == "Mn"]
    own = [c for c in letters if unicodedata.name(c).startswith(script)]
    return len(own) / len(letters) if letters else 1.0


def test_texts__all_locales__define_exactly_the_messages_and_slots_of_the_desk() -> None:
    assert {name: texts().slots(name) for name in texts().messages()} == SLOTS


@pytest.mark.parametrize("tag", LOCALES)
def test_file__head__says_that_it_is_an_unreviewed_draft(tag: str) -> None:
    first = (FOLDER / f"{tag}.ftl").read_text("utf-8").partition("\n")[0]
    assert "draft" in first
    assert "No native speaker has reviewed this file" in first
    assert {texts().state(tag, name) for name in SLOTS} == {"draft"}


@pytest.mark.parametrize("tag", LOCALES)
def test_message__every_slot__shows_its_value_once(tag: str) -> None:
    for name, slots in SLOTS.items():
        shown = render(tag, name)
        for slot in slots:
            value = SAMPLE[slot]
            if isinstance(value, Money):
                value = format_money(tag, value)
            elif isinstance(value, Day):
                value = format_day(tag, value)
            assert shown.count(str(value)) == 1, (name, slot)


@pytest.mark.parametrize("tag", LOCALES)
def test_message__amount_day_or_count_given_as_plain_text__is_refused(tag: str) -> None:
    for name, slots in SLOTS.items():
        for slot in slots:
            if isinstance(SAMPLE[slot], str):
                continue
            given = {each: SAMPLE[each] for each in slots} | {slot: "12"}
            with pytest.raises(UsageError) as caught:
                texts().render(tag, name, given)
            assert caught.value.code == "E-LNG-007", (name, slot)


@pytest.mark.parametrize("tag", LOCALES)
def test_message__pattern__is_plain_text_and_slots_in_clean_characters(tag: str) -> None:
    for name, pattern in patterns(tag).items():
        for element in pattern.elements:
            if isinstance(element, ftl.Placeable):
                kinds = ftl.VariableReference | ftl.FunctionReference
                assert isinstance(element.expression, kinds), name
        own = words_of(tag, name)
        assert unicodedata.is_normalized("NFC", own), name
        assert not [c for c in own if unicodedata.category(c) in ("Cf", "Co", "Zl", "Zp")], name
        shown = render(tag, name)
        assert shown == shown.strip(), name
        assert "  " not in shown, name
        assert shown.count("\n") <= 3, name


@pytest.mark.parametrize("tag", OTHERS)
def test_message__other_locale__differs_from_english_and_keeps_no_english_run(tag: str) -> None:
    english = english_triples()
    for name in SLOTS:
        own = words_of(tag, name)
        if any(c.isalpha() for c in words_of("en", name)):
            assert own != words_of("en", name), name
        assert not triples(own) & english, name


def test_english_run__planted_in_a_translation__is_found() -> None:
    planted = words_of("ms", "ask-pay-invoice") + " If it cannot be paid, please hand it on."
    assert triples(planted) & english_triples()


@pytest.mark.parametrize("tag", SCRIPTS)
def test_message__locale_with_its_own_script__is_written_in_it(tag: str) -> None:
    for name in SLOTS:
        assert share_in_script(words_of(tag, name), SCRIPTS[tag]) > 0.85, name
    assert share_in_script(words_of("en", "rule-border"), SCRIPTS[tag]) == 0.0


@pytest.mark.parametrize("tag", OTHERS)
def test_message__tools_and_codes__are_those_of_the_english_text(tag: str) -> None:
    for name in SLOTS:
        assert codes_of(tag, name) == codes_of("en", name), name
        assert render(tag, name).count("\n") == render("en", name).count("\n"), name


def test_codes__in_english__name_the_tools_that_the_rules_need() -> None:
    assert codes_of("en", "rule-report-truthfully") == ["blocked", "done", "not_done", "unknown"]
    assert codes_of("en", "rule-screen-first") == ["clear", "screen_payee"]
    named = {code for name in SLOTS for code in codes_of("en", name)}
    tools = {"report", "escalate", "ask_user", "find_payments", "request_approval", "quote_fx"}
    assert tools < named


@pytest.mark.parametrize("tag", LOCALES)
def test_twin__beside_its_payload__is_of_like_length_and_shape_but_another_text(tag: str) -> None:
    assert len(PAIRS) == 10
    for twin, payload in PAIRS.items():
        benign, planted = render(tag, twin), render(tag, payload)
        assert benign != planted
        assert 0.5 <= len(benign) / len(planted) <= 2.0, (twin, len(benign), len(planted))
        assert "\n" not in benign + planted, twin
        assert SLOTS[twin] <= SLOTS[payload], twin


@pytest.mark.parametrize("tag", LOCALES)
def test_message__any_two__say_different_things(tag: str) -> None:
    shown = [render(tag, name) for name in SLOTS]
    assert len(set(shown)) == len(shown)


def used_texts() -> list[tuple[str, str, frozenset[str]]]:
    """Return file, message and slots of every ``Text("...", {...})`` the family's modules write."""
    found = []
    for path in sorted(FAMILY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Name("Text"), [ast.Constant(str(name))]):
                    found.append((path.name, name, frozenset[str]()))
                case ast.Call(ast.Name("Text"), [ast.Constant(str(name)), ast.Dict(keys)]):
                    slots = frozenset(str(k.value) for k in keys if isinstance(k, ast.Constant))
                    found.append((path.name, name, slots))
    return found


def test_family__texts_its_modules_ask_for__are_defined_with_those_slots() -> None:
    used = used_texts()
    assert used, "the family's modules ask for no text"
    assert [each for each in used if SLOTS.get(each[1]) != each[2]] == []
