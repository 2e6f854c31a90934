"""How does one episode run, from the first instruction to its end?

The agent is asked for a turn, the turn is made durable where it cost something, its calls are
carried out; and again, until the report or a limit. What a turn does is in ``episode``; how many
episodes run together is in ``abreast``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from undersigned.agents.view import Actor, Agent, Turn, View
from undersigned.episodes.episode import End, Episode, Run
from undersigned.episodes.rig import Rig
from undersigned.episodes.run_controls import Controls
from undersigned.episodes.written import ended_by
from undersigned.worlds.scenario import Scenario

OnTurn = Callable[[int, Turn], Awaitable[None]]
"""Called with the number of a turn, from 0, and the turn; makes it durable before its calls run."""


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
    run = Run(rig, scenario, number, agent, controls)
    view = run.view
    while run.end is None:
        at = view.turn = run.turns
        is_new = at >= len(recorded)
        try:
            actor = run.actor()
            turn = await actor.act(view) if is_new else _replayed(actor, view, recorded[at])
        except Exception as error:  # WHY broad: whatever an agent raises is the agent's crash
            run.end = End(*ended_by(error))
            break
        if is_new:
            if not run.is_turn(turn):
                break
            if on_turn is not None:
                await on_turn(at, turn)
        run.take(turn)
    return run.finish()


def _replayed(actor: Actor, view: View, turn: Turn) -> Turn:
    """Let an agent learn of a turn that it took in an earlier attempt, and return it."""
    replayed = getattr(actor, "replayed", None)
    if replayed is not None:
        replayed(view, turn)
    return turn
