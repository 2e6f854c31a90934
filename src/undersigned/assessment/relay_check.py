"""Did a provider whom the reader trusts sign the very turns that were graded?

Each episode with kept answers is run once more, its turns read from the answers' bytes. On the way
the conversation is made again as the chat agent made it, so each request's bytes are known; the
signature must hold over this request and this answer, and the episode must come out byte for byte
as the one that was graded. So whatever the engine cuts, orders or refuses is compared as well.

Whose signature counts is the reader's trust file's to say: role ``provider``, within its dates at
the dossier's claimed date, not revoked. A revocation's position is compared with the position of
the result statement in the tester's log, because that statement holds the digest of all lines.

Refuses: an answer that is not signed by the key it names (E-ASM-021), one that gives another turn
than the recorded one (E-ASM-021, whoever signed), files that are out of place or not those of the
result statement (E-ASM-020), a result that claims another source of turns than was kept
(E-ASM-007).

Invariants:
- A turn counts as relayed only for a key that counts and whose party is none of the tester's.
- Nothing here shows that an answer was the only one asked for; E-ASM-024 says so.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from undersigned.agents.chat import ChatActor
from undersigned.agents.chat_settings import ChatSettings
from undersigned.agents.chat_wire import NoAnswerError, read_answer
from undersigned.agents.relay import is_relayed, response_of
from undersigned.agents.tape import REGULAR_ENDS, TapeActor, recorded_of, turns_of
from undersigned.agents.view import Relay, Turn, View
from undersigned.assessment.dossier import Dossier
from undersigned.assessment.problems import (
    BAD_RELAYS,
    ONE_OF_SEVERAL,
    OWN_PROVIDER,
    PLAN_DIFFERS,
    PROVIDER_DOUBTED,
    RELAY_DIFFERS,
)
from undersigned.assessment.relays import FOLDER, Kept, read_lines, relay_name
from undersigned.core.canonical import Digest
from undersigned.core.errors import EvidenceError
from undersigned.core.streams import Stream
from undersigned.episodes.engine import run_episode
from undersigned.episodes.execute import Ran
from undersigned.episodes.rig import Rig
from undersigned.events.stream import Event, Proposed, Said
from undersigned.evidence.notes import parse_receipt
from undersigned.evidence.statements import open_statement
from undersigned.evidence.trust import Key, Trust
from undersigned.evidence.verify import Finding

TURNS_CODE = "E-EVD-184"
"""The stand-alone check's line that turns may be invented."""
RESULT = "statements/eval-result.json"


class Standing(NamedTuple):
    """What a key is to the reader. key: None when the trust file has no such provider. doubt: why
    its signatures do not count, or empty. is_own: its party is the tester's."""

    key: Key | None
    doubt: str = ""
    is_own: bool = False

    def counts(self) -> bool:
        """Tell whether its signatures show that a turn was relayed."""
        return not self.doubt and not self.is_own


