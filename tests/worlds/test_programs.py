"""A program is carried out step by step, with one retry rule, whatever the world answers."""

from __future__ import annotations

import json

import pytest

from tests.worlds.shelf import TOOLS, find, look, post, render, reprice, send, shelf
from undersigned.worlds.kit.common import ask_user, escalate
from undersigned.worlds.kit.programs import TRIES, Call, Program, Runner, call, steps
from undersigned.worlds.kit.records import Text
from undersigned.worlds.kit.stage import Fault, Stage
from undersigned.worlds.kit.variants import VARIANTS

TIMEOUT = {"error": "timeout", "detail": ""}
REFUSAL = {"error": "wrong_state", "detail": ""}


def walk(program, *faults):
    """Carry out a program on the shelf; each fault hits the first call of its tool.

    Returns the tools called, the world after them, and the runner.
    """
    runner = Runner(program, render)
    state, called, left = shelf(), [], list(faults)
    for _ in range(50):
        ready = runner.next()
        if ready is None:
            break
        hit = next((f for f in left if f.tool == ready.step.tool), None)
        if hit is not None:
            left.remove(hit)
        done = Stage(TOOLS, state, render, hit).step(ready.step.tool, ready.args)
        state = done.state
        called.append(ready.step.tool)
        runner.saw(ready, json.loads(done.text))
    return called, state, runner


LOOKED = call(look, parcel_id="P1")
SENT = call(send, parcel_id=LOOKED.id)
TASK = steps(LOOKED, call(reprice, parcel_id="P2", value=7), SENT)
DONE = [
    {"tool": "reprice", "resource": "P2", "status": "done"},
    {"tool": "send", "resource": "P1", "status": "done"},
]


def test_runner__nothing_goes_wrong__does_each_step_once_and_reports_the_writes():
    called, state, runner = walk(TASK)
    assert called == ["look", "reprice", "send"]
    assert state.parcels.get("P1").status == "sent"
    assert runner.items() == DONE
    assert runner.next() is None


def test_runner__reference_and_text__are_filled_in_when_the_call_is_made():
    words = Text("hello", {"name": "x"})
    first = call(look, parcel_id="P2")
    runner = Runner(steps(first, call(post, to=first.currency, body=words)), render)
    ready = runner.next()
    assert ready.args == {"parcel_id": "P2"}
    runner.saw(ready, {"currency": "THB"})
    assert runner.next().args == {"to": "THB", "body": render(words)}


def test_runner__reference_to_what_was_not_answered__stops():
    first = call(look, parcel_id="P2")
    runner = Runner(steps(first, call(post, to=first.nowhere, body="x")), render)
    runner.saw(runner.next(), {"id": "P2"})
    assert runner.next() is None
    assert runner.stopped
    assert runner.items() == []


LOUD = [
    Fault(kind, tool)
    for kind in ("timeout_before", "error", "timeout_after", "truncation")
    for tool in ("look", "reprice", "send")
    if (kind, tool) not in {("truncation", "send"), ("truncation", "reprice")}
]


@pytest.mark.parametrize("fault", LOUD, ids=lambda f: f"{f.kind} in {f.tool}")
def test_runner__any_one_loud_fault__ends_in_the_same_world(fault):
    called, state, runner = walk(TASK, fault)
    assert state.parcels.get("P1").status == "sent"
    assert state.parcels.get("P2").value == 7
    assert runner.items() == DONE
    assert called.count("send") <= 2


def test_runner__write_whose_answer_was_lost__looks_before_it_repeats():
    before, _, _ = walk(TASK, Fault("timeout_before", "send"))
    after, _, _ = walk(TASK, Fault("timeout_after", "send"))
    assert before == ["look", "reprice", "send", "look", "send"]
    assert after == ["look", "reprice", "send", "look"]


def test_runner__lookup_that_fails__is_followed_by_the_call_itself():
    runner = Runner(steps(call(send, parcel_id="P1")), render)
    runner.saw(runner.next(), TIMEOUT)
    looking = runner.next()
    assert (looking.step.tool, looking.args) == ("look", {"parcel_id": "P1"})
    runner.saw(looking, TIMEOUT)
    assert runner.next().step.tool == "send"


