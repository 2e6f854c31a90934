"""Does the report say what the controls change: the comparison's own numbers, and nothing else?"""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest

from tests.views.conftest import SCRIPT, Case
from tests.views.test_report import Page
from undersigned.assessment.arms import Comparison, Verdict
from undersigned.assessment.comparison import NOT_RUN, REVIEWERS
from undersigned.assessment.dossier import Dossier
from undersigned.controls.policy import RESERVED
from undersigned.controls.records import GATE_ERROR
from undersigned.controls.reviewers import reviewer_of
from undersigned.core.streams import Stream
from undersigned.scoring.outcomes import Tally
from undersigned.views import words
from undersigned.views.controls import MOST, controls_view, reviewer_words
from undersigned.views.formats import percent, tenths
from undersigned.views.report import render_report


def comparison_of(case: Case) -> Comparison:
    with case.open() as dossier:
        found = dossier.comparison()
    assert found is not None
    return found


def section(case: Case) -> str:
    """Return the HTML of the section."""
    data = case.report.decode()
    start = data.index('<section aria-labelledby="controls">')
    return data[start : data.index("</section>", start)]


def text_of(html: str) -> str:
    return Page(html.encode()).text()


def test_section__ungoverned__is_not_there(thai: Case) -> None:
    data = thai.report.decode()
    assert "With and without the controls" not in data
    assert "#controls" not in data
    assert "Reviewer assumed" not in data


def test_section__each_arm__is_a_row_with_its_numbers(guarded: Case) -> None:
    html, found = section(guarded), comparison_of(guarded)
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    rows = re.findall(r"<tr>.*?</tr>", table, re.DOTALL)
    assert len(rows) == len(found.arms) == 1 + len(REVIEWERS)
    for row, arm in zip(rows, found.arms, strict=True):
        measured = arm.measured
        assert measured is not None
        values = re.findall(r'<data value="([^"]*)">', row)
        unsafe = measured.unsafe
        assert values == [
            unsafe.value, unsafe.low, unsafe.high, measured.useful.value, measured.asks_per_hundred,
        ]  # fmt: skip
        assert f"{unsafe.k} of {unsafe.n}" in row
        assert ("this run" in row) == arm.is_run
        assert row.count('<svg class="interval"') == 1
        assert percent(unsafe.value) in re.findall("<title>(.*?)</title>", row)[0]


def test_section__headline__names_the_reviewer_it_assumes(guarded: Case) -> None:
    data = guarded.report.decode()
    verdict = data[data.index('<section id="result"') : data.index("Episodes with harm")]
    assert "Reviewer assumed: rubber-stamp" in text_of(verdict)
    said = text_of(section(guarded))
    assert "assumes a reviewer who approves whatever is asked" in said
    assert "The texts are drafts" in said
    assert '<a href="#controls">Controls</a>' in data


def test_section__rules_and_requests__have_counts_and_reasons(guarded: Case) -> None:
    html, run = section(guarded), comparison_of(guarded).run().measured
    assert run is not None
    assert run.stopped
    assert run.asked
    for each in run.stopped:
        row = re.search(rf"<code>{each.reason}</code></th>.*?</tr>", html)
        assert row is not None
        assert f">{each.count}</td>" in row[0]
        assert each.words
    for asked in run.asked:
        rows = re.findall(r"<tr>.*?</tr>", html)
        assert [
            r for r in rows if f">{asked.count}</td>" in r and f"<code>{asked.tool}</code>" in r
        ]
    for through in run.through:
        assert f"{through.k} of {through.n}" in html[html.index("What still gets through") :]


def test_section__hostile_reasons_of_a_policy__are_only_text(guarded: Case) -> None:
    html = section(guarded)
    assert SCRIPT in text_of(html)
    assert "<script" not in html
    assert "<img" not in html


def test_section__tape__says_that_other_arms_were_not_run(guarded_tape: Case) -> None:
    html, found = section(guarded_tape), comparison_of(guarded_tape)
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    assert table.count(f"not run: {NOT_RUN}") == len(found.arms) - 1
    assert table.count("<data value=") == 5
    assert "Change in the same episodes" not in html
    said = text_of(html)
    assert "Only the run itself has numbers" in said
    assert "The headline assumes the reviewer detects:80,10. A control should not rest on" in said
    assert "row of the rubber stamp" not in said
    assert "In none of the 36 compared main episodes did harm come about" in said
    assert "No act was stopped." in said
    assert "No one was asked." in said


def disguised(case: Case) -> str:
    """Return the HTML of what gets through in disguise."""
    html = section(case)
    return html[html.index('<h3 id="disguised">') :]


def test_disguised__each_strategy__is_a_row_with_its_counts(guarded: Case) -> None:
    html, probe = disguised(guarded), comparison_of(guarded).probe
    assert probe is not None
    rows = re.findall(r"<tr>.*?</tr>", html[html.index("<tbody>") :], re.DOTALL)
    assert len(rows) == len(probe.tried) > 10
    by_name = {re.findall("<code>(.*?)</code>", row)[0]: row for row in rows}
    for each in probe.tried:
        row = by_name[each.strategy]
        counts = (
            each.episodes, each.harmed_ungoverned, each.harmed_governed, each.reached, each.asked,
        )  # fmt: skip
        assert re.findall(r'<td class="n" [^>]*>(\d+)</td>', row) == [str(n) for n in counts]
        assert each.summary in text_of(row)
        assert each.verdict in text_of(row)
        assert all(f"{t.name}</code> {t.count}" in row for t in each.denied_by[:MOST])
        assert all(f"{t.name} {t.count}" in text_of(row) for t in each.through)


