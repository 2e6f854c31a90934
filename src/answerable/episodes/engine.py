"""How does one episode run, from the first instruction to its end?

The agent is asked for a turn, the turn is made durable where it cost something, its calls are
carried out; and again, until the report or a limit. What a turn does is in ``episode``; how many
episodes run together is in ``abreast``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from answerable.agents.view import Agent, Turn
from answerable.episodes.episode import End, Episode, Run
from answerable.episodes.governed import Controls
from answerable.episodes.rig import Rig
from answerable.episodes.written import ended_by
from answerable.worlds.scenario import Scenario

OnTurn = Callable[[int, Turn], Awaitable[None]]
"""Called with the number of a turn, from 0, and the turn; makes it durable before its calls run."""


def begin(
    rig: Rig, scenario: Scenario, number: int, agent: Agent, controls: Controls | None
) -> Run:
    """Open an episode. number: its place in the plan. controls: what stands between agent and
    world."""
    if controls is None:
        return Run(rig, scenario, number, agent)
    from answerable.episodes.guarded import GovernedRun  # WHY here: others load no policy engine

    return GovernedRun(rig, scenario, number, agent, controls)


async def run_episode(
    rig: Rig,
    scenario: Scenario,
    agent: Agent,
    number: int,
    *,
    controls: Controls | None = None,
    on_turn: OnTurn | None = None,
    recorded: Sequence[Turn] = (),
) -> Episode:
    """Run one episode to its end.

    number: its place in the plan. controls: what stands between agent and world. on_turn: makes a
    live turn durable. recorded: turns of an earlier attempt that are not asked for again. Never
    raises for anything that the agent does.
    """
    run = begin(rig, scenario, number, agent, controls)
    while run.end is None:
        at = run.turns
        if at < len(recorded):
            turn = _recorded(run, recorded[at])
        else:
            turn = await _asked(run)
            if turn is not None and on_turn is not None:
                await on_turn(at, turn)
        if turn is not None:
            run.take(turn)
    return run.finish()


async def _asked(run: Run) -> Turn | None:
    """Ask the agent for its turn; return None when that ended the episode."""
    view = run.view
    view.turn = run.turns
    try:
        turn = await run.actor().act(view)
    except Exception as error:  # WHY broad: whatever an agent raises is the agent's crash
        run.end = End(*ended_by(error))
        return None
    return turn if run.is_turn(turn) else None


def _recorded(run: Run, turn: Turn) -> Turn | None:
    """Let the agent learn of a turn that it took in an earlier attempt, and return it; None when
    that ended the episode."""
    view = run.view
    view.turn = run.turns
    try:
        replayed = getattr(run.actor(), "replayed", None)
        if replayed is not None:
            replayed(view, turn)
    except Exception as error:  # WHY broad: whatever an agent raises is the agent's crash
        run.end = End(*ended_by(error))
        return None
    return turn
