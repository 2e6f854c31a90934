"""Does a tape give back exactly what was recorded, and refuse everything else?"""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undersigned.agents.roster import roster
from undersigned.agents.tape import (
    Recorded,
    TapeAgent,
    pack_turn,
    read_tape,
    recorded_of,
    turns_of,
    unpack_turn,
    write_tape,
)
from undersigned.agents.view import (
    RecordedEndError,
    StalledError,
    ToolCall,
    TransportError,
    Turn,
    Usage,
)
from undersigned.attacks.channels import channels
from undersigned.core.canonical import digest
from undersigned.core.errors import EvidenceError, StorageError, UsageError
from undersigned.core.streams import Stream
from undersigned.episodes.engine import run_episode
from undersigned.episodes.rig import Rig
from undersigned.events.stream import parse_episode
from undersigned.worlds.suite import load_suite

SUBJECT = digest("a system")


@lru_cache(maxsize=1)
def stage():
    suite = load_suite("payments", ["en"], channels())
    drawn = [
        suite.scenario(suite.draw(Stream.of("tape"), stratum, number))
        for number, stratum in enumerate(suite.strata)
    ]
    return Rig(suite.family), drawn


class Scripted:
    """A live agent that takes given turns, then raises."""

    name = "scripted"
    digest = SUBJECT
    is_live = True
    is_privileged = False
    is_prompt = False

    def __init__(self, turns, error):
        self.turns = list(turns)
        self.error = error

    def begin(self, draw):
        return self

    async def act(self, view):
        if view.turn < len(self.turns):
            return self.turns[view.turn]
        raise self.error


async def recorded_and_played(agent, number=0):
    rig, drawn = stage()
    first = await run_episode(rig, drawn[number], agent, number)
    events = parse_episode(first.to_bytes())
    tape = TapeAgent("tape", SUBJECT, {number: recorded_of(events)})
    again = await run_episode(rig, drawn[number], tape.for_episode(number, agent.digest), number)
    return first, again


