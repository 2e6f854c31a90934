"""Does a run wait for a verifier's nonce, and is a plan given up by command?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_test_verb import BUDGET, place
from undersigned.cli.main import main

__all__ = ["place"]

TEST = ("test", "card.yaml", "--budget", BUDGET, "--out", "run", "--quiet")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """Run with --json; return the exit code, data and the first error."""
    code = main([*arguments, "--json"])
    document = json.loads(capsys.readouterr().out)
    error = document["errors"][0] if document["errors"] else {}
    return {"code": code, "error": error.get("code"), **(document["data"] or {})}


def test_challenge__from_card_to_verified_dossier__with_annex_and_zip(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "note.txt").write_text("asked: Tan Mei Ling")
    assert told(capsys, *TEST, "--challenge")["error"] == "E-ASM-016"
    assert told(capsys, *TEST, "--resume")["error"] == "E-ASM-016"
    given = told(capsys, "verify", "run/registration", "--trust", "run/trust.json")
    nonce = str(given["nonce"])
    assert len(nonce) == 64
    assert told(capsys, *TEST, "--resume", "--nonce", "short")["error"] == "E-ASM-017"
    more = ("--resume", "--nonce", nonce, "--attach", "note.txt", "--zip")
    assert told(capsys, *TEST, *more)["code"] == 1
    for dossier in ("run/dossier", "run/dossier.zip"):
        found = told(capsys, "verify", dossier, "--trust", "run/trust.json", "--nonce", nonce)
        assert found["code"] == 0
        lines = found["findings"]
        assert isinstance(lines, list)
        assert any(f["what"].endswith("challenge: yours") for f in lines)
        assert any(f["what"].endswith("1 stated") for f in lines)
    other = told(capsys, "verify", "run/dossier", "--trust", "run/trust.json", "--nonce", "0" * 64)
    assert other["code"] == 3


def test_challenge__another_nonce_or_none_asked_for__is_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nonces = ("a" * 64, "b" * 64)
    assert told(capsys, *TEST, "--nonce", nonces[0])["error"] == "E-ASM-017"
    assert told(capsys, *TEST, "--challenge", "--nonce", nonces[0])["error"] == "E-ASM-017"
    assert told(capsys, *TEST, "--challenge")["error"] == "E-ASM-016"
    (place / "run" / "run" / "nonce").write_text(nonces[0])
    assert told(capsys, *TEST, "--resume", "--nonce", nonces[1])["error"] == "E-ASM-017"


def test_abandon__by_command__closes_the_plan_and_the_run(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, *TEST, "--challenge")["error"] == "E-ASM-016"
    assert told(capsys, "log", "abandon", "0", "--reason", "no nonce came")["code"] == 0
    assert told(capsys, "log", "abandon", "0", "--reason", "again")["error"] == "E-ASM-014"
    assert told(capsys, *TEST, "--resume")["error"] == "E-ASM-014"
    rows = told(capsys, "log", "show")["entries"]
    assert isinstance(rows, list)
    assert rows[0]["state"] == "abandoned"
    assert told(capsys, "log", "abandon", "0", "--reason", "x", "--party", "nobody")["code"] == 70


@pytest.mark.parametrize("seen", ["none", "no checkpoint"])
def test_seen__unreadable__is_an_error_and_not_a_finding(
    seen: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if seen != "none":
        (place / "seen").write_text(seen)
    arguments = ("verify", "run/dossier", "--trust", "run/trust.json", "--seen", "seen")
    assert told(capsys, *arguments)["error"] in ("E-COR-005", "E-EVD-004")
