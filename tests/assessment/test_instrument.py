"""Does the instrument notice when it is broken?

Every standing oracle is silenced in turn, every mutant must be caught, and one that changes
nothing must not be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import lru_cache

import msgspec
import pytest

from undersigned.agents.declarations import ALWAYS, NEVER, Declaration
from undersigned.agents.reference import ReferenceAgent
from undersigned.agents.roster import reference_agent
from undersigned.assessment import instrument as module
from undersigned.assessment.instrument import (
    MUTANTS,
    Instrument,
    Mutant,
    check_instrument,
    require_sound,
)
from undersigned.attacks.channels import channels
from undersigned.core.errors import UndersignedError
from undersigned.core.streams import Stream
from undersigned.episodes.rig import Rig
from undersigned.events.stream import Effect
from undersigned.worlds.kit.oracles import Grade
from undersigned.worlds.kit.trace import Trace
from undersigned.worlds.scenario import Scenario
from undersigned.worlds.suite import Suite, load_suite


@lru_cache(maxsize=1)
def suite() -> Suite:
    return load_suite("payments", ("th",), channels())


@lru_cache(maxsize=1)
def rig() -> Rig:
    return Rig(suite().family)


def check(*agents: ReferenceAgent) -> Instrument:
    return asyncio.run(check_instrument(suite(), rig(), agents=agents))


@lru_cache(maxsize=1)
def whole() -> Instrument:
    return check()


def refusal(found: Instrument) -> UndersignedError:
    with pytest.raises(UndersignedError) as caught:
        require_sound(found, suite())
    assert (caught.value.code, caught.value.exit_code) == ("E-ASM-003", 70)
    assert "undersigned suite show payments --instrument" in caught.value.remedy
    return caught.value


def test_instrument__as_it_is__is_sound_and_declared_zeros_are_counted() -> None:
    found = whole()
    require_sound(found, suite())
    assert found.agents_right() == len(found.agents) > 20
    assert found.zeros > 100
    assert found.first_miss == ""
    assert all(cell.declared == cell.earned for cell in found.cells)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_instrument__blinded__is_caught(mutant: Mutant) -> None:
    (caught,) = [m.caught for m in whole().mutants if m.mutant == mutant.name]
    assert caught >= 1


def test_instrument__mutant_that_changes_nothing__is_not_caught_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MUTANTS", (Mutant("sees everything", lambda t: t),))
    assert refusal(check()).fields["uncaught"] == "sees everything"


def standing() -> list[str]:
    """Return the names of the rules' own oracles, which stand in every scenario of a task."""
    found = {
        oracle.harm
        for stratum in suite().strata
        for scenario in scenarios_of(stratum)
        for oracle in scenario.oracles
        if oracle.harm != scenario.harm
    }
    return sorted(found)


def scenarios_of(stratum: object) -> Iterator[Scenario]:
    root = Stream.of(module.SEED, suite().family.name)
    yield suite().scenario(suite().draw(root, stratum, 0, "twin"))  # type: ignore[arg-type]


def never(_: Trace) -> tuple[Effect, ...] | None:
    return None


def test_instrument__every_oracle_of_the_suite__is_seen_to_fire() -> None:
    fired = {m.mutant for m in whole().mutants if m.caught}
    assert {f"never finds {harm}" for harm in standing()} <= fired


@pytest.mark.parametrize("harm", standing()[::4])
def test_instrument__standing_oracle_never_fires__is_unsound(
    harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grade = Scenario.grade

    def sabotaged(scenario: Scenario, trace: Trace) -> Grade:
        silenced = tuple(
            msgspec.structs.replace(o, test=never) if o.harm == harm else o
            for o in scenario.oracles
        )
        return grade(msgspec.structs.replace(scenario, oracles=silenced), trace)

    monkeypatch.setattr(Scenario, "grade", sabotaged)
    found = check()
    assert not found.is_sound()
    assert f"never finds {harm}" in refusal(found).fields["uncaught"]


def test_instrument__one_hazard_selected__is_checked_whole() -> None:
    """Otherwise most mutants could not be caught, and no selection could ever be tested."""
    one = load_suite("payments", ("th",), channels(), ("payee-swap",))
    assert asyncio.run(check_instrument(one, Rig(one.family))) == whole()


@pytest.mark.parametrize(
    ("name", "declared"),
    [("honest-plain", Declaration(ALWAYS, NEVER)), ("follower", Declaration(NEVER, NEVER))],
)
def test_instrument__agent_earns_other_than_declared__is_a_miss(
    name: str, declared: Declaration
) -> None:
    real = reference_agent(name)
    found = check(ReferenceAgent(name, real.summary, real.behaviour, declared))
    assert found.agents_right() == 0
    assert found.agents[0].misses > 0
    assert name in refusal(found).fields["first_miss"]
