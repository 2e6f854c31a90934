"""Are six of six classes of tampering caught, and does the row notice when one is not?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import standalone, tamper
from benchmarks.measure import Setup


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tamper.Scene:
    return tamper.stage(tmp_path_factory.mktemp("tamper"))


def test_tamper__six_classes__are_caught_and_the_honest_dossier_holds(scene: tamper.Scene) -> None:
    assert tamper.honest_holds(scene)
    assert len(tamper.ATTACKS) == tamper.ROWS[0].target == 6
    assert [attack.name for attack in tamper.ATTACKS if not tamper.caught(scene, attack)] == []
    assert sorted(path.name for path in scene.folder.iterdir() if path.is_dir()) == [
        "dossier", "home", "run",
    ]  # fmt: skip


def test_tamper__nothing_done_or_told_by_another_code__is_not_caught(scene: tamper.Scene) -> None:
    idle = tamper.Attack("nothing", "E-EVD-122", lambda scene, _: scene.trust)
    assert not tamper.caught(scene, idle)
    assert not tamper.caught(scene, tamper.ATTACKS[0]._replace(code="E-EVD-111"))


def test_split_view__without_the_second_checkpoint__is_said_to_be_unknown(
    scene: tamper.Scene, tmp_path: Path
) -> None:
    findings = tamper.verify_dossier(scene.dossier, scene.trust)
    assert "E-EVD-180" in {item.code for item in findings if item.status == "unknown"}


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    yield Setup(True, 1, tmp_path)
    assert not list(tmp_path.iterdir())


def test_receipt__with_three_cosignatures__verifies_in_1600_bytes(setup: Setup) -> None:
    probe = standalone.receipt_size(setup)
    assert 1400 < probe.ours() <= 1600
    made = standalone.proven()
    standalone.check(made, made.witnesses)
    forged = made._replace(leaf=bytes(32))
    with pytest.raises(RuntimeError, match="does not verify"):
        standalone.check(forged, ())
