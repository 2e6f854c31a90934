"""Does the teaching script refuse every attack, tell why, and notice one that gets through?"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from examples import attacks
from tests.assessment.small import reference
from undersigned.assessment.dossier import Dossier
from undersigned.evidence.bundle import zip_bundle
from undersigned.views.report import render_report

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def dossier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole dossier with its report."""
    made = reference()
    folder = Path(shutil.copytree(made.dossier, tmp_path_factory.mktemp("attacks") / "dossier"))
    with Dossier(folder) as opened:
        (folder / "report.html").write_bytes(render_report(opened, made.result.rows))
    return folder


def test_script__honest_dossier__refuses_every_attack(dossier: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "attacks.py"), str(dossier)]
    before = sorted((path, path.stat().st_mtime_ns) for path in dossier.rglob("*"))
    done = subprocess.run(
        [*command, "--trust", str(reference().trust)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "untouched: holds"
    words = [line.split()[1] for line in lines[1:-1:2]]
    assert len(words) == len(attacks.ATTACKS) == len({attack.words for attack in attacks.ATTACKS})
    untried = [line for line in lines if " not tried " in line]
    assert all("swap two shards" in line for line in untried), untried
    assert lines[-1].startswith(f"{len(words) - len(untried)} refused, 0 NOT REFUSED")
    assert sorted((path, path.stat().st_mtime_ns) for path in dossier.rglob("*")) == before


def test_run__zip_of_it__is_attacked_as_well(
    dossier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [attack for attack in attacks.ATTACKS if not attack.is_whole]
    monkeypatch.setattr(attacks, "ATTACKS", alone)
    said: list[str] = []
    target = zip_bundle(dossier, tmp_path / "dossier.zip")
    assert attacks.run(target, reference().trust, said.append) == 0
    assert "0 NOT REFUSED" in said[-1]


def test_run__attack_that_changes_nothing__is_told_by_line_and_exit_code(
    dossier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmless = attacks.Attack("do nothing", lambda _: None, (106,))
    other = attacks.Attack("add a space", attacks.respell, (105,))
    monkeypatch.setattr(attacks, "ATTACKS", (harmless, other))
    said: list[str] = []
    assert attacks.run(dossier, reference().trust, said.append) == 1
    assert [line.split("\n")[0].split(maxsplit=1)[1][:11] for line in said[1:-1]] == [
        "NOT REFUSED",
        "NOT REFUSED",
    ]
    assert said[-1] == "0 refused, 2 NOT REFUSED, 0 not tried"


def test_run__dossier_that_does_not_hold__is_not_attacked(dossier: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(dossier, tmp_path / "broken"))
    attacks.flip(broken / "scores.json")
    said: list[str] = []
    assert attacks.run(broken, reference().trust, said.append) == 2
    assert len(said) == 1
