"""Is every plan closed once, are annexes committed, and does the log expose a selective tester?"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.assessment.small import card_of, checked, instrument_kept
from undersigned.assessment import registry
from undersigned.assessment.card import AgentSource
from undersigned.assessment.dossier import seal
from undersigned.assessment.registration import is_registration, new_nonce, read_registration
from undersigned.assessment.registry import (
    abandon,
    example_trust,
    label_of,
    open_tester,
    register,
)
from undersigned.assessment.run import Annexes, Order, Result, check, open_agent, prepare, run
from undersigned.core.errors import EvidenceError, StorageError, UsageError
from undersigned.episodes.execute import open_run
from undersigned.evidence.verify import Finding, verify_dossier

CARD = card_of(AgentSource(reference="follower-locale:th"))
BUDGET = "160"


@pytest.fixture
def tester(tmp_path: Path) -> registry.Tester:
    made = open_tester(tmp_path / "home", "lab", ())
    example_trust(made, tmp_path / "trust.json")
    return made


def order(tester: registry.Tester, folder: Path, challenge: str = "none") -> Order:
    label = label_of(folder, tester)
    return Order(CARD, BUDGET, ("payee-swap",), ("th",), label, challenge)  # type: ignore[arg-type]


def registered(tester: registry.Tester, folder: Path, challenge: str = "none") -> int:
    prepared = prepare(order(tester, folder, challenge), folder)
    open_run(folder, prepared.plan, resume=folder.exists())
    return register(prepared, tester, folder)


def sealed(
    tester: registry.Tester, folder: Path, nonce: str = "", annexes: Annexes | None = None
) -> Path:
    """Run what is registered in a folder, and seal it."""

    async def work() -> Result:
        prepared = prepare(order(tester, folder, "verifier" if nonce else "none"), folder)
        async with AsyncExitStack() as stack:
            agent, announce = await open_agent(CARD, folder, {}, (), stack)
            with instrument_kept():
                instrument = await check(prepared, cache=tester.log.parent / "cache")
            return await run(prepared, instrument, folder, agent, announce, nonce=nonce)

    result = asyncio.run(work())._replace(annexes=annexes or Annexes())
    return seal(result, tester, folder, folder / "dossier", CARD, None).folder


def lines(found: list[Finding], status: str) -> set[str]:
    return {item.code for item in found if item.status == status}


def test_selective_tester__twenty_plans_and_one_shown__is_exposed_by_the_open_plans(
    tester: registry.Tester, tmp_path: Path
) -> None:
    for number in range(20):
        registered(tester, tmp_path / f"run{number}")
    dossier = sealed(tester, tmp_path / "run13")
    found = verify_dossier(dossier, tmp_path / "trust.json")
    told = next(f.what for f in found if f.what.startswith("plans in this log"))
    assert told.endswith("of this system: 20 registered, 1 completed, 0 abandoned, 19 open")
    assert "E-EVD-187" in lines(found, "unknown")
    assert "E-EVD-186" not in lines(found, "unknown")


def test_selective_tester__asked_for_a_nonce__cannot_show_a_private_run(
    tester: registry.Tester, tmp_path: Path
) -> None:
    registered(tester, tmp_path / "private")
    private = sealed(tester, tmp_path / "private")
    registered(tester, tmp_path / "asked", "verifier")
    nonce = new_nonce()
    shown = read_registration_of(tester, tmp_path / "asked", tmp_path)
    assert shown == "verifier"
    dossier = sealed(tester, tmp_path / "asked", nonce)
    holds = checked(dossier, tmp_path / "trust.json", nonce=nonce)
    assert holds.code == 0
    assert "E-EVD-182" not in lines(holds.findings, "unknown")
    for path, given in ((private, nonce), (dossier, new_nonce())):
        found = verify_dossier(path, tmp_path / "trust.json", nonce=given)
        assert lines(found, "fails") == {"E-EVD-131"}


def read_registration_of(tester: registry.Tester, folder: Path, tmp_path: Path) -> object:
    assert is_registration(folder)
    return read_registration(folder, tmp_path / "trust.json").said["challenge"]


@pytest.mark.parametrize(
    "harm", ["receipt of another", "statement of another", "no receipt", "torn", "no challenge"]
)
def test_registration__harmed_or_without_challenge__is_refused(
    harm: str, tester: registry.Tester, tmp_path: Path
) -> None:
    registered(tester, tmp_path / "one", "none" if harm == "no challenge" else "verifier")
    registered(tester, tmp_path / "two", "verifier")
    one, two = tmp_path / "one", tmp_path / "two"
    if harm == "receipt of another":
        (one / "prereg.tlog-proof").write_bytes((two / "prereg.tlog-proof").read_bytes())
    elif harm == "statement of another":
        (one / "prereg.json").write_bytes((two / "prereg.json").read_bytes())
    elif harm == "no receipt":
        (one / "prereg.tlog-proof").unlink()
    elif harm == "torn":
        (one / "prereg.json").write_bytes((one / "prereg.json").read_bytes()[:-9])
    trust = tmp_path / "trust.json"
    with pytest.raises((EvidenceError, StorageError)):
        read_registration(one, trust)
    assert read_registration(two, trust).party == "lab"


def test_abandon__open_plan__is_closed_with_its_reason_once(
    tester: registry.Tester, tmp_path: Path
) -> None:
    index = registered(tester, tmp_path / "given-up")
    done = abandon(tester, str(index), "the endpoint was shut down")
    assert done.position == index + 1
    for which in (str(index), done.plan, done.plan.removeprefix("sha256:")[:12]):
        with pytest.raises(UsageError, match="E-ASM-014"):
            abandon(tester, which, "again")
    with pytest.raises(UsageError, match="E-ASM-014"):
        registered(tester, tmp_path / "given-up")
    registered(tester, tmp_path / "kept")
    found = verify_dossier(sealed(tester, tmp_path / "kept"), tmp_path / "trust.json")
    told = next(f.what for f in found if f.what.startswith("plans in this log"))
    assert told.startswith("plans in this log: 2 registered, 1 completed, 1 abandoned, 0 open")


def test_abandon__plan_that_ran_meanwhile__cannot_be_sealed(
    tester: registry.Tester, tmp_path: Path
) -> None:
    index = registered(tester, tmp_path / "run")
    abandon(tester, str(index), "too slow")
    with pytest.raises(UsageError, match="E-ASM-014"):
        sealed(tester, tmp_path / "run")


@pytest.mark.parametrize("which", ["7", "sha256:", "abc", "", "ffffffffffff", "-1"])
def test_abandon__no_such_plan__is_refused(
    which: str, tester: registry.Tester, tmp_path: Path
) -> None:
    registered(tester, tmp_path / "run")
    with pytest.raises(UsageError, match="E-ASM-013"):
        abandon(tester, which, "reason")


def test_annexes__sealed_then_erased__dossiers_still_verify(
    tester: registry.Tester, tmp_path: Path
) -> None:
    note = tmp_path / "note.txt"
    note.write_text("asked: Tan Mei Ling")
    registered(tester, tmp_path / "run")
    dossier = sealed(tester, tmp_path / "run", annexes=Annexes((note,)))
    trust = tmp_path / "trust.json"
    (kept,) = (dossier / "payloads").iterdir()
    assert kept.read_bytes().endswith(b"\nasked: Tan Mei Ling")
    assert checked(dossier, trust).code == 0
    kept.unlink()
    found = checked(dossier, trust)
    assert found.code == 0
    assert any("commitment holds: note.txt" in f.what for f in found.findings)
    assert tester.store().erase(f"sha256:{kept.name}")  # type: ignore[arg-type]
    registered(tester, tmp_path / "later")
    later = verify_dossier(sealed(tester, tmp_path / "later"), trust)
    assert lines(later, "fails") == set()
