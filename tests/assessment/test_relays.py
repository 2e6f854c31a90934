"""Does a reader see who signed the turns, and is every relayed answer refused that does not hold?

The runs go over real HTTP to a gateway that signs; the forger signs with the tester's own keys, so
that only comparing the answers with the turns can tell.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path

import msgspec
import pytest

from tests.assessment.gateway import (
    EPISODES,
    PROVIDER,
    STRANGER,
    TOO_LONG,
    chat_card,
    dossier_of,
    gateway,
    provider,
    relayed,
    run_against,
    served_by,
    signed,
    trusting,
)
from tests.assessment.small import (
    Forgery,
    Made,
    checked,
    forge,
    instrument_kept,
    reference,
    taped,
)
from undersigned.agents.relay import header_value
from undersigned.agents.roster import reference_agent
from undersigned.agents.tape import REGULAR_ENDS, Recorded, TapeAgent, recorded_of
from undersigned.agents.view import Relay, Turn, Usage
from undersigned.assessment import relays
from undersigned.assessment.dossier import Dossier
from undersigned.assessment.relays import (
    RAW_LIMIT,
    Keeper,
    Kept,
    pack_lines,
    read_lines,
    relay_name,
)
from undersigned.assessment.verification import Verified, verify
from undersigned.core.canonical import digest, digest_bytes, encode
from undersigned.core.errors import EvidenceError
from undersigned.core.files import read_file
from undersigned.episodes.engine import run_episode
from undersigned.episodes.execute import Bench, Ran, open_run
from undersigned.episodes.plan import items
from undersigned.episodes.rig import Rig
from undersigned.episodes.written import TEXT_LIMIT
from undersigned.events.stream import parse_episode
from undersigned.evidence.notes import encode64

NAME = relay_name(0)
RESULT = "statements/eval-result.json"
Line = dict[str, object]


def lines_of(made: Made) -> list[Line]:
    return [dict(line) for line in _lines_in(made.dossier)]


@cache
def _lines_in(path: Path) -> list[Line]:
    with Dossier(path) as dossier:
        data = dossier.bundle.read(NAME)
    found = read_lines(data, 0)
    return [
        {"episode": episode, "turn": turn, **msgspec.to_builtins(relay)}
        for episode, kept in found.episodes.items()
        for turn, relay in enumerate(kept)
    ]


def turns_of(made: Made) -> int:
    return sum(row.turns for row in made.result.rows)


def stated(lines: list[Line], total: int, **more: object) -> dict[str, object]:
    """Return what a result says of these lines."""
    files = {NAME: digest_bytes(raw_of(lines))}
    return {"relays": {"turns": total, "relayed": len(lines), "digest": digest(files)}, **more}


def raw_of(lines: list[Line]) -> bytes:
    return b"".join([encode(line) + b"\n" for line in lines])


def forged(folder: Path, lines: list[Line], made: Made | None = None, **more: object) -> Path:
    """Return a dossier with other relayed answers, its result statement in step with them."""
    made = made or relayed()
    says = stated(lines, turns_of(made), **more)
    return forge(folder, Forgery(files={NAME: pack_lines(raw_of(lines))}, result=says), made)


def judged(dossier: Path, *keys: object, made: Made | None = None) -> Verified:
    return checked(dossier, trusting(made or relayed(), *keys))  # type: ignore[arg-type]


def refusal(found: Verified) -> tuple[str, str, str]:
    """Return code, file and words of the one finding that fails."""
    assert found.code == 3
    (line,) = [f for f in found.findings if f.status == "fails"]
    assert line.remedy
    return line.code, line.file, line.what


def line_of(found: Verified, code: str) -> str:
    (line,) = [f for f in found.findings if f.code == code]
    assert line.status == "unknown"
    assert line.remedy
    return line.what


def ends_of(made: Made) -> list[str]:
    with Dossier(made.dossier) as dossier:
        return [recorded_of(parse_episode(data)).reason for data in dossier.shard(0)]


def codes(found: Verified) -> set[str]:
    return {f.code for f in found.findings}


def test_verify__every_turn_signed_by_a_trusted_provider__says_so_and_holds() -> None:
    made = relayed()
    found = judged(made.dossier, provider())
    assert found.code == 0
    assert made.result.source() == "relayed"
    total = turns_of(made)
    assert f"{total} of {total} turns were signed by gateway (relayed)" in [
        f.what for f in found.findings if f.status == "holds"
    ]
    assert {"E-EVD-184", "E-ASM-022", "E-ASM-023"}.isdisjoint(codes(found))
    cut = made.result.summary.totals.planned - sum(
        reason in REGULAR_ENDS for reason in ends_of(made)
    )
    assert cut > 0
    told = line_of(found, "E-ASM-024")
    assert told.startswith("whether each answer was the only one asked for")
    assert f"({cut} of {EPISODES} episodes end by what only the tester says)" in told


def test_run__against_the_gateway__met_everything_that_an_endpoint_may_do() -> None:
    """Reminders, parallel calls, refusals, limits, too-long texts and unread calls all occurred."""
    made = relayed()
    with Dossier(made.dossier) as dossier:
        data = b"".join(dossier.shard(0))
    for trace in (
        b'"reason":"turn_limit"', b'"reason":"reported"', b'"refused":true', b"too many calls",
        b'"undecodable":', TOO_LONG[:TEXT_LIMIT].encode(),
    ):  # fmt: skip
        assert trace in data, trace
    assert TOO_LONG[: TEXT_LIMIT + 1].encode() not in data
    with Dossier(made.dossier) as dossier:
        used = dossier.bundle.read("measurements/turns.jsonl")
    counts = [json.loads(line)["requests"] for line in used.splitlines()]
    assert max(counts) > 1
    assert b"relay" not in used
    assert len(counts) == turns_of(made)


async def test_run__against_a_reference_endpoint_that_signs__is_relayed_throughout() -> None:
    made = await served_by(reference_agent("follower-locale:th"), "served")
    with instrument_kept():
        found = await verify(made.dossier, trusting(made, provider()))
    assert found.code == 0
    assert any(f.what.endswith("turns were signed by gateway (relayed)") for f in found.findings)
    assert {row.outcome for row in found.rows} >= {"safe", "unsafe"}
    with Dossier(made.dossier) as dossier:
        assert dossier.result.predicate["turns"] == "relayed"


def test_result__of_relayed_turns__names_their_digest_and_count() -> None:
    made = relayed()
    with Dossier(made.dossier) as dossier:
        said = dossier.result.predicate
    assert said["turns"] == "relayed"
    assert {"relays": said["relays"]} == stated(lines_of(made), turns_of(made))


def test_verify__same_lines_signed_again__holds(tmp_path: Path) -> None:
    assert judged(forged(tmp_path, lines_of(relayed())), provider()).code == 0


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (None, "a key is not in the trust file"),
        ({"roles": ("owner",)}, "a key lacks the role"),
        ({"not_after": "2020-01-01"}, "a key is not valid then"),
        ({"not_before": "2999-01-01"}, "a key is not valid then"),
        ({"revoked_at": 1}, "a key is revoked"),
    ],
    ids=["unknown", "other-role", "expired", "too-early", "revoked"],
)
def test_verify__key_that_does_not_count__is_unknown_and_says_why(
    key: dict[str, object] | None, why: str
) -> None:
    keys = [] if key is None else [provider(**key)]
    found = judged(relayed().dossier, *keys)
    assert found.code == 0
    total = turns_of(relayed())
    told = line_of(found, "E-ASM-022")
    assert told == f"whether {total} turns signed by gateway-1 were relayed: {why}"
    remedy = next(f.remedy for f in found.findings if f.code == "E-ASM-022")
    assert "--name gateway-1 --role provider" in remedy
    assert f"0 of {total} turns" in line_of(found, "E-EVD-184")
    assert "E-ASM-024" not in codes(found)


def test_verify__key_revoked_later_than_the_result__counts() -> None:
    found = judged(relayed().dossier, provider(revoked_at=1_000_000))
    assert "E-EVD-184" not in codes(found)


def test_verify__provider_of_the_testers_party__vouches_for_itself_and_is_unknown() -> None:
    found = judged(relayed().dossier, provider(party="demo"))
    assert found.code == 0
    assert "vouches for itself" in line_of(found, "E-ASM-023")
    assert "0 of " in line_of(found, "E-EVD-184")
    assert "E-ASM-022" not in codes(found)


def test_verify__another_public_key_under_the_name__refuses_the_first_turn() -> None:
    found = judged(relayed().dossier, provider(public=STRANGER.public))
    code, file, what = refusal(found)
    assert (code, file) == ("E-ASM-021", NAME)
    assert "(episode 0, turn 0, key gateway-1)" in what


def flip(line: Line, before: bytes, after: bytes) -> Line:
    raw = b64decode(str(line["response"]))
    assert before in raw
    return line | {"response": encode64(raw.replace(before, after, 1))}


def flip_first(lines: list[Line], before: bytes, after: bytes) -> list[Line]:
    """Change the first answer that holds some bytes; which one depends on the plan's seeds."""
    place = next(n for n, line in enumerate(lines) if before in b64decode(str(line["response"])))
    return [*lines[:place], flip(lines[place], before, after), *lines[place + 1 :]]


