"""Nothing runs that did not pass; whatever fails denies; what is in doubt is never tried again."""

from __future__ import annotations

import threading
from itertools import count

import pytest

from tests.controls.rig import (
    ARGS,
    ASK,
    CAP,
    FORBID,
    TOOLS,
    Approver,
    Desk,
    limit,
    policy_of,
    together,
)
from undersigned.controls.facts import FactKeeper
from undersigned.controls.gate import Gate
from undersigned.controls.records import Facts, Narrowing
from undersigned.controls.reviewers import Absent
from undersigned.controls.stop import StopOrder
from undersigned.core.errors import UsageError
from undersigned.events.stream import Answered, Decided, Observed, Proposed

ORDER = StopOrder("all", "", "duty officer")

# The sequence.


def test_carry__a_rule_permits__records_the_intent_before_it_runs():
    desk = Desk()
    before = []
    passed = desk.propose(run=lambda args: before.append(desk.kinds()) or "done")
    assert before == [[Proposed, Decided]]
    assert desk.kinds() == [Proposed, Decided, Observed]
    assert (passed.because, passed.outcome) == ("", "done")
    decided = desk.of(Decided)[0]
    assert (decided.decision, decided.policy) == ("allow", desk.gate.policy.digest)
    assert decided.mode == ""


def test_carry__a_rule_forbids__does_not_run_and_names_the_rule():
    desk = Desk(FORBID)
    passed = desk.propose()
    assert (passed.because, passed.outcome, desk.ran) == ("denied", None, [])
    assert desk.decided() == [("deny", "never")]


def test_carry__a_tool_is_unknown__denies():
    desk = Desk()
    assert desk.propose("drain").because == "denied"
    assert (desk.decided(), desk.ran) == ([("deny", "unknown-tool")], [])


@pytest.mark.parametrize(
    ("reviewer", "because", "recorded"),
    [
        (Approver(), "", [("ask", "ask-move"), ("allow", "ask-move")]),
        (Approver(answer="reject"), "rejected", [("ask", "ask-move"), ("deny", "rejected")]),
        (Absent(), "unanswered", [("ask", "ask-move"), ("deny", "unanswered")]),
    ],
    ids=["approved", "rejected", "unanswered"],
)
def test_carry__a_rule_asks__the_answer_decides(reviewer, because, recorded):
    desk = Desk(ASK, reviewer=reviewer)
    passed = desk.propose()
    assert passed.because == because
    assert desk.decided() == recorded
    assert bool(desk.ran) == (because == "")
    assert desk.kinds()[:4] == [Proposed, Decided, Answered, Decided]


def test_carry__an_argument_is_too_large__runs_the_lowered_one():
    desk = Desk(CAP)
    passed = desk.propose(amount=900)
    assert passed.decision.narrowed == (Narrowing("amount", 100),)
    assert desk.ran == [("c1", {"to": "acc-1", "amount": 100, "currency": "SGD"})]
    assert desk.of(Decided)[0].narrowed == {"amount": 100}


def test_carry__lowered_and_asked__the_person_sees_what_will_run():
    desk = Desk(CAP + ASK)
    passed = desk.propose(amount=900)
    assert [r.args["amount"] for r in desk.reviewer.seen] == [100]
    assert passed.decision.kind == "narrow"
    assert desk.ran[0][1]["amount"] == 100
    assert [d[0] for d in desk.decided()] == ["ask", "narrow"]


def test_carry__lowered_and_still_forbidden__denies():
    small = FORBID.replace(";\n", " when { context.args.amount == 100 };\n")
    desk = Desk(CAP + small)
    assert desk.propose(amount=900).because == "denied"
    assert desk.ran == []


def test_carry__id_used_before__runs_nothing_and_records_nothing():
    desk = Desk()
    desk.propose(call="c7")
    lines = list(desk.log)
    with pytest.raises(UsageError) as caught:
        desk.propose(call="c7")
    assert caught.value.code == "E-CTL-051"
    assert (desk.log, len(desk.ran)) == (lines, 1)


def test_proposal__carried_out_later__runs_once_and_only_once():
    desk = Desk()
    opened, runs, settles = desk.open()
    proposal = desk.gate.propose(*opened)
    assert (desk.ran, desk.kinds()) == ([], [Proposed, Decided])
    assert desk.gate.carry_out(proposal, runs, settles).outcome == "done"
    with pytest.raises(UsageError, match="E-CTL-051"):
        desk.gate.carry_out(proposal, runs, settles)
    assert [call for call, _ in desk.ran] == ["c1"]


