"""What the engine encodes once is what anybody would have encoded."""

from __future__ import annotations

import msgspec

from undersigned.core.canonical import encode
from undersigned.events.lines import (
    ActionLine,
    DecidedLine,
    EffectedLine,
    EndedLine,
    ObservedLine,
    OpenedLine,
    ProposedLine,
    effects_json,
    effects_of,
    encode_text,
    joined,
    labels_of,
    line_of,
    lines_bytes,
)
from undersigned.events.stream import (
    Action,
    Decided,
    Effect,
    Effected,
    Ended,
    Label,
    Observed,
    Opened,
    Proposed,
    Said,
    episode_bytes,
    parse_episode,
)

WHOLE = Label("", "record", "", "shop", "SG")
MEMO = Label("items.0.memo", "third_party", 'a "quoted"\nclass')
EFFECT = Effect("put", "bins", "B1", changed={"row": 'é"\\', "amount": 5}, undoable=False)
UNSET = msgspec.UNSET


def test_labels__with_their_json__are_the_labels_and_encode_as_they_do():
    made = labels_of(WHOLE, MEMO)
    assert made == (WHOLE, MEMO)
    assert bytes(made.json) == encode((WHOLE, MEMO))
    both = joined([labels_of(WHOLE), labels_of(MEMO, WHOLE)])
    assert both == (WHOLE, MEMO, WHOLE)
    assert bytes(both.json) == encode((WHOLE, MEMO, WHOLE))


def test_effects__kept_with_their_json__encode_as_they_do():
    kept = effects_of((EFFECT, EFFECT))
    assert kept == (EFFECT, EFFECT)
    assert bytes(effects_json(kept)) == bytes(effects_json((EFFECT, EFFECT)))
    assert bytes(effects_json(kept)) == encode((EFFECT, EFFECT))
    assert effects_of(()) == ()


def test_lines__of_every_kind__are_the_bytes_of_their_events():
    labels, text = labels_of(WHOLE, MEMO), 'words\n"ไทย"\x01'
    who = ("agent", "shop")
    events = [
        Opened(0, 3, "sha256:0", "sha256:1"),
        Observed(1, "", text, labels),
        Said(2, 0, "hm"),
        Proposed(3, 0, "c1", Action(who, "look", '{"a":1}', "B1")),
        Decided(4, "c1", "no policy"),
        Effected(5, "c1", (EFFECT,)),
        Observed(6, "c1", text, labels),
        Proposed(7, 1, "c2", Action(who, "", "{}")),
        Ended(8, "reported"),
    ]
    lines = [
        OpenedLine(0, 3, "opened", "sha256:0", "sha256:1"),
        ObservedLine(1, "", "observed", labels.json, msgspec.Raw(encode_text(text))),
        line_of(events[2]),
        ProposedLine(ActionLine('{"a":1}', who, "B1", "look"), 3, "c1", "proposed", 0),
        DecidedLine(4, "c1", "no policy", "decided"),
        EffectedLine(5, "c1", effects_json(effects_of((EFFECT,))), "effected"),
        ObservedLine(6, "c1", "observed", labels.json, text),
        ProposedLine(ActionLine("{}", who, UNSET, ""), 7, "c2", "proposed", 1),
        EndedLine(8, "ended", UNSET, "reported"),
    ]
    assert lines_bytes(lines) == episode_bytes(events)
    assert parse_episode(lines_bytes(lines)) == events
    noted = EndedLine(0, "ended", "why", "crashed")
    assert lines_bytes([noted]) == episode_bytes([Ended(0, "crashed", "why")])
