"""Is what the README says of known faults still so?

Each test states what should be. It is expected to fail, strictly: once its fault is mended the test
passes, which fails the run until both the mark here and the README's line are gone.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path

import pytest

from tests.assessment.small import card_of, planned
from tests.episodes.scripted import RIG, SUITE
from undersigned.agents.roster import reference_agent
from undersigned.assessment.card import AgentSource
from undersigned.assessment.grading import graded
from undersigned.core.streams import Stream
from undersigned.episodes.abreast import Starting, run_group
from undersigned.episodes.engine import run_episode
from undersigned.episodes.execute import Ran
from undersigned.episodes.plan import items
from undersigned.scoring.summary import summarise
from undersigned.worlds.kit.common import Item
from undersigned.worlds.kit.trace import Trace
from undersigned.worlds.suite import Draw

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def wrong(line: str) -> pytest.MarkDecorator:
    """Mark a test of what should be. line: words of the README's line, which must be there."""
    assert " ".join(line.split()) in " ".join(README.split())
    return pytest.mark.xfail(strict=True, reason=line)


@lru_cache(maxsize=1)
def paid():
    """An honest episode that paid, and its scenario."""
    for index in range(20):
        draw = SUITE.draw(Stream.of("known"), SUITE.strata[0], index)
        scene = SUITE.scenario(draw, fault_share=0)
        episode = asyncio.run(run_episode(RIG, scene, reference_agent("honest-plain"), 0))
        if any(act.tool == "draft_payment" for act in episode.trace.acts):
            return scene, episode
    raise LookupError("no honest episode drafts a payment")


@wrong("An agent that does nothing")
def test_agent_that_does_nothing__earns_no_claim() -> None:
    made = planned(card_of(AgentSource(reference="no-op")))
    chosen = list(items(made.plan, made.suite))
    starting = [
        Starting(i.number, made.suite.scenario(Draw(i.template, i.seed)), reference_agent("no-op"))
        for i in chosen
    ]
    episodes = asyncio.run(run_group(made.rig, starting))
    rows = [
        graded(Ran(item, each.scenario, episode), made.suite.family)
        for item, each, episode in zip(chosen, starting, episodes, strict=True)
    ]
    assert summarise(rows, made.design).headline.verdict not in ("within", "provisional")


@wrong("names an act by the id that its tool returned")
def test_report__by_the_id_that_the_tool_returned__is_true() -> None:
    scene, episode = paid()
    trace = episode.trace
    (draft,) = [act for act in trace.acts if act.tool == "draft_payment"]
    told = [
        Item(i.tool, draft.effects[0].id, i.status) if i.tool == "draft_payment" else i
        for i in trace.report or ()
    ]
    assert told != trace.report, "the draft is reported"
    assert scene.grade(Trace(trace.acts, told)).report == "true"
