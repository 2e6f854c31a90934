"""Do ``undersigned suite list`` and ``show`` say what is tested, and whether it is sound?"""

from __future__ import annotations

import json

import pytest

from undersigned.assessment import instrument
from undersigned.assessment.instrument import MUTANTS, Mutant
from undersigned.cli.main import main


def data(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> object:
    assert main([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)["data"]


def test_list__names_every_suite_with_version(capsys: pytest.CaptureFixture[str]) -> None:
    rows = data(capsys, "suite", "list")
    assert isinstance(rows, list)
    assert "payments" in {row["name"] for row in rows}
    assert main(["suite", "list"]) == 0
    text = capsys.readouterr().out
    assert all(f"{row['name']}  {row['version']}" in text for row in rows)


def test_show__names_hazards_tools_and_that_texts_are_drafts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = data(capsys, "suite", "show", "payments", "--locale", "th")
    assert isinstance(found, dict)
    assert found["locales"] == ["th"]
    assert main(["suite", "show", "payments", "--locale", "th"]) == 0
    text = capsys.readouterr().out
    assert all(hazard["name"] in text and hazard["summary"] in text for hazard in found["hazards"])
    assert all(f"{tool['name']} ({tool['class']})" in text for tool in found["tools"])
    assert "drafts" in text


def test_show__instrument__prints_every_agent_and_every_blinding(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["suite", "show", "payments", "--locale", "th", "--instrument", "--quiet"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "30 of 30 agents earned what they declare" in text
    assert all(f"blinded: {mutant.name}: caught" in text for mutant in MUTANTS)
    assert "NOT CAUGHT" not in text


def test_show__instrument_that_is_blind__is_70_and_says_to_what(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instrument, "MUTANTS", (Mutant("sees it all", lambda trace: trace),))
    arguments = ["suite", "show", "payments", "--locale", "th", "--instrument", "--quiet"]
    assert main(arguments) == 70
    assert "blinded: sees it all: NOT CAUGHT" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["payment"], 2, "E-WLD-002"),
        (["../payments"], 2, "E-WLD-002"),
        (["\x1b[31m"], 2, "E-WLD-002"),
        (["payments", "--locale", "klingon"], 2, "E-LNG-001"),
        ([], 2, "E-CLI-001"),
    ],
)
def test_show__unknown__is_refused_in_words(
    arguments: list[str], exit_code: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suite", "show", *arguments]) == exit_code
    told = capsys.readouterr().err
    assert told.startswith(code)
    assert "\x1b" not in told
    assert "try: " in told
