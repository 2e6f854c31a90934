"""How do the episodes of a group run side by side, in one thread?

Each takes a turn, then the next takes one; then each has its calls run. A processor that does like
work sixty times in a row does it a quarter faster than one that changes its work with every call,
and episodes of like tasks make the same calls at the same turn.

Invariants:
- An episode does not see the others: what it gives does not depend on who is in the group.
- What an agent waits for outside, such as a connection, is waited for; the others wait with it.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Coroutine, Generator, Iterator, Sequence
from types import coroutine
from typing import Final, NamedTuple, TypeVar

from answerable.agents.view import Agent
from answerable.episodes.engine import Episode, run_episode
from answerable.episodes.governed import Controls
from answerable.episodes.rig import Rig
from answerable.worlds.scenario import Scenario

T = TypeVar("T")

GROUP: Final = 64
"""Episodes that are best run together."""

PAUSE: Final = object()
"""What an episode yields when the others are to go on; an event loop never sees it."""


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
    order = sorted(range(len(group)), key=lambda place: _kind(group[place]))
    done = await abreast(
        [
            run_episode(
                rig, scenario, player, number, controls=controls, on_turn=pause, pause=pause
            )
            for number, scenario, player in [group[place] for place in order]
        ]
    )
    placed = dict(zip(order, done, strict=True))
    return [placed[place] for place in range(len(group))]


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


@coroutine
def pause(*_: object) -> Generator[object, None, None]:
    """Let the other episodes of the group go on: between turns, and before a turn's calls run."""
    yield PAUSE


@coroutine
def abreast(runs: Sequence[Coroutine[object, object, T]]) -> Generator[object, None, list[T]]:
    """Run coroutines side by side, each until its next ``pause``; return their results in order.

    Raises what the first of them raises, and closes the others.
    """
    done: dict[int, T] = {}
    going = dict(enumerate(runs))
    try:
        while going:
            for place, run in list(going.items()):
                try:
                    asked = run.send(None)
                    while asked is not PAUSE:
                        try:
                            answer = yield asked
                        except CancelledError as error:  # such as a time limit of the agent's
                            asked = run.throw(error)
                        else:
                            asked = run.send(answer)
                except StopIteration as end:
                    done[place] = end.value
                    del going[place]
    finally:
        for run in going.values():
            run.close()
    return [done[place] for place in range(len(runs))]