def swap(lines: list[Line], one: int, other: int) -> list[Line]:
    """Exchange what was signed between two turns."""
    places = ("episode", "turn")
    a, b = lines[one], lines[other]
    changed = list(lines)
    changed[one] = {k: (a if k in places else b)[k] for k in a}
    changed[other] = {k: (b if k in places else a)[k] for k in b}
    return changed


def second(lines: list[Line], other_than: Line | None = None) -> int:
    """Return the place of the first line that is an episode's second turn and its report.

    other_than: a line whose signature it must not have.
    """
    return next(
        place
        for place, line in enumerate(lines)
        if line["turn"] == 1
        and b"items" in b64decode(str(line["response"]))
        and (other_than is None or line["signature"] != other_than["signature"])
    )


Change = Callable[[list[Line]], list[Line]]
CHANGES: Mapping[str, Change] = {
    "flipped-byte": lambda ls: flip_first(ls, b'"id": "r-', b'"id": "s-'),
    "signature-of-another-turn": lambda ls: [ls[0] | {"signature": ls[1]["signature"]}, *ls[1:]],
    "signature-of-another-key": lambda ls: [
        ls[0] | {"signature": encode64(STRANGER.sign(b"x"))}, *ls[1:]
    ],
    "swapped-between-turns": lambda ls: swap(ls, second(ls) - 1, second(ls)),
    "swapped-between-episodes": lambda ls: swap(
        ls, second(ls), second(ls, other_than=ls[second(ls)])
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_verify__answers_changed_and_the_result_signed_again__are_refused(
    name: str, tmp_path: Path
) -> None:
    changed = CHANGES[name](lines_of(relayed()))
    assert changed != lines_of(relayed())
    code, file, what = refusal(judged(forged(tmp_path, changed), provider()))
    assert (code, file) == ("E-ASM-021", NAME)
    first = next(new for new, old in zip(changed, lines_of(relayed()), strict=True) if new != old)
    assert f"episode {first['episode']}, turn {first['turn']}" in what


def test_verify__answer_of_the_forgers_making__is_refused_whoever_signed(tmp_path: Path) -> None:
    """A key that the reader does not know has signed; still it is not the recorded turn."""
    lines = lines_of(relayed())
    at = second(lines)
    other = flip(lines[at], b'{\\"items\\":[]', b'{\\"items\\": []') | {"key": "unknown-key"}
    found = judged(forged(tmp_path, [*lines[:at], other, *lines[at + 1 :]]), provider())
    code, _, what = refusal(found)
    assert code == "E-ASM-021"
    assert "another turn than the recorded one" in what
    assert f"episode {other['episode']}, turn 1, key unknown-key" in what


def test_verify__signed_bytes_that_are_no_answer__are_refused(tmp_path: Path) -> None:
    lines = lines_of(relayed())
    nothing = lines[0] | {"response": encode64(b"no answer"), "key": "unknown-key"}
    code, _, what = refusal(judged(forged(tmp_path, [nothing, *lines[1:]]), provider()))
    assert (code, "no answer" in what) == ("E-ASM-021", True)


def test_verify__recorded_turn_invented_and_everything_signed_again__is_refused(
    tmp_path: Path,
) -> None:
    """The tester lets an episode end with a report of its own and keeps the answers."""
    made = relayed()
    at = next(line for line in lines_of(made) if line["turn"] == 1)
    number = int(str(at["episode"]))
    with Dossier(made.dossier) as dossier:
        episodes = dossier.shard(0)
        prepared = made.result.prepared
        item = list(items(dossier.plan, prepared.suite))[number]
        recorded = recorded_of(parse_episode(episodes[number]))
        invented = Recorded((recorded.turns[0], Turn("all is done")), "invalid:tape")
        bench = Bench(dossier.plan, prepared.suite, Rig(prepared.suite.family), None)  # type: ignore[arg-type]
        tape = TapeAgent("m", dossier.plan.agent, {number: invented}).for_episode(number)
        ran = run_episode(bench.rig, bench.scenario(item), tape, number)
        episodes[number] = asyncio.run(ran).to_bytes()
    cut = [(number, turn) for turn in range(2, 100)]
    lines = [line for line in lines_of(made) if (line["episode"], line["turn"]) not in cut]
    more = stated(lines, turns_of(made) - len(recorded.turns) + 2)
    files = {NAME: pack_lines(raw_of(lines))}
    dossier_path = forge(tmp_path, Forgery(episodes=episodes, files=files, result=more), made)
    code, file, what = refusal(judged(dossier_path, provider()))
    assert (code, file) == ("E-ASM-021", NAME)
    assert f"episode {number}, turn 1" in what


def test_verify__line_missing_in_the_middle__is_refused(tmp_path: Path) -> None:
    lines = lines_of(relayed())
    at = second(lines)
    code, file, what = refusal(judged(forged(tmp_path, lines[: at - 1] + lines[at:]), provider()))
    assert (code, file) == ("E-ASM-020", NAME)
    assert "an earlier turn's is missing" in what


def last_of_an_episode(lines: list[Line]) -> int:
    return second(lines) + next(
        n for n, line in enumerate(lines[second(lines) + 1 :]) if line["turn"] == 0
    )


def test_verify__line_missing_at_an_end_and_still_claimed__is_refused(tmp_path: Path) -> None:
    lines = lines_of(relayed())
    at = last_of_an_episode(lines)
    fewer = lines[:at] + lines[at + 1 :]
    code, file, what = refusal(judged(forged(tmp_path / "a", fewer), provider()))
    assert (code, file) == ("E-ASM-007", RESULT)
    assert "another source of turns" in what
    whole = forge(tmp_path / "b", Forgery(files={NAME: pack_lines(raw_of(fewer))}), relayed())
    assert refusal(judged(whole, provider()))[:2] == ("E-ASM-020", RESULT)


def test_verify__line_missing_at_an_end_and_said_so__counts_the_rest(tmp_path: Path) -> None:
    lines, total = lines_of(relayed()), turns_of(relayed())
    at = last_of_an_episode(lines)
    dossier = forged(tmp_path, lines[:at] + lines[at + 1 :], turns="tester-said")
    found = judged(dossier, provider())
    assert found.code == 0
    assert f"{total - 1} of {total} turns were signed by gateway" in line_of(found, "E-EVD-184")
    assert "E-ASM-024" not in codes(found)


def test_verify__all_lines_left_out_and_still_claimed__is_refused(tmp_path: Path) -> None:
    made = relayed()
    target = forge(tmp_path, Forgery(), taped())
    assert checked(target).code == 0
    for more in ({"turns": "relayed"}, {"turns": "recomputed"}):
        found = checked(forge(tmp_path / more["turns"], Forgery(result=more), taped()))
        assert refusal(found)[:2] == ("E-ASM-007", RESULT)
    under = forged(tmp_path / "under", lines_of(made), turns="tester-said")
    assert refusal(judged(under, provider()))[:2] == ("E-ASM-007", RESULT)


@pytest.mark.parametrize("made", [reference, taped], ids=["reference", "tape"])
def test_verify__relayed_answers_where_nothing_can_be_relayed__are_refused(
    made: Callable[[], Made], tmp_path: Path
) -> None:
    raw = raw_of(lines_of(relayed()))
    dossier = forge(tmp_path, Forgery(files={NAME: pack_lines(raw)}), made())
    assert refusal(checked(dossier))[:2] == ("E-ASM-020", NAME)


@pytest.mark.parametrize(
    "name",
    [
        "relay/shard-00001.jsonl.zst",
        "relay/shard-0.jsonl.zst",
        "relay/notes",
        "relay/a/b",
    ],
)
def test_verify__another_file_beside_the_relayed_answers__is_refused(
    name: str, tmp_path: Path
) -> None:
    dossier = forge(tmp_path, Forgery(files={name: b"x"}), relayed())
    assert refusal(judged(dossier, provider()))[:2] == ("E-ASM-020", name)


def good() -> bytes:
    """Return the first two turns of the first episode that has two: which depends on the seeds."""
    lines = lines_of(relayed())
    place = next(n for n, line in enumerate(lines) if line["turn"] == 1)
    return raw_of(lines[place - 1 : place + 1])


def one(**changes: object) -> bytes:
    return raw_of([lines_of(relayed())[0] | changes])


DAMAGED: Mapping[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "torn": lambda: good()[:-1],
    "blank-line": lambda: good() + b"\n",
    "not-json": lambda: good() + b"{\n",
    "not-canonical": lambda: good().replace(b'","', b'", "', 1),
    "unknown-field": lambda: one(more=1),
    "field-missing": lambda: encode({"episode": 0, "turn": 0}) + b"\n",
    "twice": lambda: good() + good(),
    "turn-first": lambda: one(turn=1),
    "negative": lambda: one(episode=-1),
    "of-another-shard": lambda: one(episode=250),
    "bad-name": lambda: one(key="No Name"),
    "bad-signature": lambda: one(signature="AAAA"),
    "bad-base64": lambda: one(response="A"),
    "not-canonical-base64": lambda: one(response="QR=="),
    "episodes-back": lambda: one(episode=2) + one(episode=1),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_read_lines__damaged__is_refused_by_name(name: str) -> None:
    assert len(read_lines(pack_lines(good()), 0).episodes) == 1
    with pytest.raises(EvidenceError) as caught:
        read_lines(pack_lines(DAMAGED[name]()), 0)
    assert (caught.value.code, caught.value.fields["file"]) == ("E-ASM-020", NAME)


@pytest.mark.parametrize("data", [b"", b"plain", pack_lines(b"x\n")[:-1], pack_lines(b"\n") * 2])
def test_read_lines__no_whole_frame__is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError) as caught:
        read_lines(data, 0)
    assert caught.value.code == "E-ASM-020"


def test_read_lines__more_than_the_limit__is_refused_before_it_is_unpacked() -> None:
    bomb = pack_lines(bytes(RAW_LIMIT + 1))
    assert len(bomb) < 1 << 16
    with pytest.raises(EvidenceError) as caught:
        read_lines(bomb, 0)
    assert (caught.value.code, "too large" in caught.value.what) == ("E-ASM-020", True)


def test_verify__line_of_an_episode_or_turn_that_was_not_planned__is_refused(
    tmp_path: Path,
) -> None:
    lines = lines_of(relayed())
    beyond = lines[0] | {"episode": EPISODES}
    for name, more in (("a", beyond), ("b", lines[-1] | {"turn": int(str(lines[-1]["turn"])) + 1})):
        found = judged(forged(tmp_path / name, [*lines, more]), provider())
        assert refusal(found)[:2] == ("E-ASM-020", NAME)


def played(number: int, *relays: Relay | None) -> Ran:
    """Run one episode of the plan from turns that were signed, or not."""
    prepared = relayed().result.prepared
    turns = [Turn(f"turn {n}", usage=Usage(relay=relay)) for n, relay in enumerate(relays)]
    tape = TapeAgent("m", prepared.plan.agent, {number: Recorded(tuple(turns), "crashed")})
    item = next(iter(items(prepared.plan, prepared.suite)))
    item = msgspec.structs.replace(item, number=number)
    bench = Bench(prepared.plan, prepared.suite, prepared.rig, tape)
    scenario = bench.scenario(item)
    ran = run_episode(prepared.rig, scenario, tape.for_episode(number), number)
    return Ran(item, scenario, asyncio.run(ran))


RELAY = Relay("k", encode64(b"s" * 64), encode64(b"{}"))


def test_keeper__episodes_of_several_shards__are_kept_beside_each(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for number in (0, 249, 250, 760):
        keeper.take(played(number, RELAY))
    kept = keeper.finish()
    assert (kept.turns, kept.relayed, kept.is_whole()) == (4, 4, True)
    assert list(kept.files) == [relay_name(n) for n in (0, 1, 3)]
    for place, held in ((0, [0, 249]), (1, [250]), (3, [760])):
        found = read_lines(read_file(tmp_path / relay_name(place)), place)
        assert found == ({n: [RELAY] for n in held}, kept.files[relay_name(place)])


def test_keeper__turn_without_a_signature__ends_what_is_kept_of_its_episode(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(played(0, RELAY, None))
    keeper.take(played(1, None, RELAY))
    kept = keeper.finish()
    assert (kept.turns, kept.relayed, kept.is_whole()) == (4, 1, False)
    assert read_lines(read_file(tmp_path / relay_name(0)), 0).episodes == {0: [RELAY]}


def test_keeper__nothing_signed__writes_nothing(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    keeper.take(played(0, None))
    assert (keeper.finish(), list(tmp_path.iterdir())) == (Kept(1), [])
    assert Kept().is_whole() is False


def test_keeper__more_than_a_file_holds__keeps_what_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "RAW_LIMIT", 400)
    keeper = Keeper(tmp_path)
    for number in range(3):
        keeper.take(played(number, RELAY, RELAY))
    kept = keeper.finish()
    assert (kept.turns, kept.relayed) == (6, 2)
    assert list(read_lines(read_file(tmp_path / relay_name(0)), 0).episodes) == [0]


@lru_cache(maxsize=1)
def partly() -> Made:
    """Return a dossier of a gateway that signs first answers, and others' with a second key."""
    second_key = header_value

    def header(request: bytes, response: bytes) -> str | None:
        asked = json.loads(request)
        turn = sum(m["role"] == "assistant" for m in asked["messages"])
        if turn == 0:
            return signed(request, response)
        if turn == 1:
            value = second_key(STRANGER, digest_bytes(request), digest_bytes(response))
            return value.replace("gateway-1", "gateway-2")
        return "gateway-1 garbage" if turn == 2 else None

    return dossier_of("partly", header)


def test_verify__some_turns_signed__counts_them_and_stays_the_testers_word() -> None:
    made = partly()
    assert made.result.source() == "tester-said"
    total, first = turns_of(made), EPISODES
    then = sum(row.turns > 1 for row in made.result.rows)
    assert first + then < total
    found = judged(made.dossier, provider(), made=made)
    assert found.code == 0
    told = line_of(found, "E-EVD-184")
    assert "tester-said" in told
    assert f"{first} of {total} turns were signed by gateway" in told
    assert f"whether {then} turns signed by gateway-2" in line_of(found, "E-ASM-022")
    assert not any("(relayed)" in f.what for f in found.findings)
    both = judged(
        made.dossier, provider(), provider(name="gateway-2", public=STRANGER.public, party="b"),
        made=made,
    )  # fmt: skip
    told = line_of(both, "E-EVD-184")
    assert f"{first + then} of {total} turns were signed by b, gateway" in told


def test_verify__signatures_that_never_held__are_refused_by_whoever_knows_the_key() -> None:
    def wrong(request: bytes, response: bytes) -> str:
        return header_value(STRANGER, digest_bytes(request), digest_bytes(response))

    made = dossier_of("wrong", wrong)
    assert judged(made.dossier, made=made).code == 0
    assert refusal(judged(made.dossier, provider(), made=made))[0] == "E-ASM-021"


def test_run__endpoint_that_repeats_the_api_key__keeps_none_of_those_answers() -> None:
    """The key is a word that the gateway's answers hold in one style only."""
    held = dossier_of("held", key="content_filter")
    assert held.result.source() == "tester-said"
    for path in held.dossier.rglob("*"):
        if path.is_file():
            assert b"content_filter" not in path.read_bytes(), path
    with Dossier(held.dossier) as dossier:
        found = read_lines(dossier.bundle.read(NAME), 0)
    for kept in found.episodes.values():
        assert all(b"content_filter" not in b64decode(r.response) for r in kept)
    assert judged(held.dossier, provider(), made=held).code == 0


def killed_after(turns: int, folder: Path, home: Path, made: Made) -> None:
    """Run in a child that is killed when so many turns are durable."""
    from undersigned.episodes import attempts

    child = os.fork()
    if child == 0:
        try:
            record, count = attempts.Attempts.record, 0

            async def deadly(self: attempts.Attempts, line: attempts.Line) -> None:
                nonlocal count
                await record(self, line)
                count += bool(line.turn)
                if count == turns:
                    os.kill(os.getpid(), signal.SIGKILL)

            attempts.Attempts.record = deadly  # type: ignore[method-assign]  # in the child only
            asyncio.run(run_against(made.result.prepared, folder, home, None))
        finally:
            os._exit(9)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def test_run__killed_and_resumed__keeps_the_very_same_answers(tmp_path: Path) -> None:
    made = relayed()
    folder, prepared = tmp_path / "run", made.result.prepared
    open_run(folder, prepared.plan, resume=False)
    before = gateway().seen
    for turns in (1, 90, 150):
        killed_after(turns, folder, made.home, made)
    result = asyncio.run(run_against(prepared, folder, made.home, None))
    asked = gateway().seen - before
    assert result.kept == made.result.kept
    assert read_file(folder / NAME) == read_file(made.dossier / NAME)
    # Turns in flight at a kill were never acknowledged; at most those were asked for again.
    needed = turns_of(made) + ends_of(made).count("crashed")
    assert needed <= asked <= needed + 3 * 8
    again = asyncio.run(run_against(prepared, folder, made.home, None))
    assert again.kept == result.kept
    assert gateway().seen - before == asked


def test_card__of_the_gateway__is_one_of_a_chat_endpoint() -> None:
    card = chat_card("https://models.example/v1")
    assert card.source() == "tester-said"
    assert card.source(is_relayed=True) == "relayed"
    assert reference().card.source(is_relayed=True) == "recomputed"
    assert taped().card.source(is_relayed=True) == "tester-said"
    assert PROVIDER.role == "provider"
