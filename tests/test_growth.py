"""Is work that grows too fast told from work that does not, on a busy machine too?"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests import growth
from tests.growth import LARGE_TRIES, SMALL_TRIES, assert_growth


def linear(size: int) -> None:
    for _ in range(size):
        list(range(200))


def quadratic(size: int) -> None:
    for _ in range(size):
        list(range(10 * size))


def test_growth__linear_and_quadratic_work__are_told_apart() -> None:
    assert_growth(linear, 30, 600, below=4)
    with pytest.raises(AssertionError, match="more than in proportion, and 4 are too many"):
        assert_growth(quadratic, 30, 600, below=4)


def taking(seconds: Callable[[int, int], float], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let work take what a function of size and number of the try says; return the sizes tried."""
    tried: list[int] = []

    def timed(_: object, size: int) -> float:
        tried.append(size)
        return seconds(size, tried.count(size))

    monkeypatch.setattr(growth, "_time", timed)
    return tried


def test_growth__all_tries_but_one_disturbed__counts_the_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturbed = {(10, SMALL_TRIES), (100, 9)}
    tried = taking(lambda size, n: size * (1 if (size, n) in undisturbed else 9), monkeypatch)
    assert_growth(linear, 10, 100, below=3)
    assert tried == [10] * SMALL_TRIES + [100] * 9


def test_growth__nothing_disturbed__tries_the_large_size_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = taking(lambda size, _: size, monkeypatch)
    assert_growth(linear, 10, 100, below=3)
    assert tried == [10] * SMALL_TRIES + [100]


def test_growth__too_slow_in_every_try__says_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = taking(lambda size, _: size**2, monkeypatch)
    with pytest.raises(AssertionError) as caught:
        assert_growth(linear, 10, 100, below=3)
    assert re.search(r"10 times the size took 100\.0 times as long: 10\.0 times", str(caught.value))
    assert len(tried) == SMALL_TRIES + LARGE_TRIES
