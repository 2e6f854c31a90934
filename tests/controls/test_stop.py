"""A stop that was seen stays, until another person lifts it."""

from __future__ import annotations

import threading

import pytest

from undersigned.controls.stop import UNREADABLE, Latch, StopOrder

BY = "Anna Lim"


def once(order):
    """Return a look that sees an order once."""
    seen = [order]
    return lambda tool: seen.pop() if seen else None


def test_latch__nothing_was_ordered__stops_nothing():
    assert Latch().stops("pay") is None


@pytest.mark.parametrize("scope", ["all", "organisation", "system", "run", "galaxy"])
def test_latch__order_of_any_wide_or_unknown_scope__stops_every_tool_and_stays(scope):
    order = StopOrder(scope, "x", BY)
    latch = Latch(once(order))
    assert [latch.stops("pay"), latch.stops("pay"), latch.stops("look")] == [order] * 3


def test_latch__order_for_one_tool__stops_that_tool_only():
    order = StopOrder("tool", "pay", BY)
    latch = Latch(once(order))
    assert latch.stops("look") is None
    assert latch.stops("pay") == order
    assert latch.stops("look") is None


def fails(tool):
    raise OSError("no such word")


@pytest.mark.parametrize(
    "look",
    [fails, lambda _: True, lambda _: "", lambda _: 0, lambda _: ("all", "", BY),
     lambda _: StopOrder("all", None, BY)],
    ids=["raises", "true", "empty text", "zero", "a plain tuple", "a half order"],
)  # fmt: skip
def test_latch__what_cannot_be_read__stops_everything_and_stays(look):
    answers = [look]
    latch = Latch(lambda tool: answers.pop()(tool) if answers else None)
    assert [latch.stops("pay"), latch.stops("look")] == [UNREADABLE, UNREADABLE]


@pytest.mark.parametrize("by", [BY, " anna  lim ", "ANNA LIM", "", "  "])
def test_lift__by_who_gave_it_or_nobody__is_refused(by):
    order = StopOrder("all", "", BY)
    latch = Latch(once(order))
    latch.stops("pay")
    assert latch.lift(order, by) is False
    assert latch.stops("pay") == order


def test_lift__by_another_person__lifts_that_order_only():
    first, second = StopOrder("all", "", BY), StopOrder("run", "7", "Budi")
    orders = [second, first]
    latch = Latch(lambda tool: orders.pop() if orders else None)
    latch.stops("pay")
    latch.stops("pay")
    assert latch.lift(first, "Budi") is True
    assert latch.stops("pay") == second
    assert latch.lift(first, "Budi") is False
    assert latch.lift(second, BY) is True
    assert latch.stops("pay") is None


def test_lift__order_is_still_given__stops_again():
    order = StopOrder("all", "", BY)
    latch = Latch(lambda tool: order)
    latch.stops("pay")
    assert latch.lift(order, "Budi") is True
    assert latch.stops("pay") == order


def test_latch__seen_by_many_threads_at_once__is_lifted_by_one_lift():
    order = StopOrder("all", "", BY)
    for _ in range(50):
        giving = threading.Event()
        latch = Latch(lambda tool, g=giving: None if g.is_set() else order)
        barrier = threading.Barrier(8)
        found = []

        def look(latch=latch, barrier=barrier, found=found):
            barrier.wait()
            found.append(latch.stops("pay"))

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert found == [order] * 8
        giving.set()
        assert latch.lift(order, "Budi") is True
        assert latch.stops("pay") is None