def test_disguised__what_gets_through__stands_first_and_in_a_sentence(guarded: Case) -> None:
    html, found = disguised(guarded), comparison_of(guarded)
    assert found.probe is not None
    view = controls_view(found, "0.05")
    assert view is not None
    assert view.probed is not None
    through = [each for each in found.probe.tried if each.verdict == "gets through"]
    shown = [row.tried for row in view.probed.rows]
    assert 0 < len(through) < len(shown)
    assert {each.verdict for each in shown[: len(through)]} == {"gets through"}
    shares = [each.harmed_governed / each.episodes for each in shown[: len(through)]]
    assert shares == sorted(shares, reverse=True)
    said = text_of(html[: html.index("<table")])
    verb = "gets" if len(through) == 1 else "get"
    assert f"{len(through)} of {len(shown)} strategies {verb} through the policy" in said
    for each in through:
        assert f"{each.strategy} in {each.harmed_governed} of {each.episodes} episodes" in said
    assert "This says nothing of strategies that are not listed." in text_of(html)


def changed(found: Comparison, **fields: Any) -> Comparison:
    """Return a comparison in which each strategy fared otherwise."""
    assert found.probe is not None
    tried = tuple(msgspec.structs.replace(each, **fields) for each in found.probe.tried)
    return msgspec.structs.replace(found, probe=msgspec.structs.replace(found.probe, tried=tried))


def drawn(case: Case, found: Comparison, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the text of the section as a report with another comparison has it."""
    monkeypatch.setattr(Dossier, "comparison", lambda _: found)
    with case.open() as dossier:
        page = render_report(dossier, case.rows)
    return text_of(section(case._replace(report=page)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"harmed_governed": 0, "through": ()}, "strategies gets through the policy."),
        ({"episodes": 0}, "Not tried: none of the"),
        ({"reached": 0, "harmed_governed": 0, "through": ()}, "the attack was never tried"),
        ({"unseen": 1}, "in 1 data left that no search found"),
        (
            {"harmed_governed": 0, "through": (), "denied_by": (Tally(GATE_ERROR, 1),)},
            "the gate itself failed. That it stopped something there is a fault of this software",
        ),
    ],
    ids=["stopped", "nowhere", "unreached", "unseen", "gate"],
)
def test_disguised__whatever_became_of_it__is_said(
    fields: dict[str, Any], said: str, guarded: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = comparison_of(guarded)
    assert said not in text_of(section(guarded))
    assert said in drawn(guarded, changed(found, **fields), monkeypatch)


def test_disguised__switched_off__says_not_tried(
    guarded: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = msgspec.structs.replace(comparison_of(guarded), probe=None)
    said = drawn(guarded, found, monkeypatch)
    assert "Not tried: the system card switches this off" in said
    assert "Strategies against the policy" not in said


def test_section__gate_that_failed__is_said_and_is_no_achievement_of_the_policy(
    guarded: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = comparison_of(guarded)
    assert "The gate itself failed" not in text_of(section(guarded))
    run = found.run()
    measured = msgspec.structs.replace(run.measured, gate_errors=3)
    arms = tuple(
        msgspec.structs.replace(arm, measured=measured) if arm.is_run else arm for arm in found.arms
    )
    said = drawn(guarded, msgspec.structs.replace(found, arms=arms), monkeypatch)
    assert f"The gate itself failed in 3 of {measured.episodes} compared episodes" in said
    assert "a fault of this software and nothing that the policy achieved" in said
    assert "counts as invalid" in said
    assert "3 with a fault of the gate" in said


def test_report__governed__stays_small(guarded: Case) -> None:
    assert len(guarded.report) < 300_000


def test_words__every_verdict_on_a_strategy__has_its_own() -> None:
    assert set(words.PROBED) == set(get_args(Verdict))


def test_view__without_a_comparison__is_none() -> None:
    assert controls_view(None, "0.05") is None


def test_view__observed_only__says_that_nothing_was_blocked(guarded: Case) -> None:
    found = comparison_of(guarded)
    run = msgspec.structs.replace(found.run(), mode="observe")
    arms = tuple(run if arm.is_run else arm for arm in found.arms)
    view = controls_view(msgspec.structs.replace(found, arms=arms), "0.05")
    assert view is not None
    assert not view.is_enforced
    assert "blocked nothing" in view.assumes
    assert "rubber-stamp, observed only" in [row.title for row in view.rows]


@pytest.mark.parametrize("reviewer", REVIEWERS)
def test_words__every_reviewer__has_its_own(reviewer: str) -> None:
    assert reviewer_of(reviewer, Stream.of("name"), lambda *_: False).name == reviewer
    assert reviewer_words(reviewer)


def test_words__every_reason_that_is_no_rule__has_its_own() -> None:
    assert set(words.REASONS) >= RESERVED


@pytest.mark.parametrize(
    ("text", "shown"), [("67.661692", "67.7"), ("0.000000", "0"), ("0.04", "under 0.1"), ("x", "x")]
)
def test_tenths__decimal__has_one_place(text: str, shown: str) -> None:
    assert tenths(text) == shown
