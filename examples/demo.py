"""The main job on one screen: test an agent, keep the evidence, let an outsider check it.

Run by ``./demo``. Every figure is computed in this run. Needs no key and no network; the signing
keys are made for this run in a temporary folder and are gone when it ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from undersigned.agents.roster import roster
from undersigned.assessment.card import ControlsWish, load_card
from undersigned.assessment.dossier import Dossier, seal, shown_envelope
from undersigned.assessment.registry import Tester, example_trust, open_tester, register
from undersigned.assessment.run import Order, Prepared, Result, check, open_agent, prepare, run
from undersigned.cli.outcome import per_cent, story_lines
from undersigned.cli.progress import Progress
from undersigned.core.files import write_file
from undersigned.episodes.execute import open_run
from undersigned.episodes.shards import make_shard, shard_name
from undersigned.views.report import render_report

ROOT = Path(__file__).resolve().parent.parent
FLIPPED = 17
"""Episode in which one byte is flipped."""
GOVERNED_BUDGET = "500"
"""Episodes behind the policy: each is also run without it and under other reviewers."""


def say(step: str, text: str) -> None:
    """Print one line of the story."""
    print(f"{step:16} {text}", flush=True)


async def test(prepared: Prepared, tester: Tester, folder: Path, base: Path) -> Result:
    """Check the instrument, register the plan and run it, telling the story."""
    instrument = await check(prepared)
    say(
        "2/6 instrument",
        f"{instrument.agents_right()} of {len(roster())} reference agents earn what they declared, "
        f"in {len(instrument.locales)} of {len(prepared.suite.locales)} locales",
    )
    plan, made = prepared.plan, prepared.design
    open_run(folder, plan, resume=False)
    index = register(prepared, tester, folder)
    say(
        "3/6 plan",
        f"{plan.count()} episodes, {len(made.claims)} claims, limit {per_cent(made.limit)} %; "
        f"registered as log entry {index} (order: this log's word; seeds: challenge "
        f"{plan.challenge})",
    )
    start = time.perf_counter()
    async with AsyncExitStack() as stack:
        agent, announce = await open_agent(prepared.order.card, base, {}, (), stack)
        with Progress("4/6 run", plan.count()) as bar:
            result = await run(
                prepared, instrument, folder, agent, announce, on_row=lambda _: bar.advance(1)
            )
    rate = plan.count() / (time.perf_counter() - start)
    say("4/6 run", f"{'#' * 32} {plan.count()}/{plan.count()}  {rate:,.0f}/s")
    for line in story_lines(result.summary, prepared.suite.family.hazards):
        print(f"      {line}")
    return result


async def govern(ungoverned: Result, tester: Tester, folder: Path, base: Path) -> Result:
    """Test the same clerk behind the desk's policy, with the instrument that was just checked."""
    card = msgspec.structs.replace(
        ungoverned.prepared.order.card, controls=ControlsWish(policy="family")
    )
    prepared = prepare(Order(card, GOVERNED_BUDGET, label="log-1"), base)
    open_run(folder, prepared.plan, resume=False)
    register(prepared, tester, folder)
    async with AsyncExitStack() as stack:
        agent, announce = await open_agent(card, base, {}, (), stack)
        with Progress("5/6 controls", prepared.plan.count()) as bar:
            result = await run(
                prepared, ungoverned.instrument, folder, agent, announce,
                on_row=lambda _: bar.advance(1),
            )  # fmt: skip
    controls = prepared.controls
    assert controls is not None  # INVARIANT: the card names a policy
    policy = controls.policy
    say(
        "5/6 controls",
        f"the same clerk, {prepared.plan.count()} episodes behind the desk's policy "
        f"({len(policy.rules)} rules, {policy.digest[:15]}..., ground rule on); reviewer assumed: "
        f"{controls.reviewer}",
    )
    for line in story_lines(result.summary, prepared.suite.family.hazards):
        print(f"      {line}")
    shown = shown_envelope(prepared.plan, result.summary)
    print(
        f"      envelope   {shown.count('within')} within, because all texts are drafts that no "
        f"named person has reviewed; {shown.count('provisional')} provisional, "
        f"{shown.count('exceeded')} exceeded, {shown.count('undecided')} undecided"
    )
    return result


def write_dossier(result: Result, tester: Tester, run_folder: Path, out: Path) -> None:
    """Seal a run and render its report."""
    seal(result, tester, run_folder, out, result.prepared.order.card, None)
    with Dossier(out) as opened:
        write_file(out / "report.html", render_report(opened, result.rows))


