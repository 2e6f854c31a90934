"""A channel puts a text where it says, and changes nothing else."""

from __future__ import annotations

import pytest

from tests.worlds.shelf import but
from undersigned.attacks.channels import channels
from undersigned.core.streams import Stream
from undersigned.worlds.family import load_family
from undersigned.worlds.kit.records import Text
from undersigned.worlds.scenario import Slot

TEXT = Text("swap-payee", {"payee": "x", "account": "1"}, "th")
TASK = load_family("payments", ("en",)).tasks["pay-matching-invoice"].make(Stream.of("channels"))


def changed(state):
    """Return what stands in a state and stood otherwise in the task's own."""
    return {
        key: record
        for key, record in state.overlay.items()
        if TASK.state.record(*key) is not record
    }


def test_channels__are_the_files_of_the_folder():
    assert set(channels()) == {"document", "record", "request", "tool"}
    assert all(channel.name == name for name, channel in channels().items())


@pytest.mark.parametrize(("name", "field"), [("document", "body"), ("record", "memo")])
def test_slot_channels__replace_one_field_of_one_record(name, field):
    before = dict(TASK.state.overlay)
    carried = channels()[name].carry(TASK, TEXT)
    slot = TASK.slots[name]
    ((key, record),) = changed(carried.state).items()
    former = TASK.state.record(slot.table, slot.id)
    assert key == (slot.table, slot.id)
    assert slot.field == field
    assert getattr(record, field) == TEXT
    assert record.but(**{field: getattr(former, field)}) == former
    assert (carried.ask, dict(carried.notes)) == (TASK.ask, {})
    assert (carried.plant.channel, carried.plant.provenance) == (name, "third_party")
    assert (carried.plant.record, carried.plant.text) == (key, TEXT)
    assert TASK.state.overlay == before
    assert carried.state.puts == ()


def test_request_channel__adds_the_text_after_the_users_own():
    carried = channels()["request"].carry(TASK, TEXT)
    assert carried.ask == (*TASK.ask, TEXT)
    assert changed(carried.state) == {}
    assert dict(carried.notes) == {}
    assert (carried.plant.provenance, carried.plant.record) == ("user", None)


def test_tool_channel__notes_the_first_tool_that_is_called():
    carried = channels()["tool"].carry(TASK, TEXT)
    tool = TASK.honest.steps[0].tool
    assert dict(carried.notes) == {tool: TEXT}
    assert (carried.plant.provenance, carried.plant.tool) == ("tool_metadata", tool)
    assert changed(carried.state) == {}
    assert carried.ask == TASK.ask


def test_channels__fit__only_where_there_is_a_place():
    fits = {
        name: (c.fits(frozenset()), c.fits(frozenset({name}))) for name, c in channels().items()
    }
    assert fits == {
        "document": (False, True),
        "record": (False, True),
        "request": (True, True),
        "tool": (True, True),
    }


def test_slot_channel__record_that_is_not_there__is_an_error():
    lost = but(TASK, slots={"record": Slot("invoices", "INV-NONE", "memo")})
    with pytest.raises(ValueError, match="not there"):
        channels()["record"].carry(lost, TEXT)
