"""From a card to a dossier: check the instrument, plan, register, run, grade, seal.

The order is the point: the plan is registered in the tester's log before the first episode runs,
the result after the last, and the dossier holds both receipts.

Invariants:
- Nothing is sent to an endpoint before host, key variable, calls and price were shown and agreed.
- A run that stops at any moment can be resumed; nothing that ran is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from undersigned.agents.chat import ChatAgent
from undersigned.agents.chat_settings import check_key
from undersigned.agents.problems import FOREIGN_KEY, MISSING_KEY
from undersigned.agents.roster import reference_agent
from undersigned.agents.tape import TapeAgent, read_tape
from undersigned.agents.view import Agent
from undersigned.assessment.admitted import admission_of, require_admitted
from undersigned.assessment.arms import Comparison
from undersigned.assessment.card import Card, card_locales, check_tools
from undersigned.assessment.comparison import Watch, compare, is_exact, probe_of
from undersigned.assessment.governance import ControlFiles, control_files, open_controls
from undersigned.assessment.grading import graded
from undersigned.assessment.instrument import Instrument, check_instrument, require_sound
from undersigned.assessment.program import pinned_versions
from undersigned.assessment.relays import Keeper, Kept
from undersigned.attacks.channels import channels
from undersigned.core.canonical import Digest, digest, digest_bytes
from undersigned.core.errors import AccessDeniedError
from undersigned.core.files import read_file, write_file
from undersigned.episodes.execute import Bench, Prepare, Ran, execute
from undersigned.episodes.plan import SCHEMA, Challenge, Plan
from undersigned.episodes.reference_line import ReferenceLine
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls
from undersigned.scoring.budgets import Design, design
from undersigned.scoring.outcomes import Graded
from undersigned.scoring.scores import Summary
from undersigned.scoring.summary import summarise
from undersigned.worlds.scenario import Scenario
from undersigned.worlds.suite import Suite, load_suite

CALLS_PER_EPISODE = 9
"""Chat calls that an episode of the payments suite takes on average, for prices before a run."""
TOKEN_PREFIX = "UNDERSIGNED_"
"""What a variable with a reference endpoint's token starts with."""
TOKENS_IN_PER_CALL, TOKENS_OUT_PER_CALL = 3_500, 90
"""Tokens of a call on average, for prices before a run."""


class Order(NamedTuple):
    """What is to be run. budget: name or number. label: tells two plans of one content apart.
    challenge: where the seeds' nonce comes from."""

    card: Card
    budget: str
    hazards: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    label: str = ""
    challenge: Challenge = "none"


class Price(msgspec.Struct, frozen=True):
    """What a run will take, as far as can be known beforehand. host, key_variable: where to and
    with which key; empty for agents in process. calls: estimate. cost: decimal string in currency,
    or None when the card gives no prices."""

    episodes: int
    host: str
    model: str
    key_variable: str
    calls: int
    cost: str | None
    currency: str


class Prepared(NamedTuple):
    """A run that is planned and not yet registered. given: what the controls are made of.
    controls: what stands between agent and world."""

    order: Order
    suite: Suite
    rig: Rig
    design: Design
    plan: Plan
    price: Price
    given: ControlFiles = ControlFiles()
    controls: Controls | None = None


class Annexes(NamedTuple):
    """Files that go with a result as payloads that can be erased. retention: of their entries."""

    files: tuple[Path, ...] = ()
    retention: Literal["term", "erasable"] = "erasable"


class Result(NamedTuple):
    """A run that was graded. nonce: the challenge, if the plan has one. kept: signed answers.
    comparison: with and without controls; None of a run that nothing guards."""

    prepared: Prepared
    instrument: Instrument
    rows: list[Graded]
    summary: Summary
    nonce: str = ""
    annexes: Annexes = Annexes()
    kept: Kept = Kept()
    comparison: Comparison | None = None

    def source(self) -> str:
        """Return where its turns come from."""
        return self.prepared.order.card.source(is_relayed=self.kept.is_whole())


def agent_digest(card: Card, base: Path) -> Digest:
    """Return the digest of what acts, without opening anything. base: folder of the card."""
    source = card.agent
    if source.reference:
        return reference_agent(source.reference).digest
    if source.chat is not None:
        return source.chat.digest()
    return digest(["undersigned.tape.v1", digest_of_file(base / source.tape)])


def digest_of_file(path: Path) -> Digest:
    """Return the digest of a file's bytes, as text. Raises StorageError (E-COR-005)."""
    return digest_bytes(read_file(path))


def prepare(order: Order, base: Path) -> Prepared:
    """Plan a run.

    base: folder of the card, for tapes. Raises UsageError for whatever in card or order is
    unknown, UndecidableError (E-SCO-005) when the budget cannot decide even the suite claim.
    """
    card = order.card
    suite = load_suite(card.suite, order.locales or card_locales(card), channels(), order.hazards)
    check_tools(card, suite.family)
    wish = card.claim
    made = design(
        suite.strata, order.budget, limit=wish.limit, alternative=wish.alternative or None,
        alpha=wish.alpha, power=wish.power,
    )  # fmt: skip
    given = control_files(card, base, suite.family)
    controls = open_controls(card.controls, given, suite.family)
    plan = Plan(
        schema=SCHEMA,
        suite=suite.digest,
        family=suite.family.name,
        version=suite.family.version,
        code=suite.family.digest,
        locales=suite.locales,
        hazards=order.hazards,
        system=card.digest(),
        agent=agent_digest(card, base),
        reviewer=controls.reviewer if controls else "none",
        policy=controls.policy.digest if controls else "",
        envelope=given.envelope_digest(),
        challenge=order.challenge,
        versions=pinned_versions(),
        blocks=made.allotments,
        parallels=made.parallels,
        design=msgspec.to_builtins(made),
        attempt=order.label,
    )
    price = price_of(card, plan.count())
    return Prepared(order, suite, Rig(suite.family), made, plan, price, given, controls)


