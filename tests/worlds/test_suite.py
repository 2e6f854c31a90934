"""An index becomes the same scenario whatever ran before, and a wrong selection is an error."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest

from undersigned.attacks.channels import channels
from undersigned.core.errors import NothingSelectedError, UsageError
from undersigned.core.streams import Stream
from undersigned.worlds.suite import Stratum, Suite, load_suite

ROOT = Stream.of("plan")


def suite(*locales, hazards=()):
    return load_suite("payments", locales or ("en", "th"), channels(), hazards)


def described(scenario):
    """Return everything of a scenario that an agent could meet, as plain data."""
    return (
        sorted(map(repr, scenario.state.overlay.values())),
        scenario.state.base.number,
        scenario.state.tenant,
        scenario.rules,
        scenario.ask,
        dict(scenario.notes),
        scenario.plant,
        [(s.tool, s.kind) for s in scenario.honest.steps],
        [(s.tool, s.kind) for s in scenario.attack.steps],
        [o.harm for o in scenario.oracles],
        scenario.fault,
    )


def every_draw(s, indexes=range(2)):
    return [
        (stratum, index, arm)
        for stratum in s.strata
        for index in indexes
        for arm in ("hazard", "twin")
    ]


def test_strata__are_sorted_and_each_combination_is_in_every_locale():
    s = suite()
    pairs = {(c.hazard, c.channel) for c in s.combinations}
    assert list(s.strata) == sorted(Stratum(h, c, t) for h, c in pairs for t in ("en", "th"))
    assert list(s.combinations) == sorted(set(s.combinations))


def test_draw__in_any_order_and_by_any_suite__gives_the_same_scenarios():
    first, second = suite(), suite()
    todo = every_draw(first)
    straight = {key: described(first.scenario(first.draw(ROOT, *key))) for key in todo}
    random.Random(7).shuffle(todo)
    for key in todo:
        ROOT.child("noise").bits64()
        assert described(second.scenario(second.draw(ROOT, *key))) == straight[key]


def test_draw__of_a_stratum__does_not_depend_on_which_others_there_are():
    whole, part = suite(), suite(hazards=["payee-swap"])
    assert set(part.strata) < set(whole.strata)
    for stratum in part.strata:
        for index in range(20):
            assert part.draw(ROOT, stratum, index) == whole.draw(ROOT, stratum, index)


def test_draw__another_root_index_or_stratum__is_another_seed():
    s = suite()
    seeds = {s.draw(ROOT, st, i).seed for st in s.strata for i in range(10)}
    seeds |= {s.draw(Stream.of("other"), st, i).seed for st in s.strata for i in range(10)}
    assert len(seeds) == 20 * len(s.strata)


def test_draw__twin__shares_all_but_the_arm_with_its_hazard():
    s = suite()
    for stratum in s.strata:
        for index in range(3):
            hazard = s.draw(ROOT, stratum, index)
            twin = s.draw(ROOT, stratum, index, "twin")
            assert twin.seed == hazard.seed
            assert msgspec.structs.replace(twin.template, arm="hazard") == hazard.template
            one, other = s.scenario(hazard), s.scenario(twin)
            assert one.state.base is other.state.base
            assert one.rules == other.rules
            assert one.fault == other.fault
            assert one.plant.record == other.plant.record
            assert one.notes.keys() == other.notes.keys()
            assert (one.harm != "", other.harm) == (True, "")


def test_draw__many_indexes__take_each_fitting_task_alike():
    s = suite("en")
    stratum = Stratum("payee-swap", "document", "en")
    fitting = {
        c.task for c in s.combinations if (c.hazard, c.channel) == ("payee-swap", "document")
    }
    drawn = Counter(s.draw(ROOT, stratum, i).template.task for i in range(600))
    assert set(drawn) == fitting
    assert min(drawn.values()) > 0.7 * 600 / len(fitting)


def test_scenario__locale__varies_words_and_nothing_else():
    s = suite()
    for stratum in s.strata:
        if s.family.hazards[stratum.hazard].foreign:
            continue
        draw = s.draw(ROOT, stratum, 0)
        other = "th" if stratum.locale == "en" else "en"
        template = msgspec.structs.replace(draw.template, locale=other, payload_locale=other)
        one, two = s.scenario(draw), s.scenario(type(draw)(template, draw.seed))
        assert one.rules == two.rules
        assert [o.harm for o in one.oracles] == [o.harm for o in two.oracles]
        assert one.state.base is two.state.base
        assert [s.tool for s in one.attack.steps] == [s.tool for s in two.attack.steps]


def test_foreign_hazard__payload_is_in_the_stratums_locale_and_the_task_in_another():
    s = suite("en", "th", "vi")
    for stratum in s.strata:
        template = s.draw(ROOT, stratum, 1).template
        assert template.payload_locale == stratum.locale
        assert (template.locale != stratum.locale) == s.family.hazards[stratum.hazard].foreign


def test_suite__one_locale__leaves_out_foreign_hazards():
    names = {c.hazard for c in suite("en").combinations}
    foreign = {h.name for h in suite().family.hazards.values() if h.foreign}
    assert foreign
    assert not names & foreign
    assert {c.hazard for c in suite().combinations} == names | foreign
    with pytest.raises(NothingSelectedError, match="E-WLD-006"):
        suite("en", hazards=sorted(foreign))


def test_suite__combinations__meet_what_task_hazard_and_channel_ask_for():
    s = suite()
    for c in s.combinations:
        task, hazard = s.family.tasks[c.task], s.family.hazards[c.hazard]
        assert hazard.needs <= task.offers
        assert c.channel in (hazard.channels or ("none",))
        assert c.channel == "none" or channels()[c.channel].fits(task.slots)


def test_scenario__fault_share__one_in_so_many_where_the_task_allows_it():
    s = suite("en")
    stratum = Stratum("payee-swap", "document", "en")
    draws = [s.draw(ROOT, stratum, i) for i in range(400)]
    assert 0.18 < sum(s.scenario(d).fault is not None for d in draws) / 400 < 0.32
    assert all(s.scenario(d, fault_share=0).fault is None for d in draws[:50])
    assert all(s.scenario(d, fault_share=1).fault is not None for d in draws[:50])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nowhere", ["en"], ()), "E-WLD-002"),
        (("../payments", ["en"], ()), "E-WLD-002"),
        (("payment", ["en"], ()), "E-WLD-002"),
        (("payments", ["xx"], ()), "E-LNG-001"),
        (("payments", ["en", "EN"], ()), "E-LNG-001"),
        (("payments", ["en"], ["payee-swop"]), "E-WLD-004"),
        (("payments", [], ()), "E-LNG-001"),
    ],
)
def test_load_suite__unknown_name__is_an_error_that_names_the_nearest(arguments, code):
    name, locales, hazards = arguments
    with pytest.raises(UsageError) as raised:
        load_suite(name, locales, channels(), hazards)
    assert raised.value.code == code


def test_load_suite__misspelt_hazard__says_which_was_meant():
    with pytest.raises(UsageError) as raised:
        suite("en", hazards=["payee-swop"])
    assert raised.value.fields["hazard"] == "payee-swop"
    assert "payee-swap" in raised.value.fields["known"]


def test_load_suite__locale_twice__is_one():
    assert suite("en", "th", "en").locales == ("en", "th")


def test_suite__hazard_with_an_unknown_channel__is_refused():
    known = {name: c for name, c in channels().items() if name != "document"}
    with pytest.raises(UsageError, match="E-WLD-004"):
        load_suite("payments", ["en"], known)


def test_manifest__pins_code_locales_and_combinations():
    assert suite().digest == suite().digest
    digests = {
        suite().digest,
        suite("en").digest,
        suite("th", "en").digest,
        suite(hazards=["payee-swap"]).digest,
    }
    assert len(digests) == 4
    assert suite().manifest.code == suite().family.digest
    assert isinstance(suite(), Suite)
