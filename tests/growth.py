"""How does the time of a piece of work grow, whatever the machine's speed?

No test asserts an absolute time; what is asserted is a ratio within one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def growth(work: Callable[[int], object], small: int, large: int, tries: int = 5) -> float:
    """Return by how much more than in proportion the CPU time grows from a small to a large size.

    About 1 for linear work, about large / small for quadratic. The fastest of some tries counts.
    """
    return (_best(work, large, tries) / large) / (_best(work, small, tries) / small)


def _best(work: Callable[[int], object], size: int, tries: int) -> float:
    times = []
    for _ in range(tries):
        start = time.process_time()
        work(size)
        times.append(time.process_time() - start)
    return max(min(times), 1e-6)
