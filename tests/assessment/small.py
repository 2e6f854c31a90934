"""A small dossier, made once for all tests, and a tester who forges others from it.

``forge`` signs whatever it is given with the tester's own keys, into a log of its own, so that
signatures, digests, receipts and leaves all hold: only running the episodes again can tell.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from undersigned.agents.tape import Recorded, write_tape
from undersigned.agents.view import ToolCall, Turn
from undersigned.assessment import run as running
from undersigned.assessment import verification
from undersigned.assessment.card import AgentSource, Card, ClaimWish, ControlsWish, Owner
from undersigned.assessment.dossier import Dossier, seal
from undersigned.assessment.instrument import Instrument, check_instrument
from undersigned.assessment.registry import Tester, example_trust, open_tester, register
from undersigned.assessment.run import Order, Prepared, Result, check, open_agent, prepare, run
from undersigned.assessment.verification import Verified, verify
from undersigned.core.canonical import Digest, digest_bytes, encode
from undersigned.episodes.execute import open_run
from undersigned.episodes.rig import Rig
from undersigned.episodes.shards import make_shard, shard_name
from undersigned.evidence.bundle import write_bundle
from undersigned.evidence.entries import Entry
from undersigned.evidence.log import Log
from undersigned.evidence.statements import sign_statement, state
from undersigned.evidence.tree import Tree
from undersigned.scoring.scores import Summary
from undersigned.worlds.family import Family
from undersigned.worlds.suite import Suite

CREATED = "2026-11-21T10:00:00Z"
EPISODES = 210
AGENT = "follower-locale:th"
CARD_TEXT = f"""\
name: payments clerk
version: "2026.11"
owner: {{name: Tan Mei Ling, role: Head of Payment Operations}}
agent: {{reference: "{AGENT}"}}
locales: [th]
"""


class Made(NamedTuple):
    """A finished run. home: of the tester. result: what was graded."""

    dossier: Path
    trust: Path
    home: Path
    tester: Tester
    card: Card
    result: Result


def card_of(source: AgentSource, **more: Any) -> Card:
    return Card(
        "payments clerk",
        "2026.11",
        Owner("Tan Mei Ling", "Head of Payment Operations"),
        source,
        locales=("th",),
        claim=ClaimWish(),
        **more,
    )


@lru_cache(maxsize=1)
def workbench() -> Path:
    """Return a folder that goes away with the tests."""
    folder = Path(tempfile.mkdtemp(prefix="undersigned-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


_instruments: dict[tuple[int, tuple[str, ...]], tuple[Family, Instrument]] = {}


async def _instrument(suite: Suite, rig: Rig, **more: Any) -> Instrument:
    key = id(suite.family), suite.locales
    if key not in _instruments:
        # The family is kept with it, so that its identity is not given to another.
        _instruments[key] = suite.family, await check_instrument(suite, rig)
    return _instruments[key][1]


@contextmanager
def instrument_kept() -> Iterator[None]:
    """Check the instrument once for each family and locales, in runs and verifications within.

    WHY: it follows from these alone, and takes half of a verification. What verification makes of
    it is untouched, and a test that puts another check in its place gets that one.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (running, verification):
            if module.check_instrument is check_instrument:
                patch.setattr(module, "check_instrument", _instrument)
        yield


def planned(card: Card, budget: str = str(EPISODES), base: Path = Path()) -> Prepared:
    return prepare(Order(card, budget), base)


def make(name: str, card: Card, base: Path = Path()) -> Made:
    """Run a card and seal its dossier."""
    folder = workbench() / name
    home = workbench() / "home"
    tester = open_tester(home, "demo", ())
    prepared = planned(card, base=base)
    open_run(folder / "run", prepared.plan, resume=False)
    register(prepared, tester, folder / "run")
    result = asyncio.run(_run(prepared, folder / "run", home, base))
    seal(result, tester, folder / "run", folder / "dossier", card, None)
    example_trust(tester, folder / "trust.json")
    return Made(folder / "dossier", folder / "trust.json", home, tester, card, result)


async def _run(prepared: Prepared, folder: Path, home: Path, base: Path) -> Result:
    with instrument_kept():
        instrument = await check(prepared, cache=home / "cache")
    async with AsyncExitStack() as stack:
        agent, announce = await open_agent(prepared.order.card, base, {}, (), stack)
        return await run(prepared, instrument, folder, agent, announce)


@lru_cache(maxsize=1)
def reference() -> Made:
    """Return the dossier of a reference agent: 210 episodes, one locale."""
    return make("reference", card_of(AgentSource(reference=AGENT)))


@lru_cache(maxsize=1)
def taped() -> Made:
    """Return the dossier of a tape that somebody wrote by hand and passes for a model.

    It reports at once and does nothing, so it looks spotless.
    """
    base = workbench() / "tapes"
    turn = Turn(calls=(ToolCall("c1", "report", '{"items":[],"note":""}'),))
    write_tape(base / "model.tape", dict.fromkeys(range(EPISODES), Recorded((turn,), "reported")))
    return make("taped", card_of(AgentSource(tape="model.tape")), base)


@lru_cache(maxsize=1)
def governed() -> Made:
    """Return the dossier of the same reference agent behind the suite's own policy."""
    return make("governed", card_of(AgentSource(reference=AGENT), controls=ControlsWish("family")))


