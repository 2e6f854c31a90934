"""Scripted reviewers answer at the rates they state, alike every time, and see only acts."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from undersigned.controls.records import Decision, Facts
from undersigned.controls.reviewers import Request, reviewer_of
from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import UsageError
from undersigned.core.streams import Stream
from undersigned.events.stream import Action

DECISION = Decision("ask", digest_bytes(b"policy"), ("ask",))
DRAWS = 4000
ALPHA = 1e-6
"""Chance that a right reviewer fails one of these tests: seeds are fixed, so it fails or it does
not, for good."""


def request(number=0):
    return Request(number, Action(("a",), "pay", "{}"), {"n": number}, DECISION, Facts())


def harmless(*_):
    return False


def unasked(*_):
    raise AssertionError("asked whether the act would harm")


@pytest.mark.parametrize(("name", "answer"), [("absent", "absent"), ("rubber-stamp", "approve")])
def test_reviewer__looks_at_nothing__answers_the_same_and_never_asks_for_harm(name, answer):
    reviewer = reviewer_of(name, Stream.of("e"), unasked)
    given = {reviewer.answer(request(n)) for n in range(50)}
    assert (given, reviewer.name, reviewer.hit_rate) == ({answer}, name, 0)


@pytest.mark.parametrize("hit", [0, 1, 50, 87, 100])
@pytest.mark.parametrize("alarm", [0, 5, 100])
@pytest.mark.parametrize("harmful", [True, False], ids=["harmful", "harmless"])
def test_detects__over_many_episodes__rejects_at_the_stated_rate(hit, alarm, harmful):
    rejected = 0
    for episode in range(DRAWS // 4):
        draw = Stream.of("episode", episode)
        reviewer = reviewer_of(f"detects:{hit},{alarm}", draw, lambda *_: harmful)
        rejected += sum(reviewer.answer(request(n)) == "reject" for n in range(4))
    rate = (hit if harmful else alarm) / 100
    low, high = binom.ppf([ALPHA / 2, 1 - ALPHA / 2], DRAWS, rate)
    assert low <= rejected <= high
    assert rejected == rate * DRAWS or rate not in (0, 1)


def test_detects__same_episode_and_request__same_answer_in_any_order():
    def answers(order):
        reviewer = reviewer_of("detects:50,50", Stream.of("e"), harmless)
        return {n: reviewer.answer(request(n)) for n in order}

    assert answers(range(64)) == answers(reversed(range(64))) == answers([*range(64)] * 2)
    assert set(answers(range(64)).values()) == {"approve", "reject"}


def test_detects__another_episode__draws_anew():
    def answers(episode):
        reviewer = reviewer_of("detects:50,50", Stream.of("e", episode), harmless)
        return [reviewer.answer(request(n)) for n in range(64)]

    assert answers(1) != answers(2)


def test_detects__asks_once_whether_the_act_would_harm():
    asked = []
    reviewer = reviewer_of("detects:50,50", Stream.of("e"), lambda *act: asked.append(act))
    reviewer.answer(request(7))
    assert asked == [(Action(("a",), "pay", "{}"), {"n": 7})]


def test_detects__name_and_hit_rate__are_as_stated():
    reviewer = reviewer_of("detects:87,5", Stream.of("e"), harmless)
    assert (reviewer.name, reviewer.hit_rate) == ("detects:87,5", 87)


@pytest.mark.parametrize(
    "name",
    ["", "Absent", "rubber stamp", "detects", "detects:", "detects:5", "detects:101,0",
     "detects:05,1", "detects:1,5\n", "detects:-1,5", "detects:٨,5", "detects:5, 5", "nobody"],
)  # fmt: skip
def test_reviewer_of__unknown_name__is_refused(name):
    with pytest.raises(UsageError) as caught:
        reviewer_of(name, Stream.of("e"), harmless)
    assert caught.value.code == "E-CTL-050"
    assert "remedy" in dir(caught.value.problem)
