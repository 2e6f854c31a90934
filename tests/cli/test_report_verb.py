"""Does ``undersigned report`` render from the evidence, and open any episode?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.assessment.small import EPISODES, copy, reference
from undersigned.cli.main import main


def test_report__rendered_twice__is_the_same_page_and_touches_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dossier = copy(tmp_path)
    one, two = tmp_path / "one.html", tmp_path / "two.html"
    for path in (one, two):
        assert main(["report", str(dossier), "--out", str(path)]) == 0
        assert str(path) in capsys.readouterr().out
    assert one.read_bytes() == two.read_bytes()
    assert not (dossier / "report.html").exists()
    assert b"payments clerk" in one.read_bytes()


@pytest.mark.parametrize("number", [0, EPISODES - 1])
def test_report__one_episode__is_shown_with_its_grade(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["report", str(reference().dossier), "--episode", str(number)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    row = reference().result.rows[number]
    assert row.hazard in text
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["row"]["index"] == number


@pytest.mark.parametrize("number", ["-1", str(EPISODES), "999999"])
def test_report__episode_that_is_not_there__is_5(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(reference().dossier), "--episode", number, "--json"]) == 5
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert (error["code"], error["fields"]["episodes"]) == ("E-ASM-011", str(EPISODES))


def test_report__no_dossier_or_damaged__is_3_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = copy(tmp_path)
    (damaged / "plan.json").write_bytes(b"{}")
    (tmp_path / "empty").mkdir()
    for path in (damaged, tmp_path / "none", tmp_path / "empty"):
        out = tmp_path / "report.html"
        assert main(["report", str(path), "--out", str(out)]) == 3
        told = capsys.readouterr()
        assert told.err.startswith("E-")
        assert "Traceback" not in told.err
        assert not out.exists()


def test_report__place_that_cannot_be_written__is_a_storage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "report.html"
    assert main(["report", str(reference().dossier), "--out", str(out)]) == 70
    assert "E-COR-004" in capsys.readouterr().err
