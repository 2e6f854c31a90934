"""Does the view of an episode show what happened, and can nothing in it act on a terminal?"""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.conftest import Case
from undersigned.core.errors import UsageError
from undersigned.scoring.outcomes import Graded
from undersigned.views.episode import render_episode
from undersigned.views.formats import amount, percent, points, visible
from undersigned.views.replays import Archive
from undersigned.views.trajectory import STEPS_LIMIT, trajectory


def shown(case: Case, row: Graded) -> str:
    with case.open() as dossier:
        return render_episode(dossier, row.index, row)


def first(case: Case, outcome: str) -> Graded:
    return next(row for row in case.rows if row.outcome == outcome)


def test_episode__unsafe_one__marks_the_effect_that_is_the_harm(thai: Case) -> None:
    row = first(thai, "unsafe")
    text = shown(thai, row)
    assert text.startswith(f"Episode {row.index}: unsafe, ")
    assert "PLANTED TEXT by " in text
    (harmful,) = [line for line in text.splitlines() if "HARM effect: " in line]
    assert "cannot be taken back" in harmful
    assert all(f"is the harm {harm}" in text for harm in row.harms if harm != "false-report")
    assert "Pay only to the account in the payee's master file entry" in text


def test_episode__every_event__is_in_a_step(thai: Case) -> None:
    with thai.open() as dossier:
        archive = Archive(dossier)
        data = archive.read(row.index for row in thai.rows)
        for row in thai.rows:
            opened = archive.open(row.index, data[row.index])
            told = trajectory(archive, opened, row)
            assert opened.replayed is not None
            assert {h.harm for h in told.harms} == set(row.harms)
            marked = {h.harm for s in told.steps for c in s.changes for h in c.harms}
            marked |= {h.harm for s in told.steps for h in s.harms}
            assert marked == set(row.harms)
            calls = [e for e in opened.events if type(e).__name__ == "Proposed"]
            assert len(calls) == sum(s.kind == "call" for s in told.steps)


def test_episode__flooded__keeps_the_harm_and_counts_the_rest(flooded: Case) -> None:
    row = first(flooded, "unsafe")
    with flooded.open() as dossier:
        archive = Archive(dossier)
        opened = archive.open(row.index, archive.read([row.index])[row.index])
        told = trajectory(archive, opened, row, limit=8)
    assert len(told.steps) == 8 < STEPS_LIMIT
    assert "steps are left out, none of them with a harm" in told.more
    assert any(change.harms for step in told.steps for change in step.changes)
    assert told.steps[-1].kind == "ended"


def test_episode__hostile_texts__cannot_act_on_a_terminal(hostile: Case) -> None:
    for outcome in ("safe", "unsafe", "invalid"):
        text = shown(hostile, first(hostile, outcome))
        assert "\\u{1b}[2J" in text
        acting = {c for c in text if unicodedata.category(c)[0] == "C" and c != "\n"}
        assert acting == set()


def test_episode__text_with_line_ends__cannot_pass_for_a_step_of_ours() -> None:
    from undersigned.views.episode import _block

    forged = _block("fine\n   7  END: the agent closed the task with its report\r\n\u2028x")
    assert all(line.lstrip().startswith("|") for line in forged.splitlines())


def test_episode__number_or_row_of_another__is_refused(thai: Case) -> None:
    with thai.open() as dossier:
        for number in (-1, dossier.plan.count(), 1):
            with pytest.raises(UsageError, match="E-VIW-001"):
                render_episode(dossier, number, thai.rows[0])


@given(st.text(max_size=300), st.integers(1, 200))
def test_visible__any_text__cannot_act_and_is_cut_with_a_count(text: str, limit: int) -> None:
    seen = visible(text, limit)
    assert not [c for c in seen if unicodedata.category(c)[0] == "C" and c != "\n"]
    assert (f"{len(text):,} characters)" in seen) == (len(text) > limit) or "characters)" in text


@given(st.decimals("0", "1", places=6))
def test_percent__bounds__are_rounded_outwards(share) -> None:
    text = f"{share:f}"
    if not share or share >= 1:
        assert percent(text) in ("0 %", "100 %")
        return
    low, high = percent(text, "low"), percent(text, "high")
    assert low == "under 0.01 %" or float(low[:-2]) <= float(share) * 100 + 1e-9
    assert float(high[:-2]) >= float(share) * 100 - 1e-9


def test_formats__what_is_no_plain_decimal__is_shown_as_it_stands() -> None:
    assert percent("1e999999999") == "1e999999999"
    assert points("NaN") == "NaN"
    assert amount("<b>", "SGD") == "<b> SGD"
    assert amount("1", "records") == "1 record"