def test_proposal__denied__never_runs():
    desk = Desk(FORBID)
    opened, runs, settles = desk.open()
    passed = desk.gate.carry_out(desk.gate.propose(*opened), runs, settles)
    assert (passed.because, passed.outcome, desk.ran) == ("denied", None, [])


def test_proposal__stopped_before_it_is_carried_out__does_not_run():
    stops = []
    desk = Desk(stopped=lambda _: stops[0] if stops else None)
    opened, runs, settles = desk.open()
    proposal = desk.gate.propose(*opened)
    stops.append("drill")
    assert desk.gate.carry_out(proposal, runs, settles).because == "stopped"
    assert (desk.ran, desk.decided()[-1]) == ([], ("deny", "stopped"))


def test_proposal__another_act_comes_into_doubt__is_held_up_unless_it_can_be_undone():
    desk = Desk()
    broken = desk.gate.propose(*desk.open()[0])
    waiting, undoable = [desk.open(tool) for tool in ("move", "write")]
    late, harmless = [desk.gate.propose(*each[0]) for each in (waiting, undoable)]

    def breaks(_):
        raise ConnectionError("no answer")

    with pytest.raises(ConnectionError):
        desk.gate.carry_out(broken, breaks, waiting[2])
    assert desk.gate.carry_out(late, *waiting[1:]).because == "denied"
    assert desk.decided("c2")[-1] == ("deny", "in-doubt")
    assert desk.gate.carry_out(harmless, *undoable[1:]).outcome == "done"


def test_proposal__arguments_are_changed_before_it_is_carried_out__what_was_decided_runs():
    desk = Desk()
    opened, runs, settles = desk.open(tags=["a"])
    proposal = desk.gate.propose(*opened)
    opened[3]["to"] = "acc-666"
    opened[3]["tags"].append("b")
    passed = desk.gate.carry_out(proposal, runs, settles)
    assert desk.ran == [("c1", {**ARGS, "tags": ["a"]})]
    assert passed.args == {**ARGS, "tags": ["a"]}


def test_proposal__two_under_one_limit__the_second_is_denied_before_the_first_ran():
    desk = Desk(limit(150))
    first, second = [desk.gate.propose(*desk.open()[0]) for _ in range(2)]
    assert (first.because, second.because) == ("", "denied")


def test_proposal__carried_out_by_many_threads__runs_once():
    desk = Desk()
    opened, runs, settles = desk.open()
    proposal, refused = desk.gate.propose(*opened), []

    def act(_):
        try:
            desk.gate.carry_out(proposal, runs, settles)
        except UsageError as error:
            refused.append(error)

    together(8, act)
    assert (len(desk.ran), len(refused)) == (1, 7)


def test_carry__own_intent__is_not_counted_against_itself_after_a_wait():
    asks = ASK + limit(100)
    desk = Desk(asks)
    assert desk.propose().because == ""
    assert desk.propose().because == "denied"


def test_carry__denied_intent__reserves_nothing():
    desk = Desk(limit(100), reviewer=Approver())
    assert desk.propose(amount=500).because == "denied"
    assert desk.propose(amount=100).because == ""


# What must still hold after a wait.


def changed(desk, **more):
    passed = desk.propose(**more)
    assert (passed.because, desk.ran) == ("denied", [])
    assert desk.decided("c1")[-1] == ("deny", "changed-while-waiting")


def test_wait__policy_exchanged__denies():
    desk = Desk(ASK)
    desk.reviewer.meanwhile = lambda: setattr(desk.gate, "policy", policy_of(ASK + "\n"))
    changed(desk)


def test_wait__version_of_the_thing_changed__denies():
    versions = count()
    changed(Desk(ASK, version=lambda action: str(next(versions))))


def test_wait__another_act_used_up_the_limit__denies():
    desk = Desk(limit(0, '@else("ask")'))

    def meanwhile():
        desk.reviewer.meanwhile = lambda: None
        assert desk.propose(call="other").because == ""

    desk.reviewer.meanwhile = meanwhile
    passed = desk.propose(call="c1")
    assert (passed.because, [call for call, _ in desk.ran]) == ("denied", ["other"])
    assert desk.decided("c1")[-1] == ("deny", "changed-while-waiting")


