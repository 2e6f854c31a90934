"""May this act run, now, exactly as it stands?

The one sequence between a proposal and its execution, in a test as in production: stop? decide;
ask; after the wait stop, facts, policy and resource again; reserve and record the intent in one
critical section; stop once more; run; record the outcome.

Invariants:
- Up to the run every failure denies, whatever failed.
- An act whose outcome is missing is in doubt: it is never tried again, keeps its reservation, and
  no further irreversible act runs until a person has resolved it.
- What runs are the very bytes that were decided on, or these with arguments lowered.
- A gate that only observes decides and records all the same, says so in every record, and blocks
  nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from answerable.controls.decide import decide
from answerable.controls.policy import Policy
from answerable.controls.records import Decision, Facts
from answerable.controls.reviewers import Answer, Request, Reviewer
from answerable.controls.stop import Latch
from answerable.events.stream import Action, Answered, Decided, Event

T = TypeVar("T")

Mode = Literal["enforce", "observe"]
Because = Literal["", "denied", "rejected", "unanswered", "stopped"]
"""Why an act did not run, as the agent is told: a rule forbids it, a person rejected it, nobody
answered, or the system is stopped."""


class Keeper(Protocol):
    """Gives the facts before an action, from the events before it."""

    def facts(self, action: Action, args: Mapping[str, object]) -> Facts:
        """Return the facts."""
        ...


class Passed(NamedTuple, Generic[T]):
    """What came of a proposal. because: empty when it ran. decision: the last one. args: as they
    ran. outcome: of the run, or None."""

    because: Because
    decision: Decision
    args: Mapping[str, object]
    outcome: T | None


class Refused(Exception):  # noqa: N818
    """A step before the run failed. because, reason: what is told and recorded."""

    def __init__(self, because: Because, reason: str) -> None:
        """Refuse."""
        super().__init__(reason)
        self.because: Because = because
        self.reason = reason


class Gate:
    """One gate of one system.

    policy, keeper: what decides. reviewer: who is asked. latch: what stops. record: makes an event
    durable, and known to the keeper, before it returns. version: of the thing acted on, for the
    check after a wait. is_harmful: tells, in a test, whether an act would break a rule.
    """

    def __init__(
        self,
        policy: Policy,
        keeper: Keeper,
        record: Callable[[Event], None],
        *,
        reviewer: Reviewer,
        latch: Latch | None = None,
        mode: Mode = "enforce",
        version: Callable[[Action], str] = lambda _: "",
        is_harmful: Callable[[Action, Mapping[str, object]], bool] = lambda _, __: False,
    ) -> None:
        """Make a gate with nothing in doubt."""
        self.policy = policy
        self.mode: Mode = mode
        self.doubtful: set[str] = set()
        self._keeper = keeper
        self._record = record
        self._reviewer = reviewer
        self._latch = latch or Latch()
        self._version = version
        self._is_harmful = is_harmful
        self._guard = RLock()
        self._asked = 0

    def carry(
        self,
        at: Callable[[], int],
        call: str,
        action: Action,
        args: Mapping[str, object],
        run: Callable[[Mapping[str, object]], T],
    ) -> Passed[T]:
        """Pass one proposed action, and run it if it may run.

        at: number of the next event. call: id of the call. args: the strict parse of the action's
        text. run: carries it out. Raises whatever ``run`` raises, after the act is in doubt.
        """
        denied = Decision("deny", self.policy.digest, ("gate-error",))
        decision = denied
        try:
            decision = self._decided(action, args)
            if decision.kind == "ask" and self.mode == "enforce":
                decision = self._approved(at, call, action, args, decision)
            if self.mode == "enforce":
                self._require_running(action)
                self._require_clear(action)
            allowed = decision.kind in ("allow", "narrow") or self.mode == "observe"
            if not allowed:
                raise Refused("denied", "")
            lowered = self._lowered(args, decision)
            with self._guard:
                # INVARIANT: the intent is recorded, and counted by the keeper, before anything
                # else can be decided on.
                self._note(at, call, decision)
        except Refused as refused:
            if refused.reason:
                decision = Decision("deny", self.policy.digest, (refused.reason,))
            return self._refuse(at, call, decision, args, refused.because)
        except Exception:  # WHY broad: whatever fails before the run denies
            if self.mode == "enforce":
                return self._refuse(at, call, denied, args, "denied")
            lowered, decision = args, denied
            self._note(at, call, decision)
        if self.mode == "enforce" and self._latch.stops(action.tool) is not None:
            stopped = Decision("deny", self.policy.digest, ("stopped",))
            return self._refuse(at, call, stopped, args, "stopped")
        self.doubtful.add(call)
        outcome = run(lowered)
        self.doubtful.discard(call)
        return Passed("", decision, lowered, outcome)

    def resolve(self, call: str) -> bool:
        """Tell that a person has found out what became of an act in doubt."""
        found = call in self.doubtful
        self.doubtful.discard(call)
        return found

    def _decided(self, action: Action, args: Mapping[str, object]) -> Decision:
        if self.mode == "enforce":
            self._require_running(action)
        return decide(self.policy, action, args, self._keeper.facts(action, args))

    def _approved(
        self,
        at: Callable[[], int],
        call: str,
        action: Action,
        args: Mapping[str, object],
        asked: Decision,
    ) -> Decision:
        """Ask the reviewer, and look at everything again after the wait."""
        version, digest = self._version(action), self.policy.digest
        self._note(at, call, asked)
        answer = self._answer(action, args, asked)
        self._record(Answered(at(), call, self._reviewer.name, answer))
        if answer == "reject":
            raise Refused("rejected", "rejected")
        if answer != "approve":
            raise Refused("unanswered", "unanswered")
        again = self._decided(action, args)
        same = again == asked and self.policy.digest == digest and self._version(action) == version
        if not same:
            raise Refused("denied", "changed-while-waiting")
        return Decision(
            "narrow" if asked.narrowed else "allow", digest, asked.reasons, asked.narrowed
        )

    def _answer(self, action: Action, args: Mapping[str, object], asked: Decision) -> Answer:
        number = self._asked
        self._asked += 1
        facts = self._keeper.facts(action, args)
        lowered = self._lowered(args, asked)
        request = Request(
            number, action, lowered, asked, facts, lambda: self._is_harmful(action, lowered)
        )
        try:
            answer = self._reviewer.answer(request)
        except Exception:  # WHY broad: a reviewer that fails has not approved
            return "absent"
        return answer if answer in ("approve", "reject") else "absent"

    def _require_running(self, action: Action) -> None:
        if self._latch.stops(action.tool) is not None:
            raise Refused("stopped", "stopped")

    def _require_clear(self, action: Action) -> None:
        spec = self.policy.tools.get(action.tool)
        if self.doubtful and (spec is None or spec.kind == "irreversible"):
            raise Refused("denied", "in-doubt")

    def _lowered(self, args: Mapping[str, object], decision: Decision) -> Mapping[str, object]:
        if not decision.narrowed or self.mode == "observe":
            return args
        return {**args, **{item.argument: item.limit for item in decision.narrowed}}

    def _refuse(
        self,
        at: Callable[[], int],
        call: str,
        decision: Decision,
        args: Mapping[str, object],
        because: Because,
    ) -> Passed[T]:
        self._note(at, call, decision)
        return Passed(because, decision, args, None)

    def _note(self, at: Callable[[], int], call: str, decision: Decision) -> None:
        narrowed = {item.argument: item.limit for item in decision.narrowed}
        self._record(
            Decided(
                at(), call, decision.kind, decision.policy, decision.reasons, narrowed,
                "" if self.mode == "enforce" else "observe",
            )
        )  # fmt: skip
