"""Does ``undersigned policy probe`` say what gets through, and where?"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from undersigned.attacks.strategies import strategies
from undersigned.cli.main import main

OWN = files("undersigned.worlds.families").joinpath("payments", "policy.cedar")
QUICK = ("--family", "payments", "--locale", "en", "--seeds", "1", "--quiet")


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.cedar"
    path.write_text(OWN.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_probe__policy_of_the_suite__lists_every_strategy_and_exits_with_0(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "probe", str(policy_file), *QUICK]) == 0
    text = capsys.readouterr().out
    lines = {
        line.split()[0]: line for line in text.split("what gets through")[0].splitlines()[4:-1]
    }
    assert list(lines) == list(strategies())
    assert "payee-unvouched" in lines["launder-draft"]
    assert " stopped " in lines["swap-after-screening"]
    assert "gets through (" in lines["late-change"]
    assert " stopped " in lines["split-fields"]
    recipient = 'context.facts.unvouched.contains("recipient")'
    policy_file.write_text(policy_file.read_text().replace(recipient, "false"))
    assert main(["policy", "probe", str(policy_file), *QUICK]) == 0
    assert "data that left and that no search found" in capsys.readouterr().out


def test_probe__strict__exits_with_1_and_json_says_the_same(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "probe", str(policy_file), *QUICK, "--strict", "--json"]) == 1
    found: Any = json.loads(capsys.readouterr().out)["data"]
    assert [row["strategy"] for row in found["strategies"]] == list(strategies())
    through = [row for row in found["strategies"] if row["verdict"] == "gets through"]
    assert found["through"] == len(through) > 0
    assert all(row["harmed_governed"] for row in through)


def test_probe__unknown_reviewer_or_locale__is_refused(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "probe", str(policy_file), *QUICK, "--reviewer", "robot"]) == 2
    assert "E-CTL-050" in capsys.readouterr().err
    assert main(["policy", "probe", str(policy_file), *QUICK, "--locale", "xx"]) == 2
    assert "E-LNG-001" in capsys.readouterr().err
