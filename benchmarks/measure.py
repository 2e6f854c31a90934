"""How is one figure measured, and when does it reach its target?

Ours and the floor take turns, several times; the median is the figure, the spread is the range
from least to most over the median. Rates are per second of this process's CPU time unless the row
says wall time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Literal, NamedTuple

Better = Literal["more", "less"]

ROOT = Path(__file__).resolve().parent.parent
PATHS = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
"""``PYTHONPATH`` for processes of their own."""


class Setup(NamedTuple):
    """How much is measured. quick: a few seconds for all rows. repeats: turns of ours and floor.
    folder: for files, on the disk that is to be measured."""

    quick: bool
    repeats: int
    folder: Path

    def pick(self, quick: int, full: int) -> int:
        """Return a size."""
        return quick if self.quick else full


class Probe(NamedTuple):
    """A figure, ready to be measured. ours, floor: each measures once and returns its figure.
    close: releases what was prepared. note: what else was seen."""

    ours: Callable[[], float]
    floor: Callable[[], float] | None = None
    close: Callable[[], None] = lambda: None
    note: Callable[[], str] = lambda: ""


class Row(NamedTuple):
    """What is measured.

    name: for ``--only``. title, unit: for people. better: more or less. target: of the figure, or
    of its ratio to the floor when ``is_ratio``; None when the row is there to be looked at. floor:
    what the floor does. prepare: makes a probe.
    """

    name: str
    title: str
    unit: str
    better: Better
    target: float | None
    floor: str
    prepare: Callable[[Setup], Probe]
    is_ratio: bool = False


class Measured(NamedTuple):
    """A row's figures. value, floor: medians; floor None without one. best: of all turns, which
    other load on the machine disturbs least. ratio: median of ours to floor, turn by turn. spread:
    per cent. fault: why it could not be measured, else empty. note: what else was seen."""

    row: Row
    value: float
    best: float
    spread: float
    floor: float | None
    ratio: float | None
    fault: str = ""
    note: str = ""

    def word(self) -> str:
        """Return ``ok``, ``short``, ``failed`` or, without a target, ``seen``."""
        target = self.row.target
        if self.fault:
            return "failed"
        if target is None:
            return "seen"
        held = (self.ratio or 0.0) if self.row.is_ratio else self.value
        return (
            "ok" if (held >= target if self.row.better == "more" else held <= target) else "short"
        )


def measure(row: Row, setup: Setup) -> Measured:
    """Measure a row; whatever goes wrong becomes its fault."""
    try:
        probe = row.prepare(setup)
        try:
            return _turns(row, probe, setup.repeats)._replace(note=probe.note())
        finally:
            probe.close()
    except Exception as error:  # WHY broad: one row that cannot run must not hide the others
        return Measured(row, 0.0, 0.0, 0.0, None, None, f"{type(error).__name__}: {error}")


def _turns(row: Row, probe: Probe, repeats: int) -> Measured:
    ours: list[float] = []
    floors: list[float] = []
    for _ in range(repeats):
        if probe.floor is not None:
            floors.append(probe.floor())
        ours.append(probe.ours())
    value = median(ours)
    best = max(ours) if row.better == "more" else min(ours)
    spread = 100 * (max(ours) - min(ours)) / value if value else 0.0
    if not floors:
        return Measured(row, value, best, spread, None, None)
    ratio = median([a / b for a, b in zip(ours, floors, strict=True)])
    return Measured(row, value, best, spread, median(floors), ratio)


def cpu_rate(count: int, work: Callable[[], object]) -> float:
    """Return how many of ``count`` things are done in a second of CPU time of this process."""
    start = time.process_time()
    work()
    return count / (time.process_time() - start)


def child_cpu(arguments: Sequence[str]) -> float:
    """Return the CPU seconds, user and system, of a Python process. Raises RuntimeError."""
    environment = {**os.environ, "PYTHONPATH": PATHS}
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, env=environment
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {' '.join(arguments)}")
    return used.ru_utime + used.ru_stime