class RelayCheck:
    """The signed answers of one dossier under one trust file, checked shard by shard."""

    def __init__(self, dossier: Dossier, trust: Trust, rig: Rig) -> None:
        """Prepare. Raises EvidenceError (E-ASM-020) for files that have no place in the dossier."""
        self._dossier = dossier
        self._trust = trust
        self._rig = rig
        self._controls = dossier.controls(rig.family)
        self._chat = dossier.card.agent.chat
        listed = {name for name in dossier.bundle.manifest.files if name.startswith(FOLDER)}
        here = range(dossier.shards() if self._chat is not None else 0)
        self._numbers = {number for number in here if relay_name(number) in listed}
        odd = listed - {relay_name(number) for number in self._numbers}
        if odd:
            raise EvidenceError(BAD_RELAYS, "a file has no place here", file=min(odd))
        self._standings: dict[str, Standing] = {}
        self._counted: Counter[str] = Counter()
        self._turns = self._episodes = self._cut = 0
        self._files: dict[str, Digest] = {}
        self._ran: list[Ran] = []

    def take(self, ran: Ran) -> None:
        """Take an episode that was run again."""
        if self._chat is None:
            return
        self._turns += len(turns_of(ran.episode.events))
        self._episodes += 1
        self._cut += ran.episode.reason not in REGULAR_ENDS
        self._ran.append(ran)

    async def shard(self, number: int) -> None:
        """Check the answers of a shard, all of whose episodes were taken.

        Raises EvidenceError (E-ASM-020, E-ASM-021) for the first that does not hold.
        """
        ran, self._ran = self._ran, []
        if self._chat is None or number not in self._numbers:
            return
        name = relay_name(number)
        found = read_lines(self._dossier.bundle.read(name), number)
        self._files[name] = found.digest
        for each in ran:
            relays = found.episodes.pop(each.item.number, [])
            if relays:
                await self._episode(each, relays, name, self._chat)
        if found.episodes:
            raise EvidenceError(
                BAD_RELAYS, "an episode is not in the plan", file=name, episode=min(found.episodes)
            )

    async def _episode(self, ran: Ran, relays: list[Relay], name: str, chat: ChatSettings) -> None:
        """Run an episode again from its signed answers and compare every byte."""
        number = ran.item.number
        recorded = recorded_of(ran.episode.events)
        if len(relays) > len(recorded.turns):
            raise EvidenceError(
                BAD_RELAYS, "an answer to a turn that was not taken", file=name, episode=number,
                turn=len(recorded.turns),
            )  # fmt: skip
        for relay in relays:
            self._counted[relay.key] += 1
            if relay.key not in self._standings:
                self._standings[relay.key] = self._standing(relay.key)
        actor = _Actor(TapeActor(recorded), relays, chat, self._standings)
        agent = _Signed(self._dossier.plan.agent, actor)
        again = await run_episode(self._rig, ran.scenario, agent, number, controls=self._controls)
        faults = [actor.fault] if actor.fault is not None else []
        differs = _first_difference(ran.episode.events, again.events)
        if differs is not None:
            faults.append(_Fault(differs, "the answer gives another turn than the recorded one"))
        if faults:
            first = min(faults, key=lambda fault: fault.turn)
            raise EvidenceError(
                RELAY_DIFFERS, first.what, file=name, episode=number, turn=first.turn,
                key=relays[min(first.turn, len(relays) - 1)].key,
            )  # fmt: skip

    def _standing(self, name: str) -> Standing:
        bundle = self._dossier.bundle
        receipt = parse_receipt(bundle.read("proofs/eval-result.tlog-proof").decode())
        known = next(
            (k for k in self._trust.keys if k.name == name and "provider" in k.roles), None
        )
        day = datetime.date.fromisoformat(bundle.manifest.created[:10])
        position = receipt.index
        try:
            key = self._trust.key_for(name, role="provider", position=position, at=day)
        except EvidenceError as error:
            return Standing(known, error.what)
        opened = open_statement(
            bundle.read(RESULT), self._trust, predicate="eval-result", position=position
        )
        return Standing(key, "", key.party in {signer.party for signer in opened.signers})

    def judged(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings so far with what the signed answers show.

        To be called after the last shard. Raises EvidenceError: E-ASM-020 when the result statement
        names other answers, E-ASM-007 when it claims another source of turns.
        """
        kept = Kept(self._turns, self._counted.total(), self._files)
        said = self._dossier.result.predicate
        if {k: v for k, v in said.items() if k == "relays"} != kept.stated():
            raise EvidenceError(BAD_RELAYS, "the result names other relayed answers", file=RESULT)
        if said.get("turns") != self._dossier.card.source(is_relayed=kept.is_whole()):
            raise EvidenceError(
                PLAN_DIFFERS, "the result claims another source of turns than was kept", file=RESULT
            )
        found = list(findings)
        if not kept.relayed:
            return found
        good = {name: n for name, n in self._counted.items() if self._standings[name].counts()}
        by = ", ".join(sorted({self._standings[name].key.party for name in good}))  # type: ignore[union-attr]
        by = by or "a provider that counts for the reader"
        count = f"{sum(good.values())} of {kept.turns} turns were signed by {by}"
        if sum(good.values()) == kept.turns:
            found = [f for f in found if f.code != TURNS_CODE]
            found += [Finding("holds", f"{count} (relayed)"), self._open()]
        else:
            found = [
                replace(f, what=f"{f.what}: {count}") if f.code == TURNS_CODE else f for f in found
            ]
        return found + [self._doubted(name) for name in sorted(self._counted.keys() - good.keys())]

    def _open(self) -> Finding:
        what = (
            "whether each answer was the only one asked for"
            f" ({self._cut} of {self._episodes} episodes end by what only the tester says)"
        )
        return Finding("unknown", what, ONE_OF_SEVERAL.code, "", ONE_OF_SEVERAL.remedy)

    def _doubted(self, name: str) -> Finding:
        standing, count = self._standings[name], self._counted[name]
        problem = PROVIDER_DOUBTED if standing.doubt else OWN_PROVIDER
        why = standing.doubt or "its party is the tester's own, which vouches for itself"
        what = f"whether {count} turns signed by {name} were relayed: {why}"
        return Finding("unknown", what, problem.code, "", problem.remedy.replace("{key}", name))


class _Fault(NamedTuple):
    turn: int
    what: str


class _Signed:
    """Who acts when an episode is run again from signed answers."""

    is_live = False
    is_privileged = False
    is_prompt = False

    def __init__(self, digest: Digest, actor: _Actor) -> None:
        self.name = "relayed"
        self.digest = digest
        self._actor = actor

    def begin(self, draw: Stream) -> _Actor:
        del draw
        return self._actor


class _FaultError(Exception):
    """A signed answer does not bear out its turn."""


class _Actor:
    """Takes the turns of the signed answers, asked for as the chat agent asks, then the recorded
    ones. fault: the first signature that does not hold, or answer that is none; the episode ends
    there."""

    def __init__(
        self,
        tape: TapeActor,
        relays: Sequence[Relay],
        settings: ChatSettings,
        standings: dict[str, Standing],
    ) -> None:
        self.fault: _Fault | None = None
        self._tape = tape
        self._relays = relays
        self._chat = ChatActor(settings, self._answer)
        self._standings = standings
        self._at = 0

    async def act(self, view: View) -> Turn:
        self._at = view.turn
        is_signed = view.turn < len(self._relays)
        return await (self._chat if is_signed else self._tape).act(view)

    async def _answer(self, request: bytes) -> Turn:
        """Return the turn of the signed answer to a request."""
        relay = self._relays[self._at]
        response = response_of(relay)
        key = self._standings[relay.key].key
        if key is not None and not is_relayed(key.public_bytes, relay.signature, request, response):
            raise self._failed("a signature is not over this request and this answer")
        try:
            reply = read_answer(response)
        except NoAnswerError as error:
            raise self._failed("the signed bytes are no answer") from error
        return Turn(reply.text, reply.calls, reply.refused)

    def _failed(self, what: str) -> _FaultError:
        self.fault = _Fault(self._at, what)
        return _FaultError(what)


def _first_difference(recorded: Sequence[Event], again: Sequence[Event]) -> int | None:
    """Return the turn in which two courses of an episode part, or None."""
    latest = 0
    for one, other in zip_longest(recorded, again):
        turns = [each.turn for each in (one, other) if isinstance(each, Said | Proposed)]
        if one != other:
            return min(turns, default=latest)
        latest = turns[0] if turns else latest
    return None