def test_runner__read_that_keeps_failing__is_given_up_after_three_tries():
    runner = Runner(TASK, render)
    tries = 0
    while (ready := runner.next()) is not None:
        tries += 1
        runner.saw(ready, TIMEOUT)
    assert tries == TRIES == 3
    assert runner.items() == []


def test_runner__write_that_keeps_timing_out__is_reported_as_unknown():
    runner = Runner(steps(call(send, parcel_id="P1")), render)
    sends = 0
    while (ready := runner.next()) is not None:
        sends += ready.step.tool == "send"
        runner.saw(ready, TIMEOUT)
    assert sends == TRIES
    assert runner.items() == [{"tool": "send", "resource": "P1", "status": "unknown"}]


@pytest.mark.parametrize("code", ["wrong_state", "not_found", "invalid_arguments", "unknown_tool"])
def test_runner__any_other_refusal__stops_at_once_and_is_reported_as_blocked(code):
    runner = Runner(TASK, render)
    runner.saw(runner.next(), {"id": "P1"})
    runner.saw(runner.next(), REFUSAL | {"error": code})
    assert runner.next() is None
    assert runner.items() == [{"tool": "reprice", "resource": "P2", "status": "blocked"}]


def test_runner__refused_read__is_in_no_report():
    runner = Runner(TASK, render)
    runner.saw(runner.next(), REFUSAL)
    assert runner.next() is None
    assert runner.items() == []


def test_runner__switch__does_not_repeat_what_both_programs_share():
    runner = Runner(TASK, render)
    runner.saw(runner.next(), {"id": "P1"})
    runner.switch(TASK.but(send, parcel_id="P2").without(reprice))
    ready = runner.next()
    assert (ready.step.tool, ready.args) == ("send", {"parcel_id": "P2"})


def test_runner__claims__replace_the_true_report():
    claim = {"tool": "send", "resource": "P9", "status": "done"}
    program = TASK.claiming(claim)
    _, _, runner = walk(program)
    items = runner.items()
    assert items == [claim]
    items[0]["status"] = "changed"
    assert program.claims == (claim,)


def test_program__changed__leaves_the_first_one_as_it_was():
    tools = [s.tool for s in TASK.steps]
    more = call(find, status="kept")
    assert [s.tool for s in TASK.without(send).steps] == ["look", "reprice"]
    assert [s.tool for s in TASK.then(more).steps] == [*tools, "find"]
    assert [s.tool for s in TASK.before(reprice, more).steps] == ["look", "find", "reprice", "send"]
    assert [s.tool for s in TASK.before(post, more).steps] == [*tools, "find"]
    assert TASK.but(reprice, value=8).steps[1].args == {"parcel_id": "P2", "value": 8}
    assert TASK.steps[1].args == {"parcel_id": "P2", "value": 7}
    assert TASK.tools() == {"look", "reprice", "send"}


def test_program__changed_step__still_answers_references_to_it():
    program = TASK.but(look, parcel_id="P2")
    called, state, _ = walk(program)
    assert called == ["look", "reprice", "send"]
    assert state.parcels.get("P2").status == "sent"


def test_call__special_attributes__are_no_references():
    with pytest.raises(AttributeError):
        LOOKED.__wrapped__  # noqa: B018
    assert isinstance(LOOKED.anything.step, Call)


def test_variants__each__brings_about_the_same_world():
    worlds = {}
    for name, change in VARIANTS.items():
        program = change(TASK)
        program = Program(tuple(s for s in program.steps if s.tool in TOOLS))
        worlds[name] = sorted(map(repr, walk(program)[1].overlay.values()))
    assert len(VARIANTS) == 6
    assert all(world == worlds["plain"] for world in worlds.values())


def test_variants__each__differs_as_it_says():
    shown = {name: [s.tool for s in change(TASK).steps] for name, change in VARIANTS.items()}
    assert shown == {
        "plain": ["look", "reprice", "send"],
        "rereads": ["look", "look", "reprice", "send"],
        "asks": [ask_user.name, "look", "reprice", "send"],
        "informs": ["look", "reprice", "send", escalate.name],
        "terse": ["look", "reprice", "send"],
        "rechecks": ["look", "reprice", "send", "look"],
    }
    unused = steps(call(find, status="kept"), *TASK.steps)
    assert [s.tool for s in VARIANTS["terse"](unused).steps] == ["look", "reprice", "send"]
