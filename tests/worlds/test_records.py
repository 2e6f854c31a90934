"""A world is never changed in place, and no text field goes without saying what it holds."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worlds.shelf import BASE, Bin, Parcel, Parcels, parcel, shelf
from undersigned.core.errors import UsageError
from undersigned.worlds.kit.records import (
    Base,
    Code,
    Memo,
    Put,
    Record,
    RefusedCallError,
    Text,
    confidential,
    labelled_fields,
    personal,
    record_digest,
    text_fields,
    third_party,
)


class Bare(Record, table="bare"):
    """A record that does not say what its text is."""

    words: str


class Hidden(Record, table="hidden"):
    """A record that hides a bare text in a union."""

    words: str | None


class Unmarked(Record, table="unmarked"):
    """A record whose annotation says something else."""

    words: Annotated[str, "a note for nobody"]


class Either(Record, table="either"):
    """A record with a bare text that may be rendered later."""

    words: str | Text


@pytest.mark.parametrize("kind", [Bare, Hidden, Unmarked, Either])
def test_record__bare_text_field__is_refused(kind):
    with pytest.raises(UsageError) as raised:
        labelled_fields(kind)
    assert raised.value.code == "E-WLD-001"
    assert raised.value.fields == {"record": kind.__name__, "field": "words"}


class Heir(Parcel, table="parcels"):
    """A record that inherits its marks."""

    extra: Memo


def test_record__marks__belong_to_the_types_and_are_inherited():
    marks = {"owner": personal, "price": confidential, "memo": third_party}
    assert {f.name: f.mark for f in labelled_fields(Parcel)} == marks
    assert {f.name: f.mark for f in labelled_fields(Heir)} == marks | {"extra": third_party}
    assert labelled_fields(Bin) == labelled_fields(Parcels) == ()
    assert text_fields(Heir) == ("memo", "extra")
    assert Heir.amount_field == "value"


def test_record__frozen__cannot_be_written_to():
    with pytest.raises(AttributeError):
        parcel("P1").value = 1
    assert parcel("P1").but(value=1).value == 1


def test_put__new_world__leaves_the_old_one_and_the_base_as_they_were():
    before = shelf()
    overlay, digest = dict(before.overlay), record_digest(BASE.tables["parcels"]["P1"])
    after = before.put(parcel("P1", value=9), parcel("P9"))
    assert before.overlay == overlay
    assert before.puts == ()
    assert before.parcels.get("P1").value == 500
    assert before.record("parcels", "P9") is None
    assert after.parcels.get("P1").value == 9
    assert record_digest(BASE.tables["parcels"]["P1"]) == digest
    assert (
        Base(1, [r for rows in BASE.tables.values() for r in rows.values()]).digest == BASE.digest
    )


def test_put__records_what_stood_there_before_each_time():
    state = shelf().put(parcel("P1", value=1)).put(parcel("P1", value=2), parcel("P9"))
    assert state.puts == (
        Put(parcel("P1"), parcel("P1", value=1)),
        Put(parcel("P1", value=1), parcel("P1", value=2)),
        Put(None, parcel("P9")),
    )
    assert state.settled().puts == ()
    assert state.settled().parcels.get("P1").value == 2


moves = st.lists(
    st.tuples(st.sampled_from(["P1", "P2", "P7", "P8"]), st.sampled_from(["kept", "sent"])),
    max_size=8,
)


@given(moves)
def test_table__after_any_puts__finds_what_a_plain_dictionary_finds(rows):
    state, model = shelf(), dict(BASE.tables["parcels"])
    for id_, status in rows:
        state = state.put(parcel(id_, status=status))
        model[id_] = parcel(id_, status=status)
    for status in ("kept", "sent", "lost"):
        found = state.parcels.find("status", status)
        assert len({p.id for p in found}) == len(found)
        assert {p.id: p for p in found} == {k: p for k, p in model.items() if p.status == status}
    assert state.next_number("parcels") == 1 + len({id_ for id_, _ in rows})


def test_table__what_is_not_there_or_not_so__is_refused_to_the_agent():
    state = shelf().put(parcel("P1", status="sent"))
    with pytest.raises(RefusedCallError) as raised:
        state.parcels.get("P99")
    assert raised.value.code == "not_found"
    with pytest.raises(RefusedCallError) as raised:
        state.parcels.get("P1", status="kept")
    assert raised.value.code == "wrong_state"
    assert state.bins.get("B1", row="1").id == "B1"


def test_base__digest__follows_every_record_and_not_their_order():
    rows = [parcel("P1"), parcel("P2"), Bin(id="P1", tenant="", jurisdiction="", row="1")]
    digests = {
        Base(1, rows).digest,
        Base(1, rows[:2]).digest,
        Base(1, [rows[0].but(value=501), *rows[1:]]).digest,
        Base(1, [rows[0].but(tenant="rival"), *rows[1:]]).digest,
    }
    assert len(digests) == 4
    assert Base(2, rows[::-1]).digest == Base(1, rows).digest


def test_base__index__groups_every_record_by_a_field():
    groups = BASE.by("parcels", "tenant")
    assert {k: [p.id for p in v] for k, v in groups.items()} == {
        "shop": ["P1", "P2"],
        "rival": ["P3"],
    }
    assert BASE.by("nothing", "tenant") == {}
    assert BASE.count() == 6


def test_code__annotation__is_shared_so_that_a_copy_keeps_its_label():
    class Copied(Record, table="copied"):
        code: Code

    assert labelled_fields(Copied) == ()
