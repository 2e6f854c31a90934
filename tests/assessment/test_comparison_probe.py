"""Does a governed run say what gets through in disguise, and when its own gate failed?

Whatever is edited here is signed again with the tester's own keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.assessment.small import (
    Forgery,
    Made,
    checked,
    forge,
    governed,
    governed_tape,
    unprobed,
)
from tests.assessment.test_comparison import found, own_rows, refused, small_plan
from undersigned.assessment.arms import Comparison, Probe
from undersigned.assessment.card import ControlsWish
from undersigned.assessment.comparison import compare
from undersigned.assessment.dossier import COMPARISON_FILE, Dossier
from undersigned.assessment.probing import probe, probe_run, tries
from undersigned.attacks.channels import channels
from undersigned.attacks.strategies import strategies
from undersigned.controls.facts import FactKeeper
from undersigned.controls.policy import RESERVED
from undersigned.controls.records import GATE_ERROR
from undersigned.core.canonical import digest_bytes, encode
from undersigned.core.errors import EvidenceError
from undersigned.worlds.suite import load_suite


def probe_in(made: Made) -> Probe:
    shown = found(made).probe
    assert shown is not None
    return shown


@pytest.mark.parametrize("made", [governed, governed_tape], ids=["reference", "tape"])
def test_probe__governed_run__has_a_row_for_each_strategy(made: Callable[[], Made]) -> None:
    prepared = made().result.prepared
    assert prepared.controls is not None
    rows = asyncio.run(probe(prepared.controls, prepared.suite, strategies().values(), 1))
    assert probe_in(made()) == Probe(1, "rubber-stamp", rows)
    assert [row.strategy for row in rows] == list(strategies())
    assert {row.verdict for row in rows} == {"gets through", "stopped"}


def test_probe__whoever_is_tested__has_the_same_rows() -> None:
    assert probe_in(governed()) == probe_in(governed_tape())


def test_probe__policy_that_is_only_observed__is_tried_as_if_enforced() -> None:
    prepared = governed().result.prepared
    assert prepared.controls is not None
    watching = prepared.controls._replace(mode="observe")
    done: list[int] = []
    assert asyncio.run(probe_run(watching, prepared.suite, 1, done.append)) == probe_in(governed())
    assert sum(done) == tries(prepared.suite, 1)


def test_probe__suite_without_planted_texts__fits_nowhere_and_is_no_error() -> None:
    prepared = small_plan(ControlsWish("family"))
    assert prepared.controls is not None
    lapses = load_suite("payments", ("th",), channels(), hazards=("no-checkpoint",))
    rows = asyncio.run(probe_run(prepared.controls, lapses, 1))
    assert rows is not None
    assert {row.verdict for row in rows.tried} == {"fits nowhere"}


def test_probe__switched_off_by_the_card__is_not_tried(tmp_path: Path) -> None:
    made = unprobed()
    assert found(made).probe is None
    assert checked(made.dossier).code == 0
    data = encode(msgspec.structs.replace(found(made), probe=probe_in(governed())))
    stated = {"comparison": digest_bytes(data)}
    refused(forge(tmp_path, Forgery(files={COMPARISON_FILE: data}, result=stated), made))


def stopped_all(shown: Probe) -> Probe:
    """Return the rows with whatever got through stopped."""
    return msgspec.structs.replace(
        shown,
        tried=tuple(
            msgspec.structs.replace(each, harmed_governed=0, through=(), harms=())
            for each in shown.tried
        ),
    )


def left_out(shown: Probe) -> Probe:
    """Return only the rows of what was stopped."""
    kept = tuple(each for each in shown.tried if each.verdict == "stopped")
    return msgspec.structs.replace(shown, tried=kept)


@pytest.mark.parametrize("change", [stopped_all, left_out, lambda _: None])
def test_verify__edited_probe_signed_again__is_refused(
    tmp_path: Path, change: Callable[[Probe], Probe | None]
) -> None:
    data = encode(msgspec.structs.replace(found(governed()), probe=change(probe_in(governed()))))
    stated = {"comparison": digest_bytes(data)}
    refused(forge(tmp_path, Forgery(files={COMPARISON_FILE: data}, result=stated), governed()))


def test_verify__card_that_asks_for_more_seeds_than_anyone_may__is_refused_before_any_is_run(
    tmp_path: Path,
) -> None:
    text = encode(governed().card).replace(b'"probe":1', b'"probe":100000')
    forged = forge(tmp_path, Forgery(card=text), governed())
    refused(forged, "E-COR-003", "")


def changed(comparison: Comparison, **fields: Any) -> Comparison:
    assert comparison.probe is not None
    first, *others = comparison.probe.tried
    tried = (msgspec.structs.replace(first, **fields), *others)
    return msgspec.structs.replace(
        comparison, probe=msgspec.structs.replace(comparison.probe, tried=tried)
    )


@pytest.mark.parametrize("fields", [{"episodes": 1}, {"asked": -1}, {"reached": 10**6}], ids=str)
def test_dossier__probe_that_does_not_add_up__is_refused_when_read(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    data = encode(changed(found(governed()), **fields))
    forged = forge(tmp_path, Forgery(files={COMPARISON_FILE: data}), governed())
    with Dossier(forged) as dossier, pytest.raises(EvidenceError) as caught:
        dossier.comparison()
    assert caught.value.code == "E-ASM-006"
    assert caught.value.fields["reason"] == "a strategy with more episodes than it fits"


# A fault of the gate itself.


def test_compare__gate_that_fails__is_counted_and_its_episodes_are_invalid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = FactKeeper.facts

    def fail(keeper: Any, action: Any, *args: Any, **more: Any) -> Any:
        if action.tool == "release_payment":
            raise ZeroDivisionError
        return facts(keeper, action, *args, **more)

    prepared = small_plan(ControlsWish("family"))
    sound = {n: each.row for n, each in enumerate(own_rows(prepared)[1].kept)}
    monkeypatch.setattr(FactKeeper, "facts", fail)
    bench, watch = own_rows(prepared)
    failed = [n for n, each in enumerate(watch.kept) if each.has_gate_error()]
    assert failed
    for number, each in enumerate(watch.kept):
        if number not in failed:
            assert each.row == sound[number]
        elif each.row.outcome != "unsafe":
            assert (each.row.outcome, each.row.reason) == ("invalid", "gate")
    comparison = asyncio.run(compare(bench, watch.kept, exact=True, probe=1))
    assert comparison is not None
    run, bare = comparison.run().measured, comparison.without().measured
    assert run is not None
    assert bare is not None
    invalid = sum(each.row.outcome == "invalid" for each in watch.kept)
    assert (run.gate_errors, run.invalid, bare.gate_errors) == (len(failed), invalid, 0)
    assert (GATE_ERROR, "") in {(each.reason, each.words) for each in run.stopped}
    assert comparison.probe is not None
    verdicts = {each.strategy: each.verdict for each in comparison.probe.tried}
    assert verdicts["plain"] in ("gate failed", "gets through")
    assert "gate failed" in verdicts.values()


def test_gate_error__here__is_the_reason_that_the_gate_gives() -> None:
    assert GATE_ERROR == "gate-error"
    assert GATE_ERROR in RESERVED


def test_compare__gate_that_works__has_no_fault() -> None:
    measured = [arm.measured for arm in found(governed()).arms]
    assert [each.gate_errors for each in measured if each is not None] == [0] * len(measured)
