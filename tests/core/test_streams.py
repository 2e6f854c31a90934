"""Draws depend on labels, never on what was drawn before, and are uniform."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import chisquare

from undersigned.core.streams import Stream

LABEL = st.text(max_size=3) | st.integers() | st.binary(max_size=3)
PATH = st.lists(LABEL, max_size=4).map(tuple)


@given(PATH, PATH)
@example(("a", "b"), ("ab",))
@example(("a", "b"), ("a", "", "b"))
@example(("a",), ("a", ""))
@example(("1",), (1,))
@example(("a",), (b"a",))
@example((1, 2), (12,))
@example(("1:sa",), ("", "a"))
@example(("2:sb",), ("a", "2:sb"))
def test_stream__two_paths_of_labels__share_a_key_only_when_they_are_equal(one, other):
    same = [type(x) for x in one] == [type(x) for x in other] and one == other
    assert (Stream.of(*one).key == Stream.of(*other).key) == same
    assert (Stream(bytes(32)).child(*one).key == Stream(bytes(32)).child(*other).key) == same


def test_child__of_a_child__is_not_the_child_of_the_joined_path():
    root = Stream.of("root")
    keys = [
        root.key,
        root.child().key,
        root.child("a", "b").key,
        root.child("a").child("b").key,
        root.child("b", "a").key,
        Stream.of("root", "a").key,
        Stream.of("child").key,
    ]
    assert len(set(keys)) == len(keys)


@given(st.lists(st.sampled_from(["draw", "child"]), max_size=20))
def test_child__whatever_was_drawn_before__draws_the_same(moves):
    fresh = [Stream.of("s").child("x", 3).bits64() for _ in range(2)]
    used = Stream.of("s")
    for move in moves:
        used.bits64() if move == "draw" else used.child("other").integer(10)
    assert used.child("x", 3).bits64() == fresh[0] == fresh[1]


def test_stream__children_drawn_in_any_order__draw_the_same():
    root = Stream.of("order")
    forwards = {n: root.child(n) for n in range(20)}
    backwards = {n: root.child(n) for n in reversed(range(20))}
    left = {n: [forwards[n].bits64() for _ in range(5)] for n in range(20)}
    interleaved = {n: [] for n in range(20)}
    for _ in range(5):
        for n in backwards:
            interleaved[n].append(backwards[n].bits64())
    assert left == interleaved
    assert len({v for row in left.values() for v in row}) == 100


def test_stream__key_and_draws__are_the_digests_that_are_documented():
    stream = Stream.of("undersigned", 1)
    assert stream.key == sha256(b"12:sundersigned2:i1").digest()
    for path, written in (((b"x",), b"2:bx"), (("x",), b"2:sx"), (("x", -1), b"2:sx3:i-1")):
        assert stream.child(*path).key == sha256(b"child" + stream.key + written).digest()
    blocks = b"".join(sha256(b"block%d" % n + stream.key).digest() for n in range(2))
    words = [int.from_bytes(blocks[i : i + 8], "big") for i in range(0, 64, 8)]
    assert [stream.bits64() for _ in range(8)] == words


def p_value(values, cells):
    counts = Counter(values)
    return chisquare([counts[c] for c in range(cells)]).pvalue


@pytest.mark.parametrize("bound", [2, 3, 7, 10, 97, 256])
def test_integer__many_draws_of_one_stream__are_uniform(bound):
    stream = Stream.of("uniform", bound)
    assert 0.001 < p_value((stream.integer(bound) for _ in range(100 * bound)), bound) < 0.999


@pytest.mark.parametrize("bound", [2, 3, 10])
def test_integer__first_draws_of_many_children__are_uniform(bound):
    root = Stream.of("first", bound)
    assert 0.001 < p_value((root.child(n).integer(bound) for n in range(3000)), bound) < 0.999


def test_integer__successive_draws__are_not_related():
    stream = Stream.of("pairs")
    draws = [stream.integer(8) for _ in range(8001)]
    assert 0.001 < p_value((a * 8 + b for a, b in pairwise(draws)), 64) < 0.999


def test_integer__bound_above_half_of_the_range__has_no_modulo_bias():
    # With a modulo, values below 2**62 would come twice as often as the others: 1/2 of all.
    bound = 3 << 62
    stream = Stream.of("bias")
    low = sum(stream.integer(bound) < 1 << 62 for _ in range(6000))
    assert 0.31 < low / 6000 < 0.36


@given(st.binary(min_size=32, max_size=32), st.integers(1, 1 << 64))
def test_integer__any_bound__stays_below_it(key, bound):
    assert 0 <= Stream(key).integer(bound) < bound


@given(st.binary(min_size=32, max_size=32), st.integers(-50, 50), st.integers(0, 50))
def test_between__any_range__holds_both_ends_and_nothing_else(key, low, width):
    assert low <= Stream(key).between(low, low + width) <= low + width


def test_between__small_range__reaches_both_ends():
    stream = Stream.of("ends")
    assert {stream.between(3, 5) for _ in range(100)} == {3, 4, 5}


@given(st.binary(min_size=32, max_size=32), st.lists(st.integers(), max_size=8), st.data())
def test_sample__any_items__gives_different_places_and_leaves_the_items_alone(key, items, data):
    count = data.draw(st.integers(0, len(items)))
    before = list(items)
    drawn = Stream(key).sample(items, count)
    assert items == before
    assert len(drawn) == count
    assert not Counter(drawn) - Counter(items)


def test_sample__two_of_four_in_order__has_all_twelve_results_alike():
    root = Stream.of("sample")
    seen = Counter(tuple(root.child(n).sample("abcd", 2)) for n in range(6000))
    assert len(seen) == 12
    assert 0.001 < chisquare(list(seen.values())).pvalue < 0.999


def test_chance_and_choice__many_draws__keep_their_shares():
    stream = Stream.of("shares")
    assert 0.23 < sum(stream.chance(1, 4) for _ in range(4000)) / 4000 < 0.27
    assert not any(stream.chance(0, 5) for _ in range(50))
    assert all(stream.chance(5, 5) for _ in range(50))
    assert {stream.choice("xyz") for _ in range(60)} == set("xyz")


@pytest.mark.parametrize("count", range(1, 20))
def test_digits__any_count__gives_so_many_and_no_leading_zero(count):
    for n in range(30):
        text = Stream.of("digits", n).digits(count)
        assert len(text) == count
        assert text.isascii()
        assert text.isdigit()
        assert text[0] != "0"


@pytest.mark.parametrize("label", [True, None, 1.5])
def test_child__label_of_another_type__is_refused(label):
    with pytest.raises(TypeError):
        Stream.of("x").child(label)
