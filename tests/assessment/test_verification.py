"""Is a dossier refused whose every signature holds and whose content does not follow?

``forge`` signs with the tester's real keys: the stand-alone checks pass, regrading must not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.assessment.small import (
    AGENT,
    EPISODES,
    Forgery,
    Made,
    card_of,
    checked,
    copy,
    forge,
    governed,
    other,
    reference,
    taped,
)
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.roster import reference_agent
from undersigned.assessment import verification
from undersigned.assessment.card import AgentSource
from undersigned.assessment.dossier import Dossier, pack
from undersigned.assessment.instrument import MUTANTS, Instrument
from undersigned.assessment.rerun import grade_recorded, regrade
from undersigned.assessment.verification import Verified, verify, worst_first
from undersigned.core.canonical import decode, digest_bytes, encode
from undersigned.episodes.plan import Plan
from undersigned.evidence.bundle import zip_bundle
from undersigned.evidence.verify import verify_dossier


def plan_of(**changes: Any) -> bytes:
    """Return the plan's bytes with some fields changed."""
    with Dossier(reference().dossier) as dossier:
        return encode(msgspec.structs.replace(dossier.plan, **changes))


def episodes() -> list[bytes]:
    with Dossier(reference().dossier) as dossier:
        return dossier.shard(0)


def refusal(found: Verified) -> tuple[str, str]:
    """Return code and file of the one finding that fails."""
    assert found.code == 3
    (line,) = [f for f in found.findings if f.status == "fails"]
    assert line.remedy
    return line.code, line.file


def assert_only_regrading_can_tell(dossier: Path) -> None:
    standing_alone = verify_dossier(dossier, reference().trust)
    assert [f for f in standing_alone if f.status == "fails"] == []


def test_verify__untouched__holds_and_says_who_vouches_for_the_turns() -> None:
    found = asyncio.run(verify(reference().dossier, reference().trust))
    assert (found.code, found.episodes, len(found.rows)) == (0, EPISODES, EPISODES)
    assert found.rows == reference().result.rows
    said = [f.what for f in found.findings if f.status == "holds"]
    assert "the reference agent acted again; its turns are the same" in said
    assert {"E-EVD-183", "E-EVD-184", "E-EVD-185"}.isdisjoint(f.code for f in found.findings)


def test_verify__same_files_signed_again__holds(tmp_path: Path) -> None:
    assert checked(forge(tmp_path, Forgery())).code == 0


def test_verify__zip__holds_in_place(tmp_path: Path) -> None:
    assert checked(zip_bundle(copy(tmp_path), tmp_path / "dossier.zip")).code == 0


def test_verify__tape__holds_and_says_that_only_the_tester_vouches_for_the_turns() -> None:
    made = taped()
    found = checked(made.dossier, made.trust)
    assert found.code == 0
    (line,) = [f for f in found.findings if f.code == "E-EVD-184"]
    assert (line.status, "tester-said" in line.what) == ("unknown", True)
    assert not any("acted again" in f.what for f in found.findings)


def test_verify__tape_signed_as_recomputed__is_refused(tmp_path: Path) -> None:
    dossier = forge(tmp_path, Forgery(result={"turns": "recomputed"}), taped())
    assert refusal(checked(dossier)) == ("E-ASM-007", "statements/eval-result.json")


def test_verify__other_turns_under_a_reference_card__are_refused(tmp_path: Path) -> None:
    """The tape's episodes, the plan and everything else signed as if honest-plain had acted."""
    agent = reference_agent("honest-plain")
    with Dossier(reference().dossier) as dossier:
        claimed = card_of(AgentSource(reference="honest-plain"))
        plan = msgspec.structs.replace(dossier.plan, agent=agent.digest, system=claimed.digest())
    dossier_path = forge(tmp_path, Forgery(plan=encode(plan), card=encode(claimed)))
    assert_only_regrading_can_tell(dossier_path)
    code, _ = refusal(checked(dossier_path))
    assert code in ("E-ASM-007", "E-EPI-001")
    # the same with a registration that says what the plan says
    said = {"plan": plan.digest(), "system": plan.system}
    again = forge(tmp_path / "b", Forgery(plan=encode(plan), card=encode(claimed), prereg=said))
    assert refusal(checked(again)) == ("E-EPI-001", "episodes/shard-00000.jsonl.zst")


