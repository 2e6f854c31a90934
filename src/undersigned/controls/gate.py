"""May this act run, now, exactly as it stands?

The one sequence between a proposal and its execution, in a test as in production: stop? decide;
ask; after the wait stop, facts, policy and resource again; reserve and record the intent in one
critical section; stop and doubt once more; run; record the outcome. ``propose`` is all up to the
run, ``carry_out`` the rest.

Invariants:
- Up to the run every failure denies, whatever failed.
- A decision, its record and what it reserves are one critical section: nothing is decided between.
- The keeper learns of a proposal when it is decided for good, so that an act is never counted
  against itself; ``Waiting`` holds it back, for the gate and for whoever decides again.
- An act whose outcome is missing is in doubt: it is never tried again, keeps its reservation, and
  no further irreversible act runs until a person has resolved it.
- What runs are the very arguments that were decided on, or these with some lowered.
- A gate that only observes decides and records all the same, says so in every record, and blocks
  nothing, also when something fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import RLock
from typing import Literal, NamedTuple, Protocol, TypeVar

from undersigned.controls.decide import decide
from undersigned.controls.policy import Policy
from undersigned.controls.problems import CALL_TWICE
from undersigned.controls.proposals import (
    Args,
    Because,
    Passed,
    Proposal,
    Record,
    Waiting,
    approved,
    lowered,
    still_holds,
)
from undersigned.controls.records import (
    CHANGED,
    GATE_ERROR,
    IN_DOUBT,
    REJECTED,
    STOPPED,
    UNANSWERED,
    Decision,
    Facts,
)
from undersigned.controls.reviewers import Answer, Request, Reviewer
from undersigned.controls.stop import Latch
from undersigned.core.errors import UsageError
from undersigned.events.arguments import copied
from undersigned.events.stream import Action, Answered, Decided, Event, Proposed

T = TypeVar("T")

Mode = Literal["enforce", "observe"]

ANSWERS: tuple[Answer, ...] = ("approve", "reject")


class Keeper(Protocol):
    """Gives the facts before an action, from the events before it."""

    def facts(self, action: Action, args: Args, wanted: frozenset[str] | None = None) -> Facts:
        """Return the facts. wanted: names of those that are needed, None for all."""
        ...

    def observe(self, event: Event) -> None:
        """Take the next event."""
        ...


class _Verdict(NamedTuple):
    """What a look at everything says. because: empty when the act may go on. facts, policy: that
    were looked at, None when there was no need."""

    because: Because
    decision: Decision
    facts: Facts | None = None
    policy: Policy | None = None


class Gate:
    """One gate of one system.

    policy, keeper: what decides. record: where events go. reviewer: who is asked. latch: what
    stops. version: of the thing acted on, for the check after a wait. doubtful: calls without a
    known outcome. unrecorded: records and reports to the keeper that failed while the gate only
    observed.
    """

    def __init__(
        self,
        policy: Policy,
        keeper: Keeper,
        record: Record,
        *,
        reviewer: Reviewer,
        latch: Latch | None = None,
        mode: Mode = "enforce",
        version: Callable[[Action], str] = lambda _: "",
        doubtful: Iterable[str] = (),
    ) -> None:
        """Make a gate. doubtful: calls that an earlier gate left in doubt."""
        self._enforces = mode == "enforce"
        self.doubtful = set(doubtful)
        self.unrecorded = 0
        self._policy, self._digest = policy, policy.digest
        self._keeper = keeper
        self._record = record
        self._reviewer = reviewer
        self._latch = latch or Latch()
        self._version = version
        self._guard = RLock()
        self._begun = set(self.doubtful)
        self._asked = 0

    @property
    def mode(self) -> Mode:
        """Return whether this gate blocks or only observes."""
        return "enforce" if self._enforces else "observe"

    @property
    def policy(self) -> Policy:
        """Return the policy that decides now."""
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        """Exchange the policy, but never between a decision and its record."""
        with self._guard:
            self._policy, self._digest = policy, policy.digest

    def note(self, make: Callable[..., Event], *args: object) -> None:
        """Record an event that is no proposal, and tell the keeper. make: from its number and the
        arguments that follow."""
        with self._guard:
            self._show(self._write(make(len(self._record), *args)))

    def watch(self, events: Iterable[Event]) -> None:
        """Tell the keeper of events that are recorded already."""
        for event in events:
            self._keeper.observe(event)

    def unread(self, turn: int, call: str, action: Action) -> None:
        """Record an action that cannot be read and will not run, with the denial that it gets."""
        with self._guard:
            self._show(self._write(Proposed(len(self._record), turn, call, action)))
            # WHY no facts: what cannot be read is denied before anything is looked at
            decision = decide(self._policy, action, {}, Facts())
            self._show(self._write(self._event(call, decision)))

    def propose(self, turn: int, call: str, action: Action, args: Args) -> Proposal:
        """Decide on a proposed action, and record the intent if it may run.

        turn: of the agent. call: id that no other proposal has. args: the strict parse of the
        action's text. Raises UsageError (E-CTL-051) for an id that was used before.
        """
        waiting = Waiting(args)
        with self._guard:
            if call in self._begun and self._enforces:
                raise UsageError(CALL_TWICE, "a call's id was used before", call=call)
            self._begun.add(call)
            try:
                verdict = self._decided(turn, waiting, call, action)
            except Exception:  # WHY broad: whatever fails before the run denies
                verdict = self._denied(waiting, call, GATE_ERROR, "denied")
        if waiting.asked is not None:
            try:
                verdict = self._approved(waiting, call, action, verdict, waiting.asked)
            except Exception:  # WHY broad: whatever fails before the run denies
                verdict = self._denied(waiting, call, GATE_ERROR, "denied")
        if not self._enforces:
            return Proposal(call, action, args, waiting, "", verdict.decision)
        because, decision = verdict.because, verdict.decision
        lower = waiting.args if because else lowered(waiting.args, decision)
        return Proposal(call, action, lower, waiting, because, decision)

    def carry_out(
        self,
        proposal: Proposal,
        run: Callable[[Args], T],
        settle: Callable[[T], None],
    ) -> Passed[T]:
        """Run a proposed action, once, if it may run.

        run: carries it out. settle: records the outcome, through ``note``. Raises whatever these
        two raise, after the act is in doubt, and UsageError (E-CTL-051) for a proposal that was
        carried out before.
        """
        call, decision, args = proposal.call, proposal.decision, proposal.lowered
        with self._guard:
            if proposal.is_spent:
                raise UsageError(CALL_TWICE, "a proposal was carried out before", call=call)
            proposal.is_spent = True
        if proposal.because:
            return Passed(proposal.because, decision, args, None)
        tool = proposal.action.tool
        if self._enforces and self._latch.stops(tool) is not None:
            denied = self._denied(proposal.waiting, call, STOPPED, "stopped").decision
            return Passed("stopped", denied, proposal.waiting.args, None)
        if self._enforces and self.doubtful and self._is_held_up(tool):
            denied = self._denied(proposal.waiting, call, IN_DOUBT, "denied").decision
            return Passed("denied", denied, proposal.waiting.args, None)
        # INVARIANT: whatever ends it before its outcome is recorded leaves it in doubt
        try:
            outcome = run(args)
            self._settled(outcome, settle)
        except BaseException:
            self.doubtful.add(call)
            raise
        return Passed("", decision, args, outcome)

    def resolve(self, call: str) -> bool:
        """Tell that a person has found out what became of an act in doubt. Its reservation stays:
        whether it happened is a new fact, and comes as an event of its own."""
        with self._guard:
            found = call in self.doubtful
            self.doubtful.discard(call)
            return found

    def _decided(self, turn: int, waiting: Waiting, call: str, action: Action) -> _Verdict:
        """Record the proposal, decide, and record the decision. The guard is held."""
        waiting.events.append(self._write(Proposed(len(self._record), turn, call, action)))
        waiting.is_recorded = True
        if self._enforces:
            # WHY a copy: whoever waits, is shown the arguments, or carries them out later may still
            # hold and change them
            waiting.args = copied(waiting.args)
        verdict = self._look(action, waiting.args)
        asks = verdict.decision.kind == "ask" and not verdict.because
        if not asks or not self._enforces:
            self._conclude(waiting, call, verdict.decision)
            return verdict
        waiting.events.append(self._write(self._event(call, verdict.decision)))
        waiting.asked, self._asked = self._asked, self._asked + 1
        return verdict

    def _look(self, action: Action, args: Args, before: _Verdict | None = None) -> _Verdict:
        """Look at everything: is it stopped, what does the policy say, is anything in doubt.

        before: what was seen of the same act earlier.
        """
        if self._latch.stops(action.tool) is not None:
            return _Verdict("stopped", Decision("deny", self._digest, (STOPPED,)))
        policy = self._policy
        facts = self._keeper.facts(action, args, policy.wanted(action.tool))
        if before is not None and before.policy is policy and before.facts == facts:
            decision = before.decision  # WHY not again: the same question has the same answer
        else:
            decision = decide(policy, action, args, facts)
        if decision.kind not in ("allow", "narrow", "ask"):
            return _Verdict("denied", decision)
        if self.doubtful and self._is_held_up(action.tool):
            return _Verdict("denied", Decision("deny", self._digest, (IN_DOUBT,)))
        return _Verdict("", decision, facts, policy)

    def _is_held_up(self, tool: str) -> bool:
        """Tell whether an act must not run while another is in doubt."""
        spec = self._policy.tools.get(tool)
        return spec is None or spec.kind == "irreversible"

    def _approved(
        self, waiting: Waiting, call: str, action: Action, first: _Verdict, number: int
    ) -> _Verdict:
        """Ask the reviewer, and look at everything again after the wait."""
        asked, args = first.decision, waiting.args
        version = self._version(action)
        answer = self._answer(number, action, args, first)
        with self._guard:
            answered = Answered(len(self._record), call, self._reviewer.name, answer)
            waiting.events.append(self._write(answered))
        if answer != "approve":
            if answer == "reject":
                return self._denied(waiting, call, REJECTED, "rejected")
            return self._denied(waiting, call, UNANSWERED, "unanswered")
        is_same = self._version(action) == version
        with self._guard:
            again = self._look(action, args, first)
            if again.decision.reasons in ((STOPPED,), (IN_DOUBT,)):
                self._conclude(waiting, call, again.decision)
                return again
            if not (is_same and again.decision == asked and still_holds(first.facts, again.facts)):
                return self._denied(waiting, call, CHANGED, "denied")
            passed = approved(asked)
            self._conclude(waiting, call, passed)
        return _Verdict("", passed)

    def _answer(self, number: int, action: Action, args: Args, first: _Verdict) -> Answer:
        will_run = lowered(args, first.decision)
        try:
            answer: object = self._reviewer.answer(
                Request(
                    number, action, copied(will_run), first.decision,
                    first.facts or Facts(),
                )
            )  # fmt: skip
        except Exception:  # WHY broad: a reviewer that fails has not approved
            return "absent"
        # WHY by equal text: a reviewer is foreign code and may return anything
        for known in ANSWERS:
            if type(answer) is str and answer == known:
                return known
        return "absent"

    def _denied(self, waiting: Waiting, call: str, reason: str, because: Because) -> _Verdict:
        """Deny for a reason of the gate's own. What cannot even be recorded is denied as well."""
        decision = Decision("deny", self._digest, (reason,))
        try:
            if waiting.is_recorded:
                with self._guard:
                    self._conclude(waiting, call, decision)
        except Exception:  # WHY broad: a denial stands, whatever becomes of its record
            decision = Decision("deny", self._digest, (GATE_ERROR,))
        return _Verdict(because, decision)

    def _conclude(self, waiting: Waiting, call: str, decision: Decision) -> None:
        """Record a decision and tell the keeper of the whole proposal. The guard is held."""
        # INVARIANT: the intent is recorded, and counted by the keeper, before anything else can be
        # decided on
        waiting.events.append(self._write(self._event(call, decision)))
        waiting.tell(self._show)

    def _event(self, call: str, decision: Decision) -> Decided:
        narrowed = {item.argument: item.limit for item in decision.narrowed}
        return Decided(
            len(self._record), call, decision.kind, decision.policy, decision.reasons, narrowed,
            "" if self._enforces else "observe",
        )  # fmt: skip

    def _settled(self, outcome: T, settle: Callable[[T], None]) -> None:
        with self._guard:
            try:
                settle(outcome)
            except Exception:  # WHY broad: who only observes hands over the outcome
                if self._enforces:
                    raise
                self.unrecorded += 1

    def _write(self, event: Event) -> Event:
        try:
            self._record.append(event)
        except Exception:  # WHY broad: who only observes blocks nothing
            if self._enforces:
                raise
            self.unrecorded += 1
        return event

    def _show(self, event: Event) -> None:
        try:
            self._keeper.observe(event)
        except Exception:  # WHY broad: who only observes blocks nothing
            if self._enforces:
                raise
            self.unrecorded += 1
