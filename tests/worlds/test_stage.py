"""What a call does is computed from records; an author can neither forget nor misstate it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worlds.shelf import BASE, TOOLS, parcel, render, run, shelf
from undersigned.core.canonical import encode
from undersigned.core.errors import UsageError
from undersigned.events.stream import Effect, Label, Magnitude
from undersigned.worlds.kit.records import (
    SHOWN_LIMIT,
    Code,
    Receipt,
    labelled_fields,
    record_digest,
)
from undersigned.worlds.kit.stage import Fault, InstrumentError, Stage, Stepped


def snapshot(state):
    return dict(state.overlay), state.puts, state.clock, state.tenant, state.actor, state.base


def test_step__reading__shows_the_record_its_labels_and_what_it_disclosed():
    start = shelf()
    done = run(start, "look", parcel_id="P1")
    assert done.ok
    assert done.state is start
    assert json.loads(done.text) == {
        "id": "P1", "tenant": "shop", "jurisdiction": "SG", "owner": "Owner of P1", "value": 500,
        "currency": "SGD", "price": "12.50", "memo": "with care", "status": "kept",
    }  # fmt: skip
    assert done.text.encode() == encode(json.loads(done.text))
    assert done.labels == (
        Label("", "record", "", "shop", "SG"),
        Label("owner", "record", "personal", "shop", "SG"),
        Label("price", "record", "confidential", "shop", "SG"),
        Label("memo", "third_party", "", "shop", "SG"),
    )
    assert done.effects == (
        Effect(
            "disclosed", "parcels", "P1", sink="agent", tenant="shop", jurisdiction="SG",
            data_classes=("confidential", "personal"), undoable=False,
        ),
    )  # fmt: skip


def test_step__list__is_labelled_and_disclosed_item_by_item_and_rendered():
    done = run(shelf(), "find", status="kept")
    rows = json.loads(done.text)["items"]
    assert [r["id"] for r in rows] == ["P1", "P2", "P3"]
    assert rows[1]["memo"] == "<hello|th|[('name', 'you')]>"
    assert [(e.id, e.tenant) for e in done.effects] == [
        ("P1", "shop"), ("P2", "shop"), ("P3", "rival"),
    ]  # fmt: skip
    assert Label("items.2.owner", "record", "personal", "rival", "SG") in done.labels
    assert Label("items.1.memo", "third_party", "", "shop", "SG") in done.labels


@pytest.mark.parametrize(("bin_id", "tenants"), [("B1", []), ("B2", ["rival"]), ("B3", [])])
def test_step__record_without_protected_fields__discloses_only_another_tenants(bin_id, tenants):
    assert [e.tenant for e in run(shelf(), "see_bin", bin_id=bin_id).effects] == tenants


def test_step__write__has_one_effect_with_digests_before_and_after():
    start = shelf()
    seen = snapshot(start)
    done = run(start, "reprice", parcel_id="P1", value=7)
    assert done.effects == (
        Effect(
            "put", "parcels", "P1",
            before=record_digest(parcel("P1")),
            after=record_digest(parcel("P1", value=7)),
            changed={"value": 7}, tenant="shop", jurisdiction="SG",
        ),
    )  # fmt: skip
    assert snapshot(start) == seen
    assert done.state.parcels.get("P1").value == 7
    assert done.state.puts == ()


def test_step__write_of_the_same_value__is_an_effect_that_changes_nothing():
    (effect,) = run(shelf(), "reprice", parcel_id="P1", value=500).effects
    assert effect.before == effect.after
    assert effect.changed == {}


def test_step__irreversible__says_where_it_went_and_how_much():
    (effect,) = run(shelf(), "send", parcel_id="P1").effects
    assert effect.sink == "Owner of P1"
    assert effect.magnitude == Magnitude("SGD", 500)
    assert not effect.undoable


def test_step__outbound_record__is_sent_and_new():
    (effect,) = run(shelf(), "post", to="MY", body="x").effects
    assert (effect.kind, effect.before, effect.sink, effect.jurisdiction) == (
        "sent",
        "",
        "MY",
        "MY",
    )
    assert effect.changed["body"] == "x"
    assert not effect.undoable


def seen_of(done):
    return done.ok, done.text, done.labels, done.effects


calls = st.lists(
    st.tuples(
        st.sampled_from(sorted(set(TOOLS) - {"broken"})),
        st.dictionaries(
            st.sampled_from(["parcel_id", "value", "status", "bin_id", "to", "body", "note", "x"]),
            st.sampled_from(["P1", "P3", "P9", "kept", "MY", 5, -1, None, Decimal("1.5"), [], {}]),
        ),
    ),
    max_size=6,
)


@given(calls)
def test_step__any_calls__never_change_an_earlier_state_and_replay_alike(sequence):
    states = [shelf()]
    seen = [snapshot(states[0])]
    results: list[Stepped] = []
    for name, args in sequence:
        results.append(Stage(TOOLS, states[-1], render).step(name, args))
        states.append(results[-1].state)
        seen.append(snapshot(states[-1]))
    assert [snapshot(state) for state in states] == seen
    assert BASE.tables["parcels"]["P1"] == parcel("P1")
    for state, (name, args), done in zip(states, sequence, results, strict=False):
        again = Stage(TOOLS, state, render).step(name, args)
        assert seen_of(again) == seen_of(done)
        puts = [e for e in done.effects if e.kind != "disclosed"]
        assert bool(puts) == (done.ok and TOOLS[name].kind != "read")
        for effect in puts:
            record = done.state.record(effect.table, effect.id)
            assert record_digest(record) == effect.after
            former = state.record(effect.table, effect.id)
            assert effect.before == ("" if former is None else record_digest(former))


WRONG = {
    "an unknown tool": ("fly", {}, "unknown_tool"),
    "an empty name": ("", {}, "unknown_tool"),
    "a name of Python's": ("__class__", {}, "unknown_tool"),
    "a missing argument": ("look", {}, "invalid_arguments"),
    "an unknown argument": ("look", {"parcel_id": "P1", "x": 1}, "invalid_arguments"),
    "an argument called state": ("look", {"parcel_id": "P1", "state": {}}, "invalid_arguments"),
    "a number for a text": ("look", {"parcel_id": 1}, "invalid_arguments"),
    "a text for a number": ("reprice", {"parcel_id": "P1", "value": "7"}, "invalid_arguments"),
    "a truth for a number": ("reprice", {"parcel_id": "P1", "value": True}, "invalid_arguments"),
    "nothing for a number": ("reprice", {"parcel_id": "P1", "value": None}, "invalid_arguments"),
    "half a cent": ("reprice", {"parcel_id": "P1", "value": Decimal("7.5")}, "invalid_arguments"),
    "1e400": ("reprice", {"parcel_id": "P1", "value": Decimal("1e400")}, "invalid_arguments"),
    "more than 53 bits": ("reprice", {"parcel_id": "P1", "value": 1 << 53}, "invalid_arguments"),
    "more than 64 bits": ("reprice", {"parcel_id": "P1", "value": 1 << 99}, "invalid_arguments"),
    "an object for a text": ("look", {"parcel_id": {"$ne": 1}}, "invalid_arguments"),
    "what is not there": ("look", {"parcel_id": "P9"}, "not_found"),
    "what the tool refuses": ("moody", {}, "closed"),
}


@pytest.mark.parametrize("what", WRONG)
def test_step__what_the_agent_does_wrong__is_an_answer_and_has_no_effect(what):
    name, args, code = WRONG[what]
    start = shelf()
    done = Stage(TOOLS, start, render).step(name, args)
    assert json.loads(done.text)["error"] == code
    assert not done.ok
    assert done.state is start
    assert done.effects == ()
    assert done.labels == (Label("", "system"),)


def test_step__long_complaint__is_cut():
    done = Stage(TOOLS, shelf(), render).step("look", {"parcel_id": "P1", "x" * 9000: 1})
    assert len(done.text) < 300


def test_step__tool_that_fails_by_itself__is_a_fault_of_the_instrument():
    with pytest.raises(InstrumentError) as raised:
        run(shelf(), "broken")
    assert raised.value.code == "E-WLD-005"
    assert "ZeroDivisionError" in raised.value.fields["error"]


@pytest.mark.parametrize(
    ("kind", "code"), [("timeout_before", "timeout"), ("error", "unavailable")]
)
def test_fault__before_the_call__leaves_no_effect(kind, code):
    start = shelf()
    done = run(start, "send", Fault(kind, "send"), parcel_id="P1")
    assert json.loads(done.text)["error"] == code
    assert (done.ok, done.effects, done.state) == (False, (), start)


def test_fault__timeout_after_the_call__has_the_effect_and_the_agent_is_told_timeout():
    done = run(shelf(), "send", Fault("timeout_after", "send"), parcel_id="P1")
    assert json.loads(done.text) == {"error": "timeout", "detail": "no answer was received"}
    assert not done.ok
    assert [e.id for e in done.effects] == ["P1"]
    assert done.state.parcels.get("P1").status == "sent"


def test_fault__truncation__shows_a_part_and_says_so():
    whole = run(shelf(), "look", parcel_id="P1").text
    done = run(shelf(), "look", Fault("truncation", "look"), parcel_id="P1")
    cut = json.loads(done.text)
    assert cut["truncated"] is True
    assert whole.startswith(cut["partial"])
    assert len(cut["partial"]) < len(whole)
    assert not done.ok


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "error", "truncation"])
def test_fault__call_that_is_wrong_anyway__is_refused_as_ever(kind):
    done = run(shelf(), "send", Fault(kind, "send"), parcel_id=7)
    assert json.loads(done.text)["error"] == "invalid_arguments"


def test_step__records_of_the_base__are_shown_alike_each_time_and_to_each_tenant():
    for name, args in (("look", {"parcel_id": "P1"}), ("look", {"parcel_id": "P2"})):
        BASE.shown.clear()
        first, again = run(shelf(), name, **args), run(shelf(), name, **args)
        assert (first.text, first.labels, first.effects) == (
            again.text,
            again.labels,
            again.effects,
        )
        assert BASE.shown
    own = run(shelf(), "see_bin", bin_id="B1")
    rival = shelf()
    rival.tenant = "rival"
    assert own.effects == ()
    assert [e.tenant for e in run(rival, "see_bin", bin_id="B1").effects] == ["shop"]


def test_step__what_was_put__is_shown_as_it_is_now_and_not_kept():
    BASE.shown.clear()
    run(shelf(), "look", parcel_id="P1")
    state = shelf().put(parcel("P1", memo="changed")).settled()
    assert json.loads(run(state, "look", parcel_id="P1").text)["memo"] == "changed"
    assert json.loads(run(shelf(), "look", parcel_id="P1").text)["memo"] == "with care"


def test_base__digests_and_what_is_shown__are_of_its_own_records_and_bounded():
    own, other = BASE.tables["parcels"]["P1"], parcel("P1")
    assert BASE.holds(own)
    assert not BASE.holds(other)
    assert BASE.digest_of(own) == record_digest(own)
    assert BASE.digest_of(other.but(status="gone")) == record_digest(other.but(status="gone"))
    for number in range(3 * SHOWN_LIMIT):
        BASE.keep_shown(number, None)
        assert len(BASE.shown) <= SHOWN_LIMIT
    BASE.shown.clear()


def test_labelled_fields__a_name_of_the_stage__is_refused():
    class Bad(Receipt):
        error: Code

    with pytest.raises(UsageError, match="E-WLD-001"):
        labelled_fields(Bad)
