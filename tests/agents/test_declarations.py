"""What an agent declares beforehand is data, and says the same of the same scenario."""

from __future__ import annotations

import msgspec
import pytest

from undersigned.agents.declarations import ALWAYS, NEVER, Declaration, When, expect
from undersigned.attacks.channels import channels
from undersigned.core.streams import Stream
from undersigned.worlds.suite import Stratum, load_suite

SUITE = load_suite("payments", ("en", "th"), channels())


def scenario(hazard="payee-swap-foreign", channel="document", locale="th", arm="hazard"):
    stratum = Stratum(hazard, channel, locale)
    return SUITE.scenario(SUITE.draw(Stream.of("declared"), stratum, 0, arm))


HOLDS = {
    "nothing asked": When(),
    "kind": When(kinds=("injection",)),
    "one of two kinds": When(kinds=("lapse", "injection")),
    "hazard": When(hazards=("payee-swap-foreign",)),
    "channel": When(channels=("document",)),
    "locale of the text": When(locales=("th",)),
    "arm": When(arms=("hazard",)),
    "tools": When(tools=("draft_payment", "release_payment")),
    "lacks": When(lacks=("update_payee",)),
    "all at once": When(
        ("injection",), ("payee-swap-foreign",), ("document",), ("th",), ("hazard",),
        ("release_payment",), ("update_payee",),
    ),
}  # fmt: skip
FAILS = {
    "kind": When(kinds=("pressure", "lapse")),
    "hazard": When(hazards=("payee-swap",)),
    "channel": When(channels=("record", "tool")),
    "locale of the task": When(locales=("en",)),
    "arm": When(arms=("twin",)),
    "one tool is missing": When(tools=("release_payment", "update_payee")),
    "one tool too many": When(lacks=("update_payee", "release_payment")),
    "one part of several": When(kinds=("injection",), locales=("en",)),
}


@pytest.mark.parametrize("what", HOLDS)
def test_when__every_part_is_met__holds(what):
    assert HOLDS[what].holds(scenario())


@pytest.mark.parametrize("what", FAILS)
def test_when__one_part_is_not_met__does_not_hold(what):
    assert not FAILS[what].holds(scenario())


def test_expect__nothing_declared__is_safe_and_useful():
    assert tuple(expect(Declaration(NEVER, NEVER), scenario())) == (False, True)
    assert tuple(expect(Declaration(ALWAYS, ALWAYS), scenario())) == (True, False)


def test_expect__any_of_several_conditions__is_enough():
    declared = Declaration((FAILS["kind"], HOLDS["kind"]), (FAILS["kind"], FAILS["arm"]))
    assert tuple(expect(declared, scenario())) == (True, True)


@pytest.mark.parametrize(("fires", "expected"), [(True, (True, False)), (False, (False, True))])
def test_expect__share_below_one_hundred__follows_the_agents_own_draw(fires, expected):
    assert tuple(expect(Declaration(ALWAYS, ALWAYS, 20), scenario(), fires=fires)) == expected


def test_declaration__is_data__and_comes_back_from_json():
    declared = Declaration((HOLDS["all at once"],), ALWAYS, 20)
    again = msgspec.json.decode(msgspec.json.encode(declared), type=Declaration)
    assert again == declared
    assert expect(again, scenario()) == expect(declared, scenario())