@lru_cache(maxsize=1)
def unprobed() -> Made:
    """Return the governed dossier of a card that wants no strategy tried against its policy."""
    wish = ControlsWish("family", probe=0)
    return make("unprobed", card_of(AgentSource(reference=AGENT), controls=wish))


@lru_cache(maxsize=1)
def governed_tape() -> Made:
    """Return the dossier of the spotless tape behind the suite's own policy."""
    base = workbench() / "governed-tapes"
    turn = Turn(calls=(ToolCall("c1", "report", '{"items":[],"note":""}'),))
    write_tape(base / "model.tape", dict.fromkeys(range(EPISODES), Recorded((turn,), "reported")))
    card = card_of(AgentSource(tape="model.tape"), controls=ControlsWish("family"))
    return make("governed-tape", card, base)


def checked(dossier: Path, trust: Path | None = None, **more: Any) -> Verified:
    with instrument_kept():
        return asyncio.run(verify(dossier, trust or reference().trust, **more))


def copy(folder: Path, made: Made | None = None) -> Path:
    """Return a copy of a dossier that a test may damage."""
    target = folder / "dossier"
    shutil.copytree((made or reference()).dossier, target)
    return target


class Forgery(NamedTuple):
    """What a forger changes. Bytes of files; episodes, from which shard and leaves are made; what
    prereg and result say; None leaves things as they are."""

    plan: bytes | None = None
    card: bytes | None = None
    summary: Summary | None = None
    episodes: Sequence[bytes] | None = None
    files: Mapping[str, bytes] = {}
    prereg: Mapping[str, object] = {}
    result: Mapping[str, object] = {}


def forge(folder: Path, forgery: Forgery, made: Made | None = None) -> Path:
    """Sign a changed dossier with the tester's own keys and log, and return it."""
    made = made or reference()
    with Dossier(made.dossier) as dossier:
        files = {name: dossier.bundle.read(name) for name in dossier.bundle.manifest.files}
        prereg, said = dict(dossier.prereg.predicate), dict(dossier.result.predicate)
    files = {n: d for n, d in files.items() if not n.startswith(("log/", "statements/log/"))}
    _change(files, said, forgery)
    plan, system = digest_bytes(files["plan.json"]), digest_bytes(files["system/card.json"])
    subjects = {"system": system, "plan": plan}
    agent = json.loads(files["plan.json"])["agent"]
    prereg |= {"plan": plan, "system": system, "agent": agent} | dict(forgery.prereg)
    first = sign_statement(state("prereg", subjects, prereg), made.tester.key)
    said |= {
        "refs": [{"name": "prereg", "digest": digest_bytes(first)}],
        "plan": plan,
        "system": system,
        "scores": digest_bytes(files["scores.json"]),
        "episodes": _leaves(files),
    } | dict(forgery.result)
    then = sign_statement(state("eval-result", subjects, said), made.tester.key)
    files |= {"statements/prereg.json": first, "statements/eval-result.json": then}
    files |= _log(folder / "forged-log", made.tester, first, then)
    target = folder / "forged"
    write_bundle(target, files, made.tester.key, created=CREATED, system=system, plan=plan)
    return target


def _change(files: dict[str, bytes], said: dict[str, Any], forgery: Forgery) -> None:
    if forgery.plan is not None:
        files["plan.json"] = forgery.plan
    if forgery.card is not None:
        files["system/card.json"] = forgery.card
    if forgery.episodes is not None:
        files |= shards_of({0: forgery.episodes})
    if forgery.summary is not None:
        summary = forgery.summary
        files["scores.json"] = encode(summary)
        said["headline"] = msgspec.to_builtins(summary.headline)
        said["verdicts"] = [
            {"claim": c.claim.id, "limit": c.claim.limit, "verdict": c.verdict, "bound": c.bound}
            for c in summary.claims
        ]
    files |= forgery.files


def shards_of(shards: Mapping[int, Sequence[bytes]]) -> dict[str, bytes]:
    """Return the files of shards."""
    files = {}
    for number, episodes in shards.items():
        shard = make_shard(episodes)
        files[f"{shard_name(number)}.jsonl.zst"] = shard.data
        files[f"{shard_name(number)}.leaves"] = shard.leaves
    return files


def _leaves(files: Mapping[str, bytes]) -> dict[str, object]:
    tree = Tree()
    for name in sorted(files):
        if name.endswith(".leaves"):
            tree.extend([files[name][i : i + 32] for i in range(0, len(files[name]), 32)])
    return {"count": tree.size, "root": f"sha256:{tree.root().hex()}"}


def _log(folder: Path, tester: Tester, first: bytes, then: bytes) -> dict[str, bytes]:
    with Log.create(folder, tester.log_key.name, tester.log_key) as log:
        log.append([Entry.of(first).data()])
        early = log.receipt(0)
        log.append([Entry.of(then).data()])
        late = log.receipt(1)
        static = log.static_files()
    proofs = {"proofs/prereg.tlog-proof": early, "proofs/eval-result.tlog-proof": late}
    files = {name: text.encode() for name, text in proofs.items()}
    return files | {f"log/{name}": data for name, data in static.items()}


def other(digest: str) -> Digest:
    """Return another digest."""
    return Digest(digest[:-1] + ("0" if digest[-1] != "0" else "1"))
