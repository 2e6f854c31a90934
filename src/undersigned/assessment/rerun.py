"""What runs a dossier's plan again here, and does every episode come out the same?

The suite that the plan pins must be the installed one; a reference agent acts again, of any other
the recorded turns are played. Each episode must come out byte for byte, and each decision of a gate
must follow again from the events before it alone.
"""

from __future__ import annotations

from collections.abc import Callable

from undersigned.agents.roster import reference_agent
from undersigned.agents.tape import TapeAgent
from undersigned.agents.view import Agent
from undersigned.assessment.comparison import Watch, is_exact, probe_of, runs_again
from undersigned.assessment.dossier import Dossier
from undersigned.assessment.grading import graded, graded_shard
from undersigned.assessment.problems import CANNOT_REGRADE, DECISION_DIFFERS, PLAN_DIFFERS
from undersigned.assessment.program import pinned_versions
from undersigned.assessment.relay_check import RelayCheck
from undersigned.attacks.channels import channels
from undersigned.controls.redecide import redecide
from undersigned.core.errors import EvidenceError, UndecidableError, UndersignedError
from undersigned.episodes.execute import Bench, Ran, replay
from undersigned.episodes.plan import SHARD_SIZE, items
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls
from undersigned.episodes.shards import shard_name
from undersigned.scoring.outcomes import Graded
from undersigned.worlds.suite import Suite, load_suite


def installed(dossier: Dossier) -> Suite:
    """Return the suite that the plan pins. Raises UndecidableError (E-ASM-005) when this program
    is not the one that can regenerate it."""
    plan = dossier.plan
    try:
        suite = load_suite(plan.family, plan.locales, channels(), plan.hazards)
    except UndersignedError as error:
        raise UndecidableError(
            CANNOT_REGRADE,
            "the suite is not installed here",
            needed=f"{plan.family} {plan.version}",
        ) from error
    here = {"code": suite.family.digest, "suite": suite.digest, **pinned_versions()}
    there = {"code": plan.code, "suite": plan.suite, **plan.versions}
    for name, value in there.items():
        if here.get(name) != value:
            raise UndecidableError(
                CANNOT_REGRADE, "another version made this dossier",
                made_by=f"undersigned {plan.versions.get('undersigned', 'of unknown version')}",
                needed=f"{name} {value}", installed=here.get(name, "none"),
            )  # fmt: skip
    return suite


def _player(dossier: Dossier) -> Agent | TapeAgent:
    """Return who acts: the reference agent, or the recorded turns."""
    name = dossier.card.agent.reference
    if name:
        agent = reference_agent(name)
        if agent.digest != dossier.plan.agent:
            raise EvidenceError(PLAN_DIFFERS, "the plan names another agent", file="plan.json")
        return agent
    chat = dossier.card.agent.chat
    if chat is not None and chat.digest() != dossier.plan.agent:
        raise EvidenceError(PLAN_DIFFERS, "the plan names another endpoint", file="plan.json")
    return TapeAgent(dossier.card.name, dossier.plan.agent, {})


def bench_of(dossier: Dossier, suite: Suite) -> Bench:
    """Return what runs a dossier's plan again, behind the same controls. Raises EvidenceError
    (E-ASM-007)."""
    controls = dossier.controls(suite.family)
    return Bench(dossier.plan, suite, Rig(suite.family), _player(dossier), controls=controls)


async def run_again(
    dossier: Dossier,
    bench: Bench,
    on_episode: Callable[[int, int], None] | None,
    relays: RelayCheck | None = None,
    watch: Watch | None = None,
) -> list[Graded]:
    """Run every episode of a dossier again, compare every byte, and return the grades.

    bench: what runs the plan again. on_episode: told of progress (done, of how many). relays,
    watch: take each episode as well. Raises EvidenceError (E-EPI-001, E-ASM-025).
    """
    planned = list(items(dossier.plan, bench.suite, dossier.nonce))
    rows: list[Graded] = []
    more = runs_beside(dossier, bench) if watch else 0

    def on_ran(ran: Ran) -> None:
        _check_decisions(ran, bench.controls)
        row = graded(ran, bench.suite.family)
        rows.append(row)
        if watch is not None:
            watch.take(ran, row)
        if relays is not None:
            relays.take(ran)

    for number in range(dossier.shards()):
        batch = planned[number * SHARD_SIZE : (number + 1) * SHARD_SIZE]
        name = f"{shard_name(number)}.jsonl.zst"
        await replay(bench, dossier.shard(number), batch, name, on_ran)
        if relays is not None:
            await relays.shard(number)
        if on_episode is not None:
            on_episode(len(rows), len(planned) + more)
    return rows


def _check_decisions(ran: Ran, controls: Controls | None) -> None:
    """Decide again from an episode's events alone. Raises EvidenceError (E-ASM-025)."""
    if controls is None:
        return
    keeper = controls.keeper(ran.scenario.state.tenant)
    for found in redecide(ran.episode.events, controls.policy, keeper):
        raise EvidenceError(
            DECISION_DIFFERS, "a decision comes out otherwise from its events alone",
            episode=ran.item.number, event=found.at, call=found.call,
            recorded=found.recorded.kind, again=found.again.kind,
        )  # fmt: skip


def runs_beside(dossier: Dossier, bench: Bench) -> int:
    """Return how much is run beside the episodes themselves."""
    card = dossier.card
    return runs_again(
        bench.controls, bench.plan, bench.suite, exact=is_exact(card), probe=probe_of(card)
    )


async def regrade(
    dossier: Dossier, on_episode: Callable[[int, int], None] | None = None
) -> list[Graded]:
    """Run a dossier's episodes again and return their grades. Raises as ``verify`` would report."""
    return await run_again(dossier, bench_of(dossier, installed(dossier)), on_episode)


def grade_recorded(dossier: Dossier) -> list[Graded]:
    """Grade a dossier's episodes from their bytes alone; no world is run.

    Says what the recorded events show. Raises UndecidableError (E-ASM-005) where its scenarios
    cannot be made here, EvidenceError (E-EPI-001, E-EVT-001) for bytes that are not the plan's
    episodes.
    """
    suite = installed(dossier)
    planned = list(items(dossier.plan, suite, dossier.nonce))
    rows: list[Graded] = []
    for number in range(dossier.shards()):
        name = shard_name(number)
        data, leaves = (dossier.bundle.read(f"{name}.{end}") for end in ("jsonl.zst", "leaves"))
        batch = planned[number * SHARD_SIZE : (number + 1) * SHARD_SIZE]
        rows += graded_shard(data, leaves, f"{name}.jsonl.zst", batch, suite)
    return rows