class Shifting:
    """A keeper whose facts of the thing change with every look. field: that changes."""

    def __init__(self, **facts):
        self.facts_of = [Facts(**facts), Facts()]

    def facts(self, action, args, wanted=None):
        return self.facts_of.pop(0) if len(self.facts_of) > 1 else self.facts_of[0]

    def observe(self, event):
        pass


@pytest.mark.parametrize(
    "before",
    [
        {"resource": {"account": "9"}}, {"total": 5}, {"unvouched": ("to",)},
        {"crossing": ("border",)}, {"after": ("look.said=ok",)},
    ],
    ids=["resource", "total", "unvouched", "crossing", "after"],
)  # fmt: skip
def test_wait__what_the_person_was_shown_changed__denies(before):
    changed(Desk(ASK, keeper=Shifting(**before)))


def test_wait__other_acts_were_proposed__still_runs():
    assert Desk(ASK, keeper=Shifting(calls=3, irreversible=1)).propose().because == ""


def test_wait__arguments_were_changed_by_whoever_holds_them__what_was_decided_runs():
    args = {"tags": ["a"]}

    def tamper(request):
        request.args["amount"] = 9999
        request.args["tags"].append("b")
        args["tags"].append("c")
        return "approve"

    desk = Desk(ASK, reviewer=Approver(answer=tamper))
    assert desk.propose(**args).because == ""
    assert desk.ran[0][1] == {"to": "acc-1", "amount": 100, "currency": "SGD", "tags": ["a"]}


@pytest.mark.parametrize("rules", [ASK, ""], ids=["during the wait", "after the intent"])
def test_stop__seen_late__nothing_runs_and_nothing_stays_reserved(rules):
    seen = []
    desk = Desk(rules, stopped=lambda tool: ORDER if seen else None)
    desk.reviewer.meanwhile = lambda: seen.append(1)
    if not rules:
        desk.log.meanwhile = lambda event: seen.extend([1] if type(event) is Decided else [])
    passed = desk.propose()
    assert (passed.because, desk.ran) == ("stopped", [])
    first = ("ask", "ask-move") if rules else ("allow", "base")
    assert desk.decided() == [first, ("deny", "stopped")]
    proposed = desk.of(Proposed)[0].action
    assert desk.keeper.facts(proposed, ARGS).total == ARGS["amount"]


# Everything fails once.


class BadKeeper(FactKeeper):
    """Keeps, and fails once where it is told to."""

    __slots__ = ("at", "count", "where")

    def __init__(self, where, at=1):
        super().__init__(TOOLS, tenant="t")
        self.where, self.at, self.count = where, at, 0

    def hit(self, where):
        self.count += where == self.where
        if where == self.where and self.count == self.at:
            raise RecursionError("broken")

    def facts(self, action, args, wanted=None):
        self.hit("facts")
        return super().facts(action, args, wanted)

    def observe(self, event):
        self.hit(type(event).__name__)
        super().observe(event)


class BadPolicy:
    """A policy that cannot be asked."""

    def __init__(self):
        self.digest = policy_of().digest
        self.tools = {}

    @property
    def slices(self):
        raise ZeroDivisionError


class Lying:
    """A keeper that returns whatever it was given."""

    def __init__(self, facts):
        self.lie = facts

    def facts(self, action, args, wanted=None):
        return self.lie

    def observe(self, event):
        pass


class Equal:
    """Is equal to everything."""

    __hash__ = None

    def __eq__(self, other):
        return True


def raising(*_):
    raise SystemError("broken")


def second(what):
    """Return a function that fails at its second call."""
    numbers = count()
    return lambda *_: what() if next(numbers) else None


READS_TOTAL = limit(10**9)
READS_AFTER = (
    '@id("after") forbid (principal, action == Action::"move", resource) '
    'when { context.facts.after.contains("look.said=no") };\n'
)

