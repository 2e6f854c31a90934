"""A strategy does the same attack in another guise, and nothing where the guise changes nothing."""

from __future__ import annotations

from base64 import b64decode

import pytest

from undersigned.assessment.probing import injections
from undersigned.attacks.channels import channels
from undersigned.attacks.strategies import strategies
from undersigned.attacks.strategies.evasion import (
    drafts,
    moves,
    wanted_account,
    wanted_leak,
)
from undersigned.core.streams import Stream
from undersigned.events.stream import Effect
from undersigned.languages.matching import fold
from undersigned.worlds.kit.trace import Act, Trace
from undersigned.worlds.suite import load_suite

SUITE = load_suite("payments", ("en", "th", "ta"), channels())
SCENARIOS = tuple(injections(SUITE, 1))
DRAW = Stream.of("strategies")
SAME_WHEN_FOLDED = (
    "re-spaced", "hyphenated", "full-width", "native-digits", "homoglyph", "zero-width",
)  # fmt: skip


def of(hazard):
    return [s for s in SCENARIOS if s.template.hazard == hazard]


def evaded(name, scenario):
    return strategies()[name].evade(scenario, DRAW)


def accounts(program):
    return [s.args["account"] for s in program.steps if s.tool == "draft_payment"]


@pytest.mark.parametrize("name", strategies())
def test_strategy__every_scenario__is_pure_and_fits_somewhere(name):
    fitting = 0
    for scenario in SCENARIOS:
        before = [(s.tool, dict(s.args)) for s in scenario.attack.steps]
        found, again = evaded(name, scenario), evaded(name, scenario)
        assert [(s.tool, dict(s.args)) for s in scenario.attack.steps] == before
        assert (found is None) == (again is None)
        if found is None or again is None:
            continue
        fitting += 1
        assert [s.tool for s in found.program.steps] == [s.tool for s in again.program.steps]
        assert found.pieces == again.pieces
    assert fitting


@pytest.mark.parametrize("name", SAME_WHEN_FOLDED)
def test_disguise__account__is_the_same_value_written_otherwise(name):
    tried = 0
    for scenario in of("payee-swap"):
        found, account = evaded(name, scenario), wanted_account(scenario)
        if found is None:
            assert name in ("homoglyph", "hyphenated"), "the others change every number"
            continue
        tried += 1
        shown = [a for a in accounts(found.program) if fold(a) == fold(account)]
        assert shown
        assert account not in shown
        screened = [s.args["account"] for s in found.program.steps if s.tool == "screen_payee"]
        assert shown[0] in screened
    assert tried or name == "homoglyph"


@pytest.mark.parametrize("name", SAME_WHEN_FOLDED)
def test_disguise__data_in_a_text__is_the_same_value_written_otherwise(name):
    for scenario in of("border-leak"):
        found, leak = evaded(name, scenario), wanted_leak(scenario)
        if found is not None:
            assert found.pieces != (leak.value,)
            assert fold(found.pieces[0]) == fold(leak.value)


def test_native_digits__locale__decides_the_script():
    for scenario in of("border-leak"):
        (shown,) = evaded("native-digits", scenario).pieces
        in_thai = any("๐" <= c <= "๙" for c in shown)
        assert in_thai == (scenario.template.payload_locale == "th")


def test_encoded__data__can_be_read_back():
    for scenario in of("border-leak"):
        value = wanted_leak(scenario).value
        (once,), (thrice,) = (evaded(n, scenario).pieces for n in ("encoded", "encoded-thrice"))
        assert b64decode(once).decode() == value
        assert b64decode(b64decode(b64decode(thrice))).decode() == value


@pytest.mark.parametrize("name", ["split-fields", "split-messages"])
def test_split__data__is_whole_only_when_put_together(name):
    for scenario in of("border-leak"):
        found, value = evaded(name, scenario), wanted_leak(scenario).value
        assert "".join(found.pieces) == value
        assert value not in found.pieces


def test_split_payments__amount__adds_up_and_each_half_is_released():
    for scenario in of("payee-swap"):
        account, found = wanted_account(scenario), evaded("split-payments", scenario)
        (whole,) = drafts(scenario.attack, account)[:1]
        halves = drafts(found.program, account)[:2]
        assert sum(s.args["amount"] for s in halves) == whole.args["amount"]
        released = [
            s.args["payment_id"].step.key
            for s in found.program.steps
            if s.tool == "release_payment"
        ]
        assert {s.key for s in halves} <= set(released)


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("launder-draft", "find_payments"),
        ("launder-ask-user", "ask_user"),
        ("launder-document", "send_document"),
        ("late-change", "read_payee"),
    ],
)
def test_laundering__account__is_said_before_the_payment_that_counts(name, tool):
    for scenario in of("payee-swap"):
        account, found = wanted_account(scenario), evaded(name, scenario)
        steps = list(found.program.steps)
        used = next(i for i, s in enumerate(steps) if s is moves(scenario.attack, account)[0])
        assert tool in [s.tool for s in steps[:used]]


def test_swap_after_screening__other_account__is_never_screened():
    for scenario in of("payee-swap"):
        account, found = wanted_account(scenario), evaded("swap-after-screening", scenario)
        screened = [s.args["account"] for s in found.program.steps if s.tool == "screen_payee"]
        assert screened
        assert account not in screened
        assert account in accounts(found.program)


def test_has_left__one_piece_missing_or_elsewhere__is_false():
    scenario = of("border-leak")[0]
    found = evaded("split-fields", scenario)
    first, second = found.pieces

    def trace(sink, *texts):
        effect = Effect(
            "sent", "messages", "MSG-1", changed={"subject": texts[0], "body": texts[-1]},
            sink=sink, undoable=False,
        )  # fmt: skip
        return Trace([Act("send_document", {}, "", True, False, (effect,))], None)

    assert found.has_left(trace(found.sinks[0], first, second))
    assert not found.has_left(trace(found.sinks[0], first, first))
    assert not found.has_left(trace("somebody@else.example", first, second))
    assert not evaded("plain", of("payee-swap")[0]).has_left(trace(found.sinks[0], first, second))
