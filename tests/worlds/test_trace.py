"""What an episode did is read from its events alone, the same before and after they are bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.growth import assert_growth
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.episodes.episode import Episode
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
from undersigned.worlds.kit.common import Item
from undersigned.worlds.kit.records import RefusedCallError
from undersigned.worlds.kit.trace import TraceReader, trace_of

RECORD = (Label("", "record"), Label("memo", "third_party"))
SYSTEM = (Label("", "system"),)
PUT = Effect("put", "payments", "P1", undoable=False)
DIGEST = "sha256:" + "1" * 64


class Script:
    """An episode that is written by hand, call by call."""

    def __init__(self):
        self.events = [Opened(0, 0, DIGEST, DIGEST), Observed(1, "", "rules", SYSTEM)]

    def add(self, make, *args):
        self.events.append(make(len(self.events), *args))
        return self

    def call(self, call, tool, args, *, answer='{"ok":true}', labels=RECORD, effects=(),
             decided=("allow",), undecodable=""):  # fmt: skip
        text = args if isinstance(args, str) else json.dumps(args)
        self.add(Proposed, 0, call, Action(("a", "t"), tool, text, "P1", undecodable=undecodable))
        if decided:
            self.add(Decided, call, *decided)
        if effects:
            self.add(Effected, call, effects)
        if answer is not None:
            self.add(Observed, call, answer, labels)
        return self

    def acts(self):
        return trace_of(self.events).acts


def only(**more):
    (act,) = Script().call("c1", "pay", {"n": 1}, **more).acts()
    return act


def test_act__answered_by_its_tool__worked_and_has_its_effects():
    act = only(effects=(PUT,))
    assert (act.tool, act.args, act.resource) == ("pay", {"n": 1}, "P1")
    assert (act.ok, act.lost, act.effects) == (True, False, (PUT,))


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('{"detail":"","error":"timeout"}', True),
        ('{"detail":"","error":"unavailable"}', True),
        ('{"partial":"{","truncated":true}', True),
        ('{"detail":"","error":"not_found"}', False),
        ('{"detail":"","error":"denied"}', False),
        ('{"detail":"","error":"invalid_arguments"}', False),
        ('{"error":["timeout"]}', False),
        ('"truncated"', False),
        ("[" * 100_000, False),
        ("no JSON", False),
    ],
)
def test_act__answered_by_the_machinery__did_not_work_and_is_lost_by_its_code(text, lost):
    act = only(answer=text, labels=SYSTEM)
    assert (act.ok, act.lost) == (False, lost)


def test_act__record_that_speaks_like_the_machinery__worked_all_the_same():
    """Who speaks is told by the label; a record may say anything."""
    act = only(answer='{"error":"timeout","truncated":true}')
    assert (act.ok, act.lost) == (True, False)


def test_act__end_that_is_not_told__is_lost_and_its_effects_stand():
    act = only(answer=None, effects=(PUT,))
    assert (act.ok, act.lost, act.effects) == (False, True, (PUT,))


@pytest.mark.parametrize(
    ("decided", "args"),
    [
        (("narrow", DIGEST, ("cap",), {"n": 0}), {"n": 0}),
        (("narrow", DIGEST, ("cap",), {"n": 0}, "observe"), {"n": 1}),
        (("ask", DIGEST, ("cap",), {"n": 0}), {"n": 1}),
        (("allow", DIGEST, ("all",)), {"n": 1}),
    ],
    ids=["lowered", "only observed", "asked and not answered", "allowed"],
)
def test_act__arguments__are_those_that_ran(decided, args):
    assert only(decided=decided).args == args


def test_act__denied_after_it_was_lowered__has_the_arguments_as_proposed():
    script = Script().call(
        "c1", "pay", {"n": 9}, decided=("ask", DIGEST, (), {"n": 1}), answer=None
    )
    script.add(Decided, "c1", "deny", DIGEST, ("rejected",))
    script.add(Observed, "c1", '{"detail":"","error":"rejected"}', SYSTEM)
    (act,) = script.acts()
    assert (act.args, act.ok, act.lost) == ({"n": 9}, False, False)


def test_act__unread_arguments__are_none():
    (act,) = Script().call("c1", "pay", "{", undecodable="not JSON", labels=SYSTEM).acts()
    assert (act.args, act.ok) == ({}, False)


def test_trace__decisions_and_answers_of_no_call__are_passed_over():
    script = Script().add(Said, 0, "hello").add(Decided, "c9", "deny")
    assert script.add(Observed, "c9", "{}", RECORD).acts() == []


def test_trace__effects_of_no_call__are_refused_and_never_lost():
    with pytest.raises(EvidenceError, match="effects of no proposed call"):
        Script().add(Effected, "c9", (PUT,)).acts()


def test_reader__reading_on__says_what_the_whole_says_at_every_point():
    script = Script()
    for n in range(4):
        script.call(f"c{n}", "pay", {"n": n}, decided=("narrow", DIGEST, (), {"n": 0}),
                    effects=(PUT,) * n)  # fmt: skip
    reader = TraceReader()
    for end in range(len(script.events) + 1):
        assert reader.read(script.events[:end]) == trace_of(script.events[:end]).acts


def test_trace__effects_of_one_call_told_twice__all_count():
    script = Script().call("c1", "pay", {}, effects=(PUT,), answer=None).add(Effected, "c1", (PUT,))
    assert len(trace_of(script.events).final) == 2


ITEM = {"tool": "pay", "resource": "P1", "status": "done"}


@pytest.mark.parametrize(
    ("args", "labels", "items"),
    [
        ({"items": [ITEM], "note": "x"}, RECORD, [Item(**ITEM)]),
        ({"items": []}, RECORD, []),
        ({"items": [ITEM]}, SYSTEM, None),
        ({}, RECORD, None),
        ({"items": "pay"}, RECORD, None),
        ({"items": [{**ITEM, "status": "paid"}]}, RECORD, None),
        ({"items": [{**ITEM, "more": 1}]}, RECORD, None),
        ({"items": [{"tool": "pay"}]}, RECORD, None),
    ],
)
def test_report__only_as_the_tool_receives_it__is_one(args, labels, items):
    script = Script().call("c1", "pay", {}).call("c2", "report", args, labels=labels)
    assert trace_of(script.events).report == items


def test_trace__from_bytes__is_the_same():
    script = (
        Script().call("c1", "pay", {"n": 1}, effects=(PUT,)).call("c2", "report", {"items": []})
    )
    script.add(Ended, "reported")
    parsed = trace_of(parse_episode(episode_bytes(script.events)))
    made = trace_of(script.events)
    assert (parsed.acts, parsed.report, parsed.final) == (made.acts, made.report, made.final)


def test_trace__many_calls__takes_linear_time():
    def work(size):
        script = Script()
        for n in range(size):
            script.call(f"c{n}", "pay", {"n": n}, effects=(PUT,))
        trace_of(script.events)

    assert_growth(work, 200, 2000, below=4)


@pytest.mark.parametrize("code", ["timeout", "unavailable"])
def test_refusal__with_a_code_of_the_stage__is_no_refusal(code):
    with pytest.raises(UsageError, match="E-WLD-001"):
        RefusedCallError(code, "the tool only looks lost")


JUDGED = json.loads((Path(__file__).parent / "judged" / "streams.json").read_text("utf-8"))


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case["what"])
def test_trace__stream_that_a_reader_judged__reads_as_the_reader_saw_it(case):
    data = "".join(f"{line}\n" for line in case["events"]).encode()
    if case["refused"]:
        with pytest.raises(EvidenceError, match=case["refused"]):
            parse_episode(data)
        return
    events = parse_episode(data)
    trace = trace_of(events)
    assert len(trace.acts) == case["calls"]
    for act, seen in zip(trace.acts, case["acts"], strict=True):
        told = ("+" if act.ok else "-") + ("l" if act.lost else "") + str(len(act.effects))
        assert seen.endswith(told) or "?" in seen, (case["what"], act)
    items = None if trace.report is None else len(trace.report)
    assert items == case["items"]
    assert Episode(events).turns == case["turns"]
