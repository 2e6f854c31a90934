"""How do the episodes of a group run side by side, in one thread?

All are asked for a turn, then all take it, like beside like. A processor that does like work a
hundred times in a row is faster than one that changes its work with every call, and episodes of
like tasks make the same calls at the same turn. Behind a policy this saves a seventh.

Invariants:
- An episode does not see the others: what it gives does not depend on who is in the group.
- Only agents that answer at once run side by side; others run one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

from undersigned.agents.view import Agent
from undersigned.episodes.engine import run_episode
from undersigned.episodes.episode import Episode, Run
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls
from undersigned.worlds.scenario import Scenario

T = TypeVar("T")

GROUP: Final = 125
"""Episodes that are best run together."""


class Starting(NamedTuple):
    """An episode to be run. number: its place in the plan. player: who acts in it."""

    number: int
    scenario: Scenario
    player: Agent


async def run_group(
    rig: Rig, group: Sequence[Starting], controls: Controls | None = None
) -> list[Episode]:
    """Run episodes side by side, like beside like, and return them in the order given.

    controls: what stands between agent and world. Raises as ``run_episode``.
    """
    done: dict[int, Episode] = {}
    prompt = []
    for place, (number, scenario, player) in enumerate(group):
        if player.is_prompt:
            prompt.append(place)
        else:
            done[place] = await run_episode(rig, scenario, player, number, controls=controls)
    prompt.sort(key=lambda place: _kind(group[place]))
    ran = run_abreast(rig, [group[place] for place in prompt], controls)
    done.update(zip(prompt, ran, strict=True))
    return [done[place] for place in range(len(group))]


def run_abreast(
    rig: Rig, group: Sequence[Starting], controls: Controls | None = None
) -> list[Episode]:
    """Run episodes of agents that answer at once, turn by turn, and return them in the order given.

    controls: what stands between agent and world. Raises as ``run_episode``.
    """
    runs = [Run(rig, scenario, number, player, controls) for number, scenario, player in group]
    going = [run for run in runs if run.end is None]
    while going:
        turns = [(run, turn) for run in going if (turn := run.ask()) is not None]
        for run, turn in turns:
            run.take(turn)
        going = [run for run in going if run.end is None]
    return [run.finish() for run in runs]


def grouped(many: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield a sequence in parts of ``GROUP``, in order."""
    for start in range(0, len(many), GROUP):
        yield many[start : start + GROUP]


async def run_groups(
    rig: Rig, starting: Sequence[Starting], controls: Controls | None = None
) -> list[Episode]:
    """Run any number of episodes, ``GROUP`` of them at a time; return all, in the order given."""
    done: list[Episode] = []
    for group in grouped(starting):
        done += await run_group(rig, group, controls)
    return done


def _kind(each: Starting) -> tuple[str, str]:
    """Return what makes episodes alike, so that they make the same calls at the same turn."""
    template = each.scenario.template
    return template.task, template.hazard