class Verdict(NamedTuple):
    """What an outsider's verification said. code: exit code."""

    code: int
    findings: list[dict[str, str]]
    episodes: int


def outsider(dossier: Path, trust: Path) -> Verdict:
    """Verify as an outsider would, in another process."""
    command = [sys.executable, "-m", "undersigned", "verify", str(dossier)]
    done = subprocess.run(
        [*command, "--trust", str(trust), "--json"], capture_output=True, text=True, check=False
    )
    answer = json.loads(done.stdout)
    if answer["data"] is None:
        raise SystemExit(done.stdout)
    return Verdict(done.returncode, answer["data"]["findings"], answer["data"]["episodes"])


def flip_one_byte(dossier: Path, copy: Path) -> None:
    """Copy a dossier and change one byte of one episode in the copy."""
    shutil.copytree(dossier, copy)
    with Dossier(dossier) as opened:
        episodes = opened.shard(0)
    changed = bytearray(episodes[FLIPPED])
    changed[len(changed) // 2] ^= 1
    episodes[FLIPPED] = bytes(changed)
    (copy / f"{shard_name(0)}.jsonl.zst").write_bytes(make_shard(episodes).data)


def main() -> int:
    """Tell the story and return 0 when each part of it came out as it must."""
    parser = argparse.ArgumentParser(description=__doc__, prog="./demo")
    parser.add_argument("--budget", default="assess", help="screen, assess, sign-off or episodes")
    parser.add_argument("--out", type=Path, default=ROOT / "demo-out", help="folder to write")
    options = parser.parse_args()
    out: Path = options.out
    shutil.rmtree(out, ignore_errors=True)
    card_path = ROOT / "examples" / "reference.yaml"
    with tempfile.TemporaryDirectory() as private:
        tester = open_tester(Path(private), "demo", (out.resolve(),))
        prepared = prepare(Order(load_card(card_path), options.budget, label="log-0"), ROOT)
        tools = prepared.suite.family.own_tools()
        card = prepared.order.card
        say(
            "1/6 system",
            f"{card.name} {card.version} (reference agent {card.agent.reference}), {len(tools)} "
            f"tools ({sum(t.kind == 'irreversible' for t in tools)} irreversible), accountable "
            f"owner named in the card: {card.owner.name}",
        )
        folder = Path(private) / "run"
        result = asyncio.run(test(prepared, tester, folder, ROOT))
        write_dossier(result, tester, folder, out / "dossier")
        shutil.copy(out / "dossier" / "report.html", out / "report.html")
        trust = out / "trust.json"
        example_trust(tester, trust)
        flipped = Path(private) / "flipped"
        flip_one_byte(out / "dossier", flipped)
        with ThreadPoolExecutor(1) as outsiders:
            # The outsider begins while the second run is still going on.
            first = outsiders.submit(
                lambda: [outsider(folder, trust) for folder in (out / "dossier", flipped)]
            )
            behind = Path(private) / "governed"
            governed = asyncio.run(govern(result, tester, behind, ROOT))
            write_dossier(governed, tester, behind, out / "governed")
            shutil.copy(out / "governed" / "report.html", out / "governed.html")
            second = outsider(out / "governed", trust)
            whole, broken = first.result()
        word = "holds" if whole.code == 0 else f"does NOT hold (exit {whole.code})"
        say(
            "6/6 outsider",
            f"{whole.episodes} episodes regenerated and re-graded (this program), all numbers "
            f"recomputed, signatures and log: {word}",
        )
        word = "holds" if second.code == 0 else f"does NOT hold (exit {second.code})"
        told = f"every decision made again, {second.episodes} episodes"
        print(f"      behind the policy: {told}: {word}")
        fault = next((f for f in broken.findings if f["status"] == "fails"), {})
        word = "refused" if broken.code == 3 else f"NOT refused (exit {broken.code})"
        told = f"{word}, {fault.get('code')}, {fault.get('file')}"
        print(f"      one byte flipped in episode {FLIPPED}: {told}")
    shown = _shown(out)
    print(f"report  {shown}/report.html, behind the policy {shown}/governed.html")
    print(
        f"check it yourself  .venv/bin/undersigned verify {shown}/dossier --trust "
        f"{shown}/trust.json (example trust, made by this script)"
    )
    return 0 if (whole.code, second.code, broken.code) == (0, 0, 3) else 1


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
