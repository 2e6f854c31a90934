"""Without a policy everything runs, and each decision says that there was none."""

from __future__ import annotations

import pytest

from undersigned.controls.open_gate import OpenGate
from undersigned.events.stream import Action, Decided, Observed, Proposed

ACTION = Action(("agent", "t"), "pay", '{"n":1}', "P1")


def test_open_gate__proposal__is_recorded_before_it_runs_and_settled_after():
    record, seen = [], []
    gate = OpenGate(record)
    proposal = gate.propose(3, "c1", ACTION, {"n": 1})
    assert [type(e) for e in record] == [Proposed, Decided]
    assert (proposal.because, proposal.was_asked) == ("", False)
    assert (proposal.decision.kind, proposal.decision.narrowed) == ("allow", ())

    def run(args):
        seen.append(len(record))
        return args["n"]

    def settle(outcome):
        gate.note(Observed, "c1", str(outcome), ())

    passed = gate.carry_out(proposal, run, settle)
    assert (passed.because, passed.outcome, seen) == ("", 1, [2])
    assert [e.at for e in record] == [0, 1, 2]
    assert (record[0].turn, record[0].action) == (3, ACTION)
    assert (record[1].decision, record[1].policy) == ("no policy", "")


def test_open_gate__unread_action__is_recorded_and_nothing_decided():
    record = []
    OpenGate(record).unread(0, "c1", ACTION)
    assert [(type(e), e.at) for e in record] == [(Proposed, 0), (Decided, 1)]
    assert record[1].decision == "no policy"


def test_open_gate__act_that_raises__raises_and_tells_no_outcome():
    record = []
    gate = OpenGate(record)

    def run(_):
        raise ConnectionError("no answer")

    with pytest.raises(ConnectionError):
        gate.carry_out(gate.propose(0, "c1", ACTION, {}), run, lambda *_: record.append("told"))
    assert len(record) == 2