@pytest.mark.parametrize("name", sorted(roster()))
async def test_tape__every_reference_agent__plays_to_the_same_bytes(name):
    for number in (0, len(stage()[1]) // 2):
        first, again = await recorded_and_played(roster()[name], number)
        assert again.to_bytes() == first.to_bytes()


text = st.text(st.characters(exclude_categories=()), max_size=12)
call = st.builds(
    ToolCall,
    text,
    st.one_of(st.sampled_from(["list_invoices", "report", "escalate"]), text),
    st.one_of(text, st.sampled_from(["{}", '{"items":[]}', '{"reason":"x"}', '{"a":1e400}'])),
)
turn = st.builds(Turn, text, st.lists(call, max_size=4).map(tuple), st.booleans())
errors = st.sampled_from(
    [
        TransportError("server_error", "HTTP 500"),
        StalledError("no answer \x1b[2J"),
        ValueError("a\ud800b"),
    ]
)


@given(turns=st.lists(turn, max_size=6), error=errors)
async def test_tape__whatever_an_agent_did__plays_to_the_same_bytes(turns, error):
    first, again = await recorded_and_played(Scripted(turns, error))
    assert again.to_bytes() == first.to_bytes()


async def test_tape__long_text_long_arguments_and_many_calls__play_to_the_same_bytes():
    calls = tuple(ToolCall("x", "escalate", '{"reason":"r"}') for _ in range(80))
    huge = ToolCall("y", "escalate", "\ud800" * 1_100_000)
    turns = [Turn("\ud800" * 70_000, calls), Turn("", (huge,)), Turn("x" * 70_000)]
    first, again = await recorded_and_played(Scripted(turns, StalledError("")))
    assert again.to_bytes() == first.to_bytes()


async def test_tape__on_another_scenario__runs_out_as_invalid_and_never_as_a_regular_end():
    rig, drawn = stage()
    first = await run_episode(rig, drawn[0], roster()["honest-plain"], 0)
    tape = TapeAgent("tape", SUBJECT, {0: recorded_of(first.events)})
    for other in drawn[1:]:
        played = await run_episode(rig, other, tape.for_episode(0), 0)
        if played.trace.report is None:
            assert played.reason != "reported"
    cut = Recorded(turns_of(first.events)[:1], "reported")
    short = TapeAgent("tape", SUBJECT, {0: cut}).for_episode(0)
    assert (await run_episode(rig, drawn[0], short, 0)).reason == "invalid:tape"


async def test_tape__reports_its_recorded_end():
    actor = TapeAgent("t", SUBJECT, {3: Recorded((), "stalled", "n")}).for_episode(3).begin(None)
    with pytest.raises(RecordedEndError) as caught:
        await actor.act(type("V", (), {"turn": 0})())
    assert (caught.value.reason, caught.value.note) == ("stalled", "n")


def test_tape__episode_that_is_not_on_it__is_refused():
    with pytest.raises(UsageError) as caught:
        TapeAgent("t", SUBJECT, {}, "tape.jsonl").for_episode(7)
    assert caught.value.code == "E-AGT-002"
    assert "tape.jsonl" in caught.value.remedy


async def test_turns__out_of_order_or_without_end__are_refused():
    rig, drawn = stage()
    events = (await run_episode(rig, drawn[0], roster()["honest-plain"], 0)).events
    with pytest.raises(EvidenceError):
        recorded_of(events[:-1])
    with pytest.raises(EvidenceError):
        turns_of([e for e in events if getattr(e, "turn", None) != 0])
    with pytest.raises(EvidenceError):
        turns_of(list(reversed(events)))


reasons = st.sampled_from(["reported", "stalled", "invalid:transport-redirect"])
usage = st.none() | st.builds(Usage, st.integers(0, 99), model=st.just("m"))
episodes = st.dictionaries(
    st.integers(0, 10_000),
    st.builds(
        Recorded,
        st.lists(st.builds(Turn, text, st.lists(call, max_size=2).map(tuple), st.booleans(), usage),
                 max_size=3).map(tuple),
        reasons,
        st.text(max_size=5),
    ),
    max_size=4,
)  # fmt: skip


def with_plain_ids(recorded):
    return [unpack_turn(pack_turn(turn)) for turn in recorded.turns]


@given(episodes)
def test_tape_file__written_and_read__is_the_same(tmp_path_factory, held):
    path = tmp_path_factory.mktemp("tape") / "tape.jsonl"
    write_tape(path, held)
    read = read_tape(path)
    assert list(read) == sorted(held)
    for number, recorded in held.items():
        assert read[number] == recorded._replace(turns=tuple(with_plain_ids(recorded)))
        for kept, turn in zip(read[number].turns, recorded.turns, strict=True):
            assert kept.text == turn.text
            assert [(c.name, c.arguments) for c in kept.calls] == [
                (c.name, c.arguments) for c in turn.calls
            ]


LINE = b'{"episode":1,"note":"","reason":"reported","turns":[{"text":"a"}]}\n'


def test_tape_file__the_line_below__is_accepted(tmp_path):
    path = tmp_path / "tape.jsonl"
    path.write_bytes(LINE)
    assert read_tape(path) == {1: Recorded((Turn("a"),), "reported", "")}


@pytest.mark.parametrize(
    "data",
    [
        LINE[:-1], LINE + LINE, LINE + LINE.replace(b":1", b":0"), b"\n" + LINE, LINE + b"\n",
        LINE.replace(b'"note":"",', b""), LINE.replace(b"{", b"{ ", 1), b"\xff\n", b"[]\n",
        LINE.replace(b'"text":"a"', b'"text":"a","more":1'),
        LINE.replace(b'"text":"a"', b'"text_base64":"YQ=="'),
        LINE.replace(b'"text":"a"', b'"text_base64":"YQ"'),
        LINE.replace(b'"text":"a"', b'"text_base64":"\xc3\xa9"'),
        LINE.replace(b'"text":"a"', b'"text":"\\ud800"'),
        LINE.replace(b'"episode":1', b'"episode":"1"'), LINE.replace(b"[", b"[" * 5000),
    ],
    ids=range(16),
)  # fmt: skip
def test_tape_file__anything_else__is_refused_with_its_path(tmp_path, data):
    path = tmp_path / "tape.jsonl"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_tape(path)
    assert caught.value.code == "E-AGT-002"
    assert "tape.jsonl" in caught.value.fields["path"]


def test_tape_file__missing__is_a_storage_error(tmp_path):
    with pytest.raises(StorageError):
        read_tape(tmp_path / "none.jsonl")
