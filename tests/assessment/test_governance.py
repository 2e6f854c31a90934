"""Is what stands between agent and world pinned, kept and made again by verification?"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest

from tests.assessment.small import card_of, checked, instrument_kept, workbench
from undersigned.assessment import registry
from undersigned.assessment.card import AgentSource, ControlsWish
from undersigned.assessment.dossier import seal
from undersigned.assessment.run import Annexes, Order, Result, check, open_agent, prepare, run
from undersigned.core.errors import EvidenceError, StorageError, UsageError
from undersigned.episodes.execute import open_run
from undersigned.events.stream import Decided, parse_episode

CARD = card_of(AgentSource(reference="follower-locale:th"))


def order(**controls: object) -> Order:
    wish = msgspec.structs.replace(ControlsWish("family"), **controls)
    card = msgspec.structs.replace(CARD, controls=wish)
    return Order(card, "160", ("payee-swap",), ("th",))


def sealed(tmp_path: Path, wanted: Order) -> Path:
    """Run and seal a governed plan."""
    tester = registry.open_tester(tmp_path / "home", "lab", ())
    registry.example_trust(tester, tmp_path / "trust.json")
    folder = tmp_path / "run"

    async def work() -> Result:
        prepared = prepare(wanted, tmp_path)
        open_run(folder, prepared.plan, resume=False)
        registry.register(prepared, tester, folder)
        async with AsyncExitStack() as stack:
            agent, announce = await open_agent(wanted.card, tmp_path, {}, (), stack)
            with instrument_kept():
                instrument = await check(prepared, cache=tmp_path / "cache")
            return await run(prepared, instrument, folder, agent, announce)

    result = asyncio.run(work())._replace(annexes=Annexes())
    return seal(result, tester, folder, tmp_path / "dossier", wanted.card, None).folder


@lru_cache(maxsize=1)
def enforced() -> Path:
    """Return a folder with the sealed dossier of an enforcing gate, and its trust file."""
    folder = workbench() / "governance"
    folder.mkdir()
    return sealed(folder, order()).parent


def found(tmp_path: Path, dossier: Path) -> tuple[int, list[str]]:
    done = checked(dossier, tmp_path / "trust.json")
    return done.code, [f.what for f in done.findings if f.status == "holds"]


def test_governed_run__sealed__verifies_with_policy_and_envelope() -> None:
    dossier = enforced() / "dossier"
    code, lines = found(enforced(), dossier)
    assert code == 0
    assert any("operating envelope follows" in line for line in lines)
    plan = json.loads((dossier / "plan.json").read_bytes())
    assert plan["reviewer"] == "rubber-stamp"
    assert (dossier / "system/policy.cedar").read_text().startswith("//")
    envelope = json.loads((dossier / "envelope.json").read_bytes())
    assert {cell["verdict"] for cell in envelope["cells"]} & {"within"} == set()


def test_earlier_envelope__handed_to_the_policy__is_pinned_and_verified(
    tmp_path: Path,
) -> None:
    first = enforced() / "dossier" / "envelope.json"
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "earlier.json").write_bytes(first.read_bytes())
    wanted = order(envelope="earlier.json")
    plain, shown = prepare(order(), tmp_path).plan, prepare(wanted, tmp_path / "second").plan
    assert plain.envelope == ""
    assert shown.envelope.startswith("sha256:")
    assert plain.policy == shown.policy
    dossier = sealed(tmp_path / "second", wanted)
    assert found(tmp_path / "second", dossier)[0] == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"policy": "nowhere.cedar"}, StorageError),
        ({"policy": "broken.cedar"}, UsageError),
        ({"reviewer": "detects:101,0"}, UsageError),
        ({"reviewer": "everybody"}, UsageError),
        ({"envelope": "nowhere.json"}, StorageError),
        ({"envelope": "broken.json"}, EvidenceError),
    ],
    ids=str,
)
def test_controls__that_cannot_be_opened__are_refused_before_anything_runs(
    changes: dict[str, object], error: type[Exception], tmp_path: Path
) -> None:
    (tmp_path / "broken.cedar").write_text("permit (")
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(error):
        prepare(order(**changes), tmp_path)


def test_observing_gate__blocks_nothing_and_says_so(tmp_path: Path) -> None:
    from undersigned.assessment.dossier import Dossier

    dossier = sealed(tmp_path, order(mode="observe"))
    with Dossier(dossier) as opened:
        episodes = opened.shard(0)
    decided = [e for data in episodes for e in parse_episode(data) if type(e) is Decided]
    assert {e.mode for e in decided} == {"observe"}
    assert {e.decision for e in decided} >= {"allow", "deny"}
    assert found(tmp_path, dossier)[0] == 0
