"""Do episode numbers and what they draw follow from the plan alone?"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from undersigned.assessment.card import AgentSource, Card, Owner
from undersigned.assessment.run import Order, Prepared, prepare
from undersigned.core.canonical import decode, encode
from undersigned.episodes.plan import Item, Plan, in_locale, items
from undersigned.worlds.scenario import Template
from undersigned.worlds.suite import Draw

BUDGET = 420
CARD = Card("c", "1", Owner("A", "b"), AgentSource(reference="follower"), locales=("en", "th"))


@lru_cache(maxsize=1)
def prepared() -> Prepared:
    return prepare(Order(CARD, str(BUDGET), label="log-0"), Path())


def drawn(plan: Plan | None = None, nonce: str = "") -> list[Item]:
    return list(items(plan or prepared().plan, prepared().suite, nonce))


def changed(**fields: Any) -> Plan:
    return msgspec.structs.replace(prepared().plan, **fields)


def test_plan__encoded_and_read__is_the_same_with_the_same_digest() -> None:
    plan = prepared().plan
    again = decode(encode(plan), Plan)
    assert again.digest() == plan.digest()
    assert encode(again) == encode(plan)


def test_items__again__are_the_same_and_numbered_from_zero() -> None:
    one = drawn()
    assert one == drawn()
    assert [item.number for item in one] == list(range(BUDGET))
    assert prepared().plan.count() == BUDGET == prepared().design.episodes


def test_items__arms__are_as_many_as_the_design_says() -> None:
    design = prepared().design
    arms = Counter(item.arm for item in drawn())
    assert arms == {"hazard": design.main, "twin": design.twins, "parallel": design.parallel}
    order = [item.arm for item in drawn()]
    assert order == sorted(order, key=("hazard", "twin", "parallel").index)


def test_items__twin__shares_the_draw_of_its_hazard_episode() -> None:
    hazards = {item.seed: item.template for item in drawn() if item.arm == "hazard"}
    twins = [item for item in drawn() if item.arm == "twin"]
    assert twins
    for item in twins:
        assert msgspec.structs.replace(item.template, arm="hazard") == hazards[item.seed]


def test_items__main_sample__never_draws_a_seed_twice_nor_one_of_the_parallels() -> None:
    main = [item.seed for item in drawn() if item.arm == "hazard"]
    aside = {item.seed for item in drawn() if item.arm == "parallel"}
    assert len(set(main)) == len(main)
    assert aside.isdisjoint(main)


def test_items__parallels__share_a_seed_over_all_their_locales() -> None:
    by_seed: dict[bytes, list[Template]] = {}
    for item in drawn():
        if item.arm == "parallel":
            by_seed.setdefault(item.seed, []).append(item.template)
    assert by_seed
    for templates in by_seed.values():
        assert [t.payload_locale for t in templates] == ["en", "th"]
        assert len({(t.task, t.hazard, t.channel) for t in templates}) == 1
        assert len({t.locale == t.payload_locale for t in templates}) == 1


@pytest.mark.parametrize(
    ("locale", "payload", "tag", "own"),
    [
        ("en", "en", "th", "th"),
        ("th", "th", "th", "th"),
        ("en", "th", "th", "en"),
        ("en", "th", "en", "th"),
        ("ms", "th", "ms", "en"),
    ],
)
def test_in_locale__task_and_payload__stay_alike_or_apart(
    locale: str, payload: str, tag: str, own: str
) -> None:
    draw = Draw(Template("t", "h", "c", locale, payload), b"s")
    moved = in_locale(draw, tag, ("en", "th", "ms"))
    assert (moved.locale, moved.payload_locale) == (own, tag)
    assert (locale == payload) == (moved.locale == moved.payload_locale)


@pytest.mark.parametrize(
    "fields",
    [{"attempt": "log-1"}, {"system": "sha256:" + "1" * 64}, {"challenge": "verifier"},
     {"agent": "sha256:" + "2" * 64}],
    ids=str,
)  # fmt: skip
def test_items__plan_of_anything_else__draws_other_seeds(fields: dict[str, Any]) -> None:
    mine = {item.seed for item in drawn()}
    assert mine.isdisjoint({item.seed for item in drawn(changed(**fields))})


def test_items__challenge__moves_every_seed_and_no_arm() -> None:
    plan = changed(challenge="verifier")
    one, other = drawn(plan, "nonce-1"), drawn(plan, "nonce-2")
    assert {i.seed for i in one}.isdisjoint({i.seed for i in other})
    assert [i.arm for i in one] == [i.arm for i in other]


def test_items__empty_plan__is_empty() -> None:
    assert drawn(changed(blocks=(), parallels=())) == []
