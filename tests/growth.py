"""How does the time of a piece of work grow, whatever the machine's speed and its other load?

No test asserts an absolute time; what is asserted is a ratio within one run.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

SMALL_TRIES = 5
"""Tries of the small size, which come first: it is short, and none of them may be disturbed."""
LARGE_TRIES = 20
"""Tries of the large size at most. WHY so many: only what is really slow is slow in all of them."""


def assert_growth(work: Callable[[int], object], small: int, large: int, *, below: float) -> None:
    """Assert that CPU time grows from a small to a large size by less than ``below`` times more
    than in proportion.

    That factor is about 1 for linear work and about large / small for quadratic work; ``below``
    lies between them. Of each size the fastest try counts. The large size is tried again only
    while it is too slow: other load makes a try slower, never faster.
    """
    is_collecting = gc.isenabled()
    gc.disable()  # WHY: the collector walks whatever other tests have made
    try:
        _assert_growth(work, small, large, below)
    finally:
        if is_collecting:
            gc.enable()


def _assert_growth(work: Callable[[int], object], small: int, large: int, below: float) -> None:
    least = min(_time(work, small) for _ in range(SMALL_TRIES)) / small
    best = float("inf")
    for _ in range(LARGE_TRIES):
        best = min(best, _time(work, large) / large)
        if best < below * least:
            return
    raise AssertionError(
        f"{large / small:.0f} times the size took {large * best / (small * least):.1f} times as "
        f"long: {best / least:.1f} times more than in proportion, and {below} are too many"
    )


def _time(work: Callable[[int], object], size: int) -> float:
    """Return the CPU seconds of one try, of this thread alone."""
    start = time.thread_time()
    work(size)
    return max(time.thread_time() - start, 1e-6)
