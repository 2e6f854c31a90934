"""What would another policy have made of a dossier's own episodes?"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.assessment.small import governed, reference, taped
from undersigned.assessment.dossier import Dossier
from undersigned.assessment.governance import family_policy
from undersigned.assessment.replaying import replay
from undersigned.cli.main import main
from undersigned.core.errors import UndecidableError, UsageError
from undersigned.worlds.family import load_family

OWN = family_policy(load_family("payments", ("en",)))


def test_replay__own_policy_again__comes_out_as_the_run() -> None:
    with Dossier(governed().dossier) as opened:
        found = asyncio.run(replay(opened, OWN))
    run, last = found.run(), found.arms[-1]
    assert last.policy == run.policy
    assert last.measured == run.measured


def test_replay__dossier_without_controls__gets_them_afterwards() -> None:
    with Dossier(reference().dossier) as opened:
        found = asyncio.run(replay(opened, OWN))
    bare, behind = found.without().measured, found.run().measured
    assert bare is not None
    assert behind is not None
    assert bare.unsafe.k is not None
    assert behind.unsafe.k is not None
    assert behind.unsafe.k < bare.unsafe.k


def test_replay__turns_that_cannot_be_taken_again__is_undecidable() -> None:
    with Dossier(taped().dossier) as opened, pytest.raises(UndecidableError, match="E-ASM-019"):
        asyncio.run(replay(opened, OWN))


def test_replay__policy_that_cannot_be_enforced__is_refused(tmp_path: Path) -> None:
    with Dossier(governed().dossier) as opened, pytest.raises(UsageError, match="E-CTL"):
        asyncio.run(replay(opened, "permit ("))


def test_replay__by_command__prints_one_line_an_arm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "policy.cedar"
    path.write_text(OWN)
    assert main(["policy", "replay", str(governed().dossier), str(path), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(" rubber-stamp " in line for line in lines) >= 2
    assert any(line.startswith("none") for line in lines)
