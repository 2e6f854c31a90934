"""How far is a long command, how fast, and how long will it still take?

Invariants:
- Talk goes to standard error only.
- On a terminal a bar appears after one second; elsewhere one line every ten seconds, so a log
  stays readable and a short command stays silent. ``quiet`` silences both.
- ``rich`` is imported only when a bar is drawn.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

BAR_AFTER_S = 1.0
"""Seconds before a bar is worth drawing."""

LINE_EVERY_S = 10.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """Counts steps and shows them.

    label: what is being done. total: steps, 0 or more. quiet: show nothing. stream: where to,
    default standard error. clock: seconds that only grow.

    >>> with Progress("testing", 10, quiet=True) as progress:
    ...     progress.advance(3, note="harm 0 of 3")
    >>> progress.done
    3
    """

    def __init__(
        self,
        label: str,
        total: int,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start counting now."""
        self.label, self.total, self.done, self.note = label, total, 0, ""
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = self._told = clock()
        self._bar: RichProgress | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bar; lines already written stay."""
        if self._bar is not None:
            self._bar.stop()

    def advance(self, steps: int = 1, *, note: str = "") -> None:
        """Count steps done. note: shown at the end, for example a running estimate."""
        self.done += steps
        self.note = note or self.note
        if self._quiet:
            return
        if self._stream.isatty():
            self._draw()
        elif self._clock() - self._told >= LINE_EVERY_S:
            self._told = self._clock()
            self._stream.write(self.line() + "\n")
            self._stream.flush()

    def line(self) -> str:
        """Return the state as one line: counts, rate, time left, note."""
        passed = self._clock() - self._began
        rate = self.done / passed if passed > 0 else 0.0
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        parts = (f"{self.label}: {self.done} of {self.total}", f"{rate:.0f}/s", left, self.note)
        return ", ".join(part for part in parts if part)

    def _draw(self) -> None:
        if self._bar is None:
            if self._clock() - self._began < BAR_AFTER_S:
                return
            self._bar = _make_bar(self._stream, self.label, self.total)
        self._bar.update(self._bar.task_ids[0], completed=self.done, note=self.note)


def _make_bar(stream: TextIO, label: str, total: int) -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(file=stream),
        transient=True,
    )
    bar.add_task(label, total=total, note="")
    bar.start()
    return bar