def test_verify__another_agent_in_plan_than_in_card__is_refused(tmp_path: Path) -> None:
    plan = plan_of(agent=reference_agent("honest-plain").digest)
    assert refusal(checked(forge(tmp_path, Forgery(plan=plan)))) == ("E-ASM-007", "plan.json")


def test_verify__scores_edited_and_signed__are_refused(tmp_path: Path) -> None:
    summary = reference().result.summary
    spotless = msgspec.structs.replace(
        summary, headline=msgspec.structs.replace(summary.headline, value="0.000000", k=0)
    )
    dossier = forge(tmp_path, Forgery(summary=spotless))
    assert_only_regrading_can_tell(dossier)
    assert refusal(checked(dossier)) == ("E-ASM-006", "scores.json")


def test_verify__verdicts_edited_in_the_statement_only__are_refused(tmp_path: Path) -> None:
    with Dossier(reference().dossier) as dossier:
        verdicts = [v | {"verdict": "within"} for v in dossier.result.predicate["verdicts"]]
    dossier_path = forge(tmp_path, Forgery(result={"verdicts": verdicts}))
    assert refusal(checked(dossier_path)) == ("E-ASM-006", "statements/eval-result.json")


def test_verify__fewer_blocks_and_signed__is_refused(tmp_path: Path) -> None:
    with Dossier(reference().dossier) as dossier:
        blocks = dossier.plan.blocks
    dossier_path = forge(tmp_path, Forgery(plan=plan_of(blocks=blocks[:-1])))
    assert_only_regrading_can_tell(dossier_path)
    assert refusal(checked(dossier_path)) == ("E-ASM-007", "plan.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"reviewer": "rubber-stamp"},
        {"design": {}},
        {"design": {"budget": 1}},
        {"schema": "undersigned.plan.v2"},
        {"blocks": ()},
    ],
    ids=str,
)
def test_verify__plan_that_claims_what_nothing_bears_out__is_refused(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    said = {k: v for k, v in changes.items() if k in ("challenge", "reviewer")}
    dossier = forge(tmp_path, Forgery(plan=plan_of(**changes), prereg=said))
    assert refusal(checked(dossier)) == ("E-ASM-007", "plan.json")


@pytest.mark.parametrize(
    "edit",
    [
        {"limit": "abc"},
        {"budget": 1},
        {"power": "0.1"},
        {"budget": 999_999_999},
        {"finest": "cell"},
    ],
    ids=str,
)
def test_verify__design_edited__is_refused_and_never_undecidable(
    edit: dict[str, Any], tmp_path: Path
) -> None:
    with Dossier(reference().dossier) as dossier:
        made = dossier.plan.design | edit
    said = {"limit": edit["limit"]} if "limit" in edit else {}
    forged = forge(tmp_path, Forgery(plan=plan_of(design=made), prereg=said))
    assert refusal(checked(forged)) == ("E-ASM-007", "plan.json")


@pytest.mark.parametrize("said", [{"claims": 99}, {"limit": "0.01"}, {"episodes": 12_000}], ids=str)
def test_verify__registration_that_says_more_than_the_plan__is_refused(
    said: dict[str, Any], tmp_path: Path
) -> None:
    dossier = forge(tmp_path, Forgery(prereg=said))
    assert_only_regrading_can_tell(dossier)
    assert refusal(checked(dossier)) == ("E-ASM-007", "statements/prereg.json")


def test_verify__episodes_swapped_and_signed__are_refused(tmp_path: Path) -> None:
    kept = episodes()
    kept[3], kept[4] = kept[4], kept[3]
    dossier = forge(tmp_path, Forgery(episodes=kept))
    assert_only_regrading_can_tell(dossier)
    assert refusal(checked(dossier)) == ("E-EPI-001", "episodes/shard-00000.jsonl.zst")


def test_verify__unsafe_episode_replaced_by_a_safe_one__is_refused(tmp_path: Path) -> None:
    rows = reference().result.rows
    bad = next(r.index for r in rows if r.outcome == "unsafe")
    good = next(r.index for r in rows if r.outcome == "safe")
    kept = episodes()
    kept[bad] = kept[good]
    assert refusal(checked(forge(tmp_path, Forgery(episodes=kept))))[0] == "E-EPI-001"


def test_verify__one_byte_of_one_episode_and_signed__is_refused(tmp_path: Path) -> None:
    kept = episodes()
    start = b'"scenario":"sha256:'
    at = kept[7].index(start) + len(start)
    digit = b"1" if kept[7][at : at + 1] == b"0" else b"0"
    kept[7] = kept[7][:at] + digit + kept[7][at + 1 :]
    assert refusal(checked(forge(tmp_path, Forgery(episodes=kept))))[0] == "E-EPI-001"


def test_verify__episode_dropped_and_signed__is_refused(tmp_path: Path) -> None:
    dossier = forge(tmp_path, Forgery(episodes=episodes()[:-1]))
    assert_only_regrading_can_tell(dossier)
    assert refusal(checked(dossier)) == ("E-ASM-007", "plan.json")


def test_verify__trailing_bytes_in_a_shard_and_signed__are_refused(tmp_path: Path) -> None:
    name = "episodes/shard-00000.jsonl.zst"
    data = (reference().dossier / name).read_bytes()
    for more in (b"\x00", b"hidden" * 500, data):
        folder = tmp_path / str(len(more))
        dossier = forge(folder, Forgery(files={name: data + more}))
        assert refusal(checked(dossier)) == ("E-EPI-001", name)


def test_verify__instrument_check_left_out_or_edited__is_refused(tmp_path: Path) -> None:
    """A check over no episode at all comes out the same when repeated; it must not count."""
    name = "instrument.json.zst"
    with Dossier(reference().dossier) as dossier:
        kept = dossier.instrument
    empty = msgspec.structs.replace(
        kept, per_stratum=0, cells=(), zeros=0,
        agents=tuple(
            msgspec.structs.replace(a, episodes=0, unsafe=0, useful=0) for a in kept.agents
        ),
        mutants=tuple(msgspec.structs.replace(m, caught=0) for m in kept.mutants),
    )  # fmt: skip
    data = encode(empty)
    forgery = Forgery(files={name: pack(data)}, result={"instrument": digest_bytes(data)})
    assert refusal(checked(forge(tmp_path / "a", forgery))) == ("E-ASM-006", name)
    unnamed = Forgery(result={"instrument": other(digest_bytes(encode(kept)))})
    assert refusal(checked(forge(tmp_path / "b", unnamed))) == ("E-ASM-006", name)


def test_verify__instrument_unsound_here_too__is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made the dossier and whoever checks it have the same blind instrument."""
    kept = reference().result.instrument
    blind = msgspec.structs.replace(kept.mutants[0], caught=0)
    unsound = msgspec.structs.replace(kept, mutants=(blind, *kept.mutants[1:]))

    async def check_again(*_: object, **__: object) -> Instrument:
        return unsound

    monkeypatch.setattr(verification, "check_instrument", check_again)
    data = encode(unsound)
    said = {"instrument": digest_bytes(data)}
    forgery = Forgery(files={"instrument.json.zst": pack(data)}, result=said)
    found = checked(forge(tmp_path, forgery))
    assert refusal(found)[0] == "E-ASM-003"
    assert MUTANTS[0].name in worst(found)


def test_verify__plan_of_another_endpoint_than_the_cards__is_refused(tmp_path: Path) -> None:
    made = taped()
    chat = ChatSettings("https://models.example/v1", "m-1")
    card = card_of(AgentSource(chat=chat))
    with Dossier(made.dossier) as dossier:
        plan = msgspec.structs.replace(dossier.plan, system=card.digest())
    forged = forge(tmp_path, Forgery(plan=encode(plan), card=encode(card)), made)
    assert refusal(checked(forged)) == ("E-ASM-007", "plan.json")


def worst(found: Verified) -> str:
    return next(iter(worst_first(found.findings))).what


@pytest.mark.parametrize("field", ["code", "suite"])
def test_verify__made_by_another_version__is_undecidable_and_says_what_to_install(
    field: str, tmp_path: Path
) -> None:
    with Dossier(reference().dossier) as dossier:
        there = other(getattr(dossier.plan, field))
    forged = forge(tmp_path, Forgery(plan=plan_of(**{field: there})))
    found = checked(forged)
    assert (found.code, found.episodes) == (4, 0)
    (line,) = [f for f in found.findings if f.code == "E-ASM-005"]
    assert line.status == "unknown"
    assert f"{field} {there}" in line.what
    assert f"{field} {there}" in line.remedy


def test_verify__generator_of_another_version__is_undecidable(tmp_path: Path) -> None:
    with Dossier(reference().dossier) as dossier:
        versions = dossier.plan.versions | {"babel": "0.0.1"}
    found = checked(forge(tmp_path, Forgery(plan=plan_of(versions=versions))))
    assert found.code == 4
    (line,) = [f for f in found.findings if f.code == "E-ASM-005"]
    assert "babel 0.0.1" in line.remedy


@pytest.mark.parametrize(
    "name",
    ["plan.json", "scores.json", "system/card.json", "instrument.json.zst", "dossier.json",
     "dossier.sig", "episodes/shard-00000.jsonl.zst", "episodes/shard-00000.leaves",
     "statements/prereg.json", "statements/eval-result.json", "proofs/prereg.tlog-proof",
     "log/checkpoint"],
)  # fmt: skip
def test_verify__flipped_byte__is_refused_and_named(name: str, tmp_path: Path) -> None:
    dossier = copy(tmp_path)
    data = bytearray((dossier / name).read_bytes())
    data[len(data) // 2] ^= 1
    (dossier / name).write_bytes(data)
    found = checked(dossier)
    assert (found.code, found.rows) == (3, [])
    failed = [f for f in found.findings if f.status == "fails"]
    # WHY two names: an altered manifest may still be canonical, and then its signature fails.
    named = {name, "dossier.sig"} if name == "dossier.json" else {name}
    assert named & {f.file for f in failed}
    assert all(f.code.startswith("E-EVD-1") and f.remedy for f in failed)


def test_verify__missing_or_extra_file__is_refused_and_named(tmp_path: Path) -> None:
    dossier = copy(tmp_path)
    (dossier / "scores.json").rename(dossier / "hidden.json")
    found = checked(dossier)
    assert found.code == 3
    failed = {(f.code, f.file) for f in found.findings if f.status == "fails"}
    assert ("E-EVD-104", "scores.json") in failed or ("E-EVD-105", "hidden.json") in failed


def test_verify__card_of_another_claim__is_refused(tmp_path: Path) -> None:
    """The card of the same system promises a stricter limit than was tested."""
    card = reference().card
    strict = msgspec.structs.replace(card, claim=msgspec.structs.replace(card.claim, limit="0.01"))
    plan = decode(plan_of(), Plan)
    plan = msgspec.structs.replace(plan, system=strict.digest())
    forged = forge(tmp_path, Forgery(plan=encode(plan), card=encode(strict)))
    assert refusal(checked(forged)) == ("E-ASM-007", "plan.json")


def test_reference_agent__of_these_tests__is_the_one_of_the_card() -> None:
    assert reference().card.agent.reference == AGENT


@pytest.mark.parametrize("challenge", ["witness", "verifier"])
def test_verify__challenge_without_its_nonce__is_refused_before_anything_runs(
    challenge: str, tmp_path: Path
) -> None:
    said = {"challenge": challenge}
    dossier = forge(tmp_path, Forgery(plan=plan_of(challenge=challenge), prereg=said))
    assert refusal(checked(dossier)) == ("E-EVD-131", "statements/eval-result.json")


def test_verify__nonce_invented_afterwards__does_not_give_these_episodes(tmp_path: Path) -> None:
    said = {"challenge": "verifier"}
    forgery = Forgery(plan=plan_of(challenge="verifier"), prereg=said, result={"nonce": "ab" * 32})
    dossier = forge(tmp_path, forgery)
    assert_only_regrading_can_tell(dossier)
    assert refusal(checked(dossier))[0] == "E-EPI-001"


@pytest.mark.parametrize("made", [reference, governed, taped], ids=["free", "governed", "tape"])
def test_grade_recorded__from_bytes_alone__is_what_running_again_gives(
    made: Callable[[], Made],
) -> None:
    with Dossier(made().dossier) as dossier:
        assert grade_recorded(dossier) == asyncio.run(regrade(dossier)) == made().result.rows
