"""Is a plan registered before it runs, once, and never by two runs?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.assessment.small import card_of
from undersigned.assessment.card import AgentSource
from undersigned.assessment.registry import label_of, open_tester, register
from undersigned.assessment.run import Order, prepare
from undersigned.core.errors import StorageError
from undersigned.episodes.execute import open_run
from undersigned.evidence.log import Log

CARD = card_of(AgentSource(reference="honest-plain"))


def test_register__resumed__is_the_same_entry_and_the_first_receipt(tmp_path: Path) -> None:
    tester, folder = open_tester(tmp_path / "home", "demo", ()), tmp_path / "run"
    prepared = prepare(Order(CARD, "160", label=label_of(folder, tester)), tmp_path)
    open_run(folder, prepared.plan, resume=False)
    assert register(prepared, tester, folder) == 0
    receipt = (folder / "prereg.tlog-proof").read_bytes()
    assert label_of(folder, tester) == "log-0"
    assert label_of(tmp_path / "another", tester) == "log-1"
    assert register(prepared, tester, folder) == 0
    assert (folder / "prereg.tlog-proof").read_bytes() == receipt
    (folder / "prereg.tlog-proof").unlink()  # killed between log and receipt
    assert register(prepared, tester, folder) == 0
    assert (folder / "prereg.tlog-proof").read_bytes() == receipt


def test_register__two_runs_planned_at_once__are_told_apart(tmp_path: Path) -> None:
    """They would close one registration with two results, and both would be refused."""
    tester = open_tester(tmp_path / "home", "demo", ())
    prepared = prepare(Order(CARD, "160", label=label_of(tmp_path / "a", tester)), tmp_path)
    for name in ("a", "b"):
        open_run(tmp_path / name, prepared.plan, resume=False)
    register(prepared, tester, tmp_path / "a")
    for _ in range(2):
        with pytest.raises(StorageError) as caught:
            register(prepared, tester, tmp_path / "b")
        assert caught.value.code == "E-ASM-012"
        assert str(tmp_path / "b") in caught.value.remedy
    shutil.rmtree(tmp_path / "b")
    again = prepare(Order(CARD, "160", label=label_of(tmp_path / "b", tester)), tmp_path)
    assert again.plan.digest() != prepared.plan.digest()
    open_run(tmp_path / "b", again.plan, resume=False)
    assert register(again, tester, tmp_path / "b") == 1
    with Log.open(tester.log, tester.log_key) as log:
        assert log.size == 2


def test_plan__same_card_and_label__is_the_same_and_another_label_another(tmp_path: Path) -> None:
    def digest(label: str, budget: str = "160") -> str:
        return prepare(Order(CARD, budget, label=label), tmp_path).plan.digest()

    assert digest("log-0") == digest("log-0")
    assert len({digest("log-0"), digest("log-1"), digest("log-0", "161")}) == 3
