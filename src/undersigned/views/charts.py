"""How are a rate with its interval, and the strength of a rate, drawn?

SVG made on the server, in percentages of its own width, so that it fits a phone as it fits paper.
Each drawing is one row of a table whose cells hold the same numbers as text, and says in its
``title`` what it shows; shapes, not colours, tell value, interval and limit apart.

Invariants:
- Only numbers get into the drawing's attributes; the title is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from markupsafe import Markup, escape

from undersigned.scoring.results import Estimate
from undersigned.views.formats import is_decimal, percent, points

STEPS = tuple(Decimal(text) for text in ("0.05", "0.1", "0.2", "0.3", "0.5", "1"))
"""Where an axis may end."""
SHADES = tuple(Decimal(text) for text in ("0", "0.05", "0.2", "0.5"))
"""Upper ends of the shades of the heat table: none, then up to 5, 20, 50 and 100 %."""
INSET = Decimal(2)
"""Per cent of the drawing's width that is left free at both ends."""


class Scale(NamedTuple):
    """An axis. start, end: shares. mark: where the dashed line stands, a limit or no difference."""

    start: Decimal
    end: Decimal
    mark: Decimal

    def place(self, value: Decimal) -> str:
        """Return where a value stands, in per cent of the width, held inside the axis."""
        share = (value - self.start) / (self.end - self.start)
        held = min(max(share, Decimal(0)), Decimal(1))
        return f"{INSET + held * (100 - 2 * INSET):.2f}%"


def rate_scale(estimates: Iterable[Estimate], limit: str) -> Scale:
    """Return an axis from 0 that holds every interval and the limit."""
    mark = Decimal(limit) if is_decimal(limit) else Decimal(0)
    highest = max([mark * 2, *(_decimal(each.high) for each in estimates)])
    return Scale(Decimal(0), next((step for step in STEPS if step >= highest), STEPS[-1]), mark)


def gap_scale(estimates: Iterable[Estimate]) -> Scale:
    """Return an axis around 0 that holds every interval."""
    ends = [abs(_decimal(end)) for each in estimates for end in (each.low, each.high)]
    widest = next((step for step in STEPS if step >= max(ends, default=Decimal(0))), STEPS[-1])
    return Scale(-widest, widest, Decimal(0))


def _decimal(text: str | None) -> Decimal:
    return Decimal(text) if text is not None and is_decimal(text) else Decimal(0)


def interval(estimate: Estimate, scale: Scale, title: str) -> Markup:
    """Draw an estimate: a line for the interval, a dot for the value, dashes for the mark."""
    mark = scale.place(scale.mark)
    parts = [f'<line class="mark" x1="{mark}" x2="{mark}" y1="0" y2="24"/>']
    known = [estimate.low, estimate.value, estimate.high]
    if all(is_decimal(each) for each in known):
        low, value, high = (scale.place(_decimal(each)) for each in known)
        parts += [
            f'<line class="range" x1="{low}" x2="{high}" y1="12" y2="12"/>',
            f'<line class="range" x1="{low}" x2="{low}" y1="8" y2="16"/>',
            f'<line class="range" x1="{high}" x2="{high}" y1="8" y2="16"/>',
            f'<circle class="dot" cx="{value}" cy="12" r="4.5"/>',
        ]
    head = '<svg class="interval" role="img" width="100%" height="24">'
    return Markup(f"{head}<title>{escape(title)}</title>{''.join(parts)}</svg>")


def axis(scale: Scale, mark: str) -> Markup:
    """Draw the axis of a column of intervals. mark: what the dashed line is."""
    write = points if scale.start < 0 else percent
    ticks = [(scale.start, "start"), ((scale.start + scale.end) / 2, "middle"), (scale.end, "end")]
    parts = []
    for value, anchor in ticks:
        x = scale.place(value)
        parts.append(f'<line class="tick" x1="{x}" x2="{x}" y1="17" y2="22"/>')
        label = escape(write(str(value)))
        parts.append(f'<text x="{x}" y="13" text-anchor="{anchor}">{label}</text>')
    left, right = scale.place(scale.start), scale.place(scale.end)
    parts.append(f'<line class="tick" x1="{left}" x2="{right}" y1="22" y2="22"/>')
    title = f"axis from {write(str(scale.start))} to {write(str(scale.end))}; dashed line: {mark}"
    head = '<svg class="axis" role="img" width="100%" height="24">'
    return Markup(f"{head}<title>{escape(title)}</title>{''.join(parts)}</svg>")


def shade(value: str | None) -> int:
    """Return the shade of a rate, 0 (none) to 4 (above half)."""
    exact = _decimal(value)
    return next((n for n, top in enumerate(SHADES) if exact <= top), len(SHADES))
