"""Does ``undersigned verify`` tell a dossier that holds from one that was touched, line by line?"""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.assessment.small import (
    Forgery,
    copy,
    forge,
    instrument_kept,
    other,
    reference,
    taped,
)
from undersigned.assessment.dossier import Dossier
from undersigned.assessment.rerun import regrade
from undersigned.cli.main import main
from undersigned.core.canonical import encode
from undersigned.evidence.bundle import zip_bundle
from undersigned.evidence.log import Log
from undersigned.evidence.trust import load_trust, write_trust
from undersigned.views.report import render_report


class Shown(NamedTuple):
    """What verify printed. text: for people. findings: of ``--json``."""

    code: int
    text: str
    findings: list[dict[str, str]]

    def of(self, status: str) -> list[dict[str, str]]:
        return [f for f in self.findings if f["status"] == status]


def shown(
    capsys: pytest.CaptureFixture[str], dossier: Path, *more: str, trust: Path | None = None
) -> Shown:
    """Verify with and without --json; both must say the same."""
    arguments = ["verify", str(dossier), "--trust", str(trust or reference().trust), *more]
    with instrument_kept():
        code = main(arguments)
        text = capsys.readouterr().out
        assert main([*arguments, "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["errors"]) == (code == 0, [])
    findings: list[dict[str, str]] = document["data"]["findings"]
    assert all(f["what"][:60] in text for f in findings)
    words = {0: "HOLDS", 3: "DOES NOT HOLD", 4: "CANNOT BE DECIDED HERE"}
    assert text.rstrip().splitlines()[-1] == words[code]
    assert "Traceback" not in text
    return Shown(code, text, findings)


def refused(found: Shown, code: str, file: str) -> None:
    """Check that one line names code and file, and the next what settles it."""
    assert found.code == 3
    assert (code, file) in {(f["code"], f["file"]) for f in found.of("fails")}
    lines = found.text.splitlines()
    at = next(n for n, line in enumerate(lines) if code in line and file in line)
    assert lines[at].startswith("fails")
    assert "to settle it:" in lines[at + 1]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return a copy of the dossier with its report, as ``undersigned test`` leaves it."""
    dossier = copy(tmp_path)
    with Dossier(dossier) as opened:
        page = render_report(opened, asyncio.run(regrade(opened)))
    (dossier / "report.html").write_bytes(page)
    return dossier


def test_verify__untouched__holds_with_its_report(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown(capsys, whole)
    assert found.code == 0
    assert "report.html was rendered again and is the same" in found.text
    known = {f["code"] for f in found.of("unknown")}
    # Other tests may have registered further plans of this agent in the same tester's log.
    assert known - {"E-EVD-187"} == {"E-EVD-180", "E-EVD-181", "E-EVD-182"}


def test_verify__edited_report__is_refused(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = whole / "report.html"
    data = page.read_bytes()
    assert b"exceeded" in data.lower()
    page.write_bytes(data.replace(b"xceeded", b"ithin"))
    found = shown(capsys, whole)
    refused(found, "E-ASM-009", "report.html")
    assert f"undersigned report {whole}"[:100] in found.text


def test_verify__flipped_byte__is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dossier = copy(tmp_path)
    name = "episodes/shard-00000.jsonl.zst"
    data = bytearray((dossier / name).read_bytes())
    data[1000] ^= 0x10
    (dossier / name).write_bytes(data)
    found = shown(capsys, dossier)
    refused(found, "E-EVD-106", name)
    assert "E-EVD-170" in found.text


def test_verify__missing_file__is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dossier = copy(tmp_path)
    (dossier / "system" / "card.json").unlink()
    refused(shown(capsys, dossier), "E-EVD-104", "system/card.json")


@pytest.mark.parametrize("name", ["notes.txt", "episodes/shard-00001.leaves", ".hidden", "UPPER"])
def test_verify__extra_file__is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dossier = copy(tmp_path)
    (dossier / name).write_bytes(b"")
    code = "E-EVD-102" if name in (".hidden", "UPPER") else "E-EVD-105"
    refused(shown(capsys, dossier), code, name)


def test_verify__hand_written_tape__is_shown_as_tester_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = taped()
    found = shown(capsys, made.dossier, trust=made.trust)
    assert found.code == 0
    (line,) = [f for f in found.findings if f["code"] == "E-EVD-184"]
    assert (line["status"], "tester-said" in line["what"]) == ("unknown", True)


def test_verify__scores_signed_anew__are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = reference().result.summary
    better = msgspec.structs.replace(summary, worst=())
    refused(shown(capsys, forge(tmp_path, Forgery(summary=better))), "E-ASM-006", "scores.json")


def test_verify__other_code__is_4_and_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Dossier(reference().dossier) as dossier:
        plan = msgspec.structs.replace(dossier.plan, code=other(dossier.plan.code))
    found = shown(capsys, forge(tmp_path, Forgery(plan=encode(plan))))
    assert found.code == 4
    lines = found.text.splitlines()
    at = next(n for n, line in enumerate(lines) if "E-ASM-005" in line)
    assert f"install the version that it names: code {plan.code}" in lines[at + 1]


def test_verify__zip__holds_and_torn_zip_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = zip_bundle(copy(tmp_path), tmp_path / "d.zip")
    assert shown(capsys, packed).code == 0
    packed.write_bytes(packed.read_bytes()[:-100])
    found = shown(capsys, packed)
    assert (found.code, found.of("fails")[0]["code"]) == (3, "E-EVD-101")


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b"[" * 100_000])
def test_verify__unreadable_trust_file__is_refused(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trust.json"
    if content is not None:
        path.write_bytes(content)
    found = shown(capsys, reference().dossier, trust=path)
    assert found.code == 3
    assert "E-EVD-110" in {f["code"] for f in found.of("fails")}


def test_verify__keys_that_the_trust_file_does_not_know__are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = load_trust(reference().trust)
    for role, code in (("tester", "E-EVD-112"), ("log", "E-EVD-120")):
        keys = tuple(key for key in held.keys if role not in key.roles)
        path = tmp_path / f"{role}.json"
        write_trust(path, msgspec.structs.replace(held, keys=keys))
        found = shown(capsys, reference().dossier, trust=path)
        assert found.code == 3
        assert code in {f["code"] for f in found.of("fails")}


def checkpoint(folder: Path, entries: int, *, same: bool) -> str:
    """Return a checkpoint by the tester's own log key. same: of the dossier's own history."""
    tester = reference().tester
    if same:
        return (reference().dossier / "log" / "checkpoint").read_text()
    with Log.create(folder / "shadow", tester.log_key.name, tester.log_key) as log:
        with Log.open(tester.log, tester.log_key) as real:
            first = real.entry(0)
        log.append([first.replace(b'"size":', b'"size":1')] * entries)
        return log.checkpoint()


def test_seen__own_history__holds_and_settles_what_others_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "seen"
    note.write_text(checkpoint(tmp_path, 0, same=True))
    found = shown(capsys, reference().dossier, "--seen", str(note))
    assert found.code == 0
    assert "E-EVD-180" not in {f["code"] for f in found.findings}


@pytest.mark.parametrize(
    ("entries", "exit_code", "code"), [(1, 3, "E-EVD-128"), (9, 4, "E-EVD-172")]
)
def test_seen__contradicting_or_newer_checkpoint__is_told(
    entries: int, exit_code: int, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "seen"
    note.write_text(checkpoint(tmp_path, entries, same=False))
    found = shown(capsys, reference().dossier, "--seen", str(note))
    assert found.code == exit_code
    assert code in {f["code"] for f in found.findings}


@pytest.mark.parametrize("content", [b"", b"\xff", b"not a note\n", None])
def test_seen__no_checkpoint__is_one_error(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "seen"
    if content is not None:
        note.write_bytes(content)
    arguments = ["verify", str(reference().dossier), "--trust", str(reference().trust)]
    code = main([*arguments, "--seen", str(note), "--json"])
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert code == (70 if content is None else 3)
    assert error["remedy"]


@pytest.mark.parametrize("what", ["nothing", "file", "folder"])
def test_verify__no_dossier__does_not_hold(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "d"
    if what == "file":
        path.write_bytes(b"PK no zip")
    if what == "folder":
        path.mkdir()
    found = shown(capsys, path)
    assert found.code == 3
    assert all(f["remedy"] for f in found.of("fails"))


def test_verify__hostile_file_name__does_nothing_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dossier = copy(tmp_path)
    (dossier / "\x1b[2J\u202ex").write_bytes(b"")
    text = shown(capsys, dossier).text
    assert not {"\x1b", "\u202e"} & set(text)


def test_verify__without_trust__is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(reference().dossier)]) == 2
    assert "--trust" in capsys.readouterr().err


def test_verify__changes_nothing_in_the_dossier(tmp_path: Path) -> None:
    dossier = copy(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in dossier.rglob("*")}
    shutil.copy(reference().trust, tmp_path / "t.json")
    assert main(["verify", str(dossier), "--trust", str(tmp_path / "t.json"), "--quiet"]) == 0
    assert {p: p.stat().st_mtime_ns for p in dossier.rglob("*")} == before
