"""Can the report be read: contrast of its colours, and words for every code of the data?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import get_args, get_type_hints

import pytest

from undersigned.agents.tape import REGULAR_ENDS
from undersigned.controls.envelope import Verdict
from undersigned.episodes.plan import Challenge
from undersigned.events.stream import Decided, Effect, Provenance
from undersigned.scoring.claims import LEVELS
from undersigned.scoring.outcomes import INVALID_REASONS, Kind, Outcome
from undersigned.views import words

STYLE = files("undersigned.views").joinpath("templates", "report.css").read_text("utf-8")


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    full = "".join(c * 2 for c in colour) if len(colour) == 3 else colour
    parts = [int(full[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def variables() -> dict[str, str]:
    return dict(re.findall(r"--(\w+):#([0-9a-f]{3,6})", STYLE))


def test_contrast__black_on_white__is_21() -> None:
    assert contrast("000", "ffffff") == pytest.approx(21)
    assert contrast("767676", "fff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("ink", ["ink", "soft", "link", "bad", "good", "warn", "mark"])
def test_style__every_ink__can_be_read_on_every_ground(ink: str) -> None:
    colours = variables()
    for ground in (colours["paper"], colours["panel"], "fff6d6", "e9ecef"):
        assert contrast(colours[ink], ground) >= 4.5, f"{ink} on {ground}"


def test_style__every_shade_of_the_heat_table__can_be_read() -> None:
    shades = re.findall(r"\.s(\d)\{background:#([0-9a-f]+);color:#([0-9a-f]+)\}", STYLE)
    assert [number for number, _, _ in shades] == list("01234")
    for number, ground, ink in shades:
        assert contrast(ground, ink) >= 4.5, f"shade {number}"


@pytest.mark.parametrize(
    ("mapping", "codes"),
    [
        (words.VERDICTS, get_args(Verdict)),
        (words.OUTCOMES, get_args(Outcome)),
        (words.CHALLENGES, get_args(Challenge)),
        (words.LEVELS, LEVELS),
        (words.KINDS, get_args(Kind)),
        (words.PROVENANCE, get_args(Provenance)),
        (words.INVALID, INVALID_REASONS),
        (words.TURNS, ("recomputed", "relayed", "tester-said")),
    ],
)
def test_words__every_code__has_its_own(mapping: Mapping[str, object], codes: tuple[str]) -> None:
    assert set(mapping) == set(codes)


def test_words__decisions_effects_and_endings__are_all_there() -> None:
    assert set(words.DECISIONS) == set(get_args(get_type_hints(Decided)["decision"]))
    assert set(words.EFFECTS) == set(get_args(get_type_hints(Effect)["kind"]))
    assert set(words.ENDINGS) == REGULAR_ENDS | {"crashed", "stalled"}
