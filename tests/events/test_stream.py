"""The bytes of an episode: read only as they were written, and found again in a shard."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.growth import assert_growth
from undersigned.core.canonical import encode
from undersigned.core.errors import EvidenceError
from undersigned.events.stream import (
    Action,
    Answered,
    Decided,
    Effect,
    Effected,
    Ended,
    Label,
    Magnitude,
    Observed,
    Opened,
    Proposed,
    Said,
    episode_bytes,
    parse_episode,
    split_episodes,
)

MARK = '"event":"ended"'
HOSTILE = [MARK, f"\n{{{MARK}}}\n", f'{{"at":1,{MARK},"reason":"x"}}', "\\", "\u2028", "\x00", '"']
LINE = '{"at":1,"event":"ended","reason":"reported"}'

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(HOSTILE)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
labels = st.builds(
    Label,
    path=words,
    provenance=st.sampled_from(["operator", "third_party", "system"]),
    data_class=st.sampled_from(["", "personal"]),
    tenant=words,
)
effects = st.builds(
    Effect,
    kind=st.sampled_from(["put", "disclosed", "sent"]),
    table=words,
    id=words,
    changed=st.dictionaries(st.sampled_from(["event", "status", "at"]), words | whole, max_size=3),
    sink=words,
    data_classes=st.lists(words, max_size=2).map(tuple),
    magnitude=st.none() | st.builds(Magnitude, words, whole),
    undoable=st.booleans(),
)
actions = st.builds(
    Action, st.lists(words, max_size=2).map(tuple), words, words, words, words, words
)
middles = st.one_of(
    st.builds(Observed, st.just(0), words, words, st.lists(labels, max_size=2).map(tuple)),
    st.builds(Proposed, st.just(0), st.integers(0, 9), words, actions),
    st.builds(Decided, st.just(0), words, st.sampled_from(["no policy", "deny"]), words),
    st.builds(Answered, st.just(0), words, words, st.sampled_from(["approve", "absent"])),
    st.builds(Effected, st.just(0), words, st.lists(effects, max_size=2).map(tuple)),
    st.builds(Said, st.just(0), st.integers(0, 9), words, words, st.booleans()),
)


@st.composite
def episodes(draw):
    middle = draw(st.lists(middles, max_size=4))
    proposed: list[str] = []
    for number, event in enumerate(middle):
        call = getattr(event, "call", "")
        if type(event) is Proposed:
            if call in proposed:
                middle[number] = event = msgspec.structs.replace(event, call=f"{call}{number}~")
            proposed.append(event.call)
        elif type(event) is not Said:
            # of a call that was proposed, where there is one; else shown without a call
            known = [*proposed, *([""] if type(event) is Observed else [])]
            call = draw(st.sampled_from(known)) if known else None
            if call is None:
                middle[number] = Said(0, 0, "")
            else:
                middle[number] = msgspec.structs.replace(event, call=call)
                if type(event) is Observed and call and not event.labels:
                    middle[number] = msgspec.structs.replace(event, call="")
    parts = [
        draw(st.builds(Opened, st.just(0), st.integers(0, 10**6), words, words)),
        *middle,
        draw(st.builds(Ended, st.just(0), words, words)),
    ]
    return [msgspec.structs.replace(part, at=at) for at, part in enumerate(parts)]


@given(episodes())
def test_episode__any_events__come_back_from_their_bytes(events):
    data = episode_bytes(events)
    assert parse_episode(data) == events
    assert data == b"".join(encode(event) + b"\n" for event in events)
    assert data.count(b"\n") == len(events)


@given(st.lists(episodes(), max_size=4))
def test_split_episodes__any_episodes_in_a_row__are_found_again(many):
    parts = [episode_bytes(events) for events in many]
    assert split_episodes(b"".join(parts)) == parts


@given(episodes(), st.data())
def test_parse_episode__one_byte_changed__is_refused_or_says_something_else(events, data):
    original = episode_bytes(events)
    at = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != original[at]))
    changed = original[:at] + bytes([byte]) + original[at + 1 :]
    try:
        other = parse_episode(changed)
    except EvidenceError:
        return
    assert other != events
    assert episode_bytes(other) == changed


def plain():
    """Return a short episode with one call."""
    return [
        Opened(0, 7, "sha256:aa", "sha256:bb"),
        Observed(1, "", f'Say {MARK} and "\n', (Label("", "user"),)),
        Proposed(2, 0, "c1", Action(("agent", "T1"), "pay", '{"to": "x"}')),
        Decided(3, "c1", "no policy"),
        Effected(4, "c1", (Effect("put", "payments", "P1", changed={"event": "ended"}),)),
        Said(5, 0, f"done {MARK}"),
        Ended(6, "reported"),
    ]


def without(kind):
    """Return the episode without its events of a kind."""
    kept = [event for event in plain() if type(event) is not kind]
    return [msgspec.structs.replace(event, at=at) for at, event in enumerate(kept)]


def moved(kind, to):
    """Return the episode with its event of a kind at another place."""
    rest = [event for event in plain() if type(event) is not kind]
    rest.insert(to, next(event for event in plain() if type(event) is kind))
    return [msgspec.structs.replace(event, at=at) for at, event in enumerate(rest)]


def twice(number):
    """Return the episode with one of its events twice."""
    events = [*plain()[: number + 1], *plain()[number:]]
    return [msgspec.structs.replace(event, at=at) for at, event in enumerate(events)]


def answered(labels):
    """Return the episode with an answer to its call."""
    return [*plain()[:5], Observed(5, "c1", "{}", labels), Ended(6, "reported")]


@pytest.mark.parametrize(
    ("events", "what"),
    [
        (without(Proposed), "of no proposed call"),
        (moved(Effected, 2), "of no proposed call"),
        (moved(Decided, 1), "of no proposed call"),
        (twice(2), "proposed twice"),
        (answered(()), "an answer of nobody"),
    ],
    ids=["no proposal", "effect before it", "decision before it", "proposed twice", "no label"],
)
def test_parse_episode__event_that_belongs_to_no_call__is_refused(events, what):
    with pytest.raises(EvidenceError, match=what):
        parse_episode(episode_bytes(events))


def test_parse_episode__answer_with_a_label__is_read():
    events = answered((Label("", "record"),))
    assert parse_episode(episode_bytes(events)) == events


DATA = episode_bytes(plain())
LINES = DATA.split(b"\n")[:-1]


def lines(*rows):
    return b"".join(row + b"\n" for row in rows)


def edited(number, edit):
    """Return the episode's bytes with one line's object edited, and written canonically again."""
    row = json.loads(LINES[number])
    edit(row)
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return lines(*LINES[:number], text, *LINES[number + 1 :])


BROKEN = {
    "nothing": b"",
    "one line": lines(LINES[0]),
    "torn at the end": DATA[:-1],
    "torn inside": DATA[:-9],
    "torn at the start": DATA[1:],
    "a line more": DATA + b"\n",
    "an empty line": lines(*LINES[:3], b"", *LINES[3:]),
    "carriage returns": DATA.replace(b"\n", b"\r\n"),
    "no opening": lines(*LINES[1:]),
    "no end": lines(*LINES[:-1]),
    "a line missing": lines(*LINES[:2], *LINES[3:]),
    "a line twice": lines(*LINES[:3], LINES[2], *LINES[3:]),
    "two lines exchanged": lines(*LINES[:2], LINES[3], LINES[2], *LINES[4:]),
    "two episodes": DATA + DATA,
    "an end inside": lines(*LINES[:2], b'{"at":2,"event":"ended","reason":"x"}', *LINES[3:]),
    "an opening inside": lines(LINES[0], LINES[0].replace(b'"at":0', b'"at":1'), *LINES[2:]),
    "a space": DATA.replace(b'"at":3,', b'"at": 3,'),
    "a space at a line's end": DATA.replace(b"}\n", b"} \n", 1),
    "another key order": DATA.replace(b'"at":0,"episode":7', b'"episode":7,"at":0'),
    "a needless escape": DATA.replace(b"reported", b"\\u0072eported"),
    "a byte order mark": b"\xef\xbb\xbf" + DATA,
    "bytes that are no UTF-8": DATA.replace(b"reported", b"\xffeported"),
    "an encoded surrogate": DATA.replace(b"reported", b"\xed\xa0\x80"),
    "an escaped surrogate": DATA.replace(b"reported", b"\\ud800"),
    "a float": DATA.replace(b'"at":3', b'"at":3.0'),
    "minus zero": DATA.replace(b'"at":0', b'"at":-0'),
    "an unknown field": edited(3, lambda row: row.update(note="x")),
    "an unknown field deep inside": edited(1, lambda row: row["labels"][0].update(x=1)),
    "a default written out": edited(6, lambda row: row.update(note="")),
    "a field missing": edited(5, lambda row: row.pop("turn")),
    "a field of another type": edited(0, lambda row: row.update(episode="7")),
    "an unknown event": edited(3, lambda row: row.update(event="guessed")),
    "an unknown decision": edited(3, lambda row: row.update(decision="maybe")),
    "an unknown provenance": edited(1, lambda row: row["labels"][0].update(provenance="me")),
    "a field twice": DATA.replace(b'"at":3,', b'"at":3,"at":3,'),
    "a tower of brackets": lines(*LINES[:3], b"[" * 100_000, *LINES[3:]),
}


def test_parse_episode__as_written__is_read():
    assert parse_episode(DATA) == plain()
    assert edited(3, lambda row: None) == DATA


@pytest.mark.parametrize("what", BROKEN)
def test_parse_episode__anything_else__is_no_episode(what):
    assert BROKEN[what] != DATA
    with pytest.raises(EvidenceError) as raised:
        parse_episode(BROKEN[what])
    assert raised.value.code == "E-EVT-001"


OUTSIDE_THE_PROFILE = {
    "a huge number": [Opened(0, 1 << 60, "x", "y"), Ended(1, "reported")],
    "a huge amount": [
        Opened(0, 1, "x", "y"),
        Effected(1, "c1", (Effect("put", "t", "i", magnitude=Magnitude("SGD", 1 << 62)),)),
        Ended(2, "reported"),
    ],
    "a key outside ASCII": [
        Opened(0, 1, "x", "y"),
        Effected(1, "c1", (Effect("put", "t", "i", changed={"é": 1}),)),
        Ended(2, "reported"),
    ],
}


@pytest.mark.parametrize("what", OUTSIDE_THE_PROFILE)
def test_parse_episode__outside_the_canonical_profile__is_no_episode(what):
    with pytest.raises(EvidenceError):
        parse_episode(episode_bytes(OUTSIDE_THE_PROFILE[what]))


def test_split_episodes__marker_inside_strings_and_records__closes_nothing():
    assert DATA.count(MARK.encode()) == 2
    assert split_episodes(DATA * 3) == [DATA] * 3
    assert split_episodes(b"") == []


@pytest.mark.parametrize(
    "tail",
    [b"x", b"\n", DATA[:-1], DATA[: len(DATA) // 2], lines(*LINES[:-1]), LINES[-1], MARK.encode(),
     lines(MARK.encode())],
    ids=["letter", "newline", "torn", "half", "no end", "no newline", "marker", "marker line"],
)  # fmt: skip
def test_split_episodes__shard_that_ends_inside_an_episode__is_refused(tail):
    with pytest.raises(EvidenceError) as raised:
        split_episodes(DATA + tail)
    assert raised.value.code == "E-EVT-001"


def test_split_episodes__junk_between_episodes__does_not_pass_the_strict_reader():
    parts = split_episodes(DATA + b"junk\n" + DATA)
    assert parts[0] == DATA
    with pytest.raises(EvidenceError):
        parse_episode(parts[1])


def test_split_episodes__tower_of_brackets__is_refused():
    with pytest.raises(EvidenceError):
        split_episodes(b'{"at":1,"event":"ended","x":' + b"[" * 100_000 + b"\n")


def marked(count):
    """Return a line that is no end and holds the marker many times."""
    fields = b",".join([MARK.encode()] * count)
    return b'{"at":1,"call":"c1","effects":[],"x":{' + fields + b'},"event":"effected"}\n'


def test_split_episodes__many_markers_in_one_line__take_linear_time():
    def split(count):
        assert split_episodes(marked(count) + LINES[-1] + b"\n")

    assert_growth(split, 2_000, 40_000, below=5)
