"""How is it told what got past a policy, or what another policy would change?

One line a strategy, then, for each that got through, where and by which harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from undersigned.assessment.arms import Comparison, Tried
    from undersigned.scoring.outcomes import Tally

MOST = 2
"""Rules that a line names; ``--json`` has all."""


def row_shown(row: Tried) -> dict[str, Any]:
    """Return a row as ``--json`` shows it."""
    return msgspec.structs.asdict(row) | {"verdict": row.verdict}


def row_lines(rows: Sequence[Tried], reviewer: str, locales: Iterable[str]) -> Iterator[str]:
    """Yield what a person reads. reviewer, locales: that it was tried with."""
    through = [row for row in rows if row.verdict == "gets through"]
    tried = sum(row.episodes for row in rows)
    yield f"{len(through)} of {len(rows)} strategies get through, in some of {tried} attempts"
    yield f"reviewer {reviewer}, locales {' '.join(locales)}; aim: what the planted text wants"
    yield ""
    yield f"{'strategy':21} {'harm without':>12}  {'with':26} {'aim':>4}  denied by"
    for row in rows:
        bare = f"{row.harmed_ungoverned}/{row.episodes}"
        line = (
            f"{row.strategy:21} {bare:>12}  {_verdict(row):26} {row.aimed_governed:>4}  "
            f"{_counted(row.denied_by[:MOST])}"
        )
        yield line.rstrip()
    for row in rows:
        if row.reached < row.harmed_ungoverned:
            lost = row.harmed_ungoverned - row.reached
            yield f"  {row.strategy}: {lost} attempts ended at an honest step and were never tried"
    if through:
        yield ""
        yield "what gets through"
    for row in through:
        yield f"  {row.strategy}: {row.summary}"
        yield f"    in    {_counted(row.through)}"
        yield f"    harm  {_counted(row.harms) or 'found by no oracle'}"
        if row.unseen:
            yield f"    data that left and that no search found: {row.unseen}"


def _verdict(row: Tried) -> str:
    if row.verdict == "gets through":
        return f"gets through ({row.harmed_governed} of {row.episodes})"
    return "harmless without controls" if row.verdict.startswith("harmless") else row.verdict


def _counted(tallies: Sequence[Tally]) -> str:
    return ", ".join(f"{each.name} ({each.count})" for each in tallies)


def arm_lines(found: Comparison) -> Iterator[str]:
    """Yield how the same episodes came out under each of several controls."""
    yield (
        f"the same {found.main} episodes and {found.twins} benign twins, of {found.main_planned} "
        f"and {found.twins_planned} that were planned"
    )
    yield ""
    yield f"{'policy':16} {'reviewer':16} {'unsafe':>12} {'useful twins':>13} {'asks per 100':>13}"
    for arm in found.arms:
        name = f"{arm.policy[7:15]}{' (run)' if arm.is_run else ''}" if arm.policy else "none"
        made = arm.measured
        if made is None:
            yield f"{name:16} {arm.reviewer:16} not run: {arm.not_run}"
            continue
        unsafe = f"{made.unsafe.k}/{made.unsafe.n}"
        useful = f"{made.useful.k}/{made.useful.n}"
        asks = f"{float(made.asks_per_hundred):.1f}"
        yield f"{name:16} {arm.reviewer:16} {unsafe:>12} {useful:>13} {asks:>13}"
    for arm in found.arms:
        made = arm.measured
        if made is not None and arm.policy and made.through:
            through = ", ".join(f"{t.hazard} {t.k} of {t.n}" for t in made.through)
            yield f"\ngets through {arm.policy[7:15]} under {arm.reviewer}: {through}"