FAILURES = {
    "stop raises": (lambda: Desk(stopped=raising), "stopped", "stopped"),
    "stop is no order": (lambda: Desk(stopped=lambda _: "yes"), "stopped", "stopped"),
    "facts raise": (lambda: Desk(keeper=BadKeeper("facts")), "denied", "gate-error"),
    "facts raise after the wait": (
        lambda: Desk(ASK, keeper=BadKeeper("facts", 2)), "denied", "gate-error",
    ),
    "facts are none": (lambda: Desk(ASK + READS_TOTAL, keeper=Lying(None)), "denied", "gate-error"),
    "facts are huge": (
        lambda: Desk(READS_TOTAL, keeper=Lying(Facts(total=1 << 80))), "denied", "request-invalid",
    ),
    "facts are many": (
        lambda: Desk(READS_AFTER, keeper=Lying(Facts(after=("look.said=no",) * 200_000))),
        "denied", "after",
    ),
    "facts have a wrong type": (
        lambda: Desk(READS_TOTAL, keeper=Lying(Facts(total="1"))), "denied", "request-invalid",
    ),
    "decide raises": (lambda: Desk(policy=BadPolicy()), "denied", "gate-error"),
    "keeper fails at the proposal": (
        lambda: Desk(keeper=BadKeeper("Proposed")), "denied", "gate-error",
    ),
    "keeper fails at the decision": (
        lambda: Desk(keeper=BadKeeper("Decided")), "denied", "gate-error",
    ),
    "reviewer raises": (
        lambda: Desk(ASK, reviewer=Approver(answer=raising)), "unanswered", "unanswered",
    ),
    "reviewer answers nothing": (
        lambda: Desk(ASK, reviewer=Approver(answer=None)), "unanswered", "unanswered",
    ),
    "reviewer answers yes": (
        lambda: Desk(ASK, reviewer=Approver(answer="APPROVE")), "unanswered", "unanswered",
    ),
    "reviewer answers what equals all": (
        lambda: Desk(ASK, reviewer=Approver(answer=lambda _: Equal())), "unanswered", "unanswered",
    ),
    "version raises": (lambda: Desk(ASK, version=raising), "denied", "gate-error"),
    "version raises after the wait": (
        lambda: Desk(ASK, version=second(raising)), "denied", "gate-error",
    ),
    "recording the proposal": (lambda: Desk(fails=["Proposed"]), "denied", "gate-error"),
    "recording the decision": (lambda: Desk(fails=["Decided:allow"]), "denied", "gate-error"),
    "recording the question": (lambda: Desk(ASK, fails=["Decided:ask"]), "denied", "gate-error"),
    "recording the answer": (lambda: Desk(ASK, fails=["Answered"]), "denied", "gate-error"),
    "recording the approval": (lambda: Desk(ASK, fails=["Decided:allow"]), "denied", "gate-error"),
    "recording anything": (
        lambda: Desk(fails=["Decided:allow", "Decided:deny"]), "denied", "gate-error",
    ),
    "recording a denial": (lambda: Desk(FORBID, fails=["Decided:deny"]), "denied", "gate-error"),
}  # fmt: skip
TROUBLES_OBSERVER = {
    "keeper fails at the proposal", "keeper fails at the decision", "recording the proposal",
    "recording the decision", "recording the question", "recording anything", "recording a denial",
}  # fmt: skip
UNRECORDED = {"recording the proposal", "recording anything"}


@pytest.mark.parametrize("what", FAILURES)
def test_failure__before_the_run__denies_and_says_why(what):
    make, because, reason = FAILURES[what]
    desk = make()
    passed = desk.propose()
    assert (passed.because, passed.decision.kind, passed.outcome) == (because, "deny", None)
    assert passed.decision.reasons == (reason,)
    assert desk.ran == []
    assert desk.gate.doubtful == set()
    assert (desk.decided()[-1:] == [("deny", reason)]) == (what not in UNRECORDED)
    if what in UNRECORDED:
        assert desk.decided() == []


@pytest.mark.parametrize("what", FAILURES)
def test_failure__while_only_observed__runs_and_says_so(what):
    desk = FAILURES[what][0]()
    watching = Gate(
        desk.gate.policy, desk.keeper, desk.log, reviewer=desk.reviewer,
        latch=desk.gate._latch, mode="observe", version=desk.gate._version,
    )  # fmt: skip
    desk.gate = watching
    passed = desk.propose(amount=900)
    assert (passed.because, passed.outcome) == ("", "done")
    assert desk.ran == [("c1", {"to": "acc-1", "amount": 900, "currency": "SGD"})]
    assert {e.mode for e in desk.of(Decided)} <= {"observe"}
    assert desk.of(Decided) or watching.unrecorded
    assert desk.of(Answered) == []
    assert watching.unrecorded == (what in TROUBLES_OBSERVER)
    assert len(desk.of(Observed)) == 1


def test_observe__rules_forbid_ask_and_lower__everything_runs_as_proposed():
    for rules, kind in ((FORBID, "deny"), (ASK, "ask"), (CAP, "narrow"), (CAP + ASK, "ask")):
        desk = Desk(rules, mode="observe", stopped=lambda _: None)
        assert desk.propose(amount=900).because == ""
        assert desk.ran[0][1]["amount"] == 900
        assert [(e.decision, e.mode) for e in desk.of(Decided)] == [(kind, "observe")]
        assert desk.reviewer.seen == []


