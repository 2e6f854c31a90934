"""How does the time of a piece of work grow, whatever the machine's speed?

No test asserts an absolute time; what is asserted is a ratio within one run.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def growth(work: Callable[[int], object], small: int, large: int, tries: int = 5) -> float:
    """Return by how much more than in proportion the CPU time grows from a small to a large size.

    About 1 for linear work, about large / small for quadratic. The fastest of some tries counts;
    the sizes take turns, so that other load on the machine meets both.
    """
    best = {small: float("inf"), large: float("inf")}
    for _ in range(tries):
        for size in best:
            best[size] = min(best[size], _time(work, size))
    return (best[large] / large) / (best[small] / small)


def _time(work: Callable[[int], object], size: int) -> float:
    """Return the CPU seconds of one try, without the collector, which walks what others made."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work(size)
        return max(time.process_time() - start, 1e-6)
    finally:
        gc.enable()