def price_of(card: Card, episodes: int) -> Price:
    """Return what a run will take."""
    chat = card.agent.chat
    calls = episodes * CALLS_PER_EPISODE
    if chat is None:
        return Price(episodes, "", "", "", 0, None, "")
    cost = chat.cost(calls * TOKENS_IN_PER_CALL, calls * TOKENS_OUT_PER_CALL)
    host = chat.base_url.split("/")[2]
    return Price(episodes, host, chat.model, chat.key_env, calls, cost, chat.currency)


async def open_agent(
    card: Card, base: Path, environ: Mapping[str, str], allowed: tuple[str, ...],
    stack: AsyncExitStack,
) -> tuple[Agent, Prepare | None]:  # fmt: skip
    """Open the agent of a card; the stack closes it.

    Raises AccessDeniedError (E-AGT-003, E-AGT-004) for keys, UsageError for anything else.
    """
    source = card.agent
    if source.reference:
        return reference_agent(source.reference), None
    if source.chat is not None:
        key = check_key(source.chat, environ, allowed)
        agent = await stack.enter_async_context(ChatAgent(source.chat, key))
        if source.endpoint is None:
            return agent, None
        token = _token(source.endpoint.token_env, environ, allowed)
        line = await stack.enter_async_context(ReferenceLine(source.chat.base_url, token))

        async def announce(rig: Rig, scenario: Scenario) -> None:
            words = rig.instructions(scenario), rig.request(scenario)
            await line.announce(rig.family, scenario, *words)

        return agent, announce
    path = base / source.tape
    return TapeAgent(card.name, agent_digest(card, base), read_tape(path), str(path)), None  # type: ignore[return-value]


def _token(variable: str, environ: Mapping[str, str], allowed: tuple[str, ...]) -> str:
    """Return the token of a reference endpoint. Raises AccessDeniedError (E-AGT-003, E-AGT-004)."""
    if not variable.startswith(TOKEN_PREFIX) and variable not in allowed:
        raise AccessDeniedError(FOREIGN_KEY, "the card names a foreign variable", variable=variable)
    token = environ.get(variable, "")
    if not token:
        raise AccessDeniedError(MISSING_KEY, "the variable is not set", variable=variable)
    return token


async def check(
    prepared: Prepared,
    on_agent: Callable[[str], None] | None = None,
    *,
    cache: Path | None = None,
) -> Instrument:
    """Check admission and instrument for the suite of a run.

    on_agent: told when an agent is done. cache: folder with earlier admissions. Raises
    UndersignedError (E-WLD-003, E-ASM-003).
    """
    require_admitted(prepared.suite, admission_of(prepared.suite, cache))
    found = await check_instrument(prepared.suite, prepared.rig, on_agent=on_agent)
    require_sound(found, prepared.suite)
    return found


async def run(
    prepared: Prepared,
    instrument: Instrument,
    folder: Path,
    agent: Agent,
    announce: Prepare | None,
    *,
    nonce: str = "",
    on_row: Callable[[Graded], None] | None = None,
    on_compared: Callable[[int], None] | None = None,
) -> Result:
    """Run and grade a plan whose folder is open. nonce: the challenge, if the plan has one.
    on_row: told of every graded episode. on_compared: told how many more of ``runs_again`` the
    comparison with and without controls has run."""
    rows: list[Graded] = []
    watch = Watch(prepared.plan, prepared.controls)
    family = prepared.suite.family
    usage = bytearray()
    keeper = Keeper(folder) if prepared.order.card.agent.chat is not None else None

    def on_ran(ran: Ran) -> None:
        row = graded(ran, family)
        rows.append(row)
        watch.take(ran, row)
        for number, used in enumerate(ran.episode.usage):
            taken = msgspec.structs.replace(used, relay=None)
            line = {"episode": ran.item.number, "turn": number} | msgspec.to_builtins(taken)
            usage.extend(msgspec.json.encode(line, order="sorted") + b"\n")
        if keeper is not None:
            keeper.take(ran)
        if on_row is not None:
            on_row(row)

    bench = Bench(
        prepared.plan, prepared.suite, prepared.rig, agent,
        prepared.order.card.agent.concurrency, announce, prepared.controls,
    )  # fmt: skip
    await execute(bench, folder, on_ran, nonce=nonce)
    write_file(folder / "measurements" / "turns.jsonl", bytes(usage))
    kept = keeper.finish() if keeper is not None else Kept()
    card = prepared.order.card
    comparison = await compare(
        bench, watch.kept, exact=is_exact(card), nonce=nonce, probe=probe_of(card),
        on_episode=on_compared,
    )  # fmt: skip
    summary = summarise(rows, prepared.design)
    return Result(prepared, instrument, rows, summary, nonce, kept=kept, comparison=comparison)