def test_observe__stopped_and_in_doubt__is_recorded_and_runs():
    desk = Desk(mode="observe", stopped=lambda _: ORDER)
    assert desk.propose().because == ""
    assert desk.decided() == [("deny", "stopped")]
    desk = Desk(mode="observe", doubtful=("x",))
    assert desk.propose().because == ""
    assert desk.decided() == [("deny", "in-doubt")]


def test_observe__outcome_cannot_be_recorded__is_handed_over():
    desk = Desk(mode="observe", fails=["Observed"])
    assert desk.propose().outcome == "done"
    assert desk.gate.unrecorded == 1


# In doubt.


def interrupted(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("fault", ["run", "interrupted", "record", "settle"])
def test_outcome_missing__is_in_doubt__and_blocks_until_resolved(fault):
    desk = Desk(limit(150), fails=["Observed"] if fault == "record" else [])
    broken = {
        "run": {"run": raising}, "interrupted": {"run": interrupted}, "record": {},
        "settle": {"settle": raising},
    }[fault]  # fmt: skip
    with pytest.raises((SystemError, OSError, KeyboardInterrupt)):
        desk.propose(**broken)
    assert desk.gate.doubtful == {"c1"}
    assert desk.decided() == [("allow", "base")]
    assert len(desk.ran) == (fault in ("record", "settle"))

    assert desk.propose("look").because == ""
    assert desk.propose("write").because == ""
    blocked = desk.propose(to="acc-2", call="c9")
    assert (blocked.because, blocked.decision.reasons) == ("denied", ("in-doubt",))
    assert desk.decided("c9") == [("deny", "in-doubt")]
    with pytest.raises(UsageError):
        desk.propose(call="c1")

    assert desk.gate.resolve("c1") is True
    assert desk.gate.resolve("c1") is False
    kept = desk.propose()
    assert (kept.because, kept.decision.reasons) == ("denied", ("limit",))
    assert desk.propose(to="acc-2").because == ""
    with pytest.raises(UsageError):
        desk.propose(call="c1")


def test_in_doubt__nobody_is_asked_before_it_is_resolved():
    desk = Desk(ASK, doubtful=("old",))
    assert desk.propose().decision.reasons == ("in-doubt",)
    assert desk.reviewer.seen == []


def test_in_doubt__came_up_during_a_wait__denies():
    desk = Desk(ASK)
    desk.reviewer.meanwhile = lambda: desk.gate.doubtful.add("other")
    assert desk.propose().decision.reasons == ("in-doubt",)
    assert desk.ran == []


def test_running__act_that_is_not_over__puts_nothing_in_doubt():
    desk = Desk()
    inner = []

    def run(args):
        inner.append(desk.propose(to="acc-2").because)
        return "done"

    assert desk.propose(run=run).because == ""
    assert inner == [""]


# Threads.


@pytest.mark.parametrize("rules", ["", ASK], ids=["allowed", "asked"])
@pytest.mark.parametrize("most", [1, 3, 5])
def test_threads__one_limit__is_never_exceeded(rules, most):
    for _ in range(5):
        desk = Desk(rules + limit(100 * most))
        together(8, lambda n, d=desk: d.propose(call=f"t{n}"))
        assert len(desk.ran) <= most
        assert rules or len(desk.ran) == most
        assert [e.at for e in desk.log] == list(range(len(desk.log)))
        last = {e.call: e.decision for e in desk.of(Decided)}
        assert sorted(last) == sorted(f"t{n}" for n in range(8))
        assert {call for call, d in last.items() if d == "allow"} == {c for c, _ in desk.ran}


def test_threads__stop_comes_while_they_run__nothing_runs_after_it_was_seen():
    stopped = threading.Event()
    desk = Desk(stopped=lambda _: ORDER if stopped.is_set() else None)

    def act(number):
        for step in range(20):
            if number == 0 and step == 10:
                stopped.set()
            desk.propose(call=f"{number}.{step}")

    together(4, act)
    assert desk.propose().because == "stopped"
    denied = [e.call for e in desk.of(Decided) if e.reasons == ("stopped",)]
    assert not {call for call, _ in desk.ran} & set(denied)
    assert f"0.{19}" in denied
